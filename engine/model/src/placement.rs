//! Where a replica runs, and why.

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::platform::Platform;

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
