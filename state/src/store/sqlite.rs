//! Rows in an SQLite file: a table for each, and every commit one transaction.
//!
//! SQLite blocks, so each call is handed to a thread that may, one at a time. A call that was begun is carried through even if
//! nobody waits for its answer any more.

mod backup;
mod damage;
mod file;
mod statement;
mod upgrade;
mod use_of;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bimetal_model::port::{Edge, StateError};
use tokio::sync::Mutex;

use super::{Commit, Committed, Select, Store, View, joined};
use file::File;

pub use backup::{Backup, Restored, backups, restore};

/// Rows in an SQLite file, which may not exist yet.
pub(crate) struct Sqlite {
    path: PathBuf,
    file: Arc<Mutex<File>>,
}

impl Sqlite {
    pub(crate) fn new(path: PathBuf, edge: Arc<dyn Edge>) -> Sqlite {
        Sqlite { file: Arc::new(Mutex::new(File::new(path.clone(), edge))), path }
    }

    async fn with<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut File) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, StateError> {
        let mut file = self.file.clone().lock_owned().await;
        let acted = joined(&self.name(), tokio::task::spawn_blocking(move || act(&mut file)).await)?;
        acted.map_err(|trouble| trouble.of(&self.path))
    }
}

#[async_trait]
impl Store for Sqlite {
    fn name(&self) -> String {
        self.path.display().to_string()
    }

    async fn read(&self, wanted: &[Select]) -> Result<Option<View>, StateError> {
        let wanted = wanted.to_vec();
        self.with(move |file| file.read(&wanted)).await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StateError> {
        let commit = commit.clone();
        self.with(move |file| file.commit(&commit)).await
    }

    async fn check(&self) -> Result<Vec<String>, StateError> {
        self.with(File::check).await
    }

    async fn back_up(&self) -> Result<Option<PathBuf>, StateError> {
        self.with(File::back_up).await
    }

    fn copies(&self) -> String {
        damage::copies(&self.path)
    }
}

/// Why something went wrong, before the store's name is added.
#[derive(Debug)]
enum Trouble {
    /// In the database.
    Database(rusqlite::Error),
    /// In the file system.
    File(std::io::Error),
    /// In a row's text.
    Text(serde_json::Error),
    /// The file is something else.
    NoState,
    /// Anything that has its own words.
    Said(StateError),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Trouble::Database(error)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Trouble::File(error)
    }
}

impl From<serde_json::Error> for Trouble {
    fn from(error: serde_json::Error) -> Self {
        Trouble::Text(error)
    }
}

impl From<StateError> for Trouble {
    fn from(error: StateError) -> Self {
        Trouble::Said(error)
    }
}

impl Trouble {
    /// The error with the store's name.
    fn of(self, state: &Path) -> StateError {
        match self {
            Trouble::Said(StateError::Damaged(reason)) => damage::damaged(state, &reason),
            Trouble::Said(error) => error,
            Trouble::Database(error) => damage::of_database(state, &error),
            Trouble::Text(error) => damage::damaged(state, &format!("a row can't be read: {error}")),
            Trouble::File(error) => damage::of_file(state, &error),
            Trouble::NoState => damage::foreign(state),
        }
    }
}
