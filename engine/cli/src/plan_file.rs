//! A saved plan: sealed like the state, with the state's key.

use std::path::Path;

use bimetal_model::Diagnostic;
use bimetal_model::question::Observed;
use bimetal_model::snapshot::{Intent, Object};
use bimetal_plan::Plan;
use bimetal_state::SqliteStore;
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, io};
use crate::walk::Planned;

const FORMAT: u32 = 1;
const PURPOSE: &str = "plan";

#[derive(Serialize, Deserialize)]
struct Saved {
    format: u32,
    plan: Plan,
    resolved: Vec<(Intent, Option<Object>)>,
}

/// Writes the plan so that only who can open the state can read it.
pub(crate) fn write(path: &Path, planned: &Planned, store: &SqliteStore) -> Result<(), Failure> {
    let saved = Saved { format: FORMAT, plan: planned.plan.clone(), resolved: planned.observed.resolved.clone() };
    let text =
        serde_json::to_vec(&saved).map_err(|error| Diagnostic::error(format!("the plan can't be written: {error}")))?;
    let sealed = store.seal(PURPOSE, &text)?;
    std::fs::write(path, sealed).map_err(io(&format!("writing `{}`", path.display())))
}

/// Reads a plan that `write` wrote.
pub(crate) fn read(path: &Path, store: &SqliteStore) -> Result<Planned, Failure> {
    let sealed = std::fs::read(path).map_err(io(&format!("reading `{}`", path.display())))?;
    let text = store.open_sealed(PURPOSE, &sealed).map_err(|error| {
        Diagnostic::error(format!("`{}` is no plan of this state's", path.display())).because(error.to_string())
    })?;
    let saved: Saved = serde_json::from_slice(&text)
        .map_err(|error| Diagnostic::error(format!("`{}` can't be read: {error}", path.display())))?;
    if saved.format != FORMAT {
        let error = Diagnostic::error(format!("`{}` was saved by another version of Bimetal", path.display()));
        return Err(error.hint("make a new plan").into());
    }
    Ok(Planned { plan: saved.plan, observed: Observed { resolved: saved.resolved, ..Observed::default() } })
}
