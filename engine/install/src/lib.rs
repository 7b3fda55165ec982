//! Where components come from that neither come with Bimetal nor lie in a file of the configuration's: registries, and
//! mirrors of them. Chosen by version, checked by digest and signature, kept by digest.
//!
//! Runs nothing of what it brings, and prints nothing.

pub mod signature;

mod artifact;
mod cache;
mod mirror;
mod publish;
mod source;
mod supply;

mod install;

pub use cache::{Cache, Component};
pub use install::{Installed, Wanted, install};
pub use mirror::Mirror;
pub use publish::{is_taken, publish};
pub use source::Source;
pub use supply::Supply;
