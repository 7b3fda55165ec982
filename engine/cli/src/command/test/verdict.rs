//! Whether a run is as it should be.

use bimetal_config::module::{Condition, Lifecycle, Module, Scoped};
use bimetal_config::suite::{Checkable, Expected, Phase, Run};
use bimetal_config::{Assertion, Scope, assertion};
use bimetal_model::diagnostic::has_errors;
use bimetal_model::{Address, Diagnostic, Diagnostics, Severity};

use super::result::Status;

/// How a run ended, and what is to be said of it.
pub(super) struct Verdict {
    pub(super) status: Status,
    pub(super) said: Diagnostics,
}

/// Of a run that came to its end: its values are there.
pub(super) fn of_whole(run: &Run, module: &Module, said: Diagnostics, scope: &Scope) -> Verdict {
    let mut said = without_expected(run, module, said);
    let mut status = if has_errors(&said) { Status::Error } else { Status::Pass };
    for assert in &run.asserts {
        match assertion(assert, scope) {
            Assertion::Holds => {}
            Assertion::Fails(diagnostic) => {
                said.push(*diagnostic);
                status = if status == Status::Error { status } else { Status::Fail };
            }
            Assertion::Broken(diagnostics) => {
                said.extend(diagnostics);
                status = Status::Error;
            }
        }
    }
    Verdict { status, said }
}

/// Of a run that could not be planned, which may be just what was expected. Then nothing has values that could be looked at.
pub(super) fn of_failed_plan(run: &Run, module: &Module, said: Diagnostics) -> Verdict {
    let mut said = without_expected(run, module, said);
    if !has_errors(&said) && run.command == Phase::Apply {
        let error = Diagnostic::error("what was expected to fail fails while planning: nothing could be applied");
        let error = run.expected.first().map(|expected| error.clone().at(&expected.span)).unwrap_or(error);
        said.push(error.hint("write `command = plan`"));
    }
    let status = if has_errors(&said) { Status::Error } else { Status::Pass };
    Verdict { status, said }
}

/// What is said beside what was expected; and what was expected and did not fail. To a test, a failing check is an error.
fn without_expected(run: &Run, module: &Module, said: Diagnostics) -> Diagnostics {
    let is_of = |expected: &Expected, diagnostic: &Diagnostic| {
        let conditions = conditions(&expected.what, module).unwrap_or_default();
        is_about(&expected.what, diagnostic) && conditions.into_iter().any(|one| is_unmet(one, diagnostic))
    };
    let missing: Diagnostics = run
        .expected
        .iter()
        .filter(|expected| !said.iter().any(|one| is_of(expected, one)))
        .map(|expected| missing(expected, module))
        .collect();
    let checks: Vec<&Condition> = module.checks.values().flatten().collect();
    let unexpected = said.into_iter().filter(|one| !run.expected.iter().any(|expected| is_of(expected, one)));
    let as_errors = unexpected.map(|one| match checks.iter().any(|check| is_unmet(check, &one)) {
        true => Diagnostic { severity: Severity::Error, ..one },
        false => one,
    });
    as_errors.chain(missing).collect()
}

fn missing(expected: &Expected, module: &Module) -> Diagnostic {
    let what = &expected.what;
    let error = match conditions(what, module) {
        None => Diagnostic::error(format!("`{what}` is not declared")),
        Some(none) if none.is_empty() => Diagnostic::error(format!("`{what}` has no conditions that could fail")),
        Some(_) => Diagnostic::error(format!("`{what}` was expected to fail, and did not")),
    };
    error.at(&expected.span)
}

/// What must hold of something; `None` where there is no such thing.
fn conditions<'m>(what: &Checkable, module: &'m Module) -> Option<Vec<&'m Condition>> {
    match what {
        Checkable::Variable(name) => Some(module.variables.get(name)?.validations.iter().collect()),
        Checkable::Output(name) => Some(module.outputs.get(name)?.preconditions.iter().collect()),
        Checkable::Check(name) => Some(module.checks.get(&Scoped::root(name))?.iter().collect()),
        Checkable::Object(address) => {
            let Lifecycle { preconditions, postconditions, .. } = &module.objects.get(&address.whole())?.lifecycle;
            Some(preconditions.iter().chain(postconditions).collect())
        }
    }
}

/// Whether it says that this condition does not hold.
fn is_unmet(condition: &Condition, diagnostic: &Diagnostic) -> bool {
    diagnostic.span.as_ref() == Some(condition.condition.span())
}

/// What is said of a whole block may be of each of its instances.
fn is_about(what: &Checkable, diagnostic: &Diagnostic) -> bool {
    let is_of = |address: &Address| {
        diagnostic.address.as_ref().is_none_or(|of| address.key.is_none() || of == address || *of == address.whole())
    };
    match what {
        Checkable::Object(address) => is_of(address),
        Checkable::Variable(_) | Checkable::Output(_) | Checkable::Check(_) => true,
    }
}
