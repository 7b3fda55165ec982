//! The walk, as the command line does it: look, plan, apply.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bimetal_apply::{Applied, CrashPoint, Ports, Stop, apply};
use bimetal_config::{Desired, Given, Outside, SourceFile, desired};
use bimetal_model::Diagnostic;
use bimetal_model::diagnostic::has_errors;
use bimetal_model::event::{Event, Notify, Silent};
use bimetal_model::lease::Holder;
use bimetal_model::port::{Edge, Operate as _, Remember as _};
use bimetal_model::question::{Answers, Observed};
use bimetal_model::snapshot::{Objects, RevisionOutcome};
use bimetal_plan::{Mode, Options, Plan, Planning, bind, plan, provider_configs};
use bimetal_refresh::{Calls, answer, refresh};

use super::fuse::Fuse;
use super::memory::Memory;
use super::world::{Journal, World};

/// A world, a state, and someone who applies.
pub struct Bench {
    pub world: Arc<World>,
    pub memory: Arc<Memory>,
    pub journal: Arc<Journal>,
    pub fuse: Arc<Fuse>,
    pub stop: Stop,
    pub parallelism: usize,
    pub events: Heard,
    pub ids: AtomicU64,
}

/// Every event in a line.
#[derive(Default)]
pub struct Heard {
    lines: Mutex<Vec<String>>,
    /// Told when a line comes that contains this.
    stop_at: Mutex<Option<(String, Stop)>>,
}

impl Heard {
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

impl Notify for Heard {
    fn notify(&self, event: Event) {
        let line = match event {
            Event::Started { address, action } => format!("{action} {address} begins"),
            Event::Progress { address, message, .. } => format!("{address}: {message}"),
            Event::Finished { address, action } => format!("{action} {address} ends"),
            Event::Failed { address, action, .. } => format!("{action} {address} fails"),
            Event::Deferred { address, because, .. } => format!("{address} is deferred: {because}"),
            Event::Skipped { address, because } => format!("{address} is skipped because of {because}"),
            Event::Busy { message } => message,
            Event::Begun { .. } => return,
            Event::Degraded { machine, because } => format!("{machine} is degraded: {because}"),
        };
        if let Some((text, stop)) = &*self.stop_at.lock().unwrap()
            && line.contains(text)
        {
            stop.stop();
        }
        self.lines.lock().unwrap().push(line);
    }
}

impl Edge for Bench {
    fn now_ms(&self) -> u64 {
        0
    }

    fn new_id(&self) -> String {
        format!("i{}", self.ids.fetch_add(1, Ordering::Relaxed))
    }
}

impl Default for Bench {
    fn default() -> Self {
        let (fuse, journal) = (Arc::new(Fuse::default()), Arc::new(Journal::default()));
        let memory = Arc::new(Memory::new(fuse.clone(), journal.clone()));
        let world = Arc::new(World::new(fuse.clone(), memory.clone(), journal.clone()));
        let (stop, events) = (Stop::default(), Heard::default());
        Bench { world, memory, journal, fuse, stop, parallelism: 64, events, ids: AtomicU64::new(1) }
    }
}

/// Diagnostics, for people who read tests.
pub fn told(said: &[Diagnostic]) -> String {
    let one = |d: &Diagnostic| {
        let of = d.address.as_ref().map(|address| format!("{address}: ")).unwrap_or_default();
        let why = if d.detail.is_empty() { String::new() } else { format!(" ({})", d.detail) };
        format!("{of}{}{why}", d.summary)
    };
    said.iter().map(one).collect::<Vec<_>>().join("\n")
}

pub fn read(config: &str) -> Desired {
    let file = SourceFile { name: "main.bm.hcl".into(), text: config.into() };
    match desired(vec![file], Given::default(), Outside::default()) {
        (desired, said) if !has_errors(&said) => desired,
        (_, said) => panic!("{}", told(&said)),
    }
}

impl Bench {
    fn configure(&self, desired: &Desired, objects: &Objects) {
        let (configs, _) = provider_configs(desired, objects, objects, &BTreeMap::new(), &*self.world);
        configs.iter().for_each(|(provider, config)| self.world.configure(provider, config));
    }

