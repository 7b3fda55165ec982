//! What can run replicas.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bimetal_model::{Address, Platform};

use crate::platform;

/// The label by which a 64-bit ARM machine says that it runs 32-bit programs too.
pub const ARM32_LABEL: &str = "bimetal.arm32";

/// A machine as a place for replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The machine.
    pub address: Address,
    /// What it runs first of all.
    pub platform: Platform,
    /// In bytes, for all replicas together; absent: not limited.
    pub memory: Option<u64>,
    /// For constraints, and [`ARM32_LABEL`].
    pub labels: BTreeMap<String, String>,
    /// Host ports that no replica may have.
    pub taken: BTreeSet<Port>,
    /// It does not answer: nothing comes to it, and nothing leaves it.
    pub silent: bool,
}

impl Node {
    /// A node with nothing on it.
    pub fn new(address: Address, platform: Platform) -> Self {
        Node { address, platform, memory: None, labels: BTreeMap::new(), taken: BTreeSet::new(), silent: false }
    }

    /// The platforms that it runs, best first.
    pub fn runs(&self) -> Vec<Platform> {
        let arm32 = self.labels.get(ARM32_LABEL).is_some_and(|value| value == "true");
        platform::runs(&self.platform, if arm32 { platform::Arm32::Known } else { platform::Arm32::NotKnown })
    }
}

/// A port of a node's; one replica at a time has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    /// Its number.
    pub number: u16,
    /// `tcp`, `udp`, `sctp`
    pub protocol: String,
}

impl Port {
    /// A TCP port.
    pub fn tcp(number: u16) -> Self {
        Port { number, protocol: "tcp".to_owned() }
    }

    /// A port of a service's that is known only later: none but the same is known to be equal to it.
    pub fn unknown(service: &Address) -> Self {
        Port { number: 0, protocol: format!("a port of `{service}` that is known only after apply") }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.protocol.as_str() {
            "tcp" => self.number.fmt(f),
            unknown if self.number == 0 => f.write_str(unknown),
            protocol => write!(f, "{}/{protocol}", self.number),
        }
    }
}
