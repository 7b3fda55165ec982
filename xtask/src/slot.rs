//! A number that a laboratory has to itself while it runs: addresses, interfaces, groups and files are named after it.
//!
//! A slot is locked by a process and free again when that process ends, however it ends. Whoever takes a slot first cleans
//! what its last holder left.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use nix::fcntl::{Flock, FlockArg};

use crate::cgroup::Group;

/// One for all checkouts of this machine, since addresses and interfaces are.
const LOCKS: &str = "/run/bimetal-lab";

/// What `binfmt_misc` calls the interpreter that we registered.
const EMULATOR: &str = "bimetal-aarch64";

/// A number that nobody else has.
#[derive(Debug)]
pub struct Slot {
    /// The number: the third byte of the addresses.
    pub number: u8,
    /// Files that last as long as the slot is held.
    pub folder: PathBuf,
    _lock: Flock<File>,
}

impl Slot {
    /// Takes the first free slot, and cleans it.
    pub fn take() -> Result<Slot> {
        for number in 1..=254 {
            if let Some(lock) = lock(number)? {
                let folder = crate::target().join("lab/run").join(number.to_string());
                clean(number, &folder);
                fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
                fs::write(file(number), folder.as_os_str().as_encoded_bytes())?;
                return Ok(Slot { number, folder, _lock: lock });
            }
        }
        bail!("254 laboratories run on this machine already")
    }

    /// The group that all processes of this laboratory are in.
    pub fn group(number: u8) -> String {
        format!("bimetal-lab-{number}")
    }

    /// The interface that the laboratory gives to this machine.
    pub fn interface(number: u8) -> String {
        format!("bml{number}")
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        clean(self.number, &self.folder);
    }
}

/// Cleans every slot that nobody holds; laboratories that run now are left alone.
pub fn sweep() -> Result<()> {
    let mut held = false;
    for entry in fs::read_dir(LOCKS).into_iter().flatten().flatten() {
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        match lock(number)? {
            Some(_lock) => {
                let folder = fs::read_to_string(entry.path())?;
                if !folder.is_empty() {
                    clean(number, Path::new(&folder));
                    // The file stays: who waits for its lock would lock a file that nobody else sees.
                    fs::write(entry.path(), "")?;
                }
            }
            None => held = true,
        }
    }
    if !held {
        let _ = fs::write(Path::new(EMULATORS).join(EMULATOR), "-1");
    }
    Ok(())
}

const EMULATORS: &str = "/proc/sys/fs/binfmt_misc";

/// Lets this machine's kernel run arm64 programs, in containers too, until [`sweep`].
pub fn emulate_arm64() -> Result<()> {
    let _one_at_a_time = Flock::lock(open(&Path::new(LOCKS).join("emulator"))?, FlockArg::LockExclusive)
        .map_err(|(_, error)| error)
        .context("cannot lock")?;
    if !Path::new(EMULATORS).join("register").exists() {
        let mut mount = Command::new("mount");
        crate::process::run(mount.args(["-t", "binfmt_misc", "binfmt_misc", EMULATORS]))?;
    }
    if emulated() {
        return Ok(());
    }
    let magic = r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00";
    let mask = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff";
    let interpreter = ["/usr/libexec/qemu-binfmt/aarch64-binfmt-P", "/usr/bin/qemu-aarch64-static"];
    let found = interpreter.into_iter().find(|path| Path::new(path).exists());
    let interpreter = found.context("qemu-user-static is not installed")?;
    // F: the kernel opens the interpreter now, so that it is there in every root; P: programs see the name they were called by.
    let flags = if interpreter.ends_with("-P") { "PF" } else { "F" };
    let line = format!(":{EMULATOR}:M::{magic}:{mask}:{interpreter}:{flags}");
    fs::write(Path::new(EMULATORS).join("register"), line).context("the kernel refused the emulator for arm64")
}

/// Whether some registered interpreter takes arm64 programs in every root.
fn emulated() -> bool {
    let entries = fs::read_dir(EMULATORS).into_iter().flatten().flatten();
    let mut texts = entries.filter_map(|entry| fs::read_to_string(entry.path()).ok());
    texts.any(|text| {
        text.contains("0200b700")
            && text.starts_with("enabled")
            && text.contains("flags:")
            && flags(&text).contains('F')
    })
}

fn flags(text: &str) -> &str {
    text.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or_default()
}

fn lock(number: u8) -> Result<Option<Flock<File>>> {
    fs::create_dir_all(LOCKS).with_context(|| format!("cannot make {LOCKS}"))?;
    Ok(Flock::lock(open(&file(number))?, FlockArg::LockExclusiveNonblock).ok())
}

fn open(path: &Path) -> Result<File> {
    let options = OpenOptions::new().create(true).truncate(false).write(true).open(path);
    options.with_context(|| format!("cannot open {}", path.display()))
}

fn file(number: u8) -> PathBuf {
    Path::new(LOCKS).join(number.to_string())
}

fn clean(number: u8, folder: &Path) {
    drop(Group::new(Slot::group(number)));
    let mut command = Command::new("ip");
    let _ = command.args(["link", "delete", &Slot::interface(number)]).stderr(Stdio::null()).status();
    if folder.is_absolute() && folder.exists() {
        let _ = fs::remove_dir_all(folder);
    }
}
