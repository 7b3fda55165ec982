//! Values: what expressions yield, what providers take and give, what state keeps.

use std::collections::BTreeMap;
use std::fmt;

use crate::number::Number;
use crate::path::{Path, Step};
use crate::ty::{Field, Type};

/// A value and whether it may be shown.
///
/// Invariant: `Debug` never prints what is sensitive (test: `a_sensitive_value_does_not_print`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value {
    /// What it is.
    pub data: Data,
    /// Never shown, logged or stored in clear. Parts of it may be sensitive where the whole is not.
    pub sensitive: bool,
}

/// What a value is.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Data {
    /// Nothing.
    Null,
    /// Something of this type that is known only after apply.
    Unknown(Type),
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    String(String),
    /// Of one type, in order.
    List(Vec<Value>),
    /// Of one type; sorted, each once.
    Set(Vec<Value>),
    /// Of one type, by name.
    Map(BTreeMap<String, Value>),
    /// Each of its own type, in order.
    Tuple(Vec<Value>),
    /// Each of its own type, by name.
    Object(BTreeMap<String, Value>),
    /// Opaque to configuration; its JSON text is in canonical form.
    Handle(String),
}

impl From<Data> for Value {
    fn from(data: Data) -> Self {
        Value { data, sensitive: false }
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
        Data::String(value.to_owned()).into()
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Data::String(value).into()
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
    pub const NULL: Value = Value { data: Data::Null, sensitive: false };

    /// Known only after apply.
    pub fn unknown(ty: Type) -> Value {
        Data::Unknown(ty).into()
    }

    /// A tuple.
    pub fn tuple(items: impl IntoIterator<Item = Value>) -> Value {
        Data::Tuple(items.into_iter().collect()).into()
    }

    /// The same value, never to be shown.
    #[must_use]
    pub fn into_sensitive(self) -> Value {
        Value { sensitive: true, ..self }
    }

    /// The same value, sensitive too if `marked`.
    #[must_use]
    pub fn with_sensitivity(self, marked: bool) -> Value {
        Value { sensitive: self.sensitive || marked, ..self }
    }

    /// Whether this is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.data, Data::Null)
    }

    /// Whether this value, as a whole, is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self.data, Data::Unknown(_))
    }

    /// Whether nothing in it is unknown.
    pub fn is_wholly_known(&self) -> bool {
        !self.is_unknown() && self.children().all(|(_, child)| child.is_wholly_known())
    }

    /// Whether it or anything in it is sensitive.
    pub fn has_sensitive(&self) -> bool {
        self.sensitive || self.children().any(|(_, child)| child.has_sensitive())
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
    pub fn as_members(&self) -> Option<&BTreeMap<String, Value>> {
        match &self.data {
            Data::Map(members) | Data::Object(members) => Some(members),
            _ => None,
        }
    }

    /// A member of a map or object; `null` counts as absent.
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.as_members()?.get(name).filter(|value| !value.is_null())
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
            Data::Null | Data::Unknown(_) | Data::Bool(_) | Data::Number(_) | Data::String(_) | Data::Handle(_) => {
                Box::new(std::iter::empty())
            }
        }
    }

    /// The value with every part replaced by what `change` makes of it, children first.
    #[must_use]
    pub fn map_parts(self, change: &mut dyn FnMut(Value) -> Value) -> Value {
        let Value { data, sensitive } = self;
        let data = match data {
            Data::List(items) => Data::List(map_items(items, change)),
            Data::Set(items) => Data::Set(map_items(items, change)),
            Data::Tuple(items) => Data::Tuple(map_items(items, change)),
            Data::Map(members) => Data::Map(map_members(members, change)),
            Data::Object(members) => Data::Object(map_members(members, change)),
            leaf => leaf,
        };
        change(Value { data, sensitive })
    }

    /// Its type. Lists, sets and maps take the type of their first element that has one, `any` without such.
    pub fn ty(&self) -> Type {
        match &self.data {
            Data::Null => Type::Any,
            Data::Unknown(ty) => ty.clone(),
            Data::Bool(_) => Type::Bool,
            Data::Number(_) => Type::Number,
            Data::String(_) => Type::String,
            Data::Handle(_) => Type::Handle,
            Data::List(items) => Type::list(element_type(items)),
            Data::Set(items) => Type::set(element_type(items)),
            Data::Map(members) => Type::map(element_type(members.values())),
            Data::Tuple(items) => Type::Tuple(items.iter().map(Value::ty).collect()),
            Data::Object(members) => Type::Object(members.iter().map(field_of).collect()),
        }
    }
}

fn element_type<'a>(items: impl IntoIterator<Item = &'a Value>) -> Type {
    items.into_iter().map(Value::ty).find(|ty| *ty != Type::Any).unwrap_or(Type::Any)
}

fn field_of((name, value): (&String, &Value)) -> (String, Field) {
    (name.clone(), Field { ty: value.ty(), optional: false })
}

fn map_items(items: Vec<Value>, change: &mut dyn FnMut(Value) -> Value) -> Vec<Value> {
    items.into_iter().map(|item| item.map_parts(change)).collect()
}

fn map_members(members: BTreeMap<String, Value>, change: &mut dyn FnMut(Value) -> Value) -> BTreeMap<String, Value> {
    members.into_iter().map(|(name, value)| (name, value.map_parts(change))).collect()
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sensitive {
            true => f.write_str("(sensitive)"),
            false => self.data.fmt(f),
        }
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Data::Null => f.write_str("null"),
            Data::Unknown(ty) => write!(f, "(unknown {ty})"),
            Data::Bool(value) => value.fmt(f),
            Data::Number(number) => write!(f, "{number}"),
            Data::String(text) => text.fmt(f),
            Data::Handle(_) => f.write_str("(handle)"),
            Data::List(items) | Data::Tuple(items) => f.debug_list().entries(items).finish(),
            Data::Set(items) => f.debug_set().entries(items).finish(),
            Data::Map(members) | Data::Object(members) => f.debug_map().entries(members).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sensitive_value_does_not_print() {
        let value: Value = [("token", Value::from("hunter2").into_sensitive())].into_iter().collect();
        assert_eq!(format!("{value:?}"), r#"{"token": (sensitive)}"#);
    }

    #[test]
    fn unknown_parts_make_a_value_not_wholly_known() {
        let value = Value::tuple([Value::from(true), Value::unknown(Type::String)]);
        assert!(!value.is_unknown() && !value.is_wholly_known());
    }
}
