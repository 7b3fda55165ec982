//! One rung after another until a machine's engine answers. Every rung may be climbed again: it looks before it acts.

use bimetal_provider::{Diagnostic, Result};

use crate::access::{self, Access};
use crate::engine::Engine;
use crate::facts::{Facts, Init, Said};
use crate::job::{Job, tail};
use crate::manager::{Manager, lock_holder, named, nothing_offered, offered};
use crate::remote::Remote;
use crate::stamp::Stamp;

/// An engine that was started answers within this time, on the slowest board.
const PATIENCE_MS: u64 = 180_000;

/// What a machine is to become.
#[derive(Clone, Debug)]
pub struct Wish<'a> {
    /// Of the object that the machine is.
    pub intent: &'a str,
    /// Who logs in.
    pub user: &'a str,
    /// Docker is put there where it is missing.
    pub install: bool,
    /// How the engine is to be reached.
    pub access: Access,
}

/// A machine whose engine answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// What it is.
    pub facts: Facts,
    /// Of the engine.
    pub engine_version: String,
    /// When the engine's certificate ends, in milliseconds since 1970.
    pub certificate_not_after_ms: Option<u64>,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// All is done.
    Ready(Box<Ready>),
    /// Call again with the same arguments.
    Wait {
        /// In how many milliseconds.
        after_ms: u64,
        /// For people.
        reason: String,
    },
}

/// What is known and done while a machine is prepared.
pub(crate) struct Preparing<'a> {
    pub(crate) remote: &'a dyn Remote,
    pub(crate) wish: &'a Wish<'a>,
    pub(crate) facts: Facts,
    pub(crate) stamp: Stamp,
    pub(crate) now_ms: u64,
}

/// Asks a machine what it is; changes nothing.
pub fn facts(remote: &dyn Remote) -> Result<Facts> {
    let output = remote.run("facts", &[])?;
    Facts::parse(&output.stdout).ok_or_else(|| {
        let said = tail(&(output.stdout + &output.stderr));
        Diagnostic::error("the machine does not say what processor it has").hint(format!("it says: {said}"))
    })
}

/// Asks a machine for its engine; changes nothing.
pub fn engine(remote: &dyn Remote) -> Result<Engine> {
    Ok(Engine::parse(&remote.run("engine", &[])?.stdout))
}

/// Brings a machine one step nearer to what is wished.
pub fn prepare(remote: &dyn Remote, wish: &Wish<'_>, now_ms: u64) -> Result<Step> {
    let facts = facts(remote)?;
    let stamp = Stamp::claim(remote, wish.intent)?;
    let mut preparing = Preparing { remote, wish, facts, stamp, now_ms };
    for rung in [Preparing::install, Preparing::admit, Preparing::start] {
        if let Some(wait) = rung(&mut preparing)? {
            return Ok(wait);
        }
    }
    access::open(&mut preparing)?;
    preparing.finish()
}

fn wait(after_ms: u64, reason: impl Into<String>) -> Step {
    Step::Wait { after_ms, reason: reason.into() }
}

