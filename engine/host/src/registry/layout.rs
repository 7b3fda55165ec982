//! OCI layouts: `index.json` and blobs, in a folder or in a tar archive.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use bimetal_model::image::{ImageIndex, ImageManifest};

use super::expand::{Fetch, expand, of_manifest};
use super::manifest::{Document, check_digest, digest_of, verified};
use crate::fault::{Code, Fault};

/// Of a document or a configuration.
const SMALL: u64 = 8 << 20;

/// A layout that was found.
pub(crate) struct Layout {
    path: PathBuf,
    shown: String,
    /// Where the files of an archive begin, and their sizes; `None`: a folder.
    archive: Option<HashMap<String, (u64, u64)>>,
}

/// Opens a layout; an archive's list of files is read.
pub(crate) async fn open(path: PathBuf, archive: bool, shown: String) -> Result<Layout, Fault> {
    blocking(move || Layout::open(path, archive, shown)).await
}

/// What it offers for each platform.
pub(crate) async fn resolve(layout: &Arc<Layout>) -> Result<ImageIndex, Fault> {
    let reading = layout.clone();
    let bytes = blocking(move || reading.file("index.json")).await?;
    let Document::Index(descriptors) = Document::parse(&bytes, &layout.shown)? else {
        return Err(layout.wrong("its `index.json` is no index"));
    };
    let mut images = descriptors.iter().filter(|descriptor| !descriptor.is_attestation());
    // An index around one image or one index is only the layout's way of naming it.
    let digest = match (images.next(), images.next()) {
        (Some(only), None) => only.digest.clone(),
        _ => digest_of(&bytes),
    };
    let manifests = match &descriptors[..] {
        [only] => only_one(layout, &only.digest).await?,
        _ => None,
    };
    let manifests = match manifests {
        Some(manifests) => manifests,
        None => expand(layout, descriptors).await?,
    };
    let twice = manifests.iter().enumerate().find_map(|(index, one)| {
        manifests[..index].iter().find(|other| other.platform == one.platform && other.digest != one.digest)
    });
    match twice {
        Some(one) => Err(layout.wrong(&format!("it has several images for {}; keep one in a layout", one.platform))),
        None => Ok(ImageIndex { digest, manifests }),
    }
}

/// A single image's platform is what its configuration says, even where the descriptor is silent or wrong.
async fn only_one(layout: &Arc<Layout>, digest: &str) -> Result<Option<Vec<ImageManifest>>, Fault> {
    let bytes = layout.document(digest).await?;
    match Document::parse(&bytes, &layout.shown)? {
        Document::Index(_) => Ok(None),
        Document::Manifest(manifest) => {
            let found = of_manifest(layout, digest.to_owned(), &manifest).await?;
            Ok(found.map(|found| vec![found]))
        }
    }
}

/// Runs what reads files.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    let ended = |error| Fault::new(Code::Cancelled, format!("reading a file was given up: {error}"));
    tokio::task::spawn_blocking(work).await.map_err(ended)?
}

impl Layout {
    fn open(path: PathBuf, archive: bool, shown: String) -> Result<Layout, Fault> {
        let missing = |error: std::io::Error| {
            let code = if error.kind() == std::io::ErrorKind::NotFound { Code::NotFound } else { Code::Invalid };
            Fault::new(code, format!("`{shown}` can't be read: {error}"))
        };
        if !archive {
            std::fs::metadata(path.join("index.json")).map_err(missing)?;
            return Ok(Layout { path, shown, archive: None });
        }
        std::fs::metadata(&path).map_err(missing)?;
        let files = files_of(&path).map_err(|error| {
            let hint = "an OCI archive is a plain tar file: unpack what is compressed around it";
            Fault::new(Code::Invalid, format!("`{shown}` is not a tar archive: {error}\n{hint}"))
        })?;
        Ok(Layout { path, shown, archive: Some(files) })
    }

    /// As users wrote it.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    pub(crate) fn wrong(&self, why: &str) -> Fault {
        Fault::new(Code::Invalid, format!("`{}` can't be used: {why}", self.shown))
    }

    /// A blob and its size; its digest is not checked.
    pub(crate) fn blob_unchecked(&self, digest: &str) -> Result<(Box<dyn Read + Send>, u64), Fault> {
        self.read(&format!("blobs/sha256/{}", check_digest(digest)?))
    }

    /// A small blob, checked.
    pub(crate) fn small(&self, digest: &str) -> Result<Vec<u8>, Fault> {
        let bytes = self.file(&format!("blobs/sha256/{}", check_digest(digest)?))?;
        verified(bytes, digest, &format!("a blob of `{}`", self.shown))
    }

    fn file(&self, name: &str) -> Result<Vec<u8>, Fault> {
        let (reader, size) = self.read(name)?;
        if size > SMALL {
            return Err(self.wrong(&format!("`{name}` is larger than {} MiB", SMALL >> 20)));
        }
        let mut bytes = Vec::new();
        reader.take(SMALL).read_to_end(&mut bytes).map_err(|error| self.wrong(&format!("`{name}`: {error}")))?;
        Ok(bytes)
    }

    fn read(&self, name: &str) -> Result<(Box<dyn Read + Send>, u64), Fault> {
        let wrong = |error: std::io::Error| self.wrong(&format!("`{name}`: {error}"));
        match &self.archive {
            None => {
                let file = File::open(self.path.join(name)).map_err(wrong)?;
                let size = file.metadata().map_err(wrong)?.len();
                Ok((Box::new(file), size))
            }
            Some(files) => {
                let &(start, size) = files.get(name).ok_or_else(|| self.wrong(&format!("it has no `{name}`")))?;
                let mut file = File::open(&self.path).map_err(wrong)?;
                file.seek(SeekFrom::Start(start)).map_err(wrong)?;
                Ok((Box::new(file.take(size)), size))
            }
        }
    }
}

fn files_of(path: &Path) -> std::io::Result<HashMap<String, (u64, u64)>> {
    let mut archive = tar::Archive::new(File::open(path)?);
    let mut files = HashMap::new();
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        let name = entry.path()?.to_string_lossy().trim_start_matches("./").to_owned();
        files.insert(name, (entry.raw_file_position(), entry.size()));
    }
    Ok(files)
}

#[async_trait]
impl Fetch for Arc<Layout> {
    async fn document(&self, digest: &str) -> Result<Vec<u8>, Fault> {
        self.blob(digest).await
    }

    async fn blob(&self, digest: &str) -> Result<Vec<u8>, Fault> {
        let (layout, digest) = (self.clone(), digest.to_owned());
        blocking(move || layout.small(&digest)).await
    }

    fn name(&self) -> String {
        format!("`{}`", self.shown)
    }
}
