//! `apply` and `destroy`: a plan that was shown, done.

use std::collections::BTreeSet;
use std::io::BufRead as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use bimetal_apply::{Applied, Ports, Stop};
use bimetal_model::lease::Lease;
use bimetal_model::port::{Remember as _, StateError};
use bimetal_model::snapshot::{Revision, RevisionOutcome, Source};
use bimetal_model::{Address, Diagnostic, diagnostic::has_errors};
use bimetal_plan::{Mode, Plan, Tally};
use bimetal_state::StateName;
use serde_json::{Value as Json, json};
use tracing::Instrument as _;

use super::plan::{changes, show_plan, stale};
use super::signals;
use crate::arguments::{self, Doing, Planning, Wishes};
use crate::edge::{System, who};
use crate::failure::Failure;
use crate::keys::keys;
use crate::lease::holding;
use crate::origin::STATE;
use crate::output::{located, print, print_json, say};
use crate::plan_document::plan_document;
use crate::plan_file::{self, FromFile, check_origin, check_state, digests};
use crate::render::plan::{drift_count, state_alone};
use crate::render::style::{ADD, BOLD, REMOVE, paint};
use crate::session::Session;
use crate::storable;
use crate::view;
use crate::walk::{self, Course, Images, Planned, World};

/// How often it is planned again because others were faster.
const MOST_PLANS: usize = 10;

/// Brings the world to the configuration, or does a saved plan.
pub(crate) async fn apply(session: &Session, arguments: &arguments::Apply) -> Result<ExitCode, Failure> {
    let arguments::Apply { plan, planning, wishes, destroy, doing } = arguments;
    let mode = if *destroy { Mode::Destroy } else { Mode::Apply };
    let source = plan.as_deref().and_then(Path::to_str).filter(|text| text.contains("://") || text.contains("::"));
    let session = &view::chosen(session, wishes.revision.as_deref(), source).await?;
    match plan {
        Some(path) if source.is_none() => saved(session, path, planning, doing).await,
        Some(_) | None => fresh(session, planning, doing, Course::of(session, planning, wishes, mode)).await,
    }
}

/// Removes everything.
pub(crate) async fn destroy(session: &Session, arguments: &arguments::Destroy) -> Result<ExitCode, Failure> {
    let arguments::Destroy { planning, doing } = arguments;
    fresh(session, planning, doing, Course::of(session, planning, &Wishes::default(), Mode::Destroy)).await
}

async fn fresh(session: &Session, planning: &Planning, doing: &Doing, course: Course<'_>) -> Result<ExitCode, Failure> {
    let world = World::open(session, session.configuration(&planning.variables).await?).await?;
    let command = if course.options.mode == Mode::Destroy { "destroy" } else { "apply" };
    let wish = Wish { command, course, planning, doing, images: Images::Lock };
    plan_and_do(session, world, &wish, |_| ()).await
}

/// What is to be planned and done.
pub(crate) struct Wish<'a> {
    pub(crate) command: &'a str,
    pub(crate) course: Course<'a>,
    pub(crate) planning: &'a Planning,
    pub(crate) doing: &'a Doing,
    pub(crate) images: Images,
}

/// Plans, shows, asks, and only then takes a lease, so that nobody waits for somebody who reads. Where what the plan rests on has
/// changed by then, it does so again: what is approved is what is done.
pub(crate) async fn plan_and_do(
    session: &Session,
    mut world: World,
    wish: &Wish<'_>,
    mark: impl Fn(&mut Plan),
) -> Result<ExitCode, Failure> {
    for _ in 0..MOST_PLANS {
        let mut planned = walk::plan(session, &world, &wish.course, wish.images).await?;
        mark(&mut planned.plan);
        if !session.json {
            show_plan(session, &planned.plan, wish.planning.detail);
        }
        session.progress.events.document("plan", || plan_document(&planned.plan));
        storable::check_doing(&world.store, &planned.plan, &*world.host).await?;
        let resolved = &planned.observed.resolved;
        if !bimetal_apply::has_work(&planned.plan, resolved, &*world.host) {
            return Ok(nothing_to_do(session, &planned.plan));
        }
        let asks = !planned.plan.is_empty() && !wish.doing.auto_approve;
        if !session.json && (asks || planned.plan.effects().next().is_some()) {
            say("\n");
        }
        if asks {
            approve(session, wish.course.options.mode).await?;
        }
        match carry_out(session, &world, &planned, wish).await? {
            Ended::Done(code) => return Ok(code),
            Ended::Outdated(outdated) => {
                world.look_again().await?;
                let changes = changes(&world, &outdated).await?;
                say(&format!("\nThe state has changed meanwhile: {changes}. This is the plan now:\n\n"));
            }
        }
    }
    let error = Diagnostic::error("the state changes faster than it can be planned");
    Err(error.hint("try again when others are done").into())
}

