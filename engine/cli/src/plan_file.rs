//! A saved plan: one file that is sealed like the state, with a data key of its own, and belongs to one state.
//!
//! Without a key it is readable, has nothing sensitive in it, and a digest.

use std::collections::BTreeMap;
use std::path::Path;

use bimetal_config::lock::Lock;
use bimetal_model::Diagnostic;
use bimetal_model::port::{Edge as _, Predict};
use bimetal_model::question::Observed;
use bimetal_model::snapshot::{Intent, Object};
use bimetal_plan::Plan;
use bimetal_state::{Keys, open_file, seal_file};
use serde::{Deserialize, Serialize};

use crate::edge::System;
use crate::failure::{Failure, io};
use crate::storable;
use crate::walk::Planned;

const FORMAT: u32 = 2;
const PURPOSE: &str = "plan";

#[derive(Serialize, Deserialize)]
struct Saved {
    format: u32,
    /// Random: who did the plan is found by it.
    id: String,
    /// The digests of the providers that it was made with.
    providers: BTreeMap<String, Option<String>>,
    plan: Plan,
    resolved: Vec<(Intent, Option<Object>)>,
}

/// A plan that was saved.
pub(crate) struct FromFile {
    pub(crate) id: String,
    /// The digests of the providers that it was made with.
    pub(crate) providers: BTreeMap<String, Option<String>>,
    pub(crate) plan: Plan,
    pub(crate) observed: Observed,
}

/// Writes the plan so that only who has one of the keys can read it.
pub(crate) fn write(
    path: &Path,
    planned: &Planned,
    lock: &Lock,
    keys: &Keys,
    predict: &dyn Predict,
) -> Result<(), Failure> {
    if keys.seal.is_empty() {
        storable::check_saving(&planned.plan, predict)?;
    }
    let saved = Saved {
        format: FORMAT,
        id: System.new_id(),
        providers: digests(lock),
        plan: planned.plan.clone(),
        resolved: planned.observed.resolved.clone(),
    };
    let text =
        serde_json::to_vec(&saved).map_err(|error| Diagnostic::error(format!("the plan can't be written: {error}")))?;
    let sealed = seal_file(keys, PURPOSE, &planned.plan.lineage, &text)?;
    std::fs::write(path, sealed).map_err(io(&format!("writing `{}`", path.display())))
}

/// Reads a plan that `write` wrote.
pub(crate) fn read(path: &Path, keys: &Keys) -> Result<FromFile, Failure> {
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
    let observed = Observed { resolved: saved.resolved, ..Observed::default() };
    Ok(FromFile { id: saved.id, providers: saved.providers, plan: saved.plan, observed })
}

/// The digests of the providers that came from files.
pub(crate) fn digests(lock: &Lock) -> BTreeMap<String, Option<String>> {
    lock.providers.iter().map(|(name, provider)| (name.to_string(), provider.digest.clone())).collect()
}
