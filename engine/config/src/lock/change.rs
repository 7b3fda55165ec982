//! What differs between two locks, for whoever reviews it. Nothing is left out and nothing shortened here.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Lock;

/// What a block of the lock file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A package of modules.
    Module,
    /// A provider.
    Provider,
    /// An image.
    Image,
}

impl Kind {
    /// As its blocks begin.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Module => "module",
            Kind::Provider => "provider",
            Kind::Image => "image",
        }
    }
}

/// What has become of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// There was none.
    New,
    /// It says something else.
    Other,
    /// There is none any more.
    Gone,
}

/// One block that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it is about.
    pub kind: Kind,
    /// As the block is labelled.
    pub name: String,
    /// Of a module: the versions that are wanted.
    pub wanted: Option<String>,
    /// What has become of it.
    pub became: Became,
    /// What differs in it.
    pub facts: Vec<Fact>,
}

/// One thing that a block says, before and now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// The attribute's name, or the platform's; `may` for each line of the grants.
    pub name: String,
    /// What it was.
    pub old: Option<String>,
    /// What it is.
    pub new: Option<String>,
}

/// A name for each line of grants, which are a set.
const MAY: &str = "may";

type Said = Vec<(String, String)>;

/// The blocks that differ: modules, providers, images, each by name.
pub fn changes(old: &Lock, new: &Lock) -> Vec<Change> {
    let (old, new) = (blocks(old), blocks(new));
    let mut keys: Vec<_> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    let change = |key: &(Kind, String, Option<String>)| {
        let (then, now) = (old.get(key), new.get(key));
        let facts = facts(then.map_or(&[], Vec::as_slice), now.map_or(&[], Vec::as_slice));
        let became = match (then, now) {
            (None, _) => Became::New,
            (Some(_), None) => Became::Gone,
            (Some(_), Some(_)) => Became::Other,
        };
        let (kind, name, wanted) = key.clone();
        (!facts.is_empty()).then_some(Change { kind, name, wanted, became, facts })
    };
    keys.into_iter().filter_map(change).collect()
}

/// What each block says, in the order in which it is written.
fn blocks(lock: &Lock) -> BTreeMap<(Kind, String, Option<String>), Said> {
    let some = |pairs: &[(&str, Option<&str>)]| -> Said {
        pairs.iter().filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.to_owned()))).collect()
    };
    let modules = lock.modules.iter().map(|((source, wanted), module)| {
        let said = some(&[
            ("version", module.version.as_deref()),
            ("reference", module.reference.as_deref()),
            ("commit", module.commit.as_deref()),
            ("hash", Some(&module.hash)),
        ]);
        ((Kind::Module, source.clone(), wanted.clone()), said)
    });
    let providers = lock.providers.iter().map(|(name, provider)| {
        let mut said = some(&[
            ("source", provider.source.as_deref()),
            ("version", Some(&provider.version)),
            ("digest", provider.digest.as_deref()),
            ("signed_by", provider.signed_by.as_deref()),
        ]);
        said.extend(provider.grants.iter().map(|grant| (MAY.to_owned(), grant.clone())));
        ((Kind::Provider, name.0.clone(), None), said)
    });
    let images = lock.images.iter().map(|(source, index)| {
        let platforms = index.manifests.iter().map(|one| (one.platform.to_string(), one.digest.clone()));
        let said = some(&[("digest", Some(&index.digest))]).into_iter().chain(platforms).collect();
        ((Kind::Image, source.to_string(), None), said)
    });
    modules.chain(providers).chain(images).collect()
}

fn facts(old: &[(String, String)], new: &[(String, String)]) -> Vec<Fact> {
    let find = |said: &[(String, String)], name: &str| {
        said.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
    };
    let mut names: Vec<&String> = new.iter().chain(old).map(|(name, _)| name).filter(|name| *name != MAY).collect();
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(*name);
            true
        }
    });
    let differs = |name: &String| {
        let (old, new) = (find(old, name), find(new, name));
        (old != new).then_some(Fact { name: name.clone(), old, new })
    };
    let lines = |of: &[(String, String)], without: &[(String, String)]| -> Vec<String> {
        let is_only_there = |pair: &&(String, String)| pair.0 == MAY && !without.contains(pair);
        of.iter().filter(is_only_there).map(|(_, line)| line.clone()).collect()
    };
    let more = lines(new, old).into_iter().map(|line| Fact { name: MAY.to_owned(), old: None, new: Some(line) });
    let less = lines(old, new).into_iter().map(|line| Fact { name: MAY.to_owned(), old: Some(line), new: None });
    names.into_iter().filter_map(differs).chain(more).chain(less).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(text: &str) -> Lock {
        Lock::parse(text).unwrap()
    }

    fn told(old: &str, new: &str) -> String {
        let fact = |fact: &Fact| format!("; {} {:?} {:?}", fact.name, fact.old, fact.new);
        let one = |change: &Change| {
            let facts: String = change.facts.iter().map(fact).collect();
            format!("{:?} {} {}{facts}", change.became, change.kind.word(), change.name)
        };
        changes(&lock(old), &lock(new)).iter().map(one).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_differs_is_all_there_and_nothing_else() {
        let image = |digest: &str, platform: &str| {
            format!(
                "image \"nginx\" {{\n  digest = \"{digest}\"\n  platforms = {{ \"{platform}\" = \"sha256:2\" }}\n}}\n"
            )
        };
        let provider =
            |grants: &str| format!("provider \"notes\" {{\n  version = \"1.0.0\"\n  grants = [{grants}]\n}}\n");
        let module = "module \"oci://h/x\" {\n  hash = \"sha256:3\"\n}\n";
        assert_eq!(told(module, module), "");
        let old = image("sha256:0", "linux/amd64") + &provider("\"look\", \"send\"") + module;
        let new = image("sha256:1", "linux/arm64") + &provider("\"look\", \"listen\"");
        assert_eq!(
            told(&old, &new),
            "Gone module oci://h/x; hash Some(\"sha256:3\") None\n\
             Other provider notes; may None Some(\"listen\"); may Some(\"send\") None\n\
             Other image nginx; digest Some(\"sha256:0\") Some(\"sha256:1\"); linux/arm64 None Some(\"sha256:2\"); \
             linux/amd64 Some(\"sha256:2\") None"
        );
        assert_eq!(told("", module), "New module oci://h/x; hash None Some(\"sha256:3\")");
    }
}
