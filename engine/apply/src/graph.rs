//! The order of steps: what waits for what, and what falls with what.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_model::Address;
use bimetal_plan::{Action, Change, Plan};

/// Half of a change: removing what is there, or making what will be. A replacement has both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Remove,
    Make,
}

/// The halves that an action has, in their order.
pub(crate) fn parts(action: Action) -> &'static [Part] {
    match action {
        Action::Create | Action::Read | Action::Update => &[Part::Make],
        Action::Replace => &[Part::Remove, Part::Make],
        Action::Delete => &[Part::Remove],
        Action::Keep | Action::Leave => &[],
    }
}

/// One step: an index into the plan's changes, and which half.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Step {
    pub(crate) change: usize,
    pub(crate) part: Part,
}

/// Steps that are not begun, and what each waits for.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    ready: Vec<Step>,
    waiting: BTreeMap<Step, BTreeSet<Step>>,
    dependents: BTreeMap<Step, Vec<Step>>,
}

impl Graph {
    /// All steps of a plan.
    pub(crate) fn new(plan: &Plan) -> Graph {
        let index = Index::new(plan);
        let mut before: Before = index.steps.iter().map(|&step| (step, index.before(plan, step))).collect();
        for (removal, change) in index.partings(plan) {
            // Otherwise it is removed while it is still needed, as everybody else would do: nothing else is possible.
            if !waits_for(&before, change, removal) {
                before.entry(removal).or_default().insert(change);
            }
        }
        let mut graph = Graph::default();
        for (step, before) in before {
            for &other in &before {
                graph.dependents.entry(other).or_default().push(step);
            }
            match before.is_empty() {
                true => graph.ready.push(step),
                false => drop(graph.waiting.insert(step, before)),
            }
        }
        graph
    }

    /// A step that nothing holds back any more, in no order.
    pub(crate) fn take(&mut self) -> Option<Step> {
        self.ready.pop()
    }

    /// Steps that still wait for others, which is a circle once nothing is begun any more.
    pub(crate) fn stuck(&self) -> impl Iterator<Item = Step> {
        self.waiting.keys().copied()
    }

    /// A step ended well: what waited only for it is ready.
    pub(crate) fn done(&mut self, step: Step) {
        for dependent in self.dependents.remove(&step).unwrap_or_default() {
            let Some(before) = self.waiting.get_mut(&dependent) else { continue };
            before.remove(&step);
            if before.is_empty() {
                self.waiting.remove(&dependent);
                self.ready.push(dependent);
            }
        }
    }

    /// A step failed: what depends on it will not be; these steps are answered and gone.
    pub(crate) fn failed(&mut self, step: Step) -> Vec<Step> {
        let (mut fallen, mut open) = (BTreeSet::new(), vec![step]);
        while let Some(step) = open.pop() {
            let dependents = self.dependents.remove(&step).unwrap_or_default();
            let lost = dependents.into_iter().filter(|dependent| self.waiting.remove(dependent).is_some());
            let lost: Vec<Step> = lost.collect();
            fallen.extend(lost.iter().copied());
            open.extend(lost);
        }
        fallen.into_iter().collect()
    }
}

/// What each step directly waits for.
type Before = BTreeMap<Step, BTreeSet<Step>>;

/// Whether one step waits for the other, directly or not.
fn waits_for(before: &Before, step: Step, other: Step) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![step]);
    while let Some(step) = open.pop() {
        if step == other {
            return true;
        }
        open.extend(before.get(&step).into_iter().flatten().filter(|next| seen.insert(**next)));
    }
    false
}

/// Which steps each address has, and who must be removed before whom.
struct Index<'a> {
    steps: BTreeSet<Step>,
    removals: BTreeMap<&'a Address, Step>,
    makings: BTreeMap<&'a Address, Step>,
    /// By what they need: those that exist now and need it.
    users: BTreeMap<&'a Address, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn new(plan: &'a Plan) -> Index<'a> {
        let mut index = Index {
            steps: BTreeSet::new(),
            removals: BTreeMap::new(),
            makings: BTreeMap::new(),
            users: BTreeMap::new(),
        };
        for (place, change) in plan.changes.iter().enumerate() {
            index.add(place, change);
        }
        index
    }

    fn add(&mut self, place: usize, change: &'a Change) {
        for &part in parts(change.action) {
            let step = Step { change: place, part };
            self.steps.insert(step);
            match part {
                Part::Remove => self.removals.insert(&change.address, step),
                Part::Make => self.makings.insert(&change.address, step),
            };
        }
        for needed in change.before.iter().flat_map(|before| &before.depends_on) {
            self.users.entry(needed).or_default().push(place);
        }
    }

    fn before(&self, plan: &Plan, step: Step) -> BTreeSet<Step> {
        let change = &plan.changes[step.change];
        let mut before: BTreeSet<Step> = match step.part {
            Part::Make => {
                let needed = change.depends_on.iter().filter_map(|address| self.makings.get(address));
                let own = change.deposed.is_none().then_some(&change.address);
                let leaving = change.after_removal_of.iter().chain(own);
                let leaving = leaving.filter_map(|address| self.removals.get(address));
                needed.chain(leaving).copied().collect()
            }
            Part::Remove => {
                let users = self.users(plan, change).filter_map(|user| self.removals.get(&user.address));
                let successor = is_late(change).then(|| self.makings.get(&change.address.present())).flatten();
                users.chain(successor).copied().collect()
            }
        };
        before.remove(&step);
        before
    }

    /// Those that need what is removed, or did before another one took its place.
    fn users(&self, plan: &'a Plan, change: &Change) -> impl Iterator<Item = &'a Change> {
        self.users.get(&change.address.present()).into_iter().flatten().map(|&place| &plan.changes[place])
    }

    /// Removals, and the changes by which somebody ceases to need what is removed: these come first where they can.
    fn partings(&self, plan: &'a Plan) -> Vec<(Step, Step)> {
        let mut partings = Vec::new();
        let turning = turning(plan);
        for change in plan.changes.iter().filter(|change| change.action == Action::Delete || is_late(change)) {
            let Some(&removal) = self.removals.get(&change.address) else { continue };
            let parts = |user: &&Change| {
                user.action == Action::Update && (is_late(change) || !user.depends_on.contains(&change.address))
            };
            let users = self.users(plan, change).filter(parts).map(|user| &user.address);
            let turning = turning.get(&change.address.present()).into_iter().flatten();
            let users = users.chain(turning.filter(|_| is_late(change)).copied());
            partings.extend(users.filter_map(|user| Some((removal, *self.makings.get(user)?))));
        }
        partings
    }
}

/// Who needs what takes another one's place.
fn turning(plan: &Plan) -> BTreeMap<Address, Vec<&Address>> {
    let late = plan.changes.iter().filter(|change| is_late(change));
    let mut turning: BTreeMap<Address, Vec<&Address>> =
        late.map(|change| (change.address.present(), Vec::new())).collect();
    if turning.is_empty() {
        return turning;
    }
    for user in &plan.changes {
        for needed in &user.depends_on {
            if let Some(users) = turning.get_mut(needed) {
                users.push(&user.address);
            }
        }
    }
    turning
}

/// Whether what it removes goes after another one has taken its place, and after all have turned to that.
pub(crate) fn is_late(change: &Change) -> bool {
    change.deposed.is_some() || change.address.deposed.is_some()
}
