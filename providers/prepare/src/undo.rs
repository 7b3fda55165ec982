//! Takes off a machine what its stamp says that Bimetal put there, and nothing else. The stamp goes last.

use bimetal_provider::{Diagnostic, Result};

use crate::access::remove_files;
use crate::facts::Said;
use crate::job::{Job, tail};
use crate::manager::Manager;
use crate::prepare::{clear_job, installed, lock_reason, start_job};
use crate::remote::Remote;
use crate::stamp::{STAMP, Stamp};

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone {
    /// Nothing of ours is there any more.
    All,
    /// Call again.
    Wait {
        /// In how many milliseconds.
        after_ms: u64,
        /// For people.
        reason: String,
    },
}

/// Brings a machine one step nearer to what it was. One that is stamped for somebody else is not ours to touch.
pub fn undo(remote: &dyn Remote, intent: &str) -> Result<Undone> {
    let Some(stamp) = Stamp::read(remote)?.filter(|stamp| stamp.intent == intent) else {
        return Ok(Undone::All);
    };
    let manager = stamp.manager.as_deref().and_then(Manager::of);
    if let Some(reason) = manager.map(|manager| still_installing(remote, &stamp, manager)).transpose()?.flatten() {
        return Ok(Undone::Wait { after_ms: 3000, reason });
    }
    for member in &stamp.members {
        remote.run("member-remove", &[member])?;
    }
    if let Some(reason) = take_engine_off(remote, &stamp, manager)? {
        return Ok(Undone::Wait { after_ms: 3000, reason });
    }
    remote.remove_file(STAMP)?;
    remote.run("folders-remove", &folders(&stamp))?;
    Ok(Undone::All)
}

fn still_installing(remote: &dyn Remote, stamp: &Stamp, manager: Manager) -> Result<Option<String>> {
    let job = manager.command("install");
    match Job::of(remote, &job)? {
        Job::Running(_) if stamp.installing => Ok(Some("waiting for the installation to end".to_owned())),
        Job::Running(_) | Job::Ended(..) | Job::None => Ok(None),
    }
}

/// Answers what is still to be waited for.
fn take_engine_off(remote: &dyn Remote, stamp: &Stamp, manager: Option<Manager>) -> Result<Option<String>> {
    remove_files(remote, &stamp.files)?;
    match manager {
        Some(manager) => {
            let reason = remove_packages(remote, stamp, manager)?;
            if reason.is_none() && stamp.data {
                remove_data(remote)?;
            }
            Ok(reason)
        }
        None => {
            if stamp.enabled {
                remote.run("service-stop", &[])?;
            } else if !stamp.files.is_empty() {
                remote.run("service-restart", &[])?;
            }
            Ok(None)
        }
    }
}

fn remove_packages(remote: &dyn Remote, stamp: &Stamp, manager: Manager) -> Result<Option<String>> {
    let job = manager.command("remove");
    let ended = match Job::of(remote, &job)? {
        Job::Running(line) => return Ok(Some(format!("removing {}: {line}", stamp.wanted.join(", ")))),
        Job::Ended(status, log) => {
            clear_job(remote, &job)?;
            Some((status, log))
        }
        Job::None => None,
    };
    let there = installed(remote, manager)?;
    let ours: Vec<&str> = stamp.packages.iter().filter(|name| there.contains(name)).map(String::as_str).collect();
    if ours.is_empty() {
        return Ok(None);
    }
    if let Some((status, log)) = ended {
        // Some managers call it a good end that they kept what something else needs.
        let failed = || Diagnostic::error(format!("{} can't be removed", ours.join(", "))).hint(tail(&log));
        return lock_reason(&log).filter(|_| status != 0).map(Some).ok_or_else(failed);
    }
    refuse_what_is_needed(remote, manager, &ours)?;
    start_job(remote, &job, &ours)?;
    Ok(Some(format!("removing {}", stamp.wanted.join(", "))))
}

/// What somebody installed later may need what we brought.
fn refuse_what_is_needed(remote: &dyn Remote, manager: Manager, ours: &[&str]) -> Result<()> {
    if !manager.simulates_removal() {
        return Ok(());
    }
    let simulated = remote.run(&manager.command("simulate-remove"), ours)?;
    let needing = manager.needs(&(simulated.stdout + "\n" + &simulated.stderr), ours);
    match needing.is_empty() {
        true => Ok(()),
        false => {
            Err(Diagnostic::error(format!("the Docker that Bimetal installed is needed by {}", needing.join(", ")))
                .hint(format!("remove that yourself first, or remove `{STAMP}` there to keep everything")))
        }
    }
}

/// The data of containers and volumes that somebody else made is not ours.
fn remove_data(remote: &dyn Remote) -> Result<()> {
    let output = remote.run("data", &[])?.stdout;
    let data = Said::parse(&output);
    if data.one("data") == "yes" && data.one("used").is_empty() {
        remote.run("data-remove", &[])?;
    }
    Ok(())
}

/// Those that our files were in; only empty ones are removed.
fn folders(stamp: &Stamp) -> Vec<&str> {
    let mut folders: Vec<&str> = stamp
        .files
        .iter()
        .map(String::as_str)
        .chain([STAMP])
        .filter_map(|file| Some(file.rsplit_once('/')?.0))
        .collect();
    folders.dedup();
    folders
}
