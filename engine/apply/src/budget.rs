//! Machines that fail while a plan is done, and how many of a pool's may.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_model::placement::engine_of;
use bimetal_model::{Address, BlockKind, Diagnostic};
use bimetal_plan::{Budget, Change, Plan, Values};

use crate::job::Job;

/// What a failure of a machine means for the rest.
pub(crate) enum Spent {
    /// It may fail: what is to be done there is left out, and the rest goes on.
    Tolerated(Diagnostic),
    /// Too many have failed: nothing more may begin.
    Exceeded(Diagnostic),
}

/// The budgets of a plan's pools, and the machines that failed.
pub(crate) struct Budgets<'a> {
    pools: &'a BTreeMap<Address, Budget>,
    failed: BTreeSet<Address>,
}

impl<'a> Budgets<'a> {
    /// Those that did not answer when the plan was made have failed already.
    pub(crate) fn new(plan: &'a Plan) -> Budgets<'a> {
        Budgets { pools: &plan.budgets, failed: plan.degraded.keys().cloned().collect() }
    }

    /// The machine that a job is about, or on: where the failure of one means something.
    pub(crate) fn machine_of(&self, job: &Job<'_>, existing: &Values) -> Option<Address> {
        if self.pools.is_empty() {
            return None;
        }
        let named = named_machine(job.change).filter(|machine| self.counts(machine)).cloned();
        named.or_else(|| {
            let handle = engine_of(job.arguments())?;
            let has_it = |machine: &&Address| existing.get(machine).and_then(engine_of) == Some(handle);
            self.pools.values().flat_map(|budget| &budget.machines).find(has_it).cloned()
        })
    }

    fn counts(&self, machine: &Address) -> bool {
        self.pools.values().any(|budget| budget.machines.contains(machine))
    }

    /// Whether something could not be done there before.
    pub(crate) fn has_failed(&self, machine: &Address) -> bool {
        self.failed.contains(machine)
    }

    /// The machine that a job is about, or on, if it has failed.
    pub(crate) fn failed_machine(&self, job: &Job<'_>, existing: &Values) -> Option<Address> {
        if self.failed.is_empty() {
            return None;
        }
        self.machine_of(job, existing).filter(|machine| self.has_failed(machine))
    }

    /// Something could not be done there.
    pub(crate) fn fail(&mut self, machine: &Address) -> Spent {
        self.failed.insert(machine.clone());
        let own = self.pools.iter().filter(|(_, budget)| budget.machines.contains(machine));
        let mut spent: Vec<_> = own.map(|(pool, budget)| (pool, budget, self.failed_of(budget))).collect();
        spent.sort_by_key(|(_, budget, failed)| budget.may_fail.saturating_sub(*failed));
        let over = spent.iter().find(|(_, budget, failed)| *failed > budget.may_fail);
        match (over, spent.first()) {
            (Some((pool, budget, failed)), _) => Spent::Exceeded(exceeded(pool, budget, *failed)),
            (None, Some((pool, budget, failed))) => Spent::Tolerated(tolerated(machine, pool, budget, *failed)),
            (None, None) => unreachable!("only machines of these pools are asked about"),
        }
    }

    fn failed_of(&self, budget: &Budget) -> usize {
        budget.machines.intersection(&self.failed).count()
    }
}

/// The machine itself, or the one of a replica.
fn named_machine(change: &Change) -> Option<&Address> {
    let own = (change.address.block == BlockKind::Machine).then_some(&change.address);
    own.or_else(|| change.placement.as_ref().map(|placement| &placement.machine))
}

fn tolerated(machine: &Address, pool: &Address, budget: &Budget, failed: usize) -> Diagnostic {
    Diagnostic::warning(format!("`{machine}` failed, and what was not begun there is left out"))
        .hint(format!("the failure budget of `{pool}` is {}, and {failed} of it used", budget.may_fail))
        .of(machine)
}

fn exceeded(pool: &Address, budget: &Budget, failed: usize) -> Diagnostic {
    let all = budget.machines.len();
    Diagnostic::error(format!("{failed} of the {all} machines of `{pool}` failed, and {} may", budget.may_fail))
        .because("what ran was brought to its end, and nothing more was begun")
        .hint("see to these machines, or raise `failure_budget`, and apply again")
        .of(pool)
}
