//! From what is wanted of a provider, and what is locked of it, to a component.
//!
//! Invariant: what is locked is what is taken, or nothing is (test: `a_tag_that_moved_is_refused`).

use bimetal_config::lock::LockedProvider;
use bimetal_host::{Manifest, digest};
use bimetal_model::version::{Constraint, Version, fits, newest};
use bimetal_model::{Diagnostic, ProviderName};

use crate::cache::{Cache, Component};
use crate::signature::{Key, signer};
use crate::source::Source;
use crate::supply::Supply;

/// A provider that the configuration names.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// As the configuration calls it.
    pub name: &'a ProviderName,
    /// Where its versions are.
    pub source: &'a Source,
    /// Which of them may be taken.
    pub version: Option<&'a str>,
    /// Who may have signed it; nobody need have where there is none.
    pub keys: &'a [Key],
}

/// A component that was found good.
#[derive(Clone, Debug)]
pub struct Installed {
    /// Of the component.
    pub version: String,
    /// `sha256:…`
    pub digest: String,
    /// It is in the cache.
    pub component: Component,
    /// The one of the keys.
    pub signed_by: Option<String>,
}

/// Brings a component into the cache: the locked one, or the newest that may be taken where none is locked.
pub async fn install(
    wanted: Wanted<'_>,
    locked: Option<&LockedProvider>,
    supply: &Supply,
    cache: &Cache,
) -> Result<Installed, Diagnostic> {
    let version = match locked {
        Some(locked) => still_wanted(wanted, locked)?,
        None => choose(wanted, supply).await?,
    };
    let locked = locked.and_then(|locked| locked.digest.as_deref());
    // A signature that was made later is worth another look.
    let is_enough = |component: &Component| wanted.keys.is_empty() || component.signature.is_some();
    let component = match locked.and_then(|digest| cache.get(digest)).filter(is_enough) {
        Some(component) => component,
        None => fetch(wanted, &version, locked, supply, cache).await?,
    };
    let signed_by = signer(wanted.name, &component.wasm, component.signature.as_deref(), wanted.keys)?;
    Ok(Installed { version, digest: digest(&component.wasm), component, signed_by })
}

/// The locked version, if it is one that the configuration wants now.
fn still_wanted(wanted: Wanted<'_>, locked: &LockedProvider) -> Result<String, Diagnostic> {
    let Wanted { name, source, version, .. } = wanted;
    let hint = "`bimetal init --upgrade` chooses anew, and locks what it finds";
    if locked.source.as_deref() != Some(&*source.to_string()) {
        let from = locked.source.as_deref().map_or("somewhere else".to_owned(), |from| format!("`{from}`"));
        let error = Diagnostic::error(format!("provider `{name}` is locked from another source"));
        return Err(error
            .because(format!("the lock file has it from {from}, the configuration wants `{source}`"))
            .hint(hint));
    }
    if let Some(wanted) = version
        && !fits(wanted, &locked.version)?
    {
        let error = Diagnostic::error(format!("provider `{name}` is locked in a version that is not wanted any more"));
        return Err(error
            .because(format!("the lock file has {}, the configuration wants `{wanted}`", locked.version))
            .hint(hint));
    }
    Ok(locked.version.clone())
}

async fn choose(wanted: Wanted<'_>, supply: &Supply) -> Result<String, Diagnostic> {
    let Wanted { name, source, version: constraint, .. } = wanted;
    let tags = supply.tags(source).await?;
    let versions = || tags.iter().filter_map(|tag| Some((Version::parse(tag).ok()?, ())));
    let chosen = newest(versions(), constraint.map(Constraint::parse).transpose()?.as_ref());
    chosen.map(|(version, ())| version.to_string()).ok_or_else(|| {
        let what = constraint.map_or("no version".to_owned(), |wanted| format!("no version that fits `{wanted}`"));
        let there = match newest(versions(), None) {
            Some((newest, ())) => format!("the newest that there is is {newest}"),
            None => "none of its tags is a version".to_owned(),
        };
        Diagnostic::error(format!("{} has {what} of provider `{name}`", supply.shown()))
            .because(format!("of `{source}`: {there}"))
            .hint("see that `source` is right, or widen `version`")
    })
}

async fn fetch(
    wanted: Wanted<'_>,
    version: &str,
    locked: Option<&str>,
    supply: &Supply,
    cache: &Cache,
) -> Result<Component, Diagnostic> {
    let Wanted { name, source, .. } = wanted;
    let label = supply.label(source, version).await?;
    if let Some(locked) = locked.filter(|locked| *locked != label.digest) {
        let error = Diagnostic::error(format!("`{source}` {version} is not the one that is locked any more"));
        return Err(error
            .because(format!("the lock file says {locked}, and {} has {} now", supply.shown(), label.digest))
            .hint("a version should never change: ask who makes it; `bimetal init --upgrade` takes the new one"));
    }
    let wasm = match cache.get(&label.digest) {
        Some(component) => component.wasm,
        None => supply.component(source, version, &label.digest).await?.into(),
    };
    let component = Component { wasm, signature: label.signature };
    let about = Manifest::of(&component.wasm)
        .map_err(|error| Diagnostic { summary: format!("`{name}`: {}", error.summary), ..error })?;
    if about.version != version {
        let error = Diagnostic::error(format!("`{source}` {version} holds version {}", about.version));
        return Err(error.hint("it was published under a wrong version: tell who makes it"));
    }
    let failed = |error: std::io::Error| Diagnostic::error(format!("provider `{name}` can't be kept: {error}"));
    cache.put(&component).map_err(failed)?;
    Ok(component)
}
