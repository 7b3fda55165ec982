//! What comes as one file: archives, and with them what artifacts share with them. They are kept by the hash of what is in them.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use bimetal_model::Diagnostic;
use futures::StreamExt as _;

use super::errand::take;
use super::{Done, Item, Options, Shared, aside, refused};
use crate::cache::{Cache, Entry, Key, cannot_keep};
use crate::git::LATE;
use crate::source::ArchiveUrl;
use crate::tree::{PACKED_BYTES, Refusal, Tree, human};
use crate::unpack::unpack;
use crate::version;
use crate::want::{Ask, Locked};

/// Says that a server is asked now.
type Say<'a> = &'a (dyn Fn() + Sync);

pub(super) async fn archive(
    url: &ArchiveUrl,
    items: Vec<Item>,
    shared: Arc<Shared>,
    options: &Options<'_>,
    say: Say<'_>,
) -> Done {
    let (mut done, open) = cached(items, &shared);
    if !open.is_empty() {
        say();
        let fetched = match download(url, &shared.cache, options).await {
            Ok(file) => write(url.to_string(), file, Arc::clone(&shared)).await,
            Err(error) => Err(error),
        };
        finish(open, None, &fetched, &mut done);
    }
    done
}

/// What is locked and there, and what is not.
pub(super) fn cached(items: Vec<Item>, shared: &Shared) -> (Done, Vec<Item>) {
    let (mut done, mut open) = (Done::new(), Vec::new());
    for item in items {
        let found = item.locked.as_ref().map(|locked| shared.cache.find(&Key::Hash(locked.hash.clone()))).transpose();
        match found.map(Option::flatten) {
            // What is there may be something else at the server by now.
            Ok(Some(_)) if shared.ask == Ask::WhetherMoved && item.wanted.may_move() => open.push(item),
            Ok(Some(entry)) => {
                let tag = item.locked.as_ref().and_then(|locked| locked.reference.clone());
                done.push((item.index, package(&item, tag.as_deref(), &entry)));
            }
            Ok(None) if shared.ask == Ask::Nobody => {
                let error = Diagnostic::error(format!("`{}` is not on this machine", item.wanted.source));
                done.push((
                    item.index,
                    Err(error.because("it is locked, and not in the cache").hint("`bimetal init` fetches it")),
                ));
            }
            Ok(None) => open.push(item),
            Err(error) => done.push((item.index, Err(error))),
        }
    }
    (done, open)
}

pub(super) fn finish(open: Vec<Item>, tag: Option<&str>, fetched: &Result<Entry, Diagnostic>, done: &mut Done) {
    for item in open {
        let package = fetched.clone().and_then(|entry| package(&item, tag, &entry));
        done.push((item.index, package));
    }
}

/// `tag`: the one that was chosen for a version.
fn package(item: &Item, tag: Option<&str>, entry: &Entry) -> Result<super::Package, Diagnostic> {
    let version = tag.and_then(version::of_tag).map(|version| version.to_string());
    let found = Locked { version, commit: None, reference: tag.map(str::to_owned), hash: entry.hash.clone() };
    take(&item.wanted, entry, item.locked.as_ref(), found)
}

async fn download(url: &ArchiveUrl, cache: &Cache, options: &Options<'_>) -> Result<File, Diagnostic> {
    // A URL of a redirect may hold secrets of the server's own.
    let failed = |error: reqwest::Error| {
        let why = std::iter::successors(std::error::Error::source(&error), |error| error.source()).last();
        let why = why.map(ToString::to_string).unwrap_or_default();
        let error = Diagnostic::error(format!("`{url}` can't be fetched: {}", error.without_url()));
        let hint = "if its authority is one of your own, name the file of that one's certificate in `SSL_CERT_FILE`";
        match why {
            // As rustls says it.
            why if why.contains("certificate") => error.because(why).hint(hint),
            why if why.is_empty() => error,
            why => error.because(why),
        }
    };
    let client = (options.http)().https_only(true).timeout(LATE).build().map_err(failed)?;
    let response = client.get(url.as_str()).send().await.map_err(failed)?;
    let status = response.status();
    if !status.is_success() {
        return Err(Diagnostic::error(format!("`{url}` can't be fetched: the server answers {status}"))
            .hint("see that the URL is right, and that nobody needs to log in for it"));
    }
    let mut file = file(cache)?;
    let (mut size, mut content) = (0_u64, response.bytes_stream());
    while let Some(part) = content.next().await {
        let part = part.map_err(failed)?;
        size += part.len() as u64;
        if size > PACKED_BYTES {
            return Err(Diagnostic::error(format!(
                "`{url}` is larger than {}, which no module may be",
                human(PACKED_BYTES)
            )));
        }
        file.write_all(&part).map_err(|error| not_kept(cache, &error))?;
    }
    Ok(file)
}

pub(super) fn file(cache: &Cache) -> Result<File, Diagnostic> {
    let made = cache.aside().and_then(|folder| tempfile::tempfile_in(folder.path()));
    made.map_err(|error| not_kept(cache, &error))
}

pub(super) async fn write(place: String, file: File, shared: Arc<Shared>) -> Result<Entry, Diagnostic> {
    let work = move || {
        let write = || -> Result<_, Refusal> {
            let aside = shared.cache.aside()?;
            let mut tree = Tree::create(&aside.path().join("tree"))?;
            unpack(file, &mut tree)?;
            Ok((aside, tree.finish()?))
        };
        let (aside, written) = write().map_err(|refusal| refused(&place, None, refusal))?;
        let key = Key::Hash(written.hash.clone());
        match shared.cache.find(&key)? {
            Some(entry) => Ok(entry),
            None => shared.cache.keep(aside, &key, &written),
        }
    };
    aside(work)
        .await
        .unwrap_or_else(|| Err(Diagnostic::error("unpacking ended early: this is a bug, unless Bimetal was stopped")))
}

pub(super) fn not_kept(cache: &Cache, error: &std::io::Error) -> Diagnostic {
    cannot_keep(cache.folder(), error)
}
