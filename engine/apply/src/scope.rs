//! What an apply needs for itself, and what it needs to stay as it is.

use std::collections::BTreeSet;

use bimetal_model::lease::Scope;
use bimetal_model::port::{Predict, Record};
use bimetal_model::snapshot::{Intent, Object};
use bimetal_model::{Address, BlockKind};
use bimetal_plan::{Action, Plan};

use crate::settle;

/// What a lease must be on for this plan to be done.
///
/// A machine that gets a new container is written, as far as others are concerned: two who place something there at the same
/// time would not know of each other's host ports.
pub fn scope(plan: &Plan, resolved: &[(Intent, Option<Object>)], predict: &dyn Predict) -> Scope {
    let mut writes: BTreeSet<Address> = BTreeSet::new();
    for change in plan.changes.iter().filter(|change| change.address.block != BlockKind::Data) {
        if !matches!(change.action, Action::Keep | Action::Leave) {
            writes.insert(change.address.clone());
            writes.extend(change.deposed.as_deref().cloned());
        }
        writes.extend(change.new_place().cloned());
    }
    for record in settle::records(plan, resolved, predict) {
        match record {
            Record::Put { address, .. } | Record::Remove { address, .. } => drop(writes.insert(address)),
            Record::Close(_) | Record::Output { .. } => {}
        }
    }
    writes.extend(resolved.iter().map(|(intent, _)| intent.address.clone()));
    let reads = plan.reads.keys().chain(plan.users.keys()).cloned().collect();
    Scope::of(writes, reads)
}
