//! The URLs of archives.

use std::fmt;

use url::Url;

use super::git::{whole_path, without_password};
use super::{Folder, Source, cut, pairs};

const ENDINGS: [&str; 3] = [".tar.gz", ".tgz", ".zip"];
const KINDS: [&str; 3] = ["tar.gz", "tgz", "zip"];

/// Of a `.tar.gz` or `.zip` file, over TLS.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArchiveUrl(String);

impl ArchiveUrl {
    /// As a server is asked for it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `host/path`
    pub(crate) fn place(&self) -> &str {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.split_once('@').map_or(rest, |(_, place)| place)
    }

    /// With a folder, which stands before the query.
    pub(super) fn write(&self, folder: &Folder, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, query) =
            self.0.split_once('?').map_or((self.0.as_str(), None), |(place, query)| (place, Some(query)));
        write!(f, "{place}{}", folder.suffix())?;
        query.map_or(Ok(()), |query| write!(f, "?{query}"))?;
        // Where the name does not tell, the kind is what makes it an archive.
        match (is_named_so(place), query) {
            (true, _) => Ok(()),
            (false, Some(_)) => f.write_str("&archive=tgz"),
            (false, None) => f.write_str("?archive=tgz"),
        }
    }
}

impl fmt::Display for ArchiveUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads `https://host/file.tar.gz//folder?query`.
pub(super) fn parse(text: &str) -> Result<Source, String> {
    if !text.starts_with("https://") {
        return Err("an archive is fetched over `https` only".to_owned());
    }
    let (place, folder, query) = cut(text, "https://".len())?;
    let (mut is_archive, mut kept) = (false, Vec::new());
    for (name, value) in pairs(query) {
        match (name, value) {
            ("archive", kind) if KINDS.contains(&kind) => is_archive = true,
            ("archive", other) => return Err(format!("`archive={other}` is none of {}", KINDS.join(", "))),
            ("checksum", _) => return Err("it needs no `checksum`: the lock file has one of what is in it".to_owned()),
            (name, "") => kept.push(name.to_owned()),
            (name, value) => kept.push(format!("{name}={value}")),
        }
    }
    let mut url = Url::parse(place).map_err(|error| format!("its URL can't be read: {error}"))?;
    without_password(&url)?;
    whole_path(place, &url)?;
    if !is_archive && !is_named_so(url.as_str()) {
        return Err(
            "it names neither an archive (`.tar.gz`, `.tgz`, `.zip`, or `?archive=tgz`) nor a repository, which has \
                    `git::` before it"
                .to_owned(),
        );
    }
    url.set_query((!kept.is_empty()).then(|| kept.join("&")).as_deref());
    Ok(Source::Archive { url: ArchiveUrl(url.to_string()), folder })
}

fn is_named_so(place: &str) -> bool {
    ENDINGS.iter().any(|ending| place.ends_with(ending))
}
