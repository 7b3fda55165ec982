//! What is promised of a value that is known only after apply: that it is not `null`, how a text begins, how many items there are, between
//! what a number lies.
//!
//! Source: the refinements of cty's unknown values, without bounds that are open.

use std::sync::Arc;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;

use super::{Bounds, Data, Value};
use crate::number::Number;
use crate::ty::Type;

/// A longer beginning is not kept: what is compared with it is short, and it is stored with each plan.
const LONGEST_PREFIX: usize = 256;

/// A promise about an unknown value. Most promise nothing, or only that it is not `null`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Refinement {
    not_null: bool,
    range: Option<Arc<Range>>,
}

/// What a value can be, unless it is `null`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Range {
    /// Text that begins so.
    Prefix(String),
    /// A list, set or map with so many items.
    Lengths(Bounds<u64>),
    /// A number within these bounds.
    Numbers(Bounds<Number>),
}

impl Refinement {
    /// It may be anything of its type, or `null`.
    pub const NONE: Refinement = Refinement { not_null: false, range: None };
    /// It may be anything of its type, but not `null`.
    pub const NOT_NULL: Refinement = Refinement { not_null: true, range: None };

    /// Text that begins with this, whatever follows.
    pub fn beginning_with(text: &str) -> Refinement {
        let prefix = steady(text);
        let range = (!prefix.is_empty()).then(|| Arc::new(Range::Prefix(prefix)));
        Refinement { not_null: true, range }
    }

    /// A list, set or map with so many items.
    pub fn of_lengths(lengths: Bounds<u64>) -> Refinement {
        // None is less than none.
        let lengths = Bounds { least: Some(lengths.least.unwrap_or(0)), ..lengths };
        let is_open = lengths == Bounds { least: Some(0), most: None };
        Refinement { not_null: true, range: (!is_open).then(|| Arc::new(Range::Lengths(lengths))) }
    }

    /// A number within these bounds.
    pub fn of_numbers(numbers: Bounds<Number>) -> Refinement {
        let finite = |bound: Option<Number>| bound.filter(|bound| !bound.is_infinite());
        let numbers = Bounds { least: finite(numbers.least), most: finite(numbers.most) };
        Refinement { not_null: true, range: (!numbers.is_open()).then(|| Arc::new(Range::Numbers(numbers))) }
    }

    /// The same promise, or `null`.
    #[must_use]
    pub fn or_null(self) -> Refinement {
        Refinement { not_null: false, ..self }
    }

    /// The same promise, and not `null`.
    #[must_use]
    pub fn and_not_null(self) -> Refinement {
        Refinement { not_null: true, ..self }
    }

    /// Whether it can't be `null`.
    pub fn is_not_null(&self) -> bool {
        self.not_null
    }

    /// How it begins, if it is text.
    pub fn prefix(&self) -> &str {
        match self.range.as_deref() {
            Some(Range::Prefix(prefix)) => prefix,
            Some(Range::Lengths(_) | Range::Numbers(_)) | None => "",
        }
    }

    /// How many items there are, if it is a list, set or map.
    pub fn lengths(&self) -> Bounds<u64> {
        match self.range.as_deref() {
            Some(Range::Lengths(lengths)) => lengths.clone(),
            Some(Range::Prefix(_) | Range::Numbers(_)) | None => Bounds::default(),
        }
    }

    /// Between what it lies, if it is a number.
    pub fn numbers(&self) -> Bounds<Number> {
        match self.range.as_deref() {
            Some(Range::Numbers(numbers)) => numbers.clone(),
            Some(Range::Prefix(_) | Range::Lengths(_)) | None => Bounds::default(),
        }
    }

    /// What is promised where it may be either of two values.
    pub fn of_either(one: &Value, other: &Value) -> Refinement {
        if one.is_null() || other.is_null() {
            let something = if one.is_null() { other } else { one };
            return something.refinement().or_null();
        }
        let (one, other) = (one.refinement(), other.refinement());
        let range = match (one.range.as_deref(), other.range.as_deref()) {
            (Some(Range::Prefix(one)), Some(Range::Prefix(other))) => Refinement::beginning_exactly(common(one, other)),
            (Some(Range::Lengths(one)), Some(Range::Lengths(other))) => {
                Refinement::of_lengths(one.clone().or(other.clone()))
            }
            (Some(Range::Numbers(one)), Some(Range::Numbers(other))) => {
                Refinement::of_numbers(one.clone().or(other.clone()))
            }
            _ => Refinement::NOT_NULL,
        };
        Refinement { not_null: one.not_null && other.not_null, ..range }
    }

