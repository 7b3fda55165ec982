//! The open file: one connection, made when it is needed, and every call one transaction.
//!
//! Blocks: only `store` may call it, away from the async threads.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bimetal_model::port::{Edge, Holder, Lease, StateError};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use crate::key::{Key, KeySource, sync_folder};
use crate::lease::{self, Alive};
use crate::seal::{Place, Sealer};
use crate::tables::{self, Found, Trouble, meta, set_meta};

/// How long a call waits for another process's transaction.
const PATIENCE: Duration = Duration::from_secs(10);

/// The state's file, which may not exist yet.
pub(crate) struct Database {
    path: PathBuf,
    key: KeySource,
    edge: Arc<dyn Edge>,
    connection: Option<Connection>,
    sealer: Option<Sealer>,
    alive: Option<Alive>,
}

impl Database {
    pub(crate) fn new(path: PathBuf, key: KeySource, edge: Arc<dyn Edge>) -> Database {
        Database { path, key, edge, connection: None, sealer: None, alive: None }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file if there is one; answers whether there is a state.
    pub(crate) fn find(&mut self) -> Result<bool, Trouble> {
        if self.connection.is_some() {
            return Ok(true);
        }
        if !self.path.try_exists()? {
            return Ok(false);
        }
        let mut connection = connect(&self.path)?;
        // As of one moment: somebody else may be making the tables just now.
        let found = tables::inspect(&*connection.transaction()?)?;
        match found {
            Found::Empty => Ok(false),
            Found::State => {
                prepare(&connection)?;
                self.connection = Some(connection);
                Ok(true)
            }
        }
    }

    fn find_or_create(&mut self) -> Result<(), Trouble> {
        if self.find()? {
            return Ok(());
        }
        let key = self.key.existing_or_new()?;
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // SQLite gives its other files the permissions of this one.
        OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        let mut connection = connect(&self.path)?;
        prepare(&connection)?;
        tables::create(&mut connection, &*self.edge, |transaction, lineage| give_key(transaction, lineage, &key))?;
        sync_folder(&self.path)?;
        self.connection = Some(connection);
        Ok(())
    }

    /// Reads, if there is a state, everything as of one moment.
    pub(crate) fn read<T>(
        &mut self,
        act: impl FnOnce(&Transaction<'_>, &Sealer) -> Result<T, Trouble>,
    ) -> Result<Option<T>, Trouble> {
        if !self.find()? {
            return Ok(None);
        }
        let key = &self.key;
        let Some(connection) = &mut self.connection else {
            return Ok(None);
        };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let sealer = match &self.sealer {
            Some(sealer) => sealer,
            None => self.sealer.insert(sealer_of(&transaction, key)?),
        };
        act(&transaction, sealer).map(Some)
    }

    /// Writes in one transaction that is on disk when this returns.
    pub(crate) fn write<T>(
        &mut self,
        act: impl FnOnce(&Transaction<'_>, &Sealer) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        self.find_or_create()?;
        let key = &self.key;
        let Some(connection) = &mut self.connection else { unreachable!("`find_or_create` connects or fails") };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let sealer = match &self.sealer {
            Some(sealer) => sealer.clone(),
            None => sealer_of(&transaction, key)?,
        };
        let answer = act(&transaction, &sealer)?;
        transaction.commit()?;
        self.sealer = Some(sealer);
        Ok(answer)
    }

    /// As `write`, for who holds the lock.
    pub(crate) fn write_leased<T>(
        &mut self,
        lease: &Lease,
        act: impl FnOnce(&Transaction<'_>, &Sealer) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        self.write(|transaction, sealer| {
            lease::verify(transaction, lease)?;
            act(transaction, sealer)
        })
    }

    /// Takes the lock.
    pub(crate) fn lock(&mut self, holder: &Holder) -> Result<Lease, Trouble> {
        self.find_or_create()?;
        let alive = match self.alive.is_some() {
            true => None,
            false => Alive::announce(&self.path)?,
        };
        let edge = self.edge.clone();
        let lease = self.write(|transaction, _| lease::take(transaction, &*edge, holder, alive.as_ref()))?;
        self.alive = alive.or_else(|| self.alive.take());
        Ok(lease)
    }

    /// Makes the lease last.
    pub(crate) fn renew(&mut self, lease: &Lease) -> Result<(), Trouble> {
        let edge = self.edge.clone();
        self.write(|transaction, _| lease::renew(transaction, &*edge, lease))
    }

    /// Gives the lock back.
    pub(crate) fn unlock(&mut self, lease: &Lease) -> Result<(), Trouble> {
        let unlocked = self.write_leased(lease, |transaction, _| lease::clear(transaction));
        if let Ok(()) | Err(Trouble::Said(StateError::LeaseLost)) = unlocked {
            self.alive = None;
        }
        unlocked
    }

    /// Takes the lock from whoever has it. Needs no key.
    pub(crate) fn force_unlock(&mut self) -> Result<(), Trouble> {
        if !self.find()? {
            return Ok(());
        }
        let Some(connection) = &mut self.connection else {
            return Ok(());
        };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        lease::clear(&transaction)?;
        Ok(transaction.commit()?)
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
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

const CHECK: &str = "key_check";

/// The state is sealed with this key from its beginning.
fn give_key(transaction: &Transaction<'_>, lineage: &str, key: &Key) -> Result<(), Trouble> {
    let sealed = Sealer::new(key, lineage).seal(&Place::row("meta", CHECK), CHECK.as_bytes())?;
    Ok(set_meta(transaction, CHECK, sealed)?)
}

/// The sealer of this state, if the key is the one that it was given.
fn sealer_of(transaction: &Transaction<'_>, key: &KeySource) -> Result<Sealer, Trouble> {
    let lineage: String = meta(transaction, "lineage")?.unwrap_or_default();
    let sealed: Vec<u8> = meta(transaction, CHECK)?.unwrap_or_default();
    let sealer = Sealer::new(&key.existing()?, &lineage);
    match sealer.open(&Place::row("meta", CHECK), &sealed) {
        Ok(_) => Ok(sealer),
        Err(_) => Err(wrong_key(key).into()),
    }
}

fn wrong_key(key: &KeySource) -> StateError {
    StateError::Sealed(match key {
        KeySource::Text(_) => "the key in `BIMETAL_STATE_KEY` is not the one they were sealed with".to_owned(),
        KeySource::File(path) => format!("the key in `{}` is not the one they were sealed with", path.display()),
    })
}
