//! What functions take.

use std::borrow::Cow;

use bimetal_model::convert::convert;
use bimetal_model::{Type, Value};

/// What a function takes in one place.
pub(super) struct Parameter {
    ty: Type,
    /// Otherwise `null` is refused.
    pub(super) takes_null: bool,
    /// Otherwise nothing is done before its type is known.
    pub(super) takes_anything: bool,
}

impl Parameter {
    /// And `null`.
    pub(super) fn or_null(self) -> Self {
        Parameter { takes_null: true, ..self }
    }

    /// And what is of no known type.
    pub(super) fn or_anything(self) -> Self {
        Parameter { takes_anything: true, ..self }
    }

    /// The value as this parameter's type. Otherwise what is wrong with it.
    pub(super) fn fit<'v>(&self, value: Cow<'v, Value>) -> Result<Cow<'v, Value>, String> {
        let is_fit = match self.ty {
            Type::Any => true,
            Type::String => value.as_str().is_some(),
            Type::Number => value.as_number().is_some(),
            _ => false,
        };
        if is_fit {
            return Ok(value);
        }
        let place =
            |path: &bimetal_model::Path| if path.0.is_empty() { String::new() } else { format!(" at `{path}`") };
        convert(value.into_owned(), &self.ty)
            .map(Cow::Owned)
            .map_err(|mismatch| format!("this does not fit{}: {}", place(&mismatch.path), mismatch.reason))
    }
}

fn of(ty: Type) -> Parameter {
    Parameter { ty, takes_null: false, takes_anything: false }
}

pub(super) fn any() -> Parameter {
    of(Type::Any)
}

pub(super) fn text() -> Parameter {
    of(Type::String)
}

pub(super) fn number() -> Parameter {
    of(Type::Number)
}

pub(super) fn list_of(element: Type) -> Parameter {
    of(Type::list(element))
}

pub(super) fn set_of(element: Type) -> Parameter {
    of(Type::set(element))
}

pub(super) fn map_of(element: Type) -> Parameter {
    of(Type::map(element))
}
