//! `plan` and `show`: what would be done, and what is.

use std::path::Path;
use std::process::ExitCode;

use bimetal_config::SourceFile;
use bimetal_model::json::{Marks, encode};
use bimetal_model::snapshot::Snapshot;
use bimetal_model::{Diagnostic, Value};
use bimetal_plan::{Mode, Plan};
use serde_json::{Value as Json, json};

use crate::arguments;
use crate::failure::Failure;
use crate::keys::keys;
use crate::output::{print, print_json, say};
use crate::plan_file;
use crate::render;
use crate::session::Session;
use crate::storable;
use crate::walk::{self, World};

/// Shows what would be done.
pub(crate) async fn plan(session: &Session, arguments: &arguments::Plan) -> Result<ExitCode, Failure> {
    let configuration = session.configuration(&arguments.planning.variables)?;
    let world = World::open(session, configuration).await?;
    let mode = if arguments.destroy { Mode::Destroy } else { Mode::Apply };
    let planned = walk::plan(session, &world, &arguments.planning, mode).await?;
    show_plan(session, &planned.plan);
    session.progress.events.document("plan", || plan_document(&planned.plan));
    if let Some(path) = &arguments.out {
        let keys = keys(&session.root, &world.configuration)?;
        plan_file::write(&session.root.join(path), &planned, &keys, &*world.host)?;
        if !session.json {
            say(&format!("\nSaved. `bimetal apply {}` does exactly this.\n", path.display()));
        }
    } else {
        let said = storable::warn_of_doing(&world.store, &planned.plan, &*world.host).await?;
        session.warn(&said, &world.configuration.files);
    }
    let changes = !planned.plan.is_empty() || planned.plan.left().next().is_some();
    Ok(if arguments.detailed_exitcode && changes { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

/// The plan, for people or for programs.
pub(crate) fn show_plan(session: &Session, plan: &Plan) {
    match session.json {
        true => print_json(&plan_document(plan)),
        false => print(&render::plan::render(plan)),
    }
}

/// A plan without what is sensitive.
pub(crate) fn plan_document(plan: &Plan) -> Json {
    let changes: Vec<_> = plan.changes.iter().map(change_document).collect();
    let outputs: serde_json::Map<_, _> = plan
        .outputs
        .iter()
        .map(|(name, output)| (name.clone(), json!({ "before": shown(&output.before), "after": shown(&output.after) })))
        .collect();
    let drift = plan.drift.iter().map(|drift| {
        json!({ "address": drift.address, "before": encode(&drift.before, Marks::Redact), "after": shown(&drift.after) })
    });
    json!({
        "format": 1,
        "mode": plan.mode,
        "changes": changes,
        "outputs": outputs,
        "drift": drift.collect::<Vec<_>>(),
        "degraded": degraded_document(plan),
        "imported": plan.imported.iter().map(|(address, id)| json!({ "address": address, "id": id })).collect::<Vec<_>>(),
        "moved": plan.moved.iter().map(|(new, old)| json!({ "address": new, "before": old })).collect::<Vec<_>>(),
        "forgotten": plan.forgotten,
        "images": plan.images.iter().map(|(source, index)| (source.to_string(), json!(index))).collect::<serde_json::Map<_, _>>(),
    })
}

/// Machines that do not answer, and may, with what is wanted there and left out.
fn degraded_document(plan: &Plan) -> Vec<Json> {
    let one =
        |(machine, because): (&bimetal_model::Address, &String)| json!({ "machine": machine, "because": because });
    plan.degraded.iter().map(one).collect()
}

fn change_document(change: &bimetal_plan::Change) -> Json {
    json!({
        "address": change.address,
        "provider": change.provider,
        "type": change.ty,
        "action": change.action,
        "create_before_destroy": change.deposed.is_some(),
        "before": shown(&change.before.as_ref().map(|stored| stored.object.value.clone())),
        "after": shown(&change.after),
        "replace_because": change.replace_because.iter().map(|path| path.to_string()).collect::<Vec<_>>(),
        "reason": change.reason,
        "resumes": change.resume.is_some(),
        "placement": change.placement,
    })
}

fn shown(value: &Option<Value>) -> Option<Json> {
    value.as_ref().map(|value| encode(value, Marks::Redact))
}

/// Shows a saved plan, or the state.
pub(crate) async fn show(session: &Session, file: Option<&Path>) -> Result<(), Failure> {
    let configuration = session.configuration_for_state()?;
    match file {
        Some(path) => {
            let keys = keys(&session.root, &configuration)?;
            show_plan(session, &plan_file::read(&session.root.join(path), &keys)?.plan);
        }
        None => {
            use bimetal_model::port::Remember as _;
            show_state(session, &session.store(&configuration).await?.load().await?);
        }
    }
    Ok(())
}

fn show_state(session: &Session, snapshot: &Snapshot) {
    if session.json {
        return print_json(&super::inspect::state_document(snapshot));
    }
    if snapshot.objects.is_empty() && snapshot.outputs.is_empty() {
        return say("The state is empty: nothing was applied yet.\n");
    }
    for (address, stored) in &snapshot.objects {
        print(&super::inspect::object_text(address, stored));
    }
    print(&super::inspect::outputs_text(&snapshot.outputs));
}

/// A saved plan that is too old for the state, in words.
pub(crate) fn stale(plan: &Plan, snapshot: &Snapshot, files: &[SourceFile]) -> Option<Failure> {
    let fresh_state = plan.serial == 0 && snapshot.serial == 0;
    if fresh_state || (plan.lineage == snapshot.lineage && plan.serial == snapshot.serial) {
        return None;
    }
    let error = Diagnostic::error("the saved plan is out of date: the state has changed since it was made")
        .hint("make a new one with `bimetal plan --out FILE`");
    Some(Failure::new(vec![error], files))
}
