//! Lists.

use std::collections::BTreeSet;

use bimetal_model::convert::{convert, unify};
use bimetal_model::{Data, Items, Number, Type, Value, ValueMarks};

use super::{Arguments, Error, Function, Result, any, deep, described, foretold, list_of, number, shallow, texts};
use crate::evaluate::same;

/// As Terraform has it.
const MOST_NUMBERS: usize = 1024;

pub(super) fn functions() -> Vec<Function> {
    let any_list = || list_of(Type::Any);
    vec![
        shallow("element", [any(), number()], Type::Any, element).or_null().foretelling(foretold::element),
        deep("index", [any(), any()], Type::Number, index),
        deep("contains", [any(), any()], Type::Bool, contains).or_unknown(),
        shallow("concat", [], Type::Any, concat).and_more(any()).foretelling(foretold::concat),
        shallow("flatten", [any()], Type::Any, flatten),
        deep("distinct", [any_list()], Type::list(Type::Any), distinct).foretelling(foretold::distinct_items),
        deep("sort", [list_of(Type::String)], texts(), sort).foretelling(foretold::same_texts),
        shallow("reverse", [any()], Type::Any, reverse).foretelling(foretold::same_items),
        shallow("slice", [any(), number(), number()], Type::Any, slice).foretelling(foretold::slice),
        deep("range", [], Type::list(Type::Number), range).and_more(number()),
        deep("compact", [list_of(Type::String)], texts(), |a| {
            let is_something = |item: &&Value| !item.is_null() && item.as_str() != Some("");
            Ok(Value::list(Type::String, a.items(0).iter().filter(is_something).cloned()))
        })
        .foretelling(foretold::some_texts),
        shallow("chunklist", [any_list(), number()], Type::list(Type::list(Type::Any)), chunks)
            .foretelling(foretold::chunks),
        deep("matchkeys", [any_list(), any_list(), any_list()], Type::list(Type::Any), match_keys)
            .foretelling(foretold::some_items),
    ]
}

/// Goes around where the list ends.
fn element(arguments: Arguments<'_>) -> Result {
    let value = arguments.value(0);
    let (Data::List(items) | Data::Tuple(items)) = &value.data else {
        return Err(Error::new(format!("a list is wanted, not {}", described(value))));
    };
    let place = arguments.whole(1)?;
    if items.is_empty() {
        return Err(Error::new("an empty list has no element"));
    }
    let size = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if matches!(value.data, Data::Tuple(_)) && place % size < 0 {
        let hint = "`tolist(…)` makes one of it, where all items have one type";
        return Err(Error::new("only of a list is counted from the end, and this is a tuple").hint(hint));
    }
    let place = usize::try_from(place.rem_euclid(size)).unwrap_or_default();
    Ok(items.get(place).cloned().unwrap_or(Value::NULL))
}

/// The items of a list or tuple that is looked through.
fn sequence<'a>(arguments: &'a Arguments<'_>) -> Result<&'a [Value]> {
    match &arguments.value(0).data {
        Data::List(items) | Data::Tuple(items) => Ok(items),
        Data::Set(_) => Err(Error::new("a set has no order").hint("`tolist(…)` makes a list of it")),
        _ => Err(Error::new(format!("a list is wanted, not {}", described(arguments.value(0))))),
    }
}

fn index(arguments: Arguments<'_>) -> Result {
    let items = sequence(&arguments)?;
    if items.is_empty() {
        return Err(Error::new("nothing can be found in an empty list"));
    }
    let place = items.iter().position(|item| same(item, arguments.value(1)) == Some(true));
    place.map(|place| Value::from(place as u64)).ok_or_else(|| Error::new("the list does not have it"))
}

