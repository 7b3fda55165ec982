//! The tables, the number of their format, and what a new state begins with.

use bimetal_model::port::StateError;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use crate::damage;
use crate::opening::{CHECK, KeyRow};

/// The format that is written here; what is older would be brought forward, what is newer is refused.
pub(crate) const FORMAT: u32 = 1;

/// `BIME`, so that `file` and we can tell a state from other databases.
const APPLICATION: u32 = u32::from_be_bytes(*b"BIME");

const TABLES: &str = "
CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE objects (address TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE intents (sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, json TEXT NOT NULL) STRICT;
CREATE TABLE outputs (name TEXT PRIMARY KEY, json TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE revisions (number INTEGER PRIMARY KEY, json TEXT NOT NULL, outcome TEXT) STRICT;
CREATE TABLE secrets (name TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE lock (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    lease TEXT NOT NULL,
    holder TEXT NOT NULL,
    announced INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;
";

/// What a file turned out to be.
pub(crate) enum Found {
    /// Nothing yet.
    Empty,
    /// A state of this format.
    State,
}

/// Looks at what the file is; fails where it is no state, or a newer one.
pub(crate) fn inspect(connection: &Connection) -> Result<Found, Trouble> {
    let application: u32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let format: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, format) {
        (APPLICATION, format) if format > FORMAT => Err(StateError::Newer { found: format, known: FORMAT }.into()),
        (APPLICATION, _) => Ok(Found::State),
        (0, 0) if tables == 0 => Ok(Found::Empty),
        _ => Err(Trouble::NoState),
    }
}

/// Makes the tables, unless somebody else just did.
pub(crate) fn create(connection: &mut Connection, lineage: &str, key: &KeyRow) -> Result<(), Trouble> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Found::State = inspect(&transaction)? {
        return Ok(());
    }
    transaction.execute_batch(TABLES)?;
    set_meta(&transaction, "lineage", lineage)?;
    set_key_row(&transaction, key)?;
    set_meta(&transaction, "serial", "0")?;
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    Ok(transaction.commit()?)
}

/// A value of the state's own.
pub(crate) fn meta<T: rusqlite::types::FromSql>(connection: &Connection, name: &str) -> rusqlite::Result<Option<T>> {
    connection.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| row.get(0)).optional()
}

/// Sets a value of the state's own.
pub(crate) fn set_meta(transaction: &Transaction<'_>, name: &str, value: impl rusqlite::ToSql) -> rusqlite::Result<()> {
    transaction.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)", (name, value)).map(drop)
}

/// The random id that the state got when it was made.
pub(crate) fn lineage(connection: &Connection) -> Result<String, Trouble> {
    Ok(meta(connection, "lineage")?.unwrap_or_default())
}

/// What the state says of its key.
pub(crate) fn key_row(connection: &Connection) -> Result<KeyRow, Trouble> {
    match meta(connection, CHECK)? {
        None => Ok(KeyRow::None),
        Some(Value::Blob(check)) => Ok(KeyRow::Direct(check)),
        Some(Value::Text(envelope)) => Ok(KeyRow::Envelope(envelope)),
        Some(_) => Err(StateError::Damaged("what tells its key can't be read".to_owned()).into()),
    }
}

/// Says something else of it.
pub(crate) fn set_key_row(transaction: &Transaction<'_>, row: &KeyRow) -> Result<(), Trouble> {
    match row {
        KeyRow::None => transaction.execute("DELETE FROM meta WHERE name = ?1", [CHECK]).map(drop)?,
        KeyRow::Direct(check) => set_meta(transaction, CHECK, check)?,
        KeyRow::Envelope(text) => set_meta(transaction, CHECK, text)?,
    }
    Ok(())
}

/// Counts the commits.
pub(crate) fn serial(connection: &Connection) -> rusqlite::Result<u64> {
    Ok(meta::<String>(connection, "serial")?.and_then(|text| text.parse().ok()).unwrap_or_default())
}

/// Why something went wrong, before the store's name is added.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// In the database.
    Database(rusqlite::Error),
    /// In a row's text.
    Text(serde_json::Error),
    /// In the file system.
    File(std::io::Error),
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

impl From<serde_json::Error> for Trouble {
    fn from(error: serde_json::Error) -> Self {
        Trouble::Text(error)
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Trouble::File(error)
    }
}

impl From<StateError> for Trouble {
    fn from(error: StateError) -> Self {
        Trouble::Said(error)
    }
}

impl Trouble {
    /// The error with the store's name.
    pub(crate) fn of(self, store: &std::path::Path) -> StateError {
        match self {
            Trouble::Said(StateError::Damaged(reason)) => damage::damaged(store, &reason),
            Trouble::Said(error) => error,
            Trouble::Database(error) => damage::of_database(store, &error),
            Trouble::Text(error) => damage::damaged(store, &format!("a row can't be read: {error}")),
            Trouble::File(error) => damage::of_file(store, &error),
            Trouble::NoState => damage::foreign(store),
        }
    }
}
