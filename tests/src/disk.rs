//! A small disk, which can be full, or read-only.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use crate::lab;
use crate::spawn::{mortal, run, spawn};
use crate::wait::until_true;

/// Where it is, for those who see its file systems.
pub const PLACE: &str = "/mnt";

/// A disk that only a process of its own sees; it ends with this value and with this process.
#[derive(Debug)]
pub struct Disk {
    keeper: Child,
}

impl Disk {
    /// One of this size; `None` where tests on real parts are not wanted.
    pub fn start(kilobytes: u64) -> Option<Disk> {
        if !lab::is_wanted() {
            return None;
        }
        let mount =
            format!("mount -t tmpfs -o size={kilobytes}k disk {PLACE} && touch {PLACE}/ready && exec sleep infinity");
        let mut keeper = mortal("unshare");
        keeper.args(["--mount", "sh", "-c", &mount]);
        let disk = Disk { keeper: spawn(keeper) };
        until_true("the disk", Duration::from_secs(10), || disk.path().join("ready").exists());
        Some(disk)
    }

    /// Who sees it at [`PLACE`].
    pub fn process(&self) -> u32 {
        self.keeper.id()
    }

    /// Its folder, as others see it.
    fn path(&self) -> PathBuf {
        format!("/proc/{}/root{PLACE}", self.process()).into()
    }

    /// From now on there is room for so much, and no more.
    pub fn leave(&self, kilobytes: usize) {
        let ballast = self.path().join("ballast");
        let _ = fs::remove_file(&ballast);
        // Written until nothing more fits, which is what it is for.
        let _ = fs::write(&ballast, vec![0; 64 << 20]);
        let taken = fs::metadata(&ballast).map_or(0, |file| file.len());
        let file = fs::OpenOptions::new().write(true).open(&ballast).expect("it was made above");
        file.set_len(taken.saturating_sub((kilobytes as u64) << 10)).expect("a file can get smaller");
    }

    /// There is all the room again.
    pub fn empty(&self) {
        fs::remove_file(self.path().join("ballast")).expect("there is ballast");
    }

    /// Whether it can be written to, from now on.
    pub fn set_writable(&self, is_writable: bool) {
        let options = if is_writable { "remount,rw" } else { "remount,ro" };
        let process = self.process().to_string();
        run(Command::new("nsenter").args(["--target", &process, "--mount", "mount", "-o", options, PLACE]));
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.keeper.kill();
        let _ = self.keeper.wait();
    }
}
