//! The open file: one connection, made when it is needed.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bimetal_model::port::{Edge, StateError};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use super::use_of::Use;
use super::{Trouble, backup, damage, statement, upgrade};
use crate::key::sync_folder;
use crate::store::{Commit, Committed, FORMAT, Select, View};

/// How long a call waits for another process's transaction.
const PATIENCE: Duration = Duration::from_secs(10);

/// In KiB, as SQLite counts what is negative. Whoever only reads reads each page once; commits come back to the same ones: with SQLite's
/// own 2 MB a fifth of the time of a large destroy went into reading them again.
const WRITERS_CACHE: i32 = -64 * 1024;

/// `BIME`, so that `file` and we can tell a state from other databases.
const APPLICATION: u32 = u32::from_be_bytes(*b"BIME");

/// The state's file, which may not exist yet.
pub(super) struct File {
    path: PathBuf,
    edge: Arc<dyn Edge>,
    connection: Option<Connection>,
    /// Since the first commit.
    used: Option<Use>,
}

/// What a file turned out to be.
pub(super) enum Found {
    /// Nothing yet.
    Empty,
    /// A state of this format.
    State,
    /// A state of an older one.
    Older,
}

impl File {
    pub(super) fn new(path: PathBuf, edge: Arc<dyn Edge>) -> File {
        File { path, edge, connection: None, used: None }
    }

    /// Opens the file if there is one and it is a state.
    fn find(&mut self) -> Result<Option<&mut Connection>, Trouble> {
        if self.connection.is_none() && self.path.try_exists()? {
            self.connection = open(&self.path, &*self.edge)?;
        }
        Ok(self.connection.as_mut())
    }

    fn find_or_create(&mut self) -> Result<&mut Connection, Trouble> {
        if self.find()?.is_none() {
            self.connection = Some(create(&self.path)?);
        }
        match &mut self.connection {
            Some(connection) => Ok(connection),
            None => unreachable!("it was made above"),
        }
    }

    /// Copies it as it is now, if there is one.
    pub(super) fn back_up(&mut self) -> Result<Option<PathBuf>, Trouble> {
        match self.find()? {
            Some(_) => backup::back_up(&self.path),
            None => Ok(None),
        }
    }

    pub(super) fn read(&mut self, wanted: &[Select]) -> Result<Option<View>, Trouble> {
        let Some(connection) = self.find()? else { return Ok(None) };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let serial = statement::serial(&transaction)?;
        let answers = wanted.iter().map(|wanted| statement::select(&transaction, wanted));
        let answers = answers.collect::<rusqlite::Result<_>>()?;
        Ok((serial > 0).then_some(View { serial, answers }))
    }

    /// It is on disk when this returns.
    pub(super) fn commit(&mut self, commit: &Commit) -> Result<Committed, Trouble> {
        if self.used.is_none() {
            self.find_or_create()?.pragma_update(None, "cache_size", WRITERS_CACHE)?;
            self.used = Use::shared(&self.path)?;
        }
        let connection = self.find_or_create()?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for expect in &commit.expect {
            if !statement::holds(&transaction, expect)? {
                return Ok(Committed::Refused);
            }
        }
        let serial = statement::append(&transaction, &commit.writes)?;
        transaction.commit()?;
        Ok(Committed::Done(serial))
    }

    /// What SQLite itself finds wrong with the file.
    pub(super) fn check(&mut self) -> Result<Vec<String>, Trouble> {
        let Some(connection) = self.find()? else { return Ok(Vec::new()) };
        let mut statement = connection.prepare("PRAGMA integrity_check")?;
        let lines = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }
}

/// `None`: there is nothing in the file yet.
fn open(path: &Path, edge: &dyn Edge) -> Result<Option<Connection>, Trouble> {
    let mut connection = connect(path)?;
    // As of one moment: somebody else may be making the tables just now.
    let found = inspect(&*connection.transaction()?)?;
    match found {
        // SQLite calls a file that lost everything a new one.
        Found::Empty if !backup::backups(path).is_empty() => {
            return Err(StateError::Damaged("it is empty".to_owned()).into());
        }
        Found::Empty => return Ok(None),
        Found::State => damage::check(&connection)?,
        Found::Older => {
            damage::check(&connection)?;
            upgrade::upgrade(&mut connection, path, edge, |transaction| inspect(transaction).map(is_older))?;
        }
    }
    prepare(&connection)?;
    Ok(Some(connection))
}

fn is_older(found: Found) -> bool {
    matches!(found, Found::Older)
}

fn create(path: &Path) -> Result<Connection, Trouble> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // SQLite gives its other files the permissions of this one.
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    let mut connection = connect(path)?;
    prepare(&connection)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if let Found::Empty = inspect(&transaction)? {
        transaction.execute_batch(&statement::tables())?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
        transaction.pragma_update(None, "user_version", FORMAT)?;
    }
    transaction.commit()?;
    sync_folder(path)?;
    Ok(connection)
}

/// Looks at what the file is; fails where it is no state, or a newer one.
pub(super) fn inspect(connection: &Connection) -> Result<Found, Trouble> {
    let application: u32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let format: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: u32 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (application, format) {
        (APPLICATION, format) if format > FORMAT => Err(StateError::Newer { found: format, known: FORMAT }.into()),
        (APPLICATION, FORMAT) => Ok(Found::State),
        (APPLICATION, _) => Ok(Found::Older),
        (0, 0) if tables == 0 => Ok(Found::Empty),
        _ => Err(Trouble::NoState),
    }
}

pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    use_journal(connection)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "secure_delete", "ON")
}

/// SQLite itself does not wait here where others do the same just now, as they do with a new file.
fn use_journal(connection: &Connection) -> rusqlite::Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && Instant::now() < end => {
                std::thread::sleep(Duration::from_millis(2));
            }
            result => return result,
        }
    }
}
