//! `formatdate`: times as people want them.

use super::moment::{Date, Moment};
use super::time::{Form, moment};
use super::{Arguments, Error, Result};

/// A run of one letter, quoted text, or anything else.
enum Part<'f> {
    Letters(char, usize),
    Text(&'f str),
    Quoted(&'f str),
}

/// The second argument's time, in the form that the first one says.
pub(super) fn format_date(arguments: Arguments<'_>) -> Result {
    let time = moment(arguments.text(1), Form::Strict).map_err(|error| error.of(1))?;
    let mut text = String::new();
    for part in parts(arguments.text(0))? {
        match part {
            Part::Letters(letter, count) => text.push_str(&verb(letter, count, time)?),
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

fn verb(letter: char, count: usize, time: Moment) -> Result<String> {
    let (date, [hour, minute, second]) = (time.date(), time.time());
    let known = match letter {
        'Y' => year(count, date),
        'M' => month(count, date),
        'D' => number(count, date.day),
        'E' => day(count, time),
        'h' => number(count, hour),
        'H' => number(count, (hour + 11) % 12 + 1),
        'A' => (count == 2).then(|| if hour < 12 { "AM" } else { "PM" }.to_owned()),
        'a' => (count == 2).then(|| if hour < 12 { "am" } else { "pm" }.to_owned()),
        'm' => number(count, minute),
        's' => number(count, second),
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

fn year(count: usize, Date { year, .. }: Date) -> Option<String> {
    match count {
        2 => Some(format!("{:02}", year % 100)),
        4 => Some(format!("{year:04}")),
        _ => None,
    }
}

fn month(count: usize, Date { month, .. }: Date) -> Option<String> {
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
    let name = NAMES.get(usize::try_from(month - 1).ok()?)?;
    match count {
        1 | 2 => number(count, month),
        3 => Some(name[..3].to_owned()),
        4 => Some((*name).to_owned()),
        _ => None,
    }
}

fn day(count: usize, time: Moment) -> Option<String> {
    const NAMES: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    let name = NAMES.get(usize::try_from(time.weekday()).ok()?)?;
    match count {
        3 => Some(name[..3].to_owned()),
        4 => Some((*name).to_owned()),
        _ => None,
    }
}

fn zone(count: usize, time: Moment) -> Option<String> {
    let seconds = time.offset;
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
