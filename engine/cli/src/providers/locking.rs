//! What the lock file should say of providers: chosen, fetched, looked at, and agreed to.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bimetal_config::lock::{Lock, LockedProvider};
use bimetal_config::module::RequiredProvider;
use bimetal_host::{Artifacts, Manifest};
use bimetal_install::signature::{Key, SUFFIX, signer};
use bimetal_install::{Cache, Supply, Wanted, install};
use bimetal_model::event::{Event, Notify};
use bimetal_model::{Diagnostic, ProviderName};

use super::{Component, Modules, Places, component, required, used};
use crate::failure::{Failure, io};
use crate::relock::Anew;

/// What is to be locked, and what somebody has to agree to before.
pub(crate) struct Proposal {
    /// Images are as they were.
    pub(crate) lock: Lock,
    /// Of providers that were locked before.
    pub(crate) grown: Vec<Grown>,
}

/// A provider that asks for more than it was granted.
#[derive(Debug)]
pub(crate) struct Grown {
    pub(crate) name: ProviderName,
    /// The versions.
    pub(crate) from: String,
    pub(crate) to: String,
    /// Lines of grants.
    pub(crate) more: Vec<String>,
    pub(crate) less: Vec<String>,
}

/// What locking works with.
pub(crate) struct Locking<'a> {
    pub(crate) places: &'a Places,
    pub(crate) registries: Arc<bimetal_host::Registries>,
    pub(crate) notify: &'a dyn Notify,
    /// What is locked by now.
    pub(crate) old: &'a Lock,
    /// Of which providers that binds no more.
    pub(crate) anew: Anew<'a>,
}

/// A component, and what was found out about it.
struct Found {
    source: Option<String>,
    wasm: Arc<[u8]>,
    signed_by: Option<String>,
}

impl Locking<'_> {
    /// Finds all providers that modules name, those too of which there is no instance yet. Nothing is written but the cache.
    pub(crate) async fn propose(&self, modules: &Modules) -> Result<Proposal, Failure> {
        let required = required(modules);
        let supply = match self.places.mirror() {
            Some(mirror) => Supply::Mirror(mirror),
            None => Supply::Registries(Artifacts::new(self.registries.clone())),
        };
        let mut proposal = Proposal { lock: Lock::default(), grown: Vec::new() };
        proposal.lock.images = self.old.images.clone();
        for name in used(modules.values()) {
            let wanted = required.get(&name.0);
            let locked = self
                .one(&name, wanted, &supply, &mut proposal.grown)
                .await
                .map_err(|failure| placed(failure, wanted))?;
            proposal.lock.providers.extend(locked.map(|locked| (name, locked)));
        }
        Ok(proposal)
    }

    async fn one(
        &self,
        name: &ProviderName,
        wanted: Option<&RequiredProvider>,
        supply: &Supply,
        grown: &mut Vec<Grown>,
    ) -> Result<Option<LockedProvider>, Failure> {
        let old = self.old.providers.get(name);
        let keys = super::keys(name, wanted)?;
        let found = match component(name, wanted, self.places)? {
            Component::Embedded(bytes) => {
                let Manifest { version, .. } = Manifest::of(bytes)?;
                let grants = Manifest::of(bytes)?.grants();
                return Ok(Some(LockedProvider { source: None, version, digest: None, signed_by: None, grants }));
            }
            // What somebody is working on is nobody else's business.
            Component::Override(_) => return Ok(old.cloned()),
            Component::File(path) => self.file(name, &path, &keys, old)?,
            Component::Registry(source) => {
                self.notify.notify(Event::Busy { message: format!("looking for provider `{name}` in `{source}`") });
                let version = wanted.and_then(|wanted| wanted.version.as_deref());
                let kept = old.filter(|_| !self.anew.has(&name.0));
                let wanted = Wanted { name, source: &source, version, keys: &keys };
                let installed = install(wanted, kept, supply, &self.places.cache()?).await?;
                Found {
                    source: Some(source.to_string()),
                    wasm: installed.component.wasm,
                    signed_by: installed.signed_by,
                }
            }
        };
        self.agreed(name, found, grown).map(Some)
    }

    fn file(
        &self,
        name: &ProviderName,
        path: &Path,
        keys: &[Key],
        old: Option<&LockedProvider>,
    ) -> Result<Found, Failure> {
        let doing = format!("reading provider `{name}` from `{}`", path.display());
        let wasm: Arc<[u8]> = std::fs::read(path).map_err(io(&doing))?.into();
        if let Some(digest) = old.and_then(|old| old.digest.as_ref()).filter(|_| !self.anew.has(&name.0)) {
            super::check_digest(name, &wasm, digest)?;
        }
        let signature = std::fs::read_to_string(format!("{}{SUFFIX}", path.display())).ok();
        let signed_by = signer(name, &wasm, signature.as_deref(), keys)?;
        Ok(Found { source: None, wasm, signed_by })
    }

    /// With what it is granted: what it was granted before, as long as it asks for nothing else.
    fn agreed(&self, name: &ProviderName, found: Found, grown: &mut Vec<Grown>) -> Result<LockedProvider, Failure> {
        let named = |error: Diagnostic| Diagnostic { summary: format!("`{name}`: {}", error.summary), ..error };
        let manifest = Manifest::of(&found.wasm).map_err(named)?;
        let digest = bimetal_host::digest(&found.wasm);
        let asked = manifest.grants();
        let old = self.old.providers.get(name).filter(|old| old.digest.is_some());
        let grants = match old {
            Some(old) if asks_as_before(old, &digest, &asked, &self.places.cache()?) => {
                match manifest.narrowed(&old.grants) {
                    Err(_) if self.anew.has(&name.0) => asked,
                    Ok(_) | Err(_) => old.grants.clone(),
                }
            }
            Some(old) => {
                grown.extend(growth(name, old, &manifest.version, &asked));
                asked
            }
            None => asked,
        };
        let Found { source, signed_by, .. } = found;
        Ok(LockedProvider { source, version: manifest.version, digest: Some(digest), signed_by, grants })
    }
}

/// Whether a component asks for what the locked one asked for, whatever of that was granted.
fn asks_as_before(old: &LockedProvider, digest: &str, asked: &[String], cache: &Cache) -> bool {
    let before = || cache.get(old.digest.as_deref()?).and_then(|component| Manifest::of(&component.wasm).ok());
    old.digest.as_deref() == Some(digest) || before().is_some_and(|before| before.grants() == asked)
}

fn growth(name: &ProviderName, old: &LockedProvider, to: &str, asked: &[String]) -> Option<Grown> {
    let without = |lines: &[String], others: &[String]| {
        let others: BTreeSet<_> = others.iter().collect();
        lines.iter().filter(|line| !others.contains(line)).cloned().collect::<Vec<_>>()
    };
    let (more, less) = (without(asked, &old.grants), without(&old.grants, asked));
    let grown = Grown { name: name.clone(), from: old.version.clone(), to: to.to_owned(), more, less };
    (!grown.more.is_empty()).then_some(grown)
}

/// What is wrong with a provider is wrong where it is named.
fn placed(failure: Failure, wanted: Option<&RequiredProvider>) -> Failure {
    let placed = |error: Diagnostic| match (&error.span, wanted) {
        (None, Some(wanted)) => error.at(&wanted.span),
        (Some(_), _) | (None, None) => error,
    };
    Failure { diagnostics: failure.diagnostics.into_iter().map(placed).collect(), ..failure }
}
