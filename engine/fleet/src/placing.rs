//! The placing itself: first what must be somewhere, then what stays, then the rest.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use bimetal_model::placement::Placement;
use bimetal_model::{Address, Diagnostics, Key, Platform};

use crate::ledger::{Ledger, ReplicaId};
use crate::node::Node;
use crate::obstacle::{Obstacle, suits};
use crate::report;
use crate::service::{Offer, Replicas, ServiceSpec, Strategy};

/// A service with what is known of it and every node.
struct Candidate<'a> {
    spec: &'a ServiceSpec,
    /// By node; `None` is no member of the pool.
    fits: Vec<Option<Result<Offer, Obstacle>>>,
    replicas: Vec<Replica<'a>>,
}

/// One replica and where it is by now.
struct Replica<'a> {
    key: Key,
    /// The one node that it is for, in global mode.
    only: Option<usize>,
    /// Where it was before.
    prior: Option<&'a Placement>,
    spot: Option<Spot>,
}

struct Spot {
    node: usize,
    why: Why,
}

enum Why {
    /// Nothing leaves a node that does not answer.
    Silent,
    Everywhere,
    Stays,
    Best {
        of: usize,
    },
    MadeRoom,
}

/// Whose place a replica without one may take.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Yielding {
    New,
    NewAndStaying,
}

pub(crate) struct Placing<'a> {
    nodes: Vec<&'a Node>,
    by_address: BTreeMap<&'a Address, usize>,
    services: Vec<Candidate<'a>>,
    ledger: Ledger,
    diagnostics: Diagnostics,
}

impl<'a> Placing<'a> {
    pub(crate) fn new(nodes: &'a [Node], services: &'a [ServiceSpec]) -> Self {
        let nodes: BTreeMap<&Address, &Node> = nodes.iter().map(|node| (&node.address, node)).collect();
        let services: BTreeMap<&Address, &ServiceSpec> = services.iter().map(|s| (&s.address, s)).collect();
        let by_address = nodes.keys().enumerate().map(|(place, address)| (*address, place)).collect();
        let nodes: Vec<&Node> = nodes.into_values().collect();
        let runs: Vec<Vec<Platform>> = nodes.iter().map(|node| node.runs()).collect();
        let ledger = Ledger::new(&nodes, services.len());
        let services = services.into_values().map(|spec| Candidate::new(spec, &nodes, &runs)).collect();
        Placing { nodes, by_address, services, ledger, diagnostics: Diagnostics::new() }
    }

    pub(crate) fn run(mut self) -> (Vec<Placement>, Diagnostics) {
        self.report_nowhere();
        self.keep_on_silent();
        self.place_global();
        self.keep_what_can_stay();
        for service in self.most_constrained_first() {
            self.place_rest(service);
        }
        let placements = (0..self.services.len()).flat_map(|service| self.placements(service)).collect();
        (placements, self.diagnostics)
    }

    /// A global service that no node of its pool suits is a mistake, not an empty one.
    fn report_nowhere(&mut self) {
        for candidate in self.services.iter().filter(|candidate| candidate.replicas.is_empty()) {
            let excluded: Vec<_> = candidate.obstacles(&self.nodes, None).collect();
            if candidate.spec.replicas == Replicas::Global && !excluded.is_empty() {
                self.diagnostics.push(report::infeasible(&candidate.spec.address, 0, &excluded));
            }
        }
    }

    /// Whether it suits or not: nobody can take it away from there.
    fn keep_on_silent(&mut self) {
        for service in 0..self.services.len() {
            for replica in 0..self.services[service].replicas.len() {
                let silent = self.prior_node((service, replica)).filter(|node| self.nodes[*node].silent);
                if let Some(node) = silent {
                    self.put((service, replica), node, Why::Silent);
                }
            }
        }
    }

