//! Providers and modules, as the versions' lock files have them.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_config::lock::{Lock, LockedModule, LockedProvider};
use bimetal_model::ProviderName;
use serde::Serialize;

/// What is locked under a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "kind", content = "name", rename_all = "kebab-case")]
pub enum LockedName {
    /// A provider, by its local name.
    Provider(ProviderName),
    /// A package of modules, by its source.
    Module(String),
}

/// What was chosen for a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockedVersion {
    /// Where it is from, if that is part of what was chosen.
    pub source: Option<String>,
    /// If it has one.
    pub version: Option<String>,
    /// Of a package from a repository: the branch or tag.
    pub reference: Option<String>,
    /// Of a package from a repository.
    pub commit: Option<String>,
    /// Of the component, or of all files.
    pub digest: Option<String>,
}

/// What is locked otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockChange {
    /// What.
    #[serde(flatten)]
    pub name: LockedName,
    /// In the first version.
    pub before: Option<LockedVersion>,
    /// In the second version.
    pub after: Option<LockedVersion>,
}

/// What differs, by name.
pub(super) fn compared(before: &Lock, after: &Lock) -> Vec<LockChange> {
    let names: BTreeSet<&ProviderName> = before.providers.keys().chain(after.providers.keys()).collect();
    let provider = |name: &ProviderName| {
        let of = |lock: &Lock| lock.providers.get(name).map(of_provider);
        let (before, after) = (of(before), of(after));
        (before != after).then(|| LockChange { name: LockedName::Provider(name.clone()), before, after })
    };
    let mut changes: Vec<LockChange> = names.into_iter().filter_map(provider).collect();
    let (mut old, mut new) = (packages(before), packages(after));
    let names: BTreeSet<String> = old.keys().chain(new.keys()).cloned().collect();
    for name in names {
        let (old, new) = (old.remove(&name).unwrap_or_default(), new.remove(&name).unwrap_or_default());
        changes.extend(of_package(&name, old, new));
    }
    changes
}

fn of_provider(provider: &LockedProvider) -> LockedVersion {
    let LockedProvider { source, version, digest, .. } = provider.clone();
    LockedVersion { source, version: Some(version), reference: None, commit: None, digest }
}

fn of_module(module: &LockedModule) -> LockedVersion {
    let LockedModule { version, reference, commit, hash } = module.clone();
    LockedVersion { source: None, version, reference, commit, digest: Some(hash) }
}

/// By source without what is wanted of it: `?ref=v1` and `?ref=v2` are one package. Several versions of one may be in use.
fn packages(lock: &Lock) -> BTreeMap<String, Vec<LockedVersion>> {
    let mut packages: BTreeMap<String, Vec<LockedVersion>> = BTreeMap::new();
    for ((source, _), module) in &lock.modules {
        let name = source.split_once('?').map_or(source.as_str(), |(name, _)| name);
        packages.entry(name.to_owned()).or_default().push(of_module(module));
    }
    packages
}

/// One version that gave way to one other is a change; of more, each comes or goes.
fn of_package(name: &str, mut old: Vec<LockedVersion>, mut new: Vec<LockedVersion>) -> Vec<LockChange> {
    let both: Vec<LockedVersion> = old.iter().filter(|version| new.contains(version)).cloned().collect();
    old.retain(|version| !both.contains(version));
    new.retain(|version| !both.contains(version));
    let change = |before, after| LockChange { name: LockedName::Module(name.to_owned()), before, after };
    match (old.len(), new.len()) {
        (1, 1) => vec![change(old.pop(), new.pop())],
        _ => {
            let gone = old.into_iter().map(|version| change(Some(version), None));
            gone.chain(new.into_iter().map(|version| change(None, Some(version)))).collect()
        }
    }
}
