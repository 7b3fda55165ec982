//! The types of values: those of Terraform, and one more for handles.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The type of a value, or of what a value may become.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Type {
    /// Not known, or anything goes.
    Any,
    /// `true` or `false`.
    Bool,
    /// A decimal number of any size.
    Number,
    /// Text.
    String,
    /// Many of one type, in order.
    List(Box<Type>),
    /// Many of one type, each once, in no order.
    Set(Box<Type>),
    /// Many of one type, by name.
    Map(Box<Type>),
    /// Some, each of its own type, in order.
    Tuple(Vec<Type>),
    /// Some, each of its own type, by name.
    Object(BTreeMap<String, Field>),
    /// Something that configuration can pass around and never look inside, as the engine of a machine.
    Handle,
}

/// One attribute of an object type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Field {
    /// Its type.
    pub ty: Type,
    /// May be left out, and is then `null`.
    #[serde(default)]
    pub optional: bool,
}

impl Type {
    /// A list of this type.
    pub fn list(element: Type) -> Type {
        Type::List(Box::new(element))
    }

    /// A map of this type.
    pub fn map(element: Type) -> Type {
        Type::Map(Box::new(element))
    }

    /// A set of this type.
    pub fn set(element: Type) -> Type {
        Type::Set(Box::new(element))
    }

    /// An object whose attributes must all be there.
    pub fn object<N: Into<String>>(fields: impl IntoIterator<Item = (N, Type)>) -> Type {
        Type::Object(fields.into_iter().map(|(name, ty)| (name.into(), Field { ty, optional: false })).collect())
    }
}

impl Type {
    /// Whether there is an `any` in it.
    pub fn has_any(&self) -> bool {
        match self {
            Type::Any => true,
            Type::Bool | Type::Number | Type::String | Type::Handle => false,
            Type::List(element) | Type::Set(element) | Type::Map(element) => element.has_any(),
            Type::Tuple(items) => items.iter().any(Type::has_any),
            Type::Object(fields) => fields.values().any(|field| field.ty.has_any()),
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Any => f.write_str("any"),
            Type::Bool => f.write_str("bool"),
            Type::Number => f.write_str("number"),
            Type::String => f.write_str("string"),
            Type::Handle => f.write_str("handle"),
            Type::List(element) => write!(f, "list({element})"),
            Type::Set(element) => write!(f, "set({element})"),
            Type::Map(element) => write!(f, "map({element})"),
            Type::Tuple(elements) => {
                let elements: Vec<_> = elements.iter().map(Type::to_string).collect();
                write!(f, "tuple([{}])", elements.join(", "))
            }
            Type::Object(fields) => {
                let fields: Vec<_> = fields.iter().map(field_text).collect();
                write!(f, "object({{{}}})", fields.join(", "))
            }
        }
    }
}

fn field_text((name, field): (&String, &Field)) -> String {
    match field.optional {
        true => format!("{name} = optional({})", field.ty),
        false => format!("{name} = {}", field.ty),
    }
}
