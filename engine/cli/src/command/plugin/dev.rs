//! `plugin dev`: builds, examines and replans, whenever a source file of the provider's changes.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bimetal_host::Manifest;
use bimetal_model::Diagnostic;
use tokio::process::Command;

use crate::arguments;
use crate::failure::{Failure, io};
use crate::output::say;
use crate::session::Session;

/// Nobody saves a file twice within it.
const PAUSE: Duration = Duration::from_millis(300);
/// What changes by building.
const NOT_SOURCES: [&str; 3] = ["target", ".git", "sdk"];

pub(super) async fn dev(session: &Session, arguments: &arguments::plugin::Dev) -> Result<(), Failure> {
    let project: PathBuf = session.root.join(&arguments.project).components().collect();
    let configuration = session.root.join(&arguments.configuration);
    let mut before = None;
    loop {
        let now = newest(&project).map_err(io(&format!("looking at `{}`", project.display())))?;
        if before != Some(now) {
            before = Some(now);
            if let Err(failure) = round(&project, &configuration).await {
                crate::output::report(&failure, session.json);
            }
            say("\nWaiting for a change. Ctrl-C ends this.\n");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Builds, and plans with what was built.
async fn round(project: &Path, configuration: &Path) -> Result<(), Failure> {
    if !succeeds(Command::new("cargo").args(["build", "--release"]).current_dir(project)).await? {
        return Ok(());
    }
    let component = component(project)?;
    let bytes = std::fs::read(&component).map_err(io(&format!("reading `{}`", component.display())))?;
    let name = Manifest::of(&bytes).map_err(Failure::from)?.name;
    let own = std::env::current_exe().map_err(io("finding this program"))?;
    let overrides = format!("{name}={}", component.display());
    succeeds(Command::new(own).arg("plan").current_dir(configuration).env(crate::providers::OVERRIDES, overrides))
        .await?;
    Ok(())
}

async fn succeeds(command: &mut Command) -> Result<bool, Failure> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let status = command.kill_on_drop(true).status().await.map_err(io(&format!("starting `{name}`")))?;
    Ok(status.success())
}

/// The newest component that the project was built to.
fn component(project: &Path) -> Result<PathBuf, Failure> {
    let folder = project.join("target/wasm32-wasip2/release");
    let entries = std::fs::read_dir(&folder).map_err(io(&format!("looking into `{}`", folder.display())))?;
    let is_component = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "wasm");
    let paths = entries.flatten().map(|entry| entry.path()).filter(is_component);
    let changed = |path: &PathBuf| path.metadata().and_then(|of| of.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    paths.max_by_key(changed).ok_or_else(|| {
        let error = Diagnostic::error(format!("nothing was built into `{}`", folder.display()));
        error.hint("the project's `.cargo/config.toml` says `build.target = \"wasm32-wasip2\"`").into()
    })
}

/// When a source file changed last.
fn newest(folder: &Path) -> std::io::Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if NOT_SOURCES.iter().any(|skipped| name == *skipped) {
            continue;
        }
        let of = entry.metadata()?;
        let changed = if of.is_dir() { self::newest(&entry.path())? } else { of.modified()? };
        newest = newest.max(changed);
    }
    Ok(newest)
}
