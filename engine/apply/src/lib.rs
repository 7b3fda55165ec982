//! Does what a plan says: effects in the order of their dependencies, each promised before and recorded after.
//!
//! Must not decide what is to be done, know how a provider does it, or print.

mod budget;
mod crash;
mod effect;
mod graph;
mod image;
mod job;
mod ledger;
mod outcome;
mod places;
mod ports;
mod prepare;
mod run;
mod scope;
mod settle;
mod stop;
mod verdict;
mod waiting;

use std::collections::BTreeMap;

use bimetal_config::{Acting, Desired};
use bimetal_model::lease::Lease;
use bimetal_model::port::Predict;
use bimetal_model::snapshot::{Intent, Object, RevisionOutcome};
use bimetal_model::{Diagnostics, Value};
use bimetal_plan::{Plan, Tally, Values};

pub use crash::CrashPoint;
pub use ports::Ports;
pub use scope::scope;
pub use stop::Stop;

/// What came of it.
#[derive(Debug)]
pub struct Applied {
    /// For the revision.
    pub outcome: RevisionOutcome,
    /// What went wrong.
    pub diagnostics: Diagnostics,
    /// Changes that were made. A replacement is one change, here and below.
    pub done: usize,
    /// Changes that failed.
    pub failed: usize,
    /// Changes that were not begun or not ended, because of a failure or a signal.
    pub skipped: usize,
    /// Changes that are left for the next apply, as their providers, or those of what they need, can't say yet what there will be.
    pub deferred: usize,
    /// What was made, changed and removed, as the plan's summary counts it.
    pub tally: Tally,
    /// As recorded: where not all was done, those that are known all the same, and the others as they were.
    pub outputs: BTreeMap<String, Value>,
}

/// Does the plan.
///
/// `desired` is what the plan was made from. The caller has taken a lease on the plan's [`scope`], has seen that the plan is not
/// out of date, and has begun the revision, which it finishes with the outcome; and it has told `operate` the provider blocks that
/// refer to no object. `resolved` is what refreshing found out about unfinished intents; it is recorded first, and so is what had
/// drifted.
///
/// Invariant: no effect without an intent in state, and after a crash at any point a new walk ends where this one would
/// have (test: `a_crash_at_any_point_converges`).
pub async fn apply(
    plan: &Plan,
    desired: &Desired,
    resolved: &[(Intent, Option<Object>)],
    ports: &Ports<'_>,
    lease: &Lease,
    stop: &Stop,
) -> Applied {
    apply_with_values(plan, desired, resolved, ports, lease, stop).await.0
}

/// As [`apply`]; and what all objects are by then.
pub async fn apply_with_values(
    plan: &Plan,
    desired: &Desired,
    resolved: &[(Intent, Option<Object>)],
    ports: &Ports<'_>,
    lease: &Lease,
    stop: &Stop,
) -> (Applied, Values) {
    let acting = Acting { now_ms: ports.edge.now_ms(), seed: ports.edge.new_id().into() };
    run::Run::new(plan, &desired.acting(acting), ports, lease, stop).apply(resolved).await
}

/// Whether there is anything to do, or to write down.
pub fn has_work(plan: &Plan, resolved: &[(Intent, Option<Object>)], predict: &dyn Predict) -> bool {
    !plan.is_empty() || !settle::records(plan, resolved, predict).is_empty()
}
