//! Lists, sets and maps.

use std::collections::BTreeMap;

use bimetal_model::convert::{convert, unify};
use bimetal_model::{Data, Type, Value};

use super::{Arguments, Error, Function, MANY, Result, deep, shallow};

pub(super) const FUNCTIONS: &[Function] = &[
    shallow("length", 1, 1, |a| {
        let value = a.value(0);
        let size = match &value.data {
            Data::String(text) => text.chars().count(),
            _ => match (value.as_items(), value.as_members()) {
                (Some(items), _) => items.len(),
                (_, Some(members)) => members.len(),
                _ => return Err(Error::argument(0, format!("a {} has no length", value.ty()))),
            },
        };
        Ok(Value::from(size as u64))
    }),
    shallow("element", 2, 2, |a| {
        let (items, place) = (a.items(0)?, a.whole(1)?);
        if items.is_empty() {
            return Err(Error::argument(0, "an empty list has no element"));
        }
        let place = place.rem_euclid(items.len() as i64);
        Ok(items[place as usize].clone())
    }),
    deep("index", 2, 2, |a| {
        let (items, wanted) = (a.items(0)?, a.value(1));
        let place = items.iter().position(|item| *item == wanted);
        place.map(|place| Value::from(place as u64)).ok_or_else(|| Error::argument(1, "the list does not have it"))
    }),
    deep("contains", 2, 2, |a| {
        let (items, wanted) = (a.items(0)?, a.value(1));
        let same =
            |item: &Value| *item == wanted || convert(wanted.clone(), &item.ty()).is_ok_and(|wanted| *item == wanted);
        Ok(items.iter().any(same).into())
    }),
    shallow("lookup", 2, 3, |a| {
        let (mut members, name) = (a.members(0)?, a.text(1)?);
        match (members.remove(&name), a.len()) {
            (Some(found), _) => Ok(found),
            (None, 3) => Ok(a.value(2)),
            (None, _) => Err(Error::argument(1, format!("the map has no key `{name}`"))),
        }
    }),
    shallow("keys", 1, 1, |a| Ok(Data::List(a.members(0)?.into_keys().map(Value::from).collect()).into())),
    shallow("values", 1, 1, |a| Ok(Value::tuple(a.members(0)?.into_values()))),
    shallow("merge", 0, MANY, |a| {
        let mut merged = BTreeMap::new();
        for place in 0..a.len() {
            if !a.value(place).is_null() {
                merged.extend(a.members(place)?);
            }
        }
        Ok(Data::Object(merged).into())
    }),
    shallow("concat", 1, MANY, |a| {
        let lists = (0..a.len()).map(|place| a.items(place)).collect::<Result<Vec<_>>>()?;
        Ok(Value::tuple(lists.concat()))
    }),
    shallow("flatten", 1, 1, |a| {
        let mut flat = Vec::new();
        flatten(a.items(0)?, &mut flat);
        match flat.iter().any(Value::is_unknown) {
            true if flat.iter().any(|value| matches!(&value.data, Data::Unknown(Type::Any | Type::List(_)))) => {
                Ok(Value::unknown(Type::Any))
            }
            _ => Ok(Value::tuple(flat)),
        }
    }),
    deep("distinct", 1, 1, |a| {
        let mut seen = Vec::new();
        for item in a.items(0)? {
            if !seen.contains(&item) {
                seen.push(item);
            }
        }
        Ok(Data::List(seen).into())
    }),
    deep("sort", 1, 1, |a| {
        let mut texts = a.texts(0)?;
        texts.sort();
        Ok(Data::List(texts.into_iter().map(Value::from).collect()).into())
    }),
    shallow("reverse", 1, 1, |a| Ok(Value::tuple(a.items(0)?.into_iter().rev()))),
    shallow("slice", 3, 3, |a| {
        let (items, start, end) = (a.items(0)?, a.whole(1)?, a.whole(2)?);
        let range = usize::try_from(start).ok().zip(usize::try_from(end).ok());
        match range.filter(|(start, end)| start <= end && *end <= items.len()) {
            Some((start, end)) => Ok(Value::tuple(items[start..end].to_vec())),
            None => Err(Error::argument(1, format!("{start} to {end} is not inside of a list of {}", items.len()))),
        }
    }),
    deep("range", 1, 3, range),
    shallow("zipmap", 2, 2, |a| {
        let (names, values) = (a.texts(0)?, a.items(1)?);
        match names.len() == values.len() {
            true => Ok(names.into_iter().zip(values).collect()),
            false => Err(Error::new("the lists have different lengths")),
        }
    }),
    shallow("coalesce", 1, MANY, |a| {
        let found = a.values.iter().find(|value| !value.is_null() && value.as_str() != Some(""));
        let Some(found) = found.cloned() else { return Err(Error::new("all of them are `null` or empty")) };
        let common = unify(a.values.iter().map(Value::ty)).unwrap_or(Type::Any);
        Ok(convert(found.clone(), &common).unwrap_or(found))
    }),
    shallow("coalescelist", 1, MANY, |a| {
        let found = a.values.iter().find(|value| value.as_items().is_some_and(|items| !items.is_empty()));
        found.cloned().ok_or_else(|| Error::new("all of them are empty"))
    }),
    shallow("compact", 1, 1, |a| {
        let items = a.items(0)?.into_iter().filter(|item| !item.is_null() && item.as_str() != Some(""));
        Ok(Data::List(items.collect()).into())
    }),
    shallow("one", 1, 1, |a| match (a.value(0).is_null(), &a.values[0]) {
        (true, _) => Ok(Value::NULL),
        _ => match &a.items(0)?[..] {
            [] => Ok(Value::NULL),
            [only] => Ok(only.clone()),
            many => Err(Error::argument(0, format!("one or none is wanted, here are {}", many.len()))),
        },
    }),
    deep("sum", 1, 1, |a| {
        let mut sum = bigdecimal::BigDecimal::from(0);
        for item in a.items(0)? {
            let number = convert(item, &Type::Number).ok().and_then(|item| item.as_number().cloned());
            sum += number.ok_or_else(|| Error::argument(0, "only numbers can be added up"))?.as_decimal();
        }
        Ok(Value::from(bimetal_model::Number::from(sum)))
    }),
    deep("setunion", 1, MANY, |a| sets(&a, |one, other| one.into_iter().chain(other).collect())),
    deep("setintersection", 1, MANY, |a| {
        sets(&a, |one, other| one.into_iter().filter(|item| other.contains(item)).collect())
    }),
    deep("setsubtract", 2, 2, |a| {
        sets(&a, |one, other| one.into_iter().filter(|item| !other.contains(item)).collect())
    }),
    deep("alltrue", 1, 1, |a| Ok(truths(&a)?.into_iter().all(|truth| truth).into())),
    deep("anytrue", 1, 1, |a| Ok(truths(&a)?.into_iter().any(|truth| truth).into())),
    deep("chunklist", 2, 2, |a| {
        let size = usize::try_from(a.whole(1)?)
            .ok()
            .filter(|size| *size > 0)
            .ok_or_else(|| Error::argument(1, "a chunk has at least one item"))?;
        Ok(Value::tuple(a.items(0)?.chunks(size).map(|chunk| Value::tuple(chunk.to_vec()))))
    }),
    deep("setproduct", 2, MANY, |a| {
        let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
        for place in 0..a.len() {
            let items = a.items(place)?;
            rows = rows
                .iter()
                .flat_map(|row| items.iter().map(|item| [&row[..], std::slice::from_ref(item)].concat()))
                .collect();
            if rows.len() > 1_000_000 {
                return Err(Error::new("the product has more than a million rows"));
            }
        }
        Ok(Value::tuple(rows.into_iter().map(Value::tuple)))
    }),
];

