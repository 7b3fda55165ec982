//! `plan` and `show`: what would be done, and what is.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use bimetal_model::snapshot::Snapshot;
use bimetal_model::{Address, Diagnostic};
use bimetal_plan::{Mode, Plan};

use crate::arguments::{self, Detail, Format};
use crate::edge::moment;
use crate::failure::Failure;
use crate::keys::keys;
use crate::output::{print, print_all, print_json, say, width};
use crate::plan_document::plan_document;
use crate::plan_file;
use crate::render;
use crate::session::Session;
use crate::storable;
use crate::view;
use crate::walk::{self, Course, Images, World};

/// Shows what would be done.
pub(crate) async fn plan(session: &Session, arguments: &arguments::Plan) -> Result<ExitCode, Failure> {
    let session = &view::chosen(session, arguments.wishes.revision.as_deref(), arguments.source.as_deref()).await?;
    let configuration = session.configuration(&arguments.planning.variables).await?;
    let world = World::open(session, configuration).await?;
    let mode = if arguments.destroy { Mode::Destroy } else { Mode::Apply };
    let course = Course::of(session, &arguments.planning, &arguments.wishes, mode);
    let planned = walk::plan(session, &world, &course, Images::Lock).await?;
    show_as(session, &planned.plan, arguments.planning.detail, arguments.format);
    session.progress.events.document("plan", || plan_document(&planned.plan));
    if let Some(path) = &arguments.out {
        let keys = keys(&session.home, &world.configuration)?;
        plan_file::write(session, path, &planned, &world.lock, &keys, &*world.host)?;
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
    show_as(session, plan, detail, Format::Text);
}

fn show_as(session: &Session, plan: &Plan, detail: Detail, format: Format) {
    match (session.json, format) {
        (true, _) | (false, Format::Json) => print_json(&plan_document(plan)),
        (false, Format::Text) => print_all(render::plan::pieces(plan, detail, width())),
        (false, Format::Markdown) => print(&render::plan::markdown(plan, detail)),
    }
}

/// Shows a saved plan, or the state.
pub(crate) async fn show(session: &Session, arguments: &arguments::Show) -> Result<(), Failure> {
    let configuration = session.configuration_for_state()?;
    match &arguments.plan {
        Some(path) => {
            let keys = keys(&session.root, &configuration)?;
            let saved = plan_file::read(&session.root.join(path), &keys)?;
            show_as(session, &saved.plan, arguments.detail, arguments.format);
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

/// Nobody reads what changed of more than these.
const MOST_LOOKED_AT: usize = 100;

/// What changed, when, and by which revision.
pub(crate) async fn changes(world: &World, outdated: &BTreeSet<Address>) -> Result<String, Failure> {
    let mut deeds: BTreeMap<(Option<String>, bool), Vec<&Address>> = BTreeMap::new();
    for address in outdated.iter().take(MOST_LOOKED_AT) {
        let by =
            world.store.last_change(address).await?.map(|by| {
                format!("revision {} (`{}` by {}, {})", by.number, by.command, by.who, moment(by.started_ms))
            });
        deeds.entry((by, world.snapshot.objects.contains_key(address))).or_default().push(address);
    }
    let mut parts: Vec<String> =
        deeds.iter().map(|((by, is_there), all)| deed(by.as_deref(), *is_there, all)).collect();
    if outdated.len() > MOST_LOOKED_AT {
        parts.push(format!("{} more", outdated.len() - MOST_LOOKED_AT));
    }
    Ok(parts.join("; "))
}

/// What one revision did, in words.
fn deed(by: Option<&str>, is_there: bool, all: &[&Address]) -> String {
    let names: Vec<String> = all.iter().take(3).map(|address| format!("`{address}`")).collect();
    let names = match all.len() - names.len() {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    };
    match (by, is_there) {
        (Some(by), true) => format!("{by} changed {names}"),
        (Some(by), false) => format!("{by} removed {names}"),
        (None, true) => format!("{names} changed"),
        (None, false) => format!("the state does not know {names}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_revision_changed_is_said_at_once() {
        let all: Vec<Address> = (0..70).map(|place| format!("docker_volume.v[{place}]").parse().unwrap()).collect();
        let all: Vec<&Address> = all.iter().collect();
        assert_eq!(
            deed(Some("revision 2 (x)"), true, &all),
            "revision 2 (x) changed `docker_volume.v[0]`, `docker_volume.v[1]`, `docker_volume.v[2]` and 67 more"
        );
        assert_eq!(deed(Some("revision 2 (x)"), false, &all[..1]), "revision 2 (x) removed `docker_volume.v[0]`");
        assert_eq!(deed(None, false, &all[..2]), "the state does not know `docker_volume.v[0]`, `docker_volume.v[1]`");
    }
}
