//! Calls of functions; `try` and `can`, which see errors.

use std::borrow::Cow;

use bimetal_model::{Data, Diagnostic, Diagnostics, Type, Value};
use bimetal_syntax::{Call, Kind, Node, Place};

use super::Evaluator;
use super::provided::PREFIX;
use crate::functions::{self, Function};

/// An argument of a call.
#[derive(Clone)]
pub(super) enum Argument<'n> {
    /// As it was written.
    Written(&'n Node),
    /// An item of the list that was written last: `f(list...)`.
    Item(Value, &'n Node),
}

impl<'a> Evaluator<'a> {
    pub(super) fn call(&self, call: &Call, node: &Node) -> Result<Value, Diagnostics> {
        // Terraform's own functions may be called by their full names.
        let name = call.name.text.strip_prefix("core::").unwrap_or(&call.name.text);
        if let Some(reason) = self.names.refuses(name) {
            return Err(vec![self.error(node, reason)]);
        }
        if let Some(name) = name.strip_prefix(PREFIX) {
            let Some(arguments) = self.arguments(call)? else { return Ok(Value::unknown(Type::Any)) };
            return self.provided(name, &arguments, call, node);
        }
        if !matches!(name, "try" | "can") {
            return self.builtin(name, call, node);
        }
        let Some(arguments) = self.arguments(call)? else { return Ok(Value::unknown(Type::Any)) };
        match (name, &arguments[..]) {
            ("try", []) => Err(vec![self.error(node, "`try` takes at least 1 argument, here are 0")]),
            ("try", arguments) => self.try_each(arguments, node),
            (_, [only]) => Ok(match self.argument(only) {
                Ok(value) if !value.is_wholly_known() => Value::unknown(Type::Bool).not_null(),
                result => Value::from(result.is_ok()),
            }),
            (_, arguments) => {
                let place = arguments.get(1).map_or(closing(call), |second| self.place_of(second));
                let error = self.error_at(place, format!("`can` takes 1 argument, here are {}", arguments.len()));
                Err(vec![error])
            }
        }
    }

    fn builtin(&self, name: &str, call: &Call, node: &Node) -> Result<Value, Diagnostics> {
        let function = functions::find(name).map_err(|error| vec![said(error, self.error_at(call.name.place, ""))])?;
        let Some(arguments) = self.arguments(call)? else { return Ok(Value::unknown(Type::Any)) };
        if let Err(error) = function.count(arguments.len()) {
            let surplus = error.argument.and_then(|place| arguments.get(place));
            let place = surplus.map_or(closing(call), |argument| self.place_of(argument));
            return Err(vec![said(error, self.error_at(place, ""))]);
        }
        if name == "templatestring" {
            self.check_template(&arguments)?;
        }
        let values = self.fitted(function, &arguments)?;
        let site = || self.site(node);
        function.call(values, self.scope, &site).map_err(|error| {
            let blamed = error.argument.and_then(|place| arguments.get(place));
            vec![said(error, self.error_at(blamed.map_or(node.place, |argument| self.place_of(argument)), ""))]
        })
    }

    /// The arguments, the items of the last one in its place where it is spread. Absent where these are unknown.
    fn arguments<'n>(&self, call: &'n Call) -> Result<Option<Vec<Argument<'n>>>, Diagnostics> {
        let mut arguments: Vec<Argument<'n>> = call.arguments.iter().map(Argument::Written).collect();
        let Some(last) = call.arguments.last().filter(|_| call.expands) else { return Ok(Some(arguments)) };
        arguments.pop();
        let list = self.value(last)?;
        match (&list.data, list.as_items()) {
            (Data::Set(_), _) if list.has_open_length() => Ok(None),
            (_, Some(items)) => {
                let item = |item: &Value| Argument::Item(item.clone().with_marks(list.marks), last);
                arguments.extend(items.iter().map(item));
                Ok(Some(arguments))
            }
            (Data::Unknown(Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_), _), _) => Ok(None),
            (Data::Null(_), _) => Err(vec![self.error(last, "`null` can't be spread over arguments")]),
            _ => {
                let error = self.error(last, "only a list can be spread over arguments");
                Err(vec![error.because(format!("this is a {}", list.ty()))])
            }
        }
    }

    pub(super) fn argument(&self, argument: &Argument<'_>) -> Result<Cow<'a, Value>, Diagnostics> {
        match argument {
            Argument::Written(node) => self.value(node),
            Argument::Item(value, _) => Ok(Cow::Owned(value.clone())),
        }
    }

    /// Where what is wrong with an argument is.
    pub(super) fn place_of(&self, argument: &Argument<'_>) -> Place {
        match argument {
            Argument::Written(node) => self.start_of(node),
            Argument::Item(_, list) => list.place,
        }
    }

    /// The arguments of the types that the function takes; all that are wrong are said.
    fn fitted(&self, function: &Function, arguments: &[Argument<'_>]) -> Result<Vec<Cow<'a, Value>>, Diagnostics> {
        super::collect(arguments.iter().enumerate().map(|(place, argument)| {
            let fitted = function.fit(place, self.argument(argument)?);
            fitted.map_err(|error| vec![said(error, self.error_at(self.place_of(argument), ""))])
        }))
    }

    /// A template that is written where it is used is no template for `templatestring`.
    fn check_template(&self, arguments: &[Argument<'_>]) -> Result<(), Diagnostics> {
        match arguments.first() {
            Some(Argument::Written(node)) if !is_reference(node) => {
                let error =
                    self.error_at(self.start_of(node), "a template that is written here needs no `templatestring`");
                let hint = "write its text in its place; `templatestring` is for what a reference leads to";
                Err(vec![error.hint(hint)])
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Where a call is, and for what: another one is another text.
    fn site(&self, node: &Node) -> String {
        let Evaluator { file, home, scope, names } = self;
        let bound = names.all();
        let bound: Vec<_> = bound.iter().map(|name| (name, names.find(name))).collect();
        let each = scope.each.as_ref().map(|(key, _)| key);
        format!("{}:{:?} {} {each:?} {:?} {bound:?}", file.name, node.place, home.path, scope.count_index)
    }

    /// What is only partly known may still turn out to be wrong, and another argument's value come in its place.
    fn try_each(&self, arguments: &[Argument<'_>], node: &Node) -> Result<Value, Diagnostics> {
        let mut diagnostics = vec![self.error(node, "none of the arguments of `try` has a value")];
        for argument in arguments {
            match self.argument(argument) {
                Ok(value) if !value.is_wholly_known() => {
                    return Ok(Value::unknown(Type::Any).with_marks(value.all_marks()));
                }
                Ok(value) => return Ok(value.into_owned()),
                Err(errors) => diagnostics.extend(errors),
            }
        }
        Err(diagnostics)
    }
}

/// Whether it is something that a name leads to.
fn is_reference(node: &Node) -> bool {
    match &node.kind {
        Kind::Name(_) => true,
        Kind::Traversal(traversal) => matches!(traversal.root.kind, Kind::Name(_)),
        _ => false,
    }
}

/// The closing parenthesis.
pub(super) fn closing(call: &Call) -> Place {
    Place { start: call.parentheses.end.saturating_sub(1), end: call.parentheses.end }
}

/// What a function says, at the place of this.
fn said(error: functions::Error, at: Diagnostic) -> Diagnostic {
    Diagnostic { summary: error.reason, hint: error.hint, ..at }
}
