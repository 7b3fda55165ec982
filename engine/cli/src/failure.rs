//! What makes a command fail, on its way to the screen.

use bimetal_config::SourceFile;
use bimetal_model::lease::Clash;
use bimetal_model::port::StateError;
use bimetal_model::{Diagnostic, Diagnostics};

use crate::edge::moment;

/// A command that failed: what to say, with the sources that it speaks of, and the exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) diagnostics: Diagnostics,
    pub(crate) files: Vec<SourceFile>,
    /// See `docs/commands.md`.
    pub(crate) code: u8,
}

impl Failure {
    /// With sources to point into.
    pub(crate) fn new(diagnostics: Diagnostics, files: &[SourceFile]) -> Self {
        Failure { diagnostics, files: files.to_vec(), code: 1 }
    }
}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Failure::new(vec![diagnostic], &[])
    }
}

impl From<StateError> for Failure {
    fn from(error: StateError) -> Self {
        let diagnostic = Diagnostic::error(error.to_string());
        let diagnostic = match &error {
            StateError::Locked(clash) => diagnostic.because(held(clash)).hint(
                "wait with `--lock-timeout 5m`; if that process is gone, its lock ends by itself within a minute",
            ),
            StateError::Replayed { .. } => diagnostic.hint("make a new one with `bimetal plan --out FILE`"),
            StateError::NoRevision(_) => diagnostic.hint("`bimetal history` lists them"),
            StateError::Foreign(_) => diagnostic.hint("`--force` takes it all the same"),
            StateError::Document(_) => {
                diagnostic.hint("the state is as it was; `bimetal state pull` prints a document")
            }
            StateError::Key(_) => diagnostic,
            StateError::NotLeased(_) => diagnostic.hint("this is a bug of Bimetal's: report it, with the plan"),
            StateError::LeaseLost => diagnostic.hint("look at what exists with `bimetal plan`, then apply again"),
            StateError::Sealed(_) => diagnostic.hint(
                "keys come from `encryption` blocks, `BIMETAL_STATE_KEY`, `BIMETAL_STATE_PASSPHRASE` and the key file",
            ),
            StateError::NoKey(_) => no_key(diagnostic),
            StateError::Damaged(_) => {
                diagnostic.hint("`bimetal state restore` checks a backup and puts it back; what is there is kept aside")
            }
            StateError::Newer { .. } => diagnostic.hint("use the newer Bimetal"),
            StateError::Store { .. } => diagnostic,
        };
        diagnostic.into()
    }
}

/// Since when, and what else.
fn held(clash: &Clash) -> String {
    let since = format!("since {}", moment(clash.held.holder.since_ms));
    let names: Vec<String> = clash.both.iter().take(8).map(|address| format!("`{address}`")).collect();
    match clash.both.len() {
        0 | 1 => since,
        all if all > names.len() => format!("{since}: {} and {} more", names.join(", "), all - names.len()),
        _ => format!("{since}: {}", names.join(", ")),
    }
}

/// With what there is to do where a key is missing.
pub(crate) fn no_key(error: Diagnostic) -> Diagnostic {
    error.hint(
        "`bimetal state new-key` makes a key file; or set `BIMETAL_STATE_KEY` or `BIMETAL_STATE_PASSPHRASE`, or write an \
         `encryption` block",
    )
}

/// An error of the operating system's, with what was being done.
pub(crate) fn io(doing: &str) -> impl FnOnce(std::io::Error) -> Failure + '_ {
    move |error| Diagnostic::error(format!("{doing}: {error}")).into()
}
