//! Calls of functions; `try` and `can`, which see errors.

use std::borrow::Cow;

use bimetal_model::{Diagnostic, Diagnostics, Type, Value};
use bimetal_syntax::{Call, Kind, Node};

use super::provided::PREFIX;
use super::{Evaluator, collect};
use crate::functions;

/// Whether it is something that a name leads to.
fn is_reference(node: &Node) -> bool {
    matches!(node.kind, Kind::Name(_) | Kind::Traversal(_))
}

impl<'a> Evaluator<'a> {
    pub(super) fn call(&self, call: &Call, node: &Node) -> Result<Value, Diagnostics> {
        // Terraform's own functions may be called by their full names.
        let name = call.name.text.strip_prefix("core::").unwrap_or(&call.name.text);
        match (name, &call.arguments[..]) {
            ("try", []) => Err(vec![self.error(node, "`try` takes at least 1 argument, here are 0")]),
            ("try", nodes) => self.try_each(nodes, node),
            ("can", [only]) => Ok(Value::from(self.value(only).is_ok())),
            ("can", nodes) => Err(vec![self.error(node, format!("`can` takes 1 argument, here are {}", nodes.len()))]),
            (name, nodes) => {
                let mut values = collect(nodes.iter().map(|argument| self.value(argument)))?;
                if call.expands && !self.spread(&mut values, nodes)? {
                    return Ok(Value::unknown(Type::Any));
                }
                if name == "templatestring" && !nodes.first().is_some_and(is_reference) {
                    let error = self.error(
                        nodes.first().unwrap_or(node),
                        "a template that is written here needs no `templatestring`",
                    );
                    return Err(vec![
                        error.hint("write its text in its place; `templatestring` is for what a reference leads to"),
                    ]);
                }
                if let Some(name) = name.strip_prefix(PREFIX) {
                    return self.provided(name, values, nodes, node);
                }
                let site = || self.site(node);
                functions::call(name, values, self.scope, &site)
                    .map_err(|error| vec![self.function_error(error, nodes, node)])
            }
        }
    }

    /// `f(list...)`: the items take the list's place. `false` where the list is unknown.
    fn spread(&self, values: &mut Vec<Cow<'a, Value>>, nodes: &[Node]) -> Result<bool, Diagnostics> {
        let (Some(last), Some(node)) = (values.pop(), nodes.last()) else { return Ok(true) };
        match last.as_items() {
            Some(items) => {
                values.extend(items.iter().map(|item| Cow::Owned(item.clone().with_marks(last.marks))));
                Ok(true)
            }
            None if last.is_unknown() => Ok(false),
            None => {
                let error = self.error(node, "only a list can be spread over arguments");
                Err(vec![error.because(format!("this is a {}", last.ty()))])
            }
        }
    }

    /// Where a call is, and for what: another one is another text.
    fn site(&self, node: &Node) -> String {
        let Evaluator { file, home, scope, names } = self;
        let bound = names.all();
        let bound: Vec<_> = bound.iter().map(|name| (name, names.find(name))).collect();
        let each = scope.each.as_ref().map(|(key, _)| key);
        format!("{file}:{:?} {} {each:?} {:?} {bound:?}", node.place, home.path, scope.count_index)
    }

    fn function_error(&self, error: functions::Error, arguments: &[Node], node: &Node) -> Diagnostic {
        let at = error.argument.and_then(|place| arguments.get(place)).unwrap_or(node);
        let diagnostic = self.error(at, error.reason);
        match error.hint {
            Some(hint) => diagnostic.hint(hint),
            None => diagnostic,
        }
    }

    fn try_each(&self, nodes: &[Node], node: &Node) -> Result<Value, Diagnostics> {
        let mut diagnostics = vec![self.error(node, "none of the arguments of `try` has a value")];
        for argument in nodes {
            match self.value(argument) {
                Ok(value) => return Ok(value.into_owned()),
                Err(errors) => diagnostics.extend(errors),
            }
        }
        Err(diagnostics)
    }
}
