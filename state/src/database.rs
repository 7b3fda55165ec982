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

use crate::backup::backups;
use crate::damage;
use crate::key::{Keys, sync_folder};
use crate::lease::{self, Alive};
use crate::opening::{self, KeyRow, Opened};
use crate::rows;
use crate::seal::Sealer;
use crate::tables::{self, Found, Trouble};

/// How long a call waits for another process's transaction.
const PATIENCE: Duration = Duration::from_secs(10);

/// What becomes of a state's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rekey {
    /// The data key stays, and is wrapped with other keys.
    Wrap,
    /// Everything is sealed with another data key.
    New,
}

/// The state's file, which may not exist yet.
pub(crate) struct Database {
    path: PathBuf,
    keys: Keys,
    edge: Arc<dyn Edge>,
    connection: Option<Connection>,
    opened: Option<Opened>,
    alive: Option<Alive>,
}

impl Database {
    pub(crate) fn new(path: PathBuf, keys: Keys, edge: Arc<dyn Edge>) -> Database {
        Database { path, keys, edge, connection: None, opened: None, alive: None }
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
            // SQLite calls a file that lost everything a new one.
            Found::Empty if !backups(&self.path).is_empty() => {
                Err(StateError::Damaged("it is empty".to_owned()).into())
            }
            Found::Empty => Ok(false),
            Found::State => {
                damage::check(&connection)?;
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
        let lineage = self.edge.new_id();
        let key = match self.keys.seal.is_empty() {
            true => KeyRow::None,
            false => opening::with_new_key(&self.keys, &lineage)?.row,
        };
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        // SQLite gives its other files the permissions of this one.
        OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
        let mut connection = connect(&self.path)?;
        prepare(&connection)?;
        tables::create(&mut connection, &lineage, &key)?;
        sync_folder(&self.path)?;
        self.connection = Some(connection);
        Ok(())
    }

    /// Reads, if there is a state, everything as of one moment.
    pub(crate) fn read<T>(
        &mut self,
        act: impl FnOnce(&Transaction<'_>, &Sealer) -> Result<T, Trouble>,
    ) -> Result<Option<T>, Trouble> {
        match self.find()? {
            true => self.transact(TransactionBehavior::Deferred, |rows, opened| act(rows, &opened.sealer)).map(Some),
            false => Ok(None),
        }
    }

    /// Writes in one transaction that is on disk when this returns.
    pub(crate) fn write<T>(
        &mut self,
        act: impl FnOnce(&Transaction<'_>, &Sealer) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        self.find_or_create()?;
        self.transact(TransactionBehavior::Immediate, |rows, opened| act(rows, &opened.sealer))
    }

    /// Opens what is sealed before the transaction begins: a key may take its time, and others wait.
    fn transact<T>(
        &mut self,
        behavior: TransactionBehavior,
        act: impl FnOnce(&Transaction<'_>, &Opened) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let Some(connection) = &mut self.connection else { unreachable!("callers connect first") };
        loop {
            let row = tables::key_row(connection)?;
            let opened = match self.opened.take().filter(|opened| opened.row == row) {
                Some(opened) => opened,
                None => opening::open(row, &self.keys, &tables::lineage(connection)?)?,
            };
            let opened = self.opened.insert(opened);
            let transaction = connection.transaction_with_behavior(behavior)?;
            if tables::key_row(&transaction)? != opened.row {
                // Somebody gave it another key in between.
                continue;
            }
            let answer = act(&transaction, opened)?;
            transaction.commit()?;
            return Ok(answer);
        }
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
        match self.give_key(&lease) {
            Ok(()) => Ok(lease),
            Err(trouble) => {
                // Why there is no key is more than that nobody can give the lock back.
                let _ = self.unlock(&lease);
                Err(trouble)
            }
        }
    }

    /// A state without a key gets one as soon as there is one here, and what was stored without is sealed.
    fn give_key(&mut self, lease: &Lease) -> Result<(), Trouble> {
        let has_key = self.opened.as_ref().is_some_and(|opened| opened.sealer.has_key());
        match has_key || self.keys.seal.is_empty() {
            true => Ok(()),
            false => self.rekey(lease, Rekey::New).map(drop),
        }
    }

    /// Wraps the data key with the keys that seal now, or makes another one and seals everything with it. All of it, or nothing.
    pub(crate) fn rekey(&mut self, lease: &Lease, how: Rekey) -> Result<Rekey, Trouble> {
        self.find_or_create()?;
        let lineage = self.read(|transaction, _| tables::lineage(transaction))?.unwrap_or_default();
        let data = self.opened.as_ref().and_then(|opened| opened.data.as_ref());
        let (how, new) = match (how, data) {
            (Rekey::Wrap, Some(data)) => (Rekey::Wrap, opening::wrapped_anew(data, &self.keys, &lineage)?),
            // What has no data key of its own has to get one.
            (Rekey::Wrap | Rekey::New, _) => (Rekey::New, opening::with_new_key(&self.keys, &lineage)?),
        };
        self.transact(TransactionBehavior::Immediate, |transaction, old| {
            lease::verify(transaction, lease)?;
            if let Rekey::New = how {
                rows::reseal(transaction, &old.sealer, &new.sealer)?;
            }
            tables::set_key_row(transaction, &new.row)
        })?;
        self.opened = Some(new);
        Ok(how)
    }

    /// Whether what is sensitive can be stored.
    pub(crate) fn can_seal(&mut self) -> Result<bool, Trouble> {
        let has_key = self.read(|_, sealer| Ok(sealer.has_key()))?.unwrap_or(false);
        Ok(has_key || !self.keys.seal.is_empty())
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
