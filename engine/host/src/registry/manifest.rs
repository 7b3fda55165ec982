//! Manifests, indexes and image configurations, of OCI and of Docker.

use std::collections::BTreeMap;

use bimetal_model::Platform;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::fault::{Code, Fault};

/// All that may be answered for a tag.
pub(crate) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// Says what a blob is and which one.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    #[serde(default)]
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) platform: Option<BarePlatform>,
    #[serde(default)]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// A platform as it is written, or the first members of an image's configuration.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct BarePlatform {
    #[serde(default)]
    pub(crate) os: String,
    #[serde(default)]
    pub(crate) architecture: String,
    pub(crate) variant: Option<String>,
}

impl BarePlatform {
    pub(crate) fn is_unknown(&self) -> bool {
        let unknown = |word: &str| word.is_empty() || word == "unknown";
        unknown(&self.os) || unknown(&self.architecture)
    }

    pub(crate) fn platform(&self) -> Platform {
        Platform::new(&self.os, &self.architecture, self.variant.as_deref())
    }
}

impl Descriptor {
    /// Signatures and bills of materials that builders put beside images.
    pub(crate) fn is_attestation(&self) -> bool {
        self.annotations.contains_key("vnd.docker.reference.type")
            || self.platform.as_ref().is_some_and(BarePlatform::is_unknown)
    }
}

/// What stands behind a tag or a digest.
pub(crate) enum Document {
    Index(Vec<Descriptor>),
    Manifest(Manifest),
}

/// One image.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) config: Descriptor,
    #[serde(default)]
    pub(crate) layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    schema_version: Option<u32>,
    manifests: Option<Vec<Descriptor>>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
}

impl Document {
    /// `name` is for people.
    pub(crate) fn parse(bytes: &[u8], name: &str) -> Result<Document, Fault> {
        let wrong = |why: String| Fault::new(Code::Protocol, format!("{name} is not an image's manifest: {why}"));
        let raw: Raw = serde_json::from_slice(bytes).map_err(|error| wrong(error.to_string()))?;
        match raw {
            Raw { schema_version: Some(1), .. } => Err(wrong(
                "it is of Docker's schema 1, which is no longer in use\npush the image again with a newer Docker"
                    .to_owned(),
            )),
            Raw { manifests: Some(manifests), .. } => Ok(Document::Index(manifests)),
            Raw { config: Some(config), layers, .. } => {
                Ok(Document::Manifest(Manifest { config, layers: layers.unwrap_or_default() }))
            }
            _ => Err(wrong("it has neither `manifests` nor `config`".to_owned())),
        }
    }
}

/// `sha256:…` of some bytes.
pub(crate) fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The hexadecimal part. Digests become paths and URLs, so nothing else may be in them.
pub(crate) fn check_digest(digest: &str) -> Result<&str, Fault> {
    let is_hex = |hex: &&str| hex.len() == 64 && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    let hex = digest.strip_prefix("sha256:").filter(is_hex);
    hex.ok_or_else(|| {
        Fault::new(Code::Invalid, format!("`{digest}` is not a digest, as `sha256:` and 64 hexadecimal digits are"))
    })
}

/// The bytes, if they have the digest.
pub(crate) fn verified(bytes: Vec<u8>, digest: &str, name: &str) -> Result<Vec<u8>, Fault> {
    check_digest(digest)?;
    match digest_of(&bytes) {
        found if found == digest => Ok(bytes),
        found => Err(Fault::new(Code::Protocol, format!("{name} should have the digest {digest}, but has {found}"))),
    }
}
