//! Why a replica can't run on a node.

use std::fmt;

use bimetal_model::Platform;

use crate::node::{Node, Port};
use crate::platform;
use crate::service::{Offer, ServiceSpec};

/// Why a replica can't run on a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// Not one of the image's platforms runs there.
    Platform {
        /// Of the node.
        node: Platform,
        /// Of the image.
        offered: Vec<Platform>,
    },
    /// The service is not for nodes of this platform.
    Excluded(Platform),
    /// A label isn't as wanted.
    Label {
        /// Its name.
        name: String,
        /// What the service wants.
        wanted: String,
        /// What the node has.
        found: Option<String>,
    },
    /// The node does not answer.
    Silent,
    /// Something else has a host port.
    Port(Port),
    /// What is left of the node's memory is too little.
    Memory {
        /// For a replica.
        wanted: u64,
    },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::Excluded(platform) => {
                write!(f, "{platform} is none of the platforms of its `placement`")
            }
            Obstacle::Platform { node, offered } => {
                let offered: Vec<_> = offered.iter().map(Platform::to_string).collect();
                write!(f, "no image for {node} (there is {})", offered.join(", "))
            }
            Obstacle::Label { name, wanted, found: Some(found) } => {
                write!(f, "label `{name}` is `{found}`, not `{wanted}`")
            }
            Obstacle::Label { name, wanted, found: None } => write!(f, "no label `{name}` (`{wanted}` is wanted)"),
            Obstacle::Silent => f.write_str("it does not answer"),
            Obstacle::Port(port) if port.number == 0 => write!(f, "{port} is taken"),
            Obstacle::Port(port) => write!(f, "port {port} is taken"),
            Obstacle::Memory { wanted } => {
                write!(f, "less memory is left than {}", megabytes(*wanted))
            }
        }
    }
}

fn megabytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1 << 20))
}

/// Which offer suits a node for ever, whatever else runs there; the rest changes as replicas come and go.
pub(crate) fn suits(node: &Node, runs: &[Platform], service: &ServiceSpec) -> Result<Offer, Obstacle> {
    if service.platforms.as_ref().is_some_and(|platforms| !platforms.contains(&node.platform)) {
        return Err(Obstacle::Excluded(node.platform.clone()));
    }
    let unmet = |(name, wanted): &(&String, &String)| node.labels.get(*name) != Some(*wanted);
    if let Some((name, wanted)) = service.labels.iter().find(unmet) {
        let found = node.labels.get(name).cloned();
        return Err(Obstacle::Label { name: name.clone(), wanted: wanted.clone(), found });
    }
    if let Some(port) = service.ports.intersection(&node.taken).next() {
        return Err(Obstacle::Port(port.clone()));
    }
    if node.memory.is_some_and(|memory| memory < service.memory) {
        return Err(Obstacle::Memory { wanted: service.memory });
    }
    platform::choose(runs, &service.offers, |offer| &offer.platform).cloned().ok_or_else(|| Obstacle::Platform {
        node: node.platform.clone(),
        offered: service.offers.iter().map(|offer| offer.platform.clone()).collect(),
    })
}
