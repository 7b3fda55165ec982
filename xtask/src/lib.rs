//! What the repository's tasks are made of; the tests use the pieces that build images.

pub mod bench;
pub mod cgroup;
pub mod cross;
pub mod demo;
pub mod docker;
pub mod image;
pub mod interrupt;
pub mod packages;
pub mod process;
pub mod setup;
pub mod slot;
pub mod suite;
pub mod test;
pub mod web;

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask is a folder of the repository").to_owned()
}

/// Where cargo puts what it builds.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}
