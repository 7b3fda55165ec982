//! A plan: data that says exactly what will happen.
//!
//! Must not know how it was made, how it is shown or how it is done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bimetal_config::{SourceFile, Trigger};
use bimetal_model::image::{ImageIndex, ImageSource};
use bimetal_model::placement::Placement;
use bimetal_model::question::{Drift, Question};
use bimetal_model::snapshot::{Intent, Origin, Stored};
use bimetal_model::{Address, BlockKind, Lineage, Path, ProviderKey, Value};
use serde::{Deserialize, Serialize};

use crate::compare::{Difference, diff, unknown};
use crate::options::{Mode, Partial};
use crate::reason::Reason;

/// What planning came to.
#[derive(Debug)]
pub enum Planning {
    /// All is said.
    Ready(Box<Plan>),
    /// Answer these and plan again.
    Ask(Vec<Question>),
}

/// What is known of some blocks before there is a plan.
#[derive(Debug)]
pub enum Early {
    /// Their values, with what is unknown.
    Known(BTreeMap<Address, Value>),
    /// Answer these and ask again.
    Ask(Vec<Question>),
}

/// Exactly what will happen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// What for.
    pub mode: Mode,
    /// Of the state that it was made against.
    pub lineage: Lineage,
    /// The configuration's text: `apply` evaluates it again with real values.
    pub files: Vec<SourceFile>,
    /// Which version of the configuration that is, where somebody knows it.
    #[serde(default)]
    pub origin: Option<Box<Origin>>,
    /// When it was made, in milliseconds since 1970: for `plantimestamp`.
    #[serde(default)]
    pub planned_ms: Option<u64>,
    /// The variables' values, but for those that are ephemeral, and those that the state's keys follow from.
    pub variables: BTreeMap<String, Value>,
    /// The provider blocks' values, but for those with something ephemeral; those with unknowns are evaluated again.
    pub providers: BTreeMap<ProviderKey, Value>,
    /// What each image was resolved to.
    pub images: BTreeMap<ImageSource, ImageIndex>,
    /// Facts of machines and answers of data sources that the plan rests on, by address.
    pub facts: BTreeMap<Address, Value>,
    /// The blocks that modules waited for to know how many instances they have.
    #[serde(default)]
    pub known: BTreeMap<Address, Value>,
    /// Every object that exists or is wanted, in the order of their addresses.
    pub changes: Vec<Change>,
    /// What has a new address, with the old one.
    #[serde(default)]
    pub moved: BTreeMap<Address, Address>,
    /// What is taken over, with the ids that its providers know it by.
    #[serde(default)]
    pub imported: BTreeMap<Address, String>,
    /// What goes from state, and goes on existing.
    #[serde(default)]
    pub forgotten: BTreeSet<Address>,
    /// By name.
    pub outputs: BTreeMap<String, OutputChange>,
    /// What had changed behind the state's back.
    pub drift: Vec<Drift>,
    /// Machines among which places for replicas were chosen.
    #[serde(default)]
    pub considered: BTreeSet<Address>,
    /// What it rests on, as state calls it: which commit last wrote each of these (0: there is no such object).
    #[serde(default)]
    pub reads: BTreeMap<Address, u64>,
    /// What must have no new users: which commit last wrote each of these, or something that rests on it.
    #[serde(default)]
    pub users: BTreeMap<Address, u64>,
    /// What it is not about.
    #[serde(default)]
    pub partial: Option<Partial>,
    /// Machines that did not answer, within the failure budgets of their pools, and why. What is there stays as it is.
    #[serde(default)]
    pub degraded: BTreeMap<Address, String>,
    /// Of pools, by their addresses.
    #[serde(default)]
    pub budgets: BTreeMap<Address, Budget>,
}

/// How many of a pool's machines may fail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// So many.
    pub may_fail: usize,
    /// Of these.
    pub machines: BTreeSet<Address>,
}

/// What is done to one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Make it, or finish what an interrupted run began (`Change::resume`).
    Create,
    /// A data source that can be read only after something else is done.
    Read,
    /// Change it in place.
    Update,
    /// Remove it and make it anew.
    Replace,
    /// Remove it.
    Delete,
    /// Nothing.
    Keep,
    /// Nothing, though something is wanted: the machine that it is on, or what it needs, is not there to do it; or nobody can say yet
    /// what it will be.
    Leave,
}

/// One object: what it is, what it will be, and why.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Change {
    /// Which.
    pub address: Address,
    /// Whose.
    pub provider: ProviderKey,
    /// The provider's name for its type.
    pub ty: String,
    /// What is done.
    pub action: Action,
    /// As it exists; absent where it does not.
    pub before: Option<Arc<Stored>>,
    /// As it will be, with unknowns; absent where it will not.
    pub after: Option<Value>,
    /// Its arguments by now, with unknowns: what is write-only is one.
    pub config: Option<Value>,
    /// The provider's own bytes for the effect.
    pub private: Vec<u8>,
    /// The differences that can't be made in place.
    pub replace_because: Vec<Path>,
    /// Why this is done where the attributes don't say it.
    pub reason: Option<Reason>,
    /// The creation that this finishes.
    pub resume: Option<Box<Intent>>,
    /// Objects that must be there first (and, where this is removed, go later).
    pub depends_on: Vec<Address>,
    /// Objects whose removal must be done before this is made, as they have its host ports or its name.
    #[serde(default)]
    pub after_removal_of: Vec<Address>,
    /// For a replica: where it will run.
    pub placement: Option<Box<Placement>>,
    /// For a replacement that is made before what is there is removed: what that is called by then.
    #[serde(default)]
    pub deposed: Option<Box<Address>>,
    /// State remembers that it is protected.
    #[serde(default)]
    pub prevent_destroy: bool,
}

