//! What became of unfinished intents and of what had drifted, written down before anything is done.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bimetal_model::port::{Predict, Record};
use bimetal_model::snapshot::{Effect, Intent, IntentId, Object, Stored};
use bimetal_model::{Address, Value};
use bimetal_plan::{Action, Change, Plan};

use crate::verdict;

/// The records that bring the state to what was observed.
pub(crate) fn records(plan: &Plan, resolved: &[(Intent, Option<Object>)], predict: &dyn Predict) -> Vec<Record> {
    let again = promised_again(plan, resolved, predict);
    let is_over = |intent: &Intent| again.get(&intent.address) != Some(&intent.id);
    let resolved = resolved.iter().filter(|(intent, _)| is_over(intent));
    let resolved = resolved.map(|(intent, found)| resolve(plan, intent, found.as_ref(), predict));
    let gone = plan.drift.iter().filter(|drift| drift.after.is_none());
    let gone = gone.map(|drift| Record::Remove { address: drift.address.clone(), closes: None });
    let drifted: BTreeSet<&Address> = plan.drift.iter().map(|drift| &drift.address).collect();
    let left = plan.moved.values().chain(&plan.forgotten);
    let left = left.map(|address| Record::Remove { address: address.clone(), closes: None });
    let is_new = |address: &Address| plan.moved.contains_key(address) || plan.imported.contains_key(address);
    let moved = plan.changes.iter().filter(|change| is_new(&change.address)).filter_map(moved);
    resolved
        .chain(gone)
        .chain(left)
        .chain(moved)
        .chain(plan.changes.iter().filter_map(|change| kept(change, &drifted)))
        .collect()
}

/// The promises of creations that have left nothing, and that the plan does again in the same words. They stay what they are: what
/// an engine makes of the first call only now is found by its stamp, where another promise would find something foreign.
pub(crate) fn promised_again(
    plan: &Plan,
    resolved: &[(Intent, Option<Object>)],
    predict: &dyn Predict,
) -> BTreeMap<Address, IntentId> {
    let is_empty = |(intent, found): &&(Intent, Option<Object>)| intent.effect == Effect::Create && found.is_none();
    let empty: BTreeMap<&Address, &Intent> =
        resolved.iter().filter(is_empty).map(|(intent, _)| (&intent.address, intent)).collect();
    let again = |change: &Change| {
        let intent = empty.get(&change.address).filter(|intent| does_again(change, intent, predict))?;
        Some((intent.address.clone(), intent.id.clone()))
    };
    plan.changes.iter().filter_map(again).collect()
}

fn does_again(change: &Change, intent: &Intent, predict: &dyn Predict) -> bool {
    // What is write-only is in no promise.
    let promised = |config: &Value| verdict::managed(predict, change).block.without_write_only(config.clone());
    change.action == Action::Create
        && (&change.provider, &change.ty) == (&intent.provider, &intent.ty)
        && change.config.as_ref().map(promised).as_ref() == Some(&intent.config)
        && change.placement == intent.placement
}

/// What stays as it is may have drifted, or have other dependencies, or another provider block
/// or protection than state remembers.
fn kept(change: &Change, drifted: &BTreeSet<&Address>) -> Option<Record> {
    let stored = change.kept()?;
    let is_news = drifted.contains(&change.address) || Some(&stored) != change.before.as_ref();
    is_news.then(|| Record::Put { address: change.address.clone(), stored, closes: None })
}

/// What was called otherwise, or is taken over: under its address before anything else is done to it.
fn moved(change: &Change) -> Option<Record> {
    let stored = change.before.clone()?;
    Some(Record::Put { address: change.address.clone(), stored, closes: None })
}

fn resolve(plan: &Plan, intent: &Intent, found: Option<&Object>, predict: &dyn Predict) -> Record {
    match (intent.effect, found) {
        (Effect::Create, Some(object)) => Record::Put {
            address: intent.address.clone(),
            stored: begun(plan, intent).unwrap_or_else(|| unfinished(intent, object.clone(), predict).into()),
            closes: Some(intent.id.clone()),
        },
        (Effect::Create | Effect::Update | Effect::Delete, _) => Record::Close(intent.id.clone()),
    }
}

/// As it was observed: reading may have told more than probing.
fn begun(plan: &Plan, intent: &Intent) -> Option<Arc<Stored>> {
    let change = plan.changes.iter().find(|change| change.address == intent.address)?;
    let begins =
        |before: &&Arc<Stored>| before.unfinished.as_ref().is_some_and(|unfinished| unfinished.id == intent.id);
    change.before.as_ref().filter(begins).cloned()
}

fn unfinished(intent: &Intent, object: Object, predict: &dyn Predict) -> Stored {
    Stored {
        provider: intent.provider.clone(),
        ty: intent.ty.clone(),
        schema_version: version(intent, predict),
        object,
        depends_on: intent.depends_on.clone(),
        placement: intent.placement.clone(),
        tainted: false,
        unfinished: Some(intent.clone().into()),
        prevent_destroy: false,
    }
}

fn version(intent: &Intent, predict: &dyn Predict) -> u64 {
    let schema = predict.schema(&intent.provider.name).ok();
    schema.and_then(|schema| schema.managed.get(&intent.ty).map(|ty| ty.version)).unwrap_or_default()
}
