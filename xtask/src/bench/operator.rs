//! Who uses the program: a folder with a configuration, caches and keys of its own, and the release binary.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::Bench;
use super::measure::{Usage, measure};
use crate::image::write_layout;

/// A configuration and whoever works on it.
pub(crate) struct Operator {
    folder: PathBuf,
    environment: Vec<(String, String)>,
}

impl Operator {
    /// With this `main.bm.hcl` and, in `./image`, the image of `examples/hello`.
    pub(crate) fn new(bench: &Bench, name: &str, configuration: &str) -> Result<Operator> {
        let folder = bench.folder(name)?;
        fs::write(folder.join("main.bm.hcl"), configuration)?;
        write_layout(&folder.join("image"), &bench.images).context("cannot write the image")?;
        Ok(Operator { folder, environment: Vec::new() })
    }

    /// Puts a file into the folder.
    pub(crate) fn give(&self, name: &str, file: &Path) -> Result<()> {
        fs::copy(file, self.folder.join(name)).with_context(|| format!("cannot copy {}", file.display()))?;
        Ok(())
    }

    /// Sets a variable of the configuration.
    pub(crate) fn set(&mut self, variable: &str, value: impl ToString) {
        self.environment.push((format!("BIMETAL_VAR_{variable}"), value.to_string()));
    }

    /// Runs a command to its end, which must be a good one.
    pub(crate) fn run(&self, words: &[&str]) -> Result<Usage> {
        let mut command = Command::new(crate::target().join("release/bimetal"));
        command.current_dir(&self.folder).args(words).envs(self.environment.iter().cloned());
        for (variable, folder) in
            [("XDG_CACHE_HOME", "cache"), ("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "data")]
        {
            command.env(variable, self.folder.join(folder));
        }
        measure(&mut command)
    }

    /// `apply`, without asking.
    pub(crate) fn apply(&self) -> Result<Usage> {
        self.run(&["apply", "--auto-approve"])
    }

    /// Forgets what was fetched, as somebody new on this machine.
    pub(crate) fn forget_caches(&self) -> Result<()> {
        self.remove("cache")
    }

    /// Forgets what was applied, as if it had never been.
    pub(crate) fn forget(&self) -> Result<()> {
        [".bimetal", "bimetal.lock.hcl"].into_iter().try_for_each(|made| self.remove(made))
    }

    /// Removes something that was made here, if it was.
    fn remove(&self, made: &str) -> Result<()> {
        let path = self.folder.join(made);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", path.display()))
            }
            _ => Ok(()),
        }
    }
}
