//! Lists, sets and maps.

use std::collections::BTreeMap;

use bimetal_model::convert::{convert, unify};
use bimetal_model::{Data, Number, Type, Value, ValueMarks};

use super::text::characters;
use super::{Arguments, Error, Function, MANY, Result, deep, kind, shallow, texts};
use crate::evaluate::same;

/// More items than this are a mistake.
const MOST_ITEMS: usize = 1_000_000;

pub(super) fn functions() -> Vec<Function> {
    let any_list = || Type::list(Type::Any);
    let any_set = || Type::set(Type::Any);
    vec![
        shallow("length", 1, 1, Type::Number, length),
        shallow("element", 2, 2, Type::Any, element),
        deep("index", 2, 2, Type::Number, |a| {
            if a.value(1).is_null() {
                return Err(Error::argument(1, "this can't be `null`"));
            }
            let place = a.ordered(0)?.iter().position(|item| same(item, a.value(1)) == Some(true));
            place.map(|place| Value::from(place as u64)).ok_or_else(|| Error::argument(1, "the list does not have it"))
        }),
        deep("contains", 2, 2, Type::Bool, |a| {
            Ok(a.items(0)?.iter().any(|item| same(item, a.value(1)) == Some(true)).into())
        }),
        shallow("lookup", 2, 3, Type::Any, lookup),
        shallow("keys", 1, 1, texts(), keys),
        shallow("values", 1, 1, any_list(), |a| {
            let values = a.members(0)?.values().cloned().collect();
            Ok(list_like(matches!(a.value(0).data, Data::Map(_)), values))
        }),
        shallow("merge", 0, MANY, Type::Any, merge),
        shallow("concat", 1, MANY, Type::Any, |a| {
            let lists = (0..a.len()).map(|place| a.ordered(place)).collect::<Result<Vec<_>>>()?;
            let all_lists = a.values.iter().all(|value| matches!(value.data, Data::List(_)));
            Ok(list_like(all_lists, lists.concat()))
        }),
        shallow("flatten", 1, 1, Type::Any, |a| {
            let mut flat = Flat::default();
            flat.extend(a.items(0)?);
            let value = if flat.is_unknown { Value::unknown(Type::Any) } else { Value::tuple(flat.items) };
            Ok(value.with_marks(flat.marks))
        }),
        deep("distinct", 1, 1, any_list(), |a| {
            let mut seen: Vec<Value> = Vec::new();
            for item in list(&a, 0)? {
                if !seen.contains(&item) {
                    seen.push(item);
                }
            }
            Ok(Value::list(Type::Any, seen))
        }),
        deep("sort", 1, 1, texts(), |a| {
            let mut texts = a.texts(0)?;
            texts.sort();
            Ok(Value::list(Type::String, texts.into_iter().map(Value::from)))
        }),
        shallow("reverse", 1, 1, any_list(), |a| {
            let items = a.items(0)?.iter().rev().cloned().collect();
            Ok(list_like(!matches!(a.value(0).data, Data::Tuple(_)), items))
        }),
        shallow("slice", 3, 3, any_list(), slice),
        deep("range", 1, 3, Type::list(Type::Number), range),
        shallow("zipmap", 2, 2, Type::Any, zip_map),
        shallow("coalesce", 1, MANY, Type::Any, coalesce),
        shallow("coalescelist", 1, MANY, Type::Any, |a| {
            for place in 0..a.len() {
                if !a.items(place)?.is_empty() {
                    return Ok(a.value(place).clone());
                }
            }
            Err(Error::new("all of them are empty"))
        }),
        deep("compact", 1, 1, texts(), |a| {
            let items = a.converted(0, &texts())?.as_items().unwrap_or_default().to_vec();
            let is_text = |item: &Value| !item.is_null() && item.as_str() != Some("");
            Ok(Value::list(Type::String, items.into_iter().filter(is_text)))
        }),
        shallow("one", 1, 1, Type::Any, |a| match a.value(0).is_null() {
            true => Ok(Value::NULL),
            false => match a.items(0)? {
                [] => Ok(Value::NULL),
                [only] => Ok(only.clone()),
                many => Err(Error::argument(0, format!("one or none is wanted, here are {}", many.len()))),
            },
        }),
        deep("sum", 1, 1, Type::Number, sum),
        deep("setunion", 1, MANY, any_set(), |a| sets(&a, |one, other| one.into_iter().chain(other).collect())),
        deep("setintersection", 1, MANY, any_set(), |a| {
            sets(&a, |one, other| one.into_iter().filter(|item| other.contains(item)).collect())
        }),
        deep("setsubtract", 2, 2, any_set(), |a| {
            sets(&a, |one, other| one.into_iter().filter(|item| !other.contains(item)).collect())
        }),
        deep("alltrue", 1, 1, Type::Bool, |a| Ok(truths(&a)?.into_iter().all(|truth| truth).into())),
        deep("anytrue", 1, 1, Type::Bool, |a| Ok(truths(&a)?.into_iter().any(|truth| truth).into())),
        shallow("chunklist", 2, 2, Type::list(any_list()), |a| {
            let items = list(&a, 0)?;
            let size = usize::try_from(a.whole(1)?)
                .map_err(|_| Error::argument(1, "a chunk can't have less than no items"))?;
            let size = if size == 0 { items.len().max(1) } else { size };
            let chunk = |chunk: &[Value]| Value::list(Type::Any, chunk.iter().cloned());
            Ok(Value::list(Type::list(Type::Any), items.chunks(size).map(chunk)))
        }),
        shallow("setproduct", 2, MANY, Type::Any, set_product),
        deep("matchkeys", 3, 3, any_list(), |a| {
            let (values, keys, wanted) = (a.ordered(0)?, a.ordered(1)?, a.items(2)?);
            let (keys, wanted) = alike(keys, wanted)?;
            if values.len() != keys.len() {
                return Err(Error::argument(1, "there must be as many keys as values"));
            }
            let chosen = values.iter().zip(&keys).filter(|(_, key)| wanted.contains(key));
            Ok(Value::list(Type::Any, chosen.map(|(value, _)| value.clone())))
        }),
        deep("transpose", 1, 1, Type::map(texts()), transpose),
    ]
}

