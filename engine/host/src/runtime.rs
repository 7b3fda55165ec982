//! The WebAssembly engine: what guests may use of the machine.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::{Config, Engine};

use crate::stacks::Stacks;

/// Guests are interrupted this often, to be counted or stopped.
pub(crate) const TICK: Duration = Duration::from_millis(10);
/// The most that one call may answer, or hand to the host, in bytes.
pub(crate) const MOST_HANDED: usize = 32 << 20;
/// The most memory that one guest may have, in bytes.
pub(crate) const MOST_MEMORY: usize = 128 << 20;

/// The engine, with a clock that ticks until it is dropped.
pub(crate) fn engine() -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .concurrency_support(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_component_model(true)
        .wasm_relaxed_simd(false)
        .cranelift_nan_canonicalization(true)
        .max_wasm_stack(512 << 10)
        .async_stack_size(2 << 20)
        .with_host_stack(Arc::new(Stacks::default()));
    let engine = Engine::new(&config)?;
    let ticking = engine.weak();
    std::thread::Builder::new().name("bimetal-ticks".to_owned()).spawn(move || {
        while let Some(engine) = ticking.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(TICK);
        }
    })?;
    Ok(engine)
}

/// Threads of their own for one kind of work.
pub(crate) fn threads(name: &str) -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_name(name).build()
}
