//! A component on its way into a registry.

use bimetal_host::fault::Code;
use bimetal_host::registry::{Artifacts, Parcel};
use bimetal_host::{Manifest, digest};
use bimetal_model::Diagnostic;

use crate::artifact::{self, MANIFEST};
use crate::cache::Component;
use crate::source::Source;

/// Pushes a component under a version, which must be the one that it has itself. Gives its digest.
pub async fn publish(
    artifacts: &Artifacts,
    source: &Source,
    version: &str,
    component: &Component,
) -> Result<String, Diagnostic> {
    let about = Manifest::of(&component.wasm)?;
    if about.version != version {
        let error = Diagnostic::error(format!("this is `{}` {}, and not {version}", about.name, about.version));
        return Err(error.hint("the version stands in the component's manifest; publish it under that one"));
    }
    let packed = artifact::pack(&component.wasm, &about, component.signature.as_deref());
    let blobs = [&component.wasm[..], &packed.config];
    let parcel = Parcel { media_type: MANIFEST, manifest: &packed.manifest, blobs: &blobs };
    artifacts.push(&source.at(version), &parcel).await.map_err(|fault| fault.diagnostic())?;
    Ok(digest(&component.wasm))
}

/// Whether there is another component under this version.
pub async fn is_taken(
    artifacts: &Artifacts,
    source: &Source,
    version: &str,
    component: &Component,
) -> Result<bool, Diagnostic> {
    match artifacts.manifest(&source.at(version)).await {
        // What can't be read is something else.
        Ok(manifest) => {
            let label = artifact::label(&manifest, &source.at(version).to_string());
            Ok(label.map_or(true, |label| label.digest != digest(&component.wasm)))
        }
        Err(fault) if fault.code == Code::NotFound => Ok(false),
        Err(fault) => Err(fault.diagnostic()),
    }
}
