//! Terraform, where it is installed.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::Bench;
use super::measure::{Usage, measure};
use crate::process::{exists, output};

/// The program.
pub(crate) struct Terraform {
    /// `terraform v1.11.4`
    pub(crate) version: String,
}

/// A configuration of Terraform's that was initialised.
pub(crate) struct Project {
    folder: PathBuf,
}

impl Terraform {
    /// If it is there.
    pub(crate) fn find() -> Result<Option<Terraform>> {
        if !exists("terraform") {
            return Ok(None);
        }
        let version = output(Command::new("terraform").arg("version").env("CHECKPOINT_DISABLE", "1"))?;
        Ok(Some(Terraform { version: version.lines().next().unwrap_or_default().to_lowercase() }))
    }

    /// With this `main.tf`.
    pub(crate) fn project(&self, bench: &Bench, name: &str, configuration: &str) -> Result<Project> {
        let project = Project { folder: bench.folder(name)? };
        std::fs::write(project.folder.join("main.tf"), configuration)?;
        project.run(&["init"])?;
        Ok(project)
    }
}

impl Project {
    /// Runs a command to its end, which must be a good one.
    pub(crate) fn run(&self, words: &[&str]) -> Result<Usage> {
        let mut command = Command::new("terraform");
        // Without it, it asks on the network whether there is a newer one.
        command.current_dir(&self.folder).env("CHECKPOINT_DISABLE", "1");
        measure(command.args(words).arg("-no-color"))
    }
}
