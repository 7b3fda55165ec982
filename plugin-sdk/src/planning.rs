//! What an object will be: worked out from the schema alone, for a provider to amend.

use serde_json::{Value as Json, json};

use crate::schema::Block;

/// A plan in the making. Values are JSON; an unknown one is `{"$unknown": {}}`.
pub struct Plan {
    prior: Option<Json>,
    config: Json,
    value: Json,
    replace: Vec<String>,
}

impl Plan {
    /// What the schema says: what is computed and not written is unknown in a new object and stays as it was in an old one;
    /// a different `force_new` attribute means a new object.
    pub(crate) fn new(block: &Block, prior: Option<Json>, config: Json, proposed: Json) -> Plan {
        let mut plan = Plan { prior, config, value: proposed, replace: Vec::new() };
        if let Some(prior) = plan.prior.clone() {
            let attributes =
                block.attributes.iter().filter(|(_, attribute)| attribute.is("force-new")).map(|(name, _)| name);
            let blocks = block.blocks.iter().filter(|(_, nested)| nested.is("force-new")).map(|(name, _)| name);
            plan.replace = attributes
                .chain(blocks)
                .filter(|name| !same(&plan.value[name.as_str()], &prior[name.as_str()]))
                .cloned()
                .collect();
        }
        let is_new = plan.prior.is_none() || !plan.replace.is_empty();
        for (name, attribute) in &block.attributes {
            let is_open = attribute.is("computed") && plan.config[name.as_str()].is_null();
            if is_open && (is_new || plan.value[name.as_str()].is_null() && plan.prior.is_none()) {
                plan.unknown(name);
            }
        }
        plan
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

    /// It will be this.
    pub fn set(&mut self, name: &str, value: impl Into<Json>) {
        self.value[name] = value.into();
    }

    /// Only the effect will tell.
    pub fn unknown(&mut self, name: &str) {
        self.value[name] = json!({ "$unknown": {} });
    }

    /// This difference can't be made in place.
    pub fn replace(&mut self, name: &str) {
        self.replace.push(name.to_owned());
    }

    pub(crate) fn finish(self) -> (Json, Vec<String>) {
        (self.value, self.replace)
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
