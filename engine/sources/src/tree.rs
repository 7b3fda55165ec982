//! A tree of files that comes from somebody else, written to this machine.
//!
//! Whatever it came in, it comes through here: names are checked, sizes counted, contents hashed, and nothing is written
//! outside its folder. Nothing in it is run, and nothing is changed: no line endings, no substitutions, no filters.

mod hash;
mod limits;
mod links;
mod names;

use std::fs;
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use limits::FILE_BYTES;
pub(crate) use limits::{FILES, PACKED_BYTES, TREE_BYTES, human};

use hash::Entries;
use names::Names;

/// Why a tree is not taken.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It holds something that it must not; the rest of a sentence about it.
    Bad(String),
    /// It can't be read or written.
    Failed(io::Error),
}

impl Refusal {
    /// Of something with a name.
    pub(crate) fn of(path: &str, what: impl std::fmt::Display) -> Refusal {
        Refusal::Bad(format!("`{}` {what}", path.escape_debug()))
    }
}

impl From<io::Error> for Refusal {
    fn from(error: io::Error) -> Refusal {
        Refusal::Failed(error)
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// `sha256:…`
    pub(crate) hash: String,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
}

/// Writes a tree into a folder that nobody else writes to.
///
/// Links are made last, so that while files are written there is none that would lead them elsewhere.
pub(crate) struct Tree {
    root: PathBuf,
    names: Names,
    entries: Entries,
    bytes: u64,
}

impl Tree {
    /// Makes the folder, which must not be there.
    pub(crate) fn create(root: &Path) -> io::Result<Tree> {
        fs::create_dir(root)?;
        fs::set_permissions(root, fs::Permissions::from_mode(0o755))?;
        Ok(Tree { root: root.to_owned(), names: Names::default(), entries: Entries::default(), bytes: 0 })
    }

    /// Writes a file with what a reader has, to its end.
    pub(crate) fn file(&mut self, path: &str, executable: bool, content: &mut dyn Read) -> Result<(), Refusal> {
        let folders = self.names.file(path)?;
        self.make_folders(&folders)?;
        let mode = if executable { 0o555 } else { 0o444 };
        let target = self.root.join(path);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&target)?;
        let (mut hasher, mut size, mut buffer) = (Sha256::new(), 0_u64, vec![0; 64 * 1024]);
        loop {
            let read = content.read(&mut buffer)?;
            let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else { break };
            size += part.len() as u64;
            admit(path, size, self.bytes)?;
            hasher.update(part);
            file.write_all(part)?;
        }
        // Whatever the umask says.
        file.set_permissions(fs::Permissions::from_mode(mode))?;
        self.bytes += size;
        self.entries.file(path, executable, size, hasher.finalize().into());
        Ok(())
    }

    /// Looks at a folder's name. It is made when something lies in it.
    pub(crate) fn folder(&mut self, path: &str) -> Result<(), Refusal> {
        if matches!(path, "" | ".") { Ok(()) } else { names::check(path) }
    }

    /// Remembers a link, to be made at the end.
    pub(crate) fn link(&mut self, path: &str, target: &[u8]) -> Result<(), Refusal> {
        let folders = self.names.file(path)?;
        self.make_folders(&folders)?;
        let target = links::target(path, target)?;
        self.entries.link(path, target);
        Ok(())
    }

    /// Makes the links, if all of them lead to somewhere inside.
    pub(crate) fn finish(self) -> Result<Written, Refusal> {
        links::check(&self.entries)?;
        for (path, target) in self.entries.links() {
            symlink(target, self.root.join(path))?;
        }
        Ok(Written { hash: self.entries.hash(), files: self.entries.len(), bytes: self.bytes })
    }

    fn make_folders(&self, folders: &[String]) -> io::Result<()> {
        folders.iter().try_for_each(|folder| {
            let folder = self.root.join(folder);
            fs::create_dir(&folder)?;
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))
        })
    }
}

/// Whether a file of this size may come after so many bytes. Asked before it is read where that can be told.
pub(crate) fn admit(path: &str, size: u64, before: u64) -> Result<(), Refusal> {
    if size > FILE_BYTES {
        return Err(Refusal::of(
            path,
            format!("is larger than {}, which no file of a module may be", human(FILE_BYTES)),
        ));
    }
    match before.saturating_add(size) > TREE_BYTES {
        true => Err(Refusal::Bad(format!("it is larger than {}, which no module may be", human(TREE_BYTES)))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests;
