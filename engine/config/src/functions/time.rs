//! Points in time that are given as text. The clock is never asked.

use bimetal_model::{Number, Type, Value};

use super::date::format_date;
use super::moment::{Date, Moment};
use super::{Arguments, Error, Function, Result, deep, quoted, text};

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("timeadd", [text(), text()], Type::String, |a| {
            let (time, duration) = (moment(a.text(0), Form::Strict)?, duration(a.text(1))?);
            Ok(rfc3339(time.plus(duration)).into())
        }),
        deep("formatdate", [text(), text()], Type::String, format_date),
        deep("timecmp", [text(), text()], Type::Number, compare),
    ]
}

fn compare(arguments: Arguments<'_>) -> Result {
    let time = |place: usize| moment(arguments.text(place), Form::Lenient).map_err(|error| error.of(place));
    let order = time(0)?.instant().cmp(&time(1)?.instant());
    Ok(Value::from(Number::from(order as i32)))
}

/// How much of RFC 3339 is taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// To the letter.
    Strict,
    /// As Go's `time.Parse` reads it: an hour of one digit, a comma before the fraction, an offset of a day.
    Lenient,
}

/// The time that a text means, with the offset that was written.
pub(super) fn moment(text: &str, form: Form) -> Result<Moment> {
    read(text, form).ok_or_else(|| Error::new(format!("{} is no time, as `2025-01-31T12:00:00Z` is", quoted(text))))
}

fn read(text: &str, form: Form) -> Option<Moment> {
    let mut reader = Reader { rest: text };
    let year = reader.digits(4)?;
    let month = reader.after("-")?.digits(2)?;
    let day = reader.after("-")?.digits(2)?;
    let hour = reader.after("T")?;
    let hour = hour.digits(2).or_else(|| if form == Form::Lenient { hour.digits(1) } else { None })?;
    let minute = reader.after(":")?.digits(2)?;
    let second = reader.after(":")?.digits(2)?;
    let nanosecond = reader.fraction(form)?;
    let offset = reader.offset(form)?;
    Moment::new(Date { year, month, day }, [hour, minute, second], nanosecond, offset)
}

struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let number = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
        self.rest = rest;
        Some(number)
    }

    fn after(&mut self, sign: &str) -> Option<&mut Self> {
        self.rest = self.rest.strip_prefix(sign)?;
        Some(self)
    }

    /// In nanoseconds; what is behind these is cut off.
    fn fraction(&mut self, form: Form) -> Option<u32> {
        let signs: &[char] = if form == Form::Lenient { &['.', ','] } else { &['.'] };
        let Some(rest) = self.rest.strip_prefix(signs) else { return Some(0) };
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, behind) = rest.split_at_checked(end).filter(|(digits, _)| !digits.is_empty())?;
        self.rest = behind;
        format!("{digits:0<9}").get(..9)?.parse().ok()
    }

    /// `Z` or `+01:00`, up to the end.
    fn offset(&mut self, form: Form) -> Option<i64> {
        if self.rest == "Z" {
            return Some(0);
        }
        let (sign, (most_hours, most_minutes)) = match (self.rest.as_bytes().first()?, form) {
            (b'+', Form::Strict) => (1, (23, 59)),
            (b'-', Form::Strict) => (-1, (23, 59)),
            (b'+', Form::Lenient) => (1, (24, 60)),
            (b'-', Form::Lenient) => (-1, (24, 60)),
            _ => return None,
        };
        self.rest = self.rest.get(1..)?;
        let (hours, minutes) = (self.digits(2)?, self.after(":")?.digits(2)?);
        let fits = hours <= most_hours && minutes <= most_minutes && self.rest.is_empty();
        fits.then_some(sign * (hours * 3600 + minutes * 60))
    }
}

fn rfc3339(moment: Moment) -> String {
    let zone = match moment.offset {
        0 => "Z".to_owned(),
        offset => {
            let sign = if offset < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", offset.abs() / 3600, offset.abs() / 60 % 60)
        }
    };
    let (Date { year, month, day }, [hour, minute, second]) = (moment.date(), moment.time());
    let before = if year < 0 { "-" } else { "" };
    format!("{before}{:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}", year.abs())
}

/// Go's durations, in nanoseconds: `1h30m`, `-1.5s`, `10ms`.
fn duration(text: &str) -> Result<i64> {
    read_duration(text).ok_or_else(|| Error::new(format!("{} is no duration, as `1h30m` is", quoted(text))))
}

/// Nothing is longer than 292 years, in nanoseconds of 64 bits.
fn read_duration(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Some(0);
    }
    let (mut rest, mut total) = (unsigned, 0u128);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (amount, behind) = rest.split_at(digits);
        let unit = behind.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(behind.len());
        total = total.checked_add(nanoseconds(amount, &behind[..unit])?)?;
        rest = &behind[unit..];
    }
    let (limit, sign) = if text.starts_with('-') { (1u128 << 63, -1) } else { ((1u128 << 63) - 1, 1) };
    let total = i128::try_from(total).ok().filter(|_| total <= limit)? * sign;
    i64::try_from(total).ok()
}

/// Digits with a point or without, of a unit.
fn nanoseconds(amount: &str, unit: &str) -> Option<u128> {
    let unit: u128 = match unit {
        "h" => 3_600_000_000_000,
        "m" => 60_000_000_000,
        "s" => 1_000_000_000,
        "ms" => 1_000_000,
        "us" | "µs" | "μs" => 1_000,
        "ns" => 1,
        _ => return None,
    };
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    if (whole.is_empty() && fraction.is_empty()) || fraction.contains('.') {
        return None;
    }
    let whole: u128 = if whole.is_empty() { 0 } else { u128::from(whole.parse::<u64>().ok()?) };
    // More digits than a double holds are no nanoseconds any more.
    let kept = fraction.get(..18).unwrap_or(fraction);
    let part: u128 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
    let scale = 10u128.pow(u32::try_from(kept.len()).ok()?);
    Some(whole.checked_mul(unit)? + part * unit / scale)
}
