//! What of a machine is taken before services are placed on it.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_config::Node;
use bimetal_fleet::{Node as Place, Port, ServiceSpec};
use bimetal_model::placement::Placement;
use bimetal_model::snapshot::Stored;
use bimetal_model::{Address, Value};

use super::Planner;
use crate::catalogue::is_machine;
use crate::data::Change;
use crate::service;

/// What containers take of a machine.
#[derive(Clone, Debug, Default)]
pub(super) struct Claims {
    ports: BTreeSet<Port>,
    memory: u64,
}

impl Planner<'_> {
    /// A machine as a place for replicas, without what others take of it.
    pub(super) fn without_claims(&self, mut node: Place, containers: &BTreeMap<Address, BTreeSet<Port>>) -> Place {
        node.taken.extend(containers.get(&node.address).into_iter().flatten().cloned());
        if let Some(claims) = self.claims.get(&node.address) {
            node.taken.extend(claims.ports.iter().cloned());
            node.memory = node.memory.map(|memory| memory.saturating_sub(claims.memory));
        }
        node
    }

    /// Remembers what placed replicas take, for services that are placed later.
    pub(super) fn claim(&mut self, specs: &[ServiceSpec], placements: &[Placement]) {
        let by_address: BTreeMap<&Address, &ServiceSpec> = specs.iter().map(|spec| (&spec.address, spec)).collect();
        for placement in placements {
            let service = placement.replica.service();
            if let Some(spec) = by_address.get(&service) {
                let claims = self.claims.entry(placement.machine.clone()).or_default();
                claims.ports.extend(spec.ports.iter().cloned());
                claims.memory += spec.memory;
            }
        }
    }

    /// Replicas of services that are not planned take what they have.
    pub(super) fn claim_what_stays(&mut self) {
        let observed = self.observed;
        for (address, stored) in &observed.objects {
            let is_planned = self.extent.plans(&Node::Object(address.whole()));
            let is_gone = !self.desired.module.objects.contains_key(&address.whole());
            let stays = !is_planned || is_gone && !self.extent.objects.contains(address);
            if let (Some(placement), true) = (&stored.placement, stays) {
                self.claim_existing(placement, stored);
            }
        }
    }

    /// What exists takes what it has.
    pub(super) fn claim_existing(&mut self, placement: &Placement, stored: &Stored) {
        let claims = self.claims.entry(placement.machine.clone()).or_default();
        let container = &stored.object.value;
        claims.ports.extend(service::host_ports(container).unwrap_or_default());
        let memory = container.member("memory").and_then(Value::as_number).and_then(|number| number.to_u64());
        claims.memory += memory.unwrap_or(0);
    }

    /// Host ports of the containers that the configuration writes itself, by machine.
    pub(super) fn ports_of_containers(
        &self,
        machines: &BTreeMap<&Address, &Value>,
    ) -> BTreeMap<Address, BTreeSet<Port>> {
        let mut ports: BTreeMap<Address, BTreeSet<Port>> = BTreeMap::new();
        let Ok(runtime) = self.values.catalogue.runtime() else { return ports };
        let is_container = |change: &&Change| change.ty == runtime.ty && change.address.replica.is_none();
        for change in self.changes.values().map(Box::as_ref).filter(is_container) {
            let Some(container) = &change.after else { continue };
            if let Some(machine) = machine_of(change, container, machines) {
                ports.entry(machine.clone()).or_default().extend(service::host_ports(container).unwrap_or_default());
            }
        }
        ports
    }
}

/// The machine whose engine a container runs on; while that is not known, the only one that it depends on.
fn machine_of<'c>(
    change: &'c Change,
    container: &Value,
    machines: &BTreeMap<&'c Address, &Value>,
) -> Option<&'c Address> {
    let engine = container.member("engine")?;
    if !engine.is_unknown() {
        let runs = |(_, machine): &(&&Address, &&Value)| {
            machine.member("engine").is_some_and(|other| other.data == engine.data)
        };
        return machines.iter().find(runs).map(|(address, _)| *address);
    }
    let mut all = change.depends_on.iter().filter(|address| is_machine(address));
    all.next().filter(|_| all.next().is_none())
}
