//! What comes of many: how many there are, the first of them, all of them together.

use bimetal_model::convert::{convert, unify};
use bimetal_model::{Data, Refinement, Type, Value};

use super::text::characters;
use super::{Arguments, Error, Function, Result, any, deep, described, foretold, list_of, shallow};

pub(super) fn functions() -> Vec<Function> {
    let anything = || any().or_null().or_anything();
    vec![
        shallow("length", [any().or_anything()], Type::Number, length).or_unknown(),
        deep("coalesce", [], Type::Any, coalesce).and_more(anything()).or_unknown(),
        deep("coalescelist", [], Type::Any, coalesce_list).and_more(anything()).or_unknown(),
        deep("one", [any()], Type::Any, one).or_null().foretelling(foretold::one),
        deep("sum", [any()], Type::Number, sum),
        deep("alltrue", [list_of(Type::Bool)], Type::Bool, all_true).or_unknown(),
        deep("anytrue", [list_of(Type::Bool)], Type::Bool, any_true).or_unknown(),
    ]
}

fn length(arguments: Arguments<'_>) -> Result {
    let value = arguments.value(0);
    let size = match &value.data {
        Data::String(text) => characters(text).count(),
        Data::List(items) | Data::Tuple(items) => items.len(),
        // Two that are unknown may turn out to be the same.
        Data::Set(_) if value.has_open_length() => return Ok(foretold::length(value)),
        Data::Set(items) => items.len(),
        Data::Map(members) | Data::Object(members) => members.len(),
        Data::Unknown(Type::Tuple(items), _) => items.len(),
        Data::Unknown(Type::Object(fields), _) => fields.len(),
        Data::Unknown(Type::Any | Type::String | Type::List(_) | Type::Set(_) | Type::Map(_), _) => {
            return Ok(foretold::length(value));
        }
        Data::Null(_) | Data::Unknown(..) | Data::Bool(_) | Data::Number(_) | Data::Handle(_) => {
            return Err(Error::new(format!("{} has no length", described(value))));
        }
    };
    Ok(Value::from(size as u64))
}

fn coalesce(arguments: Arguments<'_>) -> Result {
    if arguments.len() == 0 {
        return Err(Error::new("one value at least is wanted"));
    }
    let common = unify(arguments.values.iter().map(|value| value.ty()));
    let common = common.ok_or_else(|| Error::new("the arguments have no type in common"))?;
    let mut possible: Option<Value> = None;
    for value in &arguments.values {
        let value = match (convert(value.clone().into_owned(), &common), &possible) {
            (Ok(value), _) => value,
            (Err(mismatch), None) => return Err(Error::new(mismatch.reason)),
            // One before it may be something, and then it is not asked for.
            (Err(_), Some(_)) => return Ok(Value::unknown(common).not_null()),
        };
        if value.is_null() || common == Type::String && value.as_str() == Some("") {
            continue;
        }
        let is_last = is_more_than_nothing(&value);
        possible = Some(match possible {
            Some(before) => Value::refined(common.clone(), Refinement::of_either(&before, &value)),
            None => value,
        });
        if is_last {
            break;
        }
    }
    possible.map(Value::not_null).ok_or_else(|| Error::new("all of them are `null` or empty"))
}

/// Whether it is known that it is neither `null` nor empty text.
fn is_more_than_nothing(value: &Value) -> bool {
    match &value.data {
        Data::Unknown(Type::Any, _) => false,
        Data::Unknown(Type::String, refinement) => refinement.is_not_null() && !refinement.prefix().is_empty(),
        _ => value.is_something(),
    }
}

fn coalesce_list(arguments: Arguments<'_>) -> Result {
    if arguments.len() == 0 {
        return Err(Error::new("one list at least is wanted"));
    }
    for value in &arguments.values {
        match value.ty() {
            _ if value.is_unknown() => break,
            Type::List(_) | Type::Tuple(_) => {}
            _ => return Err(Error::new(format!("only lists can be chosen from, and this is {}", described(value)))),
        }
    }
    for value in &arguments.values {
        if value.is_unknown() {
            return Ok(foretold::coalesce_list(value));
        }
        if value.as_items().is_some_and(|items| !items.is_empty()) {
            return Ok(value.clone().into_owned());
        }
    }
    Err(Error::new("all of them are empty"))
}

fn one(arguments: Arguments<'_>) -> Result {
    let value = arguments.value(0);
    let element = arguments.element(0);
    match value.as_items() {
        Some([]) => Ok(Value::null(element)),
        Some([only]) => Ok(only.clone()),
        Some(many) => Err(Error::argument(0, format!("one item or none is wanted, here are {}", many.len()))),
        None => Err(Error::argument(0, format!("a list or set is wanted here, not {}", described(value)))),
    }
}

fn sum(arguments: Arguments<'_>) -> Result {
    let value = arguments.value(0);
    let Some(items) = value.as_items() else {
        return Err(Error::argument(0, format!("a list or set is wanted here, not {}", described(value))));
    };
    let Some((first, rest)) = items.split_first() else {
        return Err(Error::argument(0, "there is nothing to add up"));
    };
    let number = |item: &Value| {
        let number = convert(item.clone(), &Type::Number).ok().and_then(|item| item.as_number().cloned());
        number.ok_or_else(|| Error::argument(0, "only numbers can be added up"))
    };
    let mut sum = number(first)?;
    for item in rest {
        sum = sum.plus(&number(item)?).ok_or_else(|| Error::new("both infinities have no sum"))?;
    }
    Ok(sum.into())
}

fn all_true(arguments: Arguments<'_>) -> Result {
    for item in flags(&arguments)? {
        match item {
            Some(true) => {}
            Some(false) => return Ok(false.into()),
            None => return Ok(Value::unknown(Type::Bool).not_null()),
        }
    }
    Ok(true.into())
}

fn any_true(arguments: Arguments<'_>) -> Result {
    let flags = flags(&arguments)?;
    Ok(match flags.contains(&Some(true)) {
        false if flags.contains(&None) => Value::unknown(Type::Bool).not_null(),
        is_true => is_true.into(),
    })
}

/// `null` is false; what is unknown is absent.
fn flags(arguments: &Arguments<'_>) -> Result<Vec<Option<bool>>> {
    let list = arguments.value(0);
    if list.is_unknown() {
        return Ok(vec![None]);
    }
    let flag = |item: &Value| if item.is_unknown() { None } else { Some(item.as_bool().unwrap_or(false)) };
    Ok(list.as_items().unwrap_or_default().iter().map(flag).collect())
}
