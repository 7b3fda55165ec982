//! Which part of everything a plan is about: before anything is planned, by what depends on what in the configuration and in
//! state; and once all is planned, by what each change needs.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_config::{Desired, Node};
use bimetal_model::port::Predict;
use bimetal_model::question::Observed;
use bimetal_model::snapshot::Objects;
use bimetal_model::{Address, BlockKind};

use crate::catalogue::Catalogue;
use crate::data::{Action, Change};
use crate::evaluator::is_provided;
use crate::moves::{Moves, moves};
use crate::options::{Mode, Options};

/// What state knows that a plan with these options may be about, by the names that it has there: only that need be looked at.
pub fn looked_at(desired: &Desired, objects: &Objects, options: &Options, predict: &dyn Predict) -> BTreeSet<Address> {
    let observed = Observed { objects: objects.clone(), ..Observed::default() };
    let Moves { observed, moved, .. } = match options.mode {
        Mode::Apply | Mode::Destroy => moves(desired, &observed, options),
        Mode::RefreshOnly => Moves::none(&observed),
    };
    let (catalogue, _) = Catalogue::new(predict);
    let extent = Extent::new(desired, &observed.objects, options, &catalogue);
    extent.objects.into_iter().map(|address| moved.get(&address).cloned().unwrap_or(address)).collect()
}

/// What is looked at, before anything is planned.
pub(crate) struct Extent {
    /// What of the configuration is planned; `None`: everything.
    nodes: Option<BTreeSet<Node>>,
    /// What exists and may change.
    pub(crate) objects: BTreeSet<Address>,
    /// What exists and must not, as somebody wants it so, or as it rests on such.
    pub(crate) excluded: BTreeSet<Address>,
}

impl Extent {
    pub(crate) fn new(desired: &Desired, objects: &Objects, options: &Options, catalogue: &Catalogue) -> Extent {
        let is_narrow = options.mode == Mode::Apply && !options.targets.is_empty();
        let nodes = is_narrow.then(|| needed(desired, options, catalogue));
        let existing = Existing { objects };
        let is_targeted = |address: &&Address| options.is_targeted(address);
        let mut found: BTreeSet<Address> = match (options.mode, &nodes) {
            (Mode::RefreshOnly, _) => objects.keys().filter(is_targeted).cloned().collect(),
            (Mode::Destroy, _) => existing.with_users(objects.keys().filter(is_targeted)),
            (Mode::Apply, None) => objects.keys().cloned().collect(),
            (Mode::Apply, Some(nodes)) => {
                let is_declared = |address: &Address| desired.module.objects.contains_key(&address.whole());
                let gone = objects.keys().filter(|address| !is_declared(address)).filter(is_targeted);
                let is_planned = |address: &&Address| nodes.contains(&Node::Object(address.whole()));
                let planned = objects.keys().filter(is_planned).cloned();
                existing.with_users(gone).into_iter().chain(planned).collect()
            }
        };
        let excluded = objects.keys().filter(|address| options.is_excluded(address));
        let excluded = match options.mode {
            Mode::Apply | Mode::RefreshOnly => existing.with_users(excluded),
            Mode::Destroy => existing.with_needs(excluded),
        };
        found.retain(|address| !excluded.contains(address));
        Extent { nodes, objects: found, excluded }
    }

    /// Whether a part of the configuration is planned.
    pub(crate) fn plans(&self, node: &Node) -> bool {
        self.nodes.as_ref().is_none_or(|nodes| nodes.contains(node))
    }
}

/// The blocks that are asked for, and all that they follow from.
fn needed(desired: &Desired, options: &Options, catalogue: &Catalogue) -> BTreeSet<Node> {
    let is_asked_for = |address: &&Address| options.targets.iter().any(|target| target.touches(address));
    let mut open: Vec<Node> = desired.module.objects.keys().filter(is_asked_for).cloned().map(Node::Object).collect();
    let mut nodes = BTreeSet::new();
    while let Some(node) = open.pop() {
        open.extend(
            desired.dependencies.get(&node).into_iter().flatten().filter(|next| !nodes.contains(*next)).cloned(),
        );
        open.extend(provider_of(desired, &node, catalogue).filter(|next| !nodes.contains(next)));
        nodes.insert(node);
    }
    nodes
}

