//! Expressions with Terraform's own answers: the same value and type, or an error at the same place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bimetal_config::{
    Acting, Given, Outside, ReadFiles, Scope, SourceFile, console, derive, desired, evaluate, parse_expression,
};
use bimetal_model::diagnostic::has_errors;
use bimetal_model::{Diagnostics, Severity};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    id: String,
    expr: String,
    #[serde(default)]
    config: String,
    #[serde(default)]
    files: BTreeMap<String, String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    ok: bool,
    #[serde(default)]
    console: String,
    #[serde(rename = "type", default)]
    ty: String,
    #[serde(default)]
    error_summary: String,
    #[serde(default)]
    diagnostics: Vec<Said>,
}

/// What Terraform says of a case.
#[derive(Deserialize)]
struct Said {
    summary: String,
    file: String,
    /// From the first character of the expression; there where the file is that of the expression.
    start: Option<Point>,
    end: Option<Point>,
}

#[derive(Deserialize)]
struct Point {
    byte: i64,
}

/// The folder with the files that the file functions read.
struct Folder(PathBuf);

impl ReadFiles for Folder {
    fn home(&self) -> Option<String> {
        Some("/home/somebody".to_owned())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        std::fs::read(self.0.join(path)).map_err(|error| format!("`{path}`: {error}"))
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let top = self.0.join(folder);
        let (mut files, mut open) = (Vec::new(), vec![top.clone()]);
        while let Some(entries) = open.pop().map(std::fs::read_dir) {
            for path in entries.into_iter().flatten().map(|entry| entry.unwrap().path()) {
                match path.is_dir() {
                    true => open.push(path),
                    false => files.push(path.strip_prefix(&top).unwrap().display().to_string()),
                }
            }
        }
        Ok(files)
    }

