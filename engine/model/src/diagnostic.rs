//! What is wrong, where, why, and what to do about it.

use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use crate::address::{Address, ProviderName};
use crate::path::Path;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Nothing is done.
    Error,
    /// Worth knowing.
    Warning,
}

/// A place in a source file, in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Span {
    /// The file, relative to the configuration's root.
    pub file: Arc<str>,
    /// Of the file's text, in bytes.
    pub range: Range<usize>,
}

/// One thing to say to the user.
///
/// Messages are lower-case, without a full stop, with the user's names in backticks.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub summary: String,
    /// Why; may be empty.
    pub detail: String,
    /// What the names stand for in the expression that it is about: `var.port is 80`.
    pub values: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
    /// Where in the configuration.
    pub span: Option<Span>,
    /// Which object it is about.
    pub address: Option<Address>,
    /// Where in the object.
    pub path: Path,
}

impl Diagnostic {
    /// An error.
    pub fn error(summary: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            summary: summary.into(),
            detail: String::new(),
            values: Vec::new(),
            hint: None,
            span: None,
            address: None,
            path: Path::root(),
        }
    }

    /// A warning.
    pub fn warning(summary: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(summary) }
    }

    /// That a provider broke the contract: nothing that it says about an object.
    pub fn of_broken_provider(name: &ProviderName, version: &str, reason: impl Into<String>) -> Self {
        Diagnostic::error(format!("provider `{name}` {version} failed")).because(reason)
    }

    /// With the reason.
    #[must_use]
    pub fn because(self, detail: impl Into<String>) -> Self {
        Diagnostic { detail: detail.into(), ..self }
    }

    /// With what to do.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Diagnostic { hint: Some(hint.into()), ..self }
    }

    /// With the place in the configuration.
    #[must_use]
    pub fn at(self, span: &Span) -> Self {
        Diagnostic { span: Some(span.clone()), ..self }
    }

    /// With the object that it is about, unless it has one.
    #[must_use]
    pub fn of(self, address: &Address) -> Self {
        Diagnostic { address: self.address.or_else(|| Some(address.clone())), ..self }
    }
}

/// Several diagnostics, collected.
pub type Diagnostics = Vec<Diagnostic>;

/// Whether there is an error among them.
pub fn has_errors<'d>(diagnostics: impl IntoIterator<Item = &'d Diagnostic>) -> bool {
    diagnostics.into_iter().any(|diagnostic| diagnostic.severity == Severity::Error)
}
