//! From an address to an engine that answers.

use bimetal_provider::{Code, Diagnostic, Fault, Result};
use bimetal_provider_prepare::{Remote, Wish, prepare};

use super::{Droplet, login};
use crate::DigitalOcean;

/// How far it is.
pub(super) enum Step {
    Ready(Box<Droplet>),
    /// Call again.
    Wait {
        after_ms: u64,
        reason: String,
        /// What is known of it by now.
        droplet: Option<Box<Droplet>>,
    },
}

/// With what is known of the droplet where it went wrong.
pub(super) type Progress = std::result::Result<Step, (Diagnostic, Option<Box<Droplet>>)>;

/// One step from an address towards an engine that answers.
pub(super) fn climb(provider: &DigitalOcean, mut droplet: Droplet, intent: &str) -> Progress {
    match rung(provider, &mut droplet, intent) {
        Ok(Rung::Ready) => Ok(Step::Ready(Box::new(droplet))),
        Ok(Rung::Wait(after_ms, reason)) => Ok(Step::Wait { after_ms, reason, droplet: Some(Box::new(droplet)) }),
        Err(diagnostic) => Err((diagnostic, Some(Box::new(droplet)))),
    }
}

enum Rung {
    Ready,
    Wait(u64, String),
}

fn rung(provider: &DigitalOcean, droplet: &mut Droplet, intent: &str) -> Result<Rung> {
    let remote = |droplet: &Droplet| provider.world.machine(&login::of(droplet, &provider.login).endpoint());
    if !remote(droplet).answers()? {
        return Ok(Rung::Wait(2000, "waiting for SSH".to_owned()));
    }
    let is_first_time = droplet.host_key.is_none();
    if is_first_time {
        match remote(droplet).host_key() {
            Ok(key) => droplet.host_key = Some(key),
            Err(fault) => return closed(fault),
        }
    }
    let remote = remote(droplet);
    if let Some(wait) = still_booting(&*remote)? {
        return Ok(wait);
    }
    let login = login::of(droplet, &provider.login);
    let wish = Wish { intent, user: &login.user, install: true, access: droplet.access() };
    match prepare(&*remote, &wish, provider.world.now_ms())? {
        bimetal_provider_prepare::Step::Wait { after_ms, reason } => Ok(Rung::Wait(after_ms, reason)),
        bimetal_provider_prepare::Step::Ready(ready) => {
            let host_key = droplet.host_key.clone().unwrap_or_default();
            *droplet = droplet.clone().ready(provider, &ready, &host_key);
            Ok(Rung::Ready)
        }
    }
}

/// A machine that boots closes connections; whom it does not let in it will not let in later.
fn closed(fault: Fault) -> Result<Rung> {
    match fault.code {
        Code::Unauthorized => {
            let error = Diagnostic::from(fault).at("ssh_keys");
            Err(error.hint("`ssh_keys` must have the key that `private_key`, `key_file` or the agent logs in with"))
        }
        _ if fault.retryable => Ok(Rung::Wait(2000, "waiting for SSH".to_owned())),
        _ => Err(fault.into()),
    }
}

/// What cloud-init does on the first boot may be what our work needs.
fn still_booting(remote: &dyn Remote) -> Result<Option<Rung>> {
    let status = remote.run("cloud-init", &[])?.stdout;
    let is_busy = status.contains("status: running") || status.contains("status: not");
    Ok(is_busy.then(|| Rung::Wait(2000, "waiting for cloud-init".to_owned())))
}
