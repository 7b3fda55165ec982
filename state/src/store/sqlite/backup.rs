//! Backups: copies of the whole file beside it, each as of one moment, the last few of them; and how one is put back.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use bimetal_model::Lineage;
use bimetal_model::port::StateError;
use rusqlite::{Connection, OpenFlags};

use super::file::{Found, inspect};
use super::use_of::Use;
use super::{Trouble, damage, statement};
use crate::key::{random, sync_folder};
use crate::store::{Commit, Table};
use crate::words::TIMELINE;

/// How many are kept.
const MOST: usize = 5;
/// How much they may take together; the newest is kept whatever it takes.
const MOST_BYTES: u64 = 512 << 20;
/// A copy that was begun so long ago was given up.
const GIVEN_UP: Duration = Duration::from_secs(3600);

/// One backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Where it is.
    pub path: PathBuf,
    /// Which of the state's commits was the last by then.
    pub serial: u64,
    /// When it was made.
    pub made: SystemTime,
    /// How much it takes.
    pub bytes: u64,
}

/// What was put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// This.
    pub from: PathBuf,
    /// Where what was there is now.
    pub aside: Option<PathBuf>,
    /// Addresses of what is known there, and is not here; `None`: it can't be read.
    pub lost: Option<Vec<String>>,
}

/// The backups of a state, the newest first.
pub fn backups(state: &Path) -> Vec<Backup> {
    let mut backups: Vec<Backup> = beside(state)
        .into_iter()
        .filter_map(|(suffix, path)| {
            let serial = suffix.strip_prefix(".backup-")?.parse().ok()?;
            let metadata = path.metadata().ok()?;
            Some(Backup { path, serial, made: metadata.modified().ok()?, bytes: metadata.len() })
        })
        .collect();
    backups.sort_by_key(|backup| std::cmp::Reverse((backup.made, backup.serial)));
    backups
}

/// Copies a state that is there, unless it was copied as it is now. Must not be called within a transaction.
pub(super) fn back_up(state: &Path) -> Result<Option<PathBuf>, Trouble> {
    let connection = Connection::open_with_flags(state, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    let moment = moment(&connection)?;
    let path = with_suffix(state, &format!(".backup-{}", moment.serial));
    if is_copy(&path, &moment) {
        return Ok(Some(path));
    }
    let draft = draft_of(&path)?;
    let copied = copy(&connection, &draft).and_then(|()| Ok(std::fs::rename(&draft, &path)?));
    if let Err(trouble) = copied {
        let _ = std::fs::remove_file(&draft);
        return Err(damage::of_copy(&path, trouble));
    }
    sync_folder(&path)?;
    prune(state);
    Ok(Some(path))
}

/// Which state, and when in its life.
#[derive(PartialEq)]
struct Moment {
    lineage: Lineage,
    /// Of the commit that last changed it.
    serial: u64,
    /// Of the one that gave it its key: who has lost an older one can't open what was copied before.
    key: u64,
}

fn moment(connection: &Connection) -> Result<Moment, Trouble> {
    let (serial, key) = statement::changed(connection)?;
    Ok(Moment { lineage: statement::lineage(connection)?, serial, key })
}

fn is_copy(path: &Path, moment: &Moment) -> bool {
    let copied = read_only(path).map_err(Trouble::from).and_then(|copy| self::moment(&copy));
    copied.is_ok_and(|copied| copied == *moment)
}

/// Copies all of it to a file that is made for that.
pub(super) fn copy(connection: &Connection, draft: &Path) -> Result<(), Trouble> {
    // SQLite would let others read it.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    let Some(name) = draft.to_str() else {
        return Err(std::io::Error::other("SQLite copies only to where names are UTF-8").into());
    };
    // Unlike a copy of its pages, this is small, whole by itself, and fails where a page is damaged.
    connection.execute("VACUUM INTO ?1", [name])?;
    Ok(File::open(draft)?.sync_all()?)
}

pub(super) fn draft_of(path: &Path) -> Result<PathBuf, Trouble> {
    Ok(with_suffix(path, &format!(".{}.new", random_name::<6>()?)))
}

