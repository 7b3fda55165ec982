//! Text.

use bimetal_model::convert::convert;
use bimetal_model::{Number, Type, Value};

use super::{Arguments, Error, Function, MANY, Result, deep};

pub(super) const FUNCTIONS: &[Function] = &[
    deep("lower", 1, 1, |a| Ok(a.text(0)?.to_lowercase().into())),
    deep("upper", 1, 1, |a| Ok(a.text(0)?.to_uppercase().into())),
    deep("title", 1, 1, |a| Ok(title(&a.text(0)?).into())),
    deep("trim", 2, 2, |a| {
        let cut = a.text(1)?;
        Ok(a.text(0)?.trim_matches(|c| cut.contains(c)).into())
    }),
    deep("trimspace", 1, 1, |a| Ok(a.text(0)?.trim().into())),
    deep("trimprefix", 2, 2, |a| {
        let text = a.text(0)?;
        Ok(text.strip_prefix(&a.text(1)?).unwrap_or(&text).into())
    }),
    deep("trimsuffix", 2, 2, |a| {
        let text = a.text(0)?;
        Ok(text.strip_suffix(&a.text(1)?).unwrap_or(&text).into())
    }),
    deep("chomp", 1, 1, |a| Ok(a.text(0)?.trim_end_matches(['\n', '\r']).into())),
    deep("strrev", 1, 1, |a| Ok(a.text(0)?.chars().rev().collect::<String>().into())),
    deep("startswith", 2, 2, |a| Ok(a.text(0)?.starts_with(&a.text(1)?).into())),
    deep("endswith", 2, 2, |a| Ok(a.text(0)?.ends_with(&a.text(1)?).into())),
    deep("strcontains", 2, 2, |a| Ok(a.text(0)?.contains(&a.text(1)?).into())),
    deep("substr", 3, 3, substr),
    deep("indent", 2, 2, |a| {
        let pad = format!("\n{}", " ".repeat(usize::try_from(a.whole(0)?.clamp(0, 1_000)).unwrap_or(0)));
        Ok(a.text(1)?.replace('\n', &pad).into())
    }),
    deep("join", 2, MANY, |a| {
        let parts: Vec<Vec<String>> = (1..a.len()).map(|place| a.texts(place)).collect::<Result<_>>()?;
        Ok(parts.concat().join(&a.text(0)?).into())
    }),
    deep("split", 2, 2, split),
    deep("replace", 3, 3, replace),
    deep("regex", 2, 2, |a| {
        let (pattern, text) = (compile(&a)?, a.text(1)?);
        match pattern.captures(&text) {
            Some(captures) => Ok(captured(&pattern, &captures)),
            None => Err(Error::argument(1, "the pattern does not match")),
        }
    }),
    deep("regexall", 2, 2, |a| {
        let (pattern, text) = (compile(&a)?, a.text(1)?);
        Ok(Value::tuple(pattern.captures_iter(&text).map(|captures| captured(&pattern, &captures))))
    }),
    deep("format", 1, MANY, |a| Ok(format(&a.text(0)?, &a.values[1..])?.into())),
    deep("formatlist", 1, MANY, format_list),
];

fn title(text: &str) -> String {
    let mut at_start = true;
    text.chars()
        .flat_map(|c| {
            let begins = std::mem::replace(&mut at_start, !(c.is_alphanumeric() || c == '_' || c == '\''));
            if begins { c.to_uppercase().collect::<Vec<_>>() } else { vec![c] }
        })
        .collect()
}

fn substr(arguments: Arguments<'_>) -> Result {
    let chars: Vec<char> = arguments.text(0)?.chars().collect();
    let (offset, length) = (arguments.whole(1)?, arguments.whole(2)?);
    let size = chars.len() as i64;
    let start = if offset < 0 { (size + offset).max(0) } else { offset.min(size) };
    let end = if length < 0 { size } else { start.saturating_add(length).min(size) };
    Ok(chars[start as usize..end.max(start) as usize].iter().collect::<String>().into())
}

