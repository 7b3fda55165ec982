//! Values: what expressions yield, what providers take and give, what state keeps.

mod bounds;
mod order;
mod parts;
mod promised;
mod refinement;

use std::fmt;
use std::sync::Arc;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use crate::number::Number;
use crate::path::{Path, Step};
use crate::ty::{Field, Type};
pub use bounds::Bounds;
pub(crate) use order::sort;
pub use parts::{Items, Kind, Measure, Members, Named};
pub use refinement::Refinement;

/// A value and what must not be done with it.
///
/// Invariant: `Debug` never prints what is sensitive or ephemeral (test: `a_value_with_a_mark_does_not_print`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value {
    /// What it is.
    pub data: Data,
    /// What must not be done with it. Parts of it may have marks where the whole has none.
    pub marks: ValueMarks,
}

/// What must not be done with a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueMarks {
    /// Never shown, logged or stored in clear.
    pub sensitive: bool,
    /// Never shown, logged or stored at all.
    pub ephemeral: bool,
}

impl ValueMarks {
    /// Everything may be done with it.
    pub const NONE: ValueMarks = ValueMarks { sensitive: false, ephemeral: false };

    /// Nothing is kept of it.
    pub const EPHEMERAL: ValueMarks = ValueMarks { sensitive: false, ephemeral: true };

    /// Whether it must not be shown.
    pub fn hide(self) -> bool {
        self.sensitive || self.ephemeral
    }
}

impl std::ops::BitOr for ValueMarks {
    type Output = ValueMarks;

    fn bitor(self, other: ValueMarks) -> ValueMarks {
        ValueMarks { sensitive: self.sensitive || other.sensitive, ephemeral: self.ephemeral || other.ephemeral }
    }
}

impl std::ops::BitOrAssign for ValueMarks {
    fn bitor_assign(&mut self, other: ValueMarks) {
        *self = *self | other;
    }
}

/// What a value is.
///
/// Text, items and members are shared: to clone a value costs the same whatever is in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Data {
    /// Nothing, where something of this type could be.
    Null(Kind),
    /// Something of this type that is known only after apply, and what is promised of it. Made by [`Value::refined`], so that what one
    /// value alone keeps is that value.
    Unknown(Type, Refinement),
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    String(Arc<str>),
    /// Of one type, in order.
    List(Items),
    /// Of one type; sorted, each once.
    Set(Items),
    /// Of one type, by name.
    Map(Members),
    /// Each of its own type, in order.
    Tuple(Items),
    /// Each of its own type, by name.
    Object(Members),
    /// Opaque to configuration; its JSON text is in canonical form.
    Handle(Arc<str>),
}

impl From<Data> for Value {
    fn from(data: Data) -> Self {
        Value { data, marks: ValueMarks::NONE }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Data::Bool(value).into()
    }
}

impl From<Number> for Value {
    fn from(value: Number) -> Self {
        Data::Number(value).into()
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::from(value.to_owned())
    }
}

/// In the normal form C, as HCL has all strings: what looks the same is the same.
impl From<String> for Value {
    fn from(value: String) -> Self {
        match value.is_ascii() || is_nfc(&value) {
            true => Data::String(value.into()).into(),
            false => Data::String(value.nfc().collect::<String>().into()).into(),
        }
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Data::Number(value.into()).into()
    }
}

impl<N: Into<String>> FromIterator<(N, Value)> for Value {
    /// An object.
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(attributes: I) -> Self {
        Data::Object(attributes.into_iter().map(|(name, value)| (name.into(), value)).collect()).into()
    }
}

impl Value {
    /// `null`.
    pub const NULL: Value = Value { data: Data::Null(Kind(Type::Any)), marks: ValueMarks::NONE };

    /// `null`, where something of this type could be.
    pub fn null(ty: Type) -> Value {
        Data::Null(Kind(ty)).into()
    }

    /// Known only after apply.
    pub fn unknown(ty: Type) -> Value {
        Data::Unknown(ty, Refinement::NONE).into()
    }

    /// A tuple.
    pub fn tuple(items: impl IntoIterator<Item = Value>) -> Value {
        Data::Tuple(items.into_iter().collect()).into()
    }

    /// A list whose items all have this type already.
    pub fn list(element: Type, items: impl IntoIterator<Item = Value>) -> Value {
        Data::List(items.into_iter().collect::<Items>().of(element)).into()
    }

