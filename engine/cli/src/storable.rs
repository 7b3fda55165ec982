//! What is sensitive is stored with a key only: that is found out before anything is done.

use std::collections::BTreeSet;

use bimetal_model::port::Predict;
use bimetal_model::{Diagnostic, Severity};
use bimetal_plan::{Plan, saved_secrets, stored_secrets};
use bimetal_state::State;

use crate::failure::{Failure, no_key};

/// How many are named.
const MOST: usize = 8;

/// Fails where doing the plan would store something sensitive that can't be sealed.
pub(crate) async fn check_doing(store: &State, plan: &Plan, predict: &dyn Predict) -> Result<(), Failure> {
    match store.can_seal().await? {
        true => Ok(()),
        false => refuse(stored_secrets(plan, predict), "doing this would store"),
    }
}

/// As [`check_doing`], of who only looks: it is said, and no more.
pub(crate) async fn warn_of_doing(
    store: &State,
    plan: &Plan,
    predict: &dyn Predict,
) -> Result<Vec<Diagnostic>, Failure> {
    let refused = check_doing(store, plan, predict).await;
    let diagnostics = refused.err().map(|failure| failure.diagnostics).unwrap_or_default();
    Ok(diagnostics.into_iter().map(|said| Diagnostic { severity: Severity::Warning, ..said }).collect())
}

/// Fails where the plan has something sensitive in it.
pub(crate) fn check_saving(plan: &Plan, predict: &dyn Predict) -> Result<(), Failure> {
    refuse(saved_secrets(plan, predict), "the saved plan would have in it")
}

fn refuse(secrets: BTreeSet<String>, what: &str) -> Result<(), Failure> {
    if secrets.is_empty() {
        return Ok(());
    }
    let mut names: Vec<String> = secrets.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    if secrets.len() > MOST {
        names.push(format!("and {} more", secrets.len() - MOST));
    }
    let error = Diagnostic::error("what is sensitive can't be stored: there is no key to seal it with");
    Err(no_key(error.because(format!("{what} {}", names.join(", ")))).into())
}
