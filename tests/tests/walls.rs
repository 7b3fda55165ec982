//! The walls of the house: which room may import which, and which libraries only one room names.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// What each of our crates may import of ours; see `docs/ARCHITECTURE.md`.
fn allowed() -> BTreeMap<&'static str, &'static [&'static str]> {
    const ENGINE: &[&str] = &[
        "bimetal-allocator",
        "bimetal-model",
        "bimetal-syntax",
        "bimetal-config",
        "bimetal-fleet",
        "bimetal-refresh",
        "bimetal-plan",
        "bimetal-apply",
        "bimetal-host",
        "bimetal-install",
        "bimetal-sources",
        "bimetal-mock",
        "bimetal-kit",
        "bimetal-state",
        "bimetal-providers",
    ];
    const SDK: &[&str] = &["bimetal-provider", "bimetal-provider-prepare"];
    [
        ("bimetal-allocator", &[] as &[&str]),
        ("bimetal-model", &[]),
        ("bimetal-syntax", &["bimetal-model"]),
        ("bimetal-config", &["bimetal-model", "bimetal-syntax"]),
        ("bimetal-fleet", &["bimetal-model"]),
        ("bimetal-refresh", &["bimetal-model"]),
        ("bimetal-plan", &["bimetal-model", "bimetal-config", "bimetal-fleet"]),
        ("bimetal-apply", &["bimetal-model", "bimetal-config", "bimetal-plan"]),
        ("bimetal-host", &["bimetal-model"]),
        ("bimetal-install", &["bimetal-model", "bimetal-config", "bimetal-host"]),
        ("bimetal-sources", &["bimetal-model"]),
        ("bimetal-mock", &["bimetal-model"]),
        ("bimetal-kit", &["bimetal-model", "bimetal-config", "bimetal-plan"]),
        ("bimetal-state", &["bimetal-model"]),
        ("bimetal", ENGINE),
        ("bimetal-provider-macros", &[]),
        ("bimetal-provider", &["bimetal-provider-macros"]),
        ("bimetal-providers", &[]),
        ("bimetal-provider-prepare", &["bimetal-provider"]),
        ("bimetal-provider-docker", SDK),
        ("bimetal-provider-baremetal", SDK),
        ("bimetal-provider-digitalocean", SDK),
        ("bimetal-tests", &["xtask"]),
        ("bimetal-test-guests", &[]),
        ("bimetal-hello", &[]),
        ("xtask", &[]),
    ]
    .into()
}

/// Libraries that few rooms may name.
const OWNED: [(&str, &[&str]); 10] = [
    ("libmimalloc-sys", &["bimetal-allocator"]),
    ("wasmtime", &["bimetal-host"]),
    ("wasmtime-wasi", &["bimetal-host"]),
    ("bollard", &["bimetal-host"]),
    // The state names it so that object storage is reached with TLS; modules come as archives, too.
    ("reqwest", &["bimetal-host", "bimetal-state", "bimetal-sources"]),
    ("russh", &["bimetal-host"]),
    ("rcgen", &["bimetal-host"]),
    ("minisign", &["bimetal-install"]),
    ("rusqlite", &["bimetal-state"]),
    ("clap", &["bimetal"]),
];

fn packages() -> Vec<Package> {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo describes the workspace");
    metadata.packages
}

fn imports(package: &Package) -> BTreeSet<String> {
    // What a test imports is no part of the house.
    let wanted = |kind: DependencyKind| kind != DependencyKind::Development;
    package.dependencies.iter().filter(|import| wanted(import.kind)).map(|import| import.name.clone()).collect()
}

#[test]
fn rooms_import_only_what_the_table_says() {
    let (packages, allowed) = (packages(), allowed());
    let ours: BTreeSet<String> = packages.iter().map(|package| package.name.to_string()).collect();
    for package in &packages {
        let name = package.name.as_str();
        let may = allowed.get(name).unwrap_or_else(|| panic!("`{name}` is not in the table"));
        for import in imports(package).intersection(&ours) {
            assert!(may.contains(&import.as_str()), "`{name}` imports `{import}`, and the table says no");
        }
    }
}

#[test]
fn some_libraries_are_named_by_one_room_alone() {
    for package in packages() {
        for (library, owners) in OWNED {
            let named = imports(&package).contains(library);
            assert!(
                !named || owners.contains(&package.name.as_str()),
                "`{}` names `{library}`, which is of {owners:?}",
                package.name
            );
        }
    }
}

#[test]
fn pure_rooms_name_nothing_that_acts_by_itself() {
    let pure = ["bimetal-model", "bimetal-syntax", "bimetal-config", "bimetal-fleet", "bimetal-plan"];
    for package in packages().iter().filter(|package| pure.contains(&package.name.as_str())) {
        for actor in ["tokio", "hyper", "getrandom", "uuid", "nix"] {
            assert!(!imports(package).contains(actor), "`{}` names `{actor}`", package.name);
        }
    }
}
