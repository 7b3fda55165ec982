//! The port: each call is handed to a thread that may block, one at a time.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bimetal_model::port::{Edge, Holder, Lease, Record, Remember, StateError};
use bimetal_model::snapshot::{Intent, Revision, RevisionOutcome, Snapshot};
use tokio::sync::Mutex;

use crate::database::{Database, Rekey};
use crate::key::Keys;
use crate::tables::Trouble;
use crate::{backup, revisions, rows};

/// State in an SQLite file.
///
/// A call that was begun is carried through even if nobody waits for its answer any more.
pub struct SqliteStore {
    database: Arc<Mutex<Database>>,
}

impl SqliteStore {
    pub(crate) async fn open(path: PathBuf, keys: Keys, edge: Arc<dyn Edge>) -> Result<SqliteStore, StateError> {
        let store = SqliteStore { database: Arc::new(Mutex::new(Database::new(path, keys, edge))) };
        store.with(|database| database.find().map(drop)).await?;
        Ok(store)
    }

    async fn with<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Database) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, StateError> {
        let mut database = self.database.clone().lock_owned().await;
        let work = move || act(&mut database).map_err(|trouble| trouble.of(database.path()));
        match tokio::task::spawn_blocking(work).await {
            Ok(answer) => answer,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => Err(StateError::Store { store: "state".to_owned(), reason: error.to_string() }),
            },
        }
    }

    /// Takes the lock from whoever has it; what they write from then on is refused.
    pub async fn force_unlock(&self) -> Result<(), StateError> {
        self.with(Database::force_unlock).await
    }

    /// Whether what is sensitive can be stored: the state has a key, or gets one with the next lock.
    pub async fn can_seal(&self) -> Result<bool, StateError> {
        self.with(Database::can_seal).await
    }

    /// Wraps the data key with the keys that seal now, or makes another one and seals everything with it; answers which of
    /// these was done. All of it is done, or nothing.
    pub async fn rekey(&self, lease: &Lease, how: Rekey) -> Result<Rekey, StateError> {
        let lease = lease.clone();
        self.with(move |database| database.rekey(&lease, how)).await
    }

    /// Copies the state as it is now beside it, unless that was done already. `None`: there is nothing to copy.
    pub async fn back_up(&self) -> Result<Option<PathBuf>, StateError> {
        self.with(|database| match database.find()? {
            true => backup::back_up(database.path()),
            false => Ok(None),
        })
        .await
    }
}

#[async_trait]
impl Remember for SqliteStore {
    async fn load(&self) -> Result<Snapshot, StateError> {
        let snapshot = self.with(|database| database.read(|rows, sealer| rows::load(rows, sealer))).await?;
        Ok(snapshot.unwrap_or_default())
    }

    async fn lock(&self, holder: &Holder) -> Result<Lease, StateError> {
        let holder = holder.clone();
        self.with(move |database| database.lock(&holder)).await
    }

    async fn renew(&self, lease: &Lease) -> Result<(), StateError> {
        let lease = lease.clone();
        self.with(move |database| database.renew(&lease)).await
    }

    async fn unlock(&self, lease: Lease) -> Result<(), StateError> {
        self.with(move |database| database.unlock(&lease)).await
    }

    async fn begin(&self, lease: &Lease, revision: Revision) -> Result<u64, StateError> {
        let lease = lease.clone();
        self.with(move |database| {
            database.write_leased(&lease, |rows, sealer| revisions::begin(rows, sealer, revision))
        })
        .await
    }

    async fn intend(&self, lease: &Lease, intents: &[Intent]) -> Result<(), StateError> {
        let (lease, intents) = (lease.clone(), intents.to_vec());
        let write = move |database: &mut Database| {
            database.write_leased(&lease, |rows, sealer| {
                rows::intend(rows, sealer, &intents)?;
                rows::count(rows)
            })
        };
        self.with(write).await
    }

    async fn record(&self, lease: &Lease, records: Vec<Record>) -> Result<(), StateError> {
        let lease = lease.clone();
        let write = move |database: &mut Database| {
            database.write_leased(&lease, |rows, sealer| {
                records.iter().try_for_each(|record| rows::record(rows, sealer, record))?;
                rows::count(rows)
            })
        };
        self.with(write).await
    }

    async fn finish(&self, lease: &Lease, revision: u64, outcome: RevisionOutcome) -> Result<(), StateError> {
        let lease = lease.clone();
        let write = move |database: &mut Database| {
            database.write_leased(&lease, |rows, sealer| revisions::finish(rows, sealer, revision, outcome))
        };
        self.with(write).await
    }

    async fn revisions(&self) -> Result<Vec<Revision>, StateError> {
        let revisions = self.with(|database| database.read(|rows, sealer| revisions::revisions(rows, sealer))).await?;
        Ok(revisions.unwrap_or_default())
    }

    async fn secret(&self, name: &str) -> Result<Option<Vec<u8>>, StateError> {
        let name = name.to_owned();
        let secret = self.with(move |database| database.read(|rows, sealer| rows::secret(rows, sealer, &name))).await?;
        Ok(secret.flatten())
    }

    async fn keep_secret(&self, name: &str, secret: &[u8]) -> Result<Vec<u8>, StateError> {
        let (name, secret) = (name.to_owned(), secret.to_vec());
        self.with(move |database| database.write(|rows, sealer| rows::keep_secret(rows, sealer, &name, &secret))).await
    }
}