    /// A map whose members all have this type already.
    pub fn map(element: Type, members: impl IntoIterator<Item = (String, Value)>) -> Value {
        Data::Map(members.into_iter().collect::<Members>().of(element)).into()
    }

    /// With all of its parts ephemeral.
    #[must_use]
    pub fn into_ephemeral(self) -> Self {
        self.map_parts(&mut |part| part.with_marks(ValueMarks::EPHEMERAL))
    }

    /// The same value, never to be shown.
    #[must_use]
    pub fn into_sensitive(self) -> Value {
        self.with_sensitivity(true)
    }

    /// The same value, sensitive too if `marked`.
    #[must_use]
    pub fn with_sensitivity(self, marked: bool) -> Value {
        self.with_marks(ValueMarks { sensitive: marked, ..ValueMarks::NONE })
    }

    /// The same value, with these marks too.
    #[must_use]
    pub fn with_marks(self, marks: ValueMarks) -> Value {
        Value { marks: self.marks | marks, ..self }
    }

    /// The same value, without any marks in it.
    #[must_use]
    pub fn without_marks(self) -> Value {
        self.map_parts(&mut |part| Value { marks: ValueMarks::NONE, ..part })
    }

    /// Whether both have the same members in memory, so that there is nothing to compare. What is equal need not be.
    pub fn is_same(&self, other: &Value) -> bool {
        match (&self.data, &other.data) {
            (Data::Object(own), Data::Object(others)) => self.marks == other.marks && own.is_same(others),
            _ => false,
        }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null(_))
    }

    /// Whether this value, as a whole, is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self.data, Data::Unknown(..))
    }

    /// Whether nothing in it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        self.measure().is_known
    }

    /// Whether it or anything in it is sensitive.
    pub fn has_sensitive(&self) -> bool {
        self.all_marks().sensitive
    }

    /// Whether it or anything in it is ephemeral.
    pub fn has_ephemeral(&self) -> bool {
        self.all_marks().ephemeral
    }

    /// Its marks and those of everything in it.
    pub fn all_marks(&self) -> ValueMarks {
        self.measure().marks
    }

    /// The text, if this is some.
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::String(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self.data {
            Data::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The number, if this is one.
    pub fn as_number(&self) -> Option<&Number> {
        match &self.data {
            Data::Number(number) => Some(number),
            _ => None,
        }
    }

    /// The items of a list, set or tuple.
    pub fn as_items(&self) -> Option<&[Value]> {
        match &self.data {
            Data::List(items) | Data::Set(items) | Data::Tuple(items) => Some(items),
            _ => None,
        }
    }

    /// The members of a map or object.
    pub fn as_members(&self) -> Option<&Named> {
        match &self.data {
            Data::Map(members) | Data::Object(members) => Some(members),
            _ => None,
        }
    }

    /// A member of a map or object; `null` counts as absent.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.as_members()?.get(name).filter(|value| !value.is_null())
    }

    /// How large it is, as if nothing in it were shared. Cheap where it was asked before of what is in it.
    pub fn measure(&self) -> Measure {
        let inside = match &self.data {
            Data::List(items) | Data::Set(items) | Data::Tuple(items) => items.measure(),
            Data::Map(members) | Data::Object(members) => members.measure(),
            Data::String(text) | Data::Handle(text) => Measure::of_leaf(text.len()),
            Data::Unknown(..) => Measure { is_known: false, ..Measure::of_leaf(0) },
            Data::Null(_) | Data::Bool(_) | Data::Number(_) => Measure::of_leaf(0),
        };
        Measure { marks: inside.marks | self.marks, ..inside }
    }

    /// What a path leads to.
    pub fn at(&self, path: &Path) -> Option<&Value> {
        path.0.iter().try_fold(self, |value, step| match step {
            Step::Attribute(name) | Step::Key(name) => value.as_members()?.get(name),
            Step::Index(index) => value.as_items()?.get(*index as usize),
        })
    }

    /// What is directly inside, with the step that leads there.
    pub fn children(&self) -> Box<dyn Iterator<Item = (Step, &Value)> + '_> {
        match &self.data {
            Data::List(items) | Data::Set(items) | Data::Tuple(items) => {
                Box::new(items.iter().enumerate().map(|(index, item)| (Step::Index(index as u32), item)))
            }
            Data::Map(members) => Box::new(members.iter().map(|(name, value)| (Step::Key(name.clone()), value))),
            Data::Object(members) => {
                Box::new(members.iter().map(|(name, value)| (Step::Attribute(name.clone()), value)))
            }
            Data::Null(_) | Data::Unknown(..) | Data::Bool(_) | Data::Number(_) | Data::String(_) | Data::Handle(_) => {
                Box::new(std::iter::empty())
            }
        }
    }

    /// The value with every part replaced by what `change` makes of it, children first.
    #[must_use]
    pub fn map_parts(self, change: &mut dyn FnMut(Value) -> Value) -> Value {
        let Value { data, marks } = self;
        let data = match data {
            Data::List(items) => Data::List(items.map(|item| item.map_parts(change))),
            Data::Set(items) => Data::Set(items.map(|item| item.map_parts(change))),
            Data::Tuple(items) => Data::Tuple(items.map(|item| item.map_parts(change))),
            Data::Map(members) => Data::Map(members.map(|member| member.map_parts(change))),
            Data::Object(members) => Data::Object(members.map(|member| member.map_parts(change))),
            leaf => leaf,
        };
        change(Value { data, marks })
    }

    /// Its type. Of lists, sets and maps that don't say, that of the first element that has one.
    pub fn ty(&self) -> Type {
        match &self.data {
            Data::Null(Kind(ty)) | Data::Unknown(ty, _) => ty.clone(),
            Data::Bool(_) => Type::Bool,
            Data::Number(_) => Type::Number,
            Data::String(_) => Type::String,
            Data::Handle(_) => Type::Handle,
            Data::List(items) => Type::list(items.element()),
            Data::Set(items) => Type::set(items.element()),
            Data::Map(members) => Type::map(members.element()),
            Data::Tuple(items) => Type::Tuple(items.iter().map(Value::ty).collect()),
            Data::Object(members) => Type::Object(members.iter().map(field_of).collect()),
        }
    }
}

