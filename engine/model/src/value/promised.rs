//! What is known of values, whether they are known or not.

use super::{Bounds, Data, Items, Refinement, Value};
use crate::number::Number;
use crate::ty::Type;

/// Longer lists are not written out.
const MOST_ITEMS: u64 = 1024;

impl Value {
    /// Known only after apply, but for what is promised: where that leaves one value open, it is that one.
    pub fn refined(ty: Type, refinement: Refinement) -> Value {
        let refinement = refinement.fitting(&ty);
        if !refinement.is_not_null() {
            return Data::Unknown(ty, refinement).into();
        }
        let length = refinement.lengths().only().copied();
        match (&ty, length, refinement.numbers().only()) {
            (Type::List(element), Some(length @ 0..=MOST_ITEMS), _) => {
                Value::list((**element).clone(), (0..length).map(|_| Value::unknown((**element).clone())))
            }
            (Type::Map(element), Some(0), _) => Value::map((**element).clone(), []),
            (Type::Set(element), Some(length @ 0..=1), _) => {
                let items = (0..length).map(|_| Value::unknown((**element).clone())).collect::<Items>();
                Data::Set(items.of((**element).clone())).into()
            }
            // Of the two zeros it may be either.
            (_, _, Some(number)) if *number != Number::from(0) => number.clone().into(),
            _ => Data::Unknown(ty, refinement).into(),
        }
    }

    /// What is known of it, apart from its type: of what is known, as much as can be promised.
    pub fn refinement(&self) -> Refinement {
        match &self.data {
            Data::Null(_) => Refinement::NONE,
            Data::Unknown(_, refinement) => refinement.clone(),
            Data::String(text) => Refinement::beginning_exactly(text),
            Data::Number(number) => Refinement::of_numbers(Bounds::exactly(number.clone())),
            Data::List(_) | Data::Set(_) | Data::Map(_) => Refinement::of_lengths(self.lengths().unwrap_or_default()),
            Data::Bool(_) | Data::Tuple(_) | Data::Object(_) | Data::Handle(_) => Refinement::NOT_NULL,
        }
    }

    /// How many items or members it has, where it has any. Items of a set may turn out to be the same.
    pub fn lengths(&self) -> Option<Bounds<u64>> {
        match &self.data {
            Data::Set(items) if self.has_open_length() => Some(Bounds::between(1, items.len() as u64)),
            Data::List(items) | Data::Set(items) | Data::Tuple(items) => Some(Bounds::exactly(items.len() as u64)),
            Data::Map(members) | Data::Object(members) => Some(Bounds::exactly(members.len() as u64)),
            Data::Unknown(Type::Tuple(items), _) => Some(Bounds::exactly(items.len() as u64)),
            Data::Unknown(Type::Object(fields), _) => Some(Bounds::exactly(fields.len() as u64)),
            Data::Unknown(Type::Any | Type::List(_) | Type::Set(_) | Type::Map(_), refinement) => {
                Some(refinement.lengths())
            }
            Data::Null(_) | Data::Unknown(..) | Data::Bool(_) | Data::Number(_) | Data::String(_) | Data::Handle(_) => {
                None
            }
        }
    }

    /// Whether it is a set of which it is not known how many items are the same.
    pub fn has_open_length(&self) -> bool {
        matches!(&self.data, Data::Set(items) if items.len() > 1) && !self.is_wholly_known()
    }

    /// Whether it is known that it is not `null`.
    pub fn is_something(&self) -> bool {
        match &self.data {
            Data::Null(_) => false,
            Data::Unknown(_, refinement) => refinement.is_not_null(),
            _ => true,
        }
    }

    /// The same value, and not `null` where it is unknown.
    #[must_use]
    pub fn not_null(self) -> Value {
        match self.data {
            Data::Unknown(ty, refinement) => Value::refined(ty, refinement.and_not_null()).with_marks(self.marks),
            data => Value { data, marks: self.marks },
        }
    }

    /// Whether this, once all of it is known, can be that: the type is not looked at.
    pub fn admits(&self, real: &Value) -> bool {
        let all = |one: &[Value], other: &[Value]| {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.admits(other))
        };
        match (&self.data, &real.data) {
            (Data::Unknown(_, refinement), _) => refinement.admits(real),
            (Data::Set(one), Data::Set(other)) if self.is_wholly_known() => one == other,
            (Data::Set(one), Data::Set(other)) => {
                let lengths = self.lengths().unwrap_or_default();
                lengths.hold(&(other.len() as u64))
                    && one.iter().all(|item| other.iter().any(|real| item.admits(real)))
                    && other.iter().all(|real| one.iter().any(|item| item.admits(real)))
            }
            (Data::List(one), Data::List(other)) | (Data::Tuple(one), Data::Tuple(other)) => all(one, other),
            (Data::Map(one), Data::Map(other)) | (Data::Object(one), Data::Object(other)) => {
                one.keys().eq(other.keys()) && one.values().zip(other.values()).all(|(one, other)| one.admits(other))
            }
            (one, other) => one == other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::convert::convert;

    #[test]
    fn where_only_one_value_is_left_it_is_that() {
        let lengths = |least, most| Refinement::of_lengths(Bounds::between(least, most));
        let list = || Type::list(Type::String);
        assert_eq!(Value::refined(list(), lengths(0, 0)), Value::list(Type::String, []));
        assert_eq!(format!("{:?}", Value::refined(list(), lengths(2, 2))), "[(unknown string), (unknown string)]");
        assert!(Value::refined(list(), lengths(1, 2)).is_unknown());
        assert!(Value::refined(list(), lengths(0, 0).or_null()).is_unknown());
        assert!(Value::refined(Type::set(Type::String), lengths(2, 2)).is_unknown());
        let five = Refinement::of_numbers(Bounds::exactly(Number::from(5)));
        assert_eq!(Value::refined(Type::Number, five), Value::from(5u64));
    }

    #[test]
    fn a_promise_that_makes_no_sense_for_a_type_is_none() {
        let value = Value::refined(Type::Bool, Refinement::beginning_with("a-"));
        assert_eq!(value, Value::unknown(Type::Bool).not_null());
    }

    #[test]
    fn items_of_a_set_may_turn_out_to_be_the_same() {
        let items = [Value::from("a"), Value::unknown(Type::String), Value::unknown(Type::String)];
        let set = convert(Value::tuple(items), &Type::set(Type::String)).unwrap();
        assert_eq!(set.lengths(), Some(Bounds::between(1, 3)));
        let real = |items: &[&str]| {
            let items = Value::tuple(items.iter().copied().map(Value::from));
            convert(items, &Type::set(Type::String)).unwrap()
        };
        assert!(set.admits(&real(&["a"])) && set.admits(&real(&["a", "b", "c"])));
        assert!(!set.admits(&real(&["b"])) && !set.admits(&real(&["a", "b", "c", "d"])));
    }
}
