//! The walk over the graph: what is ready is begun, what ended is recorded, until nothing is left.

use std::collections::BTreeMap;
use std::time::Duration;

use bimetal_config::Desired;
use bimetal_model::event::Event;
use bimetal_model::port::{Lease, Record, StateError};
use bimetal_model::snapshot::{Intent, Object, RevisionOutcome};
use bimetal_model::{Diagnostic, Diagnostics, Value};
use bimetal_plan::{Mode, Plan, Values};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};

use crate::effect::{Ending, call};
use crate::graph::{Graph, Step};
use crate::job::{Job, Work};
use crate::{Applied, CrashPoint, Ports, Stop, prepare, settle, verdict};

/// Retries that are due about the same time go into one call.
const TOGETHER: Duration = Duration::from_millis(250);

/// Something that runs: a call, or a wait before the next one.
enum Happened<'a> {
    Ended(Vec<(Job<'a>, Ending)>),
    Due(Vec<Job<'a>>),
}

type Running<'a> = FuturesUnordered<BoxFuture<'a, Happened<'a>>>;

/// One apply.
pub(crate) struct Run<'a> {
    plan: &'a Plan,
    desired: &'a Desired,
    ports: &'a Ports<'a>,
    lease: &'a Lease,
    stop: &'a Stop,
    graph: Graph,
    values: Values,
    diagnostics: Diagnostics,
    counts: Counts,
    /// Of what runs, those that only wait until a provider can be asked again: they take no place.
    waiting: usize,
    /// The state can't be written: nothing more may be done.
    broken: bool,
}

#[derive(Default)]
struct Counts {
    done: usize,
    failed: usize,
    skipped: usize,
}

impl<'a> Run<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        desired: &'a Desired,
        ports: &'a Ports<'a>,
        lease: &'a Lease,
        stop: &'a Stop,
    ) -> Self {
        let (values, diagnostics) = Values::of_plan(desired, plan, ports.predict);
        let graph = Graph::new(plan);
        Run {
            plan,
            desired,
            ports,
            lease,
            stop,
            graph,
            values,
            diagnostics,
            counts: Counts::default(),
            waiting: 0,
            broken: false,
        }
    }

    pub(crate) async fn apply(mut self, resolved: &[(Intent, Option<Object>)]) -> Applied {
        self.record(settle::records(self.plan, resolved)).await;
        let mut running = Running::new();
        loop {
            self.begin(&mut running).await;
            let Some(happened) = running.next().await else { break };
            self.waiting -= usize::from(matches!(happened, Happened::Due(_)));
            match happened {
                Happened::Ended(ended) => self.ended(ended, &mut running).await,
                // What is not ready yet is recorded, with its intent: the next run goes on from there.
                Happened::Due(jobs) if self.stop.is_stopped() => self.counts.skipped += jobs.len(),
                Happened::Due(jobs) => running.push(self.call(jobs)),
            }
        }
        self.finish().await
    }

    /// Begins what is ready and fits.
    async fn begin(&mut self, running: &mut Running<'a>) {
        let mut jobs = Vec::new();
        let busy = running.len() - self.waiting;
        let may_begin = !self.broken && !self.stop.is_stopped();
        while may_begin && jobs.len() + busy < self.ports.parallelism && self.graph.has_ready() {
            for step in self.graph.take(1) {
                match prepare::job(self.plan, self.desired, self.ports, &self.values, step) {
                    Ok(job) => jobs.push(job),
                    Err(diagnostics) => self.failed(step, "prepare", diagnostics),
                }
            }
        }
        let intents: Vec<Intent> = jobs.iter().filter_map(|job| job.intent.clone()).collect();
        if jobs.is_empty() {
            return;
        }
        self.ports.pass(CrashPoint::BeforeIntent, intents.len());
        if let Err(error) = self.ports.remember.intend(self.lease, &intents).await {
            return self.lost(&error);
        }
        self.ports.pass(CrashPoint::AfterIntent, intents.len());
        for job in &jobs {
            self.ports.notify.notify(Event::Started { address: job.address().clone(), action: job.action() });
        }
        for batch in self.batches(jobs) {
            running.push(self.call(batch));
        }
    }

    /// Creations of one provider and type together, as many as its schema takes.
    fn batches(&self, jobs: Vec<Job<'a>>) -> Vec<Vec<Job<'a>>> {
        let mut batches: Vec<Vec<Job<'a>>> = Vec::new();
        for job in jobs {
            let most = verdict::managed(self.ports.predict, job.change).batch.max(1) as usize;
            let fits = |batch: &&mut Vec<Job<'a>>| {
                job.is_creation()
                    && batch.len() < most
                    && batch.first().is_some_and(|first| first.is_creation() && first.owner() == job.owner())
            };
            match batches.iter_mut().find(fits) {
                Some(batch) => batch.push(job),
                None => batches.push(vec![job]),
            }
        }
        batches
    }

    fn call(&self, jobs: Vec<Job<'a>>) -> BoxFuture<'a, Happened<'a>> {
        let ports = self.ports;
        async move { Happened::Ended(call(ports, jobs).await) }.boxed()
    }

    async fn ended(&mut self, ended: Vec<(Job<'a>, Ending)>, running: &mut Running<'a>) {
        let mut records = Vec::new();
        let mut again: BTreeMap<u64, Vec<Job<'a>>> = BTreeMap::new();
        let mut over = Vec::new();
        for (mut job, ending) in ended {
            match ending {
                Ending::Again { after_ms, reason, so_far } => {
                    self.not_yet(&mut job, &reason, so_far, &mut records);
                    let slot = after_ms.div_ceil(TOGETHER.as_millis() as u64);
                    again.entry(slot).or_default().push(job);
                }
                ending => over.push((self.judge(&job, ending, &mut records), job)),
            }
        }
        let effects = over.len();
        if self.record(records).await {
            self.ports.pass(CrashPoint::AfterOutcome, effects);
        }
        for (result, job) in over {
            self.settle(job, result);
        }
        for (slot, jobs) in again {
            let wait = TOGETHER * u32::try_from(slot).unwrap_or(u32::MAX);
            self.waiting += 1;
            running.push(due(self.stop, wait, jobs).boxed());
        }
    }

    fn not_yet(&self, job: &mut Job<'a>, reason: &str, found: Option<Object>, records: &mut Vec<Record>) {
        let event =
            Event::Progress { address: job.address().clone(), message: reason.to_owned(), done: None, total: None };
        self.ports.notify.notify(event);
        let schema = verdict::managed(self.ports.predict, job.change);
        if let (Work::Create { config, so_far, .. }, Some(found)) = (&mut job.work, found) {
            let object = verdict::so_far(&schema, config, found);
            *so_far = Some(object.clone());
            let stored = verdict::stored(job.change, &schema, object, job.intent.clone());
            records.push(Record::Put { address: job.change.address.clone(), stored: Box::new(stored), closes: None });
        }
    }

    /// What is to be recorded, and whether it is as it should be.
    fn judge(&self, job: &Job<'a>, ending: Ending, records: &mut Vec<Record>) -> Result<Option<Value>, Diagnostics> {
        let closes = job.intent.as_ref().map(|intent| intent.id.clone());
        let address = job.address().clone();
        let schema = verdict::managed(self.ports.predict, job.change);
        match (ending, &job.work) {
            (Ending::Made(object), Work::Create { config, planned, .. } | Work::Update { config, planned, .. }) => {
                let judged = verdict::judge(job.change, &schema, config, &planned.value, object.value);
                let object = Object { value: judged.value.clone(), private: object.private };
                let stored = verdict::stored(job.change, &schema, object, None);
                records.push(Record::Put { address, stored: Box::new(stored), closes });
                if judged.bugs.is_empty() { Ok(Some(judged.value)) } else { Err(judged.bugs) }
            }
            (Ending::Told(value), Work::Read { config }) => {
                let source = verdict::source(self.ports.predict, job.change);
                let judged = verdict::judge(job.change, &source, config, &verdict::anything(), value);
                if judged.bugs.is_empty() { Ok(Some(judged.value)) } else { Err(judged.bugs) }
            }
            (Ending::Gone, _) => {
                records.push(Record::Remove { address, closes });
                Ok(None)
            }
            (Ending::Failed { diagnostics, so_far }, Work::Create { config, .. }) => {
                if let Some(found) = so_far {
                    let object = verdict::so_far(&schema, config, found);
                    let stored = verdict::stored(job.change, &schema, object, job.intent.clone());
                    records.push(Record::Put { address, stored: Box::new(stored), closes });
                }
                Err(diagnostics)
            }
            (Ending::Failed { diagnostics, .. }, _) => {
                // Reading tells what an update or a removal that failed has left.
                records.extend(closes.map(Record::Close));
                Err(diagnostics)
            }
            (Ending::Made(_) | Ending::Told(_) | Ending::Again { .. }, _) => {
                Err(vec![Diagnostic::error("the host gave an answer of another kind").of(&address)])
            }
        }
    }

    fn settle(&mut self, job: Job<'a>, result: Result<Option<Value>, Diagnostics>) {
        match result {
            Ok(value) => {
                self.ports.notify.notify(Event::Finished { address: job.address().clone(), action: job.action() });
                if let Some(value) = value {
                    self.values.put(job.address(), value);
                }
                self.counts.done += 1;
                self.graph.done(job.step);
            }
            Err(diagnostics) => self.failed(job.step, job.action(), diagnostics),
        }
    }

    fn failed(&mut self, step: Step, action: &'static str, diagnostics: Diagnostics) {
        let address = &self.plan.changes[step.change].address;
        let diagnostics: Diagnostics = diagnostics.into_iter().map(|diagnostic| diagnostic.of(address)).collect();
        self.ports.notify.notify(Event::Failed { address: address.clone(), action, diagnostics: diagnostics.clone() });
        self.diagnostics.extend(diagnostics);
        self.counts.failed += 1;
        for fallen in self.graph.failed(step) {
            let skipped = self.plan.changes[fallen.change].address.clone();
            if skipped != *address {
                self.ports.notify.notify(Event::Skipped { address: skipped, because: address.clone() });
                self.counts.skipped += 1;
            }
        }
    }

    /// `false`: it could not be written.
    async fn record(&mut self, records: Vec<Record>) -> bool {
        if records.is_empty() {
            return true;
        }
        match self.ports.remember.record(self.lease, records).await {
            Ok(()) => true,
            Err(error) => {
                self.lost(&error);
                false
            }
        }
    }

    fn lost(&mut self, error: &StateError) {
        self.broken = true;
        let error = Diagnostic::error(error.to_string());
        self.diagnostics.push(error.hint("nothing more was begun; the next apply finds what was made"));
    }

    async fn finish(mut self) -> Applied {
        let rest = self.graph.rest().count();
        self.counts.skipped += rest;
        let (outputs, diagnostics) = match self.plan.mode {
            Mode::Apply => bimetal_plan::outputs(self.desired, &self.values),
            Mode::Destroy => Default::default(),
        };
        let whole = self.counts.failed == 0 && self.counts.skipped == 0 && !self.broken;
        if whole {
            self.diagnostics.extend(diagnostics);
            self.record(vec![Record::Outputs(outputs.clone())]).await;
        }
        let outcome = match (whole && !self.broken, self.stop.is_stopped(), self.counts.done) {
            (true, _, _) => RevisionOutcome::Done,
            (false, true, _) => RevisionOutcome::Interrupted,
            (false, false, 0) => RevisionOutcome::Failed,
            (false, false, _) => RevisionOutcome::Partial,
        };
        let Counts { done, failed, skipped } = self.counts;
        Applied { outcome, diagnostics: self.diagnostics, done, failed, skipped, outputs }
    }
}

/// Waits, but not longer than somebody wants to stop.
async fn due<'a>(stop: &'a Stop, wait: Duration, jobs: Vec<Job<'a>>) -> Happened<'a> {
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        () = stop.stopped() => {}
    }
    Happened::Due(jobs)
}