fn flatten(items: Vec<Value>, flat: &mut Vec<Value>) {
    for item in items {
        match item.data {
            Data::List(inner) | Data::Set(inner) | Data::Tuple(inner) => flatten(inner, flat),
            data => flat.push(Value { data, sensitive: item.sensitive }),
        }
    }
}

fn range(arguments: Arguments<'_>) -> Result {
    let number = |place| arguments.number(place).map(|number| number.as_decimal().clone());
    let zero = bigdecimal::BigDecimal::from(0);
    let (start, end) = if arguments.len() == 1 { (zero.clone(), number(0)?) } else { (number(0)?, number(1)?) };
    let step = match arguments.len() {
        3 => number(2)?,
        _ if end < start => bigdecimal::BigDecimal::from(-1),
        _ => bigdecimal::BigDecimal::from(1),
    };
    if step == zero || (step > zero) != (end >= start) && start != end {
        return Err(Error::new("this step never reaches the end"));
    }
    let (mut items, mut at) = (Vec::new(), start);
    while if step > zero { at < end } else { at > end } {
        if items.len() >= 1024 {
            return Err(Error::new("more than 1024 numbers"));
        }
        items.push(Value::from(bimetal_model::Number::from(at.clone())));
        at += &step;
    }
    Ok(Data::List(items).into())
}

fn sets(arguments: &Arguments<'_>, combine: fn(Vec<Value>, Vec<Value>) -> Vec<Value>) -> Result {
    let mut lists = (0..arguments.len()).map(|place| arguments.items(place)).collect::<Result<Vec<_>>>()?;
    let first = lists.remove(0);
    let combined = lists.into_iter().fold(first, combine);
    convert(Value::tuple(combined), &Type::set(Type::Any)).map_err(|mismatch| Error::new(mismatch.reason))
}

fn truths(arguments: &Arguments<'_>) -> Result<Vec<bool>> {
    let truth = |item: Value| match convert(item, &Type::Bool) {
        Ok(value) => Ok(value.as_bool().unwrap_or(false)),
        Err(mismatch) => Err(Error::argument(0, mismatch.reason)),
    };
    arguments.items(0)?.into_iter().map(truth).collect()
}
