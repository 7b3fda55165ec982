//! Calls of providers that change the world.

use std::time::Duration;

use bimetal_model::port::{CreateRequest, Deletion, Outcome, Refusal, UpdateRequest};
use bimetal_model::snapshot::Object;
use bimetal_model::{Diagnostic, Diagnostics, Value};
use tokio::time::Instant;
use tracing::Span;

use crate::job::{Job, Work};
use crate::{CrashPoint, Ports, Stop};

/// How a call ended for one object.
pub(crate) enum Ending {
    /// It is there.
    Made(Object),
    /// It is gone.
    Gone,
    /// A data source answered.
    Told(Value),
    /// Not yet.
    Again { after: Duration, reason: String, so_far: Option<Object> },
    /// It failed.
    Failed { diagnostics: Diagnostics, so_far: Option<Object> },
    /// Its provider can't say yet, for this reason: the next apply asks again.
    Deferred { why: String },
    /// Nobody waits for it any more, and nobody knows what it did.
    GivenUp { why: &'static str },
}

impl Ending {
    /// As traces name it.
    fn name(&self) -> &'static str {
        match self {
            Ending::Made(_) | Ending::Gone | Ending::Told(_) => "done",
            Ending::Again { .. } => "again",
            Ending::Failed { .. } => "failed",
            Ending::Deferred { .. } => "deferred",
            Ending::GivenUp { .. } => "given-up",
        }
    }

    fn failed(diagnostics: Diagnostics) -> Ending {
        Ending::Failed { diagnostics, so_far: None }
    }

    fn again(after_ms: u64, reason: String, so_far: Option<Object>) -> Ending {
        // Longer than that nobody waits; and a moment so far away can't even be named.
        let after = Duration::from_millis(after_ms).min(2 * Ports::PATIENCE);
        Ending::Again { after, reason, so_far }
    }
}

impl From<Outcome> for Ending {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done(object) => Ending::Made(object),
            Outcome::Retry { after_ms, reason, so_far } => Ending::again(after_ms, reason, so_far),
            Outcome::Failed { diagnostics, so_far } => Ending::Failed { diagnostics, so_far },
        }
    }
}

impl From<Deletion> for Ending {
    fn from(deletion: Deletion) -> Self {
        match deletion {
            Deletion::Done => Ending::Gone,
            Deletion::Retry { after_ms, reason } => Ending::again(after_ms, reason, None),
            Deletion::Failed(diagnostics) => Ending::failed(diagnostics),
        }
    }
}

/// One call for these jobs: creations of one provider and type, or a single job of any kind.
///
/// A call that outlives its deadline, or the grace of somebody in a hurry, is given up: its intents stay.
pub(crate) async fn call<'a>(ports: &Ports<'_>, stop: &Stop, mut jobs: Vec<Job<'a>>) -> Vec<(Job<'a>, Ending)> {
    let spans: Vec<Span> = jobs.iter().map(span).collect();
    let now = Instant::now();
    let deadlines = jobs.iter_mut().map(|job| *job.deadline.get_or_insert(now + Ports::PATIENCE));
    let deadline = deadlines.max().unwrap_or(now);
    let mut endings = tokio::select! {
        biased;
        endings = dispatch(ports, &jobs) => endings,
        () = tokio::time::sleep_until(deadline) => given_up(&jobs, "the provider did not answer in time"),
        () = stop.out_of_grace() => given_up(&jobs, "it was given up, as the run was to end"),
    };
    let missing = || Ending::failed(vec![Diagnostic::error("the provider did not answer for every object")]);
    endings.resize_with(jobs.len(), missing);
    for (span, ending) in spans.iter().zip(&endings) {
        span.record("outcome", ending.name());
    }
    let effects = jobs.iter().filter(|job| job.intent.is_some()).count();
    ports.pass(CrashPoint::AfterEffect, effects);
    jobs.into_iter().zip(endings).collect()
}

/// For traces: nothing in it may be sensitive.
fn span(job: &Job<'_>) -> Span {
    let (provider, ty) = job.owner();
    let (address, action) = (job.address(), job.action());
    tracing::info_span!("effect", %address, %provider, ty, action, outcome = tracing::field::Empty)
}

fn given_up(jobs: &[Job<'_>], why: &'static str) -> Vec<Ending> {
    jobs.iter().map(|_| Ending::GivenUp { why }).collect()
}

async fn dispatch(ports: &Ports<'_>, jobs: &[Job<'_>]) -> Vec<Ending> {
    let Some(first) = jobs.first() else { return Vec::new() };
    match &first.work {
        Work::Create { .. } => create(ports, jobs).await,
        Work::Update { .. } | Work::Delete { .. } | Work::Read { .. } => vec![single(ports, first).await],
    }
}

async fn create(ports: &Ports<'_>, jobs: &[Job<'_>]) -> Vec<Ending> {
    let Some(first) = jobs.first() else { return Vec::new() };
    let (provider, ty) = first.owner();
    let requests = jobs.iter().filter_map(request).collect();
    let outcomes = ports.operate.create(provider, ty, requests).await;
    outcomes.into_iter().map(Ending::from).collect()
}

fn request(job: &Job<'_>) -> Option<CreateRequest> {
    let (Work::Create { config, planned, so_far }, Some(intent)) = (&job.work, &job.intent) else { return None };
    Some(CreateRequest {
        address: job.address().clone(),
        intent: intent.id.clone(),
        config: config.clone(),
        planned: planned.clone(),
        so_far: so_far.clone(),
    })
}

async fn single(ports: &Ports<'_>, job: &Job<'_>) -> Ending {
    let ((provider, ty), address) = (job.owner(), job.address());
    match &job.work {
        Work::Update { prior, config, planned } => {
            let (prior, config, planned) = (prior.clone(), config.clone(), planned.clone());
            let request = UpdateRequest { address: address.clone(), prior, config, planned };
            ports.operate.update(provider, ty, request).await.into()
        }
        Work::Delete { object } => ports.operate.delete(provider, ty, address, object.clone()).await.into(),
        Work::Read { config } => match ports.operate.read_data(provider, ty, address, config).await {
            Ok(value) => Ending::Told(value),
            Err(Refusal::Failed(diagnostics)) => Ending::failed(diagnostics),
            Err(Refusal::Deferred(why)) => Ending::Deferred { why },
        },
        Work::Create { .. } => unreachable!("creations go through `create`"),
    }
}
