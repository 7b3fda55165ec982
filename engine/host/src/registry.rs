//! What an image's source offers: registries, OCI layouts in folders and archives. And artifacts, which registries keep beside images.
//!
//! Invariant: nothing is believed that does not have the digest it was asked for by (test:
//! `a_blob_that_was_changed_is_refused`).

mod artifact;
mod challenge;
mod docker_config;
mod expand;
pub(crate) mod layout;
pub(crate) mod manifest;
mod reference;
mod remote;
mod settings;

use std::path::PathBuf;
use std::sync::Arc;

use bimetal_model::image::{ImageIndex, ImageSource};

use crate::fault::Fault;

pub use artifact::{Artifacts, Parcel};
pub use reference::Reference;
pub use settings::{Login, Registries, Registry};

/// Where images come from.
pub struct Images {
    remote: remote::Remote,
    root: PathBuf,
}

impl Images {
    /// `root` is the configuration's folder: paths of layouts are relative to it.
    pub fn new(registries: Arc<Registries>, root: PathBuf) -> Images {
        Images { remote: remote::Remote::new(registries), root }
    }

    /// What a source offers for each platform.
    pub async fn resolve(&self, source: &ImageSource) -> Result<ImageIndex, Fault> {
        match source {
            ImageSource::Registry(text) => self.remote.resolve(&Reference::parse(text)?).await,
            ImageSource::Layout { path, archive } => {
                let (path, archive, shown) = (self.root.join(path), *archive, source.to_string());
                let layout = layout::open(path, archive, shown).await?;
                layout::resolve(&Arc::new(layout)).await
            }
        }
    }
}
