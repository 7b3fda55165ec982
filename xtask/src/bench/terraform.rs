//! Terraform, where it is installed.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use serde_json::json;

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

    /// Gives it a state as if it had made these blocks, which have the arguments that all of them have here.
    pub(crate) fn know(&self, names: impl Iterator<Item = String>) -> Result<()> {
        let resource = |name: String| {
            let value = json!({ "name": name, "text": "the same for all" });
            let dynamic = json!({ "value": value, "type": ["object", { "name": "string", "text": "string" }] });
            let attributes = json!({ "id": name, "input": dynamic, "output": dynamic, "triggers_replace": null });
            json!({
                "mode": "managed",
                "type": "terraform_data",
                "name": name,
                "provider": "provider[\"terraform.io/builtin/terraform\"]",
                "instances": [{ "schema_version": 0, "attributes": attributes }],
            })
        };
        // One after the other: the most that this process ever had counts for the programs that it starts, too.
        let mut file = BufWriter::new(File::create(self.folder.join("terraform.tfstate"))?);
        let lineage = "00000000-0000-0000-0000-000000000000";
        write!(file, r#"{{"version":4,"serial":1,"lineage":"{lineage}","outputs":{{}},"resources":["#)?;
        for (place, name) in names.enumerate() {
            let comma = if place == 0 { "" } else { "," };
            write!(file, "{comma}{}", resource(name))?;
        }
        write!(file, "]}}")?;
        Ok(file.flush()?)
    }
}
