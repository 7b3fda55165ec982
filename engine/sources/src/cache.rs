//! Trees that were fetched, one folder for each, shared by all checkouts of this user.
//!
//! A tree is whole or not there: it is written aside and renamed. Whoever finds it takes it as it is, without hashing it
//! again; so it counts only where nobody else could have written it.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bimetal_model::Diagnostic;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::tree::Written;

/// What is written aside and never finished is left over by who was killed.
const LEFT_OVER: Duration = Duration::from_secs(24 * 60 * 60);

/// What a tree is found by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// A commit's id: the tree is what this says it is.
    Commit(String),
    /// A tree's hash, with its `sha256:`.
    Hash(String),
}

/// A tree that is there and whole.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    folder: PathBuf,
    /// Of the tree.
    pub(crate) hash: String,
}

/// Beside each tree.
#[derive(Serialize, Deserialize)]
struct Mark {
    format: u32,
    hash: String,
    files: usize,
    bytes: u64,
}

/// All of them.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
}

impl Entry {
    pub(crate) fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }

    /// The commit that the tree is of, as git has it.
    pub(crate) fn commit(&self) -> Option<Vec<u8>> {
        fs::read(self.folder.join("commit")).ok()
    }

    /// A tag that stood at the commit, as git has it.
    pub(crate) fn tag(&self, name: &str) -> Option<Vec<u8>> {
        fs::read(self.folder.join(tag_file(name))).ok()
    }

    /// Keeps a tag beside the tree, also if another process does so, too.
    pub(crate) fn keep_tag(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let file = tempfile::NamedTempFile::new_in(&self.folder)?;
        fs::write(file.path(), content)?;
        file.persist(self.folder.join(tag_file(name))).map(drop).map_err(|error| error.error)
    }
}

impl Cache {
    /// Below Bimetal's own cache folder.
    pub(crate) fn below(cache: &Path) -> Cache {
        Cache { folder: cache.join("modules") }
    }

    /// Where all of it is.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A tree, if it is there. Whose it is not sure is an error, and not fetched again: it would not be any better there.
    pub(crate) fn find(&self, key: &Key) -> Result<Option<Entry>, Diagnostic> {
        let Some(folder) = self.place(key) else { return Ok(None) };
        let mark = folder.join("mark.json");
        let Ok(text) = fs::read(&mark) else { return Ok(None) };
        let parent = folder.parent().unwrap_or(&self.folder);
        for place in [&self.folder, parent, &folder, &mark, &folder.join("tree")] {
            nobody_elses(place)?;
        }
        let mark = serde_json::from_slice::<Mark>(&text).ok().filter(|mark| mark.format == 1);
        Ok(mark.map(|mark| Entry { folder, hash: mark.hash }))
    }

    /// A folder aside, gone when it is dropped.
    pub(crate) fn aside(&self) -> io::Result<TempDir> {
        let aside = self.folder.join("aside");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&aside)?;
        sweep(&aside);
        tempfile::Builder::new().prefix("new-").tempdir_in(aside)
    }

    /// Gives a folder that has a `tree` its place. Where somebody was faster theirs is taken: it is the same.
    pub(crate) fn keep(&self, aside: TempDir, key: &Key, written: &Written) -> Result<Entry, Diagnostic> {
        let failed = |error: io::Error| cannot_keep(&self.folder, &error);
        let mark = Mark { format: 1, hash: written.hash.clone(), files: written.files, bytes: written.bytes };
        let text = serde_json::to_vec(&mark).map_err(|error| failed(error.into()))?;
        fs::write(aside.path().join("mark.json"), text).map_err(failed)?;
        let place = self.place(key).ok_or_else(|| failed(io::Error::other("its id is none")))?;
        let parent = place.parent().unwrap_or(&self.folder);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(parent).map_err(failed)?;
        if let Err(error) = fs::rename(aside.path(), &place) {
            if let Some(entry) = self.find(key)? {
                return Ok(entry);
            }
            // What stands there is no whole tree: somebody took parts of it away.
            self.clear(&place).and_then(|()| fs::rename(aside.path(), &place)).map_err(|_| failed(error))?;
        }
        self.find(key)?.ok_or_else(|| failed(io::Error::other("it is gone again")))
    }

    fn clear(&self, place: &Path) -> io::Result<()> {
        let grave = self.aside()?;
        fs::rename(place, grave.path().join("old"))
    }

    fn place(&self, key: &Key) -> Option<PathBuf> {
        let (kind, id) = match key {
            Key::Commit(commit) => ("git", commit.as_str()),
            Key::Hash(hash) => ("trees", hash.strip_prefix("sha256:")?),
        };
        crate::source::is_id(id).then(|| self.folder.join(kind).join(id))
    }
}

/// What can't be kept is the disk's fault, or that of who runs this.
pub(crate) fn cannot_keep(folder: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::error(format!("what was fetched can't be kept in `{}`: {error}", folder.display()))
}

fn nobody_elses(place: &Path) -> Result<(), Diagnostic> {
    let metadata = fs::symlink_metadata(place).map_err(|error| cannot_keep(place, &error))?;
    let is_ours = metadata.uid() == rustix::process::getuid().as_raw();
    match is_ours && !metadata.is_symlink() && metadata.mode() & 0o022 == 0 {
        true => Ok(()),
        false => Err(Diagnostic::error("the cache of modules is not this user's alone")
            .because(format!("`{}` belongs to somebody else, may be written by others, or is a link", place.display()))
            .hint("remove it, or name another folder for the cache")),
    }
}

/// Takes away what was left over; what can't be taken away is left to the next one.
fn sweep(aside: &Path) {
    for entry in fs::read_dir(aside).into_iter().flatten().flatten() {
        let made = entry.metadata().and_then(|metadata| metadata.modified());
        let age = made.ok().and_then(|made| SystemTime::now().duration_since(made).ok());
        if age.is_some_and(|age| age > LEFT_OVER) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn tag_file(name: &str) -> String {
    let hash: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("tag-{hash}")
}

#[cfg(test)]
mod tests;
