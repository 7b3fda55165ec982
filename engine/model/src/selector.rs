//! A part of the configuration that somebody names: `module.net`, `machine.docker.rack`, `service.web.replica[3]`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::address::{Address, Key, ModulePath};

/// A module, a block, an instance or a replica, with all that it holds. What is named without a key is named with all of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Selector {
    /// Everything in a module.
    Module(ModulePath),
    /// A block, one of its instances, or a replica.
    Object(Address),
}

impl Selector {
    /// Whether an address lies in it.
    pub fn holds(&self, address: &Address) -> bool {
        match self {
            Selector::Module(path) => leads_to(path, &address.module),
            Selector::Object(named) => {
                let fits = |wanted: &Option<Key>, key: &Option<Key>| wanted.is_none() || wanted == key;
                is_block(named, address)
                    && fits(&named.key, &address.key)
                    && fits(&named.replica, &address.replica)
                    && (named.deposed.is_none() || named.deposed == address.deposed)
            }
        }
    }

    /// Whether it may hold something of a block.
    pub fn touches(&self, block: &Address) -> bool {
        match self {
            Selector::Module(path) => leads_to(path, &block.module),
            Selector::Object(named) => is_block(named, block),
        }
    }

    /// Whether it holds all that there is of a block.
    pub fn holds_all_of(&self, block: &Address) -> bool {
        match self {
            Selector::Module(_) => self.touches(block),
            Selector::Object(named) => {
                let is_whole = named.key.is_none() && named.replica.is_none() && named.deposed.is_none();
                is_whole && is_block(named, block)
            }
        }
    }
}

fn is_block(named: &Address, address: &Address) -> bool {
    (named.block, &named.ty, &named.name) == (address.block, &address.ty, &address.name)
        && named.module.steps().len() == address.module.steps().len()
        && leads_to(&named.module, &address.module)
}

/// Whether a module is this one, or within it.
fn leads_to(named: &ModulePath, path: &ModulePath) -> bool {
    let (named, path) = (named.steps(), path.steps());
    let is_same = named
        .iter()
        .zip(path)
        .all(|(one, other)| one.name == other.name && (one.key.is_none() || one.key == other.key));
    named.len() <= path.len() && is_same
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selector::Module(path) => f.write_str(path.to_string().trim_end_matches('.')),
            Selector::Object(address) => address.fmt(f),
        }
    }
}

impl FromStr for Selector {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A module's path stands before something: any address will do.
        let module = || Some(Selector::Module(format!("{text}.a.b").parse::<Address>().ok()?.module.clone()));
        let module = || module().filter(|selector| selector.to_string() == text);
        text.parse().map(Selector::Object).or_else(|error: String| module().ok_or(error))
    }
}

impl From<Address> for Selector {
    fn from(address: Address) -> Self {
        Selector::Object(address)
    }
}

impl Serialize for Selector {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(selector: &str, address: &str) -> bool {
        selector.parse::<Selector>().unwrap().holds(&address.parse().unwrap())
    }

    #[test]
    fn what_is_named_without_a_key_is_named_with_all_of_them() {
        for (selector, address) in [
            ("machine.docker.rack", "machine.docker.rack[\"a\"]"),
            ("machine.docker.rack[\"a\"]", "machine.docker.rack[\"a\"]"),
            ("service.web", "service.web[\"eu\"].replica[3]"),
            ("service.web.replica[3]", "service.web.replica[3].deposed[0]"),
            ("module.net", "module.net[\"a\"].module.dns.docker_volume.v[0]"),
            ("module.net.docker_volume.v", "module.net[1].docker_volume.v[0]"),
        ] {
            assert!(holds(selector, address), "{selector} {address}");
        }
        for (selector, address) in [
            ("machine.docker.rack[\"a\"]", "machine.docker.rack[\"b\"]"),
            ("machine.docker.rack", "machine.docker.racks"),
            ("service.web.replica[3]", "service.web.replica[2]"),
            ("docker_volume.v", "module.net.docker_volume.v"),
            ("module.net[0]", "module.net[1].docker_volume.v"),
            ("module.net.module.dns", "module.net.docker_volume.v"),
        ] {
            assert!(!holds(selector, address), "{selector} {address}");
        }
    }

    #[test]
    fn selectors_read_back_as_they_print() {
        for text in ["module.net", "module.net[\"a.b\"].module.dns[0]", "service.web.replica[3]", "pool.all"] {
            assert_eq!(text.parse::<Selector>().unwrap().to_string(), text);
        }
        for text in ["", "module", "module.", "net", "module.a.b", "module.a[", "module.a.machine"] {
            assert!(text.parse::<Selector>().is_err(), "{text}");
        }
    }
}
