//! Where variables get their values, and whether these are right.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bimetal_model::convert::convert;
use bimetal_model::{Diagnostic, Diagnostics, Severity, Span, Type, Value};

use bimetal_syntax::{Item, Lines};

use crate::condition::unmet;
use crate::evaluate::{Outside, Scope, literal};
use crate::expression::Expression;
use crate::module::{Condition, Module, SourceFile, Variable};
use crate::shape::parse_values;
use crate::suggest::nearest_or_all;

/// Values from outside, the weakest first.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// Of `BIMETAL_VAR_name`. One that nobody declared is no error.
    pub environment: Vec<(String, String)>,
    /// Variable files; a later one wins.
    pub files: Vec<SourceFile>,
    /// Of the command line; a later one wins.
    pub arguments: Vec<Argument>,
    /// Values that are final already, as those of a saved plan.
    pub values: BTreeMap<String, Value>,
    /// When the plan was made, or is: in milliseconds since 1970.
    pub planned_ms: Option<u64>,
    /// Where those of them are written that are written somewhere.
    pub places: BTreeMap<String, Span>,
    /// One without a value is unknown, and no error: nothing is to be done with it.
    pub open: bool,
}

impl Given {
    /// All text that values come from, as files: diagnostics point there.
    pub fn texts(&self) -> Vec<SourceFile> {
        let of_pair = |(name, text): &(String, String)| text_file(name, text);
        let of_argument = |argument: &Argument| match argument {
            Argument::Value { name, text } => text_file(name, text),
            Argument::File(file) => file.clone(),
        };
        // The strongest first: names may come twice.
        let arguments = self.arguments.iter().rev().map(of_argument);
        arguments.chain(self.files.iter().cloned()).chain(self.environment.iter().map(of_pair)).collect()
    }
}

/// What the command line says about variables.
#[derive(Clone, Debug)]
pub enum Argument {
    /// `--var name=text`
    Value {
        /// Of the variable.
        name: String,
        /// As it was written.
        text: String,
    },
    /// `--var-file`
    File(SourceFile),
}

/// A value as it was given, and where.
struct Raw {
    value: Value,
    span: Option<Span>,
}

/// The values of all variables. One without a value is an error, and then unknown.
pub fn values(module: &Module, given: Given, outside: &Outside) -> (BTreeMap<String, Value>, Diagnostics) {
    let mut diagnostics = Vec::new();
    let scope = Scope::new(outside.clone());
    let mut raw: BTreeMap<String, Raw> = BTreeMap::new();
    for (name, text) in &given.environment {
        if let Some(variable) = module.variables.get(name) {
            put_text(name, text, variable, &scope, &mut raw, &mut diagnostics);
        }
    }
    for file in &given.files {
        put_file(file, module, &scope, &mut raw, &mut diagnostics);
    }
    for argument in &given.arguments {
        match argument {
            Argument::File(file) => put_file(file, module, &scope, &mut raw, &mut diagnostics),
            Argument::Value { name, text } => match module.variables.get(name) {
                Some(variable) => put_text(name, text, variable, &scope, &mut raw, &mut diagnostics),
                None => diagnostics.push(undeclared(module, name).because("`--var` gives it a value")),
            },
        }
    }
    let mut places = given.places;
    raw.extend(given.values.into_iter().map(|(name, value)| {
        let span = places.remove(&name);
        (name, Raw { value, span })
    }));
    let mut values = BTreeMap::new();
    for (name, variable) in &module.variables {
        let (value, span) = raw.remove(name).map_or((None, None), |raw| (Some(raw.value), raw.span));
        let span = span.as_ref().unwrap_or(&variable.span);
        if given.open && value.is_none() && variable.default.is_none() {
            values.insert(name.clone(), Value::unknown(variable.ty.clone()).with_marks(variable.marks()));
            continue;
        }
        let value = checked(name, variable, value, span, &mut diagnostics);
        values.insert(name.clone(), value);
    }
    let scope = Scope { variables: Arc::new(values.clone()), ..scope };
    for (name, variable) in &module.variables {
        let own = variable.validations.iter().filter(|condition| condition.is_of_variables());
        diagnostics.extend(unmet(own, &not_allowed(name), &scope));
    }
    (values, diagnostics)
}

fn undeclared(module: &Module, name: &str) -> Diagnostic {
    let hint = nearest_or_all(name, module.variables.keys().map(String::as_str), "variable");
    Diagnostic::error(format!("no variable `{name}` is declared")).hint(hint)
}

/// What is written on the command line or in the environment, as a file.
fn text_file(name: &str, text: &str) -> SourceFile {
    SourceFile { name: Arc::from(format!("<value of var.{name}>")), text: Arc::from(text) }
}

