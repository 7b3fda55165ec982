//! What became of intents that no outcome was written for.

use std::sync::Arc;

use bimetal_model::Diagnostics;
use bimetal_model::port::{Operate, Predict};
use bimetal_model::question::Observed;
use bimetal_model::snapshot::{Effect, Intent, Object, Stored};
use futures::StreamExt as _;

use crate::group::{Engines, Group, all_answered, grouped};
use crate::{Calls, marks, read, upgrade};

/// Finds out about each intent. What a creation left is taken in, unfinished; the rest came to nothing that reading does
/// not tell.
pub(crate) async fn resolve(intents: &[Intent], observed: &mut Observed, calls: &Calls<'_>) -> Diagnostics {
    let (creations, others): (Vec<_>, Vec<_>) = intents.iter().cloned().partition(|i| i.effect == Effect::Create);
    observed.resolved.extend(others.into_iter().map(|intent| (intent, None)));
    let engines = Engines::of(observed);
    let grouped = grouped(creations.into_iter().map(|intent| (Group::of_intent(&intent, &engines), intent)));
    let predict = calls.predict;
    let probes = grouped.into_iter().map(|(group, intents)| probe_group(group, intents, calls.operate));
    let mut answers = futures::stream::iter(probes).buffered(calls.at_once());
    let mut diagnostics = Diagnostics::new();
    while let Some((group, answers)) = answers.next().await {
        let (asked, mut failed) = (answers.len(), Vec::new());
        for (intent, answer) in answers {
            match answer {
                Ok(object) => take(observed, predict, intent, object),
                Err(_) if group.is_gone(observed) => take(observed, predict, intent, None),
                Err(said) => failed.push((intent, said)),
            }
        }
        diagnostics.extend(settle(observed, &group, failed, asked));
    }
    diagnostics
}

/// What only a silent machine could tell stays open.
fn settle(observed: &mut Observed, group: &Group, failed: Vec<(Intent, Diagnostics)>, asked: usize) -> Diagnostics {
    if failed.is_empty() {
        return Diagnostics::new();
    }
    let silent = read::silent(observed, group, failed.len(), asked);
    let (intents, failed): (Vec<Intent>, Vec<_>) =
        failed.into_iter().map(|(intent, said)| (intent.clone(), (intent.address, said))).unzip();
    let said = group.failure(failed, asked);
    match silent {
        Some(machine) => {
            observed.open.extend(intents);
            observed.silent.entry(machine).or_default().extend(said);
            Diagnostics::new()
        }
        None => said,
    }
}

type Answer = (Intent, Result<Option<Object>, Diagnostics>);

async fn probe_group(group: Group, intents: Vec<Intent>, operate: &dyn Operate) -> (Group, Vec<Answer>) {
    let answers = operate.probe(&group.provider, &group.ty, &intents).await;
    let answers = all_answered(answers, &group, intents.len());
    (group, intents.into_iter().zip(answers).collect())
}

fn take(observed: &mut Observed, predict: &dyn Predict, intent: Intent, object: Option<Object>) {
    let object = object.map(|object| Object { value: marks::carry(object.value, &intent.config), ..object });
    if let Some(object) = &object {
        // What was recorded on the way is the same object; reading it has told more than probing.
        let version = upgrade::version(predict, &intent.provider, &intent.ty).unwrap_or_default();
        let stored = || Arc::new(unfinished(&intent, object.clone(), version));
        let entry = observed.objects.entry(intent.address.clone()).or_insert_with(stored);
        if entry.unfinished.is_none() {
            *entry = stored();
        }
    }
    observed.resolved.push((intent, object));
}

/// A provider that probes answers in the present version of its schema.
fn unfinished(intent: &Intent, object: Object, schema_version: u64) -> Stored {
    Stored {
        provider: intent.provider.clone(),
        ty: intent.ty.clone(),
        schema_version,
        object,
        depends_on: intent.depends_on.clone(),
        placement: intent.placement.clone(),
        tainted: false,
        unfinished: Some(intent.clone().into()),
        prevent_destroy: false,
    }
}
