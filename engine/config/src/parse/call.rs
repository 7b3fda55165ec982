//! `module` blocks.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_model::{Diagnostic, ProviderKey, Span};
use bimetal_syntax::Kind;

use super::Parser;
use super::settings::provider_key;
use crate::expression::Expression;
use crate::module::*;

impl Parser<'_> {
    pub(super) fn call(&mut self, name: &str, mut body: Body, span: Span) {
        if !self.first(format!("module `{name}`"), &span) {
            return;
        }
        self.no_blocks(&body, "module");
        let repetition = self.repetition(&mut body);
        let depends_on = self.depends_on(&mut body);
        let providers = body.attributes.remove("providers");
        let providers = providers.map(|attribute| self.providers(&attribute.expression)).unwrap_or_default();
        let Some(source) = body.attributes.remove("source") else {
            let error = Diagnostic::error("`source` is missing").at(&span);
            return self.diagnostics.push(error.hint("write `source = \"./modules/name\"`"));
        };
        let source_span = source.expression.span().clone();
        let version = body.attributes.remove("version").map(|attribute| attribute.expression);
        let Some((folder, package)) = self.located(source.expression, version) else { return };
        let (keys, arguments) = (Vec::new(), body.attributes);
        let call = Call {
            folder: folder.into(),
            package,
            source_span,
            repetition,
            keys,
            waits_for: BTreeSet::new(),
            depends_on,
            providers: Providers::new(providers),
            arguments,
            span,
        };
        self.module.calls.insert(Scoped::root(name), call);
    }

    /// `{ docker = docker.west }`
    pub(super) fn providers(&mut self, expression: &Expression) -> BTreeMap<ProviderKey, ProviderKey> {
        let error = Diagnostic::error("this must say which provider is which").at(expression.span());
        let error = error.hint("write `providers = { docker = docker.west }`");
        let members = match &expression.node.kind {
            Kind::Object(members) => members,
            _ => {
                self.diagnostics.push(error);
                return BTreeMap::new();
            }
        };
        let mut providers = BTreeMap::new();
        for member in members {
            match (provider_key(&member.key), provider_key(&member.value)) {
                (Some(inside), Some(outside)) => drop(providers.insert(inside, outside)),
                _ => self.diagnostics.push(error.clone().at(&expression.file.span(member.value.place))),
            }
        }
        providers
    }
}

/// A path that begins with `./` or `../`, from a folder on. Steps up may lead out of the root.
pub(super) fn joined(folder: &str, path: &str) -> Option<String> {
    if !(path.starts_with("./") || path.starts_with("../") || path == "." || path == "..") {
        return None;
    }
    let mut steps: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in path.split('/').filter(|step| !matches!(*step, "" | ".")) {
        match (step, steps.last()) {
            ("..", Some(last)) if *last != ".." => drop(steps.pop()),
            _ => steps.push(step),
        }
    }
    Some(steps.join("/"))
}
