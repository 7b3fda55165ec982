//! Which files of tests there are.

use std::path::{Component, Path};

use bimetal_config::parse_suite;
use bimetal_config::suite::Suite;
use bimetal_model::diagnostic::has_errors;
use bimetal_model::{Diagnostic, Diagnostics};

use crate::arguments::Test;
use crate::configuration::{read_mocks, read_suites};
use crate::failure::Failure;
use crate::session::Session;

/// The folder of tests, as names of files in it begin.
pub(super) fn folder(arguments: &Test) -> String {
    plain(&arguments.test_directory)
}

/// Those of the root and of the folder of tests, by name; all of them can be read.
pub(super) fn read(session: &Session, arguments: &Test) -> Result<Vec<Suite>, Failure> {
    let mut suites = parsed(session, &folder(arguments))?;
    let wanted: Vec<String> = arguments.filter.iter().map(|path| plain(path)).collect();
    let is_there = |name: &String| suites.iter().any(|suite| *suite.file.name == **name);
    let unknown: Vec<&String> = wanted.iter().filter(|name| !is_there(name)).collect();
    if !unknown.is_empty() {
        let known = || suites.iter().map(|suite| &*suite.file.name);
        let hint = |name: &str| bimetal_config::nearest_or_all(name, known().collect::<Vec<_>>(), "such file");
        let error = |name: &String| Diagnostic::error(format!("`{name}` is no file of tests")).hint(hint(name));
        return Err(Failure::new(unknown.into_iter().map(error).collect(), &[]));
    }
    suites.retain(|suite| wanted.is_empty() || wanted.contains(&suite.file.name.to_string()));
    Ok(suites)
}

/// Whether the files of tests can be read, in the folders where they are looked for unasked.
pub(crate) fn check(session: &Session) -> Result<(), Failure> {
    parsed(session, "tests").map(drop)
}

fn parsed(session: &Session, folder: &str) -> Result<Vec<Suite>, Failure> {
    let mut sources = read_suites(&session.root, "")?;
    if !folder.is_empty() {
        sources.extend(read_suites(&session.root, folder)?);
    }
    let (mut suites, mut said) = (Vec::new(), Diagnostics::new());
    for source in &sources {
        let (mut suite, diagnostics) = parse_suite(source);
        said.extend(diagnostics);
        said.extend(read_more(session, &mut suite));
        suites.push(suite);
    }
    sources.extend(suites.iter().flat_map(|suite| &suite.mock_files).cloned());
    match has_errors(&said) {
        true => Err(Failure::new(said, &sources)),
        false => Ok(suites),
    }
}

/// What the sources of its mocks say.
fn read_more(session: &Session, suite: &mut Suite) -> Diagnostics {
    let mut said = Diagnostics::new();
    for mock in suite.mocks.values_mut() {
        let Some(source) = &mock.source else { continue };
        let none = Diagnostic::error(format!("`{}` has no files of mocks", source.folder)).at(&source.span);
        match read_mocks(&session.root, &source.folder) {
            Ok(files) if files.is_empty() => said.push(none.hint("their names end in `.bmmock.hcl`")),
            Ok(files) => {
                said.extend(mock.read(&files));
                suite.mock_files.extend(files);
            }
            Err(failure) => said.extend(failure.diagnostics.into_iter().map(|one| one.at(&source.span))),
        }
    }
    said
}

/// A path as names of files are written: without `./`.
fn plain(path: &Path) -> String {
    let steps = path.components().filter(|step| !matches!(step, Component::CurDir));
    steps.collect::<std::path::PathBuf>().to_string_lossy().into_owned()
}
