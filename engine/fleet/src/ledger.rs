//! What is on each node while placing goes on.

use std::collections::{BTreeMap, BTreeSet};

use crate::node::{Node, Port};
use crate::obstacle::Obstacle;
use crate::service::ServiceSpec;

/// A replica by the place of its service, and its own in that service.
pub(crate) type ReplicaId = (usize, usize);

/// What is on each node.
pub(crate) struct Ledger {
    nodes: Vec<Load>,
    of_service: Vec<Vec<u32>>,
}

#[derive(Default)]
struct Load {
    total: u32,
    memory_left: Option<u64>,
    ports: BTreeMap<Port, ReplicaId>,
}

impl Ledger {
    pub(crate) fn new(nodes: &[&Node], services: usize) -> Self {
        let load = |node: &&Node| Load { memory_left: node.memory, ..Load::default() };
        Ledger { nodes: nodes.iter().map(load).collect(), of_service: vec![vec![0; nodes.len()]; services] }
    }

    /// What is in the way of one more replica, if something is.
    pub(crate) fn obstacle(&self, node: usize, service: &ServiceSpec) -> Option<Obstacle> {
        let load = &self.nodes[node];
        if let Some(port) = service.ports.iter().find(|port| load.ports.contains_key(*port)) {
            return Some(Obstacle::Port(port.clone()));
        }
        (!self.has_memory(node, service)).then_some(Obstacle::Memory { wanted: service.memory })
    }

    pub(crate) fn has_memory(&self, node: usize, service: &ServiceSpec) -> bool {
        self.nodes[node].memory_left.is_none_or(|left| left >= service.memory)
    }

    /// Who has the ports that the service wants.
    pub(crate) fn holders(&self, node: usize, service: &ServiceSpec) -> BTreeSet<ReplicaId> {
        service.ports.iter().filter_map(|port| self.nodes[node].ports.get(port).copied()).collect()
    }

    pub(crate) fn add(&mut self, node: usize, id: ReplicaId, service: &ServiceSpec) {
        let load = &mut self.nodes[node];
        load.total += 1;
        load.memory_left = load.memory_left.map(|left| left.saturating_sub(service.memory));
        load.ports.extend(service.ports.iter().map(|port| (port.clone(), id)));
        self.of_service[id.0][node] += 1;
    }

    pub(crate) fn remove(&mut self, node: usize, id: ReplicaId, service: &ServiceSpec) {
        let load = &mut self.nodes[node];
        load.total -= 1;
        load.memory_left = load.memory_left.map(|left| left + service.memory);
        load.ports.retain(|_, holder| *holder != id);
        self.of_service[id.0][node] -= 1;
    }

    /// Replicas of a service on a node.
    pub(crate) fn replicas_of(&self, service: usize, node: usize) -> u32 {
        self.of_service[service][node]
    }

    /// Replicas of all services on a node.
    pub(crate) fn replicas(&self, node: usize) -> u32 {
        self.nodes[node].total
    }
}