fn split(arguments: Arguments<'_>) -> Result {
    let (separator, text) = (arguments.text(0)?, arguments.text(1)?);
    let parts: Vec<Value> = match (separator.is_empty(), text.is_empty()) {
        (true, true) => Vec::new(),
        (true, false) => text.chars().map(|c| c.to_string().into()).collect(),
        _ => text.split(&separator).map(Value::from).collect(),
    };
    Ok(bimetal_model::Data::List(parts).into())
}

/// A pattern between slashes is a regular expression.
fn replace(arguments: Arguments<'_>) -> Result {
    let (text, pattern, with) = (arguments.text(0)?, arguments.text(1)?, arguments.text(2)?);
    match pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        Some(pattern) => {
            let pattern = regex::Regex::new(pattern)
                .map_err(|error| Error::argument(1, format!("the pattern is broken: {error}")))?;
            Ok(pattern.replace_all(&text, with.as_str()).into_owned().into())
        }
        None => Ok(text.replace(&pattern, &with).into()),
    }
}

fn compile(arguments: &Arguments<'_>) -> Result<regex::Regex> {
    regex::Regex::new(&arguments.text(0)?)
        .map_err(|error| Error::argument(0, format!("the pattern is broken: {error}")))
}

/// Named groups make an object, others a tuple, none the whole match.
fn captured(pattern: &regex::Regex, captures: &regex::Captures<'_>) -> Value {
    let group = |found: Option<regex::Match<'_>>| found.map_or(Value::NULL, |found| found.as_str().into());
    let names: Vec<_> = pattern.capture_names().flatten().collect();
    if !names.is_empty() {
        return names.into_iter().map(|name| (name, group(captures.name(name)))).collect();
    }
    match captures.len() {
        1 => group(captures.get(0)),
        _ => Value::tuple((1..captures.len()).map(|place| group(captures.get(place)))),
    }
}

fn format_list(arguments: Arguments<'_>) -> Result {
    let spec = arguments.text(0)?;
    let rest = &arguments.values[1..];
    let Some(rows) = rest.iter().filter_map(|value| value.as_items().map(<[_]>::len)).max() else {
        return Ok(bimetal_model::Data::List(vec![format(&spec, rest)?.into()]).into());
    };
    let row = |row: usize| {
        let values = rest.iter().enumerate().map(|(place, value)| match value.as_items() {
            Some(items) => {
                items.get(row).cloned().ok_or_else(|| Error::argument(place + 1, "the lists have different lengths"))
            }
            None => Ok(value.clone()),
        });
        Ok(format(&spec, &values.collect::<Result<Vec<_>>>()?)?.into())
    };
    Ok(bimetal_model::Data::List((0..rows).map(row).collect::<Result<_>>()?).into())
}

/// One verb of a format: `%[flags][width][.precision]verb`.
struct Verb {
    flags: String,
    width: usize,
    precision: Option<usize>,
    verb: char,
}

/// Go's `fmt`, as Terraform offers it.
fn format(spec: &str, values: &[Value]) -> Result<String> {
    let mut text = String::new();
    let mut values = values.iter().enumerate();
    let mut chars = spec.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        let verb = read_verb(&mut chars)?;
        if verb.verb == '%' {
            text.push('%');
            continue;
        }
        let Some((place, value)) = values.next() else {
            return Err(Error::argument(0, "there are fewer values than verbs"));
        };
        text.push_str(&pad(&verb, show(&verb, value).map_err(|reason| Error::argument(place + 1, reason))?));
    }
    match values.next() {
        Some((place, _)) => Err(Error::argument(place + 1, "there are more values than verbs")),
        None => Ok(text),
    }
}

