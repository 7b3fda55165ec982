//! Where the objects are: a bucket of a cloud's, or a folder.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{Error, ObjectStore};

/// Where the objects of a state are.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// `s3://bucket/prefix`, `gs://…`, `az://container/prefix`, or `file:///folder`.
    pub url: String,
    /// What the store's own library calls `region`, `endpoint`, `access_key_id`, …; what is not said here is read from the
    /// environment, as the cloud's own tools do.
    pub options: BTreeMap<String, String>,
}

impl Bucket {
    /// The store, and the path below which everything is.
    pub(super) fn open(&self) -> Result<(Arc<dyn ObjectStore>, Path), Error> {
        // An error says that somebody else has said so already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let Some((scheme, rest)) = self.url.split_once("://") else { return Err(unknown(&self.url)) };
        let prefix = Path::parse(rest.split_once('/').map_or("", |(_, prefix)| prefix).trim_matches('/'))?;
        let url = self.url.as_str();
        let objects: Arc<dyn ObjectStore> = match scheme {
            "s3" => {
                // Not every service knows how to delete many at once, and more than one never is.
                let single = AmazonS3ConfigKey::DisableBulkDelete;
                let mut builder = AmazonS3Builder::from_env().with_url(url).with_config(single, "true");
                for (name, value) in &self.options {
                    builder = builder.with_config(name.parse()?, value);
                }
                Arc::new(builder.build()?)
            }
            "gs" => {
                let mut builder = GoogleCloudStorageBuilder::from_env().with_url(url);
                for (name, value) in &self.options {
                    builder = builder.with_config(name.parse()?, value);
                }
                Arc::new(builder.build()?)
            }
            "az" => {
                let mut builder = MicrosoftAzureBuilder::from_env().with_url(url);
                for (name, value) in &self.options {
                    builder = builder.with_config(name.parse()?, value);
                }
                Arc::new(builder.build()?)
            }
            "file" => return folder(rest),
            _ => return Err(unknown(url)),
        };
        Ok((objects, prefix))
    }
}

/// A folder, which may not be there yet.
fn folder(path: &str) -> Result<(Arc<dyn ObjectStore>, Path), Error> {
    Ok((Arc::new(LocalFileSystem::new().with_fsync(true)), Path::from_absolute_path(path)?))
}

/// Makes the folder, if it is one: only its owner may look into it.
pub(super) fn make(bucket: &Bucket) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    match bucket.url.strip_prefix("file://") {
        Some(path) => std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path),
        None => Ok(()),
    }
}

fn unknown(url: &str) -> Error {
    let reason = format!("`{url}` is no address of a store: these begin with `s3://`, `gs://`, `az://` or `file://`");
    Error::Generic { store: "bucket", source: reason.into() }
}
