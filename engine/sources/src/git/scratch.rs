//! A repository of our own, for as long as it is needed. Its settings are ours alone.

use std::fs;
use std::io;
use std::path::Path;

use tempfile::TempDir;

/// A bare repository that is gone when this is dropped.
pub(crate) struct Scratch(TempDir);

impl Scratch {
    /// Made without git, so that no template of anybody's gets in. Ids are as long as this one.
    pub(crate) fn create(folder: TempDir, id: &str) -> io::Result<Scratch> {
        let path = folder.path();
        fs::create_dir(path.join("objects"))?;
        fs::create_dir(path.join("refs"))?;
        fs::write(path.join("HEAD"), "ref: refs/heads/none\n")?;
        let config = match id.len() {
            64 => "[core]\nrepositoryformatversion = 1\nbare = true\n[extensions]\nobjectformat = sha256\n",
            _ => "[core]\nrepositoryformatversion = 0\nbare = true\n",
        };
        fs::write(path.join("config"), config)?;
        Ok(Scratch(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}
