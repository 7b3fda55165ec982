//! Where images come from, and what an index of one offers for each platform.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::platform::Platform;

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageSource {
    /// A registry: `nginx:1.27`, `host:5000/name@sha256:…`; as written by the user.
    Registry(String),
    /// An OCI layout in a folder, or in a tar archive, of the operator's: `oci:PATH`, `oci-archive:PATH`.
    Layout {
        /// Relative to the configuration's root.
        path: String,
        /// A tar archive, not a folder.
        archive: bool,
    },
}

impl FromStr for ImageSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let layout = |path: &str, archive| ImageSource::Layout { path: path.to_owned(), archive };
        match (text.strip_prefix("oci:"), text.strip_prefix("oci-archive:")) {
            (Some(""), _) | (_, Some("")) => Err(format!("`{text}` names no path")),
            (Some(path), _) => Ok(layout(path, false)),
            (_, Some(path)) => Ok(layout(path, true)),
            _ if text.is_empty() || text.contains(char::is_whitespace) => Err(format!("`{text}` is not an image")),
            _ => Ok(ImageSource::Registry(text.to_owned())),
        }
    }
}

impl fmt::Display for ImageSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImageSource::Registry(reference) => f.write_str(reference),
            ImageSource::Layout { path, archive: false } => write!(f, "oci:{path}"),
            ImageSource::Layout { path, archive: true } => write!(f, "oci-archive:{path}"),
        }
    }
}

impl Serialize for ImageSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ImageSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// What a source offers: one manifest a platform. A single-platform image is an index of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageIndex {
    /// Of the index, or of the only manifest: `sha256:…`.
    pub digest: String,
    /// In the index's order.
    pub manifests: Vec<ImageManifest>,
}

/// One platform's image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageManifest {
    /// What it is built for.
    pub platform: Platform,
    /// Of the manifest: `sha256:…`.
    pub digest: String,
}

impl ImageSource {
    /// The source pinned to a manifest: `nginx@sha256:…`, `oci:PATH@sha256:…`.
    pub fn pinned(&self, digest: &str) -> String {
        match self {
            ImageSource::Registry(reference) => format!("{}@{digest}", repository(reference)),
            ImageSource::Layout { .. } => format!("{self}@{digest}"),
        }
    }
}

/// The reference without tag and digest. A colon before the last slash is a port's.
pub fn repository(reference: &str) -> &str {
    let name = reference.split_once('@').map_or(reference, |(name, _)| name);
    match (name.rfind(':'), name.rfind('/')) {
        (Some(colon), Some(slash)) if colon > slash => &name[..colon],
        (Some(colon), None) => &name[..colon],
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_not_a_tag() {
        for (reference, pinned) in [
            ("nginx:1.27", "nginx@sha256:0"),
            ("localhost:5000/web", "localhost:5000/web@sha256:0"),
            ("localhost:5000/web:1@sha256:9", "localhost:5000/web@sha256:0"),
            ("oci:./web", "oci:./web@sha256:0"),
        ] {
            assert_eq!(reference.parse::<ImageSource>().unwrap().pinned("sha256:0"), pinned);
        }
    }
}
