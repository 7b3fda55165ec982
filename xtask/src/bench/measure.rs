//! What one run of a program used: time, processor, memory.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::libc;

/// What one run used, with all programs that it started and waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    /// From start to end.
    pub(crate) wall: Duration,
    /// In the program and in the kernel for it, of all its threads.
    pub(crate) cpu: Duration,
    /// The most that was resident at one moment, in bytes.
    pub(crate) memory: u64,
    /// To disks, in bytes.
    pub(crate) written: u64,
}

/// Runs a program to its end, which must be a good one; what it prints is lost, but for what it says of its failure.
pub(crate) fn measure(command: &mut Command) -> Result<Usage> {
    let shown = format!("{command:?}");
    let said = tempfile::tempfile().context("cannot keep what a program says")?;
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said.try_clone()?);
    let started = Instant::now();
    let child = command.spawn().with_context(|| format!("cannot run {shown}"))?;
    let (status, usage) = wait(&child).with_context(|| format!("cannot wait for {shown}"))?;
    let wall = started.elapsed();
    if status != 0 {
        bail!("{shown} ended with wait status {status}: {}", text(said)?);
    }
    let cpu = time(usage.ru_utime) + time(usage.ru_stime);
    let kilobytes = u64::try_from(usage.ru_maxrss).context("memory is no less than nothing")?;
    let blocks = u64::try_from(usage.ru_oublock).context("nothing is written back")?;
    Ok(Usage { wall, cpu, memory: kilobytes << 10, written: blocks << 9 })
}

/// Waits for a child, and takes its status and what it used.
#[allow(unsafe_code)]
fn wait(child: &Child) -> Result<(i32, libc::rusage)> {
    let process = libc::pid_t::try_from(child.id())?;
    // SAFETY: a `rusage` is numbers, and zero is one.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    let mut status = 0;
    // SAFETY: both places live as long as the call, and nobody else waits for this child: `Child` is only borrowed here and
    // dropped after, which does not wait.
    let waited = nix::errno::Errno::result(unsafe { libc::wait4(process, &raw mut status, 0, &raw mut usage) });
    waited?;
    Ok((status, usage))
}

fn time(time: libc::timeval) -> Duration {
    let part = |number: i64| u64::try_from(number).unwrap_or_default();
    Duration::from_secs(part(time.tv_sec)) + Duration::from_micros(part(time.tv_usec))
}

fn text(mut file: std::fs::File) -> Result<String> {
    use std::io::{Read as _, Seek as _};
    file.rewind()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text.trim().to_owned())
}

/// Of several runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread<T> {
    /// As many were less as were more.
    pub(crate) median: T,
    /// The least.
    pub(crate) least: T,
    /// How many runs.
    pub(crate) runs: usize,
}

impl<T: Ord + Copy> Spread<T> {
    /// There must be one run at least.
    pub(crate) fn of(usages: &[Usage], figure: impl Fn(&Usage) -> T) -> Spread<T> {
        let mut figures: Vec<T> = usages.iter().map(figure).collect();
        figures.sort_unstable();
        Spread { median: figures[figures.len() / 2], least: figures[0], runs: figures.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_uses_is_its_own() {
        let usage = measure(Command::new("sh").args(["-c", "true"])).expect("it ends well");
        assert!(usage.memory > 0 && usage.cpu <= usage.wall * 64, "{usage:?}");
    }

    #[test]
    fn a_bad_end_says_why() {
        let error = measure(Command::new("sh").args(["-c", "echo because >&2; exit 3"])).expect_err("status 3");
        assert!(error.to_string().contains("because"), "{error}");
    }

    #[test]
    fn one_slow_run_does_not_move_the_median() {
        let usage = |seconds| Usage { wall: Duration::from_secs(seconds), cpu: Duration::ZERO, memory: 0, written: 0 };
        let spread = Spread::of(&[usage(90), usage(2), usage(1)], |usage| usage.wall);
        assert_eq!((spread.median, spread.least), (Duration::from_secs(2), Duration::from_secs(1)));
    }
}
