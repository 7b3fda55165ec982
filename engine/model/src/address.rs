//! Where an object stands in the configuration: `machine.baremetal.rack["a"]`, `service.web.replica[3]`.

mod rank;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::rank::Rank;

/// The kind of block that declares an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlockKind {
    /// `machine "<provider>" "<name>"`
    Machine,
    /// `pool "<name>"`
    Pool,
    /// `service "<name>"`
    Service,
    /// `resource "<type>" "<name>"`
    Resource,
    /// `data "<type>" "<name>"`
    Data,
    /// `ephemeral "<type>" "<name>"`
    Ephemeral,
}

impl BlockKind {
    /// The word of the configuration language.
    pub fn word(self) -> &'static str {
        match self {
            BlockKind::Machine => "machine",
            BlockKind::Pool => "pool",
            BlockKind::Service => "service",
            BlockKind::Resource => "resource",
            BlockKind::Data => "data",
            BlockKind::Ephemeral => "ephemeral",
        }
    }

    /// Whether something exists because of the block.
    pub fn has_objects(self) -> bool {
        match self {
            BlockKind::Machine | BlockKind::Service | BlockKind::Resource => true,
            BlockKind::Pool | BlockKind::Data | BlockKind::Ephemeral => false,
        }
    }

    /// Whether the block has a type label before its name.
    pub fn has_type(self) -> bool {
        match self {
            BlockKind::Machine | BlockKind::Resource | BlockKind::Data | BlockKind::Ephemeral => true,
            BlockKind::Pool | BlockKind::Service => false,
        }
    }
}

/// Which one of the instances of `count` or `for_each`, or of a service's replicas.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Of `count`.
    Index(u64),
    /// Of `for_each`.
    Name(String),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Key::Index(index) => write!(f, "[{index}]"),
            Key::Name(name) => write!(f, "[{}]", serde_json::Value::String(name.clone())),
        }
    }
}

/// A module and the modules around it: those of `module.net["a"].module.dns`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModulePath(Option<Arc<[ModuleStep]>>);

/// One module's call and which of its instances.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleStep {
    /// The name label of the `module` block.
    pub name: String,
    /// The instance, where the block has `count` or `for_each`.
    pub key: Option<Key>,
}

impl ModulePath {
    /// Where a configuration begins.
    pub const ROOT: ModulePath = ModulePath(None);

    /// The instance of a module that is called from here.
    #[must_use]
    pub fn then(&self, name: impl Into<String>, key: Option<Key>) -> ModulePath {
        let step = ModuleStep { name: name.into(), key };
        ModulePath(Some(self.steps().iter().cloned().chain([step]).collect()))
    }

    /// This module as seen from another one.
    #[must_use]
    pub fn within(&self, outer: &ModulePath) -> ModulePath {
        self.steps().iter().fold(outer.clone(), |path, step| path.then(&step.name, step.key.clone()))
    }

    /// The module around it and the step that leads in; nothing for the root.
    pub fn split_last(&self) -> Option<(ModulePath, &ModuleStep)> {
        let (last, outer) = self.steps().split_last()?;
        Some((ModulePath((!outer.is_empty()).then(|| outer.into())), last))
    }

    /// From the root on.
    pub fn steps(&self) -> &[ModuleStep] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Whether a configuration begins here.
    pub fn is_root(&self) -> bool {
        self.0.is_none()
    }

    /// Whether this is the other module or one within it.
    pub fn is_within(&self, other: &ModulePath) -> bool {
        self.steps().starts_with(other.steps())
    }
}

impl fmt::Display for ModulePath {
    /// With a dot behind each module, as it stands before what is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.steps() {
            write!(f, "module.{}", step.name)?;
            if let Some(key) = &step.key {
                key.fmt(f)?;
            }
            f.write_str(".")?;
        }
        Ok(())
    }
}

/// The address of an object: of a whole block, of one of its instances, or of one replica of a service.
///
/// A plan names each of its objects in a dozen places: to clone an address costs little.
///
/// Invariant: `to_string` and `parse` are inverse (test: `addresses_read_back_as_they_print`).
#[derive(Clone)]
pub struct Address(Arc<Ranked>);

