//! Everything that a provider of Bimetal is written with.
//!
//! A provider is a crate of type `cdylib`, built for `wasm32-wasip2`: structs that derive [`Schema`], a [`Resource`] for each of
//! its types, a [`Provider`] that lists them, and one [`export_provider!`]. `docs/writing-a-provider.md` walks through one.
//!
//! ```
//! use bimetal_provider::testing::{Driver, World};
//! use bimetal_provider::{
//!     Create, Deletion, Deserialize, Outcome, Provider, Resource, Result, Schema, Serialize, Type, capability, json,
//! };
//!
//! struct Time;
//!
//! #[derive(Schema, Deserialize)]
//! struct Config {}
//!
//! impl Provider for Time {
//!     type Config = Config;
//!     fn configure(_: Config) -> Result<Self> {
//!         Ok(Time)
//!     }
//!     fn types() -> Vec<Type<Self>> {
//!         vec![Type::of::<Instant>()]
//!     }
//! }
//!
//! /// The moment in which it was made.
//! #[derive(Clone, Schema, Serialize, Deserialize)]
//! struct Instant {
//!     /// Another reason makes another moment
//!     #[attr(force_new)]
//!     reason: String,
//!     #[attr(read_only)]
//!     at_ms: Option<u64>,
//! }
//!
//! impl Resource for Instant {
//!     type Provider = Time;
//!     const NAME: &'static str = "time_instant";
//!
//!     fn read(_: &Time, instants: Vec<Self>) -> Vec<Result<Option<Self>>> {
//!         instants.into_iter().map(|instant| Ok(Some(instant))).collect()
//!     }
//!     fn probe(_: &Time, _intent: &str, _: Self) -> Result<Option<Self>> {
//!         Ok(None)
//!     }
//!     fn create(_: &Time, requests: Vec<Create<Self>>) -> Vec<Outcome<Self>> {
//!         let now = |instant| Instant { at_ms: Some(capability::now_ms()), ..instant };
//!         requests.into_iter().map(|request| Outcome::Done(now(request.config))).collect()
//!     }
//!     fn delete(_: &Time, _: Self) -> Deletion {
//!         Deletion::Done
//!     }
//! }
//!
//! // In a crate of its own: bimetal_provider::export_provider!(crate::Time, "../manifest.json");
//!
//! let world = World::default();
//! world.set_now_ms(7);
//! let driver = Driver::<Time>::new(world, &json!({})).unwrap();
//! let instant = driver.create("time_instant", "i-1", &json!({ "reason": "lunch" })).unwrap();
//! assert_eq!(instant, json!({ "reason": "lunch", "at_ms": 7 }));
//! ```

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
pub use resource::{
    Create, DataSource, DataType, Deletion, Ephemeral, EphemeralType, Foreign, Function, FunctionType, Lease, Opened,
    Outcome, Provider, Resource, Role, Type,
};
pub use schema::{Attribute, Block, Credential, Handle, HasType, IsBlock, NestedBlock, Schema};
pub use serde::{Deserialize, Serialize};
pub use serde_json::{Value as Json, json};
