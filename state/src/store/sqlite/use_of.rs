//! Who has the file in use: a file beside it that writers hold locked together, and that who replaces the file locks alone.
//!
//! The kernel frees it with the process. Where the file system can't lock, nobody is kept out.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::backup::with_suffix;

/// As long as it lives, the file is in use.
pub(super) struct Use(File);

impl Use {
    /// Beside other writers; `None`: somebody replaces the file just now, or the file system can't lock.
    pub(super) fn shared(state: &Path) -> std::io::Result<Option<Use>> {
        let file = open(state)?;
        Ok(file.try_lock_shared().ok().map(|()| Use(file)))
    }

    /// Of nobody else; `None`: others have it in use.
    pub(super) fn alone(state: &Path) -> std::io::Result<Option<Use>> {
        let file = open(state)?;
        match file.try_lock() {
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(Use(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
        }
    }
}

impl Drop for Use {
    fn drop(&mut self) {
        // Closing the file frees it too, but not while a child process holds a copy.
        let _ = self.0.unlock();
    }
}

fn open(state: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(with_suffix(state, ".holder"))
}
