//! One step into a value. What is borrowed stays borrowed unless it must be marked sensitive.

use std::borrow::Cow;

use bimetal_model::convert::convert;
use bimetal_model::{Data, Diagnostic, Named, Type, Value, ValueMarks};
use bimetal_syntax::{Step, StepKind};

use crate::suggest::nearest_or_all;

/// More names than this are no hint any more.
const MOST_NAMES: usize = 20;

pub(super) fn is_attribute(step: &Step) -> bool {
    matches!(step.kind, StepKind::Attribute(_) | StepKind::LegacyIndex(_))
}

/// What a splat goes over.
pub(super) fn items(value: Cow<'_, Value>) -> Vec<Cow<'_, Value>> {
    match value {
        Cow::Borrowed(value) => match &value.data {
            Data::Null(_) => Vec::new(),
            Data::List(items) | Data::Set(items) | Data::Tuple(items) => items.iter().map(Cow::Borrowed).collect(),
            Data::Unknown(Type::Tuple(types), _) => unknowns(types),
            _ => vec![Cow::Borrowed(value)],
        },
        Cow::Owned(value) => match value.data {
            Data::Null(_) => Vec::new(),
            Data::List(items) | Data::Set(items) | Data::Tuple(items) => items.into_iter().map(Cow::Owned).collect(),
            Data::Unknown(Type::Tuple(types), _) => unknowns(&types),
            data => vec![Cow::Owned(data.into())],
        },
    }
}

fn unknowns<'v>(types: &[Type]) -> Vec<Cow<'v, Value>> {
    types.iter().map(|ty| Cow::Owned(Value::unknown(ty.clone()))).collect()
}

/// `.name`
pub(super) fn attribute<'a>(value: Cow<'a, Value>, name: &str) -> Result<Cow<'a, Value>, Diagnostic> {
    let marks = value.marks;
    let unknown = |ty: &Type| Ok(Cow::Owned(Value::unknown(ty.clone()).with_marks(marks)));
    match &value.data {
        Data::Map(members) | Data::Object(members) => match members.contains_key(name) {
            true => Ok(member(value, name, marks)),
            // A sensitive map's keys may not be shown.
            false if marks.hide() => Err(Diagnostic::error(format!("there is no attribute `{name}`"))),
            false => Err(absent("attribute", name, members.keys().map(String::as_str))),
        },
        Data::Unknown(Type::Object(fields), _) => match fields.get(name) {
            Some(field) => unknown(&field.ty),
            None => Err(absent("attribute", name, fields.keys().map(String::as_str))),
        },
        Data::Unknown(Type::Map(element), _) => unknown(element),
        Data::Unknown(Type::Any, _) => unknown(&Type::Any),
        Data::Null(_) => {
            let error = Diagnostic::error(format!("`null` has no attribute `{name}`"));
            Err(error.hint("`try(…, default)` helps where it may be `null`"))
        }
        Data::Set(_) => {
            let error = Diagnostic::error(format!("this is a set, and has no attribute `{name}`"));
            Err(error.hint(format!("of all of its items: `[*].{name}`")))
        }
        Data::List(_) | Data::Tuple(_) => {
            let error = Diagnostic::error(format!("this is a list, and has no attribute `{name}`"));
            Err(error.hint(format!("one item: `[0].{name}`; all of them: `[*].{name}`")))
        }
        Data::Handle(_) => Err(Diagnostic::error("nobody can look into a handle").hint("pass it on as it is")),
        Data::Bool(_) | Data::Number(_) | Data::String(_) | Data::Unknown(..) => {
            Err(Diagnostic::error(format!("a {} has no attributes", value.ty())))
        }
    }
}

/// `[key]`
pub(super) fn index<'a>(value: Cow<'a, Value>, key: &Value) -> Result<Cow<'a, Value>, Diagnostic> {
    let marks = value.marks | key.marks;
    if key.is_null() {
        return Err(Diagnostic::error("an index can't be `null`"));
    }
    if key.is_unknown() {
        return Ok(Cow::Owned(some_element(&value).with_marks(marks)));
    }
    match &value.data {
        Data::Map(_) | Data::Object(_) | Data::Unknown(Type::Object(_), _) => by_name(value, key, marks),
        Data::List(items) | Data::Tuple(items) => {
            let place = position(key, items.len()).map_err(|error| match marks.hide() {
                true => Diagnostic::error("there is no such item").because("the index or the list is sensitive"),
                false => error,
            })?;
            Ok(item(value, place, marks))
        }
        Data::Unknown(Type::Tuple(types), _) => {
            let place = position(key, types.len())?;
            Ok(Cow::Owned(Value::unknown(types[place].clone()).with_marks(marks)))
        }
        Data::Unknown(Type::List(_) | Type::Map(_) | Type::Any, _) => {
            Ok(Cow::Owned(some_element(&value).with_marks(marks)))
        }
        Data::Set(_) | Data::Unknown(Type::Set(_), _) => {
            Err(Diagnostic::error("a set has no order").hint("`tolist(…)` makes a list of it"))
        }
        Data::Null(_) => Err(Diagnostic::error("`null` can't be indexed")),
        Data::Handle(_) => Err(Diagnostic::error("nobody can look into a handle").hint("pass it on as it is")),
        Data::Bool(_) | Data::Number(_) | Data::String(_) | Data::Unknown(..) => {
            Err(Diagnostic::error(format!("a {} can't be indexed", value.ty())))
        }
    }
}

