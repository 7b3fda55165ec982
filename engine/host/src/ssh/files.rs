//! Files on a machine, with what every machine has: a POSIX shell, `cat`, `mv`, `mktemp`.
//!
//! Invariant: a file is there as it was or as it is to be, never in part (test: `a_file_is_written_whole_or_not_at_all`).

use super::endpoint::Endpoint;
use super::exec::{RawOutput, run_raw, text};
use super::pool::Pool;
use super::quote::quote;
use crate::fault::{Code, Fault};

/// The status by which our scripts say that there is no such file.
const ABSENT: i32 = 44;

/// The command line as root. It runs in a shell of its own, so that all of it is root's.
pub(crate) fn as_root(endpoint: &Endpoint, command: &str) -> String {
    match endpoint.is_root() {
        true => command.to_owned(),
        // A command without NUL is all that `quote` asks for; one with it would be cut off anyway.
        false => format!("sudo -n sh -c {}", quote(&command.replace('\0', "")).unwrap_or_default()),
    }
}

/// The content; `None`: no such file.
pub(crate) async fn read(pool: &Pool, path: &str) -> Result<Option<Vec<u8>>, Fault> {
    let path = checked(path)?;
    let output = script(pool, &format!("p={path}; [ -e \"$p\" ] || exit {ABSENT}; exec cat -- \"$p\""), &[]).await?;
    match output.status {
        Some(ABSENT) => Ok(None),
        Some(0) => Ok(Some(output.stdout)),
        _ => Err(failed(pool, "read", &path, output)),
    }
}

/// Whole or not at all.
pub(crate) async fn write(pool: &Pool, path: &str, mode: u32, content: &[u8]) -> Result<(), Fault> {
    let path = checked(path)?;
    // The size tells content that was cut off with the connection from content that is all there.
    let command = format!(
        "set -eu; p={path}; d=$(dirname -- \"$p\"); mkdir -p -- \"$d\"; umask 077; \
         t=$(mktemp \"$d/.bimetal.XXXXXXXX\"); trap 'rm -f -- \"$t\"' EXIT; \
         cat > \"$t\"; [ \"$(wc -c < \"$t\")\" -eq {size} ]; chmod {mode:o} \"$t\"; mv -f -- \"$t\" \"$p\"; trap - EXIT",
        size = content.len(),
        mode = mode & 0o7777,
    );
    let output = script(pool, &command, content).await?;
    match output.status {
        Some(0) => Ok(()),
        _ => Err(failed(pool, "write", &path, output)),
    }
}

/// Gone, whether it was there or not.
pub(crate) async fn remove(pool: &Pool, path: &str) -> Result<(), Fault> {
    let path = checked(path)?;
    let output = script(pool, &format!("rm -f -- {path}"), &[]).await?;
    match output.status {
        Some(0) => Ok(()),
        _ => Err(failed(pool, "remove", &path, output)),
    }
}

/// The user's login shell may be any; the script is read by `sh`.
async fn script(pool: &Pool, script: &str, input: &[u8]) -> Result<RawOutput, Fault> {
    let shell = if pool.endpoint.is_root() { "sh" } else { "sudo -n sh" };
    run_raw(pool, &format!("{shell} -c {}", quote(script)?), input).await
}

/// Quoted. Relative paths would depend on who logs in.
fn checked(path: &str) -> Result<String, Fault> {
    match path.starts_with('/') && !path.ends_with('/') {
        true => quote(path),
        false => Err(Fault::new(Code::Invalid, format!("`{path}` is not the absolute path of a file"))),
    }
}

fn failed(pool: &Pool, what: &str, path: &str, output: RawOutput) -> Fault {
    let reason = text(output.stderr);
    let endpoint = &pool.endpoint;
    if reason.starts_with("sudo:") {
        let hint = format!("let `{}` use `sudo` without a password, or log in as `root`", endpoint.user());
        return Fault::new(Code::Unauthorized, format!("{endpoint} gives no root rights: {}\n{hint}", reason.trim()));
    }
    let status = output.status.unwrap_or(255);
    Fault::new(Code::Invalid, format!("can't {what} {path} on {endpoint} (status {status}): {}", reason.trim()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_whole_command_line_is_run_as_root() {
        let folder = tempfile::tempdir().unwrap();
        let sudo = folder.path().join("sudo");
        std::fs::write(&sudo, "#!/bin/sh\n[ \"$1\" = -n ] && shift && ROOT=yes exec \"$@\"\n").unwrap();
        std::fs::set_permissions(&sudo, std::fs::Permissions::from_mode(0o755)).unwrap();
        let run = |user: &str| {
            let endpoint = format!(r#"{{"host": "a", "user": "{user}"}}"#);
            let endpoint = Endpoint::parse(&endpoint).unwrap();
            let command = as_root(&endpoint, "echo \"$ROOT\" 'it'\\''s'; echo $ROOT > /dev/stdout");
            let path = format!("{}:{}", folder.path().display(), std::env::var("PATH").unwrap());
            let output = std::process::Command::new("sh").args(["-c", &command]).env("PATH", path).output();
            String::from_utf8(output.unwrap().stdout).unwrap()
        };
        assert_eq!(run("eve"), "yes it's\nyes\n");
        assert_eq!(run("root"), " it's\n\n");
    }
}
