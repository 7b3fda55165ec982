//! Maps.

use std::collections::BTreeMap;

use bimetal_model::convert::convert;
use bimetal_model::{Data, Type, Value};

use super::{
    Arguments, Error, Function, Result, any, deep, described, foretold, list_of, map_of, shallow, text, texts,
};

pub(super) fn functions() -> Vec<Function> {
    vec![
        shallow("lookup", [any(), text()], Type::Any, lookup)
            .and_more(any().or_null().or_anything())
            .or_null()
            .foretelling(foretold::lookup),
        shallow("keys", [any()], Type::Any, keys).foretelling(foretold::keys),
        shallow("values", [any()], Type::Any, values).foretelling(foretold::values),
        shallow("merge", [], Type::Any, merge).and_more(any().or_null().or_anything()).foretelling(foretold::merge),
        shallow("zipmap", [list_of(Type::String), any()], Type::Any, zip_map).foretelling(foretold::zip_map),
        deep("transpose", [map_of(texts())], Type::map(texts()), transpose),
    ]
}

fn lookup(arguments: Arguments<'_>) -> Result {
    if arguments.len() > 3 {
        return Err(Error::new(format!("`lookup` takes 2 to 3 arguments, here are {}", arguments.len())));
    }
    let (map, name) = (arguments.value(0), arguments.text(1));
    let Some(members) = map.as_members() else {
        return Err(Error::argument(0, format!("a map is wanted here, not {}", described(map))));
    };
    let default = arguments.values.get(2).map(|default| default.clone().into_owned());
    let default = match (&map.data, default) {
        (Data::Map(members), Some(default)) => {
            let wanted = members.element();
            let misfit = |_| Error::argument(2, format!("the default must be of the map's type, {wanted}"));
            Some(convert(default, &wanted).map_err(misfit)?)
        }
        (_, default) => default,
    };
    if let Some(found) = members.get(name).cloned().or(default) {
        return Ok(found);
    }
    let error = Error::new(format!("there is no key `{name}`"));
    let error = match crate::suggest::nearest(name, members.keys().map(String::as_str)) {
        Some(hint) => error.hint(hint),
        None => error.hint("a third argument is taken where there is none"),
    };
    Err(if matches!(map.data, Data::Object(_)) { error.of(0) } else { error })
}

fn keys(arguments: Arguments<'_>) -> Result {
    let value = arguments.value(0);
    let Some(members) = value.as_members() else {
        return Err(Error::argument(0, format!("a map is wanted here, not {}", described(value))));
    };
    let names = members.keys().map(|name| Value::from(name.as_str()));
    Ok(if matches!(value.data, Data::Map(_)) { Value::list(Type::String, names) } else { Value::tuple(names) })
}

fn values(arguments: Arguments<'_>) -> Result {
    match &arguments.value(0).data {
        Data::Map(members) => Ok(Value::list(members.element(), members.values().cloned())),
        Data::Object(members) => Ok(Value::tuple(members.values().cloned())),
        _ => Err(Error::new(format!("a map is wanted, not {}", described(arguments.value(0))))),
    }
}

fn merge(arguments: Arguments<'_>) -> Result {
    let mut merged = BTreeMap::new();
    for value in &arguments.values {
        match &value.data {
            Data::Map(members) | Data::Object(members) => {
                merged.extend(members.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
            Data::Null(bimetal_model::Kind(Type::Any | Type::Map(_) | Type::Object(_))) => {}
            _ => {
                return Err(Error::new(format!(
                    "only maps and objects can be merged, and this is {}",
                    described(value)
                )));
            }
        }
    }
    Ok(match common_map(&arguments) {
        Some(element) => Value::map(element, merged),
        None => Data::Object(merged.into()).into(),
    })
}

/// What is in them, where all are maps of one type.
fn common_map(arguments: &Arguments<'_>) -> Option<Type> {
    let is_map = |value: &Value| match &value.data {
        Data::Map(_) => true,
        Data::Null(kind) => matches!(kind.0, Type::Map(_)),
        _ => false,
    };
    let are_maps = arguments.len() > 0 && arguments.values.iter().all(|value| is_map(value));
    let first = are_maps.then(|| arguments.value(0).ty())?;
    match &first {
        Type::Map(element) if arguments.values.iter().all(|value| value.ty() == first) => Some((**element).clone()),
        _ => None,
    }
}

fn zip_map(arguments: Arguments<'_>) -> Result {
    let (names, values) = (arguments.value(0), arguments.value(1));
    let (Data::List(items) | Data::Tuple(items)) = &values.data else {
        return Err(Error::new(format!("values are a list, not {}", described(values))));
    };
    let marks = names.all_marks();
    if !names.is_wholly_known() {
        let later = foretold::zip_map(&arguments).unwrap_or(Value::unknown(Type::Any).not_null());
        return Ok(later.with_marks(marks));
    }
    let names = arguments.items(0);
    if names.len() != items.len() {
        return Err(Error::new(format!("there are {} keys and {} values", names.len(), items.len())));
    }
    let name = |(place, name): (usize, &Value)| {
        let null = || Error::new(format!("key {place} is `null`"));
        name.as_str().map(str::to_owned).ok_or_else(null)
    };
    let names = names.iter().enumerate().map(name).collect::<Result<Vec<_>>>()?;
    let members = names.into_iter().zip(items.iter().cloned());
    Ok(match &values.data {
        Data::List(items) => Value::map(items.element(), members),
        _ => members.collect(),
    }
    .with_marks(marks))
}

/// `{ a = ["1"] }` becomes `{ "1" = ["a"] }`.
fn transpose(arguments: Arguments<'_>) -> Result {
    let mut turned: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (name, items) in arguments.members(0) {
        let items = items.as_items().ok_or_else(|| Error::new(format!("the list of `{name}` is `null`")))?;
        for item in items {
            let text = item.as_str().ok_or_else(|| Error::new(format!("an item of `{name}` is `null`")))?;
            turned.entry(text.to_owned()).or_default().push(Value::from(name.as_str()));
        }
    }
    let list = |(name, names)| (name, Value::list(Type::String, names));
    Ok(Value::map(texts(), turned.into_iter().map(list)))
}
