//! Go's `fmt`, as Terraform offers it.

use bigdecimal::{BigDecimal, RoundingMode};
use bimetal_model::convert::convert;
use bimetal_model::{Number, Type, Value};
use num_bigint::{BigInt, Sign};

use super::encoding::json_text;
use super::{Error, Result, kind};

/// Wider than this is a mistake.
const MOST_WIDTH: usize = 10_000;

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

/// The text of a format and its values.
pub(super) fn format(spec: &str, values: &[&Value]) -> Result<String> {
    let (mut text, mut next, mut explicit) = (String::new(), 0, false);
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
        explicit |= verb.place.is_some();
        let place = verb.place.unwrap_or(next);
        next = place + 1;
        let value = values.get(place).ok_or_else(|| Error::argument(0, "there are fewer values than verbs"))?;
        text.push_str(&pad(&verb, show(&verb, value).map_err(|reason| Error::argument(place + 1, reason))?));
    }
    match next < values.len() && !explicit {
        true => Err(Error::argument(next + 1, "there are more values than verbs")),
        false => Ok(text),
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
    let precision = (!take(|c| *c == '.').is_empty()).then(|| take(char::is_ascii_digit));
    let place = take(|c| matches!(c, '[' | ']') || c.is_ascii_digit());
    let size = |digits: &str| digits.parse::<usize>().unwrap_or(0).min(MOST_WIDTH);
    let place = match place.strip_prefix('[').and_then(|place| place.strip_suffix(']')) {
        Some(place) => match place.parse::<usize>().ok().and_then(|place| place.checked_sub(1)) {
            Some(place) => Some(place),
            None => return Err(Error::argument(0, format!("`[{place}]` is no place of a value: the first is `[1]`"))),
        },
        None => None,
    };
    let verb = chars.next().ok_or_else(|| Error::argument(0, "a verb is missing behind `%`"))?;
    Ok(Verb { flags, width: size(&width), precision: precision.map(|digits| size(&digits)), place, verb })
}

type Shown = std::result::Result<String, String>;

fn show(verb: &Verb, value: &Value) -> Shown {
    match verb.verb {
        'v' => Ok(any(value, verb)),
        _ if value.is_null() => Err("`null` can't be formatted so; `%v` takes it".to_owned()),
        's' => as_text(value).map(|text| cut(&text, verb.precision)),
        'q' => as_text(value).map(|text| json_text(&text.into())),
        't' => match convert(value.clone(), &Type::Bool).ok().and_then(|value| value.as_bool()) {
            Some(truth) => Ok(truth.to_string()),
            None => Err(format!("a {} is neither true nor false", kind(value))),
        },
        'd' => whole(value).map(|number| signed(verb, number.to_string())),
        'x' => based(verb, &whole(value)?, 16).map(|text| text.to_lowercase()),
        'X' => based(verb, &whole(value)?, 16).map(|text| text.to_uppercase()),
        'o' => based(verb, &whole(value)?, 8),
        'b' => based(verb, &whole(value)?, 2),
        'f' | 'F' => Ok(signed(verb, fixed(&as_number(value)?, verb.precision.unwrap_or(6)))),
        'e' | 'E' => {
            let text = scientific(&as_number(value)?, Some(verb.precision.unwrap_or(6)));
            Ok(signed(verb, if verb.verb == 'E' { text.to_uppercase() } else { text }))
        }
        'g' | 'G' => {
            let text = shortest(&as_number(value)?, verb.precision);
            Ok(signed(verb, if verb.verb == 'G' { text.to_uppercase() } else { text }))
        }
        other => Err(format!("`%{other}` is no verb")),
    }
}

fn as_text(value: &Value) -> Shown {
    match convert(value.clone(), &Type::String) {
        Ok(value) => Ok(value.as_str().unwrap_or_default().to_owned()),
        Err(_) => Err(format!("a {} is no text", kind(value))),
    }
}

fn as_number(value: &Value) -> std::result::Result<Number, String> {
    let number = convert(value.clone(), &Type::Number).ok().and_then(|value| value.as_number().cloned());
    number.ok_or_else(|| format!("a {} is no number", kind(value)))
}

fn whole(value: &Value) -> std::result::Result<BigInt, String> {
    let number = as_number(value)?;
    number.to_whole().ok_or_else(|| format!("a whole number is wanted, not {number}"))
}