fn field_of((name, value): (&String, &Value)) -> (String, Field) {
    (name.clone(), Field { ty: value.ty(), optional: false })
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.marks {
            ValueMarks { ephemeral: true, .. } => f.write_str("(ephemeral)"),
            ValueMarks { sensitive: true, .. } => f.write_str("(sensitive)"),
            ValueMarks::NONE => self.data.fmt(f),
        }
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Data::Null(_) => f.write_str("null"),
            Data::Unknown(ty, _) => write!(f, "(unknown {ty})"),
            Data::Bool(value) => value.fmt(f),
            Data::Number(number) => write!(f, "{number}"),
            Data::String(text) => text.fmt(f),
            Data::Handle(_) => f.write_str("(handle)"),
            Data::List(items) | Data::Tuple(items) => f.debug_list().entries(items.iter()).finish(),
            Data::Set(items) => f.debug_set().entries(items.iter()).finish(),
            Data::Map(members) | Data::Object(members) => f.debug_map().entries(members.iter()).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_a_mark_does_not_print() {
        let marked =
            |ephemeral: bool| Value::from("hunter2").with_marks(ValueMarks { sensitive: !ephemeral, ephemeral });
        let value: Value = [("once", marked(true)), ("token", marked(false))].into_iter().collect();
        assert_eq!(format!("{value:?}"), r#"{"once": (ephemeral), "token": (sensitive)}"#);
    }

    #[test]
    fn what_is_shared_counts_each_time() {
        let doubled = |value: &Value| Value::tuple([value.clone(), value.clone()]);
        let (leaf, one) = (Value::from("four"), size_of::<Value>() as u64);
        let value = (0..100).fold(leaf.clone(), |value, _| doubled(&value));
        assert_eq!((value.measure().bytes, value.measure().levels), (u64::MAX, 100));
        let mut pair = doubled(&leaf);
        assert_eq!((pair.measure().bytes, pair.measure().levels), (3 * one + 8, 1));
        let Data::Tuple(items) = &mut pair.data else { unreachable!() };
        items.push(Value::unknown(Type::Any).into_sensitive());
        assert_eq!((pair.measure().bytes, pair.is_wholly_known()), (4 * one + 8, false));
        assert!(pair.has_sensitive() && !leaf.has_sensitive());
    }

    #[test]
    fn unknown_parts_make_a_value_not_wholly_known() {
        let value = Value::tuple([Value::from(true), Value::unknown(Type::String)]);
        assert!(!value.is_unknown() && !value.is_wholly_known());
    }
}
