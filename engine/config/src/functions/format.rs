//! Go's `fmt`, as Terraform offers it.
//!
//! Source: cty's `stdlib/format.go`, and the `Format` methods of Go's big numbers.

use bimetal_model::convert::convert;
use bimetal_model::number::Notation;
use bimetal_model::{Number, Type, Value};
use num_bigint::{BigInt, Sign};

use super::encoding::json_text;
use super::text::characters;
use super::{Error, Result, described};
use crate::size::{MOST_TEXT, too_long};

/// Wider than this is a mistake.
const MOST_WIDTH: usize = 1_000_000;

/// One verb of a format: `%[flags][width][.precision][[place]]verb`.
struct Verb {
    flags: String,
    width: usize,
    precision: Option<usize>,
    place: Option<usize>,
    verb: char,
}

impl Verb {
    fn has(&self, flag: char) -> bool {
        self.flags.contains(flag)
    }
}

/// The text of a format and its values, which are those from the second argument on.
pub(super) fn format(spec: &str, values: &[&Value]) -> Result<String> {
    let (mut text, mut next, mut used) = (String::new(), 0, 0);
    let mut chars = spec.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        if chars.next_if_eq(&'%').is_some() {
            text.push('%');
            continue;
        }
        let verb = read_verb(&mut chars)?;
        let place = verb.place.unwrap_or(next);
        next = place + 1;
        used = used.max(next);
        let missing = || {
            let what = format!("`%{}` takes value {next}", verb.verb);
            Error::new(format!("there are fewer values than verbs: {what}, and there are {}", values.len()))
        };
        let value = values.get(place).ok_or_else(missing)?;
        text.push_str(&show(&verb, value).map_err(|reason| Error::new(format!("value {next}: {reason}")))?);
        if text.len() > MOST_TEXT {
            return Err(Error::new(too_long()));
        }
    }
    match used < values.len() {
        true => Err(Error::argument(used + 1, format!("there are more values than verbs: only {used} are used"))),
        false => Ok(text),
    }
}

/// A text for each item of the lists among the values; what is no list is the same for all.
pub(super) fn format_list(spec: &str, values: &[&Value]) -> Result {
    let mut rows = None;
    for (place, value) in values.iter().enumerate() {
        let Some(items) = value.as_items() else { continue };
        match rows {
            Some((first, count)) if count != items.len() => {
                let reason = format!("this list has {} items, and value {} has {count}", items.len(), first + 1);
                return Err(Error::argument(place + 1, reason));
            }
            Some(_) => {}
            None => rows = Some((place, items.len())),
        }
    }
    let row = |row: usize| {
        let values: Vec<&Value> =
            values.iter().map(|value| value.as_items().and_then(|items| items.get(row)).unwrap_or(value)).collect();
        let text = format(spec, &values);
        // Of each row, too many values are no fault of the one that is given.
        let text = text.map_err(|error| if rows.is_some() { Error { argument: None, ..error } } else { error });
        Ok(text?.into())
    };
    let count = rows.map_or(1, |(_, count)| count);
    Ok(Value::list(Type::String, (0..count).map(row).collect::<Result<Vec<_>>>()?))
}