/// All of its digits.
fn decimal(number: &Number) -> BigDecimal {
    let (digits, exponent) = number.to_binary().unwrap_or_default();
    let power = u32::try_from(exponent.unsigned_abs()).unwrap_or(u32::MAX);
    match exponent >= 0 {
        true => BigDecimal::new(digits << power, 0),
        false => BigDecimal::new(digits * BigInt::from(5).pow(power), power.into()),
    }
}

fn any(value: &Value, verb: &Verb) -> String {
    match convert(value.clone(), &Type::String).ok().as_ref().and_then(Value::as_str) {
        Some(text) if !verb.has('#') => text.to_owned(),
        _ => json_text(value),
    }
}

fn cut(text: &str, precision: Option<usize>) -> String {
    text.chars().take(precision.unwrap_or(usize::MAX)).collect()
}

fn fixed(number: &Number, digits: usize) -> String {
    decimal(number).with_scale_round(digits as i64, RoundingMode::HalfEven).to_plain_string()
}

/// `1.23e+04`; as many digits behind the point as are wanted, or as there are.
fn scientific(number: &Number, places: Option<usize>) -> String {
    let rounded = match places {
        Some(places) => decimal(number).with_precision_round(precision(places + 1), RoundingMode::HalfEven),
        None => printed(number),
    };
    let (digits, scale) = rounded.as_bigint_and_exponent();
    let mut text = digits.magnitude().to_string();
    let exponent = if digits.sign() == Sign::NoSign { 0 } else { text.len() as i64 - 1 - scale };
    if let Some(places) = places {
        text.extend(std::iter::repeat_n('0', (places + 1).saturating_sub(text.len())));
    }
    if text.len() > 1 {
        text.insert(1, '.');
    }
    let sign = if digits.sign() == Sign::Minus { "-" } else { "" };
    format!("{sign}{text}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

fn precision(digits: usize) -> std::num::NonZeroU64 {
    std::num::NonZeroU64::new(digits as u64).unwrap_or(std::num::NonZeroU64::MIN)
}

/// Plain where that is short, scientific otherwise.
fn shortest(number: &Number, digits: Option<usize>) -> String {
    let rounded = match digits {
        Some(digits) => {
            decimal(number).with_precision_round(precision(digits.max(1)), RoundingMode::HalfEven).normalized()
        }
        None => printed(number),
    };
    let (whole, scale) = rounded.as_bigint_and_exponent();
    let exponent = whole.magnitude().to_string().len() as i64 - 1 - scale;
    match (-4..21).contains(&exponent) || whole.sign() == Sign::NoSign {
        true => rounded.to_plain_string(),
        false => scientific(&rounded.to_plain_string().parse().unwrap_or(number.clone()), None),
    }
}

/// The digits that it is printed with.
fn printed(number: &Number) -> BigDecimal {
    number.to_string().parse().map_or_else(|_| decimal(number), |decimal: BigDecimal| decimal.normalized())
}

fn based(verb: &Verb, number: &BigInt, radix: u32) -> Shown {
    let digits = number.magnitude().to_str_radix(radix);
    let prefix = match (verb.has('#'), radix) {
        (true, 16) => "0x",
        (true, 8) => "0",
        (true, 2) => "0b",
        _ => "",
    };
    let sign = if number.sign() == Sign::Minus { "-" } else { "" };
    Ok(signed(verb, format!("{sign}{prefix}{digits}")))
}

fn signed(verb: &Verb, text: String) -> String {
    match (text.starts_with('-'), verb.has('+'), verb.has(' ')) {
        (false, true, _) => format!("+{text}"),
        (false, false, true) => format!(" {text}"),
        _ => text,
    }
}

fn pad(verb: &Verb, text: String) -> String {
    let missing = verb.width.saturating_sub(text.chars().count());
    let zeros = verb.has('0') && !verb.has('-') && verb.verb != 's' && verb.verb != 'q';
    match (verb.has('-'), zeros) {
        (true, _) => text + &" ".repeat(missing),
        (false, true) => {
            let (sign, digits) = text.split_at(text.len() - text.trim_start_matches(['+', '-', ' ']).len());
            format!("{sign}{}{digits}", "0".repeat(missing))
        }
        (false, false) => " ".repeat(missing) + &text,
    }
}
