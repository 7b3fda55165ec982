//! What became of each step, and what that comes to when changes are counted.

use std::collections::BTreeSet;

use bimetal_model::Address;
use bimetal_plan::{Action, Change, Plan, Tally};

use crate::graph::{Part, Step, parts};

/// What became of each step; one that is in neither set was not begun, or not ended.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    done: BTreeSet<Step>,
    failed: BTreeSet<Step>,
    /// Their providers can't say yet, or those of what they need.
    deferred: BTreeSet<Step>,
}

/// Changes by what became of them. A replacement is one change.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) done: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
    pub(crate) deferred: usize,
}

impl Ledger {
    pub(crate) fn done(&mut self, step: Step) {
        self.done.insert(step);
    }

    pub(crate) fn failed(&mut self, step: Step) {
        self.failed.insert(step);
    }

    pub(crate) fn deferred(&mut self, step: Step) {
        self.deferred.insert(step);
    }

    /// Whether anything was done at all.
    pub(crate) fn has_done(&self) -> bool {
        !self.done.is_empty()
    }

    /// How many changes were made, failed, were left out, or are left for the next apply.
    pub(crate) fn counts(&self, plan: &Plan) -> Counts {
        let mut counts = Counts::default();
        for (place, change) in plan.changes.iter().enumerate() {
            let steps = || parts(change.action).iter().map(move |&part| Step { change: place, part });
            match change.action {
                Action::Keep => {}
                Action::Leave if change.is_deferred() => counts.deferred += 1,
                Action::Leave => counts.skipped += 1,
                _ if steps().any(|step| self.failed.contains(&step)) => counts.failed += 1,
                _ if steps().any(|step| self.deferred.contains(&step)) => counts.deferred += 1,
                _ if steps().all(|step| self.done.contains(&step)) => counts.done += 1,
                _ => counts.skipped += 1,
            }
        }
        counts
    }

    /// What was made, changed and removed, as the plan's own summary counts.
    pub(crate) fn tally(&self, plan: &Plan) -> Tally {
        let mut tally = Tally::default();
        for step in &self.done {
            match (plan.changes[step.change].action, step.part) {
                (_, Part::Remove) => tally.destroy += 1,
                (Action::Create | Action::Replace, Part::Make) => tally.add += 1,
                (Action::Update, Part::Make) => tally.change += 1,
                (Action::Read | Action::Delete | Action::Keep | Action::Leave, Part::Make) => {}
            }
        }
        tally
    }

    /// What is not as the plan says that it will be.
    pub(crate) fn undone(&self, plan: &Plan) -> BTreeSet<Address> {
        let is_undone = |(change, of): (usize, &Change)| {
            let was_never = of.action == Action::Leave && of.before.is_none();
            let is_made = self.done.contains(&Step { change, part: Part::Make });
            was_never || parts(of.action).contains(&Part::Make) && !is_made
        };
        let undone = plan.changes.iter().enumerate().filter(|&change| is_undone(change));
        undone.map(|(_, change)| change.address.clone()).collect()
    }
}
