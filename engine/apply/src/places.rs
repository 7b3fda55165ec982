//! Who may have how many of the places where calls run: one provider that is slow must not take them all.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_model::ProviderName;
use bimetal_plan::{Action, Plan};

use crate::graph::{Graph, Part, Step, is_late, parts};

/// The places, and the steps that wait for one.
pub(crate) struct Places {
    /// How many there are.
    most: usize,
    /// Steps of each provider that are not over.
    left: BTreeMap<ProviderName, usize>,
    /// Calls of each provider that run, in objects.
    busy: BTreeMap<ProviderName, usize>,
    /// Steps that are ready.
    ready: BTreeMap<ProviderName, BTreeSet<(Turn, Step)>>,
}

/// Who comes first: a replacement that was begun is finished before another one is begun, so that not all is gone at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Finishes,
    Begins,
}

impl Places {
    pub(crate) fn new(plan: &Plan, most: usize) -> Places {
        let mut places =
            Places { most: most.max(1), left: BTreeMap::new(), busy: BTreeMap::new(), ready: BTreeMap::new() };
        for (change, of) in plan.changes.iter().enumerate() {
            for &part in parts(of.action) {
                *places.left.entry(provider(plan, Step { change, part }).clone()).or_default() += 1;
            }
        }
        places
    }

    /// How many steps are not over.
    pub(crate) fn steps(&self) -> usize {
        self.left.values().sum()
    }

    /// A step that is ready, and whose provider has room.
    pub(crate) fn next(&mut self, plan: &Plan, graph: &mut Graph) -> Option<Step> {
        while let Some(step) = graph.take() {
            self.ready.entry(provider(plan, step).clone()).or_default().insert((turn(plan, step), step));
        }
        let free = self.ready.iter().find(|(name, steps)| !steps.is_empty() && self.room(name) > 0);
        let free = free.map(|(name, _)| name.clone())?;
        self.ready.get_mut(&free)?.pop_first().map(|(_, step)| step)
    }

    /// How many more objects of a provider may be worked on.
    pub(crate) fn room(&self, provider: &ProviderName) -> usize {
        let all: usize = self.busy.values().sum();
        let own = self.busy.get(provider).copied().unwrap_or_default();
        self.most.saturating_sub(all).min(self.share(provider).saturating_sub(own))
    }

    /// As long as somebody else has something to do, a quarter is theirs.
    fn share(&self, provider: &ProviderName) -> usize {
        let is_alone = self.left.iter().all(|(other, left)| other == provider || *left == 0);
        if is_alone { self.most } else { (self.most - self.most.div_ceil(4)).max(1) }
    }

    /// Work on an object begins.
    pub(crate) fn enter(&mut self, provider: &ProviderName) {
        *self.busy.entry(provider.clone()).or_default() += 1;
    }

    /// Work on an object rests, or is over.
    pub(crate) fn leave(&mut self, provider: &ProviderName) {
        if let Some(busy) = self.busy.get_mut(provider) {
            *busy = busy.saturating_sub(1);
        }
    }

    /// A step is over, or will never be begun.
    pub(crate) fn over(&mut self, plan: &Plan, step: Step) {
        if let Some(left) = self.left.get_mut(provider(plan, step)) {
            *left = left.saturating_sub(1);
        }
    }
}

fn turn(plan: &Plan, step: Step) -> Turn {
    let change = &plan.changes[step.change];
    let finishes = match step.part {
        Part::Make => change.action == Action::Replace && !is_late(change),
        Part::Remove => is_late(change),
    };
    if finishes { Turn::Finishes } else { Turn::Begins }
}

/// Whose step it is: what is removed belongs to who made it.
pub(crate) fn provider(plan: &Plan, step: Step) -> &ProviderName {
    let change = &plan.changes[step.change];
    match (step.part, &change.before) {
        (Part::Remove, Some(before)) => &before.provider.name,
        (Part::Remove | Part::Make, _) => &change.provider.name,
    }
}
