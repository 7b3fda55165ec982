//! Machines, pools, services, resources and data sources: their meta-arguments.

use bimetal_model::{Address, BlockKind, Diagnostic, Path, Span, Step};
use bimetal_syntax::{Kind, Node, StepKind};

use super::Parser;
use crate::expression::{Expression, Reference, Target, target};
use crate::module::*;
use crate::trigger;
use crate::types::plain;

impl Parser<'_> {
    pub(super) fn object(&mut self, address: Address, mut body: Body, span: Span) {
        if !self.first(format!("`{address}`"), &span) {
            return;
        }
        let repetition = self.repetition(&mut body);
        let has_provider = !matches!(address.block, BlockKind::Pool | BlockKind::Service);
        let provider = if has_provider { body.attributes.remove("provider") } else { None };
        let provider = provider.and_then(|attribute| self.provider_key(&attribute.expression));
        let depends_on = self.depends_on(&mut body);
        let lifecycle = self.lifecycle(&mut body);
        let providers = Providers::default();
        let address_of = address.clone();
        let object = ObjectBlock {
            address: address_of,
            provider,
            providers,
            repetition,
            depends_on,
            lifecycle,
            check: None,
            body,
            span,
        };
        self.module.objects.insert(address, Box::new(object));
    }

    /// `count`, `for_each` or `enabled`, taken out of the body.
    pub(super) fn repetition(&mut self, body: &mut Body) -> Repetition {
        type Make = fn(Expression) -> Repetition;
        let words: [(&str, Make); 3] =
            [("count", Repetition::Count), ("for_each", Repetition::ForEach), ("enabled", Repetition::Enabled)];
        let mut found: Option<(&str, Repetition)> = None;
        for (word, make) in words {
            let Some(attribute) = body.attributes.remove(word) else { continue };
            match &found {
                Some((first, _)) => {
                    let error = Diagnostic::error(format!("`{first}` and `{word}` can't go together"));
                    self.diagnostics.push(error.at(&attribute.name_span).hint("remove one of them"));
                }
                None => found = Some((word, make(attribute.expression))),
            }
        }
        found.map_or(Repetition::Once, |(_, repetition)| repetition)
    }

    pub(super) fn depends_on(&mut self, body: &mut Body) -> Dependencies {
        let Some(attribute) = body.attributes.remove("depends_on") else { return Dependencies::default() };
        let Kind::Tuple(items) = &attribute.expression.node.kind else {
            let error = Diagnostic::error("`depends_on` is a list of blocks").at(attribute.expression.span());
            self.diagnostics.push(error.hint("write `depends_on = [machine.docker.here]`"));
            return Dependencies::default();
        };
        let mut found = Dependencies::default();
        for item in items.iter() {
            let span = attribute.expression.file.span(item.place);
            let named = match &item.kind {
                Kind::Traversal(traversal) => match &traversal.root.kind {
                    Kind::Name(root) => target(root, &traversal.steps),
                    _ => None,
                },
                _ => None,
            };
            match named {
                Some((Target::Object(address), _)) => {
                    found.objects.push(address.clone());
                    found.written.push(Reference { target: Target::Object(address), span });
                }
                Some((Target::Module(name, _), _)) => {
                    found.written.push(Reference { target: Target::Module(name, None), span });
                }
                _ => self.diagnostics.push(Diagnostic::error("this is no block that can be waited for").at(&span)),
            }
        }
        found
    }

    pub(super) fn lifecycle(&mut self, body: &mut Body) -> Lifecycle {
        let (found, rest): (Vec<_>, Vec<_>) =
            std::mem::take(&mut body.blocks).into_iter().partition(|block| block.name == "lifecycle");
        body.blocks = rest;
        let mut lifecycle = Lifecycle::default();
        for mut block in found {
            let known = ["prevent_destroy", "create_before_destroy", "ignore_changes", "replace_triggered_by"];
            self.unsupported(&block.body, &known);
            for inner in std::mem::take(&mut block.body.blocks) {
                match inner.name.as_str() {
                    "precondition" => lifecycle.preconditions.extend(self.condition(inner)),
                    "postcondition" => lifecycle.postconditions.extend(self.condition(inner)),
                    name => {
                        let error = Diagnostic::error(format!("`{name}` does not belong into `lifecycle`"));
                        let error = error.hint("there are `precondition { … }` and `postcondition { … }`");
                        self.diagnostics.push(error.at(&inner.span));
                    }
                }
            }
            lifecycle.prevent_destroy |= self.flag(&block.body, "prevent_destroy").unwrap_or(false);
            lifecycle.create_before_destroy |= self.flag(&block.body, "create_before_destroy").unwrap_or(false);
            if let Some(attribute) = block.body.attributes.get("ignore_changes") {
                lifecycle.ignore_changes.extend(self.ignored(&attribute.expression));
            }
            if let Some(attribute) = block.body.attributes.get("replace_triggered_by") {
                lifecycle.replace_triggered_by.extend(self.triggers(&attribute.expression));
            }
        }
        lifecycle
    }

    /// `[docker_volume.data, docker_image.web.id]`
    fn triggers(&mut self, expression: &Expression) -> Vec<Expression> {
        let Kind::Tuple(items) = &expression.node.kind else {
            let error = Diagnostic::error("this must be a list of objects and their attributes").at(expression.span());
            self.diagnostics.push(error.hint("write `replace_triggered_by = [docker_volume.data]`"));
            return Vec::new();
        };
        let triggers: Vec<Expression> =
            items.iter().map(|item| Expression::new(&expression.file, item.clone())).collect();
        self.diagnostics.extend(triggers.iter().filter_map(trigger::check));
        triggers
    }

    /// `[tags, env["A"]]`, or `all`
    fn ignored(&mut self, expression: &Expression) -> Vec<Ignored> {
        if plain(&expression.node) == Some("all") {
            return vec![Ignored { path: Path::root(), span: expression.span().clone() }];
        }
        let Kind::Tuple(items) = &expression.node.kind else {
            let error = Diagnostic::error("this must be a list of attribute names").at(expression.span());
            self.diagnostics.push(error.hint("write `ignore_changes = [labels, env]`"));
            return Vec::new();
        };
        let mut ignored = Vec::new();
        for item in items.iter() {
            let span = expression.file.span(item.place);
            match path(item) {
                Some(path) => ignored.push(Ignored { path, span }),
                None => self.diagnostics.push(Diagnostic::error("this names no attribute").at(&span)),
            }
        }
        ignored
    }
}

/// A way into an object, as it is written: `env["A"]`.
fn path(node: &Node) -> Option<Path> {
    let (root, steps) = match &node.kind {
        Kind::Traversal(traversal) => (&traversal.root, &traversal.steps[..]),
        _ => (node, &[][..]),
    };
    let root = Path::attribute(plain(root)?);
    steps.iter().try_fold(root, |path, next| Some(path.then(step(&next.kind)?)))
}

fn step(kind: &StepKind) -> Option<Step> {
    let index = |number: &bimetal_model::Number| u32::try_from(number.to_u64()?).ok().map(Step::Index);
    match kind {
        StepKind::Attribute(name) => Some(Step::Attribute(name.to_string())),
        StepKind::LegacyIndex(place) => index(place),
        StepKind::Index(node) => match &node.kind {
            Kind::Text(key) => Some(Step::Key(key.to_string())),
            Kind::Number(place) => index(place),
            _ => None,
        },
        StepKind::AttributeSplat | StepKind::FullSplat => None,
    }
}
