//! From an index, of whatever depth, to one manifest a platform.

use async_trait::async_trait;
use bimetal_model::image::ImageManifest;
use futures::FutureExt;
use futures::future::BoxFuture;

use super::manifest::{BarePlatform, Descriptor, Document, Manifest};
use crate::fault::{Code, Fault};

/// Indexes in indexes; more is an attack or a mistake.
const DEPTH: usize = 4;

/// What documents and blobs come from. All that is fetched has its digest checked.
#[async_trait]
pub(crate) trait Fetch: Send + Sync {
    /// A manifest or an index.
    async fn document(&self, digest: &str) -> Result<Vec<u8>, Fault>;
    /// A small blob.
    async fn blob(&self, digest: &str) -> Result<Vec<u8>, Fault>;
    /// For people.
    fn name(&self) -> String;
}

/// One manifest a platform, in the index's order; attestations are left out.
pub(crate) async fn expand(fetch: &dyn Fetch, descriptors: Vec<Descriptor>) -> Result<Vec<ImageManifest>, Fault> {
    let mut found = Vec::new();
    walk(fetch, descriptors, 0, &mut found).await?;
    match found.is_empty() {
        true => Err(Fault::new(Code::NotFound, format!("{} has no image in it", fetch.name()))),
        false => Ok(found),
    }
}

fn walk<'a>(
    fetch: &'a dyn Fetch,
    descriptors: Vec<Descriptor>,
    depth: usize,
    found: &'a mut Vec<ImageManifest>,
) -> BoxFuture<'a, Result<(), Fault>> {
    async move {
        if depth > DEPTH {
            return Err(Fault::new(Code::Protocol, format!("{} has too many indexes in indexes", fetch.name())));
        }
        for descriptor in descriptors.into_iter().filter(|descriptor| !descriptor.is_attestation()) {
            if let Some(platform) = known_platform(&descriptor) {
                found.push(ImageManifest { platform: platform.platform(), digest: descriptor.digest });
                continue;
            }
            let bytes = fetch.document(&descriptor.digest).await?;
            match Document::parse(&bytes, &fetch.name())? {
                Document::Index(inner) => walk(fetch, inner, depth + 1, found).await?,
                Document::Manifest(manifest) => found.extend(of_manifest(fetch, descriptor.digest, &manifest).await?),
            }
        }
        Ok(())
    }
    .boxed()
}

/// An index may be described by a platform too; what counts are the manifests in it.
fn known_platform(descriptor: &Descriptor) -> Option<&BarePlatform> {
    let is_index = descriptor.media_type.contains("index") || descriptor.media_type.contains("manifest.list");
    descriptor.platform.as_ref().filter(|_| !is_index)
}

/// The platform is in the image's configuration. `None`: it is no image, but some other artifact.
pub(crate) async fn of_manifest(
    fetch: &dyn Fetch,
    digest: String,
    manifest: &Manifest,
) -> Result<Option<ImageManifest>, Fault> {
    if !manifest.config.media_type.contains("image") {
        return Ok(None);
    }
    let config = fetch.blob(&manifest.config.digest).await?;
    let platform: BarePlatform = serde_json::from_slice(&config).map_err(|error| {
        Fault::new(Code::Protocol, format!("the configuration of {} can't be read: {error}", fetch.name()))
    })?;
    Ok((!platform.is_unknown()).then(|| ImageManifest { platform: platform.platform(), digest }))
}
