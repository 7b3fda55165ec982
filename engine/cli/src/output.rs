//! The only place that prints.

use anstream::adapter::strip_str;
use bimetal_config::SourceFile;
use bimetal_host::console::columns;
use bimetal_model::Diagnostic;
use serde_json::{Value as Json, json};

use crate::failure::Failure;
use crate::render;

/// Data, to standard output. A reader that went away (`| head`) is no error.
pub(crate) fn print(text: &str) {
    print_all([text]);
}

/// The same in pieces, which go out many at once.
pub(crate) fn print_all(pieces: impl IntoIterator<Item = impl AsRef<str>>) {
    use std::io::Write as _;
    let is_plain = anstream::AutoStream::choice(&std::io::stdout()) == anstream::ColorChoice::Never;
    let mut out = std::io::BufWriter::with_capacity(64 << 10, std::io::stdout().lock());
    let written = pieces.into_iter().try_for_each(|piece| match is_plain {
        true => strip_str(piece.as_ref()).try_for_each(|part| out.write_all(part.as_bytes())),
        false => out.write_all(piece.as_ref().as_bytes()),
    });
    let _ = written.and_then(|()| out.flush());
}

/// Bytes as they are.
pub(crate) fn print_bytes(bytes: &[u8], mut to: impl std::io::Write) {
    let _ = to.write_all(bytes).and_then(|()| to.flush());
}

/// A JSON document, to standard output.
pub(crate) fn print_json(document: &Json) {
    print(&format!("{document:#}\n"));
}

/// Talk, to standard error.
pub(crate) fn say(text: &str) {
    anstream::eprint!("{text}");
}

/// How wide standard output is, where that is known.
pub(crate) fn width() -> usize {
    columns(std::io::stdout()).unwrap_or(usize::MAX)
}

/// Diagnostics, drawn on standard error.
pub(crate) fn complain(diagnostics: &[Diagnostic], files: &[SourceFile]) {
    let width = columns(std::io::stderr()).unwrap_or(usize::MAX);
    say(&render::diagnostic::render(diagnostics, files, width));
}

/// What went wrong: drawn on standard error, or as a JSON document on standard output.
pub(crate) fn report(failure: &Failure, as_json: bool) {
    match as_json {
        true => print_json(&failure_document(failure)),
        false => complain(&failure.diagnostics, &failure.files),
    }
}

/// What went wrong, for programs.
pub(crate) fn failure_document(failure: &Failure) -> Json {
    json!({ "format": 1, "diagnostics": located(&failure.diagnostics, &failure.files) })
}

/// The diagnostics with line and column (both from 1; columns count characters) beside the bytes.
pub(crate) fn located(diagnostics: &[Diagnostic], files: &[SourceFile]) -> Vec<Json> {
    let locate = |diagnostic: &Diagnostic| {
        let mut document = json!(diagnostic);
        if let Some(span) = &diagnostic.span
            && let Some(file) = files.iter().find(|file| file.name == span.file)
        {
            let before = file.text.get(..span.range.start).unwrap_or(&file.text);
            document["line"] = json!(before.matches('\n').count() + 1);
            document["column"] = json!(before.chars().rev().take_while(|c| *c != '\n').count() + 1);
        }
        document
    };
    diagnostics.iter().map(locate).collect()
}
