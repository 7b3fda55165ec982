//! The walk over the graph: what is ready is begun, what ended is recorded, until nothing is left.

mod finish;
mod lend;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bimetal_config::Desired;
use bimetal_model::event::Event;
use bimetal_model::lease::Lease;
use bimetal_model::placement::Placement;
use bimetal_model::port::{Record, Refusal, StateError};
use bimetal_model::snapshot::{Intent, IntentId, Object};
use bimetal_model::{Address, Diagnostic, Diagnostics, Severity, Value};
use bimetal_plan::{Plan, Values};
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};

use tracing::Instrument as _;

use crate::budget::{Budgets, Spent};
use crate::effect::{Ending, call};
use crate::graph::{Graph, Part, Step};
use crate::image::Images;
use crate::job::Job;
use crate::ledger::Ledger;
use crate::outcome::{self, Outcome};
use crate::places::Places;
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
    /// Promises that are made once more.
    again: BTreeMap<Address, IntentId>,
    /// What is ephemeral, and open by now; nothing where nothing is ephemeral.
    opened: Option<BTreeSet<Address>>,
    images: Images,
    diagnostics: Diagnostics,
    ledger: Ledger,
    /// Calls that run.
    running: FuturesUnordered<BoxFuture<'a, Ended<'a>>>,
    /// Where those calls run.
    places: Places,
    /// What was begun and can't go on yet; it takes no place.
    waiting: Waiting<'a>,
    /// What can go on as soon as there is a place.
    due: VecDeque<Job<'a>>,
    budgets: Budgets<'a>,
    /// More machines failed than may: nothing more may begin.
    exceeded: bool,
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
            again: BTreeMap::new(),
            opened: lend::none_open(desired),
            images: Images::default(),
            diagnostics,
            ledger: Ledger::default(),
            running: FuturesUnordered::new(),
            places: Places::new(plan, ports.parallelism),
            waiting: Waiting::new(),
            due: VecDeque::new(),
            budgets: Budgets::new(plan),
            exceeded: false,
            broken: false,
        }
    }

    pub(crate) async fn apply(mut self, resolved: &[(Intent, Option<Object>)]) -> (Applied, Values) {
        self.again = settle::promised_again(self.plan, resolved, self.ports.predict);
        self.record(settle::records(self.plan, resolved, self.ports.predict)).await;
        self.ports.notify.notify(Event::Begun { effects: self.places.steps() });
        loop {
            self.begin().await;
            if self.running.is_empty() && self.waiting.is_empty() {
                return self.finish().await;
            }
            tokio::select! {
                biased;
                Some(ended) = self.running.next() => self.ended_together(ended).await,
                () = self.stop.stopped(), if !self.waiting.is_empty() => self.forget_waiting(),
                () = self.waiting.due() => self.due.extend(self.waiting.take()),
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

    fn may_begin(&self) -> bool {
        !self.broken && !self.exceeded && !self.stop.is_stopped()
    }

    /// Nobody asks again: the next run goes on from what is recorded.
    fn forget_waiting(&mut self) {
        self.waiting.clear();
        self.due.clear();
    }

    /// Begins what is ready and fits; what was begun before comes first.
    async fn begin(&mut self) {
        self.go_on();
        let jobs = self.prepare().await;
        let intents: Vec<Intent> = jobs.iter().filter_map(|job| job.intent.clone()).collect();
        self.ports.pass(CrashPoint::BeforeIntent, intents.len());
        if !self.record(jobs.iter().flat_map(Job::deposes).collect()).await {
            return;
        }
        if !self.intend(&intents).await {
            return;
        }
        self.ports.pass(CrashPoint::AfterIntent, intents.len());
        for job in &jobs {
            self.ports.notify.notify(Event::Started { address: job.address().clone(), action: job.action() });
        }
        self.call(jobs);
    }

    async fn prepare(&mut self) -> Vec<Job<'a>> {
        let (plan, mut jobs) = (self.plan, Vec::new());
        while self.may_begin() {
            let Some(step) = self.places.next(plan, &mut self.graph) else { break };
            if let Err(diagnostics) = self.settle_image(step).await {
                self.failed(step, "prepare", diagnostics);
                continue;
            }
            let opened = self.open(step).await;
            match opened.and_then(|()| self.preparing().job(step)) {
                Ok(job) => match self.budgets.failed_machine(&job, &self.existing) {
                    Some(machine) => self.skip(step, &machine),
                    None => {
                        self.places.enter(&job.owner().0.name);
                        jobs.push(job);
                    }
                },
                Err(Refusal::Failed(diagnostics)) => self.failed(step, "prepare", diagnostics),
                Err(Refusal::Deferred(why)) => self.put_off(step, "prepare", why),
            }
        }
        jobs
    }

    fn preparing(&self) -> Prepare<'_, 'a> {
        Prepare {
            plan: self.plan,
            desired: self.desired,
            ports: self.ports,
            values: &self.values,
            existing: &self.existing,
            placements: &self.placements,
            again: &self.again,
        }
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

    /// Asks again for what is due, as far as there is a place.
    fn go_on(&mut self) {
        let mut jobs = Vec::new();
        if !self.may_begin() {
            return self.due.clear();
        }
        for job in std::mem::take(&mut self.due) {
            let provider = &job.owner().0.name;
            if self.places.room(provider) > 0 {
                self.places.enter(provider);
                jobs.push(job);
            } else {
                self.due.push_back(job);
            }
        }
        self.call(jobs);
    }

    /// Each of them has a place.
    fn call(&mut self, jobs: Vec<Job<'a>>) {
        let (ports, stop) = (self.ports, self.stop);
        for batch in self.batches(jobs) {
            self.running.push(call(ports, stop, batch).boxed());
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
        ended.iter().for_each(|(job, _)| self.places.leave(&job.owner().0.name));
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
        if !self.may_begin() {
            return self.forget_waiting();
        }
        for (job, after) in jobs {
            self.waiting.put(job, after);
        }
    }

    fn tell(&self, job: &Job<'a>, message: String) {
        let address = job.address().clone();
        self.ports.notify.notify(Event::Progress { address, message, done: None, total: None });
    }

    fn settle(&mut self, job: &Job<'a>, result: Result<Option<Value>, Refusal>) {
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
                self.done(job.step);
            }
            Err(Refusal::Failed(diagnostics)) => {
                let diagnostics = self.spend(job, diagnostics);
                self.failed(job.step, job.action(), diagnostics);
            }
            Err(Refusal::Deferred(why)) => self.put_off(job.step, job.action(), why),
        }
    }

    /// Where the job's machine may fail, warnings are left of what went wrong; where too many have failed, that is said.
    fn spend(&mut self, job: &Job<'a>, mut diagnostics: Diagnostics) -> Diagnostics {
        // What was given up in a hurry is nobody's fault.
        let machine = self.budgets.machine_of(job, &self.existing).filter(|_| !self.stop.is_hurried());
        let Some(machine) = machine else { return diagnostics };
        let is_new = !self.budgets.has_failed(&machine);
        match self.budgets.fail(&machine) {
            Spent::Tolerated(warning) => {
                diagnostics = diagnostics.into_iter().map(as_warning).collect();
                if is_new {
                    let because = diagnostics.first().map(|said| said.summary.clone()).unwrap_or_default();
                    self.ports.notify.notify(Event::Degraded { machine, because });
                    diagnostics.push(warning);
                }
            }
            Spent::Exceeded(error) => {
                if !std::mem::replace(&mut self.exceeded, true) {
                    diagnostics.push(error);
                }
            }
        }
        diagnostics
    }

    fn done(&mut self, step: Step) {
        self.places.over(self.plan, step);
        self.ledger.done(step);
        self.graph.done(step);
    }

    fn failed(&mut self, step: Step, action: &'static str, diagnostics: Diagnostics) {
        let address = &self.plan.changes[step.change].address;
        let diagnostics: Diagnostics = diagnostics.into_iter().map(|diagnostic| diagnostic.of(address)).collect();
        let event = Event::Failed { address: address.clone(), action, diagnostics: diagnostics.clone() };
        self.ports.notify.notify(event);
        if self.is_of_check(address) {
            // Nothing waits for what is read for a check.
            self.diagnostics.extend(diagnostics.into_iter().map(as_warning));
            return self.done(step);
        }
        self.diagnostics.extend(diagnostics);
        self.ledger.failed(step);
        self.fall(step, address, BTreeSet::new());
    }

    /// Its provider can't say yet: the next apply goes on from there.
    fn put_off(&mut self, step: Step, action: &'static str, because: String) {
        let address = &self.plan.changes[step.change].address;
        self.ports.notify.notify(Event::Deferred { address: address.clone(), action, because: because.clone() });
        if self.is_of_check(address) {
            let warning = Diagnostic::warning(format!("`{address}` can't be read yet")).because(because);
            self.diagnostics.push(warning.of(address));
            return self.done(step);
        }
        self.ledger.deferred(step);
        for fallen in self.fall(step, address, BTreeSet::new()) {
            self.ledger.deferred(fallen);
        }
    }

    fn is_of_check(&self, address: &Address) -> bool {
        self.desired.module.objects.get(&address.whole()).is_some_and(|block| block.check.is_some())
    }

    /// Not begun, as its machine has failed.
    fn skip(&mut self, step: Step, machine: &Address) {
        self.fall(step, machine, [&self.plan.changes[step.change].address].into());
    }

    /// The step will not be, nor what depends on it: these steps.
    fn fall(&mut self, step: Step, because: &Address, mut skipped: BTreeSet<&'a Address>) -> Vec<Step> {
        let fallen = self.graph.failed(step);
        for step in fallen.iter().chain([&step]) {
            self.places.over(self.plan, *step);
        }
        skipped.extend(fallen.iter().map(|fallen| &self.plan.changes[fallen.change].address));
        for skipped in skipped.into_iter().filter(|skipped| *skipped != because) {
            self.ports.notify.notify(Event::Skipped { address: skipped.clone(), because: because.clone() });
        }
        fallen
    }

    /// `false`: it could not be written.
    async fn intend(&mut self, intents: &[Intent]) -> bool {
        if intents.is_empty() {
            return true;
        }
        let span = tracing::info_span!("commit", what = "intents", count = intents.len());
        let written = self.ports.remember.intend(self.lease, intents).instrument(span).await;
        self.written(written)
    }

    /// `false`: it could not be written.
    async fn record(&mut self, records: Vec<Record>) -> bool {
        if records.is_empty() {
            return true;
        }
        let span = tracing::info_span!("commit", what = "outcomes", count = records.len());
        let written = self.ports.remember.record(self.lease, records).instrument(span).await;
        self.written(written)
    }

    fn written(&mut self, written: Result<(), StateError>) -> bool {
        if let Err(error) = &written {
            self.lost(error);
        }
        written.is_ok()
    }

    fn lost(&mut self, error: &StateError) {
        self.broken = true;
        self.forget_waiting();
        let error = Diagnostic::error(error.to_string());
        self.diagnostics.push(error.hint("nothing more was begun; the next apply finds what was made"));
    }
}

fn as_warning(diagnostic: Diagnostic) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, ..diagnostic }
}
