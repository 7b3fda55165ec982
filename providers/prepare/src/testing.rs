//! A Debian machine in memory: what the commands of the manifests do to it, and a fuse that breaks the connection.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use bimetal_provider::{Code, Fault, Json};

use crate::remote::{Output, Remote, World};

/// A machine that can be looked at from outside; clones are the same machine.
#[derive(Clone, Debug, Default)]
pub struct Board(pub Rc<RefCell<State>>);

/// What a machine is at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// What `facts` says.
    pub facts: String,
    /// Milliseconds since 1970.
    pub now_ms: u64,
    /// Who logs in.
    pub user: String,
    /// Installed.
    pub packages: BTreeSet<String>,
    /// By path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// The engine runs.
    pub runs: bool,
    /// The engine is started at boot.
    pub enabled: bool,
    /// Who is in the engine's group.
    pub members: BTreeSet<String>,
    /// What the engine keeps: `images`, `volumes`.
    pub data: BTreeSet<String>,
    /// What `cloud-init` says, one answer after another; the last one stays.
    pub cloud_init: Vec<String>,
    /// So many more connections are refused.
    pub refuses: u32,
    /// So many more jobs find the lock taken.
    pub locked: u32,
    /// So many more installations fail.
    pub fails: u32,
    /// After so many calls the answer of the next is lost.
    pub fuse: Option<u32>,
    /// What was run, in order.
    pub ran: Vec<String>,
    /// By name: how often they are still asked about until they end, then status and log.
    pub jobs: BTreeMap<String, (u32, i32, String)>,
}

/// What a Debian says of itself.
pub const DEBIAN: &str = "machine=x86_64\nkernel=6.1.0\nbits=64\ndpkg=amd64\ncpus=2\nmemory=2014000\nos.ID=debian\nos.VERSION_ID=\"12\"\n\
    init=systemd\nmanager=apt-get\n";
const UNIT: &str = "# /lib/systemd/system/docker.service\n[Service]\nExecStart=/usr/sbin/dockerd -H fd://\n";
const BROUGHT: [&str; 3] = ["containerd", "docker.io", "runc"];

impl Default for State {
    fn default() -> Self {
        State {
            facts: DEBIAN.to_owned(),
            now_ms: 1_800_000_000_000,
            user: "root".to_owned(),
            packages: ["ca-certificates", "dpkg"].map(str::to_owned).into(),
            files: BTreeMap::new(),
            runs: false,
            enabled: false,
            members: BTreeSet::new(),
            data: BTreeSet::new(),
            cloud_init: Vec::new(),
            refuses: 0,
            locked: 0,
            fails: 0,
            fuse: None,
            ran: Vec::new(),
            jobs: BTreeMap::new(),
        }
    }
}

impl State {
    /// The engine was there before anybody came.
    #[must_use]
    pub fn with_docker(mut self) -> Self {
        self.install();
        self
    }

    fn install(&mut self) {
        self.packages.extend(BROUGHT.map(str::to_owned));
        (self.runs, self.enabled) = (true, true);
        self.data.insert("images".to_owned());
    }

    fn has_docker(&self) -> bool {
        self.packages.contains("docker.io")
    }

    fn run(&mut self, command: &str, arguments: &[&str]) -> (i32, String) {
        let line = |value: bool, text: &str| if value { format!("{text}\n") } else { String::new() };
        let done = |text: String| (0, text);
        match command {
            "facts" => done(self.facts.clone()),
            "engine" => {
                let may = self.user == "root" || self.members.contains(&self.user);
                done(
                    line(self.has_docker(), "daemon=yes")
                        + &line(self.runs, "socket=yes")
                        + &line(self.runs && may, "writable=yes\nanswers=26.1.5"),
                )
            }
            "service" => done(line(self.enabled, "enabled=enabled") + &line(self.runs, "active=active")),
            "service-start" => {
                (self.runs, self.enabled) = (true, true);
                (i32::from(!self.has_docker()), String::new())
            }
            "service-stop" => {
                (self.runs, self.enabled) = (false, false);
                done(String::new())
            }
            "service-unit" => done(UNIT.to_owned()),
            "service-restart" | "service-log" | "folders-remove" => done(String::new()),
            "member" => done("pi sudo".to_owned() + &line(self.members.contains(arguments[0]), " docker")),
            "member-add" => done(line(self.members.insert(arguments[0].to_owned()), "")),
            "member-remove" => done(line(self.members.remove(arguments[0]), "")),
            "cloud-init" => {
                let next = if self.cloud_init.len() > 1 {
                    self.cloud_init.remove(0)
                } else {
                    self.cloud_init.first().cloned().unwrap_or_default()
                };
                done(format!("status: {next}\n"))
            }
            "data" => {
                let used = self.data.contains("volumes");
                done(line(!self.data.is_empty(), "data=yes") + &line(used, "used=volumes"))
            }
            "data-remove" => {
                self.data.clear();
                done(String::new())
            }
            "job" => done(self.ask(arguments[0])),
            "job-clear" => {
                self.jobs.remove(arguments[0]);
                done(String::new())
            }
            "apt-get-simulate" => {
                let new = BROUGHT.iter().filter(|name| !self.packages.contains(**name));
                done(new.map(|name| format!("Inst {name} (1 Debian:12/stable [amd64])\n")).collect())
            }
            "apt-get-simulate-remove" => done(arguments.iter().map(|name| format!("Purg {name} [1]\n")).collect()),
            "apt-get-installed" => done(self.packages.iter().map(|name| format!("{name}\n")).collect()),
            "apt-get-update" | "apt-get-install" | "apt-get-remove" => {
                self.start(command, arguments);
                done(String::new())
            }
            other => (127, format!("no `{other}` here")),
        }
    }

