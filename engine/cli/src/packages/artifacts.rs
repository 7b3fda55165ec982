//! Modules that lie in registries: the one layer of their manifest is an archive.

use std::sync::Arc;

use async_trait::async_trait;
use bimetal_host::Artifacts;
use bimetal_host::fault::Fault;
use bimetal_host::registry::{Reference, Registries};
use bimetal_model::Diagnostic;
use bimetal_sources::{FetchArtifact, Layer};
use serde::Deserialize;

/// As a configuration says that registries are reached, or Docker's own.
pub(crate) struct OfRegistries(Artifacts);

impl OfRegistries {
    pub(crate) fn new(registries: Registries) -> Self {
        OfRegistries(Artifacts::new(Arc::new(registries)))
    }
}

/// With the hint that comes with it.
fn told(fault: Fault) -> Diagnostic {
    fault.diagnostic()
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
    async fn tags(&self, repository: &str) -> Result<Vec<String>, Diagnostic> {
        self.0.tags(&Reference::parse(repository).map_err(told)?).await.map_err(told)
    }

    async fn layer(&self, reference: &str, limit: u64) -> Result<Layer, Diagnostic> {
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
