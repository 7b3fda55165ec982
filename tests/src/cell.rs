//! Namespaces with a process tree in them: what engines, registries and machines run in.

use std::fs::File;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use xtask::cgroup::Group;

use crate::lab::Lab;
use crate::spawn::{mortal, spawn};
use crate::wait::until;

/// New namespaces for processes, mounts, network, names and messages. When this value or this process ends, so do they.
#[derive(Debug)]
pub struct Namespaces {
    outer: Child,
    first: u32,
    log: PathBuf,
}

impl Namespaces {
    /// Makes them; their first process waits for [`Namespaces::go`].
    pub fn make(log: &Path) -> Namespaces {
        let file = File::create(log).unwrap_or_else(|error| panic!("cannot write {}: {error}", log.display()));
        let mut command = mortal("unshare");
        command.args(["--pid", "--fork", "--kill-child=KILL", "--mount", "--mount-proc", "--net", "--uts", "--ipc"]);
        // One word a line; an empty line ends them.
        command.args([
            "sh",
            "-c",
            "set --; while IFS= read -r word && [ -n \"$word\" ]; do set -- \"$@\" \"$word\"; done; exec \"$@\"",
        ]);
        command.stdin(Stdio::piped()).stderr(file.try_clone().expect("a file can be opened twice")).stdout(file);
        let outer = spawn(command);
        let children = format!("/proc/{0}/task/{0}/children", outer.id());
        let first = until("new namespaces", Duration::from_secs(10), || {
            let text = std::fs::read_to_string(&children).map_err(|error| error.to_string())?;
            text.trim().parse().map_err(|_| "they have no process yet".to_owned())
        });
        Namespaces { outer, first, log: log.to_owned() }
    }

    /// Lets the first process become this program.
    pub fn go(&mut self, words: &[&str]) {
        let mut input = self.outer.stdin.take().expect("only once");
        let text: String = words.iter().map(|word| format!("{word}\n")).collect();
        input.write_all(format!("{text}\n").as_bytes()).expect("the first process reads");
    }

    /// The first process, as it is seen from outside.
    pub fn process(&self) -> u32 {
        self.first
    }

    /// A command in their network, with this machine's files.
    pub fn enter(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.first.to_string(), "--net", program]);
        command
    }

    /// What the first process and its children printed.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Namespaces {
    fn drop(&mut self) {
        let _ = self.outer.kill();
        let _ = self.outer.wait();
    }
}

/// Namespaces on a laboratory's switch, in a group and a folder of their own.
#[derive(Debug)]
pub struct Cell {
    namespaces: Namespaces,
    group: Option<Group>,
    address: Ipv4Addr,
    folder: PathBuf,
    // Last: the laboratory outlives what is in it.
    lab: Lab,
}

impl Cell {
    pub(crate) fn new(lab: &Lab, name: &str) -> Cell {
        let folder = lab.folder(name);
        let namespaces = Namespaces::make(&folder.join("log"));
        let group = lab.group(name);
        group.add(namespaces.process());
        let address = lab.connect(&namespaces);
        Cell { namespaces, group: Some(group), address, folder, lab: lab.clone() }
    }

    /// Starts the program that it is for.
    pub fn go(&mut self, words: &[&str]) {
        self.namespaces.go(words);
    }

    /// Its address on the laboratory's network.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The laboratory it is in.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// The group of its processes, as `--cgroup-parent` wants it.
    pub fn group(&self) -> String {
        self.group.as_ref().map(Group::path).unwrap_or_default()
    }

    /// What was printed in it.
    pub fn log(&self) -> String {
        self.namespaces.log()
    }

    /// Its first process.
    pub fn process(&self) -> u32 {
        self.namespaces.process()
    }

    /// A command in all its namespaces.
    pub fn enter(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        let target = self.process().to_string();
        command.args(["--target", &target, "--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup", "--", program]);
        command
    }

    /// Does something on its network.
    pub fn inside<T: Send>(&self, act: impl FnOnce() -> T + Send) -> T {
        let network = std::fs::File::open(format!("/proc/{}/ns/net", self.process())).expect("it runs");
        // A thread of its own: it never comes back from there.
        std::thread::scope(|scope| {
            let inside = scope.spawn(move || {
                setns(network, CloneFlags::CLONE_NEWNET).expect("we are root");
                act()
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Stops its first process where it stands: connections are taken, and nobody answers.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    fn signal(&self, signal: Signal) {
        let process = Pid::from_raw(self.process().try_into().expect("a process id is small"));
        kill(process, signal).unwrap_or_else(|error| panic!("cannot send {signal} to {process}: {error}"));
    }
}

impl Drop for Cell {
    fn drop(&mut self) {
        let _ = self.namespaces.outer.kill();
        let _ = self.namespaces.outer.wait();
        // Waits until the last process is gone: they write to the folder.
        drop(self.group.take());
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
