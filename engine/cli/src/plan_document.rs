//! A plan as JSON: `docs/plan.md` says what is in it.

use bimetal_model::json::{Marks, encode};
use bimetal_model::question::Drift;
use bimetal_model::{Address, Value};
use bimetal_plan::{Change, Difference, OutputChange, Plan, Reason, Sort};
use serde_json::{Map, Value as Json, json};

/// A plan without what is sensitive.
pub(crate) fn plan_document(plan: &Plan) -> Json {
    let outputs: Map<_, _> =
        plan.outputs.iter().map(|(name, output)| (name.clone(), output_document(output))).collect();
    let images: Map<_, _> = plan.images.iter().map(|(source, index)| (source.to_string(), json!(index))).collect();
    let named = |(address, id): (&_, &_)| json!({ "address": address, "id": id });
    let degraded = |(machine, because): (&_, &_)| json!({ "machine": machine, "because": because });
    json!({
        "format": 1,
        "mode": plan.mode,
        "origin": plan.origin,
        "is_empty": plan.is_empty(),
        "partial": plan.partial,
        "summary": bimetal_plan::summary(plan),
        "changes": plan.changes.iter().map(change_document).collect::<Vec<_>>(),
        "outputs": outputs,
        "drift": plan.drift.iter().map(|drift| drift_document(drift, plan)).collect::<Vec<_>>(),
        "degraded": plan.degraded.iter().map(degraded).collect::<Vec<_>>(),
        "imported": plan.imported.iter().map(named).collect::<Vec<_>>(),
        "moved": moved_document(plan.moved.iter().map(|(new, old)| (old, new))),
        "forgotten": plan.forgotten,
        "images": images,
    })
}

/// What it was called, and what it is called now.
pub(crate) fn moved_document<'a>(moved: impl IntoIterator<Item = (&'a Address, &'a Address)>) -> Json {
    moved.into_iter().map(|(old, new)| json!({ "address": new, "before": old })).collect()
}

/// The same, read again.
pub(crate) fn moved_in(document: &Json) -> impl Iterator<Item = (Address, Address)> {
    let moved = document.get("moved").and_then(Json::as_array).into_iter().flatten();
    moved.filter_map(|one| {
        let address = |name: &str| one.get(name)?.as_str()?.parse().ok();
        Some((address("before")?, address("address")?))
    })
}

fn change_document(change: &Change) -> Json {
    let forces = |difference: &Difference| {
        change.replace_because.iter().any(|path| path.contains(&difference.path) || difference.path.contains(path))
    };
    let difference = |difference: &Difference| {
        let mut document = difference_document(difference);
        document["forces_replacement"] = json!(forces(difference));
        document
    };
    json!({
        "address": change.address,
        "sort": Sort::of(&change.address),
        "provider": change.provider,
        "type": change.ty,
        "action": change.action,
        "create_before_destroy": change.deposed.is_some(),
        "before": shown(change.before.as_ref().map(|stored| &stored.object.value)),
        "after": shown(change.after.as_ref()),
        "differences": change.differences().iter().map(difference).collect::<Vec<_>>(),
        "unknown": change.unknown().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "replace_because": change.replace_because.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "reason": change.reason.as_ref().map(reason_document),
        "resumes": change.resume.is_some(),
        "placement": change.placement,
    })
}

/// Its kind and what belongs to that, and the words for people.
fn reason_document(reason: &Reason) -> Json {
    let mut document = json!(reason);
    document["text"] = json!(reason.to_string());
    document
}

pub(crate) fn difference_document(difference: &Difference) -> Json {
    json!({
        "path": difference.path.to_string(),
        "before": shown(difference.before.as_ref()),
        "after": shown(difference.after.as_ref()),
    })
}

fn output_document(output: &OutputChange) -> Json {
    let action = match (&output.before, &output.after) {
        (before, after) if before == after => "keep",
        (None, _) => "create",
        (Some(_), Some(_)) => "update",
        (Some(_), None) => "delete",
    };
    json!({ "action": action, "before": shown(output.before.as_ref()), "after": shown(output.after.as_ref()) })
}

fn drift_document(drift: &Drift, plan: &Plan) -> Json {
    let after = drift.after.as_ref().unwrap_or(&Value::NULL);
    json!({
        "address": drift.address,
        "is_gone": drift.after.is_none(),
        "matters": plan.effects().any(|change| change.address == drift.address),
        "before": shown(Some(&drift.before)),
        "after": shown(drift.after.as_ref()),
        "differences": bimetal_plan::diff(&drift.before, after).iter().map(difference_document).collect::<Vec<_>>(),
    })
}

fn shown(value: Option<&Value>) -> Option<Json> {
    value.map(|value| encode(value, Marks::Redact))
}
