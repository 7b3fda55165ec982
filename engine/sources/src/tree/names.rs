//! Which names a tree may have: those that mean the same place on every file system, and only that place.

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization as _;

use super::Refusal;
use super::limits::{FILES, NAME_BYTES, PATH_BYTES};

/// Characters that HFS+ does not see in names, as git lists them.
const UNSEEN: [char; 16] = [
    '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}',
    '\u{206a}', '\u{206b}', '\u{206c}', '\u{206d}', '\u{206e}', '\u{206f}', '\u{feff}',
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Folder,
    Leaf,
}

/// The names that there are by now.
#[derive(Default)]
pub(super) struct Names {
    /// By what a file system that knows no case makes of it.
    seen: HashMap<String, (String, Kind)>,
    leaves: usize,
}

impl Names {
    /// Takes the path of a file or link. Gives the folders that are new, the outer ones first.
    pub(super) fn file(&mut self, path: &str) -> Result<Vec<String>, Refusal> {
        check(path)?;
        self.leaves += 1;
        if self.leaves > FILES {
            return Err(Refusal::Bad(format!("it has more than {FILES} files, which no module may have")));
        }
        let mut new = Vec::new();
        for (at, _) in path.match_indices('/') {
            let folder = path.get(..at).unwrap_or(path);
            if self.place(folder, Kind::Folder)? {
                new.push(folder.to_owned());
            }
        }
        match self.place(path, Kind::Leaf)? {
            true => Ok(new),
            false => Err(Refusal::of(path, "is there twice")),
        }
    }

    /// Whether it is new.
    fn place(&mut self, path: &str, kind: Kind) -> Result<bool, Refusal> {
        let key = folded(path);
        let Some((before, was)) = self.seen.get(&key) else {
            self.seen.insert(key, (path.to_owned(), kind));
            return Ok(true);
        };
        if before != path {
            let what = format!("and `{}` are one file where case does not count", before.escape_debug());
            return Err(Refusal::of(path, what));
        }
        match *was == kind {
            true => Ok(false),
            false => Err(Refusal::of(path, "is both a file and a folder")),
        }
    }
}

/// That a path is inside, and not git's.
pub(super) fn check(path: &str) -> Result<(), Refusal> {
    if path.is_empty() || path.starts_with('/') {
        return Err(Refusal::of(path, "is no relative path"));
    }
    if path.len() > PATH_BYTES || path.split('/').any(|name| name.len() > NAME_BYTES) {
        let shown: String = path.chars().take(60).collect();
        let what = format!("… is longer than a path may be ({PATH_BYTES} bytes, and {NAME_BYTES} for each name)");
        return Err(Refusal::of(&shown, what));
    }
    // On some systems a backslash is a slash.
    for name in path.split(['/', '\\']) {
        match name {
            ".." | "." => return Err(Refusal::of(path, format!("has `{name}` in it, and would lie elsewhere"))),
            _ if name.contains('\0') => return Err(Refusal::of(path, "has a zero byte in it")),
            _ if is_git(name) => return Err(Refusal::of(path, "would be git's own folder, whose contents git runs")),
            _ => {}
        }
    }
    match path.split('/').any(str::is_empty) {
        true => Err(Refusal::of(path, "has a name in it that is empty")),
        false => Ok(()),
    }
}

/// Whether some file system takes this for `.git`, as git's `fsck` asks it, too.
fn is_git(name: &str) -> bool {
    let seen: String = name.chars().filter(|c| !UNSEEN.contains(c)).flat_map(char::to_lowercase).collect();
    // NTFS: no dots and blanks at the end, streams after a colon, and short names.
    let plain = seen.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    plain == ".git" || plain == "git~1"
}

/// The same for all names that some file system takes for one another.
fn folded(path: &str) -> String {
    if path.is_ascii() {
        return path.to_ascii_lowercase();
    }
    let seen: String = path.chars().filter(|c| !UNSEEN.contains(c)).collect();
    // Upper case first: it is there that `ß` and `ss` meet.
    seen.nfd().collect::<String>().to_uppercase().to_lowercase().nfd().collect()
}