fn read_verb(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Verb> {
    let mut take = |wanted: fn(&char) -> bool| {
        let mut taken = String::new();
        while let Some(c) = chars.next_if(wanted) {
            taken.push(c);
        }
        taken
    };
    let size = |digits: &str| match digits.parse::<usize>() {
        Ok(size) if size <= MOST_WIDTH => Ok(size),
        Err(_) if digits.is_empty() => Ok(0),
        _ => Err(Error::new(format!("more than {MOST_WIDTH} characters can't be made of one value"))),
    };
    let flags = take(|c| matches!(c, '+' | '-' | '#' | ' ' | '0'));
    let width = size(&take(char::is_ascii_digit))?;
    let precision = match chars.next_if_eq(&'.') {
        Some(_) => Some(size(&take_digits(chars))?),
        None => None,
    };
    let place = match chars.next_if_eq(&'[') {
        Some(_) => Some(read_place(chars)?),
        None => None,
    };
    match chars.next() {
        Some(verb) if verb.is_ascii_alphabetic() => Ok(Verb { flags, width, precision, place, verb }),
        Some(other) => Err(Error::new(format!("`{other}` can't stand behind `%`")).hint("`%%` is a per cent sign")),
        None => Err(Error::new("a verb is missing behind `%`").hint("`%%` is a per cent sign")),
    }
}

fn take_digits(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut digits = String::new();
    while let Some(digit) = chars.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    digits
}

/// `2]`; the first value is 1.
fn read_place(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<usize> {
    let digits = take_digits(chars);
    let place = digits.parse::<usize>().ok().and_then(|place| place.checked_sub(1));
    match (place, chars.next_if_eq(&']')) {
        (Some(place), Some(_)) if !digits.starts_with('0') => Ok(place),
        _ => Err(Error::new(format!("`[{digits}` is no place of a value: the first is `[1]`"))),
    }
}

type Shown = std::result::Result<String, String>;

fn show(verb: &Verb, value: &Value) -> Shown {
    match verb.verb {
        'v' => any(value, verb).map(|text| padded(verb, text)),
        _ if value.is_null() => Err("`null` can't be formatted so; `%v` takes it".to_owned()),
        's' => as_text(value).map(|text| padded(verb, cut(&text, verb.precision))),
        'q' => as_text(value).map(|text| padded(verb, quoted(&cut(&text, verb.precision)))),
        't' => match convert(value.clone(), &Type::Bool).ok().and_then(|value| value.as_bool()) {
            Some(truth) => Ok(truth.to_string()),
            None => Err(format!("{} is neither true nor false", described(value))),
        },
        'd' => whole(value).map(|number| integer(verb, &number, 10)),
        'x' | 'X' => whole(value).map(|number| integer(verb, &number, 16)),
        'o' => whole(value).map(|number| integer(verb, &number, 8)),
        'b' => whole(value).map(|number| integer(verb, &number, 2)),
        'e' | 'E' | 'f' | 'g' | 'G' => {
            let number = as_number(value)?;
            let text = number.text(notation(verb.verb), verb.precision);
            let text = if verb.verb.is_uppercase() && !number.is_infinite() { text.to_uppercase() } else { text };
            Ok(float(verb, &number, &text))
        }
        other => Err(format!("`%{other}` is no verb")),
    }
}

fn notation(verb: char) -> Notation {
    match verb.to_ascii_lowercase() {
        'e' => Notation::Scientific,
        'g' => Notation::Shorter,
        _ => Notation::Plain,
    }
}

fn as_text(value: &Value) -> Shown {
    match convert(value.clone(), &Type::String) {
        Ok(value) => Ok(value.as_str().unwrap_or_default().to_owned()),
        Err(_) => Err(format!("{} is no text", described(value))),
    }
}

fn as_number(value: &Value) -> std::result::Result<Number, String> {
    let number = convert(value.clone(), &Type::Number).ok().and_then(|value| value.as_number().cloned());
    number.ok_or_else(|| format!("{} is no number", described(value)))
}

fn whole(value: &Value) -> std::result::Result<BigInt, String> {
    let number = as_number(value)?;
    number.to_whole().ok_or_else(|| format!("a whole number is wanted, not {number}"))
}

/// Text and numbers as they are, everything else as JSON.
fn any(value: &Value, verb: &Verb) -> Shown {
    match (value.as_str(), value.as_number()) {
        (Some(text), _) if !verb.has('#') => Ok(text.to_owned()),
        (_, Some(number)) if !verb.has('#') => Ok(number.text(Notation::Shorter, None)),
        _ => json_text(value),
    }
}

fn quoted(text: &str) -> String {
    json_text(&text.into()).unwrap_or_default()
}

/// No characters at all are all of them.
fn cut(text: &str, precision: Option<usize>) -> String {
    characters(text).take(precision.filter(|wanted| *wanted > 0).unwrap_or(usize::MAX)).collect()
}

/// To the width, with zeros on whichever side where there is a `0`.
fn padded(verb: &Verb, text: String) -> String {
    let missing = verb.width.saturating_sub(characters(&text).count());
    let pad = if verb.has('0') { "0" } else { " " }.repeat(missing);
    if verb.has('-') { text + &pad } else { pad + &text }
}

fn sign(verb: &Verb, is_negative: bool) -> &'static str {
    match (is_negative, verb.has('+'), verb.has(' ')) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        (false, false, false) => "",
    }
}

fn integer(verb: &Verb, number: &BigInt, radix: u32) -> String {
    let digits = number.magnitude().to_str_radix(radix);
    let digits = if verb.verb == 'X' { digits.to_uppercase() } else { digits };
    if verb.precision == Some(0) && number.sign() == Sign::NoSign {
        return String::new();
    }
    let prefix = match (verb.has('#'), verb.verb) {
        (true, 'x') => "0x",
        (true, 'X') => "0X",
        (true, 'o') => "0",
        (true, 'b') => "0b",
        _ => "",
    };
    let sign = sign(verb, number.sign() == Sign::Minus);
    let zeros = verb.precision.unwrap_or(0).saturating_sub(digits.len());
    let missing = verb.width.saturating_sub(sign.len() + prefix.len() + zeros + digits.len());
    match (verb.has('-'), verb.has('0') && verb.precision.is_none()) {
        (true, _) => [sign, prefix, &"0".repeat(zeros), &digits, &" ".repeat(missing)].concat(),
        (false, true) => [sign, prefix, &"0".repeat(zeros + missing), &digits].concat(),
        (false, false) => [&" ".repeat(missing), sign, prefix, &"0".repeat(zeros), &digits].concat(),
    }
}

/// Zeros go before spaces, here even on the right.
fn float(verb: &Verb, number: &Number, text: &str) -> String {
    let digits = text.trim_start_matches(['+', '-']);
    // Infinity shows its sign by itself.
    let sign = match number.is_infinite() && !number.is_negative() {
        true if verb.has(' ') => " ",
        true => "+",
        false => sign(verb, number.has_sign()),
    };
    let missing = verb.width.saturating_sub(sign.len() + digits.len());
    match (verb.has('0') && !number.is_infinite(), verb.has('-')) {
        (true, _) => [sign, &"0".repeat(missing), digits].concat(),
        (false, true) => [sign, digits, &" ".repeat(missing)].concat(),
        (false, false) => [&" ".repeat(missing), sign, digits].concat(),
    }
}