/// What lies behind an index that isn't known.
fn some_element(value: &Value) -> Value {
    let ty = match &value.data {
        Data::Unknown(Type::List(element) | Type::Map(element), _) => (**element).clone(),
        Data::List(items) => items.element(),
        Data::Map(members) => members.element(),
        _ => Type::Any,
    };
    let (element, marks) = (Value::unknown(ty), value.all_marks());
    let is_something = !value.is_unknown() && value.children().all(|(_, child)| child.is_something());
    if is_something { element.not_null() } else { element }.with_marks(marks)
}

fn by_name<'a>(value: Cow<'a, Value>, key: &Value, marks: ValueMarks) -> Result<Cow<'a, Value>, Diagnostic> {
    let Ok(Value { data: Data::String(name), .. }) = convert(key.clone(), &Type::String) else {
        return Err(Diagnostic::error(format!("a map is indexed by text, not by a {}", key.ty())));
    };
    match &value.data {
        Data::Unknown(..) => attribute(value, &name).map(|found| Cow::Owned(found.into_owned().with_marks(marks))),
        data => match members(data).is_some_and(|members| members.contains_key(&*name)) {
            true => Ok(member(value, &name, marks)),
            false if marks.hide() => {
                Err(Diagnostic::error("there is no such key").because("the key or the map is sensitive"))
            }
            false => Err(absent("key", &name, members(data).into_iter().flat_map(Named::keys).map(String::as_str))),
        },
    }
}

fn members(data: &Data) -> Option<&Named> {
    match data {
        Data::Map(members) | Data::Object(members) => Some(members),
        _ => None,
    }
}

fn position(key: &Value, length: usize) -> Result<usize, Diagnostic> {
    let place = convert(key.clone(), &Type::Number).ok().and_then(|key| key.as_number().cloned());
    let Some(place) = place.filter(bimetal_model::Number::is_whole) else {
        return Err(Diagnostic::error("a list is indexed by whole numbers"));
    };
    let found = place.to_u64().and_then(|place| usize::try_from(place).ok()).filter(|place| *place < length);
    found
        .ok_or_else(|| Diagnostic::error(format!("there is no item {place}")).because(format!("the list has {length}")))
}

fn absent<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Diagnostic {
    let error = Diagnostic::error(format!("there is no {what} `{name}`"));
    match known.clone().nth(MOST_NAMES) {
        None => error.hint(nearest_or_all(name, known, what)),
        Some(_) => match crate::suggest::nearest(name, known) {
            Some(hint) => error.hint(hint),
            None => error,
        },
    }
}

fn member<'a>(value: Cow<'a, Value>, name: &str, marks: ValueMarks) -> Cow<'a, Value> {
    match value {
        Cow::Borrowed(value) => match value.as_members().and_then(|members| members.get(name)) {
            Some(found) => marked(found, marks),
            None => unreachable!("the caller looked"),
        },
        Cow::Owned(Value { data: Data::Map(mut members) | Data::Object(mut members), .. }) => {
            Cow::Owned(members.remove(name).unwrap_or(Value::NULL).with_marks(marks))
        }
        Cow::Owned(_) => unreachable!("the caller looked"),
    }
}

fn item(value: Cow<'_, Value>, place: usize, marks: ValueMarks) -> Cow<'_, Value> {
    match value {
        Cow::Borrowed(value) => match value.as_items().and_then(|items| items.get(place)) {
            Some(found) => marked(found, marks),
            None => unreachable!("the caller looked"),
        },
        Cow::Owned(Value { data: Data::List(mut items) | Data::Tuple(mut items), .. }) => {
            Cow::Owned(items.swap_remove(place).with_marks(marks))
        }
        Cow::Owned(_) => unreachable!("the caller looked"),
    }
}

fn marked(value: &Value, marks: ValueMarks) -> Cow<'_, Value> {
    match value.marks | marks == value.marks {
        true => Cow::Borrowed(value),
        false => Cow::Owned(value.clone().with_marks(marks)),
    }
}
