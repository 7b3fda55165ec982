//! What is asked for, what the lock file has of it, and what comes back.

use std::path::PathBuf;

use bimetal_model::Diagnostic;
use bimetal_model::version::{Constraint, fits};
use serde::{Deserialize, Serialize};

use crate::source::{Source, is_id};

/// A module, or a configuration, that something names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wanted {
    /// Where it is.
    pub source: Source,
    /// Which of the tags there may be taken: `~> 1.2`.
    pub version: Option<String>,
}

impl Wanted {
    /// That nothing in it contradicts itself.
    pub(crate) fn check(&self) -> Result<(), Diagnostic> {
        let Some(version) = &self.version else { return Ok(()) };
        let wrong = |why: &str, hint: &str| {
            Err(Diagnostic::error(format!("`version` does not go with `{}`", self.source)).because(why).hint(hint))
        };
        match &self.source {
            Source::Git { reference: Some(_), .. } => {
                wrong("`ref` says already which commit it is", "leave out one of the two")
            }
            Source::Git { reference: None, .. } => Constraint::parse(version).map(drop),
            Source::Artifact { reference, .. } if reference.is_settled() => {
                wrong("`source` says already which tag it is", "leave out one of the two")
            }
            Source::Artifact { .. } => Constraint::parse(version).map(drop),
            Source::Archive { .. } => {
                wrong("an archive has no tags to choose among", "write the version into `source`")
            }
        }
    }

    /// Whether it is wanted by a name, behind which there may be something else one day. What an archive's URL names is its
    /// server's business.
    pub(crate) fn may_move(&self) -> bool {
        match &self.source {
            Source::Git { reference, .. } => {
                reference.as_ref().map_or(self.version.is_some(), |reference| !reference.is_commit())
            }
            Source::Artifact { reference, .. } => reference.digest().is_none(),
            Source::Archive { .. } => false,
        }
    }

    /// Whether a lock is one of this, and not of what was wanted before.
    pub(crate) fn is_answered_by(&self, locked: &Locked) -> bool {
        // Lock files are merged and edited; only what is an id may come near git.
        let has_commit = locked.commit.as_deref().is_some_and(is_id);
        let fits = |constraint: &String| {
            locked.version.as_deref().is_some_and(|version| fits(constraint, version).unwrap_or(false))
        };
        match (&self.source, &self.version) {
            (Source::Git { .. }, Some(constraint)) => fits(constraint) && has_commit,
            (Source::Artifact { .. }, Some(constraint)) => {
                fits(constraint) && locked.reference.is_some() && locked.commit.is_none()
            }
            (Source::Git { reference, .. }, None) => {
                let name = reference.as_ref().map(|reference| reference.as_str());
                let is_other =
                    reference.as_ref().is_some_and(|name| name.is_commit()) && locked.commit.as_deref() != name;
                locked.reference.as_deref() == name && locked.version.is_none() && has_commit && !is_other
            }
            (Source::Artifact { .. }, None) => locked.commit.is_none() && locked.version.is_none(),
            (Source::Archive { .. }, _) => locked.commit.is_none(),
        }
    }
}

/// What a lock file has of one thing that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Locked {
    /// That was chosen by a constraint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Of a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The branch, tag or commit as it is wanted; with a version, the tag that it was found at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// `sha256:…` over the whole tree, as `tree::hash` has it; the same on every machine.
    pub hash: String,
}

/// What was wanted, on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// In the cache that all share: to be read, and not to be written.
    pub folder: PathBuf,
    /// All that came with it, in which the folder lies.
    pub tree: PathBuf,
    /// What the lock file should have of it from now on.
    pub locked: Locked,
    /// That nobody could be asked whether it has moved, where that was wished.
    pub unasked: Option<Diagnostic>,
}

/// Whom may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Nobody: what is locked is in the cache, or an error.
    Nobody,
    /// Servers, where something is not locked or not in the cache.
    WhereMissing,
    /// Servers of everything that has a tag, whether that still stands where the lock has it.
    WhetherMoved,
    /// Servers of everything: what is locked says nothing, the newest is taken.
    ForNewer,
}
