//! What two objects can't have at a time, where one is made before the other is removed.
//!
//! A name of the successor's is of a later generation, `data-g1`. It keeps it: to its configuration it is still `data`.

use bimetal_model::schema::{Block, Role, TypeSchema, Unique};
use bimetal_model::{Data, Value};

use crate::compare::same;
use crate::data::Change;
use crate::reason::Shared;
use crate::service::host_ports;

/// How an object is to be called, beside one that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// As that one: it is the same, or it comes when that is gone.
    Same,
    /// Otherwise: it is made while that is there.
    Next,
}

/// The arguments of an object, evaluated again with everything known, with the names that were planned for it.
pub fn named(block: &Block, config: Value, change: &Change) -> Value {
    // Replicas have their names by their placements.
    let (Some(before), Some(after), None) = (&change.before, &change.after, &change.placement) else {
        return config;
    };
    let naming = if change.deposed.is_some() { Naming::Next } else { Naming::Same };
    with_names(block, config, |name| match after.member(name) {
        Some(planned) if !planned.is_unknown() => Some((planned, Naming::Same)),
        _ if before.ty == change.ty => Some((before.object.value.member(name)?, naming)),
        _ => None,
    })
}

/// The arguments with names that fit to something that exists.
pub(crate) fn called_as(block: &Block, config: Value, existing: &Value, naming: Naming) -> Value {
    with_names(block, config, |name| Some((existing.member(name)?, naming)))
}

/// `beside` says what there is of a name, and how that counts.
fn with_names<'v>(block: &Block, mut config: Value, beside: impl Fn(&str) -> Option<(&'v Value, Naming)>) -> Value {
    let Data::Object(members) = &mut config.data else { return config };
    for (name, _) in block.attributes.iter().filter(|(_, attribute)| attribute.unique == Some(Unique::Name)) {
        let (Some(wanted), Some((has, naming))) = (members.get_mut(name), beside(name)) else { continue };
        let called = wanted.as_str().zip(has.as_str()).and_then(|(wanted, has)| called(wanted, has, naming));
        if let Some(called) = called {
            wanted.data = Value::from(called).data;
        }
    }
    config
}

/// `None` where that is what it is called anyway.
fn called(wanted: &str, has: &str, naming: Naming) -> Option<String> {
    let generation = match has.strip_prefix(wanted)? {
        "" => 0,
        later => later.strip_prefix("-g").and_then(number)?,
    };
    match naming {
        Naming::Same if generation == 0 => None,
        Naming::Same => Some(has.to_owned()),
        Naming::Next => Some(format!("{wanted}-g{}", generation + 1)),
    }
}

/// What an object would have that another of its type has, and that can't be otherwise.
pub(crate) fn unshareable(schema: &TypeSchema, existing: &Value, wanted: &Value) -> Option<Shared> {
    let fixed = schema.block.attributes.iter().filter(|(_, attribute)| attribute.unique == Some(Unique::Fixed));
    let is_same = |name: &str| match (existing.member(name), wanted.member(name)) {
        (Some(has), Some(gets)) => !has.is_null() && !has.is_unknown() && same(has, gets),
        _ => false,
    };
    let mut fixed = fixed.map(|(name, _)| name).filter(|name| is_same(name));
    if let Some(name) = fixed.next() {
        return Some(Shared::Argument(name.clone()));
    }
    let ports = |value| host_ports(value).unwrap_or_default();
    let is_container = schema.role == Some(Role::ContainerRuntime);
    (is_container && !ports(existing).is_disjoint(&ports(wanted))).then_some(Shared::HostPort)
}

/// As we write it.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| *number > 0 && number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(wanted: &str, has: &str, same: &str, next: &str) {
        let name = |naming| called(wanted, has, naming).unwrap_or_else(|| wanted.to_owned());
        assert_eq!((name(Naming::Same).as_str(), name(Naming::Next).as_str()), (same, next));
    }

    #[test]
    fn a_name_has_generations() {
        check("data", "data", "data", "data-g1");
        check("data", "data-g1", "data-g1", "data-g2");
        check("data", "data-g41", "data-g41", "data-g42");
    }

    #[test]
    fn another_name_is_taken_as_it_is() {
        for other in ["date", "dat", "data-", "data-g", "data-g0", "data-g01", "data-g+1", "data-g1x", "data-g1-g2", ""]
        {
            check("data", other, "data", "data");
        }
        check("data-g1", "data", "data-g1", "data-g1");
    }
}
