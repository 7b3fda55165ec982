//! Text.

use bimetal_model::{Type, Value};
use unicode_segmentation::UnicodeSegmentation as _;

use super::format::format;
use super::{Arguments, Error, Function, MANY, Result, deep, texts};

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("lower", 1, 1, Type::String, |a| Ok(a.text(0)?.chars().map(lower).collect::<String>().into())),
        deep("upper", 1, 1, Type::String, |a| Ok(a.text(0)?.chars().map(upper).collect::<String>().into())),
        deep("title", 1, 1, Type::String, |a| Ok(title(&a.text(0)?).into())),
        deep("trim", 2, 2, Type::String, |a| {
            let cut = a.text(1)?;
            Ok(a.text(0)?.trim_matches(|c| cut.contains(c)).into())
        }),
        deep("trimspace", 1, 1, Type::String, |a| Ok(a.text(0)?.trim().into())),
        deep("trimprefix", 2, 2, Type::String, |a| {
            let text = a.text(0)?;
            Ok(text.strip_prefix(&a.text(1)?).unwrap_or(&text).into())
        }),
        deep("trimsuffix", 2, 2, Type::String, |a| {
            let text = a.text(0)?;
            Ok(text.strip_suffix(&a.text(1)?).unwrap_or(&text).into())
        }),
        deep("chomp", 1, 1, Type::String, |a| Ok(a.text(0)?.trim_end_matches(['\n', '\r']).into())),
        deep("strrev", 1, 1, Type::String, |a| Ok(characters(&a.text(0)?).rev().collect::<String>().into())),
        deep("startswith", 2, 2, Type::Bool, |a| Ok(a.text(0)?.starts_with(&a.text(1)?).into())),
        deep("endswith", 2, 2, Type::Bool, |a| Ok(a.text(0)?.ends_with(&a.text(1)?).into())),
        deep("strcontains", 2, 2, Type::Bool, |a| Ok(a.text(0)?.contains(&a.text(1)?).into())),
        deep("substr", 3, 3, Type::String, substr),
        deep("indent", 2, 2, Type::String, |a| {
            let size = usize::try_from(a.whole(0)?).ok().filter(|size| *size <= 10_000);
            let size = size.ok_or_else(|| Error::argument(0, "0 to 10000 spaces can be put in front"))?;
            Ok(a.text(1)?.replace('\n', &format!("\n{}", " ".repeat(size))).into())
        }),
        deep("join", 2, MANY, Type::String, |a| {
            let parts: Vec<Vec<String>> = (1..a.len()).map(|place| a.texts(place)).collect::<Result<_>>()?;
            Ok(parts.concat().join(&a.text(0)?).into())
        }),
        deep("split", 2, 2, texts(), split),
        deep("format", 1, MANY, Type::String, |a| {
            let (spec, values) = (a.text(0)?, rest(&a));
            if values.iter().any(|value| is_anything(value)) {
                return Ok(Value::unknown(Type::Any));
            }
            Ok(format(&spec, &values)?.into())
        }),
        deep("formatlist", 1, MANY, texts(), format_list),
    ]
}

/// One letter for one, as Go does it.
fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// The same, where Unicode has one letter for one.
fn upper(c: char) -> char {
    let mut letters = c.to_uppercase();
    letters.next().filter(|_| letters.next().is_none()).unwrap_or(c)
}

fn title(text: &str) -> String {
    let mut at_start = true;
    text.chars()
        .map(|c| {
            let begins = std::mem::replace(&mut at_start, !(c.is_alphanumeric() || c == '_' || c == '\''));
            if begins { titled(c) } else { c }
        })
        .collect()
}

/// Two letters in one have a form for the beginning of a word.
fn titled(c: char) -> char {
    match c {
        '\u{1c4}'..='\u{1c6}' => '\u{1c5}',
        '\u{1c7}'..='\u{1c9}' => '\u{1c8}',
        '\u{1ca}'..='\u{1cc}' => '\u{1cb}',
        '\u{1f1}'..='\u{1f3}' => '\u{1f2}',
        // Georgian has capitals, but no sentence begins with one.
        '\u{10d0}'..='\u{10ff}' => c,
        _ => upper(c),
    }
}

/// What people see as one character: a line end, a letter with its combining marks, a joined emoji, a flag.
pub(super) fn characters(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.graphemes(true)
}

fn substr(arguments: Arguments<'_>) -> Result {
    let text = arguments.text(0)?;
    let characters: Vec<&str> = characters(&text).collect();
    let (offset, length) = (arguments.whole(1)?, arguments.whole(2)?);
    let size = characters.len() as i64;
    let start = if offset < 0 { size.saturating_add(offset).max(0) } else { offset.min(size) };
    let end = if length < 0 { size } else { start.saturating_add(length).min(size) };
    Ok(characters[start as usize..end.max(start) as usize].concat().into())
}

fn split(arguments: Arguments<'_>) -> Result {
    let (separator, text) = (arguments.text(0)?, arguments.text(1)?);
    let parts: Vec<Value> = match (separator.is_empty(), text.is_empty()) {
        (true, true) => Vec::new(),
        (true, false) => text.chars().map(|c| c.to_string().into()).collect(),
        _ => text.split(&separator).map(Value::from).collect(),
    };
    Ok(Value::list(Type::String, parts))
}

/// All arguments but the first.
fn rest<'a>(arguments: &'a Arguments<'_>) -> Vec<&'a Value> {
    (1..arguments.len()).map(|place| arguments.value(place)).collect()
}

/// A `null` without a type says as little as what is unknown: `format` is the one function that is given it so.
fn is_anything(value: &Value) -> bool {
    value.is_null() && value.ty() == Type::Any
}

fn format_list(arguments: Arguments<'_>) -> Result {
    let (spec, rest) = (arguments.text(0)?, rest(&arguments));
    if rest.iter().any(|value| is_anything(value)) {
        return Ok(Value::unknown(Type::Any));
    }
    let Some(rows) = rest.iter().filter_map(|value| value.as_items().map(<[_]>::len)).max() else {
        return Ok(Value::list(Type::String, [format(&spec, &rest)?.into()]));
    };
    let row = |row: usize| {
        let values = rest.iter().enumerate().map(|(place, value)| match value.as_items() {
            Some(items) => items.get(row).ok_or_else(|| Error::argument(place + 1, "the lists have different lengths")),
            None => Ok(*value),
        });
        Ok(format(&spec, &values.collect::<Result<Vec<_>>>()?)?.into())
    };
    Ok(Value::list(Type::String, (0..rows).map(row).collect::<Result<Vec<_>>>()?))
}
