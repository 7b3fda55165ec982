//! What an object will be: worked out from the schema alone, for a provider to amend.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use crate::dispatch::{is_known, typed};
use crate::schema::Block;

/// A plan in the making. Values are JSON as they cross the border: an unknown one is `{"$unknown": {}}`.
pub struct Plan {
    prior: Option<Json>,
    config: Json,
    proposed: Json,
    value: Json,
    replace: BTreeSet<String>,
    block: Rc<Block>,
    /// What the provider decided itself.
    decided: BTreeSet<String>,
}

impl Plan {
    /// What the schema says: what is computed and not written is unknown in a new object and stays as it was in an old one;
    /// a different `force_new` attribute or block means a new object.
    pub(crate) fn new(block: Rc<Block>, prior: Option<Json>, config: Json, proposed: Json) -> Plan {
        let attributes =
            block.attributes.iter().filter(|(_, attribute)| attribute.is("force-new")).map(|(name, _)| name);
        let blocks = block.blocks.iter().filter(|(_, nested)| nested.is("force-new")).map(|(name, _)| name);
        let differs = |name: &&String| prior.as_ref().is_some_and(|prior| !same(&proposed[*name], &prior[*name]));
        let replace = attributes.chain(blocks).filter(differs).cloned().collect();
        let value = proposed.clone();
        let mut plan = Plan { prior, config, proposed, value, replace, block, decided: BTreeSet::new() };
        plan.open();
        plan
    }

    /// What only the effect will tell becomes unknown; what the provider decided stays.
    fn open(&mut self) {
        let is_new = self.is_new();
        let is_update = !is_new && self.prior.as_ref().is_some_and(|prior| !same(&self.value, prior));
        for (name, attribute) in self.block.attributes.iter().filter(|(name, _)| !self.decided.contains(name)) {
            if attribute.is("computed") && self.config[name.as_str()].is_null() {
                let is_open = is_new || is_update && attribute.changes_on_update();
                self.value[name.as_str()] = if is_open { unknown() } else { self.proposed[name.as_str()].clone() };
            }
        }
        for (name, nested) in self.block.blocks.iter().filter(|(name, _)| !self.decided.contains(name)) {
            let prior = self.prior.as_ref().filter(|_| !is_new).map_or(&Json::Null, |prior| &prior[name.as_str()]);
            self.value[name.as_str()] = self.proposed[name.as_str()].clone();
            open_nested(nested.block(), &mut self.value[name.as_str()], prior);
        }
    }

    /// Whether there is no object yet, or it must be made anew.
    pub fn is_new(&self) -> bool {
        self.prior.is_none() || !self.replace.is_empty()
    }

    /// What the user wrote; `null` where nothing was.
    pub fn config(&self, name: &str) -> &Json {
        &self.config[name]
    }

    /// What it was.
    pub fn prior(&self, name: &str) -> &Json {
        self.prior.as_ref().map_or(&Json::Null, |prior| &prior[name])
    }

    /// What it will be.
    pub fn value(&self, name: &str) -> &Json {
        &self.value[name]
    }

    /// Whether an attribute will be another than it was.
    pub fn changes(&self, name: &str) -> bool {
        !same(self.value(name), self.prior(name))
    }

    /// What the user wrote, as the type's struct; `None` where some of it is not known yet, or does not fit.
    pub fn known_config<T: DeserializeOwned>(&self) -> Option<T> {
        if is_known(&self.config) { typed(self.config.clone()).ok() } else { None }
    }

    /// It will be this.
    pub fn set(&mut self, name: &str, value: impl Into<Json>) {
        self.value[name] = value.into();
        self.decided.insert(name.to_owned());
    }

    /// Only the effect will tell.
    pub fn unknown(&mut self, name: &str) {
        self.set(name, unknown());
    }

    /// This difference can't be made in place.
    pub fn replace(&mut self, name: &str) {
        self.replace.insert(name.to_owned());
    }

    /// This difference can be made in place after all, whatever the schema says.
    pub fn keep(&mut self, name: &str) {
        self.replace.remove(name);
    }

    /// What is new after all knows as little of itself as what was new from the start.
    pub(crate) fn finish(mut self) -> (Json, Vec<String>) {
        self.open();
        (self.value, self.replace.into_iter().collect())
    }
}

fn unknown() -> Json {
    json!({ "$unknown": {} })
}

/// What is computed inside blocks and neither written nor known from before.
fn open_nested(block: &Block, value: &mut Json, prior: &Json) {
    match value {
        Json::Array(items) => {
            for (place, item) in items.iter_mut().enumerate() {
                open_nested(block, item, prior.get(place).unwrap_or(&Json::Null));
            }
        }
        Json::Object(members) if !members.contains_key("$unknown") => {
            for (name, attribute) in &block.attributes {
                let is_open = members.get(name).is_none_or(Json::is_null) && prior.is_null();
                if attribute.is("computed") && is_open {
                    members.insert(name.clone(), unknown());
                }
            }
            for (name, nested) in &block.blocks {
                if let Some(inner) = members.get_mut(name) {
                    open_nested(nested.block(), inner, &prior[name.as_str()]);
                }
            }
        }
        _ => {}
    }
}

/// `1` and `1.0` are the same number; an unknown value is like nothing.
fn same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Json::Array(one), Json::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Json::Object(one), Json::Object(_)) if one.contains_key("$unknown") => false,
        (Json::Object(one), Json::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(name, value)| other.get(name).is_some_and(|found| same(value, found)))
        }
        _ => one == other,
    }
}
