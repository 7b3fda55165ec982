//! ZIP archives.

use std::io::{Read as _, Seek};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::tree::{FILES, Refusal, Tree};

pub(super) fn unpack(reader: impl std::io::Read + Seek, tree: &mut Tree) -> Result<(), Refusal> {
    let mut archive = ZipArchive::new(reader).map_err(damaged)?;
    if archive.len() > 2 * FILES {
        return Err(Refusal::Bad(format!("it has more than {FILES} files, which no module may have")));
    }
    if archive.has_duplicate_names() {
        return Err(Refusal::Bad("it has two files of one name".to_owned()));
    }
    // How bombs are made: many files share the bytes of one.
    if archive.has_overlapping_entries().map_err(damaged)? {
        return Err(Refusal::Bad("files in it lie over one another".to_owned()));
    }
    (0..archive.len()).try_for_each(|index| take(&mut archive, index, tree))
}

fn take<R: std::io::Read + Seek>(archive: &mut ZipArchive<R>, index: usize, tree: &mut Tree) -> Result<(), Refusal> {
    let mut file = archive.by_index(index).map_err(damaged)?;
    let path = String::from_utf8(file.name_raw().to_vec());
    let path =
        path.map_err(|error| Refusal::of(&String::from_utf8_lossy(error.as_bytes()), "is a name that is no UTF-8"))?;
    let mode = file.unix_mode().unwrap_or(0o100_644);
    match mode & 0o170_000 {
        _ if path.ends_with('/') => tree.folder(path.trim_end_matches('/')),
        0o040_000 => tree.folder(&path),
        0o120_000 => {
            let mut target = Vec::new();
            (&mut file).take(4096).read_to_end(&mut target).map_err(read)?;
            tree.link(&path, &target)
        }
        0 | 0o100_000 => tree.file(&path, mode & 0o100 != 0, &mut file),
        _ => Err(Refusal::of(&path, "is a device, and no file")),
    }
}

fn read(error: std::io::Error) -> Refusal {
    Refusal::Bad(format!("it can't be unpacked: {error}"))
}

fn damaged(error: ZipError) -> Refusal {
    match error {
        ZipError::Io(error) => Refusal::Failed(error),
        error => Refusal::Bad(format!("it can't be unpacked: {error}")),
    }
}