    fn start(&mut self, job: &str, arguments: &[&str]) {
        let (mut status, mut log) = (0, String::new());
        if self.locked > 0 {
            self.locked -= 1;
            (status, log) = (
                100,
                "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 7 (unattended-upgr)\n"
                    .to_owned(),
            );
        } else if job == "apt-get-install" && self.fails > 0 {
            self.fails -= 1;
            self.packages.insert("runc".to_owned());
            (status, log) = (100, "E: Failed to fetch http://deb.debian.org/\n".to_owned());
        } else if job == "apt-get-install" {
            self.install();
        } else if job == "apt-get-remove" {
            arguments.iter().for_each(|name| {
                self.packages.remove(*name);
            });
            (self.runs, self.enabled) = (self.runs && self.has_docker(), self.enabled && self.has_docker());
        }
        self.jobs.insert(job.to_owned(), (1, status, log));
    }

    fn ask(&mut self, job: &str) -> String {
        match self.jobs.get_mut(job) {
            None => String::new(),
            Some((0, status, log)) => format!("status={status}\n{log}"),
            Some((left, ..)) => {
                *left -= 1;
                "status=running\nSelecting previously unselected package\n".to_owned()
            }
        }
    }

    /// What is not about the past.
    #[must_use]
    pub fn at_rest(&self) -> State {
        let rest = self.clone();
        State { now_ms: 0, fuse: None, ran: Vec::new(), jobs: BTreeMap::new(), ..rest }
    }
}

fn broken(message: &str) -> Fault {
    Fault { code: Code::Unreachable, message: message.to_owned(), retryable: true }
}

impl Board {
    /// A machine in this state.
    pub fn new(state: State) -> Board {
        Board(Rc::new(RefCell::new(state)))
    }

    fn act<T>(&self, what: &str, act: impl FnOnce(&mut State) -> T) -> Result<T, Fault> {
        let mut state = self.0.borrow_mut();
        if state.refuses > 0 {
            state.refuses -= 1;
            return Err(broken("connection refused"));
        }
        state.ran.push(what.to_owned());
        let answer = act(&mut state);
        match &mut state.fuse {
            Some(0) => Err(broken("the connection broke")),
            Some(left) => {
                *left -= 1;
                Ok(answer)
            }
            None => Ok(answer),
        }
    }
}

impl Remote for Board {
    fn answers(&self) -> Result<bool, Fault> {
        let mut state = self.0.borrow_mut();
        let is_open = state.refuses == 0;
        state.refuses = state.refuses.saturating_sub(1);
        Ok(is_open)
    }

    fn host_key(&self) -> Result<String, Fault> {
        self.act("host key", |_| "ssh-ed25519 AAAA".to_owned())
    }

    fn run(&self, command: &str, arguments: &[&str]) -> Result<Output, Fault> {
        self.act(command, |state| {
            let (status, text) = state.run(command, arguments);
            let (stdout, stderr) = if status == 0 { (text, String::new()) } else { (String::new(), text) };
            Output { status, stdout, stderr }
        })
    }

    fn read_file(&self, path: &str) -> Result<Option<Vec<u8>>, Fault> {
        self.act("read", |state| state.files.get(path).cloned())
    }

    fn write_file(&self, path: &str, _: u32, content: &[u8]) -> Result<(), Fault> {
        self.act("write", |state| drop(state.files.insert(path.to_owned(), content.to_vec())))
    }

    fn remove_file(&self, path: &str) -> Result<(), Fault> {
        self.act("remove", |state| drop(state.files.remove(path)))
    }

    fn install_certificate(&self, _: &str, folder: &str, _: &[String], days: u32) -> Result<u64, Fault> {
        self.act("certificate", |state| {
            for name in ["ca.pem", "server-cert.pem", "server-key.pem"] {
                state.files.insert(format!("{folder}/{name}"), b"PEM".to_vec());
            }
            state.now_ms + u64::from(days) * 24 * 3600 * 1000
        })
    }
}

impl World for Board {
    fn machine(&self, _: &Json) -> Box<dyn Remote> {
        Box::new(self.clone())
    }

    fn now_ms(&self) -> u64 {
        let mut state = self.0.borrow_mut();
        state.now_ms += 1000;
        state.now_ms
    }

    fn progress(&self, _: u32, _: &str) {}
}