/// With a lease on what the plan is about, and on what it rests on.
async fn carry_out(session: &Session, world: &World, planned: &Planned, wish: &Wish<'_>) -> Result<Ended, Failure> {
    let scope = bimetal_apply::scope(&planned.plan, &planned.observed.resolved, &*world.host);
    let act = Act { planned, planning: wish.planning, command: wish.command, saved: None };
    let work = async |lease: &Lease| {
        let outdated = outdated(world, &planned.plan).await?;
        match outdated.is_empty() {
            true => act.do_it(session, world, lease).await.map(Ended::Done),
            false => Ok(Ended::Outdated(outdated)),
        }
    };
    holding(&world.store, wish.command, &scope, wish.doing.lock_timeout, work).await
}

/// What came of a plan once its lease was there.
enum Ended {
    Done(ExitCode),
    /// Something that it rests on has changed: nothing was done.
    Outdated(BTreeSet<Address>),
}

/// What the plan rests on and is not what it was.
async fn outdated(world: &World, plan: &Plan) -> Result<BTreeSet<Address>, Failure> {
    if world.store.serial().await? == world.snapshot.serial {
        return Ok(BTreeSet::new());
    }
    Ok(bimetal_plan::outdated(plan, &world.store.load().await?))
}

/// A plan that was saved is approved already.
async fn saved(session: &Session, path: &Path, planning: &Planning, doing: &Doing) -> Result<ExitCode, Failure> {
    let configuration = session.configuration_for_state_with(&planning.variables)?;
    let saved = plan_file::read(&session.home.join(path), &keys(&session.home, &configuration)?)?;
    let FromFile { id, providers, plan, state, commit, source, observed } = saved;
    check_state(&state, &session.state)?;
    let session = &view::as_planned(session, commit.as_deref(), source.as_deref()).await?;
    let configuration = session.configuration_of(&plan, &planning.variables).await?;
    let store = session.store(&configuration).await?;
    // First of all: what is wrong with a plan of another folder is not its providers.
    check_origin(
        &plan,
        store.lineage().await?.as_ref(),
        &session.sources(&session.given(&planning.variables)?).await?,
    )?;
    let mut world = World::over(session, configuration, store).await?;
    if providers != digests(&world.lock) {
        let error = Diagnostic::error("the saved plan was made with other providers than those that are locked now");
        return Err(error.hint("make a new one with `bimetal plan --out FILE`").into());
    }
    walk::configure_from(&world, &plan);
    let (desired, said) = world.configuration.desired.knowing(plan.known.clone());
    if has_errors(&said) {
        return Err(Failure::new(said, &world.configuration.files));
    }
    let planned = Planned { plan, observed, desired };
    storable::check_doing(&world.store, &planned.plan, &*world.host).await?;
    let scope = bimetal_apply::scope(&planned.plan, &planned.observed.resolved, &*world.host);
    let store = world.store.clone();
    let work = async |lease: &Lease| {
        if let Some(done) = store.done(&id).await? {
            return Err(StateError::Replayed { revision: done }.into());
        }
        world.snapshot = store.load().await?;
        match stale(&planned.plan, &world).await? {
            Some(failure) => Err(failure),
            None => {
                let act = Act { planned: &planned, planning, command: "apply", saved: Some(id) };
                act.do_it(session, &world, lease).await
            }
        }
    };
    holding(&store, "apply", &scope, doing.lock_timeout, work).await
}

