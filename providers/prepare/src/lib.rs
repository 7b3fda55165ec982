//! What both providers of machines need to make one ready for containers: find out what it is, put Docker on it, take it off again.
//!
//! Everything goes through [`Remote`]; commands are those of the manifests, by name. Must not know whose machine it is.

mod access;
mod certificate;
mod endpoint;
mod engine;
mod facts;
mod instant;
mod job;
mod manager;
mod platform;
mod prepare;
mod remote;
mod stamp;
mod undo;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use access::{Access, DROP_IN};
pub use certificate::{KEEP_DAYS, is_due, plan_certificate};
pub use endpoint::{Bastion, Login};
pub use engine::Engine;
pub use facts::{ARM32_LABEL, Facts, Init};
pub use instant::{format as format_instant, parse as parse_instant};
pub use platform::runs;
pub use prepare::{Ready, Step, Wish, engine, facts, prepare};
pub use remote::{Host, Output, Remote, World};
pub use stamp::{STAMP, Stamp};
pub use undo::{Undone, undo};
