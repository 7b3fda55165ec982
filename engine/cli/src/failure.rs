//! What makes a command fail, on its way to the screen.

use bimetal_config::SourceFile;
use bimetal_model::port::StateError;
use bimetal_model::{Diagnostic, Diagnostics};

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
            StateError::Locked(_) => {
                diagnostic.hint("wait until it ends; if that process is gone, its lock ends by itself within a minute")
            }
            StateError::LeaseLost => diagnostic.hint("look at what exists with `bimetal plan`, then apply again"),
            StateError::Sealed(_) => {
                diagnostic.hint("set `BIMETAL_STATE_KEY`, or put the key file back that this state was made with")
            }
            StateError::Newer { .. } => diagnostic.hint("use the newer Bimetal"),
            StateError::Store { .. } => diagnostic,
        };
        diagnostic.into()
    }
}

/// An error of the operating system's, with what was being done.
pub(crate) fn io(doing: &str) -> impl FnOnce(std::io::Error) -> Failure + '_ {
    move |error| Diagnostic::error(format!("{doing}: {error}")).into()
}
