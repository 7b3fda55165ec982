//! Points in time that are given as text. The clock is never asked.

use bimetal_model::{Number, Type, Value};
use jiff::fmt::temporal::DateTimeParser;
use jiff::{SignedDuration, Timestamp, Zoned};

use super::date::format_date;
use super::{Arguments, Error, Function, Result, deep};

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("timeadd", 2, 2, Type::String, |a| {
            let (time, duration) = (zoned(&a, 0)?, duration(&a.text(1)?)?);
            let moved =
                time.checked_add(duration).map_err(|_| Error::argument(1, "this goes beyond what dates can say"))?;
            Ok(rfc3339(&moved).into())
        }),
        deep("formatdate", 2, 2, Type::String, format_date),
        deep("timecmp", 2, 2, Type::Number, |a| {
            let order = Timestamp::cmp(&zoned(&a, 0)?.timestamp(), &zoned(&a, 1)?.timestamp());
            Ok(Value::from(Number::from(order as i32)))
        }),
    ]
}

/// RFC 3339, with the offset that was written.
pub(super) fn zoned(arguments: &Arguments<'_>, place: usize) -> Result<Zoned> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    let text = arguments.text(place)?;
    let broken = || {
        let reason = format!("`{text}` is no time, as `2025-01-31T12:00:00Z` is");
        Error::argument(place, reason)
    };
    if !looks_like_rfc3339(&text) {
        return Err(broken());
    }
    let pieces = jiff::fmt::temporal::Pieces::parse(&text).map_err(|_| broken())?;
    let offset = pieces.to_numeric_offset().unwrap_or(jiff::tz::Offset::UTC);
    let timestamp = PARSER.parse_timestamp(&text).map_err(|_| broken())?;
    Ok(timestamp.to_zoned(offset.to_time_zone()))
}

/// `2006-01-02T15:04:05Z`, nothing shorter.
fn looks_like_rfc3339(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = b"dddd-dd-ddTdd:dd:dd";
    let fits = |(byte, shape): (&u8, &u8)| if *shape == b'd' { byte.is_ascii_digit() } else { byte == shape };
    bytes.len() > shape.len() && bytes.iter().zip(shape).all(fits) && !text.contains(['[', ' '])
}

fn rfc3339(time: &Zoned) -> String {
    let offset = time.offset().seconds();
    let zone = match offset {
        0 => "Z".to_owned(),
        _ => format!("{}{:02}:{:02}", if offset < 0 { '-' } else { '+' }, offset.abs() / 3600, offset.abs() / 60 % 60),
    };
    format!("{}{zone}", time.datetime().strftime("%Y-%m-%dT%H:%M:%S"))
}

/// Go's durations: `1h30m`, `-1.5s`, `10ms`.
fn duration(text: &str) -> Result<SignedDuration> {
    let broken = || Error::argument(1, format!("`{text}` is no duration, as `1h30m` is"));
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Ok(SignedDuration::ZERO);
    }
    let (mut rest, mut total) = (unsigned, 0f64);
    if rest.is_empty() {
        return Err(broken());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let amount: f64 = rest[..digits].parse().map_err(|_| broken())?;
        rest = &rest[digits..];
        let unit = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        total += amount * seconds(&rest[..unit]).ok_or_else(broken)?;
        rest = &rest[unit..];
    }
    let total = if text.starts_with('-') { -total } else { total };
    SignedDuration::try_from_secs_f64(total).map_err(|_| broken())
}

fn seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "h" => 3600.0,
        "m" => 60.0,
        "s" => 1.0,
        "ms" => 1e-3,
        "us" | "µs" | "μs" => 1e-6,
        "ns" => 1e-9,
        _ => return None,
    })
}