    fn place_global(&mut self) {
        for service in 0..self.services.len() {
            for replica in 0..self.services[service].replicas.len() {
                match self.services[service].replicas[replica].only {
                    Some(node) if self.is_free((service, replica)) && self.is_feasible(service, node) => {
                        self.put((service, replica), node, Why::Everywhere)
                    }
                    _ => {}
                }
            }
        }
    }

    fn keep_what_can_stay(&mut self) {
        for service in 0..self.services.len() {
            for replica in 0..self.services[service].replicas.len() {
                let Some(node) = self.prior_node((service, replica)) else {
                    continue;
                };
                if self.is_free((service, replica)) && self.is_feasible(service, node) {
                    self.put((service, replica), node, Why::Stays);
                }
            }
        }
    }

    fn prior_node(&self, (service, replica): ReplicaId) -> Option<usize> {
        let prior = self.services[service].replicas[replica].prior?;
        self.by_address.get(&prior.machine).copied()
    }

    fn is_free(&self, (service, replica): ReplicaId) -> bool {
        self.services[service].replicas[replica].spot.is_none()
    }

    fn is_feasible(&self, service: usize, node: usize) -> bool {
        let candidate = &self.services[service];
        matches!(candidate.fits[node], Some(Ok(_))) && self.ledger.obstacle(node, candidate.spec).is_none()
    }

