//! What functions give while some of their arguments are not known yet.
//!
//! Source: the refinements of the same functions of cty and of Terraform. Where nothing special is known, what the table says holds.

use bimetal_model::convert::{convert, unify};
use bimetal_model::{Bounds, Data, Members, Refinement, Type, Value};

use super::Arguments;
use super::text::characters;

/// More items than this are of no use to whoever asks how many there are at most.
const MOST_ITEMS: u64 = 2048;

/// What is known of an answer; nothing, where that is no more than what the table says.
pub(super) type Foretold = Option<Value>;

fn list(element: Type, lengths: Bounds<u64>) -> Foretold {
    Some(Value::refined(Type::list(element), Refinement::of_lengths(lengths)))
}

/// What the items are, and how many.
fn sequence(value: &Value) -> Option<(Type, Bounds<u64>)> {
    let element = match value.ty() {
        Type::List(element) | Type::Set(element) => *element,
        Type::Tuple(types) => common(types.into_iter())?,
        _ => return None,
    };
    Some((element, value.lengths()?))
}

/// The type that all have in common; anything, where of one of them nothing is known.
fn common(types: impl Iterator<Item = Type> + Clone) -> Option<Type> {
    let common = unify(types.clone())?;
    let any = match common {
        _ if !types.clone().any(|ty| ty.has_any()) => return Some(common),
        Type::List(_) => Type::list(Type::Any),
        Type::Set(_) => Type::set(Type::Any),
        _ => Type::Any,
    };
    Some(any)
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

pub(super) fn length(value: &Value) -> Value {
    let lengths = match &value.data {
        Data::Unknown(Type::String, refinement) => {
            Bounds { least: Some(characters(refinement.prefix()).count() as u64), most: None }
        }
        _ => value.lengths().unwrap_or_default(),
    };
    let number = |length: u64| length.into();
    let numbers = Bounds { least: Some(number(lengths.least.unwrap_or(0))), most: lengths.most.map(number) };
    match lengths.only() {
        Some(length) => Value::from(*length),
        None => Value::refined(Type::Number, Refinement::of_numbers(numbers)),
    }
}

pub(super) fn starts_with(arguments: &Arguments<'_>) -> Foretold {
    let (value, wanted) = (arguments.value(0).refinement(), arguments.value(1).refinement());
    let wanted_text = text(arguments.value(1)).filter(|text| value.prefix().starts_with(*text));
    let never = match (text(arguments.value(0)), text(arguments.value(1))) {
        (Some(known), None) => !known.starts_with(wanted.prefix()),
        (None, Some(known)) => !known.starts_with(value.prefix()),
        (None, None) | (Some(_), Some(_)) => false,
    };
    match (wanted_text, never || value.are_apart(&wanted)) {
        (Some(_), _) => Some(Value::from(true)),
        (None, true) => Some(Value::from(false)),
        (None, false) => None,
    }
}

pub(super) fn has_text(arguments: &Arguments<'_>) -> Foretold {
    let value = arguments.value(0).refinement();
    text(arguments.value(1)).filter(|wanted| value.prefix().contains(*wanted)).map(|_| Value::from(true))
}

/// What comes of a list that is the first of which it is not known that it is empty.
pub(super) fn coalesce_list(first: &Value) -> Value {
    let least = first.lengths().and_then(|lengths| lengths.least).unwrap_or(0);
    if first.is_something() && least > 0 { first.clone() } else { Value::unknown(Type::Any).not_null() }
}

pub(super) fn keys(arguments: &Arguments<'_>) -> Foretold {
    match &arguments.value(0).data {
        Data::Unknown(Type::Object(fields), _) => Some(Value::tuple(fields.keys().map(|name| name.as_str().into()))),
        Data::Unknown(Type::Map(_), refinement) => list(Type::String, refinement.lengths()),
        _ => None,
    }
}

pub(super) fn values(arguments: &Arguments<'_>) -> Foretold {
    match &arguments.value(0).data {
        Data::Unknown(Type::Object(fields), _) => {
            Some(Value::tuple(fields.values().map(|field| Value::unknown(field.ty.clone()))))
        }
        Data::Unknown(Type::Map(element), refinement) => list((**element).clone(), refinement.lengths()),
        _ => None,
    }
}

/// Of maps of one type a map, with as many members as the largest has, or as all have together; of objects an object.
pub(super) fn merge(arguments: &Arguments<'_>) -> Foretold {
    let ty = arguments.values.first()?.ty();
    if matches!(ty, Type::Map(_)) && !ty.has_any() && arguments.values.iter().all(|value| value.ty() == ty) {
        return merged_maps(arguments, ty);
    }
    let mut merged = Members::default();
    for value in &arguments.values {
        match &value.data {
            Data::Object(members) => merged.extend(members.clone()),
            Data::Unknown(Type::Object(fields), refinement) if refinement.is_not_null() => {
                merged.extend(fields.iter().map(|(name, field)| (name.clone(), Value::unknown(field.ty.clone()))));
            }
            _ => return None,
        }
    }
    Some(Data::Object(merged).into())
}

fn merged_maps(arguments: &Arguments<'_>, ty: Type) -> Foretold {
    // What is `null` is left out.
    let given = || arguments.values.iter().filter(|value| !value.is_null());
    let certain = given().filter(|value| value.is_something());
    let least = certain.filter_map(|value| value.lengths()?.least).max();
    let most = given().map(|value| value.lengths()?.most).sum();
    Some(Value::refined(ty, Refinement::of_lengths(Bounds { least, most })))
}

/// Of lists a list; of others a tuple, unless it is not known how many items one has.
pub(super) fn concat(arguments: &Arguments<'_>) -> Foretold {
    if arguments.values.iter().all(|value| matches!(value.ty(), Type::List(_))) {
        let types = || arguments.values.iter().map(|value| value.ty());
        // Where they have nothing in common, it is a tuple.
        let Type::List(element) = unify(types()).filter(|_| !types().any(|ty| ty.has_any()))? else { return None };
        let lengths = || arguments.values.iter().map(|value| value.lengths().unwrap_or_default());
        let least = lengths().map(|lengths| lengths.least.unwrap_or(0)).sum();
        let most = lengths().map(|lengths| lengths.most).sum();
        return list(*element, Bounds { least: Some(least), most });
    }
    let mut items = Vec::new();
    for value in &arguments.values {
        match &value.data {
            Data::List(found) | Data::Tuple(found) => items.extend(found.iter().cloned()),
            Data::Unknown(Type::Tuple(types), _) => items.extend(types.iter().cloned().map(Value::unknown)),
            _ => return None,
        }
    }
    Some(Value::tuple(items))
}

/// The most rows that there can be; one at least, where each has items.
pub(super) fn set_product(arguments: &Arguments<'_>) -> Foretold {
    let parts: Vec<_> = arguments.values.iter().map(|value| sequence(value)).collect::<Option<_>>()?;
    let is_set = arguments.values.iter().any(|value| matches!(value.ty(), Type::Set(_)));
    let most = parts.iter().try_fold(1_u64, |most, (_, lengths)| most.checked_mul(lengths.most?));
    let most = most.filter(|most| *most <= MOST_ITEMS);
    let least = parts.iter().try_fold(1_u64, |least, (_, lengths)| least.checked_mul(lengths.least.unwrap_or(0)));
    let row = Type::Tuple(parts.into_iter().map(|(element, _)| element).collect());
    let (ty, least) = match is_set {
        true => (Type::set(row), least.map(|least| least.min(1))),
        false => (Type::list(row), least),
    };
    Some(Value::refined(ty, Refinement::of_lengths(Bounds { least, most })))
}

pub(super) fn element(arguments: &Arguments<'_>) -> Foretold {
    match (arguments.value(0).ty(), arguments.value(1).as_number().and_then(|place| place.to_i64())) {
        (Type::List(element), _) => Some(Value::unknown(*element)),
        (Type::Tuple(types), Some(place)) => {
            let place = place.checked_rem_euclid(types.len() as i64)?;
            Some(Value::unknown(types.get(usize::try_from(place).ok()?)?.clone()))
        }
        _ => None,
    }
}

/// Of a list of values a map, in which each name is once.
pub(super) fn zip_map(arguments: &Arguments<'_>) -> Foretold {
    let Type::List(element) = arguments.value(1).ty() else { return None };
    let lengths = arguments.value(1).lengths()?;
    let least = lengths.least.map(|least| least.min(1));
    Some(Value::refined(Type::map(*element), Refinement::of_lengths(Bounds { least, ..lengths })))
}

/// What is there, whatever would be in its place; otherwise something of the map's type.
pub(super) fn lookup(arguments: &Arguments<'_>) -> Foretold {
    let (map, name) = (arguments.value(0), arguments.value(1).as_str());
    let found = map.as_members().zip(name).and_then(|(members, name)| members.get(name));
    match map.ty() {
        _ if found.is_some() => found.cloned(),
        Type::Map(element) => Some(Value::unknown(*element)),
        _ => None,
    }
}

pub(super) fn one(arguments: &Arguments<'_>) -> Foretold {
    let value = arguments.value(0);
    match (value.ty(), value.as_items()) {
        (_, Some([only])) => Some(only.clone()),
        (Type::List(element) | Type::Set(element), _) => Some(Value::unknown(*element)),
        _ => None,
    }
}

/// A list of the same items, all of them, in some order.
pub(super) fn same_items(arguments: &Arguments<'_>) -> Foretold {
    match &arguments.value(0).data {
        Data::Unknown(Type::Tuple(_), _) => None,
        _ => sequence(arguments.value(0)).and_then(|(element, lengths)| list(element, lengths)),
    }
}

/// A list of texts, all of them, in some order.
pub(super) fn same_texts(arguments: &Arguments<'_>) -> Foretold {
    list(Type::String, arguments.value(0).lengths()?)
}

/// A list of some of the items; of one at least if there is one.
pub(super) fn distinct_items(arguments: &Arguments<'_>) -> Foretold {
    let (element, lengths) = sequence(arguments.value(0))?;
    list(element, Bounds { least: lengths.least.map(|least| least.min(1)), ..lengths })
}

pub(super) fn some_texts(arguments: &Arguments<'_>) -> Foretold {
    list(Type::String, Bounds { least: None, ..arguments.value(0).lengths()? })
}

pub(super) fn some_items(arguments: &Arguments<'_>) -> Foretold {
    let (element, lengths) = sequence(arguments.value(0))?;
    list(element, Bounds { least: None, ..lengths })
}

/// A list from one place to another.
pub(super) fn slice(arguments: &Arguments<'_>) -> Foretold {
    let Type::List(element) = arguments.value(0).ty() else { return None };
    let place = |place: usize| arguments.value(place).as_number()?.to_u64();
    let length = place(1).zip(place(2)).and_then(|(start, end)| end.checked_sub(start));
    list(*element, length.map_or_else(Bounds::default, Bounds::exactly))
}

pub(super) fn chunks(arguments: &Arguments<'_>) -> Foretold {
    let (element, _) = sequence(arguments.value(0))?;
    list(Type::list(element), Bounds::default())
}

/// A set of all that is in any of them.
pub(super) fn union(arguments: &Arguments<'_>) -> Foretold {
    let lengths = || arguments.values.iter().map(|value| value.lengths().unwrap_or_default());
    let most = lengths().map(|lengths| lengths.most).sum();
    set_of_items(arguments, Bounds { least: lengths().filter_map(|lengths| lengths.least).max(), most })
}

/// A set of some of what is in the first.
pub(super) fn part_of_first(arguments: &Arguments<'_>) -> Foretold {
    let most = arguments.value(0).lengths().and_then(|lengths| lengths.most);
    set_of_items(arguments, Bounds { least: None, most })
}

fn set_of_items(arguments: &Arguments<'_>, lengths: Bounds<u64>) -> Foretold {
    let elements = arguments.values.iter().map(|value| Some(sequence(value)?.0)).collect::<Option<Vec<_>>>()?;
    Some(Value::refined(Type::set(common(elements.into_iter())?), Refinement::of_lengths(lengths)))
}

/// What a document begins with says of what kind it is.
pub(super) fn json(arguments: &Arguments<'_>) -> Foretold {
    let value = arguments.value(0);
    let prefix = match value.ty() {
        _ if !value.is_something() => return None,
        Type::String => "\"",
        Type::Map(_) | Type::Object(_) => "{",
        Type::List(_) | Type::Set(_) | Type::Tuple(_) => "[",
        Type::Any | Type::Bool | Type::Number | Type::Handle => return None,
    };
    Some(Value::refined(Type::String, Refinement::beginning_with(prefix)))
}

/// What stands before the first verb.
pub(super) fn format(arguments: &Arguments<'_>) -> Foretold {
    let (before, _) = text(arguments.value(0))?.split_once('%')?;
    Some(Value::refined(Type::String, Refinement::beginning_with(before)))
}

/// The items before the first that is not known.
pub(super) fn join(arguments: &Arguments<'_>) -> Foretold {
    let (separator, mut joined) = (text(arguments.value(0))?, String::new());
    let mut is_first = true;
    'known: for place in 1..arguments.len() {
        let list = convert(arguments.value(place).clone(), &Type::list(Type::String)).ok()?;
        let Some(items) = list.as_items() else { break };
        for item in items {
            if !std::mem::take(&mut is_first) {
                joined.push_str(separator);
            }
            match item.as_str() {
                Some(text) => joined.push_str(text),
                None => {
                    joined.push_str(item.refinement().prefix());
                    break 'known;
                }
            }
        }
    }
    Some(Value::refined(Type::String, Refinement::beginning_with(&joined)))
}
