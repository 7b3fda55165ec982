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
    /// Of a `service` block: no object of its own, but all of its replicas.
    Service,
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
            (
                BlockKind::Pool | BlockKind::Service | BlockKind::Resource | BlockKind::Data | BlockKind::Ephemeral,
                None,
            ) => Sort::Resource,
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
    /// Of each sort that has a change. A service is added with its first replica, destroyed with its last one, and changed when
    /// anything else becomes of its replicas.
    pub by_sort: BTreeMap<Sort, Tally>,
    /// What had changed outside.
    pub drift: usize,
    /// What is taken over.
    pub imported: usize,
    /// What has a new address.
    pub moved: usize,
    /// What goes from state, and goes on existing.
    pub forgotten: usize,
}

/// Counts what a plan does.
pub fn summary(plan: &Plan) -> Summary {
    let mut summary = Summary {
        drift: plan.drift.len(),
        imported: plan.imported.len(),
        moved: plan.moved.len(),
        forgotten: plan.forgotten.len(),
        ..Summary::default()
    };
    for change in plan.effects() {
        summary.all.count(change.action);
        summary.by_sort.entry(Sort::of(&change.address)).or_default().count(change.action);
    }
    for action in services(plan).into_values().filter_map(Service::action) {
        summary.by_sort.entry(Sort::Service).or_default().count(action);
    }
    summary
}

/// What becomes of the replicas of one.
#[derive(Default)]
struct Service {
    was: bool,
    will_be: bool,
    changes: bool,
}

impl Service {
    fn action(self) -> Option<Action> {
        match (self.changes, self.was, self.will_be) {
            (false, _, _) => None,
            (true, false, _) => Some(Action::Create),
            (true, true, true) => Some(Action::Update),
            (true, true, false) => Some(Action::Delete),
        }
    }
}

fn services(plan: &Plan) -> BTreeMap<Address, Service> {
    let mut services: BTreeMap<Address, Service> = BTreeMap::new();
    for change in plan.changes.iter().filter(|change| change.address.replica.is_some()) {
        let service = services.entry(change.address.present().service()).or_default();
        service.was |= change.before.is_some();
        service.will_be |= match change.action {
            Action::Leave => change.before.is_some(),
            Action::Create | Action::Read | Action::Update | Action::Replace | Action::Delete | Action::Keep => {
                change.after.is_some()
            }
        };
        service.changes |= !matches!(change.action, Action::Keep | Action::Leave);
    }
    services
}
