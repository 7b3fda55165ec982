//! Machines that do not answer: how many may, and what is left as it is because of them, or because nobody can say yet what it will be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bimetal_config::Node;
use bimetal_config::module::ObjectBlock;
use bimetal_model::placement::engine_of;
use bimetal_model::snapshot::Stored;
use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, Value};

use super::Planner;
use crate::data::{Action, Budget, Change};
use crate::pool;
use crate::reason::Reason;

impl Planner<'_> {
    /// What is said of machines that do not answer, where no pool allows that.
    pub(super) fn refused_at_once(&self) -> Diagnostics {
        let mut pools = self.desired.module.objects.values().filter(|block| block.address.block == BlockKind::Pool);
        match pools.any(|block| block.body.attributes.contains_key(pool::FAILURE_BUDGET)) {
            true => Diagnostics::new(),
            false => self.observed.silent.values().flatten().cloned().collect(),
        }
    }

    /// Works out what pools allow. Answers what is said of machines that are too many, and notes those that are not.
    pub(super) fn refused(&mut self) -> Diagnostics {
        self.budgets = self.all_budgets();
        let silent: BTreeSet<&Address> = self.observed.silent.keys().collect();
        let (mut refused, mut exceeded_pools) = (Diagnostics::new(), BTreeMap::new());
        for (machine, said) in &self.observed.silent {
            let pools: Vec<_> = self.budgets.iter().filter(|(_, budget)| budget.machines.contains(machine)).collect();
            let failed = |budget: &Budget| budget.machines.iter().filter(|machine| silent.contains(machine)).count();
            let exceeded = pools.iter().find(|(_, budget)| failed(budget) > budget.may_fail);
            match (pools.first(), exceeded) {
                (None, _) => refused.extend(said.iter().cloned()),
                (Some(_), Some((pool, budget))) => {
                    refused.extend(said.iter().cloned());
                    exceeded_pools.insert(*pool, too_many(pool, budget, failed(budget)));
                }
                (Some((pool, budget)), None) => {
                    let why = because(said);
                    self.diagnostics.insert(tolerated(machine, &why, pool, budget, failed(budget)));
                    self.degraded.insert(machine.clone(), why);
                }
            }
        }
        refused.dedup();
        refused.extend(exceeded_pools.into_values());
        refused
    }

    fn all_budgets(&self) -> BTreeMap<Address, Budget> {
        let pools = self.desired.module.objects.values().filter(|block| {
            block.address.block == BlockKind::Pool && block.body.attributes.contains_key(pool::FAILURE_BUDGET)
        });
        pools.flat_map(|block| self.budgets_of(block)).collect()
    }

    /// Those of all instances of a pool; of what can't be worked out there is none, and whatever is wrong was said.
    fn budgets_of(&self, block: &ObjectBlock) -> Vec<(Address, Budget)> {
        let node = Node::Object(block.address.clone());
        let Ok(values) = self.values.narrowed(self.desired, [node].into()) else { return Vec::new() };
        let instances = bimetal_config::expand(&block.repetition, &values.scope).unwrap_or_default();
        let addresses = instances.into_iter().map(|instance| block.address.instance(instance.key));
        let budget = |address: Address| {
            let budget = pool::budget(values.get(&address)?).ok()??;
            Some((address, budget))
        };
        addresses.filter_map(budget).collect()
    }

    /// Nothing is done to what is on a machine that does not answer, nor to what needs something that is not made there; nor to what
    /// nobody can say yet what it is, nor to what needs something that is deferred.
    pub(super) fn leave(&self, change: Change) -> Change {
        let why = match change.action {
            Action::Leave => None,
            Action::Keep => self.why_unread(&change),
            Action::Delete => self.why_left(&change),
            Action::Create | Action::Read | Action::Update | Action::Replace => {
                self.why_unread(&change).or_else(|| self.why_deferred(&change)).or_else(|| self.why_left(&change))
            }
        };
        match why {
            Some(why) => left(change, why),
            None => change,
        }
    }

    /// Nobody can say yet what there is.
    fn why_unread(&self, change: &Change) -> Option<Reason> {
        self.observed.deferred.get(&change.address).map(|why| Reason::Deferred { why: why.clone() })
    }

    /// It needs something that is deferred.
    fn why_deferred(&self, change: &Change) -> Option<Reason> {
        let is_deferred = |address: &&Address| self.changes.get(*address).is_some_and(|change| change.is_deferred());
        let mut needed = change.depends_on.iter().filter(|_| self.defers);
        needed.find(is_deferred).map(|needed| Reason::NeedsDeferred { needed: needed.clone() })
    }

    fn why_left(&self, change: &Change) -> Option<Reason> {
        if self.observed.silent.is_empty() {
            return None;
        }
        if let Some(machine) = self.silent_machine(change) {
            return Some(Reason::MachineSilent { machine: machine.clone() });
        }
        if self.observed.open.iter().any(|intent| intent.address == change.address) {
            return Some(Reason::MaybeMade);
        }
        let is_absent = |address: &&Address| self.changes.get(*address).is_some_and(|change| is_absent(change));
        change.depends_on.iter().find(is_absent).map(|needed| Reason::NeedsAbsent { needed: needed.clone() })
    }

    /// The silent machine that a change is about, or on which that is or was.
    fn silent_machine(&self, change: &Change) -> Option<&Address> {
        let silent = |address: &Address| self.observed.silent.get_key_value(address).map(|(machine, _)| machine);
        let before = change.before.as_ref();
        let placements = change.placement.iter().chain(before.and_then(|before| before.placement.as_ref()));
        let named = std::iter::once(&change.address).chain(placements.map(|placement| &placement.machine));
        let values = change.config.iter().chain(before.map(|before| &before.object.value));
        named.into_iter().find_map(silent).or_else(|| values.into_iter().find_map(|value| self.silent_engine(value)))
    }

    fn silent_engine(&self, value: &Value) -> Option<&Address> {
        let handle = engine_of(value)?;
        let engine = |stored: &Arc<Stored>| engine_of(&stored.object.value) == Some(handle);
        let objects = &self.observed.objects;
        self.observed.silent.keys().find(|machine| objects.get(*machine).is_some_and(engine))
    }
}

