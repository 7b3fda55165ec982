//! Arguments that are read before anything is evaluated, and what may not stand somewhere.

use bimetal_model::Diagnostic;
use bimetal_syntax::Kind;

use super::Parser;
use crate::expression::Expression;
use crate::module::*;
use crate::suggest::nearest_or_all;

impl Parser<'_> {
    pub(super) fn text(&mut self, body: &Body, name: &str) -> Option<String> {
        let expression = body.attributes.get(name)?.expression.clone();
        self.literal(&expression)
    }

    /// The text of a plain string; anything else is an error.
    pub(super) fn literal(&mut self, expression: &Expression) -> Option<String> {
        match &expression.node.kind {
            Kind::Text(text) => Some(text.to_string()),
            _ => {
                let error = Diagnostic::error("a plain string is wanted here").at(expression.span());
                self.diagnostics
                    .push(error.hint("it is read before anything is evaluated: no references, no functions"));
                None
            }
        }
    }

    pub(super) fn flag(&mut self, body: &Body, name: &str) -> Option<bool> {
        let expression = &body.attributes.get(name)?.expression;
        match &expression.node.kind {
            Kind::Bool(value) => Some(*value),
            _ => {
                self.diagnostics
                    .push(Diagnostic::error(format!("`{name}` is `true` or `false`")).at(expression.span()));
                None
            }
        }
    }

    pub(super) fn unsupported(&mut self, body: &Body, known: &[&'static str]) {
        for (name, attribute) in &body.attributes {
            if !known.contains(&name.as_str()) {
                let hint = nearest_or_all(name, known.to_vec(), "argument");
                self.diagnostics.push(
                    Diagnostic::error(format!("no argument is called `{name}` here"))
                        .at(&attribute.name_span)
                        .hint(hint),
                );
            }
        }
    }

    pub(super) fn no_blocks(&mut self, body: &Body, word: &str) {
        for block in &body.blocks {
            self.diagnostics
                .push(Diagnostic::error(format!("`{}` does not belong into `{word}`", block.name)).at(&block.span));
        }
    }
}
