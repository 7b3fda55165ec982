//! What the names in a failing expression stand for, in words.

use std::ops::Range;

use bimetal_model::{Data, Diagnostic, Value};
use bimetal_syntax::{Lines, SourceFile, parse_expression};

use crate::console::{friendly_of, quoted};
use crate::evaluate::{Scope, attempt};
use crate::expression::{Expression, Reference};

/// Longer texts end in `…`.
const MOST_CHARACTERS: usize = 60;

/// With what the references that the diagnostic is about stand for; those that have no value are left out.
///
/// Invariant: nothing sensitive is shown (test: `what_is_sensitive_is_not_shown`).
pub(crate) fn explain(diagnostic: Diagnostic, expression: &Expression, scope: &Scope) -> Diagnostic {
    let Some(place) = diagnostic.span.as_ref().map(|span| span.range.clone()) else { return diagnostic };
    let mut values: Vec<String> = expression
        .written()
        .iter()
        .filter(|reference| overlap(&reference.span.range, &place))
        .filter_map(|reference| stands_for(reference, expression, scope))
        .collect();
    values.sort();
    values.dedup();
    Diagnostic { values, ..diagnostic }
}

fn overlap(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// `var.port is 80`. Of what fails itself, as much as has a value.
fn stands_for(reference: &Reference, expression: &Expression, scope: &Scope) -> Option<String> {
    let written = expression.file.text.get(reference.span.range.clone())?;
    let mut text = written.split_whitespace().collect::<Vec<_>>().join(" ");
    loop {
        if let Some(value) = value_of(&text, expression, scope) {
            return Some(format!("{text} {}", in_words(&value)));
        }
        text.truncate(text.rfind(['.', '['])?);
    }
}

/// Of these words, in the place of that expression.
pub(crate) fn value_of(text: &str, place: &Expression, scope: &Scope) -> Option<Value> {
    let file = SourceFile { name: place.file.name.clone(), text: text.into() };
    let expression = Expression::new(&file, parse_expression(&file, Lines::EndIt).ok()?).at_home(place.home());
    attempt(&expression, scope).ok()
}

fn in_words(value: &Value) -> String {
    let of = |items: usize, what: &str| {
        let kind = friendly_of(value);
        let article = if kind.starts_with('o') { "an" } else { "a" };
        match items {
            0 => format!("is an empty {kind}"),
            1 => format!("is {article} {kind} with 1 {what}"),
            many => format!("is {article} {kind} with {many} {what}s"),
        }
    };
    match &value.data {
        _ if value.marks.ephemeral => "has an ephemeral value".to_owned(),
        _ if value.marks.sensitive => "has a sensitive value".to_owned(),
        Data::Unknown(..) => "is known only after apply".to_owned(),
        Data::Null(_) => "is null".to_owned(),
        Data::Bool(flag) => format!("is {flag}"),
        Data::Number(number) => format!("is {number}"),
        Data::Handle(_) => "is a handle".to_owned(),
        Data::String(text) => match text.char_indices().nth(MOST_CHARACTERS) {
            None => format!("is {}", quoted(text)),
            Some((end, _)) => format!("is {}…", quoted(&text[..end])),
        },
        Data::List(items) | Data::Set(items) | Data::Tuple(items) => of(items.len(), "element"),
        Data::Map(members) => of(members.len(), "element"),
        Data::Object(members) => of(members.len(), "attribute"),
    }
}
