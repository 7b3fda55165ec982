//! Rows as a log of commits in object storage, or in a folder.
//!
//! Each commit is an object `log/<serial>` that is written only if there is none: whoever comes second reads what came before and
//! tries with the next number, if what it expects still holds. Now and then all rows are written as `snapshot/<serial>`, so that
//! reading does not begin with the first commit. The log is never cut: one who is late must find that the number is taken.

mod bucket;
mod image;
mod trouble;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bimetal_model::port::StateError;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode};
use tokio::sync::Mutex;

use super::{Commit, Committed, Select, Store, View, joined};
use crate::state::wait;
use image::{Entry, Image, Picture};
use trouble::words;

pub use bucket::Bucket;

/// After so many commits all rows are written once more.
const SNAPSHOT_EVERY: u64 = 64;

/// So many snapshots are kept: somebody may just be reading the last but one.
const SNAPSHOTS_KEPT: usize = 2;

/// How often an object is written again whose fate is not known.
const MOST_TRIES: u32 = 8;

/// Rows as a log of commits.
pub(crate) struct Log {
    inner: Arc<Inner>,
    image: Arc<Mutex<Image>>,
}

/// The objects, without what is known of them.
struct Inner {
    objects: Arc<dyn ObjectStore>,
    prefix: Path,
    bucket: Bucket,
    name: String,
}

/// What became of an object that must not exist before.
enum Put {
    /// It is ours.
    Ours,
    /// Somebody else was faster.
    Theirs(Entry),
}

impl Log {
    pub(crate) fn new(bucket: &Bucket) -> Result<Log, StateError> {
        let name = bucket.url.clone();
        let (objects, prefix) =
            bucket.open().map_err(|error| StateError::Store { store: name.clone(), reason: words(bucket, &error) })?;
        Ok(Log { inner: Arc::new(Inner { objects, prefix, bucket: bucket.clone(), name }), image: Arc::default() })
    }

    /// The names of what lies in a folder beside the log.
    pub(crate) async fn folders(&self, folder: &str) -> Result<Vec<String>, StateError> {
        let below = self.inner.prefix.clone().join(folder);
        let listed = self.inner.objects.list_with_delimiter(Some(&below)).await;
        let listed = listed.map_err(|error| self.inner.failed(&error))?;
        Ok(listed.common_prefixes.iter().filter_map(|path| Some(path.filename()?.to_owned())).collect())
    }
}

#[async_trait]
impl Store for Log {
    fn name(&self) -> String {
        self.inner.name.clone()
    }

    async fn read(&self, wanted: &[Select]) -> Result<Option<View>, StateError> {
        let mut image = self.image.lock().await;
        self.inner.catch_up(&mut image).await?;
        Ok((image.serial > 0).then(|| image.view(wanted)))
    }

    /// In a task of its own: what was begun is carried through even if nobody waits for the answer any more.
    async fn commit(&self, commit: &Commit) -> Result<Committed, StateError> {
        let (inner, image, commit) = (self.inner.clone(), self.image.clone(), commit.clone());
        let committing = tokio::spawn(async move { inner.commit(&mut *image.lock().await, commit).await });
        joined(&self.inner.name, committing.await)?
    }

    async fn check(&self) -> Result<Vec<String>, StateError> {
        self.inner.gaps().await
    }

    /// The log is one.
    async fn back_up(&self) -> Result<Option<PathBuf>, StateError> {
        Ok(None)
    }

    fn copies(&self) -> String {
        "what it was before is in the objects of its log".to_owned()
    }
}

impl Inner {
    fn path(&self, folder: &str, serial: u64) -> Path {
        self.prefix.clone().join(folder).join(format!("{serial:020}"))
    }

    fn failed(&self, error: &Error) -> StateError {
        StateError::Store { store: self.name.clone(), reason: words(&self.bucket, error) }
    }

