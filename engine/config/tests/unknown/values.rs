//! Values, and what they may be before they are known.

use std::collections::BTreeMap;

use bimetal_model::convert::convert;
use bimetal_model::{Bounds, Data, Refinement, Type, Value};

use crate::choices::Choices;

const TEXTS: [&str; 10] = ["", "a", "b", "c", "http://x", "http", "1", "true", "é", "\u{301}x"];

fn real_text(choices: &mut Choices<'_>) -> Value {
    Value::from(choices.of(&TEXTS))
}

fn maybe(value: Value, choices: &mut Choices<'_>) -> Value {
    if choices.below(3) == 0 { Value::null(value.ty()) } else { value }
}

fn real_texts(choices: &mut Choices<'_>) -> Value {
    let count = choices.below(4);
    let item = |_| if choices.below(8) == 7 { Value::null(Type::String) } else { real_text(choices) };
    Value::list(Type::String, (0..count).map(item).collect::<Vec<_>>())
}

fn real_number(choices: &mut Choices<'_>) -> Value {
    let number = choices.of(&["0", "1", "2", "3", "-1", "-2", "0.5", "1e30"]);
    Value::from(number.parse::<bimetal_model::Number>().unwrap())
}

fn real_object(choices: &mut Choices<'_>) -> Value {
    let a = real_text(choices);
    [("a", maybe(a, choices)), ("n", real_number(choices))].into_iter().collect()
}

/// Each variable's name with a value.
pub(crate) fn real_values(choices: &mut Choices<'_>) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    let mut put = |name: &str, value: Value| drop(values.insert(name.to_owned(), value));
    put("text", real_text(choices));
    put("url", Value::from(format!("http://{}", choices.of(&TEXTS))));
    put("secret", real_text(choices).into_sensitive());
    put("template", Value::from(choices.of(&["<${x}>", "${x}", "a"])));
    let text = real_text(choices);
    put("maybe", maybe(text, choices));
    put("number", real_number(choices));
    let number = real_number(choices);
    put("maybe_number", maybe(number, choices));
    put("truth", Value::from(choices.below(2) == 0));
    put("texts", real_texts(choices));
    let numbers: Vec<Value> = (0..choices.below(3)).map(|_| real_number(choices)).collect();
    put("numbers", Value::list(Type::Number, numbers));
    let set = Value::tuple((0..choices.below(4)).map(|_| real_text(choices)).collect::<Vec<_>>());
    put("set", convert(set, &Type::set(Type::String)).unwrap());
    let members: Vec<_> =
        (0..choices.below(4)).map(|_| (choices.of(&["a", "b", "c"]).to_owned(), real_text(choices))).collect();
    put("map", Value::map(Type::String, members));
    put("object", real_object(choices));
    let object = real_object(choices);
    put("maybe_object", maybe(object, choices));
    let objects: Vec<Value> = (0..choices.below(3)).map(|_| real_object(choices)).collect();
    put("objects", Value::list(Type::object([("a", Type::String), ("n", Type::Number)]), objects));
    put("tuple", Value::tuple([real_text(choices), real_number(choices)]));
    values
}

/// Something in the place of a value that it may turn out to be.
pub(crate) fn unknown(real: &Value, choices: &mut Choices<'_>) -> Value {
    let ty = real.ty();
    let value = match choices.below(6) {
        0 => real.clone(),
        1 => Value::unknown(ty),
        2 if !real.is_null() => Value::unknown(ty).not_null(),
        3 => Value::refined(ty, promised(real, choices)),
        4 => partly(real, choices),
        _ => Value::unknown(ty),
    };
    value.with_marks(real.marks)
}

fn promised(real: &Value, choices: &mut Choices<'_>) -> Refinement {
    let (below, above) = (choices.below(3) as u64, choices.below(3) as u64);
    let refinement = match &real.data {
        Data::Null(_) => return Refinement::NONE,
        Data::String(text) => {
            let end = text.char_indices().map(|(place, _)| place).nth(choices.below(9)).unwrap_or(text.len());
            Refinement::beginning_with(&text[..end])
        }
        Data::Number(number) => Refinement::of_numbers(Bounds::between(number - &below.into(), number + &above.into())),
        _ => match real.lengths().and_then(|lengths| lengths.only().copied()) {
            Some(length) => Refinement::of_lengths(Bounds::between(length.saturating_sub(below), length + above)),
            None => Refinement::NOT_NULL,
        },
    };
    if choices.below(4) == 0 { refinement.or_null() } else { refinement }
}

fn partly(real: &Value, choices: &mut Choices<'_>) -> Value {
    let mut change = |value: &Value| unknown(value, choices);
    match &real.data {
        Data::List(items) => Value::list(items.element(), items.iter().map(&mut change).collect::<Vec<_>>()),
        Data::Tuple(items) => Value::tuple(items.iter().map(&mut change).collect::<Vec<_>>()),
        Data::Map(members) => {
            let members: Vec<_> = members.iter().map(|(name, value)| (name.clone(), change(value))).collect();
            Value::map(Type::String, members)
        }
        Data::Object(members) => {
            members.iter().map(|(name, value)| (name, change(value))).collect::<Vec<_>>().into_iter().collect()
        }
        // One more may be the same as another.
        Data::Set(items) => {
            let mut parts: Vec<Value> = items.iter().map(&mut change).collect();
            parts.extend(items.first().map(|_| Value::unknown(Type::String)));
            convert(Value::tuple(parts), &Type::set(Type::String)).unwrap()
        }
        _ => Value::unknown(real.ty()),
    }
}
