//! A saved plan: one file that is sealed like the state, with a data key of its own, and belongs to one state.
//!
//! Without a key it is readable, has nothing sensitive in it, and a digest.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use bimetal_config::SourceFile;
use bimetal_config::lock::Lock;
use bimetal_model::port::{Edge as _, Predict};
use bimetal_model::question::Observed;
use bimetal_model::snapshot::{Intent, Object};
use bimetal_model::{Diagnostic, Lineage};
use bimetal_plan::Plan;
use bimetal_state::{Keys, StateName, open_file, seal_file};
use serde::{Deserialize, Serialize};

use crate::edge::System;
use crate::failure::{Failure, io};
use crate::session::Session;
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
    /// What the state is called that it was made for.
    #[serde(default)]
    state: String,
    /// Whether the configuration was that of a commit, whatever was checked out.
    #[serde(default)]
    of_commit: bool,
    /// Where that commit is, if it was fetched.
    #[serde(default)]
    source: Option<String>,
    resolved: Vec<(Intent, Option<Object>)>,
}

/// A plan that was saved.
pub(crate) struct FromFile {
    pub(crate) id: String,
    /// The digests of the providers that it was made with.
    pub(crate) providers: BTreeMap<String, Option<String>>,
    pub(crate) plan: Plan,
    /// What the state is called that it was made for.
    pub(crate) state: String,
    /// The commit whose configuration it was, whatever was checked out.
    pub(crate) commit: Option<String>,
    /// Where that commit is, if it was fetched.
    pub(crate) source: Option<String>,
    pub(crate) observed: Observed,
}

/// Writes the plan so that only who has one of the keys can read it.
pub(crate) fn write(
    session: &Session,
    path: &Path,
    planned: &Planned,
    lock: &Lock,
    keys: &Keys,
    predict: &dyn Predict,
) -> Result<(), Failure> {
    let path = &session.home.join(path);
    if keys.seal.is_empty() {
        storable::check_saving(&planned.plan, predict)?;
    }
    let saved = Saved {
        format: FORMAT,
        id: System.new_id(),
        providers: digests(lock),
        plan: planned.plan.clone(),
        state: session.state.to_string(),
        of_commit: session.origin.is_some(),
        source: session.source.clone(),
        resolved: planned.observed.resolved.clone(),
    };
    let text =
        serde_json::to_vec(&saved).map_err(|error| Diagnostic::error(format!("the plan can't be written: {error}")))?;
    let sealed = seal_file(keys, PURPOSE, &planned.plan.lineage.to_string(), &text)?;
    write_private(path, &sealed).map_err(io(&format!("writing `{}`", path.display())))
}

/// Only its owner may read it, whoever could read what was there.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    if file.metadata()?.is_file() {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    file.write_all(bytes)
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
    let origin = saved.plan.origin.as_ref().filter(|_| saved.of_commit);
    let commit = origin.map(|origin| origin.commit.clone());
    let Saved { id, providers, plan, state, source, .. } = saved;
    Ok(FromFile { id, providers, plan, state, commit, source, observed })
}

/// The digests of the providers that came from files.
pub(crate) fn digests(lock: &Lock) -> BTreeMap<String, Option<String>> {
    lock.providers.iter().map(|(name, provider)| (name.to_string(), provider.digest.clone())).collect()
}

/// Whether the plan was made for the state of this name.
pub(crate) fn check_state(made_for: &str, name: &StateName) -> Result<(), Diagnostic> {
    // There was one only when names did not matter.
    if made_for.is_empty() && name.is_default() || made_for == name.as_str() {
        return Ok(());
    }
    let made_for = if made_for.is_empty() { StateName::DEFAULT } else { made_for };
    let error = Diagnostic::error(format!("the saved plan was made for the state `{made_for}`, and this is `{name}`"));
    Err(error.hint(format!("do it with `--state {made_for}`, or make another one for this state")))
}

