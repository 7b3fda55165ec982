//! Why a capability said no. Mirrors `fault` of the contract.

use std::fmt;

use bimetal_model::Diagnostic;

/// The kind of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Not in the manifest, or not granted.
    Denied,
    /// Pure calls have no capabilities, reading calls none that change anything.
    WrongPhase,
    /// Nobody answers there.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// Not with this credential.
    Unauthorized,
    /// There is no such thing.
    NotFound,
    /// Something else is in the way.
    Conflict,
    /// Too many requests.
    RateLimited,
    /// The request makes no sense.
    Invalid,
    /// The answer makes no sense.
    Protocol,
    /// More than is allowed.
    TooLarge,
    /// The run is being stopped.
    Cancelled,
}

/// Why a capability said no, for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// Its kind.
    pub code: Code,
    /// For people; names what was tried.
    pub message: String,
    /// The same may succeed later.
    pub retryable: bool,
}

impl Fault {
    /// A fault; those of the network and of time are worth another try.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let retryable = matches!(code, Code::Unreachable | Code::Timeout | Code::RateLimited);
        Fault { code, message: message.into(), retryable }
    }

    /// What is wrong: the message's first line.
    pub fn summary(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// For people: the further lines of a message say what to do.
    pub fn diagnostic(&self) -> Diagnostic {
        diagnostic(&self.message, Diagnostic::error)
    }

    /// The message with what was being done before it.
    #[must_use]
    pub fn while_(self, doing: impl fmt::Display) -> Self {
        Fault { message: format!("{doing}: {}", self.message), ..self }
    }
}

/// A message whose further lines say what to do.
pub(crate) fn diagnostic(message: &str, made: impl Fn(String) -> Diagnostic) -> Diagnostic {
    match message.split_once('\n') {
        Some((summary, hint)) => made(summary.to_owned()).hint(hint),
        None => made(message.to_owned()),
    }
}
