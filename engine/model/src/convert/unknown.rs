//! What is known of a value before it is known, once it is converted.

use crate::ty::Type;
use crate::value::{Bounds, Refinement, Value};

/// An unknown value of one type as one of another, which it is known to become.
pub(super) fn unknown(from: &Type, refinement: &Refinement, to: Type) -> Value {
    if *from == to {
        return Value::refined(to, refinement.clone());
    }
    let lengths = Refinement::of_lengths(lengths(from, refinement, &to));
    let kept = if refinement.is_not_null() { lengths } else { lengths.or_null() };
    Value::refined(to, kept)
}

/// How many items there are. Some may be the same, and a set has each once.
fn lengths(from: &Type, refinement: &Refinement, to: &Type) -> Bounds<u64> {
    let found = match from {
        Type::Tuple(items) => Bounds::exactly(items.len() as u64),
        Type::Object(fields) => Bounds::exactly(fields.len() as u64),
        _ => refinement.lengths(),
    };
    match to {
        Type::Set(_) => Bounds { least: found.least.map(|least| least.min(1)), ..found },
        _ => found,
    }
}

#[cfg(test)]
mod tests {
    use super::super::convert;
    use super::*;

    fn check(from: Value, to: &Type, becomes: &str) {
        let shown = match convert(from, to) {
            Ok(value) => format!("{value:?} {:?}", value.lengths().unwrap_or_default()),
            Err(mismatch) => mismatch.reason,
        };
        assert!(shown.starts_with(becomes), "{shown}");
    }

    #[test]
    fn an_unknown_of_any_type_takes_the_one_that_is_wanted() {
        check(Value::unknown(Type::Any), &Type::list(Type::Bool), "(unknown list(bool))");
        check(Value::unknown(Type::list(Type::Bool)), &Type::list(Type::Any), "(unknown list(bool))");
        check(Value::unknown(Type::list(Type::Bool)), &Type::set(Type::String), "(unknown set(string))");
    }

    #[test]
    fn what_can_never_be_is_refused() {
        check(Value::unknown(Type::list(Type::Bool)), &Type::String, "string required, but have list(bool)");
        check(Value::unknown(Type::Bool), &Type::Number, "number required, but have bool");
        check(Value::null(Type::list(Type::Bool)), &Type::String, "string required, but have list(bool)");
    }

    #[test]
    fn lengths_stay_as_far_as_they_can() {
        let tuple = |count: usize| Value::unknown(Type::Tuple(vec![Type::String; count])).not_null();
        check(tuple(2), &Type::list(Type::Any), "[(unknown string), (unknown string)]");
        check(tuple(0), &Type::list(Type::Any), "[]");
        check(tuple(2), &Type::set(Type::Any), "(unknown set(string)) Bounds { least: Some(1), most: Some(2) }");
        let object = Value::unknown(Type::object([("a", Type::Bool)])).not_null();
        check(object, &Type::map(Type::Any), "(unknown map(bool)) Bounds { least: Some(1), most: Some(1) }");
    }
}