/// Values of two lists in the one type that all of them have, where there is one.
fn alike(one: &[Value], other: &[Value]) -> Result<(Vec<Value>, Vec<Value>)> {
    let common = unify(one.iter().chain(other).map(Value::ty)).unwrap_or(Type::Any);
    let all =
        |values: &[Value]| values.iter().cloned().map(|value| fitting(value, &common)).collect::<Result<Vec<_>>>();
    Ok((all(one)?, all(other)?))
}

fn fitting(value: Value, ty: &Type) -> Result {
    convert(value, ty).map_err(|mismatch| Error::new(mismatch.reason))
}

/// A list where the items come from one, a tuple otherwise.
fn list_like(is_list: bool, items: Vec<Value>) -> Value {
    if is_list {
        let common = unify(items.iter().map(Value::ty)).unwrap_or(Type::Any);
        let all: std::result::Result<Vec<_>, _> = items.iter().cloned().map(|item| convert(item, &common)).collect();
        return Value::list(common, all.unwrap_or(items));
    }
    Value::tuple(items)
}

/// An argument as a list of one type.
fn list(arguments: &Arguments<'_>, place: usize) -> Result<Vec<Value>> {
    let list = arguments.converted(place, &Type::list(Type::Any))?;
    Ok(list.as_items().unwrap_or_default().to_vec())
}

fn length(arguments: Arguments<'_>) -> Result {
    let value = arguments.value(0);
    let size = match (&value.data, value.as_items(), value.as_members()) {
        (Data::String(text), ..) => characters(text).count(),
        (_, Some(items), _) => items.len(),
        (_, _, Some(members)) => members.len(),
        _ => return Err(Error::argument(0, format!("a {} has no length", kind(value)))),
    };
    Ok(Value::from(size as u64))
}

/// Goes around where the list ends.
fn element(arguments: Arguments<'_>) -> Result {
    let (items, place) = (arguments.ordered(0)?, arguments.whole(1)?);
    if items.is_empty() {
        return Err(Error::argument(0, "an empty list has no element"));
    }
    if place < -(items.len() as i64) {
        return Err(Error::argument(1, format!("the list has {} items only", items.len())));
    }
    Ok(items[place.rem_euclid(items.len() as i64) as usize].clone())
}

