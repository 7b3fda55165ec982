//! A commit's files, without touching the working tree.

use std::path::Path;

use bimetal_model::Diagnostic;

use super::Repository;
use crate::fetch::refused;
use crate::git::{Objects, write_tree};
use crate::tree::{Refusal, Tree};

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extracted {
    /// `sha256:…` over the whole tree, as the lock file has those of modules.
    pub hash: String,
    /// Files and links.
    pub files: usize,
    /// In all files.
    pub bytes: u64,
}

impl Repository {
    /// Writes all that a commit has into a folder, which must not be there. What fails half way leaves a part of it.
    pub fn extract(&self, revision: &str, into: &Path) -> Result<Extracted, Diagnostic> {
        let commit = self.resolve(revision)?;
        let write = || -> Result<_, Refusal> {
            let mut tree = Tree::create(into)?;
            write_tree(&Objects { git: &self.git, folder: &self.folder }, &commit, &mut tree)?;
            tree.finish()
        };
        let written = write().map_err(|refusal| refused("this repository", Some(&commit), refusal))?;
        Ok(Extracted { hash: written.hash, files: written.files, bytes: written.bytes })
    }
}
