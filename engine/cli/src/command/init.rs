//! `init`, `validate`, `version`, `completions`.

use std::sync::Arc;

use bimetal_config::Desired;
use bimetal_config::lock::Lock;
use bimetal_host::certificates::Keep;
use bimetal_model::Diagnostics;
use bimetal_model::diagnostic::has_errors;
use bimetal_model::question::Observed;
use bimetal_model::snapshot::Snapshot;
use bimetal_plan::Mode;
use bimetal_sources::want::Ask;
use clap::CommandFactory as _;
use serde_json::json;

use crate::arguments::{Arguments, Init, Variables};
use crate::configuration::{read_lock, write_lock};
use crate::exported::Nowhere;
use crate::failure::Failure;
use crate::output::{print, print_json, say};
use crate::providers;
use crate::relock::{Anew, Relocked, Renewal, relock};
use crate::session::{Configuration, InState, Session};

/// Finds providers, shows what they ask for, and locks them.
pub(crate) async fn init(session: &Session, arguments: &Init) -> Result<(), Failure> {
    let Init { upgrade, consent, variables } = arguments;
    let anew = if *upgrade { Anew::All } else { Anew::Nothing };
    let renewal = Renewal::of_all(anew, Ask::WhetherMoved);
    let Relocked { old, new: lock, configuration, modules } = relock(session, variables, consent, renewal).await?;
    let store = Arc::new(session.store(&configuration).await?);
    let host = session.host(&configuration, &lock, Arc::new(InState(store)), &Snapshot::default())?;
    for name in lock.providers.keys() {
        providers::add_if_new(&host, name, &modules, &lock, &session.places)?;
    }
    write_lock(&session.root, &lock)?;
    session.progress.clear();
    match *upgrade && old != Lock::default() {
        true => super::lock::show_difference(session, &old, &lock),
        false => super::providers::show(session, &lock),
    }
    if !session.json {
        say("\nReady. `bimetal plan` shows what would be done.\n");
    }
    Ok(())
}

/// Checks the configuration and its tests: all that can be known without network, state and the values of variables.
pub(crate) async fn validate(session: &Session, variables: &Variables) -> Result<(), Failure> {
    let (configuration, mut diagnostics) = session.configuration_to_check(variables).await?;
    match check(session, &configuration, has_errors(&diagnostics)).await {
        Ok(found) => bimetal_plan::add_new(&mut diagnostics, found),
        // Why providers can't be asked is not what is wrong with a configuration that can't be read.
        Err(failure) if !has_errors(&diagnostics) => return Err(failure),
        Err(_) => {}
    }
    session.progress.clear();
    if has_errors(&diagnostics) {
        return Err(Failure::new(diagnostics, &configuration.files));
    }
    session.warn(&diagnostics, &configuration.files);
    super::test::check(session)?;
    match session.json {
        true => print_json(&json!({ "format": 1, "diagnostics": [] })),
        false => print("The configuration is valid.\n"),
    }
    Ok(())
}

/// What is wrong with it as it stands; and a plan against nothing, that is not asked further: what it can't know stays a question.
async fn check(session: &Session, configuration: &Configuration, is_broken: bool) -> Result<Diagnostics, Failure> {
    let (lock, desired) = (read_lock(&session.root)?, &configuration.desired);
    // Opening creates nothing, and nothing is kept: a plan against nothing makes no certificates.
    let keep: Arc<dyn Keep> = match session.store(configuration).await {
        Ok(store) => Arc::new(InState(Arc::new(store))),
        Err(_) if is_open(desired) => Arc::new(Nowhere),
        Err(failure) => return Err(failure),
    };
    let host = session.host(configuration, &lock, keep, &Snapshot::default())?;
    let mut diagnostics = Diagnostics::new();
    if !is_broken && !is_open(desired) {
        let images = lock.images.into_iter().map(|(source, index)| (source, Ok(index))).collect();
        let answers = bimetal_model::question::Answers { images, ..Default::default() };
        diagnostics = bimetal_plan::plan(desired, &Observed::default(), &answers, &Mode::Apply.into(), &*host).1;
    }
    bimetal_plan::add_new(&mut diagnostics, bimetal_plan::standing(desired, &*host));
    Ok(diagnostics)
}

/// Whether a variable has no value: how many objects there are may follow from it.
fn is_open(desired: &Desired) -> bool {
    desired.variables.values().any(|value| !value.is_wholly_known())
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
