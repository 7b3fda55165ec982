//! An engine that listens on TCP, for clients with a certificate: what is written, and that the engine reads it.

use bimetal_provider::{Diagnostic, Handle, Json, Result};

use crate::certificate::{DAYS, is_due};
use crate::endpoint::{Login, engine_over_ssh, engine_over_tcp};
use crate::facts::Init;
use crate::job::tail;
use crate::prepare::Preparing;
use crate::remote::Remote;
use crate::stamp::Certificate;

/// Certificates of all engines are of one authority, which the host keeps with the state.
const AUTHORITY: &str = "bimetal";
/// Where certificates are put.
const FOLDER: &str = "/etc/docker/bimetal";
/// What makes the engine listen.
pub const DROP_IN: &str = "/etc/systemd/system/docker.service.d/bimetal.conf";
/// What the engine's own configuration is.
const DAEMON: &str = "/etc/docker/daemon.json";

/// How an engine is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Through SSH, to its socket.
    Ssh,
    /// Over TCP with certificates of an authority, under these names.
    Mtls {
        /// Kept by the host.
        authority: String,
        /// Names and addresses.
        names: Vec<String>,
    },
}

impl Access {
    /// What the attribute `engine_access` says of the engine of a host; `ssh` unless said.
    pub fn of(word: Option<&str>, host: &str) -> Access {
        match word {
            Some("mtls") => Access::Mtls { authority: AUTHORITY.to_owned(), names: vec![host.to_owned()] },
            _ => Access::Ssh,
        }
    }

    /// What is wrong with that attribute.
    pub fn check(word: Option<&str>) -> Option<Diagnostic> {
        let wrong = word.filter(|word| !["ssh", "mtls"].contains(word))?;
        let error = Diagnostic::error(format!("`{wrong}` is no way to an engine")).at("engine_access");
        Some(error.hint("`ssh` and `mtls` are"))
    }

    /// The engine, for others.
    pub fn handle(&self, login: &Login, host_key: &str) -> Handle {
        match self {
            Access::Ssh => engine_over_ssh(login, host_key),
            Access::Mtls { authority, .. } => engine_over_tcp(&login.host, authority),
        }
    }
}

/// Makes the engine listen as wished, or stops it from listening.
pub(crate) fn open(preparing: &mut Preparing<'_>) -> Result<()> {
    match preparing.wish.access.clone() {
        Access::Ssh => close(preparing),
        Access::Mtls { authority, names } => {
            if preparing.facts.init != Init::Systemd {
                let error = Diagnostic::error("only an engine that systemd starts can be made to listen on TCP");
                return Err(error.at("engine_access").hint("leave `engine_access` at `ssh`"));
            }
            certify(preparing, &authority, &names)?;
            write_drop_in(preparing)?;
            restart(preparing)
        }
    }
}

fn certify(preparing: &mut Preparing<'_>, authority: &str, names: &[String]) -> Result<()> {
    let now = preparing.now_ms;
    let is_good =
        |known: &Certificate| known.authority == authority && known.names == names && !is_due(known.not_after_ms, now);
    if preparing.stamp.certificate.as_ref().is_some_and(is_good) {
        return Ok(());
    }
    let certificates = ["ca.pem", "server-cert.pem", "server-key.pem"].map(|name| format!("{FOLDER}/{name}"));
    preparing.record(|stamp| {
        stamp.files = certificates.into_iter().chain([DROP_IN.to_owned()]).collect();
        stamp.restart = true;
    })?;
    let not_after_ms = preparing.remote.install_certificate(authority, FOLDER, names, DAYS)?;
    let certificate = Certificate { authority: authority.to_owned(), names: names.to_owned(), not_after_ms };
    preparing.record(|stamp| stamp.certificate = Some(certificate))
}

fn write_drop_in(preparing: &mut Preparing<'_>) -> Result<()> {
    let unit = preparing.remote.run("service-unit", &[])?;
    let Some(start) = exec_start(&unit.stdout) else {
        return Err(Diagnostic::error("the unit `docker.service` has no `ExecStart`").hint(tail(&unit.stderr)));
    };
    let content = drop_in(&start, &daemon(preparing.remote)?)?;
    if preparing.remote.read_file(DROP_IN)?.as_deref() == Some(content.as_bytes()) {
        return Ok(());
    }
    preparing.record(|stamp| stamp.restart = true)?;
    Ok(preparing.remote.write_file(DROP_IN, 0o644, content.as_bytes())?)
}

