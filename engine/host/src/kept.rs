//! Files in the cache: whole or not there, and this user's alone.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Why a file is not believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It, or a folder that it lies in, is not there.
    Missing,
    /// This belongs to somebody else, or may be written by others, or is a link.
    Others(PathBuf),
}

/// Whether nobody but this user could have written the file: it, its folder and the cache's own folder are asked.
pub fn check(path: &Path) -> Result<(), Doubt> {
    let me = fs::metadata("/proc/self").map_err(|_| Doubt::Missing)?.uid();
    // From the outside in: what lies in a folder of somebody else's says nothing.
    for place in [path.ancestors().nth(2), path.parent(), Some(path)].into_iter().flatten() {
        let metadata = fs::symlink_metadata(place).map_err(|_| Doubt::Missing)?;
        if metadata.is_symlink() || metadata.uid() != me || metadata.mode() & 0o022 != 0 {
            return Err(Doubt::Others(place.to_owned()));
        }
    }
    Ok(())
}

/// Writes a file, whole or not at all, also where two processes do it at once.
pub fn write(path: &Path, content: &[u8]) -> std::io::Result<()> {
    make_folder(path)?;
    let temporary = path.with_extension(format!("{}.tmp", uuid::Uuid::new_v4().simple()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    let written = std::io::Write::write_all(&mut file, content).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// What [`write`] wrote, if nobody else could have.
pub fn read(path: &Path) -> Option<Vec<u8>> {
    check(path).ok()?;
    fs::read(path).ok()
}

/// The folder of a file, which is this user's alone.
pub(crate) fn make_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}
