//! What is wrong with a state's file, in words that name it and say where the newest backup is.

use std::path::Path;

use bimetal_model::port::StateError;
use rusqlite::{Connection, ErrorCode};

use super::Trouble;
use super::backup::backups;

/// What SQLite needs beside a file, at least, in bytes: a page of the log's index.
const SHARED: u64 = 64 << 10;

/// It is not as it was written.
pub(super) fn damaged(path: &Path, reason: &str) -> StateError {
    StateError::Damaged(format!("`{}`: {reason}; {}", path.display(), copies(path)))
}

/// Where a sound copy of it is.
pub(super) fn copies(path: &Path) -> String {
    match backups(path).first() {
        Some(backup) => format!("the newest backup is `{}`", backup.path.display()),
        None => "there is no backup of it".to_owned(),
    }
}

/// It is a database of somebody else's.
pub(super) fn foreign(path: &Path) -> StateError {
    damaged(path, "this database is not a state of Bimetal's")
}

/// What the operating system said of it.
pub(super) fn of_file(path: &Path, error: &std::io::Error) -> StateError {
    match error.kind() {
        std::io::ErrorKind::StorageFull => full(path),
        _ => unusable(path, error.to_string()),
    }
}

fn full(path: &Path) -> StateError {
    unusable(path, "the disk is full; nothing was written".to_owned())
}

/// What SQLite said of it.
pub(super) fn of_database(path: &Path, error: &rusqlite::Error) -> StateError {
    let said = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => damaged(path, "it is no database: it was overwritten, or cut short"),
        Some(ErrorCode::DatabaseCorrupt) => damaged(path, &said),
        Some(ErrorCode::DiskFull) => full(path),
        Some(ErrorCode::ReadOnly) => {
            unusable(path, "it can't be written: the file, its folder or the disk is read-only".to_owned())
        }
        Some(ErrorCode::CannotOpen) => unusable(path, format!("it can't be opened: {}", why_closed(path, said))),
        Some(ErrorCode::PermissionDenied) => unusable(path, "you may not read it".to_owned()),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            unusable(path, "another process does not let it go; try again".to_owned())
        }
        Some(ErrorCode::SystemIoFailure) if is_short(error) => damaged(path, "it is cut short"),
        Some(ErrorCode::SystemIoFailure) if is_full(path) => full(path),
        Some(ErrorCode::SystemIoFailure) => unusable(path, format!("the disk fails: {said}")),
        Some(_) => damaged(path, &said),
        // A column holds something else than ours do.
        None => damaged(path, &said),
    }
}

/// Fails where SQLite finds something wrong with the file. Rows that it would leave out are not found out otherwise.
pub(super) fn check(connection: &Connection) -> Result<(), Trouble> {
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    match found.as_str() {
        "ok" => Ok(()),
        found => Err(StateError::Damaged(found.replace('\n', " ")).into()),
    }
}

/// A backup could not be made: for what the state has, or where the copy was to be.
pub(super) fn of_copy(copy: &Path, trouble: Trouble) -> Trouble {
    let name = || format!("the backup `{}`", copy.display());
    match trouble {
        Trouble::Database(error) if error.sqlite_error_code() == Some(ErrorCode::DiskFull) => {
            Trouble::Said(StateError::Store { store: name(), reason: "the disk is full; nothing was done".to_owned() })
        }
        Trouble::File(error) => Trouble::Said(StateError::Store { store: name(), reason: error.to_string() }),
        other => other,
    }
}

fn is_short(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHORT_READ)
}

/// SQLite does not tell.
fn why_closed(path: &Path, said: String) -> String {
    let opened = std::fs::File::open(path).and_then(|_| std::fs::OpenOptions::new().append(true).open(path));
    match opened {
        Err(_) if path.is_dir() => "it is a folder".to_owned(),
        Ok(_) => said,
        Err(error) if error.kind() == std::io::ErrorKind::ReadOnlyFilesystem => "its disk is read-only".to_owned(),
        Err(error) => error.to_string(),
    }
}

/// Whether what SQLite shares between processes finds no room, which it calls a failure of the disk.
fn is_full(path: &Path) -> bool {
    let disk = path.parent().and_then(|folder| rustix::fs::statvfs(folder).ok());
    disk.is_some_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) < SHARED)
}

fn unusable(path: &Path, reason: String) -> StateError {
    StateError::Store { store: format!("the state `{}`", path.display()), reason }
}