impl Preparing<'_> {
    /// Invariant: written before the act that it speaks of.
    pub(crate) fn record(&mut self, change: impl FnOnce(&mut Stamp)) -> Result<()> {
        change(&mut self.stamp);
        self.stamp.write(self.remote)
    }

    fn install(&mut self) -> Result<Option<Step>> {
        if self.stamp.installing {
            return self.watch_installation();
        }
        if engine(self.remote)?.is_installed {
            return Ok(None);
        }
        let manager = self.may_install()?;
        let update = manager.command("update");
        match Job::of(self.remote, &update)? {
            Job::None => {
                start_job(self.remote, &update, &[])?;
                Ok(Some(wait(2000, "bringing the list of packages up to date")))
            }
            Job::Running(_) => Ok(Some(wait(2000, "bringing the list of packages up to date"))),
            Job::Ended(0, _) => self.begin_installation(manager).map(Some),
            Job::Ended(_, log) => {
                clear_job(self.remote, &update)?;
                let failed = || Diagnostic::error("the list of packages can't be brought up to date").hint(tail(&log));
                locked(&log).map(Some).ok_or_else(failed)
            }
        }
    }

    /// What installs here; or why nothing does.
    fn may_install(&self) -> Result<Manager> {
        if !self.wish.install {
            let error = Diagnostic::error("there is no Docker on this machine").at("install_engine");
            return Err(error.hint("install it, or let Bimetal do it with `install_engine = true`"));
        }
        if self.facts.init == Init::None {
            let error = Diagnostic::error(
                "nothing on this machine starts services: neither systemd nor OpenRC nor SysV scripts",
            );
            return Err(error.hint("start `dockerd` on it yourself: Bimetal uses what it finds"));
        }
        self.facts.manager.ok_or_else(|| {
            let error = format!("Bimetal knows no package manager on this machine, which runs {}", named(&self.facts));
            Diagnostic::error(error).hint("install Docker on it yourself: Bimetal uses what it finds")
        })
    }

    fn begin_installation(&mut self, manager: Manager) -> Result<Step> {
        let wanted = self.wanted(manager)?;
        let names: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let simulated = self.remote.run(&manager.command("simulate"), &names)?;
        let mut brought = manager.simulated(&format!("{}\n{}", simulated.stdout, simulated.stderr));
        if brought.is_empty() {
            let error = format!("{} can't be installed on {}", wanted[0], named(&self.facts));
            return Err(Diagnostic::error(error).hint(tail(&(simulated.stdout + &simulated.stderr))));
        }
        let there = installed(self.remote, manager)?;
        brought.retain(|name| !there.contains(name));
        let has_data = Said::parse(&self.remote.run("data", &[])?.stdout).one("data") == "yes";
        self.record(|stamp| {
            // A second try finds a part of it there already, which is ours all the same.
            stamp.packages.extend(brought);
            stamp.packages.sort();
            stamp.packages.dedup();
            stamp.data |= stamp.manager.is_none() && !has_data;
            stamp.manager = Some(manager.name().to_owned());
            stamp.wanted.clone_from(&wanted);
            stamp.installing = true;
        })?;
        clear_job(self.remote, &manager.command("update"))?;
        self.start_installation(manager)
    }

    /// The engine's package comes first.
    fn wanted(&self, manager: Manager) -> Result<Vec<String>> {
        let engine = match manager {
            Manager::Dnf => {
                let listing = self.remote.run("dnf-candidates", manager.engines())?;
                offered(&listing.stdout, manager.engines()).ok_or_else(|| {
                    let (summary, hint) = nothing_offered(&self.facts);
                    Diagnostic::error(summary).hint(hint)
                })?
            }
            Manager::Apt | Manager::Apk | Manager::Pacman => manager.engines()[0],
        };
        Ok(std::iter::once(&engine).chain(manager.besides()).map(|name| (*name).to_owned()).collect())
    }

    fn start_installation(&self, manager: Manager) -> Result<Step> {
        let names: Vec<&str> = self.stamp.wanted.iter().map(String::as_str).collect();
        start_job(self.remote, &manager.command("install"), &names)?;
        Ok(wait(3000, self.installing("")))
    }

    fn installing(&self, line: &str) -> String {
        let what = self.stamp.wanted.first().map_or("docker", String::as_str);
        if line.is_empty() { format!("installing {what}") } else { format!("installing {what}: {line}") }
    }

    fn watch_installation(&mut self) -> Result<Option<Step>> {
        let manager = self.stamp.manager.as_deref().and_then(Manager::of);
        let Some(manager) = manager else {
            return Err(Diagnostic::error("the machine's stamp names no package manager").hint("was it edited?"));
        };
        let job = manager.command("install");
        match Job::of(self.remote, &job)? {
            Job::None => self.start_installation(manager).map(Some),
            Job::Running(line) => Ok(Some(wait(3000, self.installing(&line)))),
            Job::Ended(0, log) => {
                clear_job(self.remote, &job)?;
                self.record(|stamp| (stamp.installing, stamp.failures) = (false, 0))?;
                match engine(self.remote)?.is_installed {
                    true => Ok(None),
                    false => Err(Diagnostic::error(format!(
                        "{} was installed, and there is no engine",
                        self.stamp.wanted[0]
                    ))
                    .hint(tail(&log))),
                }
            }
            Job::Ended(_, log) => {
                clear_job(self.remote, &job)?;
                match locked(&log) {
                    Some(wait) => Ok(Some(wait)),
                    None => self.fail_installation(&log).map(Some),
                }
            }
        }
    }

    /// Mirrors have bad minutes: once more, from the list of packages on.
    fn fail_installation(&mut self, log: &str) -> Result<Step> {
        let is_first = self.stamp.failures == 0;
        self.record(|stamp| (stamp.installing, stamp.failures) = (false, u32::from(is_first)))?;
        let what = self.stamp.wanted.first().map_or("docker", String::as_str);
        match is_first {
            true => Ok(wait(5000, format!("installing {what} failed; trying once more"))),
            false => Err(Diagnostic::error(format!("installing {what} failed")).hint(tail(log))),
        }
    }

    /// Lets the user who logs in speak to the engine.
    fn admit(&mut self) -> Result<Option<Step>> {
        let user = self.wish.user;
        if user == "root" || !engine(self.remote)?.is_closed {
            return Ok(None);
        }
        let groups = self.remote.run("member", &[user])?.stdout;
        if !groups.split_whitespace().any(|group| group == "docker")
            && !self.stamp.members.iter().any(|member| member == user)
        {
            self.record(|stamp| stamp.members.push(user.to_owned()))?;
        }
        let added = self.remote.run("member-add", &[user])?;
        match added.status {
            0 => Ok(None),
            _ => {
                Err(Diagnostic::error(format!("`{user}` can't be put in the group `docker`")).hint(tail(&added.stderr)))
            }
        }
    }

    /// Starts the engine, and waits for its answer.
    fn start(&mut self) -> Result<Option<Step>> {
        if engine(self.remote)?.version.is_some() {
            return Ok(None);
        }
        if let Some(since) = self.stamp.waiting_since_ms {
            return match self.now_ms.saturating_sub(since) < PATIENCE_MS {
                true => Ok(Some(wait(2000, "waiting for the engine to answer"))),
                false => Err(self.does_not_start("the engine does not answer")?),
            };
        }
        let output = self.remote.run("service", &[])?;
        let service = Said::parse(&output.stdout);
        let (is_enabled, is_active) =
            (service.one("enabled").starts_with("enabled"), service.one("active") == "active");
        let (now_ms, is_ours) = (self.now_ms, self.stamp.manager.is_some());
        self.record(|stamp| {
            stamp.waiting_since_ms = Some(now_ms);
            stamp.enabled |= !is_ours && !is_enabled && !is_active;
        })?;
        if !is_active && self.remote.run("service-start", &[])?.status != 0 {
            return Err(self.does_not_start("the engine does not start")?);
        }
        Ok(Some(wait(1000, "starting the engine")))
    }

    fn does_not_start(&mut self, summary: &str) -> Result<Diagnostic> {
        self.record(|stamp| stamp.waiting_since_ms = None)?;
        let log = self.remote.run("service-log", &[])?.stdout;
        Ok(Diagnostic::error(summary).hint(tail(&log)))
    }

    fn finish(mut self) -> Result<Step> {
        let Some(engine_version) = engine(self.remote)?.version else {
            return Ok(wait(2000, "waiting for the engine to answer"));
        };
        if self.stamp.waiting_since_ms.is_some() {
            self.record(|stamp| stamp.waiting_since_ms = None)?;
        }
        let certificate_not_after_ms = self.stamp.certificate_not_after_ms();
        Ok(Step::Ready(Box::new(Ready { facts: self.facts, engine_version, certificate_not_after_ms })))
    }
}

