//! Modules and whole configurations from git and elsewhere: fetched, checked, and locked to what is in them.
//!
//! Runs nothing of what it brings, and prints nothing. Knows neither configurations nor lock files: it is given what they say.

pub mod source;
pub mod trust;
pub mod want;

pub mod checkout;
pub mod fetch;

mod cache;
mod git;
mod tree;
mod unpack;
mod version;

pub use checkout::Repository;
pub use fetch::{FetchArtifact, Layer, Options, fetch};
pub use git::Git;
pub use source::Source;
pub use trust::Trust;
pub use want::{Ask, Locked, Package, Wanted};
