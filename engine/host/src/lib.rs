//! Runs providers: components in a sandbox, and the capabilities that they may be granted.
//!
//! The only room that names wasmtime, bollard, reqwest and the SSH client; holds every credential. Implements `Predict` and
//! `Operate`.

pub mod fault;
pub mod credentials;
mod phase;
mod manifest;
mod codec;

mod bindings;
mod runtime;
mod component;
mod guest;
mod call;
mod capability;
mod wire;

pub mod http;
pub mod console;
mod flights;
pub mod ssh;
pub mod certificates;
pub mod docker;
pub mod registry;

mod host;
mod predict;
mod operate;

pub use flights::{Progress, Report};
pub use host::{Host, HostOptions, Loaded, Origin};
pub use manifest::{Manifest, digest};
pub use registry::Registries;
