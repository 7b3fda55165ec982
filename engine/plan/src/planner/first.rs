//! Which replacements are made before what is there is removed.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_config::{Desired, Node};
use bimetal_model::Address;
use bimetal_model::schema::TypeSchema;

use super::Planner;
use super::finish::{Claim, claims};
use crate::data::{Action, Change};
use crate::naming::unshareable;
use crate::reason::{Reason, Shared};

type Changes = BTreeMap<Address, Box<Change>>;

/// The blocks that want it, and those that they rest on: whoever is made first needs what it depends on by then, and what it replaces
/// needs what that replaces until it is gone.
pub(super) fn blocks(desired: &Desired) -> BTreeSet<Address> {
    let objects = desired.module.objects.values();
    let wanting = objects.filter(|block| block.lifecycle.create_before_destroy).map(|block| &block.address);
    let mut open: Vec<Node> = wanting.cloned().map(Node::Object).collect();
    let mut seen = BTreeSet::new();
    while let Some(node) = open.pop() {
        if seen.insert(node.clone()) {
            open.extend(desired.dependencies.get(&node).into_iter().flatten().cloned());
        }
    }
    let address = |node| if let Node::Object(address) = node { Some(address) } else { None };
    seen.into_iter().filter_map(address).collect()
}

impl Planner<'_> {
    /// Says for each such replacement what the object that is there is called by then. What two can't have at the same time comes the
    /// other way round.
    pub(super) fn create_first(&mut self) {
        let changes = self.changes.values_mut().filter(|change| change.action == Action::Replace);
        for change in changes.filter(|change| self.first.contains(&change.address.whole())) {
            let schema = self.values.catalogue.managed(&change.provider, &change.ty);
            if let Some(shared) = schema.and_then(|schema| shared(change, schema)) {
                change.reason.get_or_insert(Reason::RemovedFirst { shared });
                continue;
            }
            // Those of one address follow it.
            let address = &change.address;
            let deposed = self.observed.objects.range(address..).take_while(|(other, _)| other.present() == *address);
            let generation = deposed.filter_map(|(other, _)| other.deposed).max().map_or(0, |last| last + 1);
            change.deposed = Some(Box::new(address.with(|parts| parts.deposed = Some(generation))));
        }
    }
}

fn shared(change: &Change, schema: &TypeSchema) -> Option<Shared> {
    let (before, after) = (change.before.as_ref()?, change.after.as_ref()?);
    match &change.placement {
        Some(_) if has_its_port(change) => Some(Shared::HostPort),
        Some(_) if has_its_name(change) => Some(Shared::Name),
        None if before.ty == change.ty => unshareable(schema, &before.object.value, after),
        Some(_) | None => None,
    }
}

/// Whether a replica takes a host port that what it replaces has.
pub(super) fn has_its_port(change: &Change) -> bool {
    shares(change, |claim| matches!(claim, Claim::Port(..)))
}

fn has_its_name(change: &Change) -> bool {
    shares(change, |claim| matches!(claim, Claim::Name(..)))
}

/// Whether a replica takes something of a kind from what it replaces that two can't have.
fn shares(change: &Change, is_meant: impl Fn(&Claim) -> bool) -> bool {
    let before = change.before.as_ref().and_then(|before| Some((before.placement.as_ref()?, &before.object.value)));
    let (Some((before, has)), Some(after), Some(gets)) = (before, &change.placement, &change.after) else {
        return false;
    };
    let taken = claims(&before.machine, has);
    claims(&after.machine, gets).iter().any(|claim| is_meant(claim) && taken.contains(claim))
}

/// What would have to be there before itself is removed first after all, as everything else is.
pub(super) fn without_circles(changes: &mut Changes) {
    let first: Vec<Address> =
        changes.values().filter(|change| change.deposed.is_some()).map(|change| change.address.clone()).collect();
    if first.is_empty() {
        return;
    }
    let users = users(changes);
    loop {
        let circle = first.iter().find(|address| is_circle(changes, &users, address));
        match circle.and_then(|address| changes.get_mut(address)) {
            Some(change) => change.deposed = None,
            None => return,
        }
    }
}

/// By what they need: those that exist, need it, and are removed.
fn users(changes: &Changes) -> BTreeMap<Address, Vec<Address>> {
    let mut users: BTreeMap<Address, Vec<Address>> = BTreeMap::new();
    for change in changes.values().filter(|change| matches!(change.action, Action::Delete | Action::Replace)) {
        for needed in change.before.iter().flat_map(|before| &before.depends_on) {
            users.entry(needed.clone()).or_default().push(change.address.clone());
        }
    }
    users
}

/// Whether something that is made first would have to wait for its own removal.
fn is_circle(changes: &Changes, users: &BTreeMap<Address, Vec<Address>>, address: &Address) -> bool {
    let is_first = |address: &Address| changes.get(address).is_some_and(|change| change.deposed.is_some());
    if !is_first(address) {
        return false;
    }
    let (mut seen, mut open) = (BTreeSet::new(), vec![(address, Half::Make)]);
    while let Some((at, half)) = open.pop() {
        let Some(change) = changes.get(at).filter(|_| seen.insert((at, half))) else { continue };
        match half {
            Half::Make => {
                open.extend(change.depends_on.iter().map(|needed| (needed, Half::Make)));
                open.extend(change.after_removal_of.iter().map(|leaving| (leaving, Half::Remove)));
                open.extend((change.action == Action::Replace && !is_first(at)).then_some((at, Half::Remove)));
            }
            Half::Remove if at == address => return true,
            Half::Remove => {
                open.extend(users.get(at).into_iter().flatten().map(|user| (user, Half::Remove)));
                open.extend(is_first(at).then_some((at, Half::Make)));
            }
        }
    }
    false
}

/// Of a replacement.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Half {
    Make,
    Remove,
}
