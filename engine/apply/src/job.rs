//! One step that is being worked on.

use bimetal_model::placement::Placement;
use bimetal_model::port::{Planned, Record};
use bimetal_model::snapshot::{Intent, Object};
use bimetal_model::{Address, Diagnostic, ProviderKey, Value};
use bimetal_plan::Change;
use tokio::time::Instant;

use crate::Ports;
use crate::effect::Ending;
use crate::graph::Step;

/// One step that is being worked on.
pub(crate) struct Job<'a> {
    pub(crate) step: Step,
    pub(crate) change: &'a Change,
    /// What reading does not need.
    pub(crate) intent: Option<Intent>,
    pub(crate) work: Work,
    /// For a replica: where it will run, and with which image.
    pub(crate) placement: Option<Box<Placement>>,
    /// When patience ends; set by the first call.
    pub(crate) deadline: Option<Instant>,
}

/// What is asked of the provider.
pub(crate) enum Work {
    Create { config: Value, planned: Planned, so_far: Option<Object> },
    Update { prior: Object, config: Value, planned: Planned },
    Delete { object: Object },
    Read { config: Value },
}

impl Job<'_> {
    /// Of what is made, or removed: another one may have taken its place.
    pub(crate) fn address(&self) -> &Address {
        match (&self.work, &self.change.deposed) {
            (Work::Delete { .. }, Some(deposed)) => deposed,
            _ => &self.change.address,
        }
    }

    /// What makes place for what is made, written down before that begins.
    pub(crate) fn deposes(&self) -> Vec<Record> {
        let (Work::Create { .. }, Some(deposed), Some(before)) =
            (&self.work, &self.change.deposed, &self.change.before)
        else {
            return Vec::new();
        };
        let gone = Record::Remove { address: self.change.address.clone(), closes: None };
        vec![Record::Put { address: (**deposed).clone(), stored: before.clone(), closes: None }, gone]
    }

    /// As events name it.
    pub(crate) fn action(&self) -> &'static str {
        match self.work {
            Work::Create { .. } => "create",
            Work::Update { .. } => "update",
            Work::Delete { .. } => "delete",
            Work::Read { .. } => "read",
        }
    }

    /// What is asked for; of what is removed, what is there.
    pub(crate) fn arguments(&self) -> &Value {
        match &self.work {
            Work::Create { config, .. } | Work::Update { config, .. } | Work::Read { config } => config,
            Work::Delete { object } => &object.value,
        }
    }

    /// Whose the object is: what is removed belongs to who made it.
    pub(crate) fn owner(&self) -> (&ProviderKey, &str) {
        match (&self.work, &self.change.before) {
            (Work::Delete { .. }, Some(before)) => (&before.provider, &before.ty),
            _ => (&self.change.provider, &self.change.ty),
        }
    }

    /// Patience ends: what would not be ready before that has failed.
    pub(crate) fn with_patience(&self, ending: Ending) -> Ending {
        match (ending, self.deadline) {
            (Ending::Again { after, reason, so_far }, Some(deadline)) if Instant::now() + after > deadline => {
                let minutes = Ports::PATIENCE.as_secs() / 60;
                let error = Diagnostic::error(format!("it was not ready after {minutes} minutes"));
                Ending::Failed { diagnostics: vec![error.because(reason)], so_far }
            }
            (ending, _) => ending,
        }
    }

    /// Creations of one provider and type go together.
    pub(crate) fn is_creation(&self) -> bool {
        matches!(self.work, Work::Create { .. })
    }
}
