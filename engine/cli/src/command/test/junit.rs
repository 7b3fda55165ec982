//! Results as JUnit's XML, which continuous integration reads.

use std::io::Write;
use std::path::{Path, PathBuf};

use bimetal_model::Diagnostic;
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::result::{RunResult, Status, SuiteResult};
use crate::failure::{Failure, io};
use crate::render;

/// Lines of this many characters read well wherever they are shown.
const WIDTH: usize = 100;

/// Where results go.
pub(crate) struct File {
    path: PathBuf,
    file: std::fs::File,
}

impl File {
    pub(crate) fn create(path: &Path) -> Result<File, Failure> {
        let file = std::fs::File::create(path).map_err(io(&format!("writing `{}`", path.display())))?;
        Ok(File { path: path.to_owned(), file })
    }

    pub(crate) fn write(mut self, document: std::io::Result<Vec<u8>>) -> Result<(), Failure> {
        let written = document.and_then(|text| self.file.write_all(&text));
        written.map_err(io(&format!("writing `{}`", self.path.display())))
    }
}

pub(super) fn document(results: &[SuiteResult]) -> std::io::Result<Vec<u8>> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    writer
        .create_element("testsuites")
        .write_inner_content(|writer| results.iter().try_for_each(|one| suite(writer, one)))?;
    writer.get_mut().push(b'\n');
    Ok(writer.into_inner())
}

fn suite(writer: &mut Writer<Vec<u8>>, result: &SuiteResult) -> std::io::Result<()> {
    let count = |status| result.runs.iter().filter(|run| run.status == status).count();
    let is_left = !result.left.is_empty();
    let numbers = [
        ("tests", result.runs.len() + usize::from(is_left)),
        ("failures", count(Status::Fail)),
        ("errors", count(Status::Error) + usize::from(is_left)),
        ("skipped", count(Status::Skip)),
    ]
    .map(|(name, number)| (name, number.to_string()));
    let mut element = writer.create_element("testsuite").with_attribute(("name", &*clean(&result.path)));
    for (name, number) in &numbers {
        element = element.with_attribute((*name, number.as_str()));
    }
    element.write_inner_content(|writer| {
        result.runs.iter().try_for_each(|run| case(writer, result, run))?;
        if is_left { teardown(writer, result) } else { Ok(()) }
    })?;
    Ok(())
}

fn case(writer: &mut Writer<Vec<u8>>, result: &SuiteResult, run: &RunResult) -> std::io::Result<()> {
    let seconds = format!("{:.3}", run.took.as_secs_f64());
    let timestamp = timestamp(run);
    let element = writer
        .create_element("testcase")
        .with_attribute(("name", &*clean(&run.name)))
        .with_attribute(("classname", &*clean(&result.path)))
        .with_attribute(("time", seconds.as_str()))
        .with_attribute(("timestamp", timestamp.as_str()));
    let text = plain(&render::diagnostic::render(&run.said, &run.files, WIDTH));
    let (word, message) = match run.status {
        Status::Pass => {
            element.write_empty()?;
            return Ok(());
        }
        Status::Fail => ("failure", first(&run.said)),
        Status::Error => ("error", first(&run.said)),
        Status::Skip => ("skipped", "a run before it could not be played to its end".to_owned()),
    };
    element.write_inner_content(|writer| said(writer, word, &message, &text))?;
    Ok(())
}

/// What could not be destroyed, as a case of its own.
fn teardown(writer: &mut Writer<Vec<u8>>, result: &SuiteResult) -> std::io::Result<()> {
    let text = plain(&render::diagnostic::render(&result.said, &result.files, WIDTH));
    let element = writer.create_element("testcase").with_attribute(("name", "(tearing down)"));
    let element = element.with_attribute(("classname", &*clean(&result.path)));
    element.write_inner_content(|writer| said(writer, "error", &first(&result.said), &text))?;
    Ok(())
}

pub(crate) fn said<W: Write>(writer: &mut Writer<W>, word: &str, message: &str, text: &str) -> std::io::Result<()> {
    let element = writer.create_element(word).with_attribute(("message", &*clean(message)));
    match text.is_empty() {
        true => element.write_empty()?,
        false => element.write_text_content(BytesText::new(&clean(text)))?,
    };
    Ok(())
}

fn first(said: &[Diagnostic]) -> String {
    said.iter()
        .find(|one| one.severity == bimetal_model::Severity::Error)
        .map_or_else(String::new, |one| one.summary.clone())
}

/// Seconds since 1970 as ISO 8601 has them.
fn timestamp(run: &RunResult) -> String {
    let since = run.begun.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let time = jiff::Timestamp::from_second(since.as_secs() as i64).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.to_string()
}

/// Without colours.
fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

/// Without what XML can't hold.
pub(crate) fn clean(text: &str) -> String {
    let is_allowed =
        |c: &char| matches!(c, '\t' | '\n' | '\r') || (*c >= ' ' && !matches!(*c, '\u{fffe}' | '\u{ffff}'));
    text.chars().filter(is_allowed).collect()
}