/// What becomes of an output.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OutputChange {
    /// Of the last apply.
    pub before: Option<Value>,
    /// With unknowns; absent where the output is gone.
    pub after: Option<Value>,
    /// The objects that it follows from.
    #[serde(default)]
    pub depends_on: BTreeSet<Address>,
}

impl Change {
    /// What must outlive the object. Of a data source there is nothing to outlive.
    pub fn outlived(&self) -> impl Iterator<Item = &Address> {
        self.depends_on.iter().filter(|address| address.block != BlockKind::Data)
    }

    /// What stays as it is, with the dependencies, the provider block and the protection that it has now.
    pub fn kept(&self) -> Option<Arc<Stored>> {
        let before = self.before.as_ref().filter(|_| self.action == Action::Keep)?;
        let is_same = (&before.provider, before.prevent_destroy) == (&self.provider, self.prevent_destroy);
        if is_same && before.depends_on.iter().eq(self.outlived()) {
            return Some(before.clone());
        }
        let (provider, prevent_destroy) = (self.provider.clone(), self.prevent_destroy);
        let depends_on = self.outlived().cloned().collect();
        Some(Arc::new(Stored { provider, prevent_destroy, depends_on, ..Stored::clone(before) }))
    }

    /// The machine that gets a container which it did not have.
    pub fn new_place(&self) -> Option<&Address> {
        let place = &self.placement.as_ref()?.machine;
        let before = self.before.as_ref().and_then(|before| before.placement.as_ref());
        match self.action {
            Action::Create => Some(place),
            Action::Update | Action::Replace => Some(place).filter(|place| before.is_none_or(|b| b.machine != **place)),
            Action::Read | Action::Delete | Action::Keep | Action::Leave => None,
        }
    }

    /// That nothing is done to what exists.
    pub(crate) fn keep(address: &Address, stored: &Arc<Stored>) -> Change {
        Change {
            action: Action::Keep,
            after: Some(stored.object.value.clone()),
            reason: None,
            ..Change::delete(address, stored, None)
        }
    }

    /// That what exists is removed.
    pub(crate) fn delete(address: &Address, stored: &Arc<Stored>, reason: Option<Reason>) -> Change {
        Change {
            address: address.clone(),
            provider: stored.provider.clone(),
            ty: stored.ty.clone(),
            action: Action::Delete,
            before: Some(stored.clone()),
            after: None,
            config: None,
            private: Vec::new(),
            replace_because: Vec::new(),
            reason,
            resume: None,
            depends_on: stored.depends_on.clone(),
            after_removal_of: Vec::new(),
            placement: stored.placement.clone(),
            deposed: None,
            prevent_destroy: stored.prevent_destroy,
        }
    }

    /// Where what is there and what will be there differ. Of what is made or removed: everything that is set.
    pub fn differences(&self) -> Vec<Difference> {
        let before = self.before.as_ref().map_or(&Value::NULL, |before| &before.object.value);
        match self.action {
            Action::Keep | Action::Leave => Vec::new(),
            Action::Create | Action::Read | Action::Update | Action::Replace | Action::Delete => {
                diff(before, self.after.as_ref().unwrap_or(&Value::NULL))
            }
        }
    }

    /// Whether it is left for the next apply, as its provider can't say yet what it will be, or what it needs is.
    pub fn is_deferred(&self) -> bool {
        self.action == Action::Leave && self.reason.as_ref().is_some_and(Reason::is_deferral)
    }

    /// What is known only after it is done.
    pub fn unknown(&self) -> Vec<Path> {
        self.after.as_ref().map(unknown).unwrap_or_default()
    }

    /// Whether it changes what `replace_triggered_by` looks at.
    pub(crate) fn pulls(&self, trigger: &Trigger) -> bool {
        let changes = matches!(self.action, Action::Update | Action::Replace) && trigger.looks_at(&self.address);
        let before = self.before.as_ref().and_then(|before| before.object.value.at(&trigger.path));
        let after = self.after.as_ref().and_then(|after| after.at(&trigger.path));
        changes && (trigger.path.0.is_empty() || before != after)
    }
}

impl Plan {
    /// What is neither kept nor left.
    pub fn effects(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| !matches!(change.action, Action::Keep | Action::Leave))
    }

    /// What is wanted and is not done.
    pub fn left(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.action == Action::Leave)
    }

    /// Blocks that it is not about.
    pub fn left_out(&self) -> &BTreeSet<Address> {
        const NONE: &BTreeSet<Address> = &BTreeSet::new();
        self.partial.as_ref().map_or(NONE, |partial| &partial.left_out)
    }

    /// Whether neither an object nor an output changes, nor what they are called; and where only the state is to be brought to the
    /// world, whether it is there.
    pub fn is_empty(&self) -> bool {
        let is_same_state = self.moved.is_empty() && self.forgotten.is_empty() && self.imported.is_empty();
        let is_same_state = is_same_state && (self.mode != Mode::RefreshOnly || self.drift.is_empty());
        is_same_state
            && self.effects().next().is_none()
            && self.outputs.values().all(|output| output.before == output.after)
    }
}
