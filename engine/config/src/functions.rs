//! Functions: one table from name to what each takes and does, one file a family.

mod arguments;
mod chance;
mod charset;
mod date;
mod deflate;
mod double;
mod encoding;
mod file;
mod fileset;
mod fold;
mod foretold;
mod format;
mod list;
mod map;
mod moment;
mod network;
mod number;
mod path;
mod pattern;
mod re2;
mod sets;
mod signature;
mod template;
mod text;
mod time;
mod types;
mod yaml;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use bimetal_model::{Data, Type, Value, ValueMarks};

use crate::evaluate::Scope;
use crate::suggest::nearest;
use arguments::Arguments;
use foretold::Foretold;
use signature::{Parameter, any, list_of, map_of, number, set_of, text};

/// Why a call has no value.
pub(crate) struct Error {
    /// Which argument is to blame; otherwise it is the call.
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

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Error { hint: Some(hint.into()), ..self }
    }

    /// The same, with an argument to blame.
    pub(crate) fn of(self, place: usize) -> Self {
        Error { argument: Some(place), ..self }
    }

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
    parameters: Vec<Parameter>,
    /// What all further arguments are.
    rest: Option<Parameter>,
    sees: Sees,
    /// Whether it deals with what is unknown. Otherwise it is not called, and its result is unknown, too.
    takes_unknown: bool,
    /// What it gives where an argument is unknown.
    gives: Type,
    /// Whether that may turn out to be `null`.
    may_be_null: bool,
    /// What more is known of it then.
    foretells: fn(&Arguments<'_>) -> Foretold,
    run: fn(Arguments<'_>) -> Result,
}

/// What of its arguments a function looks at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sees {
    /// All: where anything in them is unknown or marked, the result is.
    Parts,
    /// Each as a whole: it moves parts around, and their marks go with them.
    Wholes,
    /// Marks, too: they are left to it.
    Marks,
}

/// A function that looks at every part of its arguments.
fn deep<const COUNT: usize>(
    name: &'static str,
    parameters: [Parameter; COUNT],
    gives: Type,
    run: fn(Arguments<'_>) -> Result,
) -> Function {
    let parameters = parameters.into();
    Function {
        name,
        parameters,
        rest: None,
        sees: Sees::Parts,
        takes_unknown: false,
        gives,
        may_be_null: false,
        foretells: |_| None,
        run,
    }
}

/// A function that moves parts around.
fn shallow<const COUNT: usize>(
    name: &'static str,
    parameters: [Parameter; COUNT],
    gives: Type,
    run: fn(Arguments<'_>) -> Result,
) -> Function {
    Function { sees: Sees::Wholes, ..deep(name, parameters, gives, run) }
}

impl Function {
    /// With any number of further arguments.
    fn and_more(self, rest: Parameter) -> Self {
        Function { rest: Some(rest), ..self }
    }

    fn or_unknown(self) -> Self {
        Function { takes_unknown: true, ..self }
    }

    /// Unlike most, it may give `null`.
    fn or_null(self) -> Self {
        Function { may_be_null: true, ..self }
    }

    /// It knows something of its result where not all arguments are known.
    fn foretelling(self, foretells: fn(&Arguments<'_>) -> Foretold) -> Self {
        Function { foretells, ..self }
    }

    fn seeing_marks(self) -> Self {
        Function { sees: Sees::Marks, takes_unknown: true, ..self }
    }

    /// As many arguments as it takes. Otherwise what is wrong, and which argument is the first that is too many.
    pub(crate) fn count(&self, given: usize) -> Result<()> {
        let least = self.parameters.len();
        let most = if self.rest.is_some() { MANY } else { least };
        if (least..=most).contains(&given) {
            return Ok(());
        }
        let reason = format!("`{}` takes {}, here are {given}", self.name, amount(least, most));
        Err(Error { argument: (given > most).then_some(most), ..Error::new(reason) })
    }

    fn parameter(&self, place: usize) -> Option<&Parameter> {
        self.parameters.get(place).or(self.rest.as_ref())
    }

    /// An argument as its parameter's type. What can't be `null` is found out by [`Function::call`].
    pub(crate) fn fit<'v>(&self, place: usize, value: Cow<'v, Value>) -> Result<Cow<'v, Value>> {
        match self.parameter(place) {
            Some(parameter) => parameter.fit(value).map_err(|reason| Error::argument(place, reason)),
            None => Ok(value),
        }
    }

    /// Calls it with arguments that [`Function::count`] and [`Function::fit`] have seen.
    pub(crate) fn call(&self, values: Vec<Cow<'_, Value>>, scope: &Scope, site: &Site<'_>) -> Result {
        let mut is_open = false;
        for (place, value) in values.iter().enumerate() {
            let Some(parameter) = self.parameter(place) else { continue };
            if value.is_null() && !parameter.takes_null {
                return Err(Error::argument(place, "this can't be `null`"));
            }
            is_open |= matches!(value.data, Data::Unknown(Type::Any, _) | Data::Null(_))
                && value.ty() == Type::Any
                && !parameter.takes_anything;
            if is_open {
                break;
            }
        }
        let marks_of = |value: &Cow<'_, Value>| match self.sees {
            Sees::Parts => value.all_marks(),
            Sees::Wholes => value.marks,
            Sees::Marks => ValueMarks::NONE,
        };
        let marks = values.iter().fold(ValueMarks::NONE, |marks, value| marks | marks_of(value));
        if is_open {
            return Ok(Value::unknown(Type::Any).with_marks(marks));
        }
        if values.iter().any(|value| self.waits_for(value)) {
            return Ok(self.foretold(&Arguments { values, scope, site }).with_marks(marks));
        }
        let is_marked = marks != ValueMarks::NONE;
        let unmarked = |value: Cow<'_, Value>| Cow::Owned(value.into_owned().without_marks());
        let values = match self.sees {
            Sees::Parts if is_marked => values.into_iter().map(unmarked).collect(),
            Sees::Parts | Sees::Wholes | Sees::Marks => values,
        };
        let result = (self.run)(Arguments { values, scope, site });
        let redacted = |error: Error| if is_marked { error.redacted(self.name) } else { error };
        result.map(|value| value.with_marks(marks)).map_err(redacted)
    }

    fn waits_for(&self, value: &Value) -> bool {
        match self.sees {
            _ if self.takes_unknown => false,
            Sees::Parts => !value.is_wholly_known(),
            // Of a set whose items may turn out to be the same, and of items of which it is not known what they are, even what moves
            // them around knows too little.
            Sees::Wholes | Sees::Marks => value.is_unknown() || value.has_open_length() || has_open_type(value),
        }
    }

    /// What is known of the result where not all arguments are.
    fn foretold(&self, arguments: &Arguments<'_>) -> Value {
        let value = (self.foretells)(arguments).unwrap_or_else(|| Value::unknown(self.gives.clone()));
        if self.may_be_null { value } else { value.not_null() }
    }
}