    async fn get(&self, path: &Path) -> Result<Option<Vec<u8>>, StateError> {
        let read = async { self.objects.get(path).await?.bytes().await };
        match read.await {
            Ok(bytes) => Ok(Some(bytes.to_vec())),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(&error)),
        }
    }

    async fn entry(&self, serial: u64) -> Result<Option<Entry>, StateError> {
        let path = self.path("log", serial);
        let bytes = self.get(&path).await?;
        bytes.map(|bytes| Entry::read(&self.name, &path, &bytes)).transpose()
    }

    /// Reads what others have written.
    async fn catch_up(&self, image: &mut Image) -> Result<(), StateError> {
        if image.serial == 0 {
            self.begin_with_snapshot(image).await?;
        }
        while let Some(entry) = self.entry(image.serial + 1).await? {
            image.apply(entry);
        }
        Ok(())
    }

    async fn begin_with_snapshot(&self, image: &mut Image) -> Result<(), StateError> {
        // Where one goes while it is read, a newer one is there.
        for path in self.list("snapshot").await?.iter().rev() {
            if let Some(bytes) = self.get(path).await? {
                *image = Picture::read(&self.name, path, &bytes)?;
                return Ok(());
            }
        }
        Ok(())
    }

    /// In the order of their serials.
    async fn list(&self, folder: &str) -> Result<Vec<Path>, StateError> {
        let listed = self.objects.list_with_delimiter(Some(&self.prefix.clone().join(folder))).await;
        let listed = listed.map_err(|error| self.failed(&error))?;
        let mut paths: Vec<Path> = listed.objects.into_iter().map(|object| object.location).collect();
        paths.sort();
        Ok(paths)
    }

    async fn commit(&self, image: &mut Image, commit: Commit) -> Result<Committed, StateError> {
        let Commit { id, expect, writes } = commit;
        let entry = Entry::new(id, writes);
        loop {
            self.catch_up(image).await?;
            if !expect.iter().all(|expect| image.holds(expect)) {
                return Ok(Committed::Refused);
            }
            if image.serial == 0 {
                self.must_refuse().await?;
            }
            let serial = image.serial + 1;
            match self.put(serial, &entry).await? {
                Put::Ours => {
                    image.apply(entry);
                    self.maybe_snapshot(image).await;
                    return Ok(Committed::Done(serial));
                }
                Put::Theirs(entry) => image.apply(entry),
            }
        }
    }

    /// Writes an entry. Where the answer is lost, it is read what became of it, and by its id whose it is.
    async fn put(&self, serial: u64, entry: &Entry) -> Result<Put, StateError> {
        let (path, bytes) = (self.path("log", serial), entry.to_bytes(&self.name)?);
        let mut last = None;
        for tries in 0..MOST_TRIES {
            match self.objects.put_opts(&path, bytes.clone().into(), PutMode::Create.into()).await {
                Ok(_) => return Ok(Put::Ours),
                Err(error) => last = Some(error),
            }
            match self.entry(serial).await {
                Ok(Some(found)) if found.id == entry.id => return Ok(Put::Ours),
                Ok(Some(found)) => return Ok(Put::Theirs(found)),
                Ok(None) | Err(_) => wait(tries).await,
            }
        }
        match last {
            Some(error) => Err(self.failed(&error)),
            None => unreachable!("it is tried at least once"),
        }
    }

    /// A store that overwrites what must not be overwritten would lose commits: it is found out before the first one.
    async fn must_refuse(&self) -> Result<(), StateError> {
        bucket::make(&self.bucket)
            .map_err(|error| StateError::Store { store: self.name.clone(), reason: error.to_string() })?;
        let path = self.prefix.clone().join("probe");
        for _ in 0..2 {
            let put = self.objects.put_opts(&path, "bimetal".into(), PutMode::Create.into()).await;
            match put {
                Ok(_) => {}
                Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => return Ok(()),
                Err(error) => return Err(self.failed(&error)),
            }
        }
        let reason = "it can't write an object only if there is none (`If-None-Match`), which keeps two writers apart";
        Err(StateError::Store { store: self.name.clone(), reason: reason.to_owned() })
    }

    /// Nobody depends on it, so nobody is told where it fails.
    async fn maybe_snapshot(&self, image: &Image) {
        if !image.serial.is_multiple_of(SNAPSHOT_EVERY) {
            return;
        }
        let Ok(bytes) = Picture::of(image).to_bytes(&self.name) else { return };
        if self.objects.put(&self.path("snapshot", image.serial), bytes.into()).await.is_err() {
            return;
        }
        let Ok(all) = self.list("snapshot").await else { return };
        for old in all.iter().rev().skip(SNAPSHOTS_KEPT) {
            let _ = self.objects.delete(old).await;
        }
    }

    /// Commits that are missing in front of others.
    async fn gaps(&self) -> Result<Vec<String>, StateError> {
        let number = |path: &Path| path.filename().and_then(|name| name.parse::<u64>().ok());
        let found: Vec<u64> = self.list("log").await?.iter().filter_map(number).collect();
        let last = found.last().copied().unwrap_or(0);
        let missing = (1..=last).filter(|serial| found.binary_search(serial).is_err());
        Ok(missing.map(|serial| format!("the log has no commit {serial}, and goes on behind it")).collect())
    }
}
