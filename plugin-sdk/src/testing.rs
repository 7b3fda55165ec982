//! For the tests of a provider: a world to put in the host's place, and the engine's side of the contract.
//!
//! There is none of this in a component. Natively every capability asks the [`World`] that the thread has
//! [entered](World::enter), and says no where there is none; [`Driver`] calls a provider as the engine does.

mod driver;
mod world;

pub(crate) use world::{certificates, clock, docker, http, report, ssh};

/// What [`Http`] is asked, and what it answers.
pub use crate::bindings::bimetal::provider::http::{Request, Response};
/// What a command of [`Ssh`] comes to.
pub use crate::bindings::bimetal::provider::ssh::Output;
pub use driver::{Driver, Planned};
pub use world::{Certificates, Docker, Http, Ssh, World};
