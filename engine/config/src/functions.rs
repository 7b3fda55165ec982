//! Functions: one table from name to what it does, one file a family.

mod chance;
mod charset;
mod collection;
mod date;
mod encoding;
mod file;
mod fileset;
mod format;
mod network;
mod number;
mod pattern;
mod re2;
mod text;
mod time;
mod types;
mod yaml;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use bimetal_model::convert::convert;
use bimetal_model::{Data, Number, Type, Value, ValueMarks};

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

impl Error {
    /// The reason may quote what must not be shown.
    fn redacted(self, name: &str) -> Self {
        let reason = format!("`{name}` can't do this with what it was given, which is sensitive");
        Error { reason, hint: None, ..self }
    }
}

pub(crate) type Result<T = Value> = std::result::Result<T, Error>;

/// One function.
pub(crate) struct Function {
    name: &'static str,
    least: usize,
    most: usize,
    /// Whether it looks into its arguments, or only moves their parts around: then unknown and sensitive parts stay where they are.
    looks_inside: bool,
    /// What it gives where an argument is unknown.
    gives: Type,
    run: fn(Arguments<'_>) -> Result,
}

const MANY: usize = usize::MAX;

/// A function that looks at every part of its arguments.
const fn deep(
    name: &'static str,
    least: usize,
    most: usize,
    gives: Type,
    run: fn(Arguments<'_>) -> Result,
) -> Function {
    Function { name, least, most, looks_inside: true, gives, run }
}

/// A function that moves parts around.
const fn shallow(
    name: &'static str,
    least: usize,
    most: usize,
    gives: Type,
    run: fn(Arguments<'_>) -> Result,
) -> Function {
    Function { name, least, most, looks_inside: false, gives, run }
}

const FAMILIES: [fn() -> Vec<Function>; 12] = [
    chance::functions,
    charset::functions,
    number::functions,
    text::functions,
    pattern::functions,
    collection::functions,
    encoding::functions,
    network::functions,
    time::functions,
    file::functions,
    types::functions,
    yaml::functions,
];

/// All functions by name.
static TABLE: LazyLock<BTreeMap<&'static str, Function>> = LazyLock::new(|| {
    let functions = FAMILIES.iter().flat_map(|family| family());
    functions.map(|function| (function.name, function)).collect()
});

/// What can be called.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    TABLE.keys().copied().chain(["try", "can"])
}

/// Calls a function by its name.
pub(crate) fn call(name: &str, values: Vec<Cow<'_, Value>>, scope: &Scope, site: &dyn Fn() -> String) -> Result {
    let Some(function) = TABLE.get(name) else {
        let hint = nearest(name, function_names());
        return Err(Error { argument: None, reason: format!("no function is called `{name}`"), hint });
    };
    if values.len() < function.least || values.len() > function.most {
        return Err(Error::new(format!(
            "`{name}` takes {}, here are {}",
            amount(function.least, function.most),
            values.len()
        )));
    }
    if types::SEES_MARKS.contains(&name) {
        return (function.run)(Arguments { values, scope, site });
    }
    let marks_of = |value: &Cow<'_, Value>| if function.looks_inside { value.all_marks() } else { value.marks };
    let marks = values.iter().fold(ValueMarks::NONE, |marks, value| marks | marks_of(value));
    let unknown =
        |value: &Cow<'_, Value>| if function.looks_inside { !value.is_wholly_known() } else { value.is_unknown() };
    if values.iter().any(unknown) {
        return Ok(Value::unknown(function.gives.clone()).with_marks(marks));
    }
    let unmarked = |value: Cow<'_, Value>| Cow::Owned(value.into_owned().without_marks());
    let is_marked = marks != ValueMarks::NONE;
    let values = if function.looks_inside && is_marked { values.into_iter().map(unmarked).collect() } else { values };
    let result = (function.run)(Arguments { values, scope, site });
    let redacted = |error: Error| if is_marked { error.redacted(name) } else { error };
    result.map(|value| value.with_marks(marks)).map_err(redacted)
}

