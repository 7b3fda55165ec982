//! The lock file anew: what is chosen again of it, what stays, and what comes to it because it is missing.

use std::sync::Arc;

use bimetal_config::lock::Lock;
use bimetal_host::registry::Images;
use bimetal_model::event::{Event, Notify as _};
use bimetal_model::image::{ImageIndex, ImageSource};
use bimetal_model::{Diagnostic, Diagnostics};
use bimetal_sources::want::Ask;
use futures::future::join_all;

use crate::arguments::{Consent, Variables};
use crate::command::providers::chosen;
use crate::configuration::read_lock;
use crate::failure::Failure;
use crate::packages::Asking;
use crate::providers::{self, Modules};
use crate::session::{Configuration, Session};

/// Which blocks of a kind are chosen anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anew<'a> {
    /// What is locked stays.
    Nothing,
    /// All of them.
    All,
    /// The one with this label.
    One(&'a str),
}

impl Anew<'_> {
    /// Whether the block with this label is one of them.
    pub(crate) fn has(self, label: &str) -> bool {
        match self {
            Anew::Nothing => false,
            Anew::All => true,
            Anew::One(name) => name == label,
        }
    }
}

/// What is chosen anew, by kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Renewal<'a> {
    pub(crate) modules: Anew<'a>,
    pub(crate) providers: Anew<'a>,
    pub(crate) images: Anew<'a>,
    /// Whom modules are asked of that are not chosen anew.
    pub(crate) otherwise: Ask,
}

impl Renewal<'_> {
    /// Everything, or nothing.
    pub(crate) fn of_all(anew: Anew<'_>, otherwise: Ask) -> Renewal<'_> {
        Renewal { modules: anew, providers: anew, images: anew, otherwise }
    }
}

/// What the lock file should say, and what it was made from.
pub(crate) struct Relocked {
    pub(crate) old: Lock,
    pub(crate) new: Lock,
    pub(crate) configuration: Configuration,
    pub(crate) modules: Modules,
}

/// Chooses, fetches, and asks where a provider wants more than it was granted. Nothing is written but the cache.
pub(crate) async fn relock(
    session: &Session,
    variables: &Variables,
    consent: &Consent,
    renewal: Renewal<'_>,
) -> Result<Relocked, Failure> {
    let old = read_lock(&session.root)?;
    let asking = match renewal.modules {
        Anew::Nothing => Asking::from(renewal.otherwise),
        Anew::All => Asking::from(Ask::ForNewer),
        Anew::One(source) => Asking { ask: Ask::WhereMissing, anew: Some(source) },
    };
    let (configuration, modules, locked) = session.configuration_to_lock(variables, asking).await?;
    let mut new = chosen(session, &configuration, &modules, renewal.providers, consent).await?;
    new.modules = locked;
    renew_images(session, &configuration, &mut new, renewal.images).await?;
    Ok(Relocked { old, new, configuration, modules })
}

/// Asks for the images again. One that can't be asked for is an error: what else the lock file has of it would be lost.
async fn renew_images(
    session: &Session,
    configuration: &Configuration,
    lock: &mut Lock,
    anew: Anew<'_>,
) -> Result<(), Failure> {
    let sources: Vec<_> = lock.images.keys().filter(|source| anew.has(&source.to_string())).cloned().collect();
    if sources.is_empty() {
        return Ok(());
    }
    let images = Images::new(Arc::new(providers::registries(configuration)?), session.root.clone());
    let resolved = join_all(sources.into_iter().map(|source| resolve(session, &images, source))).await;
    session.progress.clear();
    let mut errors = Diagnostics::new();
    for one in resolved {
        match one {
            Ok((source, index)) => drop(lock.images.insert(source, index)),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(Failure::new(errors, &configuration.files)) }
}

async fn resolve(
    session: &Session,
    images: &Images,
    source: ImageSource,
) -> Result<(ImageSource, ImageIndex), Diagnostic> {
    session.progress.notify(Event::Busy { message: format!("resolving {source}") });
    match images.resolve(&source).await {
        Ok(index) => Ok((source, index)),
        Err(fault) => {
            let error = fault.diagnostic();
            let hint = format!("if nothing uses `{source}` any more, take its block out of `bimetal.lock.hcl`");
            Err(if error.hint.is_none() { error.hint(hint) } else { error })
        }
    }
}