fn restart(preparing: &mut Preparing<'_>) -> Result<()> {
    if !preparing.stamp.restart {
        return Ok(());
    }
    let output = preparing.remote.run("service-restart", &[])?;
    if output.status != 0 {
        let log = preparing.remote.run("service-log", &[])?.stdout;
        return Err(
            Diagnostic::error("the engine does not start with what it was given").hint(tail(&(output.stderr + &log)))
        );
    }
    preparing.record(|stamp| stamp.restart = false)
}

fn close(preparing: &mut Preparing<'_>) -> Result<()> {
    if preparing.stamp.files.is_empty() {
        return Ok(());
    }
    remove_files(preparing.remote, &preparing.stamp.files)?;
    let _ = preparing.remote.run("service-restart", &[])?;
    preparing.record(|stamp| {
        stamp.files.clear();
        stamp.certificate = None;
        stamp.restart = false;
    })
}

pub(crate) fn remove_files(remote: &dyn Remote, files: &[String]) -> Result<()> {
    files.iter().try_for_each(|file| Ok(remote.remove_file(file)?))
}

/// How the engine is started without us, from what `systemctl cat` prints.
fn exec_start(units: &str) -> Option<String> {
    let mut start = None;
    let mut is_ours = false;
    for line in units.replace("\\\n", " ").lines() {
        if line.starts_with("# /") {
            is_ours = line.trim_start_matches("# ") == DROP_IN;
        } else if let (false, Some(command)) = (is_ours, line.trim().strip_prefix("ExecStart=")) {
            start = Some(command.trim().to_owned()).filter(|command| !command.is_empty());
        }
    }
    start
}

fn daemon(remote: &dyn Remote) -> Result<Json> {
    let content = remote.read_file(DAEMON)?.unwrap_or_default();
    // An engine that runs has read it; what we can't read says nothing to us.
    Ok(serde_json::from_slice(&content).unwrap_or_default())
}

/// What is said both here and in `daemon.json` stops an engine from starting.
fn drop_in(start: &str, daemon: &Json) -> Result<String> {
    for name in ["hosts", "tlsverify", "tlscacert", "tlscert", "tlskey"] {
        if !daemon[name].is_null() {
            let error = Diagnostic::error(format!("`{DAEMON}` sets `{name}`, which Bimetal would have to set too"));
            return Err(error.at("engine_access").hint("remove it there, or leave `engine_access` at `ssh`"));
        }
    }
    let restore = if daemon["live-restore"].is_null() { " --live-restore" } else { "" };
    Ok(format!(
        "# Written by Bimetal, which removes it again.\n[Service]\nExecStart=\nExecStart={start} -H tcp://0.0.0.0:2376 --tlsverify \
         --tlscacert={FOLDER}/ca.pem --tlscert={FOLDER}/server-cert.pem --tlskey={FOLDER}/server-key.pem{restore}\n"
    ))
}

#[cfg(test)]
mod tests {
    use bimetal_provider::json;

    use super::*;

    const UNITS: &str = "# /lib/systemd/system/docker.service\n[Service]\nExecStart=/usr/sbin/dockerd -H fd:// \\\n  --containerd=/run/x.sock $DOCKER_OPTS\n\n\
        # /etc/systemd/system/docker.service.d/bimetal.conf\n[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H tcp://0.0.0.0:2376\n";

    #[test]
    fn the_engine_keeps_what_it_was_started_with() {
        let start = exec_start(UNITS).unwrap();
        assert_eq!(start, "/usr/sbin/dockerd -H fd://    --containerd=/run/x.sock $DOCKER_OPTS");
        let content = drop_in("/usr/sbin/dockerd -H fd://", &Json::Null).unwrap();
        assert!(
            content.contains("ExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// -H tcp://0.0.0.0:2376 --tlsverify "),
            "{content}"
        );
        assert!(content.ends_with("--live-restore\n"), "{content}");
    }

    #[test]
    fn nothing_is_said_twice() {
        assert!(!drop_in("dockerd", &json!({ "live-restore": true })).unwrap().contains("--live-restore"));
        assert!(drop_in("dockerd", &json!({ "hosts": ["fd://"] })).is_err());
    }
}
