//! A real engine of the bench's own: its namespaces, files and processes end with the bench.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::Bench;
use crate::cgroup::Group;
use crate::docker;
use crate::process::output;
use crate::slot::Slot;

const PATIENCE: Duration = Duration::from_secs(60);

/// A `dockerd` that is reached by its socket alone.
pub(crate) struct Engine {
    socket: PathBuf,
    process: Child,
    _group: Group,
}

impl Engine {
    /// Starts one and waits until it answers.
    pub(crate) fn start(bench: &Bench) -> Result<Engine> {
        let folder = bench.folder("engine")?;
        let group = Group::new(Slot::group(bench.slot.number));
        let socket = folder.join("docker.sock");
        let script = format!(
            "read -r _ && exec unshare --pid --fork --kill-child=KILL --mount --mount-proc --net --uts --ipc sh -c '{}'",
            [
                // What containerd puts there must be its own; its sockets have the same names everywhere.
                "mount -t tmpfs tmpfs /run && ip link set lo up && exec dockerd --exec-root /run/docker".to_owned(),
                format!("--host unix://{} --data-root {}", socket.display(), folder.join("data").display()),
                format!("--pidfile /run/docker.pid --cgroup-parent {}/containers", group.path()),
            ]
            .join(" ")
        );
        let log = std::fs::File::create(folder.join("log"))?;
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "sh", "-c", &script]);
        command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log);
        let mut process = command.spawn().context("cannot start dockerd")?;
        // It waits until it is in its group, so that all that it starts is.
        group.add(process.id());
        process.stdin.take().context("its input is ours")?.write_all(b"go\n")?;
        let mut engine = Engine { socket, process, _group: group };
        engine.wait()?;
        Ok(engine)
    }

    fn wait(&mut self) -> Result<()> {
        let until = Instant::now() + PATIENCE;
        while !docker::answers(&self.host()) {
            let ended = self.process.try_wait()?;
            if ended.is_some() || Instant::now() > until {
                let log = self.socket.with_file_name("log");
                bail!("dockerd doesn't answer; it says:\n{}", std::fs::read_to_string(log).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// As `DOCKER_HOST` has it.
    pub(crate) fn host(&self) -> String {
        format!("unix://{}", self.socket.display())
    }

    /// What its command line client says.
    pub(crate) fn ask(&self, words: &[&str]) -> Result<String> {
        output(Command::new("docker").env("DOCKER_HOST", self.host()).args(words))
    }

    /// Removes all containers; images stay.
    pub(crate) fn clean(&self) -> Result<()> {
        let ids = self.ask(&["ps", "--all", "--quiet"])?;
        let ids: Vec<&str> = ids.split_whitespace().collect();
        if !ids.is_empty() {
            self.ask(&[&["rm", "--force"], &ids[..]].concat())?;
        }
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
