//! Where state is kept: one SQLite file in which every call is one transaction and what is sensitive is sealed.
//!
//! Must not know what objects mean, how plans are made, or the terminal.

mod backup;
mod damage;
mod database;
mod envelope;
mod key;
mod lease;
mod opening;
mod revisions;
mod rows;
mod seal;
mod sealed_file;
mod store;
mod tables;

use std::path::PathBuf;
use std::sync::Arc;

use bimetal_model::port::{Edge, StateError};

pub use backup::{Backup, backups, restore};
pub use database::Rekey;
pub use key::{Key, Keys, Secret, make_key_file};
pub use sealed_file::{open_file, seal_file};
pub use store::SqliteStore;

/// Opens the state at a path.
///
/// Creates nothing: a state that does not exist yet is empty, and comes into being with its first lock or secret.
/// Fails where the file is no state, or one of a newer Bimetal.
pub async fn open(path: PathBuf, keys: Keys, edge: Arc<dyn Edge>) -> Result<SqliteStore, StateError> {
    SqliteStore::open(path, keys, edge).await
}
