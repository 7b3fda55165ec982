//! A saved plan: one file that is sealed like the state, with a data key of its own, and belongs to one state.
//!
//! Without a key it is readable, has nothing sensitive in it, and a digest.

use std::path::Path;

use bimetal_model::Diagnostic;
use bimetal_model::port::Predict;
use bimetal_model::question::Observed;
use bimetal_model::snapshot::{Intent, Object};
use bimetal_plan::Plan;
use bimetal_state::{Keys, open_file, seal_file};
use serde::{Deserialize, Serialize};

use crate::failure::{Failure, io};
use crate::storable;
use crate::walk::Planned;

const FORMAT: u32 = 1;
const PURPOSE: &str = "plan";

#[derive(Serialize, Deserialize)]
struct Saved {
    format: u32,
    plan: Plan,
    resolved: Vec<(Intent, Option<Object>)>,
}

/// Writes the plan so that only who has one of the keys can read it.
pub(crate) fn write(path: &Path, planned: &Planned, keys: &Keys, predict: &dyn Predict) -> Result<(), Failure> {
    if keys.seal.is_empty() {
        storable::check_saving(&planned.plan, predict)?;
    }
    let saved = Saved { format: FORMAT, plan: planned.plan.clone(), resolved: planned.observed.resolved.clone() };
    let text =
        serde_json::to_vec(&saved).map_err(|error| Diagnostic::error(format!("the plan can't be written: {error}")))?;
    let sealed = seal_file(keys, PURPOSE, &planned.plan.lineage, &text)?;
    std::fs::write(path, sealed).map_err(io(&format!("writing `{}`", path.display())))
}

/// Reads a plan that `write` wrote.
pub(crate) fn read(path: &Path, keys: &Keys) -> Result<Planned, Failure> {
    let sealed = std::fs::read(path).map_err(io(&format!("reading `{}`", path.display())))?;
    let (text, _) = open_file(keys, PURPOSE, &sealed).map_err(|error| {
        let reason = match error {
            bimetal_model::port::StateError::Sealed(reason) => reason,
            other => other.to_string(),
        };
        Diagnostic::error(format!("the saved plan `{}` can't be used", path.display()))
            .because(reason)
            .hint("make another one with `bimetal plan --out FILE`, or bring the key that it was made with")
    })?;
    let saved: Saved = serde_json::from_slice(&text)
        .map_err(|error| Diagnostic::error(format!("`{}` can't be read: {error}", path.display())))?;
    if saved.format != FORMAT {
        let error = Diagnostic::error(format!("`{}` was saved by another version of Bimetal", path.display()));
        return Err(error.hint("make a new plan").into());
    }
    Ok(Planned { plan: saved.plan, observed: Observed { resolved: saved.resolved, ..Observed::default() } })
}
