//! What is to be placed.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_model::placement::Placement;
use bimetal_model::{Address, Platform};

use crate::node::Port;

/// A service as far as placement cares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceSpec {
    /// Of the service's instance.
    pub address: Address,
    /// The members of its pool.
    pub pool: BTreeSet<Address>,
    /// How many replicas.
    pub replicas: Replicas,
    /// Its images.
    pub offers: Vec<Offer>,
    /// Host ports that every replica takes.
    pub ports: BTreeSet<Port>,
    /// In bytes, for each replica; 0: nothing is set aside.
    pub memory: u64,
    /// Labels that a node must have.
    pub labels: BTreeMap<String, String>,
    /// The platforms of which a node must be one; absent: any.
    pub platforms: Option<BTreeSet<Platform>>,
    /// Which of the feasible nodes is best.
    pub strategy: Strategy,
    /// Where its replicas are now.
    pub prior: Vec<Placement>,
}

/// How many replicas a service has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replicas {
    /// So many, anywhere in the pool.
    Count(u64),
    /// One on every node of the pool that the constraints and the image allow.
    Global,
}

/// An image for nodes of a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Matched against what a node runs.
    pub platform: Platform,
    /// What the image says that it is built for; almost always the same.
    pub built_for: Platform,
    /// Pinned by digest.
    pub image: String,
}

/// Which of the feasible nodes is best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// The one with the fewest replicas of the service, then of all.
    Spread,
    /// The fullest one.
    Binpack,
}
