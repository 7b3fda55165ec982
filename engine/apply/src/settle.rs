//! What became of unfinished intents and of what had drifted, written down before anything is done.

use bimetal_model::port::Record;
use bimetal_model::snapshot::{Effect, Intent, Object, Stored};
use bimetal_plan::{Action, Plan};

/// The records that bring the state to what was observed.
pub(crate) fn records(plan: &Plan, resolved: &[(Intent, Option<Object>)]) -> Vec<Record> {
    let mut records: Vec<Record> = resolved.iter().map(|(intent, found)| resolve(intent, found.as_ref())).collect();
    for drift in &plan.drift {
        let change = plan.changes.iter().find(|change| change.address == drift.address);
        match (&drift.after, change.and_then(|change| change.before.as_ref().map(|before| (change.action, before)))) {
            (None, _) => records.push(Record::Remove { address: drift.address.clone(), closes: None }),
            (Some(_), Some((Action::Keep, stored))) => {
                records.push(Record::Put {
                    address: drift.address.clone(),
                    stored: Box::new(stored.clone()),
                    closes: None,
                });
            }
            _ => {}
        }
    }
    records
}

fn resolve(intent: &Intent, found: Option<&Object>) -> Record {
    match (intent.effect, found) {
        (Effect::Create, Some(object)) => Record::Put {
            address: intent.address.clone(),
            stored: Box::new(Stored {
                provider: intent.provider.clone(),
                ty: intent.ty.clone(),
                schema_version: 0,
                object: object.clone(),
                depends_on: intent.depends_on.clone(),
                placement: intent.placement.clone(),
                tainted: false,
                unfinished: Some(intent.clone()),
            }),
            closes: Some(intent.id.clone()),
        },
        _ => Record::Close(intent.id.clone()),
    }
}
