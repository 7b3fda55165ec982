//! `bimetal` and `provider` blocks.

use bimetal_model::{Diagnostic, ProviderKey, ProviderName, Span};
use bimetal_syntax::{self as syntax, Kind, Node, StepKind};

use super::Parser;
use crate::expression::Expression;
use crate::module::*;
use crate::suggest::nearest_or_all;
use crate::types::plain;

/// The blocks of `bimetal`, and how the header of each is written.
const BLOCKS: [(&str, &str); 5] = [
    ("required_providers", "required_providers"),
    ("state", "state \"sqlite\""),
    ("encryption", "encryption \"passphrase\""),
    ("registry", "registry \"registry.example.org\""),
    ("signed", "signed \"github.com/team/*\""),
];

impl Parser<'_> {
    pub(super) fn settings(&mut self, mut body: Body) {
        if let Some(attribute) = body.attributes.remove("required_version")
            && let Some(text) = self.literal(&attribute.expression)
        {
            self.module.settings.required_version = Some((text, attribute.expression.span().clone()));
        }
        if let Some(attribute) = body.attributes.remove("allowed_sources") {
            self.module.settings.allowed_sources = Some(self.texts(&attribute.expression));
        }
        self.module.settings.require_clean |= self.flag(&body, "require_clean").unwrap_or(false);
        self.unsupported(&body, &["required_version", "allowed_sources", "require_clean"]);
        for block in std::mem::take(&mut body.blocks) {
            match (block.name.as_str(), &block.labels[..]) {
                ("required_providers", []) => self.required_providers(block.body),
                ("state", [kind]) => {
                    self.module.settings.state = Some(StateBlock { kind: kind.clone(), body: block.body });
                }
                ("encryption", [kind]) => {
                    self.module.settings.encryption.push(Encryption { kind: kind.clone(), body: block.body });
                }
                ("signed", [sources]) => {
                    let signed = self.signed(sources, &block.body);
                    self.module.settings.signed.extend(signed);
                }
                ("registry", [host]) => {
                    self.module.settings.registries.insert(host.clone(), Registry { body: block.body });
                }
                (name, labels) => self.diagnostics.push(misplaced(name, labels.len()).at(&block.span)),
            }
        }
    }

    pub(super) fn required_providers(&mut self, body: Body) {
        for (name, attribute) in body.attributes {
            let span = attribute.name_span.clone();
            let mut required =
                RequiredProvider { source: None, version: None, path: None, signed_by: Vec::new(), span };
            let Kind::Object(members) = &attribute.expression.node.kind else {
                let error = Diagnostic::error(format!("`{name}` must be an object")).at(attribute.expression.span());
                self.diagnostics.push(error.hint(format!("write `{name} = {{ version = \"~> 1.0\" }}`")));
                continue;
            };
            for member in members {
                let value = Expression::new(&attribute.expression.file, member.value.clone());
                if plain(&member.key) == Some("signed_by") {
                    required.signed_by = self.texts(&value);
                    continue;
                }
                let Some(text) = self.literal(&value) else { continue };
                match plain(&member.key) {
                    Some("source") => required.source = Some(text),
                    Some("version") => required.version = Some(text),
                    Some("path") => required.path = Some(text),
                    _ => {
                        let error = Diagnostic::error("a provider has `source`, `version`, `path` and `signed_by`");
                        self.diagnostics.push(error.at(value.span()));
                    }
                }
            }
            self.module.settings.required_providers.insert(name, required);
        }
    }

    /// Plain strings: a list of them, or one.
    fn texts(&mut self, value: &Expression) -> Vec<String> {
        let one = |node: &Node| Expression::new(&value.file, node.clone());
        let texts = match &value.node.kind {
            Kind::Tuple(items) => items.iter().map(one).collect(),
            _ => vec![one(&value.node)],
        };
        texts.iter().filter_map(|text| self.literal(text)).collect()
    }

    fn signed(&mut self, sources: &str, body: &Body) -> Option<Signed> {
        self.no_blocks(body, "signed");
        self.unsupported(body, &["what", "allowed_signers"]);
        let of_tags = match self.text(body, "what").as_deref() {
            Some("tags") => true,
            Some("commits") => false,
            Some(_) | None => {
                let error = Diagnostic::error("`what` says what must be signed: `commits` or `tags`").at(&body.span);
                self.diagnostics.push(error.hint("write `what = \"commits\"`"));
                return None;
            }
        };
        let allowed_signers = self.text(body, "allowed_signers");
        Some(Signed { sources: sources.to_owned(), of_tags, allowed_signers, span: body.span.clone() })
    }

    pub(super) fn provider(&mut self, name: &str, body: &mut Body, span: Span) {
        let alias = body.attributes.remove("alias").and_then(|attribute| self.literal(&attribute.expression));
        let key = ProviderKey { name: ProviderName(name.to_owned()), alias };
        if self.first(format!("provider `{key}`"), &span) {
            let block = ProviderBlock { key: key.clone(), body: body.clone(), span };
            self.module.providers.insert(key, block);
        }
    }

    pub(super) fn provider_key(&mut self, expression: &Expression) -> Option<ProviderKey> {
        let key = provider_key(&expression.node);
        if key.is_none() {
            let error = Diagnostic::error("this names no provider").at(expression.span());
            self.diagnostics.push(error.hint("write `provider = digitalocean` or `provider = digitalocean.alias`"));
        }
        key
    }
}

/// What is wrong with a block in `bimetal`: its name, or how many labels it has.
fn misplaced(name: &str, labels: usize) -> Diagnostic {
    match BLOCKS.iter().find(|(known, _)| *known == name) {
        Some((_, header)) => {
            Diagnostic::error(format!("`{name}` has {labels} labels here, and takes {}", usize::from(*header != name)))
                .hint(format!("write `{header} {{ … }}`"))
        }
        None => Diagnostic::error(format!("`{name}` does not belong into `bimetal`")).hint(nearest_or_all(
            name,
            BLOCKS.map(|(known, _)| known),
            "block",
        )),
    }
}

/// `name` or `name.alias`
pub(super) fn provider_key(node: &Node) -> Option<ProviderKey> {
    match &node.kind {
        Kind::Name(name) => Some(ProviderKey::default_of(&**name)),
        Kind::Traversal(traversal) => match (&traversal.root.kind, &traversal.steps[..]) {
            (Kind::Name(name), [syntax::Step { kind: StepKind::Attribute(alias), .. }]) => {
                Some(ProviderKey { name: ProviderName(name.to_string()), alias: Some(alias.to_string()) })
            }
            _ => None,
        },
        _ => None,
    }
}
