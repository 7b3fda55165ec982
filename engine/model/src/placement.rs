//! Where a replica runs, and why.

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::platform::Platform;
use crate::value::{Data, Value};

/// The attribute by which a machine says how its engine is reached, and others on which engine they are.
const ENGINE: &str = "engine";

/// The handle of the engine that a machine has, or that something else is on.
pub fn engine_of(value: &Value) -> Option<&str> {
    match &value.member(ENGINE)?.data {
        Data::Handle(handle) => Some(handle),
        _ => None,
    }
}

/// Where a replica runs, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The replica.
    pub replica: Address,
    /// The node.
    pub machine: Address,
    /// Which of the image's platforms was chosen for it.
    pub platform: Platform,
    /// The image pinned by digest; empty where it is known only after something else is done.
    pub image: String,
    /// For people: `stays`, `least loaded of 4 nodes`, ….
    pub reason: String,
    /// How often it was made anew before what it replaces was removed: each of these has a name of its own.
    #[serde(default)]
    pub generation: u64,
}
