//! `init`, `validate`, `version`, `completions`.

use std::sync::Arc;

use bimetal_model::diagnostic::has_errors;
use bimetal_model::question::Observed;
use bimetal_model::snapshot::Snapshot;
use bimetal_plan::Mode;
use clap::CommandFactory as _;
use serde_json::json;

use crate::arguments::{Arguments, Init, Variables};
use crate::configuration::{read_lock, write_lock};
use crate::failure::Failure;
use crate::output::{print, print_json, say};
use crate::providers;
use crate::session::{Configuration, InState, Session};

/// Finds providers, shows what they ask for, and locks them.
pub(crate) async fn init(session: &Session, arguments: &Init) -> Result<(), Failure> {
    let (configuration, modules) = session.configuration_to_lock(&arguments.variables)?;
    let (upgrade, consent) = (arguments.upgrade, &arguments.consent);
    let mut lock = super::providers::chosen(session, &configuration, &modules, upgrade, consent).await?;
    let store = Arc::new(session.store(&configuration).await?);
    let host = session.host(&configuration, &lock, Arc::new(InState(store)), &Snapshot::default())?;
    for name in lock.providers.keys() {
        providers::add_if_new(&host, name, &modules, &lock, &session.places)?;
    }
    if upgrade {
        lock.images.clear();
    }
    write_lock(&session.root, &lock)?;
    session.progress.clear();
    super::providers::show(session, &lock);
    if !session.json {
        say("\nReady. `bimetal plan` shows what would be done.\n");
    }
    Ok(())
}

/// Checks the configuration and its tests: all that can be known without network and state.
pub(crate) async fn validate(session: &Session, variables: &Variables) -> Result<(), Failure> {
    let configuration = session.configuration(variables)?;
    check(session, &configuration).await?;
    super::test::check(session)?;
    match session.json {
        true => print_json(&json!({ "format": 1, "diagnostics": [] })),
        false => print("The configuration is valid.\n"),
    }
    Ok(())
}

/// A plan against nothing, that is not asked further: what it can't know stays a question.
async fn check(session: &Session, configuration: &Configuration) -> Result<(), Failure> {
    let lock = read_lock(&session.root)?;
    // Opening creates nothing, and nothing is kept: a plan against nothing makes no certificates.
    let store = Arc::new(session.store(configuration).await?);
    let host = session.host(configuration, &lock, Arc::new(InState(store)), &Snapshot::default())?;
    let images = lock.images.into_iter().map(|(source, index)| (source, Ok(index))).collect();
    let answers = bimetal_model::question::Answers { images, ..Default::default() };
    let (_, diagnostics) =
        bimetal_plan::plan(&configuration.desired, &Observed::default(), &answers, &Mode::Apply.into(), &*host);
    session.progress.clear();
    match has_errors(&diagnostics) {
        true => Err(Failure::new(diagnostics, &configuration.files)),
        false => {
            session.warn(&diagnostics, &configuration.files);
            Ok(())
        }
    }
}

/// Of Bimetal and of the providers that come with it.
pub(crate) fn version(session: &Session) -> Result<(), Failure> {
    let version = env!("CARGO_PKG_VERSION");
    let mut providers = Vec::new();
    for embedded in bimetal_providers::EMBEDDED {
        let manifest = bimetal_host::Manifest::of(embedded.wasm)?;
        providers.push((embedded.name, manifest.version));
    }
    match session.json {
        true => print_json(&json!({
            "format": 1,
            "version": version,
            "providers": providers.iter().map(|(name, version)| json!({ "name": name, "version": version })).collect::<Vec<_>>(),
        })),
        false => {
            print(&format!("bimetal {version}\n"));
            for (name, version) in providers {
                print(&format!("  provider {name} {version}\n"));
            }
        }
    }
    Ok(())
}

/// A script for the shell.
pub(crate) fn completions(shell: clap_complete::Shell) {
    clap_complete::generate(shell, &mut Arguments::command(), "bimetal", &mut std::io::stdout());
}