/// So many arguments.
pub(crate) fn amount(least: usize, most: usize) -> String {
    let plural = |count: usize| format!("{count} argument{}", if count == 1 { "" } else { "s" });
    match (least, most) {
        (least, most) if least == most => plural(least),
        (least, MANY) => format!("at least {}", plural(least)),
        (least, most) => format!("{least} to {}", plural(most)),
    }
}

/// What a function was given; as many as its table says.
pub(crate) struct Arguments<'a> {
    pub(crate) values: Vec<Cow<'a, Value>>,
    pub(crate) scope: &'a Scope,
    /// Where the call is, and for which instance.
    pub(crate) site: &'a dyn Fn() -> String,
}

static NULL: Value = Value::NULL;

impl Arguments<'_> {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn value(&self, place: usize) -> &Value {
        self.values.get(place).map_or(&NULL, |value| value)
    }

    /// The value as the type, `null` refused.
    pub(crate) fn converted(&self, place: usize, ty: &Type) -> Result {
        let value = self.value(place);
        if value.is_null() {
            return Err(Error::argument(place, "this can't be `null`"));
        }
        convert(value.clone(), ty)
            .map_err(|mismatch| Error::argument(place, format!("this does not fit: {}", mismatch.reason)))
    }

    pub(crate) fn text(&self, place: usize) -> Result<String> {
        match self.value(place).as_str() {
            Some(text) => Ok(text.to_owned()),
            None => Ok(self.converted(place, &Type::String)?.as_str().unwrap_or_default().to_owned()),
        }
    }

    pub(crate) fn number(&self, place: usize) -> Result<Number> {
        let value = self.converted(place, &Type::Number)?;
        value.as_number().cloned().ok_or_else(|| Error::argument(place, "a number is wanted here"))
    }

    pub(crate) fn whole(&self, place: usize) -> Result<i64> {
        let number = self.number(place)?;
        number.to_i64().ok_or_else(|| Error::argument(place, format!("a whole number is wanted here, not {number}")))
    }

    /// The items of a list, set or tuple.
    pub(crate) fn items(&self, place: usize) -> Result<&[Value]> {
        let value = self.value(place);
        match (value.as_items(), value.is_null()) {
            (Some(items), _) => Ok(items),
            (None, true) => Err(Error::argument(place, "this can't be `null`")),
            (None, false) => Err(Error::argument(place, format!("a list is wanted here, not a {}", kind(value)))),
        }
    }

    /// The items of a list or tuple; a set has no order.
    pub(crate) fn ordered(&self, place: usize) -> Result<&[Value]> {
        match self.value(place).data {
            Data::Set(_) => Err(Error {
                argument: Some(place),
                reason: "a set has no order".to_owned(),
                hint: Some("`tolist(…)` makes a list of it".to_owned()),
            }),
            _ => self.items(place),
        }
    }

    pub(crate) fn members(&self, place: usize) -> Result<&BTreeMap<String, Value>> {
        let value = self.value(place);
        match (value.as_members(), value.is_null()) {
            (Some(members), _) => Ok(members),
            (None, true) => Err(Error::argument(place, "this can't be `null`")),
            (None, false) => Err(Error::argument(place, format!("a map is wanted here, not a {}", kind(value)))),
        }
    }

    /// The items of a list as text.
    pub(crate) fn texts(&self, place: usize) -> Result<Vec<String>> {
        let list = self.converted(place, &Type::list(Type::String))?;
        let text = |item: &Value| match item.as_str() {
            Some(text) => Ok(text.to_owned()),
            None => Err(Error::argument(place, "an item can't be `null`")),
        };
        list.as_items().unwrap_or_default().iter().map(text).collect()
    }
}

/// A type in a word or two.
pub(crate) fn kind(value: &Value) -> String {
    match value.data {
        Data::Tuple(_) => "tuple".to_owned(),
        Data::Object(_) => "object".to_owned(),
        Data::Null(_) => "null".to_owned(),
        _ => value.ty().to_string(),
    }
}

/// `list(string)`
pub(crate) fn texts() -> Type {
    Type::list(Type::String)
}
