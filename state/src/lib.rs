//! Where state is kept: rows in a store, of which every change is one commit, with what is sensitive sealed.
//!
//! Must not know what objects mean, how plans are made, or the terminal.

mod envelope;
mod key;
mod opening;
mod seal;
mod sealed_file;

mod store;
mod words;

mod document;
mod names;
mod origin;
mod state;

use std::path::PathBuf;
use std::sync::Arc;

use bimetal_model::port::{Edge, StateError};

pub use key::{Key, Keys, Secret, make_key_file};
pub use names::{StateName, names};
pub use sealed_file::{open_file, seal_file};
pub use state::{Document, Finding, Push, Rekey, Standing, State};
pub use store::log::Bucket;
pub use store::sqlite::{Backup, Restored, backups, restore};

/// Where a state is.
#[derive(Clone, Debug)]
pub enum Location {
    /// In an SQLite file.
    Sqlite(PathBuf),
    /// In a schema of a PostgreSQL database.
    Postgres {
        /// `postgres://user:password@host/database?sslmode=require`
        url: String,
        /// Made where it is missing.
        schema: String,
    },
    /// In object storage, or in a folder.
    Objects(Bucket),
}

/// Opens a state.
///
/// Creates nothing: a state that does not exist yet is empty, and comes into being with its first lease or secret.
/// Fails where there is something else, or the state of a newer Bimetal.
pub async fn open(location: Location, keys: Keys, edge: Arc<dyn Edge>) -> Result<State, StateError> {
    let store: Box<dyn store::Store> = match location {
        Location::Sqlite(path) => Box::new(store::sqlite::Sqlite::new(path, edge.clone())),
        Location::Postgres { url, schema } => Box::new(store::postgres::Postgres::new(&url, &schema)?),
        Location::Objects(bucket) => Box::new(store::log::Log::new(&bucket)?),
    };
    store.read(&[]).await?;
    Ok(State::new(store, keys, edge))
}
