//! Where a module or a configuration lies: what stands in `source`, read and written.
//!
//! What is read here is safe to hand to git and to servers: nothing in it can be taken for an option, leave the folder that
//! it names, or carry a password.

mod archive;
mod artifact;
mod folder;
mod git;
mod reference;

use std::fmt;

pub use archive::ArchiveUrl;
pub use artifact::ArtifactName;
pub use folder::Folder;
pub use git::GitUrl;
pub use reference::Reference;
pub(crate) use reference::is_id;

/// A place that is not on this machine's own paths.
///
/// Invariant: what it displays as is read back to the same (test: `what_is_displayed_is_read_back`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// A repository, which the user's own git fetches.
    Git {
        /// The repository.
        url: GitUrl,
        /// Below its root.
        folder: Folder,
        /// A branch, a tag or a commit; the server's choice if there is none.
        reference: Option<Reference>,
    },
    /// A `.tar.gz` or `.zip` file.
    Archive {
        /// The file.
        url: ArchiveUrl,
        /// Below its root.
        folder: Folder,
    },
    /// An artifact in a registry, with one layer that is an archive.
    Artifact {
        /// The artifact.
        reference: ArtifactName,
        /// Below the layer's root.
        folder: Folder,
    },
}

impl Source {
    /// Reads one, in any form that Terraform knows. `None` is a local path (`./…`, `../…`). The error says why it is none, as
    /// the rest of a sentence about it.
    pub fn parse(text: &str) -> Result<Option<Source>, String> {
        if is_local(text) {
            return Ok(None);
        }
        if let Some(odd) = text.chars().find(|c| c.is_control() || c.is_whitespace() || matches!(c, '\\' | '#')) {
            return Err(format!("it has a {odd:?} in it, which no source has"));
        }
        if let Some(rest) = text.strip_prefix("git::") {
            return git::parse(rest).map(Some);
        }
        if let Some(rest) = text.strip_prefix("oci://") {
            return artifact::parse(rest).map(Some);
        }
        if text.starts_with("https://") || text.starts_with("http://") {
            return archive::parse(text).map(Some);
        }
        match git::short(text) {
            Some(url) => git::parse(&url).map(Some),
            None => Err(unknown(text)),
        }
    }

    /// The folder below its root.
    pub fn folder(&self) -> &Folder {
        match self {
            Source::Git { folder, .. } | Source::Archive { folder, .. } | Source::Artifact { folder, .. } => folder,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Git { url, folder, reference } => {
                write!(f, "git::{url}{}", folder.suffix())?;
                reference.as_ref().map_or(Ok(()), |reference| write!(f, "?ref={}", reference.escaped()))
            }
            Source::Archive { url, folder } => url.write(folder, f),
            Source::Artifact { reference, folder } => write!(f, "oci://{reference}{}", folder.suffix()),
        }
    }
}

fn is_local(text: &str) -> bool {
    matches!(text, "." | "..") || text.starts_with("./") || text.starts_with("../")
}

fn unknown(text: &str) -> String {
    if text.is_empty() {
        return "it is empty".to_owned();
    }
    if text.starts_with('/') {
        return "it is an absolute path, which is another one on each machine: write a path that begins with `./` or `../`, \
                or `git::file:///…` for a repository"
            .to_owned();
    }
    if ["ssh://", "git://", "file://"].iter().any(|scheme| text.starts_with(scheme)) {
        return "a repository is written with `git::` before its URL".to_owned();
    }
    match text.split_once("::") {
        Some((getter, _)) => format!("`{getter}::` is no way to fetch that Bimetal knows: there are `git::`, `https://` and `oci://`"),
        None => "it is none of the forms that there are: `./path`, `git::https://host/repository.git//folder?ref=tag`, \
                 `git@host:repository.git`, `github.com/owner/repository`, `https://host/file.tar.gz`, `oci://registry/name:tag`"
            .to_owned(),
    }
}

/// Cuts `place//folder?query` at its seams; `from` is where a `//` may begin to mean a folder.
fn cut(text: &str, from: usize) -> Result<(&str, Folder, Option<&str>), String> {
    let (place, query) = text.split_once('?').map_or((text, None), |(place, query)| (place, Some(query)));
    let seam = place.get(from..).and_then(|rest| rest.find("//")).map(|at| at + from);
    let (place, folder) = match seam {
        Some(at) => (&place[..at], Folder::parse(&place[at + 2..])?),
        None => (place, Folder::default()),
    };
    Ok((place, folder, query))
}

/// Of what stands behind a `?`: names and values, as they are written.
fn pairs(query: Option<&str>) -> impl Iterator<Item = (&str, &str)> {
    query
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

#[cfg(test)]
mod tests;
