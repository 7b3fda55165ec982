//! `fmt`: configuration files in the canonical style.

mod files;

use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use bimetal_model::{Diagnostic, Diagnostics};
use bimetal_syntax::SourceFile;
use serde_json::json;

use crate::arguments;
use crate::failure::{Failure, io};
use crate::output::{print, print_bytes, print_json};
use crate::render::style::{ADD, BOLD, READ, REMOVE, paint};
use crate::session::Session;

/// Something would change: see `docs/commands.md`.
const NOT_IN_STYLE: u8 = 3;

/// A file and its text in style.
struct Formatted {
    source: SourceFile,
    text: String,
}

impl Formatted {
    fn is_changed(&self) -> bool {
        *self.source.text != *self.text
    }
}

/// Brings files into the canonical style, or says which are not in it. One that can't be read keeps no other from it.
pub(crate) fn fmt(session: &Session, arguments: &arguments::Fmt) -> Result<ExitCode, Failure> {
    if arguments.paths.iter().any(|path| path == Path::new("-")) {
        return standard_input(session, arguments);
    }
    let (paths, mut diagnostics) = files::find(&session.root, arguments);
    let (mut formatted, mut refused) = (Vec::new(), Vec::new());
    for path in paths {
        match files::read(&session.root, &path) {
            Ok(source) => match format(source) {
                Ok(file) => formatted.push(file),
                Err((reasons, source)) => {
                    diagnostics.extend(reasons);
                    refused.push(source);
                }
            },
            Err(failure) => diagnostics.extend(failure.diagnostics),
        }
    }
    if arguments.write && !arguments.check {
        let changed = formatted.iter().filter(|file| file.is_changed());
        let written = changed.map(|file| files::replace(&session.root, Path::new(&*file.source.name), &file.text));
        diagnostics.extend(written.filter_map(Result::err).flat_map(|failure| failure.diagnostics));
    }
    if !session.json || diagnostics.is_empty() {
        show(session, &formatted, arguments);
    }
    match diagnostics.is_empty() {
        true => Ok(verdict(&formatted, arguments)),
        false => Err(Failure::new(diagnostics, &refused)),
    }
}

/// What is read is printed in style; nothing is written anywhere.
fn standard_input(session: &Session, arguments: &arguments::Fmt) -> Result<ExitCode, Failure> {
    if arguments.paths.len() > 1 {
        return Err(Diagnostic::error("`-` stands alone: it is standard input").into());
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(io("reading standard input"))?;
    let source = SourceFile { name: "<stdin>".into(), text: text.into() };
    let formatted = format(source).map_err(|(diagnostics, source)| Failure::new(diagnostics, &[source]))?;
    let formatted = [formatted];
    let quiet = arguments::Fmt { list: false, write: false, ..arguments.clone() };
    show(session, &formatted, &quiet);
    Ok(verdict(&formatted, arguments))
}

fn format(source: SourceFile) -> Result<Formatted, (Diagnostics, SourceFile)> {
    match bimetal_syntax::format(&source) {
        Ok(text) => Ok(Formatted { source, text }),
        Err(diagnostics) => Err((diagnostics, source)),
    }
}

fn verdict(formatted: &[Formatted], arguments: &arguments::Fmt) -> ExitCode {
    match arguments.check && formatted.iter().any(Formatted::is_changed) {
        true => ExitCode::from(NOT_IN_STYLE),
        false => ExitCode::SUCCESS,
    }
}

/// Names and differences; where nothing else is asked for, the texts as they are.
fn show(session: &Session, formatted: &[Formatted], arguments: &arguments::Fmt) {
    let is_text = !(arguments.list || arguments.write || arguments.diff || arguments.check);
    match session.json {
        true => print_json(&document(formatted, arguments)),
        false if is_text => {
            formatted.iter().for_each(|file| print_bytes(ended(&file.text).as_bytes(), std::io::stdout()))
        }
        false => print(&changes(formatted, arguments)),
    }
}

fn changes(formatted: &[Formatted], arguments: &arguments::Fmt) -> String {
    let one = |file: &Formatted| {
        let name = if arguments.list { format!("{}\n", file.source.name) } else { String::new() };
        let difference = if arguments.diff { painted(&difference(file)) } else { String::new() };
        name + &difference
    };
    formatted.iter().filter(|file| file.is_changed()).map(one).collect()
}

/// A last line that does not end would run into what follows.
fn ended(text: &str) -> String {
    if text.ends_with('\n') { text.to_owned() } else { format!("{text}\n") }
}

fn document(formatted: &[Formatted], arguments: &arguments::Fmt) -> serde_json::Value {
    let one = |file: &Formatted| {
        let mut document = json!({ "path": file.source.name });
        if arguments.diff {
            document["diff"] = json!(difference(file));
        }
        if !arguments.write && !arguments.check {
            document["text"] = json!(file.text);
        }
        document
    };
    let changed: Vec<_> = formatted.iter().filter(|file| file.is_changed()).map(one).collect();
    json!({ "format": 1, "files": changed })
}

/// As `patch` takes it.
fn difference(file: &Formatted) -> String {
    let Formatted { source, text } = file;
    let difference = similar::TextDiff::from_lines(&*source.text, text);
    let (old, new) = (format!("old/{}", source.name), format!("new/{}", source.name));
    difference.unified_diff().header(&old, &new).to_string()
}

fn painted(difference: &str) -> String {
    let paint_line = |line: &str| {
        let style = match line.as_bytes() {
            [b'-', b'-', b'-', b' ', ..] | [b'+', b'+', b'+', b' ', ..] => BOLD,
            [b'@', ..] => READ,
            [b'-', ..] => REMOVE,
            [b'+', ..] => ADD,
            _ => return line.to_owned(),
        };
        let text = line.trim_end_matches('\n');
        paint(style, text) + &line[text.len()..]
    };
    difference.split_inclusive('\n').map(paint_line).collect()
}
