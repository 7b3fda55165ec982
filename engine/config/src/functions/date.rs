//! `formatdate`: times as people want them.

use jiff::Zoned;

use super::time::{Form, zoned};
use super::{Arguments, Error, Result};

/// A run of one letter, quoted text, or anything else.
enum Part<'f> {
    Letters(char, usize),
    Text(&'f str),
    Quoted(&'f str),
}

/// The second argument's time, in the form that the first one says.
pub(super) fn format_date(arguments: Arguments<'_>) -> Result {
    let time = zoned(arguments.text(1), Form::Strict).map_err(|error| error.of(1))?;
    let mut text = String::new();
    for part in parts(arguments.text(0))? {
        match part {
            Part::Letters(letter, count) => text.push_str(&verb(letter, count, &time)?),
            Part::Text(literal) => text.push_str(literal),
            Part::Quoted("") => text.push('\''),
            Part::Quoted(literal) => text.push_str(&literal.replace("''", "'")),
        }
    }
    Ok(text.into())
}

fn parts(format: &str) -> Result<Vec<Part<'_>>> {
    let (mut parts, mut rest) = (Vec::new(), format);
    while let Some(first) = rest.chars().next() {
        let (part, length) = match first {
            '\'' => {
                let inner =
                    quoted(&rest[1..]).ok_or_else(|| Error::argument(0, "a quotation mark `'` is never closed"))?;
                (Part::Quoted(&rest[1..=inner]), inner + 2)
            }
            letter if letter.is_ascii_alphabetic() => {
                let count = rest.chars().take_while(|c| *c == letter).count();
                (Part::Letters(letter, count), count)
            }
            _ => {
                let end = rest.find(|c: char| c == '\'' || c.is_ascii_alphabetic()).unwrap_or(rest.len());
                (Part::Text(&rest[..end]), end)
            }
        };
        parts.push(part);
        rest = &rest[length..];
    }
    Ok(parts)
}

/// How long the text is up to its closing quotation mark; two of them are one in it.
fn quoted(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        at += text[at..].find('\'')?;
        if at == 0 || !text[at + 1..].starts_with('\'') {
            return Some(at);
        }
        at += 2;
    }
}

fn verb(letter: char, count: usize, time: &Zoned) -> Result<String> {
    let known = match letter {
        'Y' => year(count, time),
        'M' => month(count, time),
        'D' => number(count, time.day().into()),
        'E' => day(count, time),
        'h' => number(count, time.hour().into()),
        'H' => number(count, (i64::from(time.hour()) + 11) % 12 + 1),
        'A' => (count == 2).then(|| if time.hour() < 12 { "AM" } else { "PM" }.to_owned()),
        'a' => (count == 2).then(|| if time.hour() < 12 { "am" } else { "pm" }.to_owned()),
        'm' => number(count, time.minute().into()),
        's' => number(count, time.second().into()),
        'Z' => zone(count, time),
        _ => None,
    };
    known.ok_or_else(|| {
        let verb = letter.to_string().repeat(count);
        let (reason, hint) = (format!("`{verb}` is no part of a time"), "put text between quotation marks: `'text'`");
        Error { hint: Some(hint.to_owned()), ..Error::argument(0, reason) }
    })
}

fn number(count: usize, number: i64) -> Option<String> {
    match count {
        1 => Some(number.to_string()),
        2 => Some(format!("{number:02}")),
        _ => None,
    }
}

fn year(count: usize, time: &Zoned) -> Option<String> {
    match count {
        2 => Some(format!("{:02}", time.year() % 100)),
        4 => Some(format!("{:04}", time.year())),
        _ => None,
    }
}

fn month(count: usize, time: &Zoned) -> Option<String> {
    const NAMES: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let name = NAMES.get(usize::try_from(time.month() - 1).ok()?)?;
    match count {
        1 | 2 => number(count, time.month().into()),
        3 => Some(name[..3].to_owned()),
        4 => Some((*name).to_owned()),
        _ => None,
    }
}

fn day(count: usize, time: &Zoned) -> Option<String> {
    const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let name = NAMES.get(usize::try_from(time.weekday().to_monday_zero_offset()).ok()?)?;
    match count {
        3 => Some(name[..3].to_owned()),
        4 => Some((*name).to_owned()),
        _ => None,
    }
}

fn zone(count: usize, time: &Zoned) -> Option<String> {
    let seconds = time.offset().seconds();
    let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    match (count, seconds) {
        (1, 0) => Some("Z".to_owned()),
        (3, 0) => Some("UTC".to_owned()),
        (1 | 5, _) => Some(format!("{sign}{hours:02}:{minutes:02}")),
        (3 | 4, _) => Some(format!("{sign}{hours:02}{minutes:02}")),
        _ => None,
    }
}
