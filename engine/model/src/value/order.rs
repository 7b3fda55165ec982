//! In which order a set has its items.
//!
//! Source: cty's `set_internals.go`. Numbers and text have an order of their own; everything else has that of the text which cty makes of it.

use super::{Data, Value};
use crate::number::Notation;

/// Equal ones are side by side then.
pub(crate) fn sort(items: &mut [Value]) {
    let is_simple = |item: &Value| matches!(item.data, Data::Bool(_) | Data::Number(_) | Data::String(_));
    items.sort_unstable();
    if !items.iter().all(is_simple) {
        items.sort_by_cached_key(|item| (rank(item), key(item)));
    }
}

/// What is not known comes behind what is, and `null` at the end.
fn rank(item: &Value) -> u8 {
    match item.data {
        Data::Null(_) => 2,
        Data::Unknown(..) => 1,
        _ => 0,
    }
}

/// Nothing for what has an order of its own.
fn key(item: &Value) -> String {
    let mut text = String::new();
    match item.data {
        Data::Null(_) | Data::Unknown(..) | Data::Bool(_) | Data::Number(_) | Data::String(_) | Data::Handle(_) => {}
        Data::List(_) | Data::Set(_) | Data::Map(_) | Data::Tuple(_) | Data::Object(_) => write(item, &mut text),
    }
    text
}

fn write(value: &Value, text: &mut String) {
    match &value.data {
        Data::Null(_) => text.push('~'),
        Data::Unknown(..) => text.push('?'),
        Data::Bool(truth) => text.push(if *truth { 'T' } else { 'F' }),
        Data::Number(number) if number.is_zero() => text.push('0'),
        Data::Number(number) => text.push_str(&number.text(Notation::Shorter, Some(10))),
        Data::String(string) | Data::Handle(string) => quote(string, text),
        Data::List(items) | Data::Set(items) => write_all(['[', ']'], items.iter(), text),
        Data::Tuple(items) => write_all(['<', '>'], items.iter(), text),
        Data::Object(members) => write_all(['<', '>'], members.values(), text),
        Data::Map(members) => {
            text.push('{');
            for (name, member) in members {
                quote(name, text);
                text.push(':');
                write(member, text);
                text.push(';');
            }
            text.push('}');
        }
    }
}

fn write_all<'v>([open, close]: [char; 2], parts: impl Iterator<Item = &'v Value>, text: &mut String) {
    text.push(open);
    for part in parts {
        write(part, text);
        text.push(';');
    }
    text.push(close);
}

/// As Go does.
fn quote(string: &str, text: &mut String) {
    text.push('"');
    for c in string.chars() {
        match c {
            '\u{7}' => text.push_str("\\a"),
            '\u{8}' => text.push_str("\\b"),
            '\u{c}' => text.push_str("\\f"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\u{b}' => text.push_str("\\v"),
            '"' | '\\' => text.extend(['\\', c]),
            '\0'..' ' | '\u{7f}' => text.push_str(&format!("\\x{:02x}", u32::from(c))),
            _ => text.push(c),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ty::Type;

    fn sorted(mut items: Vec<Value>) -> String {
        sort(&mut items);
        format!("{items:?}")
    }

    #[test]
    fn what_is_missing_comes_last() {
        let items = vec![Value::NULL, Value::unknown(Type::String), Value::from("b"), Value::from("a")];
        assert_eq!(sorted(items), r#"["a", "b", (unknown string), null]"#);
    }

    #[test]
    fn structures_have_the_order_of_their_text() {
        let list = |numbers: &[u64]| Value::tuple(numbers.iter().map(|number| Value::from(*number)));
        assert_eq!(sorted(vec![list(&[9]), list(&[10]), list(&[1, 2]), list(&[])]), "[[10], [1, 2], [9], []]");
        let object = |name: &str| Value::from_iter([("name", Value::from(name))]);
        let names = [object("b"), object("a\""), object("a#")];
        assert_eq!(sorted(names.to_vec()), r#"[{"name": "a#"}, {"name": "a\""}, {"name": "b"}]"#);
    }
}
