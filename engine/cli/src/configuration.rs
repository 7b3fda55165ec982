//! From a folder to what is desired: source files, variables' values, the lock file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bimetal_config::lock::Lock;
use bimetal_config::{Argument, ReadFiles, SourceFile, missing_modules, package_of};
use bimetal_model::Diagnostic;
use bimetal_state::StateName;

use crate::arguments::{Assignment, Variables};
use crate::failure::{Failure, io};

const LOCK_FILE: &str = "bimetal.lock.hcl";

/// That there is a configuration.
pub(crate) fn there_is(sources: Vec<SourceFile>, root: &Path) -> Result<Vec<SourceFile>, Failure> {
    if sources.is_empty() {
        let hint = "write a `main.bm.hcl`, or name another folder with `--chdir`";
        return Err(Diagnostic::error(format!("no configuration (`*.bm.hcl`, `*.bm.json`) in `{}`", root.display()))
            .hint(hint)
            .into());
    }
    Ok(sources)
}

/// The configuration files of a folder below the root, and of the modules that they call. Of those from elsewhere only those in
/// packages that are `ready`.
pub(crate) fn read_sources_from(
    root: &Path,
    folder: &str,
    ready: &BTreeSet<String>,
) -> Result<Vec<SourceFile>, Failure> {
    let mut sources = read_module(root, folder)?;
    let is_ready = |folder: &str| package_of(folder).is_none_or(|package| ready.contains(package));
    // What is not there is said where it is called.
    loop {
        let missing = missing_modules(&sources, folder);
        let modules = missing.iter().filter(|folder| is_ready(folder) && root.join(&***folder).is_dir());
        let more = modules.map(|folder| read_module(root, folder)).collect::<Result<Vec<_>, _>>()?.concat();
        if more.is_empty() {
            return Ok(sources);
        }
        sources.extend(more);
    }
}

fn read_module(root: &Path, folder: &str) -> Result<Vec<SourceFile>, Failure> {
    let names = names(&root.join(folder), is_configuration)?;
    names.iter().map(|name| read_source(root, &below(folder, name))).collect()
}

/// A file of a folder; of the root where there is none.
fn below(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn is_configuration(name: &str) -> bool {
    name.ends_with(".bm.hcl") || name.ends_with(".bm.json")
}

/// The variable files that are read unasked, in the order in which later ones win.
pub(crate) fn read_variable_files(root: &Path, state: &StateName) -> Result<Vec<SourceFile>, Failure> {
    let of_state = [format!("{state}.bmvars.hcl"), format!("{state}.bmvars.json")];
    let mut files = read_variable_files_in(root, "")?;
    let is_more = |name: &&String| !files.iter().any(|file| *file.name == ***name) && root.join(name).is_file();
    let more: Vec<_> = of_state.iter().filter(is_more).collect();
    files.extend(more.into_iter().map(|name| read_source(root, name)).collect::<Result<Vec<_>, _>>()?);
    Ok(files)
}

/// As [`read_variable_files`], of a folder below the root and of any state.
pub(crate) fn read_variable_files_in(root: &Path, folder: &str) -> Result<Vec<SourceFile>, Failure> {
    let inside = root.join(folder);
    let found = names(&inside, |name| name.ends_with(".auto.bmvars.hcl") || name.ends_with(".auto.bmvars.json"))?;
    let first = ["bimetal.bmvars.hcl", "bimetal.bmvars.json"].into_iter().filter(|name| inside.join(name).is_file());
    let names = first.chain(found.iter().map(String::as_str));
    names.map(|name| read_source(root, &below(folder, name))).collect()
}

/// The files of tests in a folder below the root, by name; there may be no such folder.
pub(crate) fn read_suites(root: &Path, folder: &str) -> Result<Vec<SourceFile>, Failure> {
    if !root.join(folder).is_dir() {
        return Ok(Vec::new());
    }
    let is_suite = |name: &str| name.ends_with(".bmtest.hcl") || name.ends_with(".bmtest.json");
    names(&root.join(folder), is_suite)?.iter().map(|name| read_source(root, &below(folder, name))).collect()
}

/// The files of mocks in a folder below the root, by name.
pub(crate) fn read_mocks(root: &Path, folder: &str) -> Result<Vec<SourceFile>, Failure> {
    let is_mock = |name: &str| name.ends_with(".bmmock.hcl") || name.ends_with(".bmmock.json");
    names(&root.join(folder), is_mock)?.iter().map(|name| read_source(root, &below(folder, name))).collect()
}

/// What the command line says about variables, in its order.
pub(crate) fn read_assignments(root: &Path, variables: &Variables) -> Result<Vec<Argument>, Failure> {
    let read = |assignment: &Assignment| match assignment {
        Assignment::Value(given) => {
            let (name, text) = split_variable(given)?;
            Ok(Argument::Value { name, text })
        }
        Assignment::File(path) => Ok(Argument::File(read_source(root, &path.to_string_lossy())?)),
    };
    variables.assignments.iter().map(read).collect()
}

fn names(root: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<String>, Failure> {
    let doing = format!("reading the folder `{}`", root.display());
    let entries = std::fs::read_dir(root).map_err(io(&doing))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| wanted(name) && !name.starts_with('.'))
        .collect();
    names.sort();
    Ok(names)
}

fn read_source(root: &Path, name: &str) -> Result<SourceFile, Failure> {
    let doing = format!("reading `{name}`");
    let bytes = std::fs::read(root.join(name)).map_err(io(&doing))?;
    let text = String::from_utf8(bytes).map_err(|error| no_text(name, &error))?;
    Ok(SourceFile { name: Arc::from(name), text: Arc::from(text) })
}

fn no_text(name: &str, error: &std::string::FromUtf8Error) -> Diagnostic {
    let text = &error.as_bytes()[..error.utf8_error().valid_up_to()];
    let line = text.split(|byte| *byte == b'\n').count();
    Diagnostic::error(format!("`{name}` is no UTF-8"))
        .because(format!("there is something else in line {line}"))
        .hint("save it as UTF-8; `iconv -f LATIN1 -t UTF-8` may help")
}

/// `BIMETAL_VAR_name`
pub(crate) fn environment_variables() -> Vec<(String, String)> {
    let mut variables: Vec<_> = std::env::vars()
        .filter_map(|(name, value)| Some((name.strip_prefix("BIMETAL_VAR_")?.to_owned(), value)))
        .collect();
    variables.sort();
    variables
}

/// `NAME=VALUE`
fn split_variable(given: &str) -> Result<(String, String), Failure> {
    match given.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err(Diagnostic::error(format!("`--var {given}` is not `NAME=VALUE`")).into()),
    }
}

