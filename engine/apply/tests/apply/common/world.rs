//! What exists, the rules that it obeys, and how it may misbehave.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bimetal_model::port::{CreateRequest, Planned};
use bimetal_model::snapshot::{Intent, Object};
use bimetal_model::{Address, ProviderKey, Value};

use super::fuse::Fuse;
use super::memory::Memory;
use super::provider;

/// What happened, in its order.
#[derive(Default)]
pub struct Journal(Mutex<Vec<String>>);

impl Journal {
    pub fn write(&self, line: impl Into<String>) {
        self.0.lock().unwrap().push(line.into());
    }

    /// What happened since the last time.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Something that exists.
#[derive(Clone, Debug)]
pub struct Thing {
    pub ty: String,
    pub value: Value,
    /// Of the creation that made it.
    pub intent: String,
    /// Where the provider was configured to make it.
    pub endpoint: String,
    /// Its creation has ended.
    pub is_whole: bool,
}

impl Thing {
    pub fn text(&self, name: &str) -> String {
        self.value.member(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    pub fn object(&self) -> Object {
        Object { value: self.value.clone(), private: Vec::new() }
    }

    pub fn set(&mut self, name: &str, value: Value) {
        let members = self.value.as_members().unwrap().clone();
        self.value = members.into_iter().chain([(name.to_owned(), value)]).collect();
    }
}

/// How the next call for an object goes, instead of well.
#[derive(Clone, Copy, Debug)]
pub enum Turn {
    /// Nothing is done; it can be asked again after so many milliseconds.
    Retry(u64),
    /// The first half is done; it can be asked again after so many milliseconds.
    RetryHalf(u64),
    /// Nothing is done, for good.
    Fail,
    /// The first half is done, and no more.
    FailHalf,
    /// It says that it did something else.
    Lie,
    /// It never answers.
    Hang,
}

/// What exists, and how it behaves.
pub struct World {
    pub(super) fuse: Arc<Fuse>,
    pub(super) memory: Arc<Memory>,
    pub(super) journal: Arc<Journal>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
pub(super) struct Inner {
    pub(super) things: BTreeMap<String, Thing>,
    pub(super) made: u64,
    pub(super) configs: BTreeMap<ProviderKey, Value>,
    pub(super) turns: BTreeMap<Address, VecDeque<Turn>>,
    /// What plans say of an object from now on, whatever is asked for.
    pub(super) whims: BTreeMap<Address, (String, Value)>,
    /// What plans say can't be changed in place from now on.
    pub(super) stubborn: BTreeMap<Address, String>,
    /// What nobody answers about.
    pub(super) silent: BTreeSet<Address>,
    /// How long each effect takes.
    pub(super) takes: Duration,
    /// How long each effect of a provider takes, where that is something else.
    pub(super) slow: BTreeMap<String, Duration>,
    pub(super) busy: usize,
    pub(super) peak: usize,
}

impl World {
    pub fn new(fuse: Arc<Fuse>, memory: Arc<Memory>, journal: Arc<Journal>) -> World {
        World { fuse, memory, journal, inner: Mutex::default() }
    }

    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Inner) -> T) -> T {
        // What a test that has failed leaves is still a world, for those who are dropped.
        act(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The stamps of all that exists.
    pub fn intents(&self) -> Vec<String> {
        self.with(|inner| inner.things.values().map(|thing| thing.intent.clone()).collect())
    }

    /// How many things there are.
    pub fn things(&self) -> usize {
        self.with(|inner| inner.things.len())
    }

    /// A call for this creation comes to its end, though nobody waits for it any more.
    pub fn arrives(&self, intent: &Intent) {
        let Intent { address, id, config, .. } = intent.clone();
        let planned = Planned { value: config.clone(), replace: Vec::new(), private: Vec::new() };
        let request = CreateRequest { address, intent: id, config, planned, so_far: None };
        self.with(|inner| provider::begin(inner, &intent.provider, &intent.ty, &request).unwrap());
    }

    /// How the next calls for an object go.
    pub fn script(&self, address: &str, turns: impl IntoIterator<Item = Turn>) {
        let address = address.parse().unwrap();
        self.with(|inner| inner.turns.entry(address).or_default().extend(turns));
    }

    /// What plans say of an object from now on.
    pub fn whim(&self, address: &str, name: &str, value: impl Into<Value>) {
        let whim = (name.to_owned(), value.into());
        self.with(|inner| inner.whims.insert(address.parse().unwrap(), whim));
    }

    /// What plans say can't be changed in place from now on.
    pub fn stubborn(&self, address: &str, name: &str) {
        self.with(|inner| inner.stubborn.insert(address.parse().unwrap(), name.to_owned()));
    }

    /// Each effect takes so long; answers how many objects were worked on at most since the last time.
    pub fn effects_take(&self, takes: Duration) -> usize {
        self.with(|inner| {
            inner.takes = takes;
            std::mem::take(&mut inner.peak)
        })
    }

    /// From now on these, and no others, can't be looked at.
    pub fn silence(&self, addresses: &[&str]) {
        let silent = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.with(|inner| inner.silent = silent);
    }

    /// Effects of this provider take so long.
    pub fn effects_of_take(&self, provider: &str, takes: Duration) {
        self.with(|inner| inner.slow.insert(provider.to_owned(), takes));
    }

    /// A new process knows nothing of what an old one was told.
    pub fn forget_configs(&self) {
        self.with(|inner| inner.configs.clear());
    }

    /// Something that exists, to be tampered with.
    pub fn tamper(&self, name: &str, act: impl FnOnce(&mut Thing)) {
        self.with(|inner| act(inner.things.values_mut().find(|thing| thing.text("name") == name).unwrap()));
    }

    /// Somebody else removes it.
    pub fn lose(&self, name: &str) {
        self.with(|inner| inner.things.retain(|_, thing| thing.text("name") != name));
    }

    /// All that exists, one in a line; ids are shown as the names of what they are of.
    pub fn picture(&self) -> String {
        self.with(|inner| {
            let name_of = |id: &str| inner.things.get(id).map_or("?".to_owned(), |thing| thing.text("name"));
            let line = |thing: &Thing| {
                let mut parts = vec![thing.ty.clone(), thing.text("name")];
                for name in ["size", "kind", "zone"] {
                    let value = thing.value.member(name).filter(|value| !value.is_null());
                    parts.extend(value.map(|value| format!("{name}={value:?}")));
                }
                let input = thing.text("input");
                parts.extend((!input.is_empty()).then(|| format!("input={}", name_of(&input))));
                parts.extend((!thing.endpoint.is_empty()).then(|| format!("at={}", name_of(&thing.endpoint))));
                parts.extend((!thing.is_whole).then(|| "half".to_owned()));
                parts.join(" ")
            };
            let mut lines: Vec<String> = inner.things.values().map(line).collect();
            lines.sort();
            lines.join("\n")
        })
    }
}

impl Inner {
    /// Where a provider acts.
    pub(super) fn endpoint(&self, provider: &ProviderKey) -> String {
        let config = self.configs.get(provider).unwrap_or_else(|| panic!("{provider} was not configured"));
        assert!(config.is_wholly_known(), "{provider} is configured with something unknown");
        config.member("endpoint").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// What can't be made next to what exists.
    pub(super) fn refuse(&self, name: &str, input: Option<&str>, endpoint: &str) -> Option<String> {
        if self.things.values().any(|thing| thing.text("name") == name && thing.endpoint == endpoint) {
            return Some(format!("there is a `{name}` already"));
        }
        let missing =
            [input, Some(endpoint)].into_iter().flatten().find(|id| !id.is_empty() && !self.things.contains_key(*id));
        missing.map(|id| format!("there is no {id}"))
    }

    /// What must not be removed, as something rests on it.
    pub(super) fn user_of(&self, id: &str) -> Option<String> {
        let user = self.things.values().find(|thing| thing.text("input") == id || thing.endpoint == id);
        user.map(|thing| thing.text("name"))
    }
}
