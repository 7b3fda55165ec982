//! `apply` and `destroy`: a plan that was shown, done.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use bimetal_apply::{Applied, Ports, Stop};
use bimetal_model::port::{Lease, Remember as _};
use bimetal_model::snapshot::{Revision, RevisionOutcome};
use bimetal_model::{Diagnostic, diagnostic::has_errors};
use bimetal_plan::{Mode, Tally};
use serde_json::{Value as Json, json};
use tracing::Instrument as _;

use super::plan::{show_plan, stale};
use super::signals;
use crate::arguments::{self, Doing, Planning, Wishes};
use crate::edge::{System, holder, who};
use crate::failure::Failure;
use crate::keys::keys;
use crate::output::{located, print, print_json, say};
use crate::plan_document::plan_document;
use crate::plan_file;
use crate::render::style::{ADD, BOLD, REMOVE, paint};
use crate::session::Session;
use crate::storable;
use crate::walk::{self, Course, Planned, World};

/// Brings the world to the configuration, or does a saved plan.
pub(crate) async fn apply(session: &Session, arguments: &arguments::Apply) -> Result<ExitCode, Failure> {
    let arguments::Apply { plan, planning, wishes, destroy, doing } = arguments;
    let mode = if *destroy { Mode::Destroy } else { Mode::Apply };
    match plan {
        Some(path) => saved(session, path, planning).await,
        None => fresh(session, planning, doing, Course::of(session, planning, wishes, mode)).await,
    }
}

/// Removes everything.
pub(crate) async fn destroy(session: &Session, arguments: &arguments::Destroy) -> Result<ExitCode, Failure> {
    let arguments::Destroy { planning, doing } = arguments;
    fresh(session, planning, doing, Course::of(session, planning, &Wishes::default(), Mode::Destroy)).await
}

/// The lock is taken before the plan is made, so that what is approved is what is done.
async fn fresh(session: &Session, planning: &Planning, doing: &Doing, course: Course<'_>) -> Result<ExitCode, Failure> {
    let configuration = session.configuration(&planning.variables)?;
    let store = session.store(&configuration).await?;
    let mode = course.options.mode;
    let command = if mode == Mode::Destroy { "destroy" } else { "apply" };
    let lease = store.lock(&holder(command)).await?;
    let renewing = renew(&store, &lease);
    let done = async {
        let world = World::open(session, configuration).await?;
        let planned = walk::plan(session, &world, &course).await?;
        if !session.json {
            show_plan(session, &planned.plan, planning.detail);
        }
        session.progress.events.document("plan", || plan_document(&planned.plan));
        storable::check_doing(&world.store, &planned.plan, &*world.host).await?;
        if !planned.plan.is_empty() && !doing.auto_approve {
            approve(session, mode)?;
        }
        act(session, &world, planned, planning, command, &lease).await
    };
    let result = tokio::select! {
        result = done => result,
        failure = renewing => Err(failure),
    };
    store.unlock(lease).await?;
    result
}

/// A plan that was saved is approved already.
async fn saved(session: &Session, path: &Path, planning: &Planning) -> Result<ExitCode, Failure> {
    let configuration = session.configuration_for_state_with(&planning.variables)?;
    let planned = plan_file::read(&session.root.join(path), &keys(&session.root, &configuration)?)?;
    let store = session.store(&configuration).await?;
    let lease = store.lock(&holder("apply")).await?;
    let done = async {
        let world = World::open(session, session.configuration_of(&planned.plan, &planning.variables)?).await?;
        if let Some(failure) = stale(&planned.plan, &world.snapshot, &world.configuration.files) {
            return Err(failure);
        }
        walk::configure_from(&world, &planned.plan);
        storable::check_doing(&world.store, &planned.plan, &*world.host).await?;
        act(session, &world, planned, planning, "apply", &lease).await
    };
    let result = tokio::select! {
        result = done => result,
        failure = renew(&store, &lease) => Err(failure),
    };
    store.unlock(lease).await?;
    result
}

/// Keeps the lock while a plan is made and read; ends only with a failure.
pub(crate) async fn renew(store: &bimetal_state::SqliteStore, lease: &Lease) -> Failure {
    let mut every = tokio::time::interval(std::time::Duration::from_secs(20));
    loop {
        every.tick().await;
        if let Err(error) = store.renew(lease).await {
            return error.into();
        }
    }
}

fn approve(session: &Session, mode: Mode) -> Result<(), Failure> {
    if session.json || !std::io::stdin().is_terminal() {
        let error = Diagnostic::error("nobody is there to approve the plan");
        return Err(error.hint("use `--auto-approve`, or `bimetal plan --out FILE` and `bimetal apply FILE`").into());
    }
    let question = match mode {
        Mode::Apply => "Do this?",
        Mode::Destroy => "Destroy all of this? There is no way back.",
        Mode::RefreshOnly => "Take this into the state?",
    };
    say(&format!("{} Only `yes` is taken for yes: ", paint(BOLD, question)));
    let mut answer = String::new();
    let _ = std::io::stdin().lock().read_line(&mut answer);
    match answer.trim() {
        "yes" => Ok(()),
        _ => Err(Diagnostic::error("not approved: nothing was done").into()),
    }
}

