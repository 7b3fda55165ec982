//! What a plan rests on: where the state has something else of it by now, the plan is out of date.
//!
//! What a plan says nothing of may change as it likes, so that two who change different things are not in each other's way.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_model::snapshot::Snapshot;
use bimetal_model::{Address, BlockKind};

use crate::data::{Action, Change, Plan};

/// Writes down of what the plan rests on; the snapshot is the one that it was made from.
pub fn bind(plan: &mut Plan, snapshot: &Snapshot) {
    let reads = reads(plan);
    plan.reads = reads.into_iter().map(|address| (address.clone(), version(snapshot, &address))).collect();
    let (users, fresh) = (users(plan), freshest(snapshot));
    plan.users = users.into_iter().map(|address| (address.clone(), of_users(snapshot, &fresh, &address))).collect();
}

/// What the plan rests on and is not what it was.
pub fn outdated(plan: &Plan, snapshot: &Snapshot) -> BTreeSet<Address> {
    let read = plan.reads.iter().filter(|(address, known)| version(snapshot, address) != **known);
    let fresh = if plan.users.is_empty() { BTreeMap::new() } else { freshest(snapshot) };
    let users = plan.users.iter().filter(|(address, known)| of_users(snapshot, &fresh, address) != **known);
    read.chain(users).map(|(address, _)| address.clone()).collect()
}

fn version(snapshot: &Snapshot, address: &Address) -> u64 {
    snapshot.versions.get(address).copied().unwrap_or(0)
}

fn of_users(snapshot: &Snapshot, fresh: &BTreeMap<&Address, u64>, address: &Address) -> u64 {
    version(snapshot, address).max(fresh.get(address).copied().unwrap_or(0))
}

/// When anything was last written that rests on an object.
fn freshest(snapshot: &Snapshot) -> BTreeMap<&Address, u64> {
    let mut fresh: BTreeMap<&Address, u64> = BTreeMap::new();
    for (address, stored) in &snapshot.objects {
        let version = version(snapshot, address);
        let place = stored.placement.as_ref().map(|placement| &placement.machine);
        for needed in stored.depends_on.iter().chain(place) {
            let last = fresh.entry(needed).or_default();
            *last = version.max(*last);
        }
    }
    fresh
}

/// As state calls it: what is moved is known there by its old name.
fn known_as<'p>(plan: &'p Plan, address: &'p Address) -> &'p Address {
    plan.moved.get(address).unwrap_or(address)
}

/// What something is done to, and everything that this depends on, directly or not.
fn reads(plan: &Plan) -> BTreeSet<Address> {
    let by_address: BTreeMap<&Address, &Change> = plan.changes.iter().map(|change| (&change.address, change)).collect();
    let drifted: BTreeSet<&Address> = plan.drift.iter().map(|drift| &drift.address).collect();
    let touches = |change: &&Change| {
        let is_news = change.kept().is_some_and(|kept| Some(&kept) != change.before.as_ref());
        !matches!(change.action, Action::Keep | Action::Leave) || is_news || drifted.contains(&change.address)
    };
    let outputs = plan.outputs.values().filter(|output| output.before != output.after);
    let mut open: Vec<&Address> = plan.changes.iter().filter(touches).map(|change| &change.address).collect();
    open.extend(outputs.flat_map(|output| &output.depends_on));
    open.extend(plan.moved.keys().chain(plan.moved.values()).chain(&plan.forgotten).chain(plan.imported.keys()));
    open.extend(drifted.iter().copied().chain(&plan.considered));
    let mut all = BTreeSet::new();
    while let Some(address) = open.pop() {
        if !all.insert(address) {
            continue;
        }
        let Some(change) = by_address.get(address) else { continue };
        let before = change.before.iter().flat_map(|before| &before.depends_on);
        open.extend(change.depends_on.iter().chain(before).chain(change.deposed.as_deref()));
    }
    let remembered = |address: &&&Address| address.block != BlockKind::Data;
    all.iter().filter(remembered).map(|address| known_as(plan, address).clone()).collect()
}

/// What goes must not have got a new user, and no machine another container than those that were there.
fn users(plan: &Plan) -> BTreeSet<Address> {
    let goes = |change: &&Change| matches!(change.action, Action::Delete | Action::Replace);
    let going = plan.changes.iter().filter(goes).map(|change| &change.address);
    going.chain(&plan.considered).map(|address| known_as(plan, address).clone()).collect()
}
