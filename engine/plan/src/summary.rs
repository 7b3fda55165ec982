//! How much a plan does, in numbers.

use std::collections::BTreeMap;

use bimetal_model::{Address, BlockKind};
use serde::Serialize;

use crate::data::{Action, Plan};

/// What kind of thing a change is about, as people count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sort {
    /// Of a `machine` block.
    Machine,
    /// A container of a service's.
    Replica,
    /// Anything else.
    Resource,
}

impl Sort {
    /// What an address is about.
    pub fn of(address: &Address) -> Sort {
        match (address.block, &address.replica) {
            (_, Some(_)) => Sort::Replica,
            (BlockKind::Machine, None) => Sort::Machine,
            (BlockKind::Pool | BlockKind::Service | BlockKind::Resource | BlockKind::Data, None) => Sort::Resource,
        }
    }
}

/// How many are added, changed and destroyed. A replacement is one added and one destroyed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Made.
    pub add: usize,
    /// Changed in place.
    pub change: usize,
    /// Removed.
    pub destroy: usize,
}

impl Tally {
    fn count(&mut self, action: Action) {
        match action {
            Action::Create => self.add += 1,
            Action::Update => self.change += 1,
            Action::Delete => self.destroy += 1,
            Action::Replace => {
                self.add += 1;
                self.destroy += 1;
            }
            Action::Read | Action::Keep | Action::Leave => {}
        }
    }
}

/// A plan in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Of all objects.
    pub all: Tally,
    /// Of each sort that has a change.
    pub by_sort: BTreeMap<Sort, Tally>,
    /// Services with a replica that changes.
    pub services: usize,
}

/// Counts what a plan does.
pub fn summary(plan: &Plan) -> Summary {
    let mut summary = Summary::default();
    let mut services = std::collections::BTreeSet::new();
    for change in plan.effects() {
        summary.all.count(change.action);
        summary.by_sort.entry(Sort::of(&change.address)).or_default().count(change.action);
        if change.address.replica.is_some() {
            services.insert(Address { replica: None, ..change.address.clone() });
        }
    }
    summary.services = services.len();
    summary
}
