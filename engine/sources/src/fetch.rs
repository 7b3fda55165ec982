//! From what is wanted, and what is locked of it, to folders. Each server is asked once for all that is wanted of it.
//!
//! Invariant: what is locked is what is taken, or nothing is (test: `a_tag_that_moved_is_refused`).

mod artifact;
mod choosing;
mod errand;
mod packed;
mod remote;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bimetal_model::Diagnostic;
use bimetal_model::event::{Event, Notify};
use futures::stream::{self, StreamExt as _};

pub(crate) use remote::refused;

use crate::cache::Cache;
use crate::git::{Git, Stop};
use crate::source::{ArchiveUrl, ArtifactName, GitUrl, Source};
use crate::trust::{Signatures, Trust};
use crate::want::{Ask, Locked, Package, Wanted};

/// Servers that are asked at the same time.
const AT_ONCE: usize = 8;

/// How to fetch.
pub struct Options<'a> {
    /// Bimetal's own cache folder.
    pub cache: PathBuf,
    /// Whom to ask.
    pub ask: Ask,
    /// What may be taken.
    pub trust: Trust,
    /// The user's own.
    pub git: Git,
    /// Makes a client for archives. Called only where one is fetched; TLS has been told its cryptography by then.
    pub http: &'a (dyn Fn() -> reqwest::ClientBuilder + Sync),
    /// Asks registries.
    pub artifacts: &'a dyn FetchArtifact,
    /// Is told which servers are asked.
    pub notify: &'a dyn Notify,
}

/// The one layer of an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// An archive.
    pub bytes: Vec<u8>,
    /// `sha256:…`, as its manifest has it; checked here.
    pub digest: String,
}

/// Registries, as this room needs them.
#[async_trait]
pub trait FetchArtifact: Send + Sync {
    /// The tags of a repository, `registry.example.org/team/web`.
    async fn tags(&self, repository: &str) -> Result<Vec<String>, Diagnostic>;

    /// The layer of an artifact, `registry.example.org/team/web:1.2.0`, if that is no longer than `limit` bytes.
    async fn layer(&self, reference: &str, limit: u64) -> Result<Layer, Diagnostic>;
}

/// One thing that is wanted, by its place among all of them.
struct Item {
    index: usize,
    wanted: Wanted,
    /// If it is of what is wanted now, and counts.
    locked: Option<Locked>,
}

type Done = Vec<(usize, Result<Package, Diagnostic>)>;

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Repository(GitUrl),
    Archive(ArchiveUrl),
    Artifact(ArtifactName),
}

/// What all errands share.
struct Shared {
    cache: Cache,
    ask: Ask,
    trust: Trust,
    git: Git,
}

/// Brings all that is wanted into the cache, in the order in which it is wanted. What fails, fails alone. It may be given up at any
/// time: what was not whole by then is not there.
pub async fn fetch(wanted: &[(Wanted, Option<Locked>)], options: &Options<'_>) -> Vec<Result<Package, Diagnostic>> {
    let stop = StopWhenDropped(Stop::default());
    let shared = Arc::new(Shared {
        cache: Cache::below(&options.cache),
        ask: options.ask,
        trust: options.trust.clone(),
        git: options.git.stoppable(&stop.0),
    });
    let (places, mut done) = sort(wanted, &shared);
    let errands = places.into_iter().map(|(place, items)| run(place, items, Arc::clone(&shared), options));
    let fetched: Vec<Done> = stream::iter(errands).buffer_unordered(AT_ONCE).collect().await;
    done.extend(fetched.into_iter().flatten());
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Git runs aside, where it would go on after whoever fetches has given up.
struct StopWhenDropped(Stop);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.ask();
    }
}

/// What is wanted of each place, and what need not be asked for.
fn sort(wanted: &[(Wanted, Option<Locked>)], shared: &Shared) -> (BTreeMap<Place, Vec<Item>>, Done) {
    let (mut places, mut done) = (BTreeMap::<Place, Vec<Item>>::new(), Done::new());
    for (index, (wanted, locked)) in wanted.iter().enumerate() {
        match item(index, wanted, locked.as_ref(), shared) {
            Ok(item) => places.entry(place(&wanted.source)).or_default().push(item),
            Err(error) => done.push((index, Err(error))),
        }
    }
    (places, done)
}

fn item(index: usize, wanted: &Wanted, locked: Option<&Locked>, shared: &Shared) -> Result<Item, Diagnostic> {
    wanted.check()?;
    let source = &wanted.source;
    if !shared.trust.allows(source) {
        return Err(Diagnostic::error(format!("`{source}` is none of the sources that are allowed"))
            .hint("see `allowed_sources` in the `bimetal` block"));
    }
    if !matches!(source, Source::Git { .. }) && *shared.trust.signatures(source) != Signatures::None {
        return Err(Diagnostic::error(format!("`{source}` has no commit and no tag that could be signed"))
            .because("a `signed` block of the `bimetal` block wants that")
            .hint("take it from a repository, or name in `signed` only what comes from some"));
    }
    let locked = locked.filter(|locked| shared.ask != Ask::ForNewer && wanted.is_answered_by(locked)).cloned();
    if locked.is_none() && shared.ask == Ask::Nobody {
        return Err(Diagnostic::error(format!("`{source}` is not locked as it is wanted"))
            .hint("`bimetal init` fetches and locks it"));
    }
    Ok(Item { index, wanted: wanted.clone(), locked })
}

fn place(source: &Source) -> Place {
    match source {
        Source::Git { url, .. } => Place::Repository(url.clone()),
        Source::Archive { url, .. } => Place::Archive(url.clone()),
        Source::Artifact { reference, .. } => Place::Artifact(reference.clone()),
    }
}

async fn run(place: Place, items: Vec<Item>, shared: Arc<Shared>, options: &Options<'_>) -> Done {
    let fetching = |what: String| options.notify.notify(Event::Busy { message: format!("fetching `{what}`") });
    match place {
        Place::Repository(url) => {
            let indices: Vec<usize> = items.iter().map(|item| item.index).collect();
            let errand = {
                let (shared, url) = (Arc::clone(&shared), url.clone());
                aside(move || errand::begin(shared, url, items)).await
            };
            match errand {
                Some(errand) if errand.is_done() => errand.done,
                Some(errand) => {
                    fetching(format!("git::{url}"));
                    aside(move || remote::finish(errand)).await.unwrap_or_else(|| broken(&indices))
                }
                None => broken(&indices),
            }
        }
        Place::Archive(url) => packed::archive(&url, items, shared, options, &|| fetching(url.to_string())).await,
        Place::Artifact(name) => {
            artifact::artifact(&name, items, shared, options, &|| fetching(format!("oci://{name}"))).await
        }
    }
}

/// Away from what must not be held up. `None` where it panicked, or everything is being shut down.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

fn broken(indices: &[usize]) -> Done {
    let error = || Diagnostic::error("fetching ended early: this is a bug, unless Bimetal was stopped");
    indices.iter().map(|index| (*index, Err(error()))).collect()
}
