//! The walk over the graph: what is ready is begun, what ended is recorded, until nothing is left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bimetal_config::Desired;
use bimetal_model::diagnostic::has_errors;
use bimetal_model::event::Event;
use bimetal_model::placement::Placement;
use bimetal_model::port::{Lease, Record, StateError};
use bimetal_model::snapshot::{Intent, Object, RevisionOutcome};
use bimetal_model::{Address, Diagnostic, Diagnostics, Severity, Value};
use bimetal_plan::{Mode, OutputChange, Plan, Values};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};

use crate::effect::{Ending, call};
use crate::graph::{Graph, Part, Step};
use crate::image::Images;
use crate::job::Job;
use crate::ledger::{Counts, Ledger};
use crate::outcome::{self, Outcome};
use crate::prepare::Prepare;
use crate::waiting::Waiting;
use crate::{Applied, CrashPoint, Ports, Stop, settle, verdict};

type Ended<'a> = Vec<(Job<'a>, Ending)>;

/// One apply.
pub(crate) struct Run<'a> {
    plan: &'a Plan,
    desired: &'a Desired,
    ports: &'a Ports<'a>,
    lease: &'a Lease,
    stop: &'a Stop,
    graph: Graph,
    /// As planned, and real where it is done.
    values: Values,
    /// As it is: what was there before, until something else is made of it.
    existing: Values,
    /// Of replicas whose images nobody knew when they were placed.
    placements: BTreeMap<Address, Placement>,
    images: Images,
    diagnostics: Diagnostics,
    ledger: Ledger,
    /// Calls that run.
    running: FuturesUnordered<BoxFuture<'a, Ended<'a>>>,
    /// How many objects those calls are about.
    busy: usize,
    /// What was begun and can't go on yet; it takes no place.
    waiting: Waiting<'a>,
    /// The state can't be written: nothing more may be done.
    broken: bool,
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
        Run {
            plan,
            desired,
            ports,
            lease,
            stop,
            graph: Graph::new(plan),
            values,
            existing: Values::before_plan(desired, plan, ports.predict),
            placements: BTreeMap::new(),
            images: Images::default(),
            diagnostics,
            ledger: Ledger::default(),
            running: FuturesUnordered::new(),
            busy: 0,
            waiting: Waiting::new(),
            broken: false,
        }
    }

    pub(crate) async fn apply(mut self, resolved: &[(Intent, Option<Object>)]) -> (Applied, Values) {
        self.record(settle::records(self.plan, resolved, self.ports.predict)).await;
        loop {
            self.begin().await;
            if self.running.is_empty() && self.waiting.is_empty() {
                return self.finish().await;
            }
            tokio::select! {
                biased;
                Some(ended) = self.running.next() => self.ended_together(ended).await,
                () = self.stop.stopped(), if !self.waiting.is_empty() => self.waiting.clear(),
                () = self.waiting.due() => self.go_on(),
            }
        }
    }

    /// What ended in the meantime, as while the last outcomes were written, shares one transaction.
    async fn ended_together(&mut self, mut ended: Ended<'a>) {
        while let Some(Some(more)) = self.running.next().now_or_never() {
            ended.extend(more);
        }
        self.ended(ended).await;
    }

    /// Begins what is ready and fits.
    async fn begin(&mut self) {
        let jobs = self.prepare().await;
        let intents: Vec<Intent> = jobs.iter().filter_map(|job| job.intent.clone()).collect();
        self.ports.pass(CrashPoint::BeforeIntent, intents.len());
        if !self.record(jobs.iter().flat_map(Job::deposes).collect()).await {
            return;
        }
        if !intents.is_empty()
            && let Err(error) = self.ports.remember.intend(self.lease, &intents).await
        {
            return self.lost(&error);
        }
        self.ports.pass(CrashPoint::AfterIntent, intents.len());
        for job in &jobs {
            self.ports.notify.notify(Event::Started { address: job.address().clone(), action: job.action() });
        }
        self.call(jobs);
    }

    async fn prepare(&mut self) -> Vec<Job<'a>> {
        let mut jobs = Vec::new();
        let may_begin = !self.broken && !self.stop.is_stopped();
        while may_begin && jobs.len() + self.busy < self.ports.parallelism.max(1) {
            let Some(step) = self.graph.take() else { break };
            if let Err(diagnostics) = self.settle_image(step).await {
                self.failed(step, "prepare", diagnostics);
                continue;
            }
            let prepare = Prepare {
                plan: self.plan,
                desired: self.desired,
                ports: self.ports,
                values: &self.values,
                existing: &self.existing,
                placements: &self.placements,
            };
            match prepare.job(step) {
                Ok(job) => jobs.push(job),
                Err(diagnostics) => self.failed(step, "prepare", diagnostics),
            }
        }
        jobs
    }

    /// Looks up the image of a replica that nobody knew when it was placed.
    async fn settle_image(&mut self, step: Step) -> Result<(), Diagnostics> {
        let change = &self.plan.changes[step.change];
        let placement = change.placement.as_ref().filter(|placement| placement.image.is_empty());
        let Some(placement) = placement.filter(|_| step.part == Part::Make) else { return Ok(()) };
        let placement = self.images.settled(placement, self.desired, &self.values, self.ports.operate).await?;
        self.values.replace(placement.clone());
        self.placements.insert(change.address.clone(), placement);
        Ok(())
    }

    /// Asks again for what is due.
    fn go_on(&mut self) {
        let jobs = self.waiting.take();
        self.call(jobs);
    }

    fn call(&mut self, jobs: Vec<Job<'a>>) {
        self.busy += jobs.len();
        let ports = self.ports;
        for batch in self.batches(jobs) {
            self.running.push(call(ports, batch).boxed());
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

    async fn ended(&mut self, ended: Ended<'a>) {
        self.busy -= ended.len();
        let (mut records, mut over, mut again) = (Vec::new(), Vec::new(), Vec::new());
        for (mut job, ending) in ended {
            match job.with_patience(ending) {
                Ending::Again { after, reason, so_far } => {
                    self.tell(&job, reason);
                    records.extend(so_far.and_then(|found| outcome::on_the_way(self.ports, &mut job, found)));
                    again.push((job, after));
                }
                ending => {
                    let Outcome { record, result } = outcome::of(self.ports, &job, ending);
                    records.extend(record);
                    over.push((job, result));
                }
            }
        }
        if self.record(records).await {
            self.ports.pass(CrashPoint::AfterOutcome, over.len());
        }
        for (job, result) in over {
            self.settle(&job, result);
        }
        self.wait(again);
    }

    fn wait(&mut self, jobs: Vec<(Job<'a>, Duration)>) {
        if self.broken || self.stop.is_stopped() {
            return;
        }
        for (job, after) in jobs {
            self.waiting.put(job, after);
        }
    }

    fn tell(&self, job: &Job<'a>, message: String) {
        let address = job.address().clone();
        self.ports.notify.notify(Event::Progress { address, message, done: None, total: None });
    }

    fn settle(&mut self, job: &Job<'a>, result: Result<Option<Value>, Diagnostics>) {
        let result = result.and_then(|value| {
            if let Some(value) = &value {
                bimetal_plan::after(self.desired, job.address(), value, &self.values)?;
            }
            Ok(value)
        });
        match result {
            Ok(value) => {
                self.ports.notify.notify(Event::Finished { address: job.address().clone(), action: job.action() });
                if let Some(value) = value {
                    self.existing.put(job.address(), value.clone());
                    self.values.put(job.address(), value);
                }
                self.ledger.done(job.step);
                self.graph.done(job.step);
            }
            Err(diagnostics) => self.failed(job.step, job.action(), diagnostics),
        }
    }

    fn failed(&mut self, step: Step, action: &'static str, diagnostics: Diagnostics) {
        let address = &self.plan.changes[step.change].address;
        let diagnostics: Diagnostics = diagnostics.into_iter().map(|diagnostic| diagnostic.of(address)).collect();
        let event = Event::Failed { address: address.clone(), action, diagnostics: diagnostics.clone() };
        self.ports.notify.notify(event);
        if self.desired.module.objects.get(&address.whole()).is_some_and(|block| block.check.is_some()) {
            // Nothing waits for what is read for a check.
            let warning = |diagnostic| Diagnostic { severity: Severity::Warning, ..diagnostic };
            self.diagnostics.extend(diagnostics.into_iter().map(warning));
            self.ledger.done(step);
            return self.graph.done(step);
        }
        self.diagnostics.extend(diagnostics);
        self.ledger.failed(step);
        let fallen: BTreeSet<&Address> =
            self.graph.failed(step).into_iter().map(|fallen| &self.plan.changes[fallen.change].address).collect();
        for skipped in fallen.into_iter().filter(|skipped| *skipped != address) {
            self.ports.notify.notify(Event::Skipped { address: skipped.clone(), because: address.clone() });
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
        self.waiting.clear();
        let error = Diagnostic::error(error.to_string());
        self.diagnostics.push(error.hint("nothing more was begun; the next apply finds what was made"));
    }

    /// A plan has no circles, unless somebody made one.
    fn tell_circle(&mut self) {
        let circle: BTreeSet<&Address> =
            self.graph.stuck().map(|step| &self.plan.changes[step.change].address).collect();
        let is_stopped = self.broken || self.stop.is_stopped();
        if let Some(first) = circle.first().filter(|_| !is_stopped) {
            let names: Vec<String> = circle.iter().map(|address| format!("`{address}`")).collect();
            let error = Diagnostic::error(format!("these wait for each other: {}", names.join(", ")));
            self.diagnostics.push(error.hint("this is a bug of Bimetal's: report it, with the plan").of(first));
        }
    }

    async fn finish(mut self) -> (Applied, Values) {
        self.tell_circle();
        if self.plan.mode == Mode::Apply {
            self.diagnostics.extend(bimetal_plan::checks(self.desired, &self.values, self.plan.left_out()));
        }
        let Counts { done, failed, skipped } = self.ledger.counts(self.plan);
        let is_whole = failed + skipped == 0 && !self.broken;
        let outputs = if is_whole { self.all_outputs() } else { self.some_outputs() };
        if !self.broken {
            self.record(vec![Record::Outputs(outputs.clone())]).await;
        }
        let is_done = is_whole && !self.broken && !has_errors(&self.diagnostics);
        let outcome = match (is_done, self.stop.is_stopped(), self.ledger.has_done()) {
            (true, _, _) => RevisionOutcome::Done,
            (false, true, _) => RevisionOutcome::Interrupted,
            (false, false, false) => RevisionOutcome::Failed,
            (false, false, true) => RevisionOutcome::Partial,
        };
        let tally = self.ledger.tally(self.plan);
        let applied = Applied { outcome, diagnostics: self.diagnostics, done, failed, skipped, tally, outputs };
        (applied, self.values)
    }

    fn all_outputs(&mut self) -> BTreeMap<String, Value> {
        let planned = |outputs: &BTreeMap<String, OutputChange>| -> BTreeMap<String, Value> {
            outputs.iter().filter_map(|(name, output)| Some((name.clone(), output.after.clone()?))).collect()
        };
        match self.plan.mode {
            Mode::Apply => {
                let (outputs, diagnostics) = bimetal_plan::outputs(self.desired, &self.values, self.plan.left_out());
                self.diagnostics.extend(diagnostics);
                let kept = self.plan.partial.iter().flat_map(|partial| &partial.outputs);
                let kept = kept.filter_map(|name| Some((name.clone(), self.plan.outputs.get(name)?.after.clone()?)));
                kept.chain(outputs).collect()
            }
            Mode::Destroy | Mode::RefreshOnly => planned(&self.plan.outputs),
        }
    }

    /// What is known in spite of what was not done; the rest is as it was.
    fn some_outputs(&self) -> BTreeMap<String, Value> {
        let before = |(name, output): (&String, &OutputChange)| {
            let is_wanted = output.after.is_some() || self.plan.mode == Mode::Destroy;
            output.before.clone().filter(|_| is_wanted).map(|value| (name.clone(), value))
        };
        let mut outputs: BTreeMap<String, Value> = self.plan.outputs.iter().filter_map(before).collect();
        if self.plan.mode == Mode::Apply {
            let (undone, left_out) = (self.ledger.undone(self.plan), self.plan.left_out());
            outputs.extend(bimetal_plan::outputs_without(self.desired, &self.values, &undone, left_out));
        }
        outputs
    }
}
