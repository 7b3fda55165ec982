//! The names of artifacts in registries.

use std::fmt;

use super::git::is_plain;
use super::{Source, cut, pairs};

/// `registry.example.org/team/web:1.2.0`, or with `@sha256:…`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArtifactName(String);

impl ArtifactName {
    /// As registries' clients take it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its digest, where it is named by it.
    pub fn digest(&self) -> Option<&str> {
        self.0.split_once('@').map(|(_, digest)| digest)
    }

    /// Whether it says which one of the repository it is; otherwise that is the one with the tag `latest`, or one that is chosen.
    pub fn is_settled(&self) -> bool {
        self.0.contains('@') || self.0.rsplit('/').next().is_some_and(|last| last.contains(':'))
    }
}

impl fmt::Display for ArtifactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reads what stands behind `oci://`; OpenTofu's `?tag=` and `?digest=`, too.
pub(super) fn parse(text: &str) -> Result<Source, String> {
    let (place, folder, query) = cut(text, 0)?;
    let mut name = place.to_owned();
    for (key, value) in pairs(query) {
        match key {
            "tag" => name = format!("{name}:{value}"),
            "digest" => name = format!("{name}@{value}"),
            other => return Err(format!("an artifact has no `{other}`, only `tag` and `digest`")),
        }
    }
    check(&name)?;
    Ok(Source::Artifact { reference: ArtifactName(name), folder })
}

fn check(name: &str) -> Result<(), String> {
    let wrong = || format!("`{name}` is no artifact, as `registry.example.org/team/web:1.2.0` is one");
    let (registry, rest) = name.split_once('/').ok_or_else(wrong)?;
    let (rest, digest) = rest.split_once('@').map_or((rest, None), |(rest, digest)| (rest, Some(digest)));
    let (repository, tag) = rest.split_once(':').map_or((rest, None), |(rest, tag)| (rest, Some(tag)));
    let is_part = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphanumeric())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
    };
    let is_tag = |tag: &str| {
        let is_in_tag = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        tag.len() <= 128
            && tag.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && tag.chars().all(is_in_tag)
    };
    let is_digest = |digest: &str| {
        let hex = digest.strip_prefix("sha256:").unwrap_or_default();
        hex.len() == 64 && super::reference::is_id(hex)
    };
    let is_right = is_plain(registry)
        && repository.split('/').all(is_part)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest);
    is_right.then_some(()).ok_or_else(wrong)
}