    /// Whether nothing but `null` keeps both promises.
    pub fn are_apart(&self, other: &Refinement) -> bool {
        match (self.range.as_deref(), other.range.as_deref()) {
            (Some(Range::Prefix(one)), Some(Range::Prefix(other))) => {
                !one.starts_with(&**other) && !other.starts_with(&**one)
            }
            (Some(Range::Lengths(one)), Some(Range::Lengths(other))) => one.are_apart(other),
            (Some(Range::Numbers(one)), Some(Range::Numbers(other))) => one.are_apart(other),
            _ => false,
        }
    }

    /// Whether a value keeps the promise. One that is not known itself does, unless it can't.
    pub fn admits(&self, value: &Value) -> bool {
        match (&value.data, self.range.as_deref()) {
            (Data::Null(_), _) => !self.not_null,
            (Data::Unknown(_, other), _) => !self.are_apart(other),
            (Data::String(text), Some(Range::Prefix(prefix))) => text.starts_with(&**prefix),
            (_, Some(Range::Lengths(lengths))) => value.lengths().is_none_or(|found| !lengths.are_apart(&found)),
            (Data::Number(number), Some(Range::Numbers(numbers))) => numbers.hold(number),
            _ => true,
        }
    }

    /// Only what makes sense for a type.
    pub(super) fn fitting(self, ty: &Type) -> Refinement {
        let fits = match self.range.as_deref() {
            None => true,
            Some(Range::Prefix(_)) => *ty == Type::String,
            Some(Range::Lengths(_)) => matches!(ty, Type::List(_) | Type::Set(_) | Type::Map(_)),
            Some(Range::Numbers(_)) => *ty == Type::Number,
        };
        if fits { self } else { Refinement { range: None, ..self } }
    }

    /// Nothing follows that could change its end.
    pub(crate) fn beginning_exactly(prefix: &str) -> Refinement {
        let prefix = short(prefix);
        let range = (!prefix.is_empty()).then(|| Arc::new(Range::Prefix(prefix.to_owned())));
        Refinement { not_null: true, range }
    }
}

fn common<'t>(one: &'t str, other: &str) -> &'t str {
    let same = one.char_indices().zip(other.chars()).find(|((_, one), other)| one != other);
    match same {
        Some(((place, _), _)) => &one[..place],
        None if one.len() <= other.len() => one,
        None => &one[..other.len()],
    }
}

/// No more than is kept.
fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_PREFIX)]
}

/// What stays as it is whatever text follows: that may combine with the last letter, as an accent does.
fn steady(text: &str) -> String {
    let mut text: String = if text.is_ascii() { text.to_owned() } else { text.nfc().collect() };
    text.truncate(short(&text).len());
    if text.chars().next_back().is_some_and(combines) {
        while text.pop().is_some_and(|last| canonical_combining_class(last) != 0) {}
    }
    text
}

/// Whether a mark behind it may become one character with it. Of these, texts are mostly made to end before something unknown.
fn combines(c: char) -> bool {
    !c.is_ascii() || c.is_ascii_alphabetic() || matches!(c, '<' | '=' | '>')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check_prefix(text: &str, prefix: &str) {
        assert_eq!(Refinement::beginning_with(text).prefix(), prefix, "{text}");
    }

    #[test]
    fn what_follows_may_change_the_last_letter() {
        check_prefix("http://", "http://");
        check_prefix("port 80", "port 80");
        check_prefix("abc", "ab");
        check_prefix("a=", "a");
        check_prefix("e\u{301}\u{320}", "");
        check_prefix("", "");
        check_prefix(&"1".repeat(1000), &"1".repeat(LONGEST_PREFIX));
    }

    #[test]
    fn either_of_two_keeps_what_both_promise() {
        let either = |one: Value, other: Value| Refinement::of_either(&one, &other);
        assert_eq!(either("http://a".into(), "https://".into()).prefix(), "http");
        assert!(!either("a".into(), Value::NULL).is_not_null());
        assert_eq!(either("a".into(), Value::NULL).prefix(), "a");
        let list = |items: usize| Value::list(Type::Bool, vec![Value::from(true); items]);
        assert_eq!(either(list(1), list(3)).lengths(), Bounds::between(1, 3));
        assert_eq!(either(1u64.into(), 9u64.into()).numbers(), Bounds::between(Number::from(1), Number::from(9)));
    }

    proptest! {
        #[test]
        fn a_beginning_stays_whatever_follows(one in "[a-z=é\u{301}\u{1100}\u{1161}\u{9c7}\u{9be}-]{0,5}", other in "[a-z\u{301}\u{338}\u{1161}\u{11a8}\u{9be}]{0,3}") {
            let refinement = Refinement::beginning_with(&one);
            let whole = Value::from(format!("{one}{other}"));
            prop_assert!(refinement.admits(&whole), "{:?} {:?}", refinement.prefix(), whole);
        }
    }
}