/// What is there now.
pub(crate) fn installed(remote: &dyn Remote, manager: Manager) -> Result<Vec<String>> {
    let output = remote.run(&manager.command("installed"), &[])?;
    match output.status {
        0 => Ok(output.stdout.lines().map(|line| line.trim().to_owned()).collect()),
        _ => Err(Diagnostic::error("the machine does not say what is installed on it").hint(tail(&output.stderr))),
    }
}

pub(crate) fn start_job(remote: &dyn Remote, job: &str, arguments: &[&str]) -> Result<()> {
    let output = remote.run(job, arguments)?;
    match output.status {
        0 => Ok(()),
        _ => Err(Diagnostic::error(format!("`{job}` can't be started")).hint(tail(&output.stderr))),
    }
}

pub(crate) fn clear_job(remote: &dyn Remote, job: &str) -> Result<()> {
    remote.run("job-clear", &[job])?;
    Ok(())
}

fn locked(log: &str) -> Option<Step> {
    lock_holder(log)
        .map(|holder| wait(5000, format!("waiting for the lock of the packages, which is held by {holder}")))
}

/// The same for whoever removes.
pub(crate) fn lock_reason(log: &str) -> Option<String> {
    lock_holder(log).map(|holder| format!("waiting for the lock of the packages, which is held by {holder}"))
}