    fn root(&self) -> String {
        self.0.display().to_string()
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

fn cases() -> Vec<Case> {
    // The others are those in which we once differed.
    let texts = ["expressions.jsonl", "found.jsonl"].map(|file| std::fs::read_to_string(folder().join(file)).unwrap());
    texts.iter().flat_map(|text| text.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn source(name: &str, text: &str) -> SourceFile {
    SourceFile { name: name.into(), text: text.into() }
}

/// A file's name, as we call it.
fn ours(name: &str) -> String {
    let name = name.replace("terraform.tfvars", "bimetal.bmvars.hcl").replace(".tfvars", ".bmvars.hcl");
    if name.ends_with(".tf") { name.replace(".tf", ".bm.hcl") } else { name }
}

/// What names stand for in a case, beside which this is written.
fn scope(case: &Case, beside: Option<SourceFile>) -> Result<Scope, Diagnostics> {
    let outside = Outside::files(Arc::new(Folder(folder())));
    let files = case.files.iter().map(|(at, text)| source(&ours(at), text));
    let (mut sources, mut files): (Vec<_>, Vec<_>) = files.partition(|file| file.name.ends_with(".bm.hcl"));
    sources.push(source("ctx.bm.hcl", &case.config));
    sources.extend(beside);
    files.sort_by_key(|file| (file.name.contains(".auto."), file.name.clone()));
    let variable = |(name, text): (&String, &String)| Some((name.strip_prefix("TF_VAR_")?.to_owned(), text.clone()));
    let given = Given { environment: case.env.iter().filter_map(variable).collect(), files, ..Given::default() };
    let (desired, diagnostics) = desired(sources, given, outside.clone());
    if has_errors(&diagnostics) {
        return Err(diagnostics);
    }
    let desired = desired.acting(Acting { now_ms: 0, seed: case.id.as_str().into() });
    let mut scope = desired.scope();
    for node in desired.order.iter() {
        derive(&desired.module, node, &mut scope)?;
    }
    Ok(scope)
}

/// What a console prints, and the type of what it prints.
fn answer(case: &Case) -> Result<(String, String), Diagnostics> {
    let scope = scope(case, None)?;
    let expression = parse_expression(&source("console", &case.expr))?;
    let printed = console::run(&expression, &scope)?;
    let ty = evaluate(&expression, &scope).map_or_else(|_| case.ty.clone(), |value| console::print_type(&value.ty()));
    Ok((printed, ty))
}

/// What differs.
fn check(case: &Case) -> Result<(), String> {
    match (answer(case), case.ok) {
        (Ok((printed, ty)), true) => {
            let here = folder().display().to_string();
            match (printed.replace(&here, "<DIR>") == case.console, ty == case.ty) {
                (true, true) => Ok(()),
                (false, _) => Err(format!("is {printed}, should be {}", case.console)),
                (true, false) => Err(format!("has type {ty}, should have {}", case.ty)),
            }
        }
        (Err(_), false) => Ok(()),
        (Ok((printed, _)), false) => Err(format!("is {printed}, should be an error: {}", case.error_summary)),
        (Err(diagnostics), true) => {
            let said: Vec<_> = diagnostics.iter().map(|one| format!("{} ({})", one.summary, one.detail)).collect();
            Err(format!("is an error, {}; should be {}", said.join(" | "), case.console))
        }
    }
}

#[test]
fn expressions_mean_what_they_mean_to_terraform() {
    let known = std::fs::read_to_string(folder().join("differ.txt")).unwrap();
    let known = names(&known);
    let cases = cases();
    let wrong: BTreeMap<&str, String> = cases
        .iter()
        .filter_map(|case| Some((case.id.as_str(), format!("{} `{}` {}", case.id, case.expr, check(case).err()?))))
        .collect();
    let new: Vec<_> = wrong.iter().filter(|(id, _)| !known.contains(*id)).map(|(_, what)| what.as_str()).collect();
    assert!(new.is_empty(), "{} differ:\n{}", new.len(), new.join("\n"));
    let mended: Vec<_> = known.iter().filter(|id| !wrong.contains_key(*id)).collect();
    assert!(mended.is_empty(), "these no longer differ: take them from the list: {mended:?}");
}

/// What stands around an expression whose mistakes have a place.
const AROUND: (&str, &str) = ("locals {\n  case = ", "\n}\n");

/// How the place of our first error differs from that of Terraform's.
fn check_place(case: &Case) -> Result<(), String> {
    let Some(wanted) = case.diagnostics.first() else { return Ok(()) };
    let file = source("main.bm.hcl", &[AROUND.0, &case.expr, AROUND.1].concat());
    let errors = scope(case, Some(file)).err().unwrap_or_default();
    let Some(error) = errors.iter().find(|error| error.severity == Severity::Error) else {
        return Err(format!("has no error: {}", wanted.summary));
    };
    let Some(span) = &error.span else { return Err(format!("has no place: {}", error.summary)) };
    let said = format!("`{}` ({}): {}", error.summary, error.detail, wanted.summary);
    if *span.file != *ours(&wanted.file) {
        return Err(format!("is in {}, not in {}, {said}", span.file, wanted.file));
    }
    let (Some(start), Some(end)) = (&wanted.start, &wanted.end) else { return Ok(()) };
    let at = |byte: usize| byte as i64 - AROUND.0.len() as i64;
    match at(span.range.start) == start.byte {
        true => Ok(()),
        false => {
            let (from, to) = (at(span.range.start), at(span.range.end));
            Err(format!("is at {from}..{to}, not at {}..{}, {said}", start.byte, end.byte))
        }
    }
}

/// The names in a list of known differences, whose other lines say why.
fn names(list: &str) -> BTreeSet<&str> {
    list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

#[test]
fn errors_are_where_terraform_has_them() {
    let known = std::fs::read_to_string(folder().join("places.txt")).unwrap();
    let known = names(&known);
    let cases = cases();
    let cases: Vec<&Case> = cases.iter().filter(|case| !case.ok).collect();
    let wrong: BTreeMap<&str, String> = cases
        .iter()
        .filter_map(|case| {
            Some((case.id.as_str(), format!("{} `{}` {}", case.id, case.expr, check_place(case).err()?)))
        })
        .collect();
    println!("{} of {} errors are elsewhere", wrong.len(), cases.len());
    let new: Vec<_> = wrong.iter().filter(|(id, _)| !known.contains(*id)).map(|(_, what)| what.as_str()).collect();
    assert!(new.is_empty(), "{} differ:\n{}", new.len(), new.join("\n"));
    let mended: Vec<_> = known.iter().filter(|id| !wrong.contains_key(*id)).collect();
    assert!(mended.is_empty(), "these no longer differ: take them from the list: {mended:?}");
}
