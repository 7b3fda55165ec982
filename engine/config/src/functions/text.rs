//! Text.

use bimetal_model::{Type, Value};
use unicode_segmentation::UnicodeSegmentation as _;

use super::format::{format, format_list};
use super::{Arguments, Error, Function, Result, any, deep, foretold, list_of, number, text, texts};
use crate::size::{MOST_TEXT, too_long};

pub(super) fn functions() -> Vec<Function> {
    let later = || text().or_anything();
    vec![
        deep("lower", [later()], Type::String, |a| Ok(a.text(0).chars().map(lower).collect::<String>().into())),
        deep("upper", [later()], Type::String, |a| Ok(a.text(0).chars().map(upper).collect::<String>().into())),
        deep("title", [text()], Type::String, |a| Ok(title(a.text(0)).into())),
        deep("trim", [text(), text()], Type::String, |a| {
            let cut = a.text(1);
            Ok(a.text(0).trim_matches(|c| cut.contains(c)).into())
        }),
        deep("trimspace", [text()], Type::String, |a| Ok(a.text(0).trim().into())),
        deep("trimprefix", [text(), text()], Type::String, |a| {
            Ok(a.text(0).strip_prefix(a.text(1)).unwrap_or(a.text(0)).into())
        }),
        deep("trimsuffix", [text(), text()], Type::String, |a| {
            Ok(a.text(0).strip_suffix(a.text(1)).unwrap_or(a.text(0)).into())
        }),
        deep("chomp", [text()], Type::String, |a| Ok(a.text(0).trim_end_matches(['\n', '\r']).into())),
        deep("strrev", [later()], Type::String, |a| Ok(characters(a.text(0)).rev().collect::<String>().into())),
        deep("startswith", [text(), text()], Type::Bool, |a| Ok(a.text(0).starts_with(a.text(1)).into()))
            .foretelling(foretold::starts_with),
        deep("endswith", [text(), text()], Type::Bool, |a| Ok(a.text(0).ends_with(a.text(1)).into())),
        deep("strcontains", [text(), text()], Type::Bool, |a| Ok(a.text(0).contains(a.text(1)).into()))
            .foretelling(foretold::has_text),
        deep("substr", [later(), number().or_anything(), number().or_anything()], Type::String, substr),
        deep("indent", [number(), text()], Type::String, indent),
        deep("join", [text()], Type::String, join).and_more(list_of(Type::String)).foretelling(foretold::join),
        deep("split", [text(), text()], texts(), split),
        deep("format", [text()], Type::String, |a| Ok(format(a.text(0), &rest(&a))?.into()))
            .and_more(any().or_null())
            .foretelling(foretold::format),
        deep("formatlist", [text()], texts(), |a| format_list(a.text(0), &rest(&a))).and_more(any().or_null()),
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
            let separates = if c.is_ascii() { !(c.is_ascii_alphanumeric() || c == '_') } else { c.is_whitespace() };
            let begins = std::mem::replace(&mut at_start, separates);
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

/// From a place that may be counted from the end, so many characters, or all where it is negative. None from the end are all, too: so
/// it is in Terraform.
fn substr(arguments: Arguments<'_>) -> Result {
    let text = arguments.text(0);
    let (offset, length) = (arguments.whole(1)?, arguments.whole(2)?);
    if offset >= 0 && length == 0 {
        return Ok("".into());
    }
    let skipped = match usize::try_from(offset) {
        Ok(offset) => offset,
        Err(_) => {
            let back = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
            characters(text).count().saturating_sub(back)
        }
    };
    let taken = usize::try_from(length).ok().filter(|length| *length > 0).unwrap_or(usize::MAX);
    Ok(characters(text).skip(skipped).take(taken).collect::<String>().into())
}

fn indent(arguments: Arguments<'_>) -> Result {
    let size = usize::try_from(arguments.whole(0)?);
    let size = size.map_err(|_| Error::new("less than no spaces can't be put in front"))?;
    let text = arguments.text(1);
    let lines = text.matches('\n').count();
    if lines > 0 && lines.saturating_mul(size).saturating_add(text.len()) > MOST_TEXT {
        return Err(Error::new(too_long()));
    }
    let size = if lines == 0 { 0 } else { size };
    Ok(text.replace('\n', &format!("\n{}", " ".repeat(size))).into())
}

fn join(arguments: Arguments<'_>) -> Result {
    if arguments.len() < 2 {
        return Err(Error::new("one list at least is wanted"));
    }
    let mut parts = Vec::new();
    for list in 1..arguments.len() {
        for (place, item) in arguments.items(list).iter().enumerate() {
            let null = || Error::argument(list, format!("item {place} is `null`, and can't be joined"));
            parts.push(item.as_str().ok_or_else(null)?);
        }
    }
    let separators = parts.len().saturating_sub(1).saturating_mul(arguments.text(0).len());
    let size = parts.iter().fold(separators, |size, part| size.saturating_add(part.len()));
    match size > MOST_TEXT {
        true => Err(Error::new(too_long())),
        false => Ok(parts.join(arguments.text(0)).into()),
    }
}

fn split(arguments: Arguments<'_>) -> Result {
    let (separator, text) = (arguments.text(0), arguments.text(1));
    let parts: Vec<Value> = match (separator.is_empty(), text.is_empty()) {
        (true, true) => Vec::new(),
        (true, false) => text.chars().map(|c| c.to_string().into()).collect(),
        _ => text.split(separator).map(Value::from).collect(),
    };
    Ok(Value::list(Type::String, parts))
}

/// All arguments but the first.
fn rest<'a>(arguments: &'a Arguments<'_>) -> Vec<&'a Value> {
    (1..arguments.len()).map(|place| arguments.value(place)).collect()
}
