//! One wanted object, what it begins with, and the change that comes of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use bimetal_model::Path;
use bimetal_model::placement::Placement;
use bimetal_model::port::{Planned, Predict};
use bimetal_model::snapshot::Stored;
use bimetal_model::{Address, Diagnostics, Value};

use super::Owned;
use crate::data::{Action, Change};
use crate::marks::remark;
use crate::naming::{Naming, called_as, unshareable};
use crate::prior::{current, with};
use crate::proposed::ignore;
use crate::reason::Reason;
use crate::untold::untold;

/// An object that the configuration asks for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) address: Address,
    pub(crate) config: Value,
    pub(crate) depends_on: BTreeSet<Address>,
    pub(crate) placement: Option<Box<Placement>>,
    /// Why it is made anew, whatever its arguments say.
    pub(crate) triggered: Option<Reason>,
}

impl Wanted {
    fn anew(self, of: Owned<'_>, existing: &Value, action: Action) -> Self {
        let is_beside = of.is_first && action == Action::Replace;
        let naming = match is_beside && unshareable(&of.owner.schema, existing, &self.config).is_none() {
            true => Naming::Next,
            false => Naming::Same,
        };
        Wanted { config: self.called_as(of, existing, naming), ..self }
    }

    /// Its arguments with its names. Replicas have theirs by their placements.
    fn called_as(&self, of: Owned<'_>, existing: &Value, naming: Naming) -> Value {
        match self.placement {
            Some(_) => self.config.clone(),
            None => called_as(&of.owner.schema.block, self.config.clone(), existing, naming),
        }
    }
}

/// An object, its arguments with what is ignored left as it is, and what it begins with.
pub(super) struct Case<'a> {
    pub(super) of: Owned<'a>,
    pub(super) wanted: Wanted,
    pub(super) config: Value,
    pub(super) before: Option<Arc<Stored>>,
    pub(super) start: Start,
}

/// What an object begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Nothing is there.
    Fresh,
    /// What is there can't be gone on from, for this reason.
    Anew(Reason),
    /// It is there.
    Existing,
    /// An interrupted run began it.
    Unfinished,
}

impl<'a> Case<'a> {
    /// A wanted object against what exists of it.
    pub(super) fn new(
        wanted: Wanted,
        stored: Option<&Arc<Stored>>,
        of: Owned<'a>,
        predict: &dyn Predict,
    ) -> Result<Self, Diagnostics> {
        let (owner, ignored) = (of.owner, &of.block.lifecycle.ignore_changes);
        let Some(stored) = stored else {
            let config = wanted.config.clone();
            return Ok(Case { of, wanted, config, before: None, start: Start::Fresh });
        };
        if (&stored.provider.name, &stored.ty) != (&owner.provider.name, &owner.ty) {
            let (provider, ty) = (stored.provider.clone(), stored.ty.clone());
            let (config, start) = (wanted.config.clone(), Start::Anew(Reason::OtherType { provider, ty }));
            return Ok(Case { of, wanted, config, before: Some(stored.clone()), start });
        }
        let before = current(&wanted.address, stored, &owner.schema, predict)?;
        let value = remark(before.object.value.clone(), &owner.schema.block, Some(&wanted.config));
        let before = with(&before, value, owner.schema.version);
        let existing = &before.object.value;
        let config = wanted.called_as(of, existing, Naming::Same);
        let config = ignore(&owner.schema.block, config, existing, ignored);
        let start = match (&before.unfinished, before.tainted) {
            (Some(_), _) => Start::Unfinished,
            (None, true) => Start::Anew(Reason::HalfMade),
            (None, false) => Start::Existing,
        };
        let wanted = match start {
            Start::Anew(_) => wanted.anew(of, existing, Action::Replace),
            Start::Fresh | Start::Existing | Start::Unfinished => wanted,
        };
        Ok(Case { of, wanted, config, before: Some(before), start })
    }

    /// As it is made anew, whatever is there.
    pub(super) fn anew(self, existing: &Value, action: Action) -> Self {
        Case { wanted: self.wanted.anew(self.of, existing, action), ..self }
    }

    /// What a provider may go on from.
    pub(super) fn prior(&self) -> Option<&Stored> {
        match self.start {
            Start::Fresh | Start::Anew(_) => None,
            Start::Existing | Start::Unfinished => self.before.as_deref(),
        }
    }

    /// The arguments that a provider is to see: nothing is ignored in what is made anew.
    pub(super) fn config_for(&self, prior: Option<&Stored>) -> &Value {
        match prior {
            Some(_) => &self.config,
            None => &self.wanted.config,
        }
    }

    /// Why a replica is elsewhere than before, if it is.
    pub(super) fn moved(&self) -> Option<Reason> {
        let before = self.before.as_ref()?.placement.as_ref()?;
        let now = self.wanted.placement.as_ref()?;
        (before.machine != now.machine).then(|| Reason::Moved { why: now.reason.clone() })
    }

    /// The change.
    pub(super) fn into_change(self, action: Action, planned: Planned, because: Vec<Path>) -> Change {
        let Owned { owner, block, .. } = self.of;
        let reason = self.reason(action);
        let Case { wanted, config, before, start, .. } = self;
        let resume = before.as_ref().filter(|_| start == Start::Unfinished && action == Action::Create);
        let resume = resume.and_then(|stored| stored.unfinished.clone());
        let after = match (&before, action) {
            // What state says is kept as it is, marks and all.
            (Some(before), Action::Keep) => before.object.value.clone(),
            _ => planned.value,
        };
        let config = match action {
            Action::Update | Action::Keep => config,
            Action::Create | Action::Read | Action::Replace | Action::Delete | Action::Leave => wanted.config,
        };
        let config = owner.schema.block.withholding_write_only(config);
        Change {
            deposed: None,
            address: wanted.address,
            provider: owner.provider.clone(),
            ty: owner.ty.clone(),
            action,
            before,
            after: Some(after),
            config: Some(config),
            private: planned.private,
            replace_because: because,
            reason,
            resume,
            depends_on: wanted.depends_on.into_iter().collect(),
            after_removal_of: Vec::new(),
            placement: wanted.placement,
            prevent_destroy: block.lifecycle.prevent_destroy,
        }
    }

    /// The change of something whose provider can't say yet what it will be.
    pub(super) fn put_off(self, why: String) -> Change {
        let value = untold(&self.of.owner.schema.block, &self.wanted.config);
        let planned = Planned { value, replace: Vec::new(), private: Vec::new() };
        let change = self.into_change(Action::Leave, planned, Vec::new());
        let before = change.before.as_ref().map(|before| before.object.value.clone());
        Change { after: before.or(change.after), reason: Some(Reason::Deferred { why }), ..change }
    }

    fn reason(&self, action: Action) -> Option<Reason> {
        match &self.start {
            Start::Existing if action == Action::Replace => self.moved().or_else(|| self.wanted.triggered.clone()),
            Start::Fresh | Start::Existing => self.moved(),
            Start::Anew(why) => Some(why.clone()),
            Start::Unfinished if action == Action::Create => None,
            Start::Unfinished => Some(Reason::BegunOtherwise),
        }
    }
}
