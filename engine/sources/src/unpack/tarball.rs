//! Tape archives.

use std::io::Read;

use tar::{Archive, Entry, EntryType};

use crate::tree::{Refusal, Tree};

pub(super) fn unpack(reader: impl Read, tree: &mut Tree) -> Result<(), Refusal> {
    let mut archive = Archive::new(reader);
    for entry in archive.entries().map_err(damaged)? {
        take(&mut entry.map_err(damaged)?, tree)?;
    }
    Ok(())
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
