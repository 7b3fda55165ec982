//! The lock: a row that says who has it and until when, and a file lock that says whether that process still lives.
//!
//! The row is the authority: every write checks it. The file lock only makes waiting for a dead holder unnecessary; the
//! kernel frees it with the process, and tells processes of one machine apart whatever their numbers.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bimetal_model::port::{Edge, Holder, Lease, StateError};
use rusqlite::{OptionalExtension as _, Transaction};

use crate::tables::Trouble;

/// How long a lease lasts unless it is renewed.
const LASTS_MS: u64 = 60_000;

/// What else a living holder keeps locked.
pub(crate) struct Alive(File);

impl Alive {
    /// Locks the file beside the state, unless a living process has it or the file system can't lock.
    pub(crate) fn announce(state: &Path) -> Result<Option<Alive>, Trouble> {
        let mut options = OpenOptions::new();
        let file = options.write(true).create(true).truncate(false).mode(0o600).open(beside(state))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Alive(file))),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => Ok(None),
        }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        // Closing the file frees it too, but not while a child process holds a copy.
        let _ = self.0.unlock();
    }
}

fn beside(state: &Path) -> PathBuf {
    let mut name = state.as_os_str().to_owned();
    name.push(".holder");
    name.into()
}

/// Takes the lock: when it is free, when its lease ran out, or when `alive` proves that its holder is dead.
///
/// It proves that only of a holder who had the file lock too: one who came while another had it is believed to live.
pub(crate) fn take(
    transaction: &Transaction<'_>,
    edge: &dyn Edge,
    holder: &Holder,
    alive: Option<&Alive>,
) -> Result<Lease, Trouble> {
    let now = edge.now_ms();
    if let Some(other) = held(transaction)?
        && now < other.expires_ms
        && !(other.announced && alive.is_some())
    {
        return Err(StateError::Locked(other.holder).into());
    }
    let lease = Lease(edge.new_id());
    let text = serde_json::to_string(holder)?;
    transaction.execute(
        "INSERT OR REPLACE INTO lock (only, lease, holder, announced, expires_ms) VALUES (1, ?1, ?2, ?3, ?4)",
        (&lease.0, text, alive.is_some(), expiry(now)),
    )?;
    Ok(lease)
}

struct Held {
    holder: Holder,
    announced: bool,
    expires_ms: u64,
}

fn held(transaction: &Transaction<'_>) -> Result<Option<Held>, Trouble> {
    let row = transaction.query_row("SELECT holder, announced, expires_ms FROM lock", [], |row| {
        Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, i64>(2)?))
    });
    let Some((text, announced, expires_ms)) = row.optional()? else {
        return Ok(None);
    };
    let expires_ms = expires_ms.max(0).cast_unsigned();
    Ok(Some(Held { holder: serde_json::from_str(&text)?, announced, expires_ms }))
}

fn expiry(now: u64) -> i64 {
    i64::try_from(now.saturating_add(LASTS_MS)).unwrap_or(i64::MAX)
}

/// Fails unless the lease is the one that holds the lock. One that ran out but was not taken over still does.
pub(crate) fn verify(transaction: &Transaction<'_>, lease: &Lease) -> Result<(), Trouble> {
    let query = "SELECT 1 FROM lock WHERE lease = ?1";
    match transaction.query_row(query, [&lease.0], |_| Ok(())).optional()? {
        Some(()) => Ok(()),
        None => Err(StateError::LeaseLost.into()),
    }
}

/// Makes it last longer.
pub(crate) fn renew(transaction: &Transaction<'_>, edge: &dyn Edge, lease: &Lease) -> Result<(), Trouble> {
    verify(transaction, lease)?;
    transaction.execute("UPDATE lock SET expires_ms = ?1", [expiry(edge.now_ms())])?;
    Ok(())
}

/// Gives the lock back, whoever has it.
pub(crate) fn clear(transaction: &Transaction<'_>) -> Result<(), Trouble> {
    transaction.execute("DELETE FROM lock", [])?;
    Ok(())
}
