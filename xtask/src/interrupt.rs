//! Programs that end when we are told to stop, so that what they leave can be cleaned.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::unistd::Pid;

/// Runs programs in groups of their own, and ends the whole group when we are told to stop.
pub struct Interruptible {
    group: Arc<Mutex<Option<Pid>>>,
    stopped_by: Arc<AtomicI32>,
}

impl Interruptible {
    /// Must be made while there is one thread: signals are held back from all of them. Programs that are started don't
    /// inherit that.
    pub fn new() -> Result<Interruptible> {
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

    /// Runs a program to its end, which must be a good one.
    pub fn run(&self, mut command: Command) -> Result<()> {
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