/// Asks; without somebody to ask, that is an error.
async fn approve(session: &Session, mode: Mode) -> Result<(), Failure> {
    let hint = "use `--auto-approve`, or `bimetal plan --out FILE` and `bimetal apply FILE`";
    let question = match mode {
        Mode::Apply => "Do this?",
        Mode::Destroy => "Destroy all of this? There is no way back.",
        Mode::RefreshOnly => "Take this into the state?",
    };
    let of_state = match session.state.is_default() {
        true => String::new(),
        false => format!("This is the state `{}`. ", session.state),
    };
    ask(session, &format!("{of_state}{question}"), "nobody is there to approve the plan", hint).await
}

/// Asks before something is done that nobody takes back.
pub(crate) async fn ask(session: &Session, question: &str, nobody: &str, hint: &str) -> Result<(), Failure> {
    if !session.asks {
        return Err(Diagnostic::error(nobody).hint(hint).into());
    }
    say(&format!("{} Only `yes` is taken for yes: ", paint(BOLD, question)));
    // Elsewhere, so that a signal is heard meanwhile.
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        let _ = std::io::stdin().lock().read_line(&mut answer);
        answer
    });
    match answer.await.unwrap_or_default().trim() {
        "yes" => Ok(()),
        _ => Err(Diagnostic::error("not approved: nothing was done").into()),
    }
}

/// A plan that is done under a lease that was taken for it.
struct Act<'a> {
    planned: &'a Planned,
    planning: &'a Planning,
    command: &'a str,
    /// The id of a plan that was saved.
    saved: Option<String>,
}

impl Act<'_> {
    async fn do_it(self, session: &Session, world: &World, lease: &Lease) -> Result<ExitCode, Failure> {
        let Planned { plan, observed, desired } = self.planned;
        if !bimetal_apply::has_work(plan, &observed.resolved, &*world.host) {
            // Any other was shown when it was made.
            if self.saved.is_some() && !session.json {
                show_plan(session, plan, self.planning.detail);
            }
            return Ok(nothing_to_do(session, plan));
        }
        world.store.back_up().await?;
        let revision = Revision { plan: self.saved, ..revision(&session.state, self.command, plan) };
        let revision = world.store.begin(lease, revision, Some(&source(world, plan))).await?;
        let stop = Stop::default();
        // From here on a signal has an end of its own, and what is open is closed after that.
        session.lent.leaves_signals();
        let listening = tokio::spawn(signals::listen(stop.clone(), signals::APPLYING, session.progress.clone()));
        let started = Instant::now();
        let crash = crate::crash::from_environment();
        let ports = Ports {
            predict: &*world.host,
            operate: &*world.host,
            lend: &*world.lending,
            remember: &*world.store,
            edge: &System,
            notify: &*session.progress,
            parallelism: self.planning.at_once(Ports::PARALLELISM),
            crash: crash.as_deref(),
        };
        let applying = bimetal_apply::apply(plan, desired, &observed.resolved, &ports, lease, &stop);
        let applied = applying.instrument(tracing::info_span!("apply", revision)).await;
        listening.abort();
        session.progress.clear();
        world.store.finish(lease, revision, applied.outcome).await?;
        let files = &world.configuration.files;
        finish(session, plan, Some((&applied, started)), &located(&applied.diagnostics, files));
        told(session, world, applied)
    }
}

/// What went wrong, and the exit code.
fn told(session: &Session, world: &World, applied: Applied) -> Result<ExitCode, Failure> {
    let files = &world.configuration.files;
    match has_errors(&applied.diagnostics) {
        // The document that was printed says it.
        _ if session.json => Ok(ExitCode::from(exit_code(applied.outcome))),
        true => {
            let failure = Failure::new(applied.diagnostics, files);
            Err(Failure { code: exit_code(applied.outcome), ..failure })
        }
        false => {
            session.warn(&applied.diagnostics, files);
            Ok(ExitCode::from(exit_code(applied.outcome)))
        }
    }
}

/// What is left as it is, though something else is wanted, is not done.
fn nothing_to_do(session: &Session, plan: &Plan) -> ExitCode {
    let outcome = if plan.left().next().is_some() { RevisionOutcome::Partial } else { RevisionOutcome::Done };
    finish(session, plan, None, &[]);
    ExitCode::from(exit_code(outcome))
}

