//! Regular expressions.

use bimetal_model::{Type, Value};
use regex::{Captures, Match, Regex};

use super::re2::translate;
use super::{Arguments, Error, Function, Result, deep};

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("regex", 2, 2, Type::Any, |a| {
            let (pattern, text) = (compile(0, &a.text(0)?)?, a.text(1)?);
            match pattern.captures(&text) {
                Some(captures) => Ok(captured(&pattern, &captures)),
                None => Err(Error {
                    argument: Some(1),
                    reason: "the pattern does not match".to_owned(),
                    hint: Some("`try(regex(…), null)` where it need not, or `regexall(…)` for a list".to_owned()),
                }),
            }
        }),
        deep("regexall", 2, 2, Type::list(Type::Any), |a| {
            let (pattern, text) = (compile(0, &a.text(0)?)?, a.text(1)?);
            let matches = pattern.captures_iter(&text).map(|captures| captured(&pattern, &captures));
            Ok(Value::list(captured_type(&pattern), matches))
        }),
        deep("replace", 3, 3, Type::String, replace),
    ]
}

/// A pattern between slashes is a regular expression.
fn replace(arguments: Arguments<'_>) -> Result {
    let (text, pattern, with) = (arguments.text(0)?, arguments.text(1)?, arguments.text(2)?);
    match pattern.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        Some(inner) => Ok(compile(1, inner)?.replace_all(&text, with.as_str()).into_owned().into()),
        None => Ok(text.replace(&pattern, &with).into()),
    }
}

fn compile(place: usize, pattern: &str) -> Result<Regex> {
    let broken = |reason: String| Error::argument(place, format!("the pattern is broken: {reason}"));
    Regex::new(&translate(pattern).map_err(broken)?).map_err(|error| broken(error.to_string()))
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
