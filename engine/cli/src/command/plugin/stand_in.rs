//! A program that stands for a provider's API.

use std::process::Stdio;
use std::time::Duration;

use bimetal_model::Diagnostic;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::failure::{Failure, io};
use crate::session::Session;

/// A program that has not said where it listens by then never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs until it is dropped.
pub(super) struct StandIn {
    /// What its first line was.
    pub(super) url: String,
    _child: Child,
}

impl StandIn {
    /// Starts it, and waits for its first line.
    pub(super) async fn start(session: &Session, command: &str) -> Result<StandIn, Failure> {
        // `exec`, so that what is killed at the end is the program and not its shell.
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec {command}")])
            .current_dir(&session.root)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(io(&format!("starting `{command}`")))?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            let mut out = BufReader::new(out);
            match tokio::time::timeout(PATIENCE, out.read_line(&mut line)).await {
                Ok(read) => drop(read.map_err(io(&format!("listening to `{command}`")))?),
                Err(_) => return Err(silent(command).into()),
            }
            // What it prints later goes nowhere, and must not stop it.
            tokio::spawn(async move { tokio::io::copy(&mut out, &mut tokio::io::sink()).await });
        }
        match line.trim() {
            "" => Err(silent(command).into()),
            url => Ok(StandIn { url: url.to_owned(), _child: child }),
        }
    }
}

fn silent(command: &str) -> Diagnostic {
    Diagnostic::error(format!("`{command}` did not say where it listens"))
        .hint("its first line on standard output is its URL, as `http://127.0.0.1:8081`")
}
