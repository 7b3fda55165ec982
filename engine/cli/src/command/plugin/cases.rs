//! What a provider is tried with: a configuration, read twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bimetal_config::{Desired, Given, SourceFile};
use bimetal_host::Recording;
use bimetal_kit::Cases;
use bimetal_model::diagnostic::has_errors;
use bimetal_model::{Diagnostic, Value};

use super::stand_in::StandIn;
use crate::arguments;
use crate::configuration::{environment_variables, read_sources_from, read_variable_files, there_is};
use crate::edge::System;
use crate::failure::{Failure, io};
use crate::session::Session;
use bimetal_model::port::Edge as _;

/// Cases, and what must go on while they are played.
pub(super) struct Stage {
    pub(super) cases: Cases,
    pub(super) files: Vec<SourceFile>,
    stand_in: Option<StandIn>,
    recording: Option<Arc<Recording>>,
    /// Where what was recorded is written to.
    record: Option<PathBuf>,
}

impl Stage {
    /// Writes down what was said, where that is wished.
    pub(super) fn write_recording(&self) -> Result<(), Failure> {
        let (Some(recording), Some(path)) = (&self.recording, &self.record) else { return Ok(()) };
        let document = recording.document(self.stand_in.as_ref().map(|stand_in| stand_in.url.as_str()));
        std::fs::write(path, document).map_err(io(&format!("writing `{}`", path.display())))
    }
}

/// What is recorded, or was.
pub(super) fn recording(
    session: &Session,
    arguments: &arguments::plugin::Cases,
) -> Result<Option<Arc<Recording>>, Failure> {
    let is_wished = arguments.record.is_some() || arguments.recorded.is_some();
    if is_wished && folder(session, arguments).is_none() {
        let error = Diagnostic::error("there are no cases, and without them no API is asked");
        return Err(error.hint("`--cases DIR` names a folder with some").into());
    }
    let Some(path) = &arguments.recorded else {
        return Ok(arguments.record.as_ref().map(|_| Arc::new(Recording::begin())));
    };
    let path = session.root.join(path);
    let document = std::fs::read_to_string(&path).map_err(io(&format!("reading `{}`", path.display())))?;
    let read = Recording::read(&document);
    let read =
        read.map_err(|error| Diagnostic { summary: format!("`{}`: {}", path.display(), error.summary), ..error })?;
    Ok(Some(Arc::new(read)))
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
    recording: Option<Arc<Recording>>,
) -> Result<Stage, Failure> {
    let stand_in = match &arguments.stand_in {
        Some(command) => Some(StandIn::start(session, command).await?),
        None => None,
    };
    let there = Session::new(Some(folder), session.json, None, session.state.clone())?;
    let files = there_is(read_sources_from(folder, "", &BTreeSet::new())?, folder)?;
    let recorded = recording.as_ref().and_then(|recording| recording.stand_in());
    let url = stand_in.as_ref().map(|stand_in| stand_in.url.as_str()).or(recorded);
    let read = |changed| desired(&there, &files, url, changed);
    let cases = Cases { first: read(false)?, changed: read(true)? };
    let record = arguments.record.as_ref().map(|path| session.root.join(path));
    Ok(Stage { cases, files, stand_in, recording, record })
}

fn desired(session: &Session, files: &[SourceFile], stand_in: Option<&str>, changed: bool) -> Result<Desired, Failure> {
    let mut values = BTreeMap::from([("changed".to_owned(), Value::from(changed))]);
    values.extend(stand_in.map(|url| ("stand_in".to_owned(), Value::from(url))));
    let given = Given {
        environment: environment_variables(),
        files: read_variable_files(&session.root, &session.state)?,
        values,
        planned_ms: Some(System.now_ms()),
        ..Given::default()
    };
    let (desired, diagnostics) = bimetal_config::desired(files.to_vec(), given, session.outside(files.to_vec(), ""));
    if !has_errors(&diagnostics) {
        return Ok(desired);
    }
    let hint = "`--stand-in COMMAND` starts what stands for the API, and gives `var.stand_in` its URL";
    let is_about_it = |error: &Diagnostic| stand_in.is_none() && error.summary.contains("`stand_in`");
    let hinted = |error: Diagnostic| if is_about_it(&error) { error.hint(hint) } else { error };
    Err(Failure::new(diagnostics.into_iter().map(hinted).collect(), files))
}
