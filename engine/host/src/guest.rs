//! What one running guest has: its limits, its context, and an empty WASI.

use std::sync::Arc;
use std::time::Duration;

use bimetal_model::Address;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{Deterministic, HostMonotonicClock, HostWallClock, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::grant::{HttpGrant, Subject};
use crate::host::{Provider, Services};
use crate::manifest::Rate;
use crate::phase::Phase;
use crate::runtime::{MOST_HANDED, MOST_MEMORY, TICK};
use crate::tail::Tail;

/// The state of one store.
pub(crate) struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    stderr: Tail,
    limits: Limits,
    /// What it said last in its log, if it was an error.
    last_log: Option<String>,
    /// What it asked for and has not got yet.
    pub(crate) waits_for: Option<String>,
    pub(crate) context: Context,
}

/// For whom a call is made, and what it may do.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) phase: Phase,
    pub(crate) provider: Arc<Provider>,
    pub(crate) services: Arc<Services>,
    pub(crate) http: Arc<Vec<HttpGrant>>,
    pub(crate) rates: Arc<Vec<Rate>>,
    pub(crate) subject: Arc<Subject>,
}

/// So many messages of one call are heard.
const MOST_SAID: u32 = 10_000;

/// A limit that a guest hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breach {
    Memory,
    Processor { seconds: u64 },
}

/// What a guest may use, and what it has used.
#[derive(Default)]
struct Limits {
    breach: Option<Breach>,
    /// In all its memories, in bytes.
    memory: usize,
    /// In this call.
    ticks: u64,
    /// Messages in this call.
    said: u32,
    has_waited: bool,
}

impl Guest {
    pub(crate) fn store(engine: &wasmtime::Engine, context: Context) -> Store<Guest> {
        let stderr = Tail::new(context.provider.name.to_string());
        let guest = Guest {
            wasi: wasi(&context, &stderr),
            table: ResourceTable::new(),
            stderr,
            limits: Limits::default(),
            last_log: None,
            waits_for: None,
            context,
        };
        let mut store = Store::new(engine, guest);
        store.limiter(|guest| &mut guest.limits);
        store.set_hostcall_fuel(MOST_HANDED);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| Ok(store.data_mut().tick()));
        store
    }

    /// Another call begins: it has the whole of its time.
    pub(crate) fn begin(&mut self, context: Context) {
        self.context = context;
        (self.limits.ticks, self.limits.said, self.limits.breach) = (0, 0, None);
        self.last_log = None;
        self.stderr.clear();
    }

    /// One tick of computing. Epochs go on while a guest waits, so that the first tick after a wait is free.
    fn tick(&mut self) -> UpdateDeadline {
        let budget = processor_ticks(self.context.phase);
        if !std::mem::take(&mut self.limits.has_waited) {
            self.limits.ticks += 1;
        }
        if self.limits.ticks <= budget {
            return UpdateDeadline::Yield(1);
        }
        self.limits.breach = Some(Breach::Processor { seconds: budget * TICK.as_millis() as u64 / 1000 });
        UpdateDeadline::Interrupt
    }

    /// Whether one more message is heard. Who says more than anybody reads is not heard any more in this call.
    pub(crate) fn is_heard(&mut self) -> bool {
        self.limits.said = self.limits.said.saturating_add(1);
        if self.limits.said == MOST_SAID {
            tracing::warn!(provider = %self.context.provider.name, "it says too much: the rest of this call is left out");
        }
        self.limits.said < MOST_SAID
    }

    pub(crate) fn has_waited(&mut self) {
        self.limits.has_waited = true;
    }

    pub(crate) fn breach(&self) -> Option<Breach> {
        self.limits.breach
    }

    /// In bytes.
    pub(crate) fn memory(&self) -> usize {
        self.limits.memory
    }

    pub(crate) fn log(&mut self, message: &str) {
        self.last_log = Some(message.to_owned());
    }

    /// The last thing that it said: where it crashed, that is why.
    pub(crate) fn last_words(&self) -> Option<String> {
        let log = self.last_log.as_ref().and_then(|log| log.lines().rev().find(|line| !line.trim().is_empty()));
        log.map(str::to_owned).or_else(|| self.stderr.last_line())
    }
}

/// How long a guest may compute, in ticks.
fn processor_ticks(phase: Phase) -> u64 {
    let seconds = match phase {
        Phase::Pure => 5,
        Phase::Look | Phase::Open | Phase::Operate => 30,
    };
    seconds * 1000 / TICK.as_millis() as u64
}

/// Nothing is in it; during pure calls time stands still and chance repeats itself.
fn wasi(context: &Context, stderr: &Tail) -> WasiCtx {
    let mut builder = WasiCtxBuilder::new();
    builder.stderr(stderr.clone()).allow_tcp(false).allow_udp(false);
    if context.phase == Phase::Pure {
        let frozen = Frozen(Duration::from_millis(context.services.started_ms));
        let chance = || Deterministic::new((1..=251).collect());
        builder.wall_clock(frozen).monotonic_clock(frozen);
        builder.secure_random(chance()).insecure_random(chance()).insecure_random_seed(7);
    }
    builder.build()
}

/// A clock that stands still.
#[derive(Clone, Copy)]
struct Frozen(Duration);

impl HostWallClock for Frozen {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.0
    }
}

impl HostMonotonicClock for Frozen {
    fn resolution(&self) -> u64 {
        1_000_000
    }

    fn now(&self) -> u64 {
        0
    }
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let all = self.memory.saturating_add(desired.saturating_sub(current));
        if all > MOST_MEMORY {
            self.breach = Some(Breach::Memory);
            return Ok(false);
        }
        self.memory = all;
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= 100_000)
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl Context {
    /// The object that a request of the call is about.
    pub(crate) fn address(&self, index: usize) -> Option<&Address> {
        self.subject.addresses.get(index).or(self.subject.addresses.first())
    }
}
