//! `run` blocks.

use bimetal_model::{BlockKind, Diagnostic, Key, Span};
use bimetal_syntax::{Kind, Node, StepKind};

use super::super::call::joined;
use super::Parser;
use crate::expression::{Expression, Target, target};
use crate::module::*;
use crate::suggest::nearest_or_all;
use crate::suite::*;

/// What stands in a run.
const BLOCKS: [&str; 7] =
    ["variables", "module", "plan_options", "assert", "override_resource", "override_data", "override_module"];

/// The blocks of a run.
#[derive(Default)]
struct Found {
    asserts: Vec<Condition>,
    overrides: Vec<Override>,
    variables: Option<NestedBody>,
    module: Option<NestedBody>,
    options: Option<NestedBody>,
}

impl Parser<'_> {
    pub(super) fn run(&mut self, name: &str, mut body: Body, span: Span) -> Run {
        let command = self.phase(&mut body, "command").unwrap_or(Phase::Apply);
        let providers = body.attributes.remove("providers").map(|attribute| self.providers(&attribute.expression));
        let expected = body.attributes.remove("expect_failures");
        let expected = expected.map(|attribute| self.expected(&attribute.expression)).unwrap_or_default();
        let state_key = self.text(&body, "state_key");
        // Named for the hint; those that are there were taken out.
        self.unsupported(&body, &["command", "providers", "expect_failures", "state_key"]);
        let found = self.run_blocks(std::mem::take(&mut body.blocks));
        Run {
            name: name.to_owned(),
            command,
            variables: found.variables.map(|block| self.variables(block)).unwrap_or_default(),
            module: found.module.and_then(|block| self.source(block)),
            state_key,
            providers,
            options: found.options.map(|block| self.plan_options(block.body)).unwrap_or_default(),
            asserts: found.asserts,
            expected,
            overrides: found.overrides,
            span,
        }
    }

    fn run_blocks(&mut self, blocks: Vec<NestedBody>) -> Found {
        let mut found = Found::default();
        for block in blocks {
            match block.name.as_str() {
                "assert" => found.asserts.extend(self.condition(block)),
                "variables" => self.once(&mut found.variables, block),
                "module" => self.once(&mut found.module, block),
                "plan_options" => self.once(&mut found.options, block),
                word if BLOCKS.contains(&word) => {
                    found.overrides.extend(self.overriding(&block.name, block.body, block.span));
                }
                word => {
                    let hint = nearest_or_all(word, BLOCKS, "block");
                    let error = Diagnostic::error(format!("`{word}` does not belong into `run`")).at(&block.span);
                    self.diagnostics.push(error.hint(hint));
                }
            }
        }
        found
    }

    fn once(&mut self, place: &mut Option<NestedBody>, block: NestedBody) {
        if place.is_some() {
            let error = Diagnostic::error(format!("`{}` is there twice", block.name)).at(&block.span);
            return self.diagnostics.push(error.hint("put what is in them into one"));
        }
        *place = Some(block);
    }

    fn variables(&mut self, block: NestedBody) -> Attributes {
        self.no_blocks(&block.body, "variables");
        block.body.attributes
    }

    fn source(&mut self, block: NestedBody) -> Option<Source> {
        self.unsupported(&block.body, &["source"]);
        self.no_blocks(&block.body, "module");
        let Some(attribute) = block.body.attributes.get("source") else {
            let error = Diagnostic::error("`source` is missing").at(&block.span);
            self.diagnostics.push(error.hint("write `source = \"./tests/setup\"`"));
            return None;
        };
        self.folder(&attribute.expression)
    }

    /// A folder below the root.
    pub(super) fn folder(&mut self, source: &Expression) -> Option<Source> {
        let span = source.span().clone();
        let text = self.literal(source)?;
        match joined("", &text) {
            Some(folder) => Some(Source { folder: folder.into(), span }),
            None => {
                let error = Diagnostic::error(format!("`{text}` is no local path")).at(&span);
                self.diagnostics.push(error.hint("it begins with `./` or `../`, and leads on from the root"));
                None
            }
        }
    }

    fn expected(&mut self, expression: &Expression) -> Vec<Expected> {
        let Kind::Tuple(items) = &expression.node.kind else {
            let error = Diagnostic::error("`expect_failures` is a list").at(expression.span());
            self.diagnostics.push(error.hint("write `expect_failures = [var.size, check.health]`"));
            return Vec::new();
        };
        let mut found = Vec::new();
        for item in items {
            let span = expression.file.span(item.place);
            match checkable(item) {
                Some(what) => found.push(Expected { what, span }),
                None => {
                    let error = Diagnostic::error("this has no conditions that could fail").at(&span);
                    let hint = "there are `var.<name>`, `output.<name>`, `check.<name>`, and blocks: `docker_volume.a`";
                    self.diagnostics.push(error.hint(hint));
                }
            }
        }
        found
    }
}

/// A variable, an output, a check, a block or one of its instances.
fn checkable(node: &Node) -> Option<Checkable> {
    let Kind::Traversal(traversal) = &node.kind else { return None };
    let Kind::Name(root) = &traversal.root.kind else { return None };
    let (target, taken) = target(root, &traversal.steps)?;
    let key = match &traversal.steps[taken..] {
        [] => None,
        [step] => Some(key(&step.kind)?),
        _ => return None,
    };
    match target {
        Target::Variable(name) if key.is_none() => Some(Checkable::Variable(name.name)),
        Target::Object(address) => match (address.block, address.ty.as_str(), key) {
            (BlockKind::Pool, ..) => None,
            (BlockKind::Resource, "output", None) => Some(Checkable::Output(address.name.clone())),
            (BlockKind::Resource, "check", None) => Some(Checkable::Check(address.name.clone())),
            (_, _, key) => Some(Checkable::Object(address.instance(key))),
        },
        Target::Variable(_) | Target::Local(_) | Target::Module(..) => None,
        Target::Each | Target::Count | Target::Path | Target::Workspace | Target::This => None,
    }
}

fn key(step: &StepKind) -> Option<Key> {
    let StepKind::Index(index) = step else { return None };
    match &index.kind {
        Kind::Text(name) => Some(Key::Name(name.to_string())),
        Kind::Number(number) => number.to_u64().map(Key::Index),
        _ => None,
    }
}