    /// A service that fits on few nodes chooses before one that fits on many.
    fn most_constrained_first(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.services.len()).collect();
        order.sort_by_key(|service| (self.services[*service].suitable().count(), *service));
        order
    }

    fn place_rest(&mut self, service: usize) {
        let candidate = &self.services[service];
        let free: Vec<usize> =
            (0..candidate.replicas.len()).filter(|replica| self.is_free((service, *replica))).collect();
        let is_global = candidate.spec.replicas == Replicas::Global;
        for (place, replica) in free.iter().enumerate() {
            if is_global || !self.place_one((service, *replica)) {
                // Room only gets less: what is left of this service fits nowhere either.
                return self.report((service, *replica), free.len() - place - 1);
            }
        }
    }

    fn place_one(&mut self, id: ReplicaId) -> bool {
        if let Some((node, of)) = self.best(id.0) {
            self.put(id, node, Why::Best { of });
            return true;
        }
        self.make_room(id, Yielding::New, &mut BTreeSet::new())
            || self.make_room(id, Yielding::NewAndStaying, &mut BTreeSet::new())
    }

    /// The best node for one more replica, and of how many.
    fn best(&self, service: usize) -> Option<(usize, usize)> {
        let candidate = &self.services[service];
        let feasible = candidate.suitable().filter(|node| self.ledger.obstacle(*node, candidate.spec).is_none());
        let (mut best, mut count) = (None, 0);
        for node in feasible {
            count += 1;
            let score = self.score(service, node);
            if best.is_none_or(|(least, _)| score < least) {
                best = Some((score, node));
            }
        }
        best.map(|(_, node)| (node, count))
    }

    /// The least is the best; nodes are in the order of their addresses.
    fn score(&self, service: usize, node: usize) -> (u32, u32, Reverse<u32>, usize) {
        let (own, all) = (self.ledger.replicas_of(service, node), self.ledger.replicas(node));
        match self.services[service].spec.strategy {
            Strategy::Spread => (own, all, Reverse(0), node),
            Strategy::Binpack => (0, 0, Reverse(all), node),
        }
    }

    /// Takes the place of a replica that can go elsewhere, if need be by the same means.
    fn make_room(&mut self, id: ReplicaId, yielding: Yielding, tried: &mut BTreeSet<usize>) -> bool {
        let suitable: Vec<usize> = self.services[id.0].suitable().collect();
        for node in suitable {
            let Some(holder) = self.sole_holder(id.0, node, yielding) else {
                continue;
            };
            if !tried.insert(node) {
                continue;
            }
            let Some(spot) = self.take_away(holder) else {
                continue;
            };
            self.put(id, node, Why::MadeRoom);
            match self.best(holder.0) {
                Some((elsewhere, _)) => {
                    self.put(holder, elsewhere, Why::MadeRoom);
                    return true;
                }
                None if self.make_room(holder, yielding, tried) => return true,
                None => {}
            }
            self.take_away(id);
            self.put(holder, node, spot.why);
        }
        false
    }

    /// The one replica that is in the way, if it may go elsewhere.
    fn sole_holder(&self, service: usize, node: usize, yielding: Yielding) -> Option<ReplicaId> {
        let spec = self.services[service].spec;
        let mut holders = self.ledger.holders(node, spec).into_iter();
        let (Some(holder), None) = (holders.next(), holders.next()) else {
            return None;
        };
        let may_yield = match self.services[holder.0].replicas[holder.1].spot.as_ref()?.why {
            Why::Silent | Why::Everywhere => false,
            Why::Stays => yielding == Yielding::NewAndStaying,
            Why::Best { .. } | Why::MadeRoom => true,
        };
        (may_yield && holder.0 != service && self.ledger.has_memory(node, spec)).then_some(holder)
    }

    fn put(&mut self, id: ReplicaId, node: usize, why: Why) {
        self.ledger.add(node, id, self.services[id.0].spec);
        self.services[id.0].replicas[id.1].spot = Some(Spot { node, why });
    }

    fn take_away(&mut self, id: ReplicaId) -> Option<Spot> {
        let spot = self.services[id.0].replicas[id.1].spot.take()?;
        self.ledger.remove(spot.node, id, self.services[id.0].spec);
        Some(spot)
    }

    fn report(&mut self, (service, replica): ReplicaId, more: usize) {
        let candidate = &self.services[service];
        let Replica { key, only, .. } = &candidate.replicas[replica];
        let only = only.map(|node| &self.nodes[node].address);
        let in_the_way = candidate.obstacles(&self.nodes, Some(&self.ledger));
        let obstacles: Vec<_> = in_the_way.filter(|(node, _)| only.is_none_or(|only| only == *node)).collect();
        let address = candidate.spec.address.replica(key.clone());
        self.diagnostics.push(report::infeasible(&address, more, &obstacles));
    }

    fn placements(&self, service: usize) -> Vec<Placement> {
        let candidate = &self.services[service];
        let placement = |replica: &Replica| {
            let spot = replica.spot.as_ref()?;
            let (platform, image) = candidate.image(replica, self.nodes[spot.node], spot)?;
            Some(Placement {
                replica: candidate.spec.address.replica(replica.key.clone()),
                machine: self.nodes[spot.node].address.clone(),
                platform,
                image,
                reason: self.reason(service, replica, spot),
                generation: 0,
            })
        };
        candidate.replicas.iter().filter_map(placement).collect()
    }

    fn reason(&self, service: usize, replica: &Replica<'_>, spot: &Spot) -> String {
        let node = &self.nodes[spot.node].address;
        let here = match (&spot.why, self.services[service].spec.strategy) {
            _ if replica.prior.is_some_and(|prior| prior.machine == *node) => return "stays".to_owned(),
            (Why::Everywhere, _) => "one on every node".to_owned(),
            (Why::Best { of: 1 }, _) => "the only node with room".to_owned(),
            (Why::Best { of }, Strategy::Spread) => format!("least loaded of {of} nodes"),
            (Why::Best { of }, Strategy::Binpack) => format!("fullest of {of} nodes"),
            (Why::Silent | Why::Stays | Why::MadeRoom, _) => "so that all replicas have room".to_owned(),
        };
        match &replica.prior {
            Some(Placement { machine, .. }) => {
                format!("moves from {machine}{}: {here}", self.why_not(service, machine))
            }
            None => here,
        }
    }

    fn why_not(&self, service: usize, prior: &Address) -> String {
        let candidate = &self.services[service];
        match self.by_address.get(prior).and_then(|node| Some((*node, candidate.fits[*node].as_ref()?))) {
            None => ", which left the pool".to_owned(),
            Some((_, Err(obstacle))) => format!(" ({obstacle})"),
            Some((node, Ok(_))) => {
                self.ledger.obstacle(node, candidate.spec).map(|obstacle| format!(" ({obstacle})")).unwrap_or_default()
            }
        }
    }
}

