//! What one running guest has: its limits, its context, and an empty WASI.

use std::sync::Arc;

use bimetal_model::Address;
use wasmtime::component::ResourceTable;
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::host::{Provider, Services};
use crate::phase::Phase;
use crate::runtime::{MOST_MEMORY, TICK};

/// What a guest's standard error may hold, in bytes.
const MOST_STDERR: usize = 64 << 10;

/// The state of one store.
pub(crate) struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
    stderr: MemoryOutputPipe,
    limits: Limits,
    pub(crate) context: Context,
}

/// For whom a call is made, and what it may do.
#[derive(Clone)]
pub(crate) struct Context {
    pub(crate) phase: Phase,
    pub(crate) provider: Arc<Provider>,
    pub(crate) services: Arc<Services>,
    /// Origins that HTTP requests may go to.
    pub(crate) origins: Arc<Vec<String>>,
    /// The objects of the call, in the order of its requests.
    pub(crate) addresses: Arc<Vec<Address>>,
    /// Milliseconds since 1970; stands still in pure calls.
    pub(crate) started_ms: u64,
}

/// A limit that a guest hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breach {
    Memory,
    Processor { seconds: u64 },
}

#[derive(Default)]
struct Limits {
    breach: Option<Breach>,
    last_log: Option<String>,
}

impl Guest {
    pub(crate) fn store(engine: &wasmtime::Engine, context: Context) -> Store<Guest> {
        let stderr = MemoryOutputPipe::new(MOST_STDERR);
        let wasi = WasiCtxBuilder::new().stderr(stderr.clone()).build();
        let budget = processor_ticks(context.phase);
        let guest = Guest { wasi, table: ResourceTable::new(), stderr, limits: Limits::default(), context };
        let mut store = Store::new(engine, guest);
        store.limiter(|guest| &mut guest.limits);
        store.set_epoch_deadline(1);
        let mut ticks = 0;
        store.epoch_deadline_callback(move |mut store| {
            ticks += 1;
            if ticks <= budget {
                return Ok(UpdateDeadline::Yield(1));
            }
            let seconds = budget * TICK.as_millis() as u64 / 1000;
            store.data_mut().limits.breach = Some(Breach::Processor { seconds });
            Ok(UpdateDeadline::Interrupt)
        });
        store
    }

    pub(crate) fn breach(&self) -> Option<Breach> {
        self.limits.breach
    }

    pub(crate) fn log(&mut self, message: &str) {
        self.limits.last_log = Some(message.to_owned());
    }

    /// The last thing that it said: where it crashed, that is why.
    pub(crate) fn last_words(&self) -> Option<String> {
        let stderr = String::from_utf8_lossy(&self.stderr.contents()).into_owned();
        let line = stderr.lines().rev().find(|line| !line.trim().is_empty() && !line.starts_with("note:")).map(str::to_owned);
        self.limits.last_log.clone().or(line)
    }
}

/// How long a guest may compute, in ticks.
fn processor_ticks(phase: Phase) -> u64 {
    let seconds = match phase {
        Phase::Pure => 5,
        Phase::Look | Phase::Operate => 30,
    };
    seconds * 1000 / TICK.as_millis() as u64
}

impl ResourceLimiter for Limits {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > MOST_MEMORY {
            self.breach = Some(Breach::Memory);
        }
        Ok(desired <= MOST_MEMORY)
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