fn lookup(arguments: Arguments<'_>) -> Result {
    let (members, name) = (arguments.members(0)?, arguments.text(1)?);
    match (members.get(&name), arguments.len()) {
        (Some(found), _) => Ok(found.clone()),
        (None, 3) => Ok(arguments.value(2).clone()),
        (None, _) => Err(Error {
            argument: Some(1),
            reason: format!("the map has no key `{name}`"),
            hint: crate::suggest::nearest(&name, members.keys().map(String::as_str)),
        }),
    }
}

fn keys(arguments: Arguments<'_>) -> Result {
    let names = arguments.members(0)?.keys().map(|name| Value::from(name.as_str())).collect();
    Ok(list_like(matches!(arguments.value(0).data, Data::Map(_)), names))
}

fn merge(arguments: Arguments<'_>) -> Result {
    let mut merged = BTreeMap::new();
    for place in (0..arguments.len()).filter(|place| !arguments.value(*place).is_null()) {
        merged.extend(arguments.members(place)?.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    let maps = arguments.values.iter().filter(|value| !value.is_null());
    let one_type = |ty: Type| maps.clone().all(|value| matches!(value.data, Data::Map(_)) && value.ty() == ty);
    let is_map = maps.clone().next().is_some_and(|first| one_type(first.ty()));
    Ok(if is_map { Data::Map(merged.into()) } else { Data::Object(merged.into()) }.into())
}

#[derive(Default)]
struct Flat {
    items: Vec<Value>,
    is_unknown: bool,
    marks: ValueMarks,
}

impl Flat {
    fn extend(&mut self, items: &[Value]) {
        for item in items {
            match &item.data {
                Data::List(inner) | Data::Set(inner) | Data::Tuple(inner) => {
                    self.marks |= item.marks;
                    self.extend(inner);
                }
                Data::Unknown(Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_)) => {
                    self.is_unknown = true;
                    self.marks |= item.marks;
                }
                _ => self.items.push(item.clone()),
            }
        }
    }
}

fn slice(arguments: Arguments<'_>) -> Result {
    let (items, start, end) = (arguments.ordered(0)?, arguments.whole(1)?, arguments.whole(2)?);
    let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
    match range.filter(|(start, end)| start <= end && *end <= items.len()) {
        Some((start, end)) => {
            Ok(list_like(matches!(arguments.value(0).data, Data::List(_)), items[start..end].to_vec()))
        }
        None => Err(Error::argument(1, format!("{start} to {end} is not inside of a list of {}", items.len()))),
    }
}

fn zip_map(arguments: Arguments<'_>) -> Result {
    let (names, values) = (arguments.value(0), arguments.items(1)?);
    if !names.is_wholly_known() {
        return Ok(Value::unknown(Type::Any).with_marks(names.all_marks()));
    }
    let texts = arguments.texts(0)?;
    if texts.len() != values.len() {
        return Err(Error::new(format!("there are {} keys and {} values", texts.len(), values.len())));
    }
    let members = texts.into_iter().zip(values.iter().cloned()).collect();
    let data =
        if matches!(arguments.value(1).data, Data::Tuple(_)) { Data::Object(members) } else { Data::Map(members) };
    Ok(Value::from(data).with_marks(names.all_marks()))
}

fn coalesce(arguments: Arguments<'_>) -> Result {
    let common = unify(arguments.values.iter().map(|value| value.ty()));
    let common = common.ok_or_else(|| Error::new("the arguments have no type in common"))?;
    let is_something = |value: &&std::borrow::Cow<'_, Value>| !value.is_null() && value.as_str() != Some("");
    let Some(found) = arguments.values.iter().find(is_something) else {
        return Err(Error::new("all of them are `null` or empty"));
    };
    convert(found.clone().into_owned(), &common).map_err(|mismatch| Error::new(mismatch.reason))
}

fn sum(arguments: Arguments<'_>) -> Result {
    let items = arguments.items(0)?;
    if items.is_empty() {
        return Err(Error::argument(0, "there is nothing to add up"));
    }
    let mut sum = Number::from(0);
    for item in items {
        let number = convert(item.clone(), &Type::Number).ok().and_then(|item| item.as_number().cloned());
        sum = &sum + &number.ok_or_else(|| Error::argument(0, "only numbers can be added up"))?;
    }
    Ok(Value::from(sum))
}

fn range(arguments: Arguments<'_>) -> Result {
    let number = |place| arguments.number(place);
    let zero = Number::from(0);
    let (start, end) = if arguments.len() == 1 { (zero.clone(), number(0)?) } else { (number(0)?, number(1)?) };
    let step = match arguments.len() {
        3 => number(2)?,
        _ if end < start => Number::from(-1),
        _ => Number::from(1),
    };
    if start != end && (step == zero || (step > zero) != (end > start)) {
        return Err(Error::new("this step never reaches the end"));
    }
    let (mut items, mut at) = (Vec::new(), start);
    while if step > zero { at < end } else { at > end } {
        if items.len() >= 1024 {
            return Err(Error::new("more than 1024 numbers"));
        }
        items.push(Value::from(at.clone()));
        at = &at + &step;
    }
    Ok(Value::list(Type::Number, items))
}

fn sets(arguments: &Arguments<'_>, combine: fn(Vec<Value>, Vec<Value>) -> Vec<Value>) -> Result {
    let lists = (0..arguments.len()).map(|place| arguments.items(place)).collect::<Result<Vec<_>>>()?;
    let common = unify(lists.iter().flat_map(|items| items.iter().map(Value::ty)));
    let common = Type::set(common.ok_or_else(|| Error::new("the items have no type in common"))?);
    let mut sets = Vec::new();
    for items in lists {
        let set = convert(Value::tuple(items.to_vec()), &common).map_err(|mismatch| Error::new(mismatch.reason))?;
        sets.push(set.as_items().unwrap_or_default().to_vec());
    }
    let combined = sets.into_iter().reduce(combine).unwrap_or_default();
    convert(Value::tuple(combined), &common).map_err(|mismatch| Error::new(mismatch.reason))
}

fn truths(arguments: &Arguments<'_>) -> Result<Vec<bool>> {
    let truth = |item: &Value| match convert(item.clone(), &Type::Bool) {
        Ok(value) => Ok(value.as_bool().unwrap_or(false)),
        Err(mismatch) => Err(Error::argument(0, mismatch.reason)),
    };
    arguments.items(0)?.iter().map(truth).collect()
}

/// Every way to take one of each.
fn set_product(arguments: Arguments<'_>) -> Result {
    let (mut rows, mut columns): (Vec<Vec<Value>>, Vec<Type>) = (vec![Vec::new()], Vec::new());
    for place in 0..arguments.len() {
        let items = list(&arguments, place)?;
        if rows.len().saturating_mul(items.len()) > MOST_ITEMS {
            return Err(Error::new(format!("the product has more than {MOST_ITEMS} rows")));
        }
        columns.push(items.first().map_or(Type::Any, Value::ty));
        rows = rows
            .iter()
            .flat_map(|row| items.iter().map(|item| [&row[..], std::slice::from_ref(item)].concat()))
            .collect();
    }
    let product = Value::list(Type::Tuple(columns), rows.into_iter().map(Value::tuple));
    let is_set = arguments.values.iter().any(|value| matches!(value.data, Data::Set(_)));
    if is_set { fitting(product, &Type::set(Type::Any)) } else { Ok(product) }
}

/// `{ a = ["1"] }` becomes `{ "1" = ["a"] }`.
fn transpose(arguments: Arguments<'_>) -> Result {
    let mut turned: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let map = arguments.converted(0, &Type::map(texts()))?;
    for (name, items) in map.as_members().into_iter().flatten() {
        for item in items.as_items().unwrap_or_default() {
            let text = item.as_str().ok_or_else(|| Error::argument(0, "an item can't be `null`"))?;
            turned.entry(text.to_owned()).or_default().push(Value::from(name.as_str()));
        }
    }
    let list = |(name, names)| (name, Value::list(Type::String, names));
    Ok(Value::map(texts(), turned.into_iter().map(list)))
}