/// Text is taken as it is where the variable says so; elsewhere it is an expression.
fn put_text(
    name: &str,
    text: &str,
    variable: &Variable,
    scope: &Scope,
    raw: &mut BTreeMap<String, Raw>,
    diagnostics: &mut Diagnostics,
) {
    let value = match variable.takes_text {
        true => Ok(Value::from(text)),
        false => written(&text_file(name, text)).and_then(|expression| literal(&expression, scope)),
    };
    let value = value.unwrap_or_else(|errors| {
        diagnostics.extend(errors);
        Value::unknown(variable.ty.clone())
    });
    raw.insert(name.to_owned(), Raw { value, span: None });
}

/// An expression that nothing follows, on however many lines.
fn written(file: &SourceFile) -> Result<Expression, Diagnostics> {
    Ok(Expression::new(file, bimetal_syntax::parse_expression(file, Lines::DontCount)?))
}

/// A file of variables. Those that nobody declared are warned of: files may be shared.
fn put_file(
    file: &SourceFile,
    module: &Module,
    scope: &Scope,
    raw: &mut BTreeMap<String, Raw>,
    diagnostics: &mut Diagnostics,
) {
    let (body, errors) = parse_values(file);
    diagnostics.extend(errors);
    let mut seen = BTreeSet::new();
    for item in body.items {
        let attribute = match item {
            Item::Attribute(attribute) => attribute,
            Item::Block(block) => {
                let error = Diagnostic::error("a file of variables holds no blocks").at(&file.span(block.header()));
                diagnostics.push(error.hint(format!("write `{} = …`", block.word.text)));
                continue;
            }
        };
        let (name, name_span) = (attribute.name.text.to_string(), file.span(attribute.name.place));
        if !seen.insert(name.clone()) {
            let error = Diagnostic::error(format!("`{name}` is set twice")).at(&name_span);
            diagnostics.push(error.hint("remove one of them"));
        }
        if !module.variables.contains_key(&name) {
            let error = undeclared(module, &name).at(&name_span);
            diagnostics.push(Diagnostic { severity: Severity::Warning, ..error });
            continue;
        }
        let expression = Expression::new(file, attribute.value);
        let span = Some(expression.span().clone());
        let value = literal(&expression, scope).unwrap_or_else(|errors| {
            diagnostics.extend(errors);
            Value::unknown(Type::Any)
        });
        raw.insert(name, Raw { value, span });
    }
}

/// A variable's value, of its type: what was given there, or the default.
pub(crate) fn checked(
    name: &str,
    variable: &Variable,
    raw: Option<Value>,
    given_at: &Span,
    diagnostics: &mut Diagnostics,
) -> Value {
    let raw = raw.filter(|value| !value.is_null() || variable.nullable || variable.default.is_none());
    let value = match (raw, &variable.default) {
        (Some(value), _) => value,
        (None, Some(default)) => return default.clone().with_marks(variable.marks()),
        (None, None) => {
            let error = Diagnostic::error(format!("the variable `{name}` has no value")).at(&variable.span);
            let described = variable.description.as_ref().map_or(String::new(), |text| format!(" ({text})"));
            diagnostics.push(error.hint(format!(
                "give it one{described}: `--var {name}=…`, `BIMETAL_VAR_{name}`, `bimetal.bmvars.hcl` or a `default`"
            )));
            Value::unknown(variable.ty.clone())
        }
    };
    if value.is_null() && !variable.nullable {
        diagnostics.push(Diagnostic::error(format!("the variable `{name}` can't be `null`")).at(&variable.span));
    }
    if value.has_ephemeral() && !variable.ephemeral {
        let error = Diagnostic::error(format!("the variable `{name}` is given something ephemeral")).at(given_at);
        diagnostics.push(error.hint("write `ephemeral = true` in the variable, or `ephemeralasnull(…)` here"));
    }
    let value = fitted(name, variable, value).unwrap_or_else(|error| {
        diagnostics.push(error.at(given_at));
        Value::unknown(variable.ty.clone())
    });
    value.with_marks(variable.marks())
}

/// A value with the variable's defaults, of its type.
pub(crate) fn fitted(name: &str, variable: &Variable, value: Value) -> Result<Value, Diagnostic> {
    convert(variable.defaults.fill(value), &variable.ty).map_err(|mismatch| {
        let place = if mismatch.path.0.is_empty() { String::new() } else { format!(" (at `{}`)", mismatch.path) };
        let error = Diagnostic::error(format!("the value of `{name}` does not fit its type{place}"));
        error.because(format!("{}; the type is {}", mismatch.reason, variable.ty))
    })
}

/// Says which of its conditions a variable's value does not meet.
pub(crate) fn validate(name: &str, variable: &Variable, scope: &Scope, diagnostics: &mut Diagnostics) {
    diagnostics.extend(unmet(&variable.validations, &not_allowed(name), scope));
}

fn not_allowed(name: &str) -> String {
    format!("the value of `{name}` is not allowed")
}

/// What is said of the root's variables by conditions that look at more than variables, where the scope has what they look at.
pub fn unmet_of(name: &str, condition: &Condition, scope: &Scope) -> Diagnostics {
    unmet([condition], &not_allowed(name), scope)
}
