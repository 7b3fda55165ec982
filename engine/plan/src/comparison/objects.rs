//! Machines, resources and replicas.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_config::module::Moved;
use bimetal_model::placement::Placement;
use bimetal_model::{Address, BlockKind, Members, Value};

use super::{Compared, Kind, Version};
use crate::compare::{Difference, diff};
use crate::data::{Action, Change, Plan};
use crate::moves::renamed;

/// What differs, by address.
pub(super) fn compared(before: &Version<'_>, after: &Version<'_>) -> Vec<Compared> {
    let moved = &after.desired.module.moved;
    let (old, new) = (wanted(before.plan), wanted(after.plan));
    let old: BTreeMap<Address, &Change> =
        old.iter().map(|(address, change)| (present(moved, address, &old, &new), *change)).collect();
    let addresses: BTreeSet<&Address> = old.keys().chain(new.keys().copied()).collect();
    addresses.into_iter().filter_map(|address| one(moved, address, old.get(address), new.get(address))).collect()
}

/// What a version wants to be there. Data sources are nothing that anybody makes.
fn wanted(plan: &Plan) -> BTreeMap<&Address, &Change> {
    let is_wanted = |change: &&Change| {
        change.after.is_some() && change.address.block != BlockKind::Data && change.address.deposed.is_none()
    };
    plan.changes.iter().filter(is_wanted).map(|change| (&change.address, change)).collect()
}

/// What the second version calls an object of the first one.
fn present(
    moved: &[Moved],
    address: &Address,
    old: &BTreeMap<&Address, &Change>,
    new: &BTreeMap<&Address, &Change>,
) -> Address {
    if new.contains_key(address) {
        return address.clone();
    }
    let name = renamed(moved, address);
    let is_free = new.contains_key(&name) && !old.contains_key(&name);
    if is_free { name } else { address.clone() }
}

fn one(moved: &[Moved], address: &Address, old: Option<&&Change>, new: Option<&&Change>) -> Option<Compared> {
    match (old, new) {
        (None, None) => None,
        (None, Some(new)) => Some(Compared {
            after: new.after.clone(),
            placed_after: new.placement.clone(),
            ..named(address, new, Kind::Added)
        }),
        (Some(old), None) => Some(Compared {
            before: old.after.clone(),
            placed_before: old.placement.clone(),
            ..named(address, old, Kind::Removed)
        }),
        (Some(old), Some(new)) => both(moved, address, old, new),
    }
}

/// An object with nothing said of it but its name.
fn named(address: &Address, change: &Change, kind: Kind) -> Compared {
    Compared {
        address: address.clone(),
        moved_from: None,
        kind,
        provider: change.provider.clone(),
        ty: change.ty.clone(),
        before: None,
        after: None,
        replace_because: Vec::new(),
        placed_before: None,
        placed_after: None,
    }
}

fn both(moved: &[Moved], address: &Address, old: &Change, new: &Change) -> Option<Compared> {
    let (mut before, mut after) = (old.after.clone()?, new.after.clone()?);
    if old.before.is_some() != new.before.is_some() {
        // State knows it by one of its addresses alone: what only its making tells is no difference of versions.
        before = told_by(before, &after);
        after = told_by(after, &before);
    }
    let differences = diff(&before, &after);
    let is_elsewhere = is_elsewhere(moved, old.placement.as_deref(), new.placement.as_deref());
    let is_other = (&old.provider, &old.ty) != (&new.provider, &new.ty);
    let moved_from = (old.address != *address).then(|| old.address.clone());
    let is_same = differences.is_empty() && !is_elsewhere && !is_other;
    let kind = match (is_same, &moved_from) {
        (true, None) => return None,
        (true, Some(_)) => Kind::Moved,
        (false, _) if is_other || is_forced(old, new, &differences) => Kind::Replaced,
        (false, _) => Kind::Changed,
    };
    Some(Compared {
        moved_from,
        before: Some(before),
        after: Some(after),
        replace_because: if kind == Kind::Replaced { new.replace_because.clone() } else { Vec::new() },
        placed_before: old.placement.clone(),
        placed_after: new.placement.clone(),
        ..named(address, new, kind)
    })
}

/// The value, with the members that are unknown in it and not in the other one as they are there.
fn told_by(value: Value, other: &Value) -> Value {
    let Some(members) = value.as_members() else { return value };
    let told = |(name, member): (&String, &Value)| {
        let known = other.member(name).filter(|_| member.is_unknown());
        (name.clone(), known.unwrap_or(member).clone())
    };
    let members: Members = members.iter().map(told).collect();
    let marks = value.marks;
    Value { data: bimetal_model::Data::Object(members), marks }
}

/// Whether a replica runs on another machine, or as another platform's program.
fn is_elsewhere(moved: &[Moved], old: Option<&Placement>, new: Option<&Placement>) -> bool {
    let Some((old, new)) = old.zip(new) else { return false };
    let is_same_machine = old.machine == new.machine || renamed(moved, &old.machine) == new.machine;
    !is_same_machine || old.platform != new.platform
}

/// Whether it is the difference between the versions that makes the second one's plan replace what exists.
fn is_forced(old: &Change, new: &Change, differences: &[Difference]) -> bool {
    let touches = |difference: &Difference| {
        new.replace_because.iter().any(|path| path.contains(&difference.path) || difference.path.contains(path))
    };
    new.action == Action::Replace && (old.action != Action::Replace || differences.iter().any(touches))
}