fn contains(arguments: Arguments<'_>) -> Result {
    let (list, wanted) = (arguments.value(0), arguments.value(1));
    let items = match &list.data {
        Data::Unknown(Type::List(_) | Type::Set(_) | Type::Tuple(_), _) => {
            return Ok(Value::unknown(Type::Bool).not_null());
        }
        _ => list.as_items().ok_or_else(|| Error::new(format!("a list or set is wanted, not {}", described(list))))?,
    };
    if items.is_empty() {
        return Ok(false.into());
    }
    let answers: Vec<Option<bool>> = items.iter().map(|item| same(item, wanted)).collect();
    Ok(match () {
        () if wanted.is_unknown() => Value::unknown(Type::Bool).not_null(),
        () if answers.contains(&Some(true)) => true.into(),
        () if answers.contains(&None) => Value::unknown(Type::Bool).not_null(),
        () => false.into(),
    })
}

fn concat(arguments: Arguments<'_>) -> Result {
    if arguments.len() == 0 {
        return Err(Error::new("one list at least is wanted"));
    }
    let is_list = |value: &Value| matches!(value.data, Data::List(_));
    let types = arguments.values.iter().map(|value| value.ty());
    let common = if arguments.values.iter().all(|value| is_list(value)) { unify(types) } else { None };
    let mut all = Vec::new();
    for (place, value) in arguments.values.iter().enumerate() {
        let (Data::List(_) | Data::Tuple(_)) = value.data else {
            return Err(Error::argument(place, format!("a list is wanted here, not {}", described(value))));
        };
        let value = match &common {
            Some(common) => convert(value.clone().into_owned(), common)
                .map_err(|mismatch| Error::argument(place, mismatch.reason))?,
            None => value.clone().into_owned(),
        };
        all.extend(value.as_items().unwrap_or_default().iter().cloned());
    }
    Ok(match common {
        Some(Type::List(element)) => Value::list(*element, all),
        _ => Value::tuple(all),
    })
}

fn flatten(arguments: Arguments<'_>) -> Result {
    let value = arguments.value(0);
    let Some(items) = value.as_items() else {
        return Err(Error::new(format!("only lists and sets can be flattened, and this is {}", described(value))));
    };
    let mut flat = Flat::default();
    flat.extend(items);
    let value = if flat.is_unknown { Value::unknown(Type::Any).not_null() } else { Value::tuple(flat.items) };
    Ok(value.with_marks(flat.marks))
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
                Data::Set(_) if item.has_open_length() => self.wait_for(item),
                Data::List(inner) | Data::Set(inner) | Data::Tuple(inner) => {
                    self.marks |= item.marks;
                    bimetal_syntax::deeply(|| self.extend(inner));
                }
                Data::Unknown(Type::Any | Type::List(_) | Type::Set(_) | Type::Tuple(_), _) => self.wait_for(item),
                _ => self.items.push(item.clone()),
            }
        }
    }

    fn wait_for(&mut self, item: &Value) {
        self.is_unknown = true;
        self.marks |= item.all_marks();
    }
}

#[expect(clippy::mutable_key_type, reason = "what is remembered of a value is no part of its order")]
fn distinct(arguments: Arguments<'_>) -> Result {
    let mut seen = BTreeSet::new();
    let items = arguments.items(0).iter().filter(|item| seen.insert(*item)).cloned();
    Ok(Value::list(arguments.element(0), items))
}

fn sort(arguments: Arguments<'_>) -> Result {
    let mut items = arguments.items(0).to_vec();
    if let Some(place) = items.iter().position(Value::is_null) {
        return Err(Error::new(format!("item {place} is `null`, and has no place among the others")));
    }
    items.sort();
    Ok(Value::list(Type::String, items))
}

fn reverse(arguments: Arguments<'_>) -> Result {
    let value = arguments.value(0);
    let turned = |items: &Items| items.iter().rev().cloned().collect::<Vec<_>>();
    match &value.data {
        Data::Tuple(items) => Ok(Value::tuple(turned(items))),
        Data::List(items) | Data::Set(items) => Ok(Value::list(items.element(), turned(items))),
        _ => Err(Error::argument(0, format!("a list is wanted here, not {}", described(value)))),
    }
}

