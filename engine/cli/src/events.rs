//! What happens, for programs: one JSON object a line. `docs/events.md` says what is in them.

use std::fs::File;
use std::io::{LineWriter, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use bimetal_config::SourceFile;
use bimetal_model::Diagnostic;
use bimetal_model::event::Event;
use serde_json::{Value as Json, json};

use crate::failure::{Failure, io};
use crate::output::located;

/// Of the shape of a line.
const FORMAT: u32 = 1;

/// Where events go as data: nowhere, to standard error, into a file, or both.
pub(crate) struct Events {
    run: String,
    to_stderr: bool,
    file: Option<Mutex<LineWriter<File>>>,
}

impl Events {
    /// `to_stderr`: standard error is for programs.
    pub(crate) fn new(to_stderr: bool, into: Option<&Path>) -> Result<Events, Failure> {
        let create = |path: &Path| File::create(path).map_err(io(&format!("making `{}`", path.display())));
        let file = into.map(create).transpose()?.map(LineWriter::new).map(Mutex::new);
        Ok(Events { run: uuid::Uuid::new_v4().simple().to_string(), to_stderr, file })
    }

    /// Something that happened.
    pub(crate) fn event(&self, event: &Event) {
        if self.is_heard() {
            self.write(&json!(event), Where::Everywhere);
        }
    }

    /// A warning, or another thing to say that is no failure.
    pub(crate) fn diagnostics(&self, diagnostics: &[Diagnostic], files: &[SourceFile]) {
        if self.is_heard() && !diagnostics.is_empty() {
            for diagnostic in located(diagnostics, files) {
                self.write(&json!({ "event": "diagnostic", "diagnostic": diagnostic }), Where::Everywhere);
            }
        }
    }

    /// A document that is also printed where people do not read: a plan, or what came of the command.
    pub(crate) fn document(&self, name: &'static str, document: impl FnOnce() -> Json) {
        if self.file.is_some() {
            self.write(&json!({ "event": name, "document": document() }), Where::File);
        }
    }

    fn is_heard(&self) -> bool {
        self.to_stderr || self.file.is_some()
    }

    fn write(&self, body: &Json, to: Where) {
        let line = self.line(body, &jiff::Timestamp::now());
        if self.to_stderr && to == Where::Everywhere {
            eprintln!("{line}");
        }
        if let Some(file) = &self.file {
            // A disk that is full is no reason to give up what runs.
            let _ = writeln!(file.lock().unwrap_or_else(PoisonError::into_inner), "{line}");
        }
    }

    fn line(&self, body: &Json, at: &jiff::Timestamp) -> Json {
        let mut line = json!({ "format": FORMAT, "run": self.run, "at": format!("{at:.3}") });
        if let (Some(line), Some(body)) = (line.as_object_mut(), body.as_object()) {
            line.extend(body.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        line
    }
}

/// Who reads a line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    /// All.
    Everywhere,
    /// Standard output has it, too.
    File,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_which_run_and_when() {
        let events = Events { run: "r".to_owned(), to_stderr: false, file: None };
        let event = Event::Started { address: "docker_volume.a".parse().unwrap(), action: "create" };
        let at = jiff::Timestamp::from_millisecond(1_795_000_000_123).unwrap();
        insta::assert_snapshot!(
            events.line(&json!(event), &at),
            @r#"{"action":"create","address":"docker_volume.a","at":"2026-11-18T11:06:40.123Z","event":"started","format":1,"run":"r"}"#
        );
    }
}