fn random_name<const BYTES: usize>() -> Result<String, Trouble> {
    Ok(random::<BYTES>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Removes those that are too many. One that can't be removed is no reason not to go on.
fn prune(state: &Path) {
    let mut bytes = 0;
    for (place, backup) in backups(state).into_iter().enumerate() {
        bytes += backup.bytes;
        if place >= MOST || (place > 0 && bytes > MOST_BYTES) {
            let _ = std::fs::remove_file(&backup.path);
        }
    }
    for (suffix, path) in beside(state) {
        let age = path.metadata().and_then(|metadata| metadata.modified()).ok().and_then(|made| made.elapsed().ok());
        if suffix.starts_with(".backup-") && suffix.ends_with(".new") && age.is_some_and(|age| age > GIVEN_UP) {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Puts a backup in the state's place, the newest unless another is named. It is checked first, and what is there is kept aside.
pub fn restore(state: &Path, backup: Option<&Path>) -> Result<Restored, StateError> {
    let from = match backup {
        Some(path) => path.to_owned(),
        None => backups(state).into_iter().next().map(|backup| backup.path).ok_or_else(|| {
            let reason = "there is no backup of it".to_owned();
            StateError::Store { store: format!("the state `{}`", state.display()), reason }
        })?,
    };
    check(&from).map_err(|trouble| trouble.of(&from))?;
    put_back(state, &from).map_err(|trouble| trouble.of(state))
}

/// Whether it is a sound state that this Bimetal knows.
fn check(path: &Path) -> Result<(), Trouble> {
    let connection = read_only(path)?;
    match inspect(&connection)? {
        Found::Empty => Err(StateError::Damaged("it is empty".to_owned()).into()),
        Found::State | Found::Older => damage::check(&connection),
    }
}

fn put_back(state: &Path, from: &Path) -> Result<Restored, Trouble> {
    let Some(_alone) = Use::alone(state)? else {
        let reason = "another process works with it: wait until that ends".to_owned();
        return Err(StateError::Store { store: format!("the state `{}`", state.display()), reason }.into());
    };
    let lost =
        objects(state).ok().zip(objects(from).ok()).map(|(there, here)| there.difference(&here).cloned().collect());
    let draft = draft_of(state)?;
    let mut source = File::open(from)?;
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let copied = std::io::copy(&mut source, &mut copy).map_err(Trouble::from).and_then(|_| begin_anew(&draft));
    let placed = copied.and_then(|()| {
        copy.sync_all()?;
        let aside = move_aside(state)?;
        std::fs::rename(&draft, state)?;
        sync_folder(state)?;
        Ok(aside)
    });
    match placed {
        Ok(aside) => Ok(Restored { from: from.to_owned(), aside, lost }),
        Err(trouble) => {
            let _ = std::fs::remove_file(&draft);
            Err(trouble)
        }
    }
}

/// Addresses of what is known to exist; of a state of an older format, none that can be compared.
fn objects(path: &Path) -> Result<BTreeSet<String>, Trouble> {
    let connection = read_only(path)?;
    match inspect(&connection)? {
        Found::State => Ok(statement::keys(&connection, Table::Objects)?),
        Found::Empty | Found::Older => Err(Trouble::NoState),
    }
}

/// The copy counts on from where it was, as what was there did: what is bound to that may not take one for the other.
fn begin_anew(draft: &Path) -> Result<(), Trouble> {
    let mut connection = Connection::open_with_flags(draft, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    if matches!(inspect(&connection)?, Found::Empty | Found::Older) {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    let mut commit = Commit::default();
    commit.put(Table::Meta, TIMELINE, random_name::<16>()?);
    statement::append(&transaction, &commit.writes)?;
    Ok(transaction.commit()?)
}

/// The state with what SQLite keeps beside it, under the first free name.
fn move_aside(state: &Path) -> std::io::Result<Option<PathBuf>> {
    let free = |number: &u32| !with_suffix(state, &format!(".broken-{number}")).exists();
    let Some(number) = (1..).find(free) else { return Ok(None) };
    let aside = with_suffix(state, &format!(".broken-{number}"));
    let mut found = None;
    for suffix in ["-wal", "-shm", ""] {
        match std::fs::rename(with_suffix(state, suffix), with_suffix(&aside, suffix)) {
            Ok(()) => found = Some(aside.clone()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Files whose names go on from the state's, with what they go on with.
fn beside(state: &Path) -> Vec<(String, PathBuf)> {
    let Some(name) = state.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let folder = state.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries
        .filter_map(|entry| {
            let suffix = entry.file_name().to_str()?.strip_prefix(name)?.to_owned();
            Some((suffix, entry.path()))
        })
        .collect()
}