fn read_verb(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Verb> {
    let mut take = |wanted: fn(&char) -> bool| {
        let mut taken = String::new();
        while let Some(c) = chars.next_if(wanted) {
            taken.push(c);
        }
        taken
    };
    let flags = take(|c| matches!(c, '+' | '-' | '#' | ' ' | '0'));
    let width = take(char::is_ascii_digit);
    let precision = match take(|c| *c == '.').is_empty() {
        true => None,
        false => Some(take(char::is_ascii_digit)),
    };
    let size = |digits: &str| digits.parse::<usize>().unwrap_or(0).min(10_000);
    let verb = chars.next().ok_or_else(|| Error::argument(0, "a verb is missing behind `%`"))?;
    Ok(Verb { flags, width: size(&width), precision: precision.map(|digits| size(&digits)), verb })
}

fn show(verb: &Verb, value: &Value) -> std::result::Result<String, String> {
    let as_text = |value: &Value| match convert(value.clone(), &Type::String) {
        Ok(value) if !value.is_null() => Ok(value.as_str().unwrap_or_default().to_owned()),
        _ => Err(format!("a {} is no text", value.ty())),
    };
    let as_number =
        |value: &Value| match convert(value.clone(), &Type::Number).ok().and_then(|value| value.as_number().cloned()) {
            Some(number) => Ok(number),
            None => Err(format!("a {} is no number", value.ty())),
        };
    match verb.verb {
        's' => as_text(value).map(|text| cut(&text, verb.precision)),
        'q' => as_text(value).map(|text| serde_json::Value::String(text).to_string()),
        'v' => Ok(any(value, verb)),
        't' => match convert(value.clone(), &Type::Bool).ok().and_then(|value| value.as_bool()) {
            Some(truth) => Ok(truth.to_string()),
            None => Err(format!("a {} is neither true nor false", value.ty())),
        },
        'd' => signed(verb, truncated(&as_number(value)?).to_string()),
        'x' | 'X' | 'o' | 'b' => based(verb, &truncated(&as_number(value)?)),
        'f' | 'F' => signed(verb, fixed(&as_number(value)?, verb.precision.unwrap_or(6))),
        'e' | 'E' => Ok(format!("{:.*e}", verb.precision.unwrap_or(6), as_number(value)?.to_f64())),
        'g' | 'G' => signed(verb, as_number(value)?.to_string()),
        other => Err(format!("`%{other}` is no verb")),
    }
}

fn any(value: &Value, verb: &Verb) -> String {
    match value.as_str() {
        Some(text) if !verb.flags.contains('#') => text.to_owned(),
        _ => bimetal_model::json::encode(value, bimetal_model::json::Marks::Drop).to_string(),
    }
}

fn cut(text: &str, precision: Option<usize>) -> String {
    text.chars().take(precision.unwrap_or(usize::MAX)).collect()
}

fn truncated(number: &Number) -> Number {
    Number::from(number.as_decimal().with_scale_round(0, bigdecimal::RoundingMode::Down))
}

fn fixed(number: &Number, digits: usize) -> String {
    number.as_decimal().with_scale_round(digits as i64, bigdecimal::RoundingMode::HalfEven).to_plain_string()
}

fn based(verb: &Verb, number: &Number) -> std::result::Result<String, String> {
    let whole = number.to_i64().ok_or("the number is too large for this verb")?;
    let sign = if whole < 0 { "-" } else { "" };
    let size = whole.unsigned_abs();
    Ok(match verb.verb {
        'x' => format!("{sign}{size:x}"),
        'X' => format!("{sign}{size:X}"),
        'o' => format!("{sign}{size:o}"),
        _ => format!("{sign}{size:b}"),
    })
}

fn signed(verb: &Verb, text: String) -> std::result::Result<String, String> {
    Ok(if verb.flags.contains('+') && !text.starts_with('-') { format!("+{text}") } else { text })
}

fn pad(verb: &Verb, text: String) -> String {
    let missing = verb.width.saturating_sub(text.chars().count());
    let zeros = verb.flags.contains('0') && !verb.flags.contains('-') && verb.verb != 's' && verb.verb != 'q';
    match (verb.flags.contains('-'), zeros) {
        (true, _) => text + &" ".repeat(missing),
        (false, true) => {
            let (sign, digits) = text.split_at(text.len() - text.trim_start_matches(['+', '-']).len());
            format!("{sign}{}{digits}", "0".repeat(missing))
        }
        (false, false) => " ".repeat(missing) + &text,
    }
}