/// The lock file; empty where there is none.
pub(crate) fn read_lock(root: &Path) -> Result<Lock, Failure> {
    match std::fs::read_to_string(root.join(LOCK_FILE)) {
        Ok(text) => Ok(Lock::parse(&text)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Lock::default()),
        Err(error) => Err(io("reading `bimetal.lock.hcl`")(error)),
    }
}

/// Writes the lock file where it changed. Whoever reads it meanwhile finds the old one or the new one.
pub(crate) fn write_lock(root: &Path, lock: &Lock) -> Result<(), Failure> {
    if *lock == read_lock(root)? {
        return Ok(());
    }
    let write = || {
        let place = root.join(LOCK_FILE);
        // It may be a link.
        let place = place.canonicalize().unwrap_or(place);
        let aside = place.with_extension(format!("{}.new", std::process::id()));
        std::fs::write(&aside, lock.to_string())?;
        std::fs::rename(&aside, &place)
    };
    write().map_err(io("writing `bimetal.lock.hcl`"))
}

/// A path as it is written in a configuration: from its root on, or from the home folder.
pub(crate) fn from_root(root: &Path, path: &str) -> PathBuf {
    let path = match path.strip_prefix("~/").zip(std::env::home_dir()) {
        Some((rest, home)) => home.join(rest),
        None => root.join(path),
    };
    // Without a `.` in the middle, as it is shown.
    path.components().collect()
}

/// Of those that functions read, in bytes.
const LARGEST_FILE: u64 = 1 << 30;

/// Files that the configuration's functions read.
#[derive(Debug)]
pub(crate) struct Disk {
    pub(crate) root: PathBuf,
}

impl Disk {
    fn path(&self, path: &str) -> PathBuf {
        from_root(&self.root, path)
    }
}

impl ReadFiles for Disk {
    fn home(&self) -> Option<String> {
        std::env::home_dir().map(|home| home.display().to_string())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let path = self.path(path);
        let said = |error: std::io::Error| format!("`{}`: {error}", path.display());
        let metadata = std::fs::metadata(&path).map_err(said)?;
        match metadata.len() {
            // Devices and pipes never end, or nobody writes to them.
            _ if !metadata.is_file() && !metadata.is_dir() => Err(format!("`{}` is no regular file", path.display())),
            length if length > LARGEST_FILE => {
                Err(format!("`{}` is larger than {} MiB", path.display(), LARGEST_FILE >> 20))
            }
            _ => std::fs::read(&path).map_err(said),
        }
    }

    fn exists(&self, path: &str) -> Result<bool, String> {
        let path = self.path(path);
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => Err(format!("`{}` is a folder", path.display())),
            Ok(metadata) if !metadata.is_file() => Err(format!("`{}` is no regular file", path.display())),
            Ok(_) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(format!("`{}`: {error}", path.display())),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<String>, String> {
        let top = self.path(folder);
        let (mut files, mut open) = (Vec::new(), vec![top.clone()]);
        while let Some(folder) = open.pop() {
            let entries = match std::fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(format!("`{}`: {error}", folder.display())),
            };
            for entry in entries.filter_map(Result::ok) {
                let path = entry.path();
                // A link to a folder may lead in a circle.
                match entry.file_type().is_ok_and(|ty| ty.is_dir()) {
                    true => open.push(path),
                    false if path.is_file() => files.push(path),
                    false => {}
                }
            }
        }
        let name = |file: &PathBuf| Some(file.strip_prefix(&top).ok()?.to_string_lossy().into_owned());
        Ok(files.iter().filter_map(name).collect())
    }

    fn root(&self) -> String {
        let root = std::path::absolute(&self.root).unwrap_or_else(|_| self.root.clone());
        root.display().to_string()
    }
}
