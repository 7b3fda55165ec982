//! What a provider says when something is wrong.

use crate::bindings::bimetal::provider::types;
use crate::capability::Fault;

/// What is wrong, where, and what to do.
///
/// Lower-case, without a full stop, with the user's names in backticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub(crate) kind: Kind,
    pub(crate) summary: String,
    pub(crate) hint: String,
    pub(crate) path: Vec<Step>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Error,
    Warning,
    Deferral,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Attribute(String),
    Index(u32),
    Key(String),
}

/// Many things can be wrong at once; one is enough to begin with.
pub type Result<T> = std::result::Result<T, Diagnostic>;

impl Diagnostic {
    /// An error.
    pub fn error(summary: impl Into<String>) -> Self {
        Diagnostic { kind: Kind::Error, summary: summary.into(), hint: String::new(), path: Vec::new() }
    }

    /// No answer yet, for this reason: `the cluster has no address yet`. The object, and what depends on it, is left for the next
    /// apply, and the rest goes on.
    ///
    /// A plan, what reads, and what opens may answer so. Elsewhere it is an error.
    pub fn deferred(reason: impl Into<String>) -> Self {
        Diagnostic { kind: Kind::Deferral, ..Diagnostic::error(reason) }
    }

    /// A warning.
    pub fn warning(summary: impl Into<String>) -> Self {
        Diagnostic { kind: Kind::Warning, ..Diagnostic::error(summary) }
    }

    /// With what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Diagnostic { hint: hint.into(), ..self }
    }

    /// About one attribute or block; once more for an attribute inside that block.
    #[must_use]
    pub fn at(self, attribute: &str) -> Self {
        self.then(Step::Attribute(attribute.to_owned()))
    }

    /// About one of many, counted from 0: `.at("port").index(1).at("host")`.
    #[must_use]
    pub fn index(self, index: usize) -> Self {
        self.then(Step::Index(index as u32))
    }

    /// About one entry of a map: `.at("labels").key("tier")`.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.then(Step::Key(key.to_owned()))
    }

    pub(crate) fn then(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }
}

impl From<Fault> for Diagnostic {
    fn from(fault: Fault) -> Self {
        Diagnostic::error(fault.message)
    }
}

impl From<Step> for types::Step {
    fn from(step: Step) -> Self {
        match step {
            Step::Attribute(name) => types::Step::Attribute(name),
            Step::Index(index) => types::Step::Index(index),
            Step::Key(key) => types::Step::Key(key),
        }
    }
}

impl From<Diagnostic> for types::Diagnostic {
    fn from(diagnostic: Diagnostic) -> Self {
        let severity = match diagnostic.kind {
            Kind::Error | Kind::Deferral => types::Severity::Error,
            Kind::Warning => types::Severity::Warning,
        };
        let path = diagnostic.path.into_iter().map(Into::into).collect();
        types::Diagnostic { severity, summary: diagnostic.summary, detail: diagnostic.hint, path }
    }
}

impl From<Diagnostic> for types::Refusal {
    fn from(diagnostic: Diagnostic) -> Self {
        match diagnostic.kind {
            Kind::Deferral => types::Refusal::Deferred(diagnostic.summary),
            Kind::Error | Kind::Warning => types::Refusal::Failed(vec![diagnostic.into()]),
        }
    }
}