/// What the revision was made from: enough to plan the same again.
fn source(world: &World, plan: &Plan) -> Source {
    Source {
        files: plan.files.iter().map(|file| (file.name.to_string(), file.text.to_string())).collect(),
        variables: plan.variables.clone(),
        images: plan.images.clone(),
        providers: digests(&world.lock),
        planned_ms: plan.planned_ms,
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
pub(crate) fn revision(state: &StateName, command: &str, plan: &Plan) -> Revision {
    let mut summary = plan_document(plan);
    summary[STATE] = json!(state.as_str());
    Revision { summary, origin: plan.origin.clone(), ..bare_revision(command) }
}

/// What is written down of what has no plan.
pub(crate) fn bare_revision(command: &str) -> Revision {
    use bimetal_model::port::Edge as _;
    Revision {
        number: 0,
        who: who(),
        started_ms: System.now_ms(),
        origin: None,
        command: format!("bimetal {command}"),
        summary: serde_json::Value::Null,
        plan: None,
        outcome: None,
    }
}

fn finish(session: &Session, plan: &Plan, applied: Option<(&Applied, Instant)>, said: &[Json]) {
    let document = || document(plan, applied.map(|(applied, _)| applied), said);
    session.progress.events.document("result", document);
    if session.json {
        return print_json(&document());
    }
    let Some((applied, started)) = applied else { return };
    let took = started.elapsed().as_secs_f64();
    match applied.outcome {
        RevisionOutcome::Done if plan.mode == Mode::RefreshOnly => {
            say(&format!("\n{} {} taken into the state, in {took:.1}s.\n", paint(ADD, "Applied:"), drift_count(plan)));
        }
        RevisionOutcome::Done => {
            let imported = match plan.imported.len() {
                0 => String::new(),
                count => format!("{count} imported, "),
            };
            let did = imported + &tally(applied.tally) + &state_alone(plan);
            say(&format!("\n{} {did}, in {took:.1}s.\n", paint(ADD, "Applied:")));
        }
        RevisionOutcome::Partial if is_only_deferred(applied) => {
            let (did, rest) = (tally(applied.tally), deferred(applied.deferred));
            say(&format!("\n{} {did}, in {took:.1}s; {rest}. Apply again to go on.\n", paint(ADD, "Applied:")));
        }
        RevisionOutcome::Failed | RevisionOutcome::Partial => {
            let counts = format!("{}; {} failed, {} skipped", tally(applied.tally), applied.failed, applied.skipped);
            let more = if applied.deferred > 0 { format!(", {}", deferred(applied.deferred)) } else { String::new() };
            say(&format!("\n{} {counts}{more}.\n\n", paint(REMOVE, "Not all is done:")));
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

/// Whether all that is left to do is for the next apply.
fn is_only_deferred(applied: &Applied) -> bool {
    applied.deferred > 0 && applied.failed + applied.skipped == 0 && !has_errors(&applied.diagnostics)
}

fn deferred(count: usize) -> String {
    if count == 1 { "1 is deferred".to_owned() } else { format!("{count} are deferred") }
}

/// What came of an apply, for programs.
fn document(plan: &Plan, applied: Option<&Applied>, said: &[Json]) -> Json {
    let (left, put_off) = (plan.left().count(), plan.left().filter(|change| change.is_deferred()).count());
    let outcome = if left > 0 { RevisionOutcome::Partial } else { RevisionOutcome::Done };
    json!({
        "format": 1,
        "outcome": applied.map_or(outcome, |applied| applied.outcome),
        "done": applied.map_or(0, |applied| applied.done),
        "failed": applied.map_or(0, |applied| applied.failed),
        "skipped": applied.map_or(left - put_off, |applied| applied.skipped),
        "deferred": applied.map_or(put_off, |applied| applied.deferred),
        "tally": applied.map_or(Tally::default(), |applied| applied.tally),
        "diagnostics": said,
        "plan": plan_document(plan),
    })
}

/// In the plan's own words: a replacement is one added and one destroyed.
fn tally(tally: Tally) -> String {
    format!("{} added, {} changed, {} destroyed", tally.add, tally.change, tally.destroy)
}
