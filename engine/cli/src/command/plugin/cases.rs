//! What a provider is tried with: a configuration, read twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use bimetal_config::{Desired, Given, SourceFile};
use bimetal_kit::Cases;
use bimetal_model::Value;
use bimetal_model::diagnostic::has_errors;

use super::stand_in::StandIn;
use crate::arguments;
use crate::configuration::{environment_variables, read_sources_from, read_variable_files, there_is};
use crate::edge::System;
use crate::failure::Failure;
use crate::session::Session;
use bimetal_model::port::Edge as _;

/// Cases, and what must go on while they are played.
pub(super) struct Stage {
    pub(super) cases: Cases,
    pub(super) files: Vec<SourceFile>,
    _stand_in: Option<StandIn>,
}

/// The folder of the cases, where there is one.
pub(super) fn folder(session: &Session, arguments: &arguments::plugin::Cases) -> Option<PathBuf> {
    match &arguments.cases {
        Some(folder) => Some(session.root.join(folder)),
        None => Some(session.root.join("cases")).filter(|folder| folder.is_dir()),
    }
}

/// Starts what stands in for the API, and reads the cases as they are made and as they are changed.
pub(super) async fn stage(
    session: &Session,
    arguments: &arguments::plugin::Cases,
    folder: &Path,
) -> Result<Stage, Failure> {
    let stand_in = match &arguments.stand_in {
        Some(command) => Some(StandIn::start(session, command).await?),
        None => None,
    };
    let there = Session::new(Some(folder), session.json, None, session.state.clone())?;
    let files = there_is(read_sources_from(folder, "", &BTreeSet::new())?, folder)?;
    let read = |changed| desired(&there, &files, stand_in.as_ref(), changed);
    let cases = Cases { first: read(false)?, changed: read(true)? };
    Ok(Stage { cases, files, _stand_in: stand_in })
}

fn desired(
    session: &Session,
    files: &[SourceFile],
    stand_in: Option<&StandIn>,
    changed: bool,
) -> Result<Desired, Failure> {
    let mut values = BTreeMap::from([("changed".to_owned(), Value::from(changed))]);
    values.extend(stand_in.map(|stand_in| ("stand_in".to_owned(), Value::from(stand_in.url.as_str()))));
    let given = Given {
        environment: environment_variables(),
        files: read_variable_files(&session.root, &session.state)?,
        values,
        planned_ms: Some(System.now_ms()),
        ..Given::default()
    };
    let (desired, diagnostics) = bimetal_config::desired(files.to_vec(), given, session.outside(files.to_vec(), ""));
    if has_errors(&diagnostics) { Err(Failure::new(diagnostics, files)) } else { Ok(desired) }
}