/// Whether what is in it will all be of one type, and it is not known yet of which.
fn has_open_type(value: &Value) -> bool {
    let element = match &value.data {
        _ if value.is_wholly_known() => return false,
        Data::List(items) | Data::Set(items) => items.element(),
        Data::Map(members) => members.element(),
        _ => return false,
    };
    element.has_any()
}

const MANY: usize = usize::MAX;

const FAMILIES: [fn() -> Vec<Function>; 17] = [
    chance::functions,
    charset::functions,
    number::functions,
    text::functions,
    pattern::functions,
    list::functions,
    map::functions,
    fold::functions,
    sets::functions,
    encoding::functions,
    network::functions,
    time::functions,
    file::functions,
    path::functions,
    template::functions,
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

/// The function of this name.
pub(crate) fn find(name: &str) -> Result<&'static Function> {
    TABLE.get(name).ok_or_else(|| Error {
        hint: nearest(name, function_names()),
        ..Error::new(format!("no function is called `{name}`"))
    })
}

/// Where a call is, and for which instance, in words.
pub(crate) type Site<'s> = dyn Fn() -> String + 's;

/// So many arguments.
pub(crate) fn amount(least: usize, most: usize) -> String {
    let plural = |count: usize| format!("{count} argument{}", if count == 1 { "" } else { "s" });
    match (least, most) {
        (least, most) if least == most => plural(least),
        (least, MANY) => format!("at least {}", plural(least)),
        (least, most) => format!("{least} to {}", plural(most)),
    }
}

/// A type in a word or two.
pub(crate) fn described(value: &Value) -> String {
    match value.data {
        Data::Tuple(_) => "a tuple".to_owned(),
        Data::Object(_) => "an object".to_owned(),
        Data::Null(_) => "`null`".to_owned(),
        _ => format!("a {}", value.ty()),
    }
}

/// Text for a message, on one line; of what is long only the beginning.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    let mut characters = text.chars();
    let shown: String = characters.by_ref().take(MOST).flat_map(char::escape_debug).collect();
    let shown = shown.replace("\\\"", "\"").replace("\\'", "'");
    format!("`{shown}{}`", if characters.next().is_some() { "…" } else { "" })
}

/// `list(string)`
fn texts() -> Type {
    Type::list(Type::String)
}
