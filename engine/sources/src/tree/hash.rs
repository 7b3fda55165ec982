//! What a tree holds, and the one hash of it.
//!
//! The hash is of `bimetal-tree-1` and a line for each file and link, sorted by the bytes of its path: mode, hash of the
//! content, length of the path, path. So it knows nothing of clocks, owners, umasks, line endings, of what a tree came in,
//! or of folders that are empty.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

enum Entry {
    File { executable: bool, size: u64, hash: [u8; 32] },
    Link { target: String },
}

/// By path.
#[derive(Default)]
pub(super) struct Entries(BTreeMap<String, Entry>);

impl Entries {
    pub(super) fn file(&mut self, path: &str, executable: bool, size: u64, hash: [u8; 32]) {
        self.0.insert(path.to_owned(), Entry::File { executable, size, hash });
    }

    pub(super) fn link(&mut self, path: &str, target: &str) {
        self.0.insert(path.to_owned(), Entry::Link { target: target.to_owned() });
    }

    pub(super) fn links(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(path, entry)| match entry {
            Entry::Link { target } => Some((path.as_str(), target.as_str())),
            Entry::File { .. } => None,
        })
    }

    pub(super) fn link_at(&self, path: &str) -> Option<&str> {
        match self.0.get(path)? {
            Entry::Link { target } => Some(target),
            Entry::File { .. } => None,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn hash(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update("bimetal-tree-1\n");
        for (path, entry) in &self.0 {
            let (mode, size, hash) = match entry {
                Entry::File { executable: false, size, hash } => ("100644", *size, *hash),
                Entry::File { executable: true, size, hash } => ("100755", *size, *hash),
                Entry::Link { target } => ("120000", target.len() as u64, Sha256::digest(target).into()),
            };
            hasher.update(format!("{mode} {} {size} {} {path}\n", hex(&hash), path.len()));
        }
        format!("sha256:{}", hex(&hasher.finalize()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