async fn act(
    session: &Session,
    world: &World,
    planned: Planned,
    planning: &Planning,
    command: &str,
    lease: &Lease,
) -> Result<ExitCode, Failure> {
    let Planned { plan, observed } = planned;
    if !bimetal_apply::has_work(&plan, &observed.resolved, &*world.host) {
        let outcome = if plan.left().next().is_some() { RevisionOutcome::Partial } else { RevisionOutcome::Done };
        finish(session, &plan, None, &[]);
        return Ok(ExitCode::from(exit_code(outcome)));
    }
    world.store.back_up().await?;
    let revision = world.store.begin(lease, revision(command, &plan)).await?;
    let stop = Stop::default();
    let listening = tokio::spawn(signals::listen(stop.clone(), signals::APPLYING, session.progress.clone()));
    let started = Instant::now();
    let crash = crate::crash::from_environment();
    let ports = Ports {
        predict: &*world.host,
        operate: &*world.host,
        remember: &*world.store,
        edge: &System,
        notify: &*session.progress,
        parallelism: planning.at_once(Ports::PARALLELISM),
        crash: crash.as_deref(),
    };
    let applying = bimetal_apply::apply(&plan, &world.configuration.desired, &observed.resolved, &ports, lease, &stop);
    let applied = applying.instrument(tracing::info_span!("apply", revision)).await;
    listening.abort();
    session.progress.clear();
    world.store.finish(lease, revision, applied.outcome).await?;
    let files = &world.configuration.files;
    finish(session, &plan, Some((&applied, started)), &located(&applied.diagnostics, files));
    match has_errors(&applied.diagnostics) {
        // The document that was printed says it.
        _ if session.json => Ok(ExitCode::from(exit_code(applied.outcome))),
        true => {
            let failure = Failure::new(applied.diagnostics, &world.configuration.files);
            Err(Failure { code: exit_code(applied.outcome), ..failure })
        }
        false => {
            session.warn(&applied.diagnostics, &world.configuration.files);
            Ok(ExitCode::from(exit_code(applied.outcome)))
        }
    }
}

fn exit_code(outcome: RevisionOutcome) -> u8 {
    match outcome {
        RevisionOutcome::Done => 0,
        RevisionOutcome::Failed => 1,
        RevisionOutcome::Partial | RevisionOutcome::Interrupted => 3,
    }
}

/// What is written down of an apply.
pub(crate) fn revision(command: &str, plan: &bimetal_plan::Plan) -> Revision {
    use bimetal_model::port::Edge as _;
    Revision {
        number: 0,
        who: who(),
        started_ms: System.now_ms(),
        commit: None,
        command: format!("bimetal {command}"),
        summary: plan_document(plan),
        outcome: None,
    }
}

fn finish(session: &Session, plan: &bimetal_plan::Plan, applied: Option<(&Applied, Instant)>, said: &[Json]) {
    let document = || document(plan, applied.map(|(applied, _)| applied), said);
    session.progress.events.document("result", document);
    if session.json {
        return print_json(&document());
    }
    let Some((applied, started)) = applied else { return };
    let took = started.elapsed().as_secs_f64();
    match applied.outcome {
        RevisionOutcome::Done => {
            say(&format!("\n{} {}, in {took:.1}s.\n", paint(ADD, "Applied:"), tally(applied.tally)));
        }
        RevisionOutcome::Failed | RevisionOutcome::Partial => {
            let counts = format!("{}; {} failed, {} skipped", tally(applied.tally), applied.failed, applied.skipped);
            say(&format!("\n{} {counts}.\n\n", paint(REMOVE, "Not all is done:")));
        }
        RevisionOutcome::Interrupted => {
            let tally = tally(applied.tally);
            say(&format!("\n{} {tally}. Apply again to go on.\n", paint(REMOVE, "Interrupted:")));
        }
    }
    if !applied.outputs.is_empty() && applied.outcome == RevisionOutcome::Done {
        print(&format!("\n{}", super::inspect::outputs_text(&applied.outputs)));
    }
}

/// What came of an apply, for programs.
fn document(plan: &bimetal_plan::Plan, applied: Option<&Applied>, said: &[Json]) -> Json {
    let left = plan.left().count();
    let outcome = if left > 0 { RevisionOutcome::Partial } else { RevisionOutcome::Done };
    json!({
        "format": 1,
        "outcome": applied.map_or(outcome, |applied| applied.outcome),
        "done": applied.map_or(0, |applied| applied.done),
        "failed": applied.map_or(0, |applied| applied.failed),
        "skipped": applied.map_or(left, |applied| applied.skipped),
        "tally": applied.map_or(Tally::default(), |applied| applied.tally),
        "diagnostics": said,
        "plan": plan_document(plan),
    })
}

/// In the plan's own words: a replacement is one added and one destroyed.
fn tally(tally: Tally) -> String {
    format!("{} added, {} changed, {} destroyed", tally.add, tally.change, tally.destroy)
}
