//! Values that a schema allows, those above all that nobody thinks of.

use bimetal_model::convert::convert;
use bimetal_model::schema::{Attribute, Block, NestedBlock};
use bimetal_model::ty::Field;
use bimetal_model::{Data, Members, Number, Type, Value};

use crate::chance::Chance;

const TEXTS: [&str; 18] = [
    "",
    "a",
    "web-1",
    "Two Words",
    " padded ",
    "ünïcödé → 木",
    "👩‍👩‍👧",
    "line\nline",
    "tab\there",
    "quote\"back\\slash",
    "${not} %{a template}",
    "../../etc/passwd",
    "--help",
    "$(reboot)",
    "0",
    "null",
    "https://example.org:8443/a?b=c#d",
    "\u{0}",
];
const NUMBERS: [&str; 12] =
    ["0", "1", "-1", "2", "80", "255", "65536", "4294967296", "-9223372036854775809", "0.5", "1e-30", "1e400"];
/// So many elements has what holds any, at most.
const MOST_ELEMENTS: usize = 3;
/// A text that is longer than what most fields of most APIs take.
const LONG: usize = 5000;

/// Whether all is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    All,
    /// Some of it is unknown until apply.
    Some,
}

/// The arguments of an object, in its schema's type.
pub(crate) fn config(block: &Block, chance: &mut Chance, known: Known) -> Value {
    let value = members(block, chance, known);
    // Of the right types already, but for those of nulls and of what is empty.
    convert(value.clone(), &block.ty()).unwrap_or(value)
}

fn members(block: &Block, chance: &mut Chance, known: Known) -> Value {
    let attributes = block.attributes.iter().map(|(name, one)| (name.clone(), attribute(one, chance, known)));
    let mut members: Members = attributes.collect();
    members.extend(block.blocks.iter().map(|(name, one)| (name.clone(), nested(one, chance, known))));
    Data::Object(members).into()
}

fn attribute(attribute: &Attribute, chance: &mut Chance, known: Known) -> Value {
    if attribute.read_only || !attribute.required && chance.one_in(2) {
        return Value::NULL;
    }
    if known == Known::Some && chance.one_in(4) {
        return Value::unknown(attribute.ty.clone());
    }
    of_type(&attribute.ty, chance)
}

fn nested(nested: &NestedBlock, chance: &mut Chance, known: Known) -> Value {
    let fewest = usize::from(nested.required);
    if nested.single {
        let is_there = nested.required || chance.one_in(2);
        return if is_there { members(&nested.block, chance, known) } else { Value::NULL };
    }
    let count = fewest + chance.below(MOST_ELEMENTS);
    Value::tuple((0..count).map(|_| members(&nested.block, chance, known)).collect::<Vec<_>>())
}

/// Any value of a type.
pub(crate) fn of_type(ty: &Type, chance: &mut Chance) -> Value {
    let some = |ty: &Type, chance: &mut Chance| -> Vec<Value> {
        (0..chance.below(MOST_ELEMENTS + 1)).map(|_| of_type(ty, chance)).collect()
    };
    let value = match ty {
        Type::String => text(chance),
        Type::Number => number(chance),
        Type::Bool => Value::from(chance.one_in(2)),
        Type::Any => match chance.below(4) {
            0 => number(chance),
            1 => Value::tuple([text(chance), number(chance)]),
            2 => [("key".to_owned(), text(chance))].into_iter().collect(),
            _ => text(chance),
        },
        Type::List(element) | Type::Set(element) => Value::tuple(some(element, chance)),
        Type::Map(element) => {
            let names = TEXTS.iter().skip(chance.below(TEXTS.len()));
            names.zip(some(element, chance)).map(|(name, value)| ((*name).to_owned(), value)).collect()
        }
        Type::Tuple(items) => Value::tuple(items.iter().map(|item| of_type(item, chance)).collect::<Vec<_>>()),
        Type::Object(fields) => {
            let field = |(name, field): (&String, &Field)| {
                let is_absent = field.optional && chance.one_in(2);
                (name.clone(), if is_absent { Value::NULL } else { of_type(&field.ty, chance) })
            };
            fields.iter().map(field).collect()
        }
        Type::Handle => Data::Handle(r#"{"kit":true}"#.into()).into(),
    };
    convert(value.clone(), ty).unwrap_or(value)
}

fn text(chance: &mut Chance) -> Value {
    match chance.below(TEXTS.len() + 1) {
        place if place < TEXTS.len() => Value::from(TEXTS[place]),
        _ => Value::from("x".repeat(LONG)),
    }
}

fn number(chance: &mut Chance) -> Value {
    let number = NUMBERS[chance.below(NUMBERS.len())];
    Value::from(number.parse::<Number>().unwrap_or_else(|_| Number::from(0u64)))
}

/// What an object may be once it is there: a value for all that was unknown.
pub(crate) fn made(planned: Value, chance: &mut Chance) -> Value {
    planned.map_parts(&mut |part| match part.data {
        Data::Unknown(ty, _) => of_type(&ty, chance).with_marks(part.marks),
        data => Value { data, marks: part.marks },
    })
}
