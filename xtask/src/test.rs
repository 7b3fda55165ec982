//! `cargo xtask test`: everything that the tests need, then the tests, then nothing of it left.

use std::os::unix::process::CommandExt;
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::unistd::Pid;

use crate::process::{cargo, is_root};
use crate::{setup, slot, web};

/// Whether to run the tests that start real engines and machines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Real {
    /// All tests.
    Wanted,
    /// Only those that need no root.
    Skipped,
}

const NEED_ROOT: &str = "\
these tests need root, for network namespaces, engines and machines of their own:
  bimetal-tests: laboratory, story, faults, commands
run `cargo xtask test` as root, or `cargo xtask test --skip-real` to leave them out";

/// Runs the tests.
pub fn run(real: Real) -> Result<()> {
    match real {
        Real::Wanted if !is_root() => bail!("{NEED_ROOT}"),
        Real::Wanted => {
            setup::all()?;
            slot::sweep()?;
        }
        Real::Skipped => {
            setup::targets()?;
            eprintln!("xtask: {NEED_ROOT}\nxtask: leaving them out");
        }
    }
    let result = Interruptible::new().and_then(|interruptible| tests(&interruptible, real));
    if real == Real::Wanted {
        slot::sweep()?;
    }
    result
}

fn tests(interruptible: &Interruptible, real: Real) -> Result<()> {
    for platform in web::Platform::ALL {
        web::build(platform)?;
    }
    let mut build = cargo();
    build.args(["build", "--package", "bimetal"]);
    interruptible.run(build)?;
    let mut test = cargo();
    test.args(["test", "--workspace", "--no-fail-fast"]);
    test.env("BIMETAL_TEST_REAL", if real == Real::Wanted { "1" } else { "0" });
    test.env("BIMETAL_TEST_BINARY", crate::target().join("debug/bimetal"));
    interruptible.run(test)
}

/// Runs programs in groups of their own, and ends the whole group when we are told to stop.
struct Interruptible {
    group: Arc<Mutex<Option<Pid>>>,
    stopped_by: Arc<AtomicI32>,
}

impl Interruptible {
    /// Must be made while there is one thread: signals are held back from all of them. Programs that are started don't
    /// inherit that.
    fn new() -> Result<Interruptible> {
        let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
        signals.thread_block().context("cannot hold signals back")?;
        let interruptible = Interruptible { group: Arc::default(), stopped_by: Arc::default() };
        let (group, stopped_by) = (interruptible.group.clone(), interruptible.stopped_by.clone());
        std::thread::spawn(move || {
            while let Ok(signal) = signals.wait() {
                stopped_by.store(signal as i32, Ordering::SeqCst);
                if let Some(group) = *group.lock().expect("nobody panics with it") {
                    let _ = killpg(group, Signal::SIGKILL);
                }
            }
        });
        Ok(interruptible)
    }

    fn run(&self, mut command: std::process::Command) -> Result<()> {
        let shown = format!("{command:?}");
        let child = command.process_group(0).spawn().with_context(|| format!("cannot run {shown}"))?;
        let status = self.wait(child)?;
        match self.stopped_by.load(Ordering::SeqCst) {
            0 if status.success() => Ok(()),
            0 => bail!("{shown} ended with {status}"),
            signal => bail!("stopped by signal {signal}"),
        }
    }

    fn wait(&self, mut child: Child) -> Result<ExitStatus> {
        let group = Pid::from_raw(child.id().try_into().context("a process id is positive")?);
        *self.group.lock().expect("nobody panics with it") = Some(group);
        if self.stopped_by.load(Ordering::SeqCst) != 0 {
            let _ = killpg(group, Signal::SIGKILL);
        }
        let status = child.wait()?;
        *self.group.lock().expect("nobody panics with it") = None;
        let _ = killpg(group, Signal::SIGKILL);
        Ok(status)
    }
}
