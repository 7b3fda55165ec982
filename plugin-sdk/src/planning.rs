//! What an object will be: worked out from the schema alone, for a provider to amend.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

use crate::bindings::bimetal::provider::types::PlanRequest;
use crate::diagnostic::Result;
use crate::dispatch::{is_known, parse, typed};
use crate::schema::Block;

/// A plan in the making. Values are JSON as they cross the border: an unknown one is `{"$unknown": {}}`.
pub struct Plan(Stage);

enum Stage {
    /// What is proposed is what is there, word for word. Most providers don't look, and most objects stay as they are.
    Unread(Unread),
    Read(Draft),
}

struct Unread {
    block: Rc<Block>,
    config: String,
    /// What is proposed, and there.
    value: String,
    read: OnceCell<Draft>,
}

struct Draft {
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
    pub(crate) fn new(block: Rc<Block>, request: PlanRequest) -> Result<Plan> {
        let (prior, config, proposed) = (request.prior.map(|prior| prior.value), request.config, request.proposed);
        if prior.as_ref() == Some(&proposed) {
            return Ok(Plan(Stage::Unread(Unread { block, config, value: proposed, read: OnceCell::new() })));
        }
        let prior = prior.map(|prior| parse(&prior)).transpose()?;
        Ok(Plan(Stage::Read(Draft::new(block, prior, parse(&config)?, parse(&proposed)?))))
    }

    fn draft(&self) -> &Draft {
        match &self.0 {
            Stage::Read(draft) => draft,
            Stage::Unread(unread) => unread.read.get_or_init(|| unread.draft()),
        }
    }

    fn draft_mut(&mut self) -> &mut Draft {
        if let Stage::Unread(unread) = &mut self.0 {
            let draft = unread.read.take().unwrap_or_else(|| unread.draft());
            self.0 = Stage::Read(draft);
        }
        match &mut self.0 {
            Stage::Read(draft) => draft,
            Stage::Unread(_) => unreachable!("it was read above"),
        }
    }

    /// Whether there is no object yet, or it must be made anew.
    pub fn is_new(&self) -> bool {
        match &self.0 {
            Stage::Read(draft) => draft.is_new(),
            Stage::Unread(_) => false,
        }
    }

    /// What the user wrote; `null` where nothing was.
    pub fn config(&self, name: &str) -> &Json {
        &self.draft().config[name]
    }

    /// What it was.
    pub fn prior(&self, name: &str) -> &Json {
        self.draft().prior.as_ref().map_or(&Json::Null, |prior| &prior[name])
    }

    /// What it will be.
    pub fn value(&self, name: &str) -> &Json {
        &self.draft().value[name]
    }

    /// Whether an attribute will be another than it was.
    pub fn changes(&self, name: &str) -> bool {
        match &self.0 {
            Stage::Read(_) => !same(self.value(name), self.prior(name)),
            Stage::Unread(_) => false,
        }
    }

    /// What the user wrote, as the type's struct; `None` where some of it is not known yet, or does not fit.
    pub fn known_config<T: DeserializeOwned>(&self) -> Option<T> {
        let config = &self.draft().config;
        if is_known(config) { typed(config.clone()).ok() } else { None }
    }

    /// It will be this.
    pub fn set(&mut self, name: &str, value: impl Into<Json>) {
        let draft = self.draft_mut();
        draft.value[name] = value.into();
        draft.decided.insert(name.to_owned());
    }

    /// Only the effect will tell.
    pub fn unknown(&mut self, name: &str) {
        self.set(name, unknown());
    }

    /// This difference can't be made in place.
    pub fn replace(&mut self, name: &str) {
        self.draft_mut().replace.insert(name.to_owned());
    }

    /// This difference can be made in place after all, whatever the schema says.
    pub fn keep(&mut self, name: &str) {
        self.draft_mut().replace.remove(name);
    }

    /// What it will be, as text, and what can't be changed in place.
    pub(crate) fn finish(self) -> (String, Vec<String>) {
        match self.0 {
            Stage::Unread(unread) => (unread.value, Vec::new()),
            Stage::Read(mut draft) => {
                // What is new after all knows as little of itself as what was new from the start.
                draft.open();
                (draft.value.to_string(), draft.replace.into_iter().collect())
            }
        }
    }
}

impl Unread {
    fn draft(&self) -> Draft {
        let read = |text: &str| match parse(text) {
            Ok(json) => json,
            Err(error) => unreachable!("{}", error.summary),
        };
        let value = read(&self.value);
        Draft::new(self.block.clone(), Some(value.clone()), read(&self.config), value)
    }
}

impl Draft {
    fn new(block: Rc<Block>, prior: Option<Json>, config: Json, proposed: Json) -> Draft {
        let attributes =
            block.attributes.iter().filter(|(_, attribute)| attribute.is("force-new")).map(|(name, _)| name);
        let blocks = block.blocks.iter().filter(|(_, nested)| nested.is("force-new")).map(|(name, _)| name);
        let differs = |name: &&String| prior.as_ref().is_some_and(|prior| !same(&proposed[*name], &prior[*name]));
        let replace = attributes.chain(blocks).filter(differs).cloned().collect();
        let value = proposed.clone();
        let mut draft = Draft { prior, config, proposed, value, replace, block, decided: BTreeSet::new() };
        draft.open();
        draft
    }

    fn is_new(&self) -> bool {
        self.prior.is_none() || !self.replace.is_empty()
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
