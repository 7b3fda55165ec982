//! `optional(type, default)`: what attributes have that are left out.
//!
//! Source: HCL's `ext/typeexpr`.

use std::collections::BTreeMap;

use bimetal_model::convert::{convert, unify};
use bimetal_model::{Data, Items, Members, Type, Value};

/// What is put where nothing is in a value, before the value becomes of its type.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// Of an object's attributes.
    pub(super) values: BTreeMap<String, Value>,
    pub(super) inside: Inside,
}

/// The defaults in what is inside.
#[derive(Clone, Debug, Default)]
pub(super) enum Inside {
    #[default]
    Nothing,
    /// Of each of many.
    Elements(Box<Defaults>),
    /// Of an object.
    Attributes(BTreeMap<String, Defaults>),
    /// Of a tuple.
    Items(Vec<Defaults>),
}

impl Defaults {
    pub(super) fn of_elements(defaults: Defaults) -> Self {
        Defaults { values: BTreeMap::new(), inside: Inside::Elements(Box::new(defaults)) }
    }

    fn is_empty(&self) -> bool {
        let inside_is_empty = match &self.inside {
            Inside::Nothing => true,
            Inside::Elements(defaults) => defaults.is_empty(),
            Inside::Attributes(attributes) => attributes.values().all(Defaults::is_empty),
            Inside::Items(items) => items.iter().all(Defaults::is_empty),
        };
        self.values.is_empty() && inside_is_empty
    }

    fn of_item(&self, index: usize) -> Option<&Defaults> {
        match &self.inside {
            Inside::Elements(defaults) => Some(defaults),
            Inside::Items(items) => items.get(index),
            Inside::Attributes(_) | Inside::Nothing => None,
        }
    }

    fn of_member(&self, name: &str) -> Option<&Defaults> {
        match &self.inside {
            Inside::Elements(defaults) => Some(defaults),
            Inside::Attributes(attributes) => attributes.get(name),
            Inside::Items(_) | Inside::Nothing => None,
        }
    }

    /// The value with what is missing in it. `null` itself stays so.
    pub(crate) fn fill(&self, value: Value) -> Value {
        if self.is_empty() {
            return value;
        }
        let Value { data, marks } = value;
        let filled = match data {
            Data::Tuple(items) => Value::tuple(self.items(items)),
            Data::List(items) if items.is_empty() => Data::List(items).into(),
            Data::Set(items) if items.is_empty() => Data::Set(items).into(),
            Data::List(items) => collected(self.items(items), Type::list),
            Data::Set(items) => collected(self.items(items), Type::set),
            Data::Map(members) if members.is_empty() && self.values.is_empty() => Data::Map(members).into(),
            Data::Map(members) => {
                let members = self.members(members);
                let common = unify(members.values().map(Value::ty));
                let object = Value::from(Data::Object(members.into()));
                let map = common.and_then(|common| convert(object.clone(), &Type::map(common)).ok());
                map.unwrap_or(object)
            }
            Data::Object(members) => Data::Object(self.members(members).into()).into(),
            leaf => leaf.into(),
        };
        filled.with_marks(marks)
    }

    fn items(&self, items: Items) -> Vec<Value> {
        let fill = |(index, item): (usize, Value)| match self.of_item(index) {
            Some(defaults) => defaults.fill(item),
            None => item,
        };
        items.into_iter().enumerate().map(fill).collect()
    }

    fn members(&self, members: Members) -> BTreeMap<String, Value> {
        let fill = |name: &String, member: Value| match self.of_member(name) {
            Some(defaults) => defaults.fill(member),
            None => member,
        };
        let filled = members.into_iter().map(|(name, member)| {
            let member = fill(&name, member);
            (name, member)
        });
        let mut members: BTreeMap<String, Value> = filled.collect();
        for (name, default) in &self.values {
            if members.get(name).is_none_or(Value::is_null) {
                members.insert(name.clone(), fill(name, default.clone()));
            }
        }
        members
    }
}

/// A list or set of items, where they have a type in common.
fn collected(items: Vec<Value>, collection: fn(Type) -> Type) -> Value {
    let common = unify(items.iter().map(Value::ty));
    let items = Value::tuple(items);
    let collected = common.and_then(|common| convert(items.clone(), &collection(common)).ok());
    collected.unwrap_or(items)
}
