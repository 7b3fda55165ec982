//! Functions: one table from name to what it does, one file a family.

mod collection;
mod encoding;
mod file;
mod network;
mod number;
mod text;
mod types;

use bimetal_model::convert::convert;
use bimetal_model::{Number, Type, Value};

use crate::evaluate::Scope;
use crate::suggest::nearest;

/// Why a call has no value.
pub(crate) struct Error {
    /// Which argument is to blame.
    pub(crate) argument: Option<usize>,
    pub(crate) reason: String,
    pub(crate) hint: Option<String>,
}

impl Error {
    pub(crate) fn new(reason: impl Into<String>) -> Self {
        Error { argument: None, reason: reason.into(), hint: None }
    }

    pub(crate) fn argument(place: usize, reason: impl Into<String>) -> Self {
        Error { argument: Some(place), reason: reason.into(), hint: None }
    }
}

pub(crate) type Result<T = Value> = std::result::Result<T, Error>;

/// One function.
pub(crate) struct Function {
    name: &'static str,
    least: usize,
    most: usize,
    /// Whether it looks into its arguments, or only moves them around: then unknown and sensitive parts stay where they are.
    looks_inside: bool,
    run: fn(Arguments<'_>) -> Result,
}

const MANY: usize = usize::MAX;

/// A function that looks at every part of its arguments.
const fn deep(name: &'static str, least: usize, most: usize, run: fn(Arguments<'_>) -> Result) -> Function {
    Function { name, least, most, looks_inside: true, run }
}

/// A function that moves parts around.
const fn shallow(name: &'static str, least: usize, most: usize, run: fn(Arguments<'_>) -> Result) -> Function {
    Function { name, least, most, looks_inside: false, run }
}

const FAMILIES: [&[Function]; 7] = [
    number::FUNCTIONS,
    text::FUNCTIONS,
    collection::FUNCTIONS,
    encoding::FUNCTIONS,
    network::FUNCTIONS,
    file::FUNCTIONS,
    types::FUNCTIONS,
];

fn all() -> impl Iterator<Item = &'static Function> + Clone {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// Calls a function by its name.
pub(crate) fn call(name: &str, values: Vec<Value>, scope: &Scope) -> Result {
    let Some(function) = all().find(|function| function.name == name) else {
        let hint = nearest(name, all().map(|function| function.name));
        return Err(Error { argument: None, reason: format!("no function is called `{name}`"), hint });
    };
    if values.len() < function.least || values.len() > function.most {
        return Err(Error::new(format!("`{name}` takes {}, here are {}", amount(function), values.len())));
    }
    if name == "sensitive" || name == "nonsensitive" || name == "issensitive" {
        return (function.run)(Arguments { values, scope });
    }
    let sensitive =
        values.iter().any(|value| if function.looks_inside { value.has_sensitive() } else { value.sensitive });
    let unknown = |value: &Value| if function.looks_inside { !value.is_wholly_known() } else { value.is_unknown() };
    if values.iter().any(unknown) {
        return Ok(Value::unknown(Type::Any).with_sensitivity(sensitive));
    }
    (function.run)(Arguments { values, scope }).map(|value| value.with_sensitivity(sensitive))
}

fn amount(function: &Function) -> String {
    let plural = |count: usize| format!("{count} argument{}", if count == 1 { "" } else { "s" });
    match (function.least, function.most) {
        (least, most) if least == most => plural(least),
        (least, MANY) => format!("at least {}", plural(least)),
        (least, most) => format!("{least} to {}", plural(most)),
    }
}

/// What a function was given; as many as its table says.
pub(crate) struct Arguments<'a> {
    pub(crate) values: Vec<Value>,
    pub(crate) scope: &'a Scope,
}

impl Arguments<'_> {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn value(&self, place: usize) -> Value {
        self.values.get(place).cloned().unwrap_or(Value::NULL)
    }

    fn converted(&self, place: usize, ty: &Type) -> Result {
        let value = self.value(place);
        if value.is_null() {
            return Err(Error::argument(place, "this can't be `null`"));
        }
        convert(value, ty).map_err(|mismatch| Error::argument(place, format!("this does not fit: {}", mismatch.reason)))
    }

    pub(crate) fn text(&self, place: usize) -> Result<String> {
        Ok(self.converted(place, &Type::String)?.as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn number(&self, place: usize) -> Result<Number> {
        let value = self.converted(place, &Type::Number)?;
        value.as_number().cloned().ok_or_else(|| Error::argument(place, "a number is wanted here"))
    }

    pub(crate) fn whole(&self, place: usize) -> Result<i64> {
        let number = self.number(place)?;
        number.to_i64().ok_or_else(|| Error::argument(place, format!("a whole number is wanted here, not {number}")))
    }

    pub(crate) fn items(&self, place: usize) -> Result<Vec<Value>> {
        let value = self.value(place);
        match value.as_items() {
            Some(items) => Ok(items.to_vec()),
            None => Err(Error::argument(place, format!("a list is wanted here, not {}", value.ty()))),
        }
    }

    pub(crate) fn members(&self, place: usize) -> Result<std::collections::BTreeMap<String, Value>> {
        let value = self.value(place);
        match value.as_members() {
            Some(members) => Ok(members.clone()),
            None => Err(Error::argument(place, format!("a map is wanted here, not {}", value.ty()))),
        }
    }

    /// The items of a list as text.
    pub(crate) fn texts(&self, place: usize) -> Result<Vec<String>> {
        let list = self.converted(place, &Type::list(Type::String))?;
        let items = list.as_items().unwrap_or_default();
        items
            .iter()
            .map(|item| {
                item.as_str().map(str::to_owned).ok_or_else(|| Error::argument(place, "an item can't be `null`"))
            })
            .collect()
    }
}