fn provider_of(desired: &Desired, node: &Node, catalogue: &Catalogue) -> Option<Node> {
    let Node::Object(address) = node else { return None };
    let block = desired.module.objects.get(address)?;
    let owner = match address.block {
        BlockKind::Pool => return None,
        BlockKind::Service => catalogue.runtime().map(|owner| block.in_root(owner.provider)),
        BlockKind::Machine | BlockKind::Resource | BlockKind::Data | BlockKind::Ephemeral => {
            catalogue.owner(block).map(|owner| owner.provider)
        }
    };
    owner.ok().filter(|key| desired.module.providers.contains_key(key)).map(Node::Provider)
}

/// What exists, and what of it needs what.
struct Existing<'a> {
    objects: &'a Objects,
}

impl Existing<'_> {
    /// These and all that need them, directly or not.
    fn with_users<'s>(&self, start: impl Iterator<Item = &'s Address>) -> BTreeSet<Address> {
        let mut users: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
        for (address, stored) in self.objects {
            stored.depends_on.iter().for_each(|needed| users.entry(needed).or_default().push(address));
        }
        reached(start.cloned(), |address| {
            users.get(&address.present()).into_iter().flatten().copied().cloned().collect()
        })
    }

    /// These and all that they need, directly or not.
    fn with_needs<'s>(&self, start: impl Iterator<Item = &'s Address>) -> BTreeSet<Address> {
        reached(start.cloned(), |address| {
            self.objects.get(address).map(|stored| stored.depends_on.clone()).unwrap_or_default()
        })
    }
}

/// What each change can't be done without, once all is planned.
pub(crate) struct Requirements {
    requires: BTreeMap<Address, Vec<Address>>,
}

impl Requirements {
    pub(crate) fn new(changes: &BTreeMap<Address, Box<Change>>, existing: &Objects) -> Requirements {
        let mut users: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
        let turns = |address: &Address| {
            changes.get(address).is_none_or(|change| !matches!(change.action, Action::Keep | Action::Leave))
        };
        for (address, stored) in existing.iter().filter(|(address, _)| turns(address)) {
            stored.depends_on.iter().for_each(|needed| users.entry(needed).or_default().push(address));
        }
        let requires = |change: &Change| match change.action {
            // Who needs it goes, or turns away from it, first.
            Action::Delete => users.get(&change.address.present()).into_iter().flatten().copied().cloned().collect(),
            Action::Create | Action::Read | Action::Update | Action::Replace | Action::Keep | Action::Leave => {
                change.depends_on.iter().chain(&change.after_removal_of).cloned().collect()
            }
        };
        Requirements { requires: changes.iter().map(|(address, change)| (address.clone(), requires(change))).collect() }
    }

    /// These and all that they can't be done without.
    pub(crate) fn with_required(&self, start: impl Iterator<Item = Address>) -> BTreeSet<Address> {
        reached(start, |address| self.requires.get(address).cloned().unwrap_or_default())
    }

    /// These and all that can't be done without them.
    pub(crate) fn with_requiring(&self, start: impl Iterator<Item = Address>) -> BTreeSet<Address> {
        let mut requiring: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
        for (address, required) in &self.requires {
            required.iter().for_each(|required| requiring.entry(required).or_default().push(address));
        }
        reached(start, |address| requiring.get(address).into_iter().flatten().copied().cloned().collect())
    }
}

fn reached(start: impl Iterator<Item = Address>, next: impl Fn(&Address) -> Vec<Address>) -> BTreeSet<Address> {
    let (mut reached, mut open) = (BTreeSet::new(), start.collect::<Vec<_>>());
    while let Some(address) = open.pop() {
        if !reached.contains(&address) {
            open.extend(next(&address));
            reached.insert(address);
        }
    }
    reached
}

/// Blocks whose objects were not planned at all.
pub(crate) fn unplanned(desired: &Desired, extent: &Extent) -> BTreeSet<Address> {
    let has_objects = |address: &&Address| is_provided(address.block) || address.block == BlockKind::Service;
    let blocks = desired.module.objects.keys().filter(has_objects);
    blocks.filter(|address| !extent.plans(&Node::Object((*address).clone()))).cloned().collect()
}
