//! What a word of YAML stands for: by its tag, its quotes or its looks.
//!
//! Source: go-cty-yaml's `resolve.go`, which is YAML 1.1 where most people don't expect it: `on` is `true`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::{Number, Value};
use jiff::civil::DateTime;

/// What scalars may be tagged with.
const TAGS: [&str; 8] = ["", "str", "bool", "int", "float", "null", "timestamp", "binary"];

/// `tag` is empty or one of YAML's own, without `!!`.
pub(super) fn value(text: &str, tag: &str, is_quoted: bool) -> Result<Value, String> {
    if !TAGS.contains(&tag) {
        return Err(format!("text can't be tagged `!!{tag}`"));
    }
    match tag {
        "str" => Ok(text.into()),
        "binary" if STANDARD.decode(text).is_err() => Err(format!("`{text}` is no base64")),
        "binary" => Ok(text.into()),
        _ if is_suspect(text) => suspect(text, tag, is_quoted),
        _ => tagged(text, tag),
    }
}

/// Whether text begins like something that isn't text.
fn is_suspect(text: &str) -> bool {
    text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit() || "+-.yYnNtTfFoO~".contains(c))
}

fn suspect(text: &str, tag: &str, is_quoted: bool) -> Result<Value, String> {
    if is_quoted {
        return Ok(text.into());
    }
    if let Some(value) = word(text) {
        return Ok(value);
    }
    if tag.is_empty() && [".nan", ".NaN", ".NAN"].contains(&text) {
        return Err("there is no number that is no number".to_owned());
    }
    let is_point = text.starts_with('.');
    if is_point && let Some(number) = decimal(text) {
        return Ok(number);
    }
    if !is_point
        && matches!(tag, "" | "timestamp")
        && let Some(time) = time(text)
    {
        return Ok(time.into());
    }
    if !is_point && looks_like_number(text) {
        return number(text);
    }
    tagged(text, tag)
}

fn tagged(text: &str, tag: &str) -> Result<Value, String> {
    match tag {
        "bool" => word(text).filter(|value| value.as_bool().is_some()).ok_or(format!("`{text}` is no truth value")),
        "int" | "float" => number(text),
        "timestamp" => time(text).map(Value::from).ok_or(format!("`{text}` is no time")),
        "null" => Ok(Value::NULL),
        _ => Ok(text.into()),
    }
}

fn word(text: &str) -> Option<Value> {
    let infinity = |text: &str| text.parse::<f64>().ok().and_then(Number::from_f64).map(Value::from);
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true.into()),
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false.into()),
        "" | "~" | "null" | "Null" | "NULL" => Some(Value::NULL),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => infinity("inf"),
        "-.inf" | "-.Inf" | "-.INF" => infinity("-inf"),
        _ => None,
    }
}

fn looks_like_number(text: &str) -> bool {
    let digits = |rest: &str, radix| !rest.is_empty() && rest.chars().all(|c| c.is_digit(radix));
    text.strip_prefix("0o").is_some_and(|rest| digits(rest, 8))
        || text.strip_prefix("0x").is_some_and(|rest| digits(rest, 16))
        || decimal(text).is_some()
}

fn number(text: &str) -> Result<Value, String> {
    let plain = text.replace('_', "");
    let broken = || format!("`{text}` is no number");
    decimal(&plain).or_else(|| based(&plain)).ok_or_else(broken)
}

/// Digits with a point and an exponent; either side of the point may be missing.
fn decimal(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = if text.starts_with('-') { "-" } else { "" };
    let split = unsigned.find(['e', 'E']).unwrap_or(unsigned.len());
    let (digits, exponent) = unsigned.split_at(split);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    let number: Number = format!("{sign}0{whole}.{fraction}{exponent}").parse().ok()?;
    Some(number.into())
}

/// `0x…`, `0o…`, `0b…`, of at most 64 bits.
fn based(text: &str) -> Option<Value> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (radix, digits) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (16, unsigned.get(2..)?),
        [b'0', b'o' | b'O', ..] => (8, unsigned.get(2..)?),
        [b'0', b'b' | b'B', ..] => (2, unsigned.get(2..)?),
        _ => return None,
    };
    let number = Number::from(u64::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with(['+', '-']))?);
    Some(if text.starts_with('-') { (-&number).into() } else { number.into() })
}

/// A date, with or without a time and an offset, as RFC 3339 has it.
fn time(text: &str) -> Option<String> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    if digits != 4 || !text[digits..].starts_with('-') {
        return None;
    }
    let (date, clock) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], Some((&text[at..=at], &text[at + 1..]))),
        None => (text, None),
    };
    let mut date = date.splitn(3, '-');
    let (year, month, day) = (date.next()?.parse().ok()?, short(date.next()?)?, short(date.next()?)?);
    let Some((letter, clock)) = clock else { return Some(printed(year, month, day, (0, 0, 0))? + "Z") };
    let (clock, zone) = match letter {
        " " => (clock, "Z"),
        _ => clock.split_at(clock.find(['Z', '+', '-'])?),
    };
    let mut parts = clock.splitn(3, ':');
    let (hour, minute, second) = (short(parts.next()?)?, short(parts.next()?)?, seconds(parts.next()?)?);
    Some(printed(year, month, day, (hour, minute, second))? + offset(zone)?)
}

/// One or two digits.
fn short(text: &str) -> Option<i8> {
    let is_short = matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_digit());
    is_short.then(|| text.parse().ok())?
}

/// A fraction may be there, and counts for nothing.
fn seconds(text: &str) -> Option<i8> {
    let (whole, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    is_fraction.then(|| short(whole))?
}

fn printed(year: i16, month: i8, day: i8, (hour, minute, second): (i8, i8, i8)) -> Option<String> {
    let time = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%S").to_string())
}

fn offset(zone: &str) -> Option<&str> {
    let is_offset = |zone: &str| match zone.as_bytes() {
        [b'+' | b'-', a, b, b':', c, d] => {
            [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) && &zone[1..3] <= "24" && &zone[4..] < "60"
        }
        _ => false,
    };
    match zone {
        "Z" | "+00:00" | "-00:00" => Some("Z"),
        zone => is_offset(zone).then_some(zone),
    }
}
