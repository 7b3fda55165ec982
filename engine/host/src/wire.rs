//! The contract's frame to the model's words and back.

use bimetal_model::path::{Path, Step};
use bimetal_model::port::Refusal;
use bimetal_model::{Diagnostic, Diagnostics};

use crate::bindings::bimetal::provider::types;
use crate::fault::{self, Code, Fault};
use crate::host::Provider;

pub(crate) use types::Diagnostic as WireDiagnostic;

/// What a provider says, with its name.
pub(crate) fn diagnostics(provider: &Provider, diagnostics: Vec<WireDiagnostic>) -> Diagnostics {
    diagnostics.into_iter().map(|diagnostic| self::diagnostic(provider, diagnostic)).collect()
}

fn diagnostic(provider: &Provider, wire: WireDiagnostic) -> Diagnostic {
    let made = match wire.severity {
        types::Severity::Error => Diagnostic::error,
        types::Severity::Warning => Diagnostic::warning,
    };
    // A provider that passes a fault on passes its hint on with it.
    let diagnostic = fault::diagnostic(&clean(&wire.summary), made);
    let said_by = format!("provider `{}` {} says so", provider.name, provider.manifest.version);
    let diagnostic = Diagnostic { path: path(wire.path), ..diagnostic }.because(said_by);
    if wire.detail.is_empty() { diagnostic } else { diagnostic.hint(clean(&wire.detail)) }
}

/// Why a provider does not answer.
pub(crate) fn refusal(provider: &Provider, refusal: types::Refusal) -> Refusal {
    match refusal {
        types::Refusal::Failed(diagnostics) => Refusal::Failed(self::diagnostics(provider, diagnostics)),
        types::Refusal::Deferred(reason) => Refusal::Deferred(clean(&reason)),
    }
}

/// Longer texts of guests are cut, in characters.
const LONGEST: usize = 8 << 10;

/// A guest's text, without what would move the cursor of a terminal.
pub(crate) fn clean(text: &str) -> String {
    let plain = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    text.chars().take(LONGEST).map(plain).collect()
}

pub(crate) fn path(steps: Vec<types::Step>) -> Path {
    let step = |step| match step {
        types::Step::Attribute(name) => Step::Attribute(clean(&name)),
        types::Step::Index(index) => Step::Index(index),
        types::Step::Key(name) => Step::Key(clean(&name)),
    };
    Path(steps.into_iter().map(step).collect())
}

impl From<Fault> for types::Fault {
    fn from(fault: Fault) -> Self {
        let code = match fault.code {
            Code::Denied => types::Code::Denied,
            Code::WrongPhase => types::Code::WrongPhase,
            Code::Unreachable => types::Code::Unreachable,
            Code::Timeout => types::Code::Timeout,
            Code::Unauthorized => types::Code::Unauthorized,
            Code::NotFound => types::Code::NotFound,
            Code::Conflict => types::Code::Conflict,
            Code::RateLimited => types::Code::RateLimited,
            Code::Invalid => types::Code::Invalid,
            Code::Protocol => types::Code::Protocol,
            Code::TooLarge => types::Code::TooLarge,
            Code::Cancelled => types::Code::Cancelled,
        };
        types::Fault { code, message: fault.message, retryable: fault.retryable }
    }
}
