//! Where state is kept: one SQLite file in which every call is one transaction and what is sensitive is sealed.
//!
//! Must not know what objects mean, how plans are made, or the terminal.

mod database;
mod key;
mod lease;
mod rows;
mod seal;
mod store;
mod tables;

use std::path::PathBuf;
use std::sync::Arc;

use bimetal_model::port::{Edge, StateError};

pub use key::KeySource;
pub use store::SqliteStore;

/// Opens the state at a path.
///
/// Creates nothing: a state that does not exist yet is empty, and comes into being with its first lock or secret.
/// Fails where the file is no state, or one of a newer Bimetal.
pub async fn open(path: PathBuf, key: KeySource, edge: Arc<dyn Edge>) -> Result<SqliteStore, StateError> {
    SqliteStore::open(path, key, edge).await
}
