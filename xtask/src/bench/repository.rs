//! Repositories on this machine that are measured with.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use crate::process::output;

/// A folder in which git keeps everything but what Bimetal writes for itself.
pub(crate) struct Repository {
    folder: PathBuf,
}

impl Repository {
    /// A new one.
    pub(crate) fn new(folder: PathBuf) -> Result<Repository> {
        let repository = Repository { folder };
        repository.git(&["init", "--quiet", "--initial-branch", "main"])?;
        repository.write(".gitignore", "/.bimetal/\n/cache/\n/config/\n/data/\n/image/\n")?;
        Ok(repository)
    }

    /// As modules name it.
    pub(crate) fn source(&self) -> String {
        format!("git::file://{}", self.folder.display())
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.folder.join(path);
        if let Some(above) = path.parent() {
            fs::create_dir_all(above).with_context(|| format!("cannot make {}", above.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Commits all that is there, with a tag.
    pub(crate) fn commit(&self, tag: &str) -> Result<()> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", tag])?;
        self.git(&["tag", tag])
    }

    fn git(&self, words: &[&str]) -> Result<()> {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgSign=false"]);
        command.args(words).current_dir(&self.folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
        output(&mut command).map(drop)
    }
}