impl<'a> Candidate<'a> {
    fn new(spec: &'a ServiceSpec, nodes: &[&Node], runs: &[Vec<Platform>]) -> Self {
        let is_member = |node: &Node| spec.pool.contains(&node.address);
        // A replica that is for one node alone is wanted there, whether the node answers or not.
        let is_closed = |node: &Node| node.silent && spec.replicas != Replicas::Global;
        let fit = |(node, runs): (&&Node, &Vec<Platform>)| match (is_member(node), is_closed(node)) {
            (false, _) => None,
            (true, true) => Some(Err(Obstacle::Silent)),
            (true, false) => Some(suits(node, runs, spec)),
        };
        let fits: Vec<_> = nodes.iter().zip(runs).map(fit).collect();
        let keys: Vec<(Key, Option<usize>)> = match spec.replicas {
            Replicas::Count(count) => (0..count).map(|index| (Key::Index(index), None)).collect(),
            Replicas::Global => {
                let wanted = fits.iter().enumerate().filter(|(_, fit)| is_for_global(fit));
                wanted.map(|(node, _)| (Key::Name(nodes[node].address.to_string()), Some(node))).collect()
            }
        };
        let prior: BTreeMap<&Key, &Placement> =
            spec.prior.iter().filter_map(|prior| Some((prior.replica.replica.as_ref()?, prior))).collect();
        let replica = |(key, only)| Replica { prior: prior.get(&key).copied(), key, only, spot: None };
        Candidate { spec, fits, replicas: keys.into_iter().map(replica).collect() }
    }

    /// What a replica runs where it is: on a node that nothing leaves, what it ran before unless something else suits.
    fn image(&self, replica: &Replica<'_>, node: &Node, spot: &Spot) -> Option<(Platform, String)> {
        let offer = match (self.fits[spot.node].as_ref(), &spot.why) {
            (Some(Ok(offer)), _) => Some(offer.clone()),
            (_, Why::Silent) => suits(node, &node.runs(), self.spec).ok(),
            (Some(Err(_)) | None, _) => None,
        };
        let offered = offer.map(|offer| (offer.built_for, offer.image));
        let prior = replica.prior.filter(|_| matches!(spot.why, Why::Silent));
        offered.or_else(|| prior.map(|prior| (prior.platform.clone(), prior.image.clone())))
    }

    /// Why it can't be on each node, by the node itself and what is there.
    fn obstacles<'n>(
        &'n self,
        nodes: &'n [&'n Node],
        ledger: Option<&'n Ledger>,
    ) -> impl Iterator<Item = (&'n Address, Obstacle)> {
        self.fits.iter().enumerate().filter_map(move |(node, fit)| {
            let obstacle = match fit.as_ref()? {
                Ok(_) => ledger?.obstacle(node, self.spec)?,
                Err(obstacle) => obstacle.clone(),
            };
            Some((&nodes[node].address, obstacle))
        })
    }

    /// Nodes that suit it as long as nothing else is in the way.
    fn suitable(&self) -> impl Iterator<Item = usize> + '_ {
        self.fits.iter().enumerate().filter(|(_, fit)| matches!(fit, Some(Ok(_)))).map(|(node, _)| node)
    }
}

/// A node that the constraints or the image exclude has no replica; one without room is an error.
fn is_for_global(fit: &Option<Result<Offer, Obstacle>>) -> bool {
    match fit {
        None | Some(Err(Obstacle::Excluded(_) | Obstacle::Label { .. } | Obstacle::Platform { .. })) => false,
        Some(Ok(_) | Err(Obstacle::Silent | Obstacle::Port(_) | Obstacle::Memory { .. })) => true,
    }
}
