//! What came of runs.

use std::time::{Duration, SystemTime};

use bimetal_config::SourceFile;
use bimetal_config::suite::Phase;
use bimetal_model::snapshot::Snapshot;
use bimetal_model::{Address, Diagnostics};
use bimetal_plan::Plan;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// All that must hold does.
    Pass,
    /// Something does not.
    Fail,
    /// It could not be played as it is written: those after it are not played.
    Error,
    /// It was not played.
    Skip,
}

/// One run.
pub(super) struct RunResult {
    pub(super) name: String,
    pub(super) command: Phase,
    pub(super) status: Status,
    pub(super) said: Diagnostics,
    /// What is spoken of.
    pub(super) files: Vec<SourceFile>,
    pub(super) begun: SystemTime,
    pub(super) took: Duration,
    /// What was planned or made, for those who want to see it.
    pub(super) shown: Option<Shown>,
}

/// What a run came to.
pub(super) enum Shown {
    Plan(Box<Plan>),
    State(Box<Snapshot>),
}

/// One file of tests.
pub(super) struct SuiteResult {
    pub(super) path: String,
    pub(super) runs: Vec<RunResult>,
    /// What could not be destroyed.
    pub(super) left: Vec<Address>,
    /// Why it could not.
    pub(super) said: Diagnostics,
    pub(super) files: Vec<SourceFile>,
}

/// Runs, counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) passed: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
}

impl Tally {
    pub(super) fn of(results: &[SuiteResult]) -> Tally {
        let mut tally = Tally::default();
        for run in results.iter().flat_map(|result| &result.runs) {
            match run.status {
                Status::Pass => tally.passed += 1,
                Status::Fail | Status::Error => tally.failed += 1,
                Status::Skip => tally.skipped += 1,
            }
        }
        tally
    }
}

impl Status {
    /// For people. Why a run failed is said beside.
    pub(super) fn word(self) -> &'static str {
        match self {
            Status::Pass => "pass",
            Status::Fail | Status::Error => "fail",
            Status::Skip => "skip",
        }
    }

    /// For programs.
    pub(super) fn exact_word(self) -> &'static str {
        if self == Status::Error { "error" } else { self.word() }
    }
}

impl SuiteResult {
    /// The worst that happened.
    pub(super) fn status(&self) -> Status {
        let has = |status| self.runs.iter().any(|run| run.status == status);
        match (has(Status::Error) || !self.left.is_empty(), has(Status::Fail), has(Status::Skip)) {
            (true, _, _) => Status::Error,
            (false, true, _) => Status::Fail,
            (false, false, true) => Status::Skip,
            (false, false, false) => Status::Pass,
        }
    }
}
