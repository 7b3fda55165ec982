//! What a function was given.

use std::borrow::Cow;
use std::sync::LazyLock;

use bimetal_model::{Data, Named, Number, Type, Value};

use super::{Error, Result, Site};
use crate::evaluate::Scope;

/// As many arguments as the function's table says, of the types that it says.
pub(crate) struct Arguments<'a> {
    pub(crate) values: Vec<Cow<'a, Value>>,
    pub(crate) scope: &'a Scope,
    pub(crate) site: &'a Site<'a>,
}

static NULL: Value = Value::NULL;
static ZERO: LazyLock<Number> = LazyLock::new(|| Number::from(0));
static NO_MEMBERS: Named = Named::new();

impl Arguments<'_> {
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    pub(crate) fn value(&self, place: usize) -> &Value {
        self.values.get(place).map_or(&NULL, |value| value)
    }

    /// Where the table says text.
    pub(crate) fn text(&self, place: usize) -> &str {
        self.value(place).as_str().unwrap_or_default()
    }

    /// Where the table says a number.
    pub(crate) fn number(&self, place: usize) -> &Number {
        self.value(place).as_number().unwrap_or_else(|| &ZERO)
    }

    /// Where the table says a number, and it must be a whole one of at most 64 bits.
    pub(crate) fn whole(&self, place: usize) -> Result<i64> {
        let number = self.number(place);
        number.to_i64().ok_or_else(|| Error::new(format!("a whole number is wanted, not {number}")))
    }

    /// Where the table says a list or set.
    pub(crate) fn items(&self, place: usize) -> &[Value] {
        self.value(place).as_items().unwrap_or_default()
    }

    /// The type of the items of a list or set.
    pub(crate) fn element(&self, place: usize) -> Type {
        match &self.value(place).data {
            Data::List(items) | Data::Set(items) => items.element(),
            _ => Type::Any,
        }
    }

    /// Where the table says a map.
    pub(crate) fn members(&self, place: usize) -> &Named {
        self.value(place).as_members().unwrap_or(&NO_MEMBERS)
    }
}