/// Whether the plan was made for this state, and from the configuration that is here. Where there is none, as on a machine that
/// was given the plan alone, the plan's own counts.
pub(crate) fn check_origin(plan: &Plan, lineage: Option<&Lineage>, here: &[SourceFile]) -> Result<(), Diagnostic> {
    check(&plan.lineage, &plan.files, lineage, here)
}

fn check(
    made_for: &Lineage,
    then: &[SourceFile],
    lineage: Option<&Lineage>,
    here: &[SourceFile],
) -> Result<(), Diagnostic> {
    let hint = "make a new one with `bimetal plan --out FILE`";
    if !made_for.is_none() && lineage != Some(made_for) {
        let is_the_same = lineage.is_some_and(|lineage| lineage.state == made_for.state);
        let error = match is_the_same {
            true => "the state went to another place, or back to a backup, after the saved plan was made",
            false => "the saved plan was made for another state",
        };
        return Err(Diagnostic::error(error).hint(hint));
    }
    let differences = differences(then, here);
    if here.is_empty() || differences.is_empty() {
        return Ok(());
    }
    let error = "the configuration is not the one that this plan was made from";
    Err(Diagnostic::error(format!("{error}: {}", differences.join(", "))).hint(hint))
}

/// What has become of files, in words.
fn differences(then: &[SourceFile], now: &[SourceFile]) -> Vec<String> {
    let texts = |files: &[SourceFile]| files.iter().map(|file| (file.name.clone(), file.text.clone())).collect();
    let (then, now): (BTreeMap<_, _>, BTreeMap<_, _>) = (texts(then), texts(now));
    let became = |name| match (then.get(name), now.get(name)) {
        (Some(then), Some(now)) => (then != now).then(|| format!("`{name}` has changed")),
        (Some(_), None) => Some(format!("`{name}` is gone")),
        (None, _) => Some(format!("`{name}` is new")),
    };
    let names: BTreeSet<_> = then.keys().chain(now.keys()).collect();
    names.into_iter().filter_map(became).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(files: &[(&str, &str)]) -> Vec<SourceFile> {
        files.iter().map(|(name, text)| SourceFile { name: (*name).into(), text: (*text).into() }).collect()
    }

    fn said(made_for: &str, then: &[(&str, &str)], lineage: Option<&str>, here: &[(&str, &str)]) -> String {
        let lineage = lineage.map(|lineage| lineage.to_owned().into());
        let checked = check(&made_for.to_owned().into(), &sources(then), lineage.as_ref(), &sources(here));
        checked.map_or_else(|error| error.summary, |()| "fine".to_owned())
    }

    #[test]
    fn a_plan_belongs_to_its_configuration() {
        let said = |here: &[(&str, &str)]| said("l", &[("a.bm.hcl", "1"), ("b.bm.hcl", "2")], Some("l"), here);
        assert_eq!(said(&[("b.bm.hcl", "2"), ("a.bm.hcl", "1")]), "fine");
        assert_eq!(said(&[]), "fine");
        assert_eq!(
            said(&[("a.bm.hcl", "3"), ("c.bm.hcl", "")]),
            "the configuration is not the one that this plan was made from: `a.bm.hcl` has changed, `b.bm.hcl` is gone, \
             `c.bm.hcl` is new"
        );
    }

    #[test]
    fn that_it_is_of_another_state_is_said_first() {
        for lineage in [Some("m"), None] {
            let said = said("l", &[("a.bm.hcl", "1")], lineage, &[("a.bm.hcl", "3")]);
            assert_eq!(said, "the saved plan was made for another state");
        }
        let since = "the state went to another place, or back to a backup, after the saved plan was made";
        assert_eq!(said("l", &[], Some("l@1"), &[]), since);
        assert_eq!(said("l@1", &[], Some("l"), &[]), since);
        assert_eq!(said("", &[], None, &[]), "fine", "there was no state yet");
    }
}
