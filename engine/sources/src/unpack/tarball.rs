//! Tape archives.

use std::io::Read;

use tar::{Archive, Entry, EntryType};

use crate::tree::{Refusal, Tree};

/// Headers that hold the names of others: a long name needs no more.
const HEADER_BYTES: u64 = 64 << 10;

/// Refuses what can't be unpacked without harm: headers that hold names are read into memory.
pub(super) fn look_through(reader: impl Read) -> Result<(), Refusal> {
    let mut archive = Archive::new(reader);
    for entry in archive.entries().map_err(damaged)?.raw(true) {
        look(&mut entry.map_err(damaged)?)?;
    }
    Ok(())
}

/// Unpacks what was looked through before.
pub(super) fn unpack(reader: impl Read, tree: &mut Tree) -> Result<(), Refusal> {
    let mut archive = Archive::new(reader);
    for entry in archive.entries().map_err(damaged)? {
        take(&mut entry.map_err(damaged)?, tree)?;
    }
    Ok(())
}

/// Refuses headers that are too large, and those that would make the archive another one when it is read again.
fn look(entry: &mut Entry<'_, impl Read>) -> Result<(), Refusal> {
    let kind = entry.header().entry_type();
    let has_names = kind.is_gnu_longname() || kind.is_gnu_longlink() || kind.is_pax_local_extensions();
    if !has_names && !kind.is_pax_global_extensions() {
        return Ok(());
    }
    if entry.size() > HEADER_BYTES {
        return Err(Refusal::Bad(format!("a header in it is larger than {} KiB", HEADER_BYTES >> 10)));
    }
    if !has_names {
        return Ok(());
    }
    let mut content = Vec::new();
    entry.read_to_end(&mut content).map_err(damaged)?;
    match content.windows(6).any(|part| part == b" size=") {
        true => Err(Refusal::Bad("a header in it changes the size of a file".to_owned())),
        false => Ok(()),
    }
}

fn take(entry: &mut Entry<'_, impl Read>, tree: &mut Tree) -> Result<(), Refusal> {
    let path = entry.path_bytes().into_owned();
    let shown = String::from_utf8_lossy(&path).into_owned();
    let path = String::from_utf8(path).map_err(|_| Refusal::of(&shown, "is a name that is no UTF-8"))?;
    // As `tar c .` writes them.
    let path = path.strip_prefix("./").unwrap_or(&path).to_owned();
    let kind = entry.header().entry_type();
    match kind {
        EntryType::Regular | EntryType::Continuous => {
            let executable = entry.header().mode().map_err(damaged)? & 0o100 != 0;
            tree.file(&path, executable, entry)
        }
        EntryType::Symlink => {
            let target =
                entry.link_name_bytes().ok_or_else(|| Refusal::of(&path, "is a link to nothing"))?.into_owned();
            tree.link(&path, &target)
        }
        // Folders are made for what lies in them; a name that is none is refused all the same.
        EntryType::Directory => tree.folder(path.trim_end_matches('/')),
        EntryType::XGlobalHeader => Ok(()),
        EntryType::Link => Err(Refusal::of(&path, "is a hard link, which no module may have")),
        EntryType::Char | EntryType::Block | EntryType::Fifo => Err(Refusal::of(&path, "is a device, and no file")),
        kind => Err(Refusal::of(
            &path,
            format!("is of a kind that no module may have (`{}`)", kind.as_byte().escape_ascii()),
        )),
    }
}

fn damaged(error: std::io::Error) -> Refusal {
    Refusal::Bad(format!("it can't be unpacked: {error}"))
}
