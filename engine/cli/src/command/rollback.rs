//! `rollback`: what an earlier revision was made from, planned and done again.

use std::process::ExitCode;

use bimetal_config::SourceFile;
use bimetal_model::Diagnostic;
use bimetal_model::snapshot::{Snapshot, Source};
use bimetal_plan::{Action, Mode, Plan, Reason};

use super::apply::{Wish, plan_and_do};
use crate::arguments::{self, Wishes};
use crate::failure::Failure;
use crate::plan_file::digests;
use crate::session::Session;
use crate::view;
use crate::walk::{Course, Images, World};

/// Brings the world to the configuration of a revision, with its images.
pub(crate) async fn rollback(session: &Session, arguments: &arguments::Rollback) -> Result<ExitCode, Failure> {
    let arguments::Rollback { number, planning, doing } = arguments;
    let store = session.store(&session.configuration_for_state()?).await?;
    let revision = store.revision(*number).await?;
    let Some(source) = store.source(*number).await? else { return Err(without_source(*number, &revision.command)) };
    if revision.summary.get("mode").and_then(|mode| mode.as_str()) == Some("destroy") {
        let error = Diagnostic::error(format!("revision {number} destroyed everything"));
        return Err(error.hint("`bimetal destroy` does so again").into());
    }
    let then = store.at(*number).await?;
    drop(store);
    let files = source.files.iter().map(|(name, text)| SourceFile { name: (**name).into(), text: (**text).into() });
    let (variables, planned_ms) = (&source.variables, source.planned_ms);
    let there = view::as_then(session, revision.origin.as_deref()).await?;
    let configuration = there.configuration_with(files.collect(), variables, planned_ms, &planning.variables).await?;
    let mut world = World::open(session, configuration).await?;
    session.warn(&other_providers(*number, &source, &world), &[]);
    world.lock.images = source.images;
    let command = format!("rollback {number}");
    let course = Course::of(session, planning, &Wishes::default(), Mode::Apply);
    let wish = Wish { command: &command, course, planning, doing, images: Images::AsTheyWere };
    plan_and_do(session, world, &wish, |plan| {
        mark(plan, *number, &then);
        plan.origin = revision.origin.clone();
    })
    .await
}

fn without_source(number: u64, command: &str) -> Failure {
    let error = Diagnostic::error(format!("what revision {number} (`{command}`) was made from is not known"));
    let error = error.because("it had no configuration, or the state had no key then to seal it with");
    error.hint("go back to another one: `bimetal history` lists them").into()
}

fn other_providers(number: u64, source: &Source, world: &World) -> Vec<Diagnostic> {
    let present = digests(&world.lock);
    let changed = source.providers.iter().filter(|(name, digest)| present.get(*name).is_some_and(|now| now != *digest));
    let warning = |(name, _)| {
        Diagnostic::warning(format!("revision {number} was made with another provider `{name}`"))
            .because("what it does now is what the one does that is locked")
    };
    changed.map(warning).collect()
}

/// Says what can't be brought back: what is made anew has nothing of what was in it.
fn mark(plan: &mut Plan, number: u64, then: &Snapshot) {
    for change in plan.changes.iter_mut().filter(|change| then.objects.contains_key(&change.address)) {
        let is_there = match change.action {
            Action::Create => false,
            Action::Replace => true,
            Action::Read | Action::Update | Action::Delete | Action::Keep | Action::Leave => continue,
        };
        let because = change.reason.take().map(Box::new);
        change.reason = Some(Reason::LikeRevision { revision: number, is_there, because });
    }
}
