//! Runs providers: components in a sandbox, and the capabilities that they may be granted.
//!
//! The only room that names wasmtime, bollard, reqwest and the SSH client; holds every credential. Implements `Predict`,
//! `Operate` and `Lend`.

mod codec;
mod contract;
pub mod credentials;
pub mod fault;
mod manifest;
mod phase;

mod bindings;
mod call;
mod capability;
pub mod client;
mod component;
mod grant;
mod guest;
mod outside;
mod runtime;
mod tail;
mod wire;

pub mod certificates;
pub mod console;
pub mod docker;
mod flights;
mod form;
pub mod http;
pub mod kept;
mod recording;
pub mod registry;
pub mod ssh;
mod stacks;

mod host;
mod lend;
mod operate;
mod predict;
mod typed;

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;

pub use flights::{Progress, Report};
pub use host::{Host, HostOptions, Loaded, Origin};
pub use manifest::{Manifest, digest};
pub use recording::Recording;
pub use registry::{Artifacts, Registries};