    fn calls_of(&self) -> Calls<'_> {
        Calls { predict: &*self.world, operate: &*self.world, lend: &*self.world, notify: &Silent, parallelism: 4 }
    }

    /// Looks and plans, as a new process.
    pub async fn try_plan(&self, config: &str, options: impl Into<Options>) -> Result<(Plan, Observed), String> {
        let options = options.into();
        let (desired, snapshot) = (read(config), self.memory.snapshot());
        self.world.forget_configs();
        self.configure(&desired, &snapshot.objects);
        let (observed, said) = refresh(&snapshot, None, &self.calls_of()).await;
        if has_errors(&said) {
            return Err(told(&said));
        }
        self.configure(&desired, &observed.objects);
        let mut answers = Answers::default();
        loop {
            match plan(&desired, &observed, &answers, &options, &*self.world) {
                (Some(Planning::Ready(mut plan)), _) => {
                    bind(&mut plan, &snapshot);
                    return Ok((*plan, observed));
                }
                (Some(Planning::Ask(asked)), _) => answer(asked, &mut answers, &self.calls_of()).await,
                (None, said) => return Err(told(&said)),
            }
        }
    }

    pub async fn plan(&self, config: &str) -> (Plan, Observed) {
        self.try_plan(config, Mode::Apply).await.unwrap_or_else(|said| panic!("{said}"))
    }

    /// Does a plan in the process that made it.
    pub async fn carry_out(&self, plan: &Plan, observed: &Observed) -> Applied {
        let crash = |_: CrashPoint| self.fuse.burn();
        let ports = Ports {
            predict: &*self.world,
            operate: &*self.world,
            lend: &*self.world,
            remember: &*self.memory,
            edge: self,
            notify: &self.events,
            parallelism: self.parallelism,
            crash: Some(&crash),
        };
        let given = Given { values: plan.variables.clone(), ..Given::default() };
        let (desired, said) = desired(plan.files.clone(), given, Outside::default());
        assert!(!has_errors(&said), "{}", told(&said));
        let scope = bimetal_apply::scope(plan, &observed.resolved, &*self.world);
        let holder = Holder { who: "a@b".to_owned(), process: 1, command: "bimetal apply".to_owned(), since_ms: 0 };
        let lease = self.memory.lock(&holder, &scope).await.unwrap();
        assert_eq!(bimetal_plan::outdated(plan, &self.memory.snapshot()), [].into(), "nobody else has written");
        apply(plan, &desired, &observed.resolved, &ports, &lease, &self.stop).await
    }

    /// Does a plan that was written down, in another process.
    pub async fn carry_out_saved(&self, plan: &Plan, observed: &Observed) -> Applied {
        self.world.forget_configs();
        for (provider, config) in plan.providers.iter().filter(|(_, config)| config.is_wholly_known()) {
            self.world.configure(provider, config);
        }
        let plan: Plan = serde_json::from_str(&serde_json::to_string(plan).unwrap()).unwrap();
        self.carry_out(&plan, observed).await
    }

    /// The whole walk, with the outcome whatever it is; what happens before is not in the journal.
    pub async fn walk(&self, config: &str) -> Applied {
        let (plan, observed) = self.plan(config).await;
        self.journal.take();
        self.carry_out(&plan, &observed).await
    }

    /// The whole walk, which must end well.
    pub async fn apply(&self, config: &str) -> Applied {
        let applied = self.walk(config).await;
        assert_eq!((told(&applied.diagnostics), applied.outcome), (String::new(), RevisionOutcome::Done));
        applied
    }

    /// Removes everything.
    pub async fn destroy(&self, config: &str) -> Applied {
        let (plan, observed) = self.try_plan(config, Mode::Destroy).await.unwrap_or_else(|said| panic!("{said}"));
        self.journal.take();
        self.carry_out(&plan, &observed).await
    }

    /// From now on somebody wants to stop as soon as such an event comes.
    pub fn stop_at(&self, text: &str) {
        *self.events.stop_at.lock().unwrap() = Some((text.to_owned(), self.stop.clone()));
    }

    /// Calls of providers since the last walk began, in their order.
    pub fn calls(&self) -> Vec<String> {
        let is_call = |line: &String| ["create", "update", "delete", "read"].contains(&line.split(' ').next().unwrap());
        self.journal.take().into_iter().filter(is_call).collect()
    }
}
