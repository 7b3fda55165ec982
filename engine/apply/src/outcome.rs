//! What an ending means: what is written down, and what becomes of the step.

use std::sync::Arc;

use bimetal_model::port::{Record, Refusal};
use bimetal_model::schema::TypeSchema;
use bimetal_model::snapshot::{IntentId, Object, Stored};
use bimetal_model::{Diagnostic, Value};

use crate::effect::Ending;
use crate::job::{Job, Work};
use crate::{Ports, verdict};

/// An ending in what the engine keeps.
pub(crate) struct Outcome {
    /// What is to be recorded.
    pub(crate) record: Option<Record>,
    /// The value from now on, where there is one; or why there is none.
    pub(crate) result: Result<Option<Value>, Refusal>,
}

/// What is recorded of a call that ended, and whether all is as it should be.
pub(crate) fn of(ports: &Ports<'_>, job: &Job<'_>, ending: Ending) -> Outcome {
    let closes = job.intent.as_ref().map(|intent| intent.id.clone());
    let address = job.address().clone();
    match (ending, &job.work) {
        (Ending::Made(object), Work::Create { config, planned, .. } | Work::Update { config, planned, .. }) => {
            made(ports, job, config, &planned.value, object)
        }
        (Ending::Told(value), Work::Read { config }) => {
            let source = verdict::source(ports.predict, job.change);
            let judged = verdict::judge(job.change, &source, config, &verdict::anything(), value);
            Outcome { record: None, result: judged.result().map_err(Refusal::Failed) }
        }
        (Ending::Gone, _) => Outcome { record: Some(Record::Remove { address, closes }), result: Ok(None) },
        (Ending::Failed { diagnostics, so_far }, work) => {
            let record = match (so_far, work) {
                (Some(found), _) => so_far_record(ports, job, found, closes),
                // Nobody knows what it left: the next run looks, by the intent.
                (None, Work::Create { .. }) => None,
                // Reading tells what an update or a removal that failed has left.
                (None, Work::Update { .. } | Work::Delete { .. } | Work::Read { .. }) => closes.map(Record::Close),
            };
            Outcome { record, result: Err(diagnostics.into()) }
        }
        (Ending::Deferred { why }, _) => Outcome { record: None, result: Err(Refusal::Deferred(why)) },
        (Ending::GivenUp { why }, _) => {
            let error =
                Diagnostic::error(why).hint("nobody knows what it did: the next plan looks, and goes on from there");
            Outcome { record: None, result: Err(vec![error.of(&address)].into()) }
        }
        (Ending::Made(_) | Ending::Told(_) | Ending::Again { .. }, _) => {
            let diagnostic = Diagnostic::error("the host gave an answer of another kind").of(&address);
            Outcome { record: None, result: Err(vec![diagnostic].into()) }
        }
    }
}

fn made(ports: &Ports<'_>, job: &Job<'_>, config: &Value, planned: &Value, object: Object) -> Outcome {
    let schema = verdict::managed(ports.predict, job.change);
    let judged = verdict::judge(job.change, &schema, config, planned, object.value);
    let object = Object { value: judged.value.clone(), private: object.private };
    let stored = Arc::new(verdict::stored(job, &schema, object, None));
    let closes = job.intent.as_ref().map(|intent| intent.id.clone());
    let record = Record::Put { address: job.address().clone(), stored, closes };
    Outcome { record: Some(record), result: judged.result().map_err(Refusal::Failed) }
}

/// What a call reported on the way, which counts whatever comes next: a creation goes on from it.
pub(crate) fn on_the_way(ports: &Ports<'_>, job: &mut Job<'_>, found: Object) -> Option<Record> {
    let record = so_far_record(ports, job, found, None)?;
    if let (Work::Create { so_far, .. }, Record::Put { stored, .. }) = (&mut job.work, &record) {
        *so_far = Some(stored.object.clone());
    }
    Some(record)
}

fn so_far_record(ports: &Ports<'_>, job: &Job<'_>, found: Object, closes: Option<IntentId>) -> Option<Record> {
    let schema = verdict::managed(ports.predict, job.change);
    let stored = match &job.work {
        Work::Create { config, .. } => {
            let object = verdict::so_far(&schema, config, found);
            verdict::stored(job, &schema, object, job.intent.clone())
        }
        Work::Update { config, .. } => half_updated(job, &schema, verdict::so_far(&schema, config, found)),
        Work::Delete { .. } | Work::Read { .. } => return None,
    };
    Some(Record::Put { address: job.address().clone(), stored: Arc::new(stored), closes })
}

/// It may still need what it needed before.
fn half_updated(job: &Job<'_>, schema: &TypeSchema, object: Object) -> Stored {
    let mut stored = verdict::stored(job, schema, object, None);
    let before = job.change.before.iter().flat_map(|before| &before.depends_on);
    stored.depends_on.extend(before.cloned());
    stored.depends_on.sort();
    stored.depends_on.dedup();
    stored
}