/// What is to be there and was not made.
fn is_absent(change: &Change) -> bool {
    change.action == Action::Leave && change.before.is_none()
}

fn left(change: Change, why: Reason) -> Change {
    let before = change.before.as_ref().map(|before| before.object.value.clone());
    Change {
        action: Action::Leave,
        after: before.or(change.after),
        replace_because: Vec::new(),
        reason: Some(why),
        resume: None,
        deposed: None,
        ..change
    }
}

/// What is left as it is still needs what it did: that does not go either.
pub(super) fn keep_what_is_needed(changes: &mut BTreeMap<Address, Box<Change>>) {
    while let Some((address, user)) = needed_and_going(changes) {
        if let Some(change) = changes.remove(&address) {
            changes.insert(address, left(*change, Reason::StillNeeded { user }).into());
        }
    }
}

/// Something that goes, and who needs it and is left as it is.
fn needed_and_going(changes: &BTreeMap<Address, Box<Change>>) -> Option<(Address, Address)> {
    let goes = |address: &&Address| changes.get(*address).is_some_and(|change| change.action == Action::Delete);
    changes.values().filter(|change| change.action == Action::Leave).find_map(|user| {
        let needed = user.before.iter().flat_map(|before| &before.depends_on).find(goes)?;
        Some((needed.clone(), user.address.clone()))
    })
}

fn because(said: &[Diagnostic]) -> String {
    said.first().map_or_else(String::new, |said| match said.detail.is_empty() {
        true => said.summary.clone(),
        false => format!("{}: {}", said.summary, said.detail),
    })
}

fn tolerated(machine: &Address, why: &str, pool: &Address, budget: &Budget, failed: usize) -> Diagnostic {
    Diagnostic::warning(format!("`{machine}` does not answer, and what is there is left as it is"))
        .because(why)
        .hint(format!("the failure budget of `{pool}` is {}, and {failed} of it used", budget.may_fail))
        .of(machine)
}

fn too_many(pool: &Address, budget: &Budget, failed: usize) -> Diagnostic {
    let all = budget.machines.len();
    Diagnostic::error(format!("{failed} of the {all} machines of `{pool}` do not answer, and {} may", budget.may_fail))
        .hint("bring machines back, or raise `failure_budget`; nothing was done")
        .of(pool)
}
