//! Modules that lie in registries: the one layer of their manifest is an archive.

use std::sync::Arc;

use async_trait::async_trait;
use bimetal_host::Artifacts;
use bimetal_host::fault::Fault;
use bimetal_host::registry::{Reference, Registries};
use bimetal_model::Diagnostic;
use bimetal_sources::{FetchArtifact, Layer};
use serde::Deserialize;

/// With the logins of Docker's own configuration.
pub(crate) struct OfRegistries(Artifacts);

impl OfRegistries {
    pub(crate) fn new() -> Self {
        OfRegistries(Artifacts::new(Arc::new(Registries::of_docker())))
    }
}

#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    size: u64,
}

#[async_trait]
impl FetchArtifact for OfRegistries {
    async fn layer(&self, reference: &str, limit: u64) -> Result<Layer, Diagnostic> {
        let told = |fault: Fault| Diagnostic::error(fault.message);
        let parsed = Reference::parse(reference).map_err(told)?;
        let bytes = self.0.manifest(&parsed).await.map_err(told)?;
        let odd = |why: String| Diagnostic::error(format!("`{reference}` is no module")).because(why);
        let manifest: Manifest = serde_json::from_slice(&bytes).map_err(|error| odd(error.to_string()))?;
        let [layer] = &manifest.layers[..] else {
            return Err(odd(format!("it has {} layers, and a module has one: an archive", manifest.layers.len())));
        };
        if layer.size > limit {
            return Err(odd(format!("its archive has {} bytes, and may have {limit}", layer.size)));
        }
        let bytes = self.0.blob(&parsed, &layer.digest).await.map_err(told)?;
        Ok(Layer { bytes, digest: layer.digest.clone() })
    }
}
