//! Finding a Docker engine, or starting one that touches nothing of the machine's own.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::process::{output, run};

const PATIENCE: Duration = Duration::from_secs(60);

/// The engine of `$DOCKER_HOST` or of the usual socket, if it answers.
pub fn answering() -> Option<String> {
    let chosen = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty());
    let host = chosen.unwrap_or_else(|| "unix:///var/run/docker.sock".to_owned());
    answers(&host).then_some(host)
}

/// Whether an engine answers there.
pub fn answers(host: &str) -> bool {
    ping(host).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn ping(host: &str) -> Result<String> {
    let patience = Some(Duration::from_secs(5));
    match host.split_once("://") {
        Some(("unix", path)) => {
            let stream = UnixStream::connect(path)?;
            stream.set_read_timeout(patience)?;
            ask(stream)
        }
        Some(("tcp" | "http", address)) => {
            let stream = TcpStream::connect(address)?;
            stream.set_read_timeout(patience)?;
            ask(stream)
        }
        _ => bail!("the demo can't reach an engine at `{host}`"),
    }
}

fn ask(mut stream: impl Read + Write) -> Result<String> {
    stream.write_all(b"GET /_ping HTTP/1.1\r\nhost: docker\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// An engine of our own: its data, socket and bridge are its own, and it leaves packet filters alone.
pub struct Private {
    folder: PathBuf,
}

const BRIDGE: &str = "bimetal-demo";
const BRIDGE_ADDRESS: &str = "10.212.255.1/24";

impl Private {
    /// What is kept below `folder`.
    pub fn new(folder: &Path) -> Private {
        Private { folder: folder.to_owned() }
    }

    /// As `DOCKER_HOST` has it.
    pub fn host(&self) -> String {
        format!("unix://{}", self.folder.join("docker.sock").display())
    }

    /// Starts it where it doesn't run.
    pub fn start(&self) -> Result<()> {
        if answers(&self.host()) {
            return Ok(());
        }
        self.stop()?;
        fs::create_dir_all(&self.folder)?;
        make_bridge()?;
        let log = fs::File::create(self.folder.join("log"))?;
        let mut command = Command::new("dockerd");
        command.args([
            "--bridge",
            BRIDGE,
            "--iptables=false",
            "--ip6tables=false",
            "--ip-forward=false",
            "--host",
            &self.host(),
        ]);
        for (option, name) in [("--data-root", "data"), ("--exec-root", "run"), ("--pidfile", "pid")] {
            command.arg(option).arg(self.folder.join(name));
        }
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log).process_group(0);
        let mut child = command.spawn().context("cannot start dockerd")?;
        let until = Instant::now() + PATIENCE;
        while !answers(&self.host()) {
            let ended = child.try_wait()?;
            if ended.is_some() || Instant::now() > until {
                bail!("dockerd doesn't answer; its log: {}", self.folder.join("log").display());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Stops it, and removes all that it had.
    pub fn remove(&self) -> Result<()> {
        self.stop()?;
        if Path::new("/sys/class/net").join(BRIDGE).exists() {
            run(Command::new("ip").args(["link", "delete", BRIDGE]))?;
        }
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).with_context(|| format!("cannot remove {}", self.folder.display()))?;
        }
        Ok(())
    }

    fn stop(&self) -> Result<()> {
        let Some(process) = self.process() else { return Ok(()) };
        kill(process, Signal::SIGTERM)?;
        let until = Instant::now() + PATIENCE;
        while self.process().is_some() {
            if Instant::now() > until {
                bail!("dockerd (process {process}) doesn't end");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Our `dockerd`, if it runs: process ids are used again, so its words are looked at.
    fn process(&self) -> Option<Pid> {
        let pid: i32 = fs::read_to_string(self.folder.join("pid")).ok()?.trim().parse().ok()?;
        let words = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
        words.contains(&*self.folder.join("data").to_string_lossy()).then_some(Pid::from_raw(pid))
    }
}

fn make_bridge() -> Result<()> {
    if !Path::new("/sys/class/net").join(BRIDGE).exists() {
        output(Command::new("ip").args(["link", "add", BRIDGE, "type", "bridge"]))?;
        output(Command::new("ip").args(["address", "add", BRIDGE_ADDRESS, "dev", BRIDGE]))?;
    }
    output(Command::new("ip").args(["link", "set", BRIDGE, "up"])).map(drop)
}
