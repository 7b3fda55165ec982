//! The difference of two versions as JSON: `docs/repositories.md` says what is in it.

use bimetal_model::Value;
use bimetal_model::json::{Marks, encode};
use bimetal_model::snapshot::Origin;
use bimetal_plan::{Compared, Comparison, Kind, OutputChange, Sort};
use serde_json::{Map, Value as Json, json};

use crate::plan_document::difference_document;

/// Which commits were compared, where they are some.
pub(crate) struct Origins<'o> {
    pub(crate) before: Option<&'o Origin>,
    pub(crate) after: Option<&'o Origin>,
}

/// A difference without what is sensitive.
pub(crate) fn comparison_document(comparison: &Comparison, origins: &Origins<'_>) -> Json {
    let outputs: Map<_, _> =
        comparison.outputs.iter().map(|(name, output)| (name.clone(), output_document(output))).collect();
    let images = comparison.images.iter().map(|(service, change)| {
        let mut document = json!(change);
        document["service"] = json!(service);
        document
    });
    json!({
        "format": 1,
        "before": origins.before,
        "after": origins.after,
        "is_empty": comparison.is_empty(),
        "summary": bimetal_plan::differences(comparison),
        "objects": comparison.objects.iter().map(object_document).collect::<Vec<_>>(),
        "images": images.collect::<Vec<_>>(),
        "outputs": outputs,
        "locked": comparison.locked,
    })
}

fn object_document(object: &Compared) -> Json {
    let forces = |path: &bimetal_model::Path| {
        object.replace_because.iter().any(|other| path.contains(other) || other.contains(path))
    };
    let differences = object.differences().into_iter().map(|difference| {
        let mut document = difference_document(&difference);
        document["forces_replacement"] = json!(forces(&difference.path));
        document
    });
    json!({
        "address": object.address,
        "moved_from": object.moved_from,
        "sort": Sort::of(&object.address),
        "provider": object.provider,
        "type": object.ty,
        "difference": word(object.kind),
        "before": shown(object.before.as_ref()),
        "after": shown(object.after.as_ref()),
        "differences": differences.collect::<Vec<_>>(),
        "placement_before": object.placed_before,
        "placement_after": object.placed_after,
    })
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Added => "added",
        Kind::Changed => "changed",
        Kind::Replaced => "replaced",
        Kind::Moved => "moved",
        Kind::Removed => "removed",
    }
}

fn output_document(output: &OutputChange) -> Json {
    json!({ "before": shown(output.before.as_ref()), "after": shown(output.after.as_ref()) })
}

fn shown(value: Option<&Value>) -> Option<Json> {
    value.map(|value| encode(value, Marks::Redact))
}