struct Ranked {
    rank: Rank,
    parts: AddressParts,
}

/// What an address is made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressParts {
    /// The module that the block stands in.
    pub module: ModulePath,
    /// The block's kind.
    pub block: BlockKind,
    /// The type label; empty where the kind has none. For a machine, its provider's machine type.
    pub ty: String,
    /// The name label.
    pub name: String,
    /// The instance, where the block has `count` or `for_each`.
    pub key: Option<Key>,
    /// The replica, where this is one of a service's containers.
    pub replica: Option<Key>,
    /// The generation, where another object has taken this one's place and it is still to be removed.
    pub deposed: Option<u64>,
}

impl Address {
    /// The address of a whole block.
    pub fn new(block: BlockKind, ty: impl Into<String>, name: impl Into<String>) -> Self {
        let (module, ty, name) = (ModulePath::ROOT, ty.into(), name.into());
        AddressParts { module, block, ty, name, key: None, replica: None, deposed: None }.into()
    }

    /// Another one, that differs in this.
    #[must_use]
    pub fn with(&self, change: impl FnOnce(&mut AddressParts)) -> Self {
        let mut parts = self.0.parts.clone();
        change(&mut parts);
        parts.into()
    }

    /// The same within a module.
    #[must_use]
    pub fn within(&self, module: &ModulePath) -> Self {
        self.with(|parts| parts.module = module.clone())
    }

    /// One instance of this block.
    #[must_use]
    pub fn instance(&self, key: Option<Key>) -> Self {
        if (&key, &self.replica, self.deposed) == (&self.key, &None, None) {
            return self.clone();
        }
        self.with(|parts| (parts.key, parts.replica, parts.deposed) = (key, None, None))
    }

    /// One replica of this service.
    #[must_use]
    pub fn replica(&self, replica: Key) -> Self {
        self.with(|parts| parts.replica = Some(replica))
    }

    /// The service that this is a replica of, with its instance.
    #[must_use]
    pub fn service(&self) -> Self {
        if self.replica.is_none() { self.clone() } else { self.with(|parts| parts.replica = None) }
    }

    /// The block that this is an instance or replica of.
    #[must_use]
    pub fn whole(&self) -> Self {
        self.instance(None)
    }

    /// What has taken this one's place, or this one where nothing has.
    #[must_use]
    pub fn present(&self) -> Self {
        if self.deposed.is_none() { self.clone() } else { self.with(|parts| parts.deposed = None) }
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.rank == other.0.rank && self.0.parts == other.0.parts
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.parts.hash(state);
    }
}

impl Ord for Address {
    /// Its parts, one after the other. A search ends at the very address that was put in, mostly, and need not look at it.
    fn cmp(&self, other: &Self) -> Ordering {
        match Arc::ptr_eq(&self.0, &other.0) {
            true => Ordering::Equal,
            false => self.0.rank.cmp(&other.0.rank).then_with(|| self.0.parts.cmp(&other.0.parts)),
        }
    }
}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Deref for Address {
    type Target = AddressParts;

    fn deref(&self) -> &AddressParts {
        &self.0.parts
    }
}

impl From<AddressParts> for Address {
    fn from(parts: AddressParts) -> Self {
        Address(Arc::new(Ranked { rank: Rank::of(&parts), parts }))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.module.fmt(f)?;
        if self.block != BlockKind::Resource {
            write!(f, "{}.", self.block.word())?;
        }
        if self.block.has_type() {
            write!(f, "{}.", self.ty)?;
        }
        f.write_str(&self.name)?;
        if let Some(key) = &self.key {
            key.fmt(f)?;
        }
        if let Some(replica) = &self.replica {
            write!(f, ".replica{replica}")?;
        }
        match self.deposed {
            Some(generation) => write!(f, ".deposed[{generation}]"),
            None => Ok(()),
        }
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text).ok_or_else(|| format!("`{text}` is not an address, as `machine.docker.a`, `service.web.replica[0]` or `docker_volume.data[\"x\"]` are"))
    }
}

