//! Everything that a provider of Bimetal is written with.
//!
//! A provider is a crate of type `cdylib`, built for `wasm32-wasip2`: structs that derive [`Schema`], a [`Resource`] for each of
//! its types, a [`Provider`] that lists them, and one [`export_provider!`]. `docs/writing-a-provider.md` walks through one.

extern crate self as bimetal_provider;

mod diagnostic;
mod dispatch;
mod planning;
mod resource;
mod schema;

#[doc(hidden)]
pub mod bindings;
/// Capabilities: what a provider may ask of the host.
pub mod capability;
#[doc(hidden)]
pub mod export;
#[cfg(not(target_family = "wasm"))]
pub mod testing;

pub use bimetal_provider_macros::Schema;
pub use capability::{Code, Fault};
pub use diagnostic::{Diagnostic, Result};
pub use planning::Plan;
pub use resource::{Create, DataSource, DataType, Deletion, Outcome, Provider, Resource, Role, Type};
pub use schema::{Attribute, Block, Credential, Handle, HasType, IsBlock, NestedBlock, Schema};
pub use serde::{Deserialize, Serialize};
pub use serde_json::{Value as Json, json};
