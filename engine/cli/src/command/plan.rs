//! `plan` and `show`: what would be done, and what is.

use std::collections::BTreeSet;
use std::process::ExitCode;

use bimetal_model::snapshot::Snapshot;
use bimetal_model::{Address, Diagnostic};
use bimetal_plan::{Mode, Plan};

use crate::arguments::{self, Detail};
use crate::edge::moment;
use crate::failure::Failure;
use crate::keys::keys;
use crate::output::{print, print_json, say, width};
use crate::plan_document::plan_document;
use crate::plan_file;
use crate::render;
use crate::session::Session;
use crate::storable;
use crate::walk::{self, Course, Images, World};

/// Shows what would be done.
pub(crate) async fn plan(session: &Session, arguments: &arguments::Plan) -> Result<ExitCode, Failure> {
    let configuration = session.configuration(&arguments.planning.variables)?;
    let world = World::open(session, configuration).await?;
    let mode = if arguments.destroy { Mode::Destroy } else { Mode::Apply };
    let course = Course::of(session, &arguments.planning, &arguments.wishes, mode);
    let planned = walk::plan(session, &world, &course, Images::Lock).await?;
    show_plan(session, &planned.plan, arguments.planning.detail);
    session.progress.events.document("plan", || plan_document(&planned.plan));
    if let Some(path) = &arguments.out {
        let keys = keys(&session.root, &world.configuration)?;
        plan_file::write(&session.root.join(path), &planned, &world.lock, &keys, &*world.host)?;
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
            let saved = plan_file::read(&session.root.join(path), &keys)?;
            show_plan(session, &saved.plan, arguments.detail);
        }
        None => {
            use bimetal_model::port::Remember as _;
            show_state(session, &session.store(&configuration).await?.load().await?);
        }
    }
    Ok(())
}

pub(crate) fn show_state(session: &Session, snapshot: &Snapshot) {
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

/// A saved plan that is too old for the state, in words: what changed, when, and by whom.
pub(crate) async fn stale(plan: &Plan, world: &World) -> Result<Option<Failure>, Failure> {
    let files = &world.configuration.files;
    let outdated = bimetal_plan::outdated(plan, &world.snapshot);
    if outdated.is_empty() {
        return Ok(None);
    }
    let error = Diagnostic::error("the saved plan is out of date: the state has changed since it was made");
    let error = error.because(changes(world, &outdated).await?);
    let error = error.hint("make a new one with `bimetal plan --out FILE`");
    Ok(Some(Failure::new(vec![error], files)))
}

/// What changed, when, and by which revision.
pub(crate) async fn changes(world: &World, outdated: &BTreeSet<Address>) -> Result<String, Failure> {
    let mut lines = Vec::new();
    for address in outdated.iter().take(5) {
        let by = match world.store.last_change(address).await? {
            Some(by) => {
                format!(": revision {} (`{}` by {}, {})", by.number, by.command, by.who, moment(by.started_ms))
            }
            None => String::new(),
        };
        let what = if world.snapshot.objects.contains_key(address) { "changed" } else { "is not there" };
        lines.push(format!("`{address}` {what}{by}"));
    }
    match outdated.len() {
        all if all > lines.len() => lines.push(format!("{} more", all - lines.len())),
        _ => {}
    }
    Ok(lines.join("; "))
}
