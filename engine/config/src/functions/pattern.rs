//! Regular expressions.

use bimetal_model::{Type, Value};
use regex::{Captures, Match, Regex};

use super::re2::translate;
use super::{Arguments, Error, Function, Result, deep, text};
use crate::size::{MOST_TEXT, too_long};

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("regex", [text(), text()], Type::Any, |a| {
            let pattern = capturing(a.text(0))?;
            match pattern.captures(a.text(1)) {
                Some(captures) => Ok(captured(&pattern, &captures)),
                None => {
                    let hint = "`try(regex(…), null)` where it need not, or `regexall(…)` for a list";
                    Err(Error::new("the pattern does not match").hint(hint))
                }
            }
        }),
        deep("regexall", [text(), text()], Type::list(Type::Any), |a| {
            let pattern = capturing(a.text(0))?;
            let matches = pattern.captures_iter(a.text(1)).map(|captures| captured(&pattern, &captures));
            Ok(Value::list(captured_type(&pattern), matches))
        }),
        deep("replace", [text(), text(), text()], Type::String, replace),
    ]
}

/// A pattern between slashes is a regular expression.
fn replace(arguments: Arguments<'_>) -> Result {
    let (text, pattern, with) = (arguments.text(0), arguments.text(1), arguments.text(2));
    match pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        Some(inner) => replace_all(text, &compile(inner).map_err(Error::new)?.0, with),
        None => {
            let found = if pattern.is_empty() { text.chars().count() + 1 } else { text.matches(pattern).count() };
            match found.saturating_mul(with.len()).saturating_add(text.len()) > MOST_TEXT {
                true => Err(Error::new(too_long())),
                false => Ok(text.replace(pattern, with).into()),
            }
        }
    }
}

fn replace_all(text: &str, pattern: &Regex, with: &str) -> Result {
    let (mut made, mut done) = (String::new(), 0);
    for captures in pattern.captures_iter(text) {
        let Some(found) = captures.get(0) else { continue };
        made.push_str(text.get(done..found.start()).unwrap_or_default());
        captures.expand(with, &mut made);
        done = found.end();
        if made.len() > MOST_TEXT {
            return Err(Error::new(too_long()));
        }
    }
    made.push_str(text.get(done..).unwrap_or_default());
    Ok(made.into())
}

/// The pattern, and how many of its groups have names.
fn compile(pattern: &str) -> std::result::Result<(Regex, usize), String> {
    let broken = |reason: String| format!("the pattern is broken: {reason}");
    let (pattern, named) = translate(pattern).map_err(broken)?;
    Ok((Regex::new(&pattern).map_err(|error| broken(in_short(&error.to_string())))?, named))
}

/// What is wrong, without the pattern that is shown before it.
fn in_short(error: &str) -> String {
    let last = error.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// A pattern whose groups all have names, or none.
fn capturing(pattern: &str) -> Result<Regex> {
    let (pattern, named) = compile(pattern).map_err(|reason| Error::argument(0, reason))?;
    match named > 0 && named + 1 < pattern.captures_len() {
        true => Err(Error::argument(0, "either all groups of a pattern have names, or none has")
            .hint("`(?:…)` groups and keeps nothing")),
        false => Ok(pattern),
    }
}

/// Named groups make an object, others a tuple, none the whole match.
fn captured(pattern: &Regex, captures: &Captures<'_>) -> Value {
    let group = |found: Option<Match<'_>>| found.map_or(Value::null(Type::String), |found| found.as_str().into());
    let names: Vec<_> = pattern.capture_names().flatten().collect();
    if !names.is_empty() {
        return names.into_iter().map(|name| (name, group(captures.name(name)))).collect();
    }
    match captures.len() {
        1 => group(captures.get(0)),
        _ => Value::tuple((1..captures.len()).map(|place| group(captures.get(place)))),
    }
}

/// The type of what a pattern captures.
fn captured_type(pattern: &Regex) -> Type {
    let names: Vec<_> = pattern.capture_names().flatten().collect();
    match (names.is_empty(), pattern.captures_len()) {
        (false, _) => Type::object(names.into_iter().map(|name| (name, Type::String))),
        (true, 1) => Type::String,
        (true, groups) => Type::Tuple(vec![Type::String; groups - 1]),
    }
}
