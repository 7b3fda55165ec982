//! What a provider says when something is wrong.

use crate::bindings::bimetal::provider::types;
use crate::capability::Fault;

/// What is wrong, where, and what to do.
///
/// Lower-case, without a full stop, with the user's names in backticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub(crate) is_error: bool,
    pub(crate) summary: String,
    pub(crate) hint: String,
    pub(crate) path: Vec<String>,
}

/// Many things can be wrong at once; one is enough to begin with.
pub type Result<T> = std::result::Result<T, Diagnostic>;

impl Diagnostic {
    /// An error.
    pub fn error(summary: impl Into<String>) -> Self {
        Diagnostic { is_error: true, summary: summary.into(), hint: String::new(), path: Vec::new() }
    }

    /// A warning.
    pub fn warning(summary: impl Into<String>) -> Self {
        Diagnostic { is_error: false, ..Diagnostic::error(summary) }
    }

    /// With what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Diagnostic { hint: hint.into(), ..self }
    }

    /// About one attribute.
    #[must_use]
    pub fn at(mut self, attribute: &str) -> Self {
        self.path.push(attribute.to_owned());
        self
    }
}

impl From<Fault> for Diagnostic {
    fn from(fault: Fault) -> Self {
        Diagnostic::error(fault.message)
    }
}

impl From<Diagnostic> for types::Diagnostic {
    fn from(diagnostic: Diagnostic) -> Self {
        let severity = if diagnostic.is_error { types::Severity::Error } else { types::Severity::Warning };
        let path = diagnostic.path.into_iter().map(types::Step::Attribute).collect();
        types::Diagnostic { severity, summary: diagnostic.summary, detail: diagnostic.hint, path }
    }
}
