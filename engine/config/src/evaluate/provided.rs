//! Calls of functions that providers export.

use std::borrow::Cow;

use bimetal_model::convert::convert;
use bimetal_model::schema::{FunctionSchema, Parameter};
use bimetal_model::{Data, Diagnostic, Diagnostics, Path, ProviderName, Step, Value, ValueMarks};
use bimetal_syntax::{Call, Node};

use super::call::{Argument, closing};
use super::{Evaluator, collect};
use crate::functions::amount;
use crate::suggest::nearest_or_all;

/// What the names of such functions begin with.
pub(super) const PREFIX: &str = "provider::";

impl Evaluator<'_> {
    /// Calls `provider::<name>`.
    pub(super) fn provided(
        &self,
        name: &str,
        arguments: &[Argument<'_>],
        call: &Call,
        node: &Node,
    ) -> Result<Value, Diagnostics> {
        let functions = &self.scope.outside.functions;
        let Some((provider, function)) = name.split_once("::").filter(|(_, function)| !function.contains("::")) else {
            let error = self.error(node, format!("`{PREFIX}{name}` is no function's name"));
            return Err(vec![error.hint("write `provider::NAME::FUNCTION`")]);
        };
        let provider = ProviderName(provider.to_owned());
        let at_call =
            |errors: Diagnostics| errors.into_iter().map(|error| error.at(&self.span(node))).collect::<Diagnostics>();
        let schema = functions.functions(&provider).map_err(at_call)?;
        let Some(schema) = schema.functions.get(function) else {
            let error = self.error(node, format!("provider `{provider}` has no function `{function}`"));
            let known: Vec<_> = schema.functions.keys().map(String::as_str).collect();
            return Err(vec![error.hint(nearest_or_all(function, known, "function of it"))]);
        };
        let (least, most) = bounds(schema);
        if arguments.len() < least || arguments.len() > most {
            let wanted = amount(least, most);
            let place = arguments.get(most).map_or(closing(call), |surplus| self.place_of(surplus));
            let reason = format!("`{PREFIX}{name}` takes {wanted}, here are {}", arguments.len());
            return Err(vec![self.error_at(place, reason).hint(signature(name, schema))]);
        }
        let values = collect(arguments.iter().map(|argument| self.argument(argument)))?;
        let marks = values.iter().fold(ValueMarks::NONE, |marks, value| marks | value.all_marks());
        // What is wrong may quote what must not be shown.
        let shown = |error: Diagnostic| match marks == ValueMarks::NONE {
            true => error,
            false => {
                let reason = format!("`{PREFIX}{name}` can't do this with what it was given, which is sensitive");
                Diagnostic { span: error.span, ..Diagnostic::error(reason) }
            }
        };
        let at = |place: usize| {
            let argument = arguments.get(place).or(arguments.last());
            argument.map_or(node.place, |argument| self.place_of(argument))
        };
        let argument = |(place, value): (usize, Cow<'_, Value>)| {
            let parameter = schema.parameters.get(place).or(schema.variadic.as_ref());
            let value = value.into_owned().without_marks();
            let fitted = parameter.map_or(Ok(value.clone()), |parameter| fitted(value, parameter));
            fitted.map_err(|reason| vec![shown(self.error_at(at(place), reason))])
        };
        let values = collect(values.into_iter().enumerate().map(argument))?;
        if !values.iter().all(Value::is_wholly_known) {
            return Ok(Value::unknown(schema.returns.clone()).with_marks(marks));
        }
        let answer = functions.call(&provider, function, &named(schema, values));
        answer.map(|value| value.with_marks(marks)).map_err(|errors| {
            let placed = |error: Diagnostic| {
                let blamed = blamed(&error.path, schema).filter(|place| *place < arguments.len());
                let error = Diagnostic { path: Path::root(), ..error };
                shown(error.at(&self.file.span(blamed.map_or(node.place, at))))
            };
            // One that says nothing is enough.
            let most = if marks == ValueMarks::NONE { errors.len() } else { 1 };
            errors.into_iter().take(most).map(placed).collect()
        })
    }
}

/// How many arguments there must and may be.
fn bounds(schema: &FunctionSchema) -> (usize, usize) {
    let required = schema.parameters.iter().rposition(|parameter| !parameter.optional).map_or(0, |last| last + 1);
    (required, if schema.variadic.is_some() { usize::MAX } else { schema.parameters.len() })
}

/// `provider::docker::parse_image(image string)`
fn signature(name: &str, schema: &FunctionSchema) -> String {
    let parameter = |parameter: &Parameter| {
        let may = if parameter.optional { "optional " } else { "" };
        format!("{} {may}{}", parameter.name, parameter.ty)
    };
    let named = schema.parameters.iter().map(parameter);
    let variadic = schema.variadic.iter().map(|variadic| format!("{}...", parameter(variadic)));
    format!("write `{PREFIX}{name}({})`", named.chain(variadic).collect::<Vec<_>>().join(", "))
}

/// An argument of its parameter's type. Otherwise: what is wrong with it.
fn fitted(value: Value, parameter: &Parameter) -> Result<Value, String> {
    if value.is_null() && !parameter.optional {
        return Err(format!("`{}` can't be `null`", parameter.name));
    }
    convert(value, &parameter.ty)
        .map_err(|mismatch| format!("this does not fit `{}`: {}", parameter.name, mismatch.reason))
}

/// What the provider is given: the arguments by their parameters' names.
fn named(schema: &FunctionSchema, values: Vec<Value>) -> Value {
    let mut values = values.into_iter();
    let parameters = schema.parameters.iter();
    let mut members: Vec<_> =
        parameters.map(|parameter| (&*parameter.name, values.next().unwrap_or(Value::NULL))).collect();
    if let Some(variadic) = &schema.variadic {
        members.push((&variadic.name, Data::Tuple(values.collect()).into()));
    }
    members.into_iter().collect()
}

/// Which argument a diagnostic's path leads to.
fn blamed(path: &Path, schema: &FunctionSchema) -> Option<usize> {
    let Some(Step::Attribute(name)) = path.0.first() else { return None };
    match schema.parameters.iter().position(|parameter| parameter.name == *name) {
        Some(place) => Some(place),
        None if schema.variadic.as_ref().is_some_and(|variadic| variadic.name == *name) => match path.0.get(1) {
            Some(Step::Index(index)) => Some(schema.parameters.len() + *index as usize),
            _ => Some(schema.parameters.len()),
        },
        None => None,
    }
}