fn parse(text: &str) -> Option<Address> {
    let (module, text) = module(text)?;
    let (first, rest) = name(text)?;
    let (block, ty, rest) = match first {
        "machine" | "data" | "ephemeral" => {
            let (ty, rest) = name(rest.strip_prefix('.')?)?;
            let block = match first {
                "machine" => BlockKind::Machine,
                "data" => BlockKind::Data,
                _ => BlockKind::Ephemeral,
            };
            (block, ty, rest)
        }
        "pool" => (BlockKind::Pool, "", rest),
        "service" => (BlockKind::Service, "", rest),
        ty => (BlockKind::Resource, ty, rest),
    };
    let (label, rest) = name(rest.strip_prefix('.')?)?;
    let (key, rest) = key(rest)?;
    let (replica, rest) = match (block, rest.strip_prefix(".replica")) {
        (BlockKind::Service, Some(rest)) => {
            let (replica, rest) = self::key(rest)?;
            (Some(replica?), rest)
        }
        _ => (None, rest),
    };
    let (deposed, rest) = match rest.strip_prefix(".deposed") {
        Some(rest) => match self::key(rest)? {
            (Some(Key::Index(generation)), rest) => (Some(generation), rest),
            _ => return None,
        },
        None => (None, rest),
    };
    let (ty, name) = (ty.to_owned(), label.to_owned());
    rest.is_empty().then(|| AddressParts { module, block, ty, name, key, replica, deposed }.into())
}

/// The modules that a text begins with, and what stands behind them.
fn module(text: &str) -> Option<(ModulePath, &str)> {
    let (mut path, mut rest) = (ModulePath::ROOT, text);
    while let Some(behind) = rest.strip_prefix("module.") {
        let (called, behind) = name(behind)?;
        let (key, behind) = key(behind)?;
        path = path.then(called, key);
        rest = behind.strip_prefix('.')?;
    }
    Some((path, rest))
}

fn name(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn key(text: &str) -> Option<(Option<Key>, &str)> {
    let Some(inner) = text.strip_prefix('[') else { return Some((None, text)) };
    let mut stream = serde_json::Deserializer::from_str(inner).into_iter::<serde_json::Value>();
    let key = match stream.next()?.ok()? {
        serde_json::Value::String(name) => Key::Name(name),
        serde_json::Value::Number(number) => Key::Index(number.as_u64()?),
        _ => return None,
    };
    Some((Some(key), inner[stream.byte_offset()..].strip_prefix(']')?))
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// The local name of a provider: `docker`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProviderName(pub String);

impl fmt::Display for ProviderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A provider and which of its configurations: `digitalocean`, `digitalocean.eu`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderKey {
    /// The provider.
    pub name: ProviderName,
    /// The `alias` of the provider block; absent for the default one.
    pub alias: Option<String>,
}

impl ProviderKey {
    /// The default configuration of a provider.
    pub fn default_of(name: impl Into<String>) -> Self {
        ProviderKey { name: ProviderName(name.into()), alias: None }
    }
}

impl fmt::Display for ProviderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.alias {
            Some(alias) => write!(f, "{}.{alias}", self.name),
            None => self.name.fmt(f),
        }
    }
}

impl Serialize for ProviderKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ProviderKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(match text.split_once('.') {
            Some((name, alias)) => ProviderKey { name: ProviderName(name.to_owned()), alias: Some(alias.to_owned()) },
            None => ProviderKey::default_of(text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back_as_they_print() {
        for text in [
            "machine.baremetal.rack[\"rack-1-node-11\"]",
            "docker_volume.data",
            "data.docker_engine.here",
            "ephemeral.docker_login.here[0]",
            "service.web.replica[3]",
            "service.web[\"eu.\\\"1\"].replica[\"machine.docker.a\"]",
            "pool.cloud[0]",
            "module.net.module.dns[\"a.b\"].docker_volume.data[1]",
            "docker_volume.data.deposed[0]",
            "service.web.replica[3].deposed[12]",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "web",
            "service.",
            "machine.docker",
            "service.web[",
            "service.web.replica",
            "a.b.c",
            "module.a",
            "module.a.b",
            "a.b.deposed",
            "a.b.deposed[\"x\"]",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