fn slice(arguments: Arguments<'_>) -> Result {
    let value = arguments.value(0);
    let (Data::List(items) | Data::Tuple(items)) = &value.data else {
        let error = Error::argument(0, format!("a list is wanted here, not {}", described(value)));
        return Err(error.hint("`tolist(…)` makes a list of a set"));
    };
    let bound = |place: usize| {
        let bound = arguments.whole(place).map_err(|error| error.of(place))?;
        let inside = usize::try_from(bound).ok().filter(|bound| *bound <= items.len());
        inside.ok_or_else(|| Error::argument(place, format!("{bound} is not inside of a list of {}", items.len())))
    };
    let (start, end) = (bound(1)?, bound(2)?);
    let Some(part) = items.get(start..end) else {
        return Err(Error::argument(1, format!("{start} is behind the end, which is {end}")));
    };
    Ok(match &value.data {
        Data::List(items) => Value::list(items.element(), part.iter().cloned()),
        _ => Value::tuple(part.iter().cloned()),
    })
}

fn chunks(arguments: Arguments<'_>) -> Result {
    let (items, size) = (arguments.items(0), arguments.whole(1)?);
    let size = usize::try_from(size).map_err(|_| Error::new("a chunk can't have less than no items"))?;
    let size = if size == 0 { items.len().max(1) } else { size };
    let element = arguments.element(0);
    let chunk = |chunk: &[Value]| Value::list(element.clone(), chunk.iter().cloned());
    Ok(Value::list(Type::list(element.clone()), items.chunks(size).map(chunk)))
}

fn range(arguments: Arguments<'_>) -> Result {
    let (zero, one) = (Number::from(0), Number::from(1));
    let (start, end) = match arguments.len() {
        1 => (&zero, arguments.number(0)),
        2 | 3 => (arguments.number(0), arguments.number(1)),
        many => return Err(Error::new(format!("`range` takes 1 to 3 arguments, here are {many}"))),
    };
    let step = match arguments.len() {
        3 => arguments.number(2).clone(),
        _ if end.compare(start).is_lt() => -&one,
        _ => one,
    };
    let goes_down = step.is_negative();
    if if goes_down { end.compare(start).is_gt() } else { end.compare(start).is_lt() } {
        return Err(Error::argument(1, "this step never reaches the end"));
    }
    let (mut items, mut at) = (Vec::new(), start.clone());
    while if goes_down { at.compare(end).is_gt() } else { at.compare(end).is_lt() } {
        if items.len() >= MOST_NUMBERS {
            return Err(Error::new(format!("these are more than {MOST_NUMBERS} numbers")));
        }
        items.push(Value::from(at.clone()));
        at = &at + &step;
    }
    Ok(Value::list(Type::Number, items))
}

#[expect(clippy::mutable_key_type, reason = "what is remembered of a value is no part of its order")]
fn match_keys(arguments: Arguments<'_>) -> Result {
    let common = unify([arguments.value(1).ty(), arguments.value(2).ty()]);
    let common = common.ok_or_else(|| Error::new("keys and what is searched for have no type in common"))?;
    let as_common = |place: usize| {
        let list = convert(arguments.value(place).clone(), &common).map_err(|mismatch| Error::new(mismatch.reason))?;
        Ok(list.as_items().unwrap_or_default().to_vec())
    };
    let (values, keys, wanted) = (arguments.items(0), as_common(1)?, as_common(2)?);
    if values.len() != keys.len() {
        return Err(Error::new(format!("there are {} keys and {} values", keys.len(), values.len())));
    }
    let wanted: BTreeSet<Value> = wanted.into_iter().collect();
    let chosen = values.iter().zip(&keys).filter(|(_, key)| wanted.contains(key));
    Ok(Value::list(arguments.element(0), chosen.map(|(value, _)| value.clone())))
}
