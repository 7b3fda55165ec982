//! `plan` and `show`: what would be done, and what is.

use std::process::ExitCode;

use bimetal_config::SourceFile;
use bimetal_model::Diagnostic;
use bimetal_model::snapshot::Snapshot;
use bimetal_plan::{Mode, Plan};

use crate::arguments::{self, Detail};
use crate::failure::Failure;
use crate::keys::keys;
use crate::output::{print, print_json, say, width};
use crate::plan_document::plan_document;
use crate::plan_file;
use crate::render;
use crate::session::Session;
use crate::storable;
use crate::walk::{self, Course, World};

/// Shows what would be done.
pub(crate) async fn plan(session: &Session, arguments: &arguments::Plan) -> Result<ExitCode, Failure> {
    let configuration = session.configuration(&arguments.planning.variables)?;
    let world = World::open(session, configuration).await?;
    let mode = if arguments.destroy { Mode::Destroy } else { Mode::Apply };
    let course = Course::of(session, &arguments.planning, &arguments.wishes, mode);
    let planned = walk::plan(session, &world, &course).await?;
    show_plan(session, &planned.plan, arguments.planning.detail);
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
pub(crate) fn show_plan(session: &Session, plan: &Plan, detail: Detail) {
    match session.json {
        true => print_json(&plan_document(plan)),
        false => print(&render::plan::render(plan, detail, width())),
    }
}

/// Shows a saved plan, or the state.
pub(crate) async fn show(session: &Session, arguments: &arguments::Show) -> Result<(), Failure> {
    let configuration = session.configuration_for_state()?;
    match &arguments.plan {
        Some(path) => {
            let keys = keys(&session.root, &configuration)?;
            show_plan(session, &plan_file::read(&session.root.join(path), &keys)?.plan, arguments.detail);
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
