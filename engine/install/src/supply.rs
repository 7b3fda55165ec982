//! Who is asked for components: registries, or a mirror and nobody else.

use bimetal_host::Artifacts;
use bimetal_host::fault::Fault;
use bimetal_model::Diagnostic;

use crate::artifact::{self, Label};
use crate::mirror::Mirror;
use crate::source::Source;

/// Registries, or a folder.
pub enum Supply {
    /// Over the network.
    Registries(Artifacts),
    /// Without it.
    Mirror(Mirror),
}

impl Supply {
    pub(crate) async fn tags(&self, source: &Source) -> Result<Vec<String>, Diagnostic> {
        match self {
            Supply::Registries(artifacts) => artifacts.tags(&source.at("latest")).await.map_err(told),
            Supply::Mirror(mirror) => mirror.tags(source),
        }
    }

    pub(crate) async fn label(&self, source: &Source, tag: &str) -> Result<Label, Diagnostic> {
        let manifest = match self {
            Supply::Registries(artifacts) => artifacts.manifest(&source.at(tag)).await.map_err(told)?,
            Supply::Mirror(mirror) => mirror.manifest(source, tag)?,
        };
        artifact::label(&manifest, &source.at(tag).to_string())
    }

    pub(crate) async fn component(&self, source: &Source, tag: &str, digest: &str) -> Result<Vec<u8>, Diagnostic> {
        match self {
            Supply::Registries(artifacts) => artifacts.blob(&source.at(tag), digest).await.map_err(told),
            Supply::Mirror(mirror) => mirror.blob(source, digest),
        }
    }

    /// Where a version was looked for, for people.
    pub(crate) fn shown(&self) -> &'static str {
        match self {
            Supply::Registries(_) => "the registry",
            Supply::Mirror(_) => "the mirror",
        }
    }
}

fn told(fault: Fault) -> Diagnostic {
    fault.diagnostic()
}
