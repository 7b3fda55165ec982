//! Which replica runs on which node, and why.
//!
//! Pure: nodes, services and where replicas are now go in, placements with reasons come out. Must not know
//! configuration, providers or state.

pub mod platform;

mod ledger;
mod node;
mod obstacle;
mod placing;
mod report;
mod service;

pub use node::{ARM32_LABEL, Node, Port};
pub use obstacle::Obstacle;
pub use service::{Offer, Replicas, ServiceSpec, Strategy};

use bimetal_model::Diagnostics;
use bimetal_model::placement::Placement;

/// Places every replica of every service, or says why one can't be.
///
/// In order: what is feasible, then the fewest moves against `ServiceSpec::prior`, then the service's strategy.
/// Placements come in the order of services' addresses and replicas' keys.
///
/// Invariant: the order of the arguments does not matter (test: `a_permutation_changes_nothing`).
pub fn place(nodes: &[Node], services: &[ServiceSpec]) -> (Vec<Placement>, Diagnostics) {
    placing::Placing::new(nodes, services).run()
}
