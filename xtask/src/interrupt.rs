//! Programs that end when we are told to stop, so that what they leave can be cleaned.

use std::collections::BTreeSet;
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::unistd::Pid;

/// Runs programs in groups of their own, and ends whole groups when we are told to stop.
pub struct Interruptible {
    groups: Arc<Mutex<BTreeSet<Pid>>>,
    stopped_by: Arc<AtomicI32>,
}

impl Interruptible {
    /// Must be made while there is one thread: signals are held back from all of them. Programs that are started don't
    /// inherit that.
    pub fn new() -> Result<Interruptible> {
        let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
        signals.thread_block().context("cannot hold signals back")?;
        let interruptible = Interruptible { groups: Arc::default(), stopped_by: Arc::default() };
        let (groups, stopped_by) = (interruptible.groups.clone(), interruptible.stopped_by.clone());
        std::thread::spawn(move || {
            while let Ok(signal) = signals.wait() {
                stopped_by.store(signal as i32, Ordering::SeqCst);
                for group in groups.lock().expect("nobody panics with it").iter() {
                    let _ = killpg(*group, Signal::SIGKILL);
                }
            }
        });
        Ok(interruptible)
    }

    /// Runs a program to its end, which must be a good one.
    pub fn run(&self, command: Command) -> Result<()> {
        let shown = format!("{command:?}");
        let (status, _) = self.wait(command)?;
        self.judge(&shown, status)
    }

    /// What a program prints, whose end must be a good one; what it complains of goes where ours goes.
    pub fn read(&self, mut command: Command) -> Result<Vec<u8>> {
        let shown = format!("{command:?}");
        command.stdout(Stdio::piped());
        let (status, printed) = self.wait(command)?;
        self.judge(&shown, status).map(|()| printed)
    }

    /// What a program prints and complains of, in that order of time, and whether its end is a good one.
    pub fn output(&self, mut command: Command) -> Result<(bool, Vec<u8>)> {
        // No pipe: what it leaves running might hold that for ever.
        let mut file = tempfile::tempfile().context("cannot make a file")?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file.try_clone()?);
        let (status, _) = self.wait(command)?;
        let mut printed = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut printed)?;
        Ok((status.success(), printed))
    }

    /// Whether we were told to stop.
    pub fn is_stopped(&self) -> bool {
        self.stopped_by.load(Ordering::SeqCst) != 0
    }

    /// An error where we were told to stop.
    pub fn check(&self) -> Result<()> {
        match self.stopped_by.load(Ordering::SeqCst) {
            0 => Ok(()),
            signal => bail!("stopped by signal {signal}"),
        }
    }

    fn judge(&self, shown: &str, status: ExitStatus) -> Result<()> {
        self.check()?;
        if status.success() { Ok(()) } else { bail!("{shown} ended with {status}") }
    }

    fn wait(&self, mut command: Command) -> Result<(ExitStatus, Vec<u8>)> {
        let child = command.process_group(0).spawn();
        let mut child = child.with_context(|| format!("cannot run {command:?}"))?;
        let group = Pid::from_raw(child.id().try_into().context("a process id is positive")?);
        self.groups.lock().expect("nobody panics with it").insert(group);
        if self.is_stopped() {
            let _ = killpg(group, Signal::SIGKILL);
        }
        let mut printed = Vec::new();
        if let Some(mut stdout) = child.stdout.take() {
            stdout.read_to_end(&mut printed)?;
        }
        let status = child.wait()?;
        self.groups.lock().expect("nobody panics with it").remove(&group);
        let _ = killpg(group, Signal::SIGKILL);
        Ok((status, printed))
    }
}
