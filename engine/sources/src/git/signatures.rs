//! Whether somebody who may has signed a commit or a tag. Git and its helpers verify.

use std::io::Write as _;
use std::process::Command;

use bimetal_model::Diagnostic;
use tempfile::NamedTempFile;

use super::{Git, Running, SHORT, SOON, Scratch, told};
use crate::trust::Signers;

/// An object with its bytes, as the cache keeps it.
pub(crate) struct Signed<'a> {
    /// `commit` or `tag`.
    pub(crate) kind: &'static str,
    pub(crate) content: &'a [u8],
}

/// Whether it is signed by one of them; `what` is it, for people.
pub(crate) fn verify(
    git: &Git,
    scratch: &Scratch,
    signed: &Signed<'_>,
    signers: &Signers,
    what: &str,
) -> Result<(), Diagnostic> {
    let id = put(git, scratch, signed)?;
    let keys =
        keys(signers).map_err(|error| Diagnostic::error(format!("the signers' keys can't be written: {error}")))?;
    let mut command = git.command();
    if let Some(keys) = &keys {
        command.arg("-c").arg(format!("gpg.ssh.allowedSignersFile={}", keys.path().display()));
        // Only these keys count: a good signature of another kind is none.
        command.args(["-c", "gpg.program=false", "-c", "gpg.openpgp.program=false", "-c", "gpg.x509.program=false"]);
    }
    command.arg("--git-dir").arg(scratch.path());
    command.args([if signed.kind == "tag" { "verify-tag" } else { "verify-commit" }, "--", &id]);
    let answer = git.ask(command)?;
    if answer.worked {
        return Ok(());
    }
    let reason = match answer.complaint.is_empty() {
        true => "it has no signature".to_owned(),
        false => answer.complaint,
    };
    Err(Diagnostic::error(format!("{what} is not signed by anybody who is trusted"))
        .because(reason)
        .hint("ask who keeps the repository; the `signed` block says whose signatures count"))
}

fn put(git: &Git, scratch: &Scratch, signed: &Signed<'_>) -> Result<String, Diagnostic> {
    let mut command: Command = git.in_repository(scratch.path());
    command.args(["hash-object", "-w", "--stdin", "-t", signed.kind]);
    let answer = Running::start_with(git, command, signed.content.to_vec(), SOON)?.answer(SHORT)?;
    match answer.worked {
        true => Ok(answer.text()),
        false => Err(told(format!("the {} can't be read again", signed.kind), &answer)),
    }
}

fn keys(signers: &Signers) -> std::io::Result<Option<NamedTempFile>> {
    let Signers::Ssh(text) = signers else { return Ok(None) };
    let mut file = NamedTempFile::new()?;
    file.write_all(text.as_bytes())?;
    Ok(Some(file))
}
