//! Configuration files on the disk: which there are, and how one is replaced.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bimetal_model::{Diagnostic, Diagnostics};
use bimetal_syntax::SourceFile;

use crate::arguments::Fmt;
use crate::failure::{Failure, io};

/// Of the configuration, of variables, of tests and of mocks. The lock file is none of them: `init` writes it.
const ENDINGS: [&str; 4] = [".bm.hcl", ".bmvars.hcl", ".bmtest.hcl", ".bmmock.hcl"];

/// The files that are named, and those in the folders that are named, each once; without any name those in the root. Paths are relative to
/// it.
pub(super) fn find(root: &Path, arguments: &Fmt) -> (Vec<PathBuf>, Diagnostics) {
    let folder = [PathBuf::new()];
    let named = if arguments.paths.is_empty() { &folder[..] } else { &arguments.paths };
    let (mut found, mut diagnostics) = (Vec::new(), Vec::new());
    for path in named {
        match found_at(root, path, arguments.recursive) {
            Ok(paths) => found.extend(paths),
            Err(failure) => diagnostics.extend(failure.diagnostics),
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|path| seen.insert(path.clone()));
    (found, diagnostics)
}

fn found_at(root: &Path, path: &Path, recursive: bool) -> Result<Vec<PathBuf>, Failure> {
    let metadata = std::fs::metadata(root.join(path));
    match metadata.map_err(io(&format!("reading `{}`", path.display())))? {
        metadata if metadata.is_dir() => in_folder(root, path, recursive),
        _ if is_configuration(path) => Ok(vec![path.to_owned()]),
        _ => {
            let error = Diagnostic::error(format!("`{}` is no configuration file", path.display()));
            Err(error.hint("their names end in `.bm.hcl`, `.bmvars.hcl`, `.bmtest.hcl` or `.bmmock.hcl`").into())
        }
    }
}

/// By name. What is hidden is left out, and folders that are links are not entered.
fn in_folder(root: &Path, folder: &Path, recursive: bool) -> Result<Vec<PathBuf>, Failure> {
    let doing = format!("reading the folder `{}`", root.join(folder).display());
    let entries = std::fs::read_dir(root.join(folder)).map_err(io(&doing))?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(io(&doing))?;
    entries.retain(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."));
    entries.sort_by_key(std::fs::DirEntry::file_name);
    let mut found = Vec::new();
    for entry in entries {
        let path = folder.join(entry.file_name());
        match entry.file_type().map_err(io(&doing))?.is_dir() {
            true if recursive => found.extend(in_folder(root, &path, recursive)?),
            false if is_configuration(&path) => found.push(path),
            true | false => {}
        }
    }
    Ok(found)
}

fn is_configuration(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    ENDINGS.iter().any(|ending| name.ends_with(ending.as_bytes()))
}

pub(super) fn read(root: &Path, path: &Path) -> Result<SourceFile, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(root.join(path)).map_err(io(&format!("reading `{name}`")))?;
    Ok(SourceFile { name: Arc::from(name), text: Arc::from(text) })
}

/// All of the text or nothing of it, with the permissions that the file has. What is a link stays one.
pub(super) fn replace(root: &Path, path: &Path, text: &str) -> Result<(), Failure> {
    let doing = format!("writing `{}`", path.display());
    replace_file(&root.join(path), text).map_err(io(&doing))
}

fn replace_file(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize()?;
    let permissions = path.metadata()?.permissions();
    if permissions.readonly() {
        return Err(std::io::Error::other("it is read-only"));
    }
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new().prefix(".fmt-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().set_permissions(permissions)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}
