//! One file of tests, from its first run to the last thing destroyed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bimetal_config::suite::{self, Run, Suite};
use bimetal_config::{Desired, Scope, SourceFile};
use bimetal_host::Host;
use bimetal_mock::Mocked;
use bimetal_model::diagnostic::has_errors;
use bimetal_model::port::Remember as _;
use bimetal_model::snapshot::RevisionOutcome;
use bimetal_model::{Diagnostic, Diagnostics, Severity, Value};
use bimetal_plan::{Mode, Options, Values};

use super::Stage;
use super::report::Report;
use super::result::{RunResult, Shown, Status, SuiteResult};
use super::scene::{self, Scene};
use super::state::{Left, States, course};
use super::values::with_outputs;
use super::verdict::{Verdict, of_failed_plan, of_whole};
use crate::failure::Failure;
use crate::walk::{Look, Planned, World, look_and_plan};

/// Plays all runs, and destroys what they made, whatever came of them.
pub(super) async fn play(stage: &Stage<'_>, suite: &Suite, report: &Report) -> Result<SuiteResult, Failure> {
    report.begun(suite);
    let mut play =
        Play { stage, suite, states: States::new()?, outputs: BTreeMap::new(), warnings: Diagnostics::new() };
    let mut runs: Vec<RunResult> = Vec::new();
    for run in &suite.runs {
        let is_over = stage.stop.is_stopped() || runs.iter().any(|before| before.status == Status::Error);
        let result = if is_over { skipped(run) } else { play.run(run).await };
        report.ran(&result);
        runs.push(result);
    }
    report.tearing_down(suite);
    stage.session.progress.wait_for("tearing down".to_owned());
    let Left { addresses, said, files } = play.states.tear_down().await;
    stage.session.progress.clear();
    let result = SuiteResult { path: suite.file.name.to_string(), runs, left: addresses, said, files };
    report.ended(&result);
    Ok(result)
}

struct Play<'a> {
    stage: &'a Stage<'a>,
    suite: &'a Suite,
    states: States,
    /// Of the runs that were played, by name: objects.
    outputs: BTreeMap<String, Value>,
    /// Said already.
    warnings: Diagnostics,
}

/// What a run came to, where it came to its end.
struct Outcome {
    said: Diagnostics,
    values: Values,
    outputs: BTreeMap<String, Value>,
    shown: Shown,
}

impl Play<'_> {
    async fn run(&mut self, run: &Run) -> RunResult {
        let (begun, started) = (SystemTime::now(), Instant::now());
        let mut files = self.suite.mock_files.clone();
        files.push(self.suite.file.clone());
        self.stage.session.progress.wait_for(format!("run \"{}\"", run.name));
        let attempt = self.attempt(run, &mut files).await;
        let (verdict, shown) = attempt.unwrap_or_else(|said| (Verdict { status: Status::Error, said }, None));
        self.stage.session.progress.clear();
        let Verdict { status, mut said } = verdict;
        said.retain(|one| !self.warnings.contains(one));
        self.warnings.extend(said.iter().filter(|one| one.severity == Severity::Warning).cloned());
        let (name, command, took) = (run.name.clone(), run.command, started.elapsed());
        RunResult { name, command, status, said, files, begun, took, shown }
    }

    /// Errors are those that can't have been expected.
    async fn attempt(
        &mut self,
        run: &Run,
        files: &mut Vec<SourceFile>,
    ) -> Result<(Verdict, Option<Shown>), Diagnostics> {
        let scene = scene::read(self.stage, self.suite, run, &self.outputs, files).await?;
        let desired = scene.desired.clone();
        let mut said = scene.said.clone();
        if has_errors(&said) {
            return Ok((of_failed_plan(run, &desired.module, said), None));
        }
        let store = self.states.of(run).await.map_err(|failure| failure.diagnostics)?;
        let world = scene.world(self.stage, store, files).await?;
        let planned = match self.plan(run, &world).await {
            Ok((planned, more)) => {
                said.extend(more);
                planned
            }
            Err(more) => {
                said.extend(more);
                return Ok((of_failed_plan(run, &desired.module, said), None));
            }
        };
        let desired = planned.desired.clone();
        let outcome = match run.command {
            suite::Phase::Plan => foreseen(world, planned),
            suite::Phase::Apply => self.apply(run, world, planned).await?,
        };
        let scope = self.scope(&scene, &desired, outcome.values, &outcome.outputs);
        self.outputs.insert(run.name.clone(), outcome.outputs.into_iter().collect());
        let new: Diagnostics = outcome.said.into_iter().filter(|one| !said.contains(one)).collect();
        said.extend(new);
        Ok((of_whole(run, &desired.module, said, &scope), Some(outcome.shown)))
    }

    async fn plan(&self, run: &Run, world: &World<Mocked<Host>>) -> Result<(Planned, Diagnostics), Diagnostics> {
        let suite::PlanOptions { refresh, mode, targets, replace } = run.options.clone();
        let mode = match mode {
            suite::PlanMode::Normal => Mode::Apply,
            suite::PlanMode::RefreshOnly => Mode::RefreshOnly,
        };
        let look = if refresh || mode == Mode::RefreshOnly { Look::Refresh } else { Look::Believe };
        let course = course(Options { mode, targets, replace, ..Options::default() }, look);
        tokio::select! {
            planned = look_and_plan(world, &course) => planned,
            () = self.stage.stop.stopped() => Err(vec![interrupted()]),
        }
    }

    async fn apply(&mut self, run: &Run, world: World<Mocked<Host>>, planned: Planned) -> Result<Outcome, Diagnostics> {
        let store = world.store.clone();
        let applied = self.states.apply(run, world, &planned, &self.stage.stop).await;
        let (applied, values) = applied.map_err(|failure| failure.diagnostics)?;
        let mut said = applied.diagnostics;
        if applied.outcome == RevisionOutcome::Interrupted {
            said.push(interrupted());
        }
        let snapshot = store.load().await.map_err(|error| Failure::from(error).diagnostics)?;
        Ok(Outcome { said, values, outputs: applied.outputs, shown: Shown::State(Box::new(snapshot)) })
    }

    /// What names stand for in assertions.
    fn scope(&self, scene: &Scene<'_>, desired: &Desired, values: Values, outputs: &BTreeMap<String, Value>) -> Scope {
        // What can't be worked out was said when it was planned.
        let (mut scope, _) = bimetal_plan::everything(desired, values);
        let variables = Arc::make_mut(&mut scope.variables);
        for (name, value) in &scene.written.values {
            variables.entry(name.clone()).or_insert_with(|| value.clone());
        }
        with_outputs("output", outputs, with_outputs("run", &self.outputs, scope))
    }
}

fn foreseen(world: World<Mocked<Host>>, planned: Planned) -> Outcome {
    let desired = &planned.desired;
    let (values, _) = Values::of_plan(desired, &planned.plan, &*world.host);
    let (outputs, said) = bimetal_plan::outputs(desired, &values, planned.plan.left_out());
    Outcome { said, values, outputs, shown: Shown::Plan(Box::new(planned.plan)) }
}

fn interrupted() -> Diagnostic {
    Diagnostic::error("interrupted")
}

fn skipped(run: &Run) -> RunResult {
    RunResult {
        name: run.name.clone(),
        command: run.command,
        status: Status::Skip,
        said: Diagnostics::new(),
        files: Vec::new(),
        begun: SystemTime::now(),
        took: std::time::Duration::ZERO,
        shown: None,
    }
}
