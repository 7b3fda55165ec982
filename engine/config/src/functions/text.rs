//! Text.

use bimetal_model::{Type, Value};

use super::format::format;
use super::{Arguments, Error, Function, MANY, Result, deep, texts};

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("lower", 1, 1, Type::String, |a| Ok(a.text(0)?.chars().map(lower).collect::<String>().into())),
        deep("upper", 1, 1, Type::String, |a| Ok(a.text(0)?.to_uppercase().into())),
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
        deep("strrev", 1, 1, Type::String, |a| {
            Ok(characters(&a.text(0)?).into_iter().rev().collect::<String>().into())
        }),
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
            let values: Vec<&Value> = (1..a.len()).map(|place| a.value(place)).collect();
            Ok(format(&a.text(0)?, &values)?.into())
        }),
        deep("formatlist", 1, MANY, texts(), format_list),
    ]
}

/// One letter for one, as Go does it.
fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

fn title(text: &str) -> String {
    let mut at_start = true;
    text.chars()
        .flat_map(|c| {
            let begins = std::mem::replace(&mut at_start, !(c.is_alphanumeric() || c == '_' || c == '\''));
            if begins { c.to_uppercase().collect::<Vec<_>>() } else { vec![c] }
        })
        .collect()
}

/// What people see as one character: a line end, a letter with its combining marks, a joined emoji, a flag.
pub(super) fn characters(text: &str) -> Vec<&str> {
    let (mut found, mut start, mut previous, mut flags) = (Vec::new(), 0, None, 0);
    for (place, c) in text.char_indices() {
        let is_flag = ('\u{1f1e6}'..='\u{1f1ff}').contains(&c);
        let continues = match previous {
            None => true,
            Some('\r') => c == '\n',
            Some(before) => extends(c) || before == '\u{200d}' && !c.is_ascii() || is_flag && flags % 2 == 1,
        };
        if !continues {
            found.push(&text[start..place]);
            start = place;
        }
        flags = if is_flag { flags + 1 } else { 0 };
        previous = Some(c);
    }
    if start < text.len() {
        found.push(&text[start..]);
    }
    found
}

/// Combining marks, joiners, variation selectors and skin tones.
fn extends(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5bd}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}'
        | '\u{93c}' | '\u{941}'..='\u{948}' | '\u{94d}' | '\u{e31}' | '\u{e34}'..='\u{e3a}' | '\u{e47}'..='\u{e4e}'
        | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}' | '\u{200c}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0020}'..='\u{e007f}')
}

fn substr(arguments: Arguments<'_>) -> Result {
    let text = arguments.text(0)?;
    let characters = characters(&text);
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

fn format_list(arguments: Arguments<'_>) -> Result {
    let spec = arguments.text(0)?;
    let rest: Vec<&Value> = (1..arguments.len()).map(|place| arguments.value(place)).collect();
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
