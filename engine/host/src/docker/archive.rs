//! An OCI image as the tar archive that `docker load` has taken since long before it knew OCI layouts.
//!
//! Every blob is read twice: first to check it and to learn its size, which a tar header needs, then to send it. Nothing
//! is held in memory and nothing is written to disk.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use serde_json::json;
use sha2::{Digest, Sha256};

use super::zstd::{Frames, is_zstd};
use crate::fault::{Code, Fault};
use crate::registry::layout::Layout;
use crate::registry::manifest::{Document, check_digest, hex};

/// An archive that can be written.
pub(super) struct Archive {
    manifest: Vec<u8>,
    config: (String, Vec<u8>),
    layers: Vec<Layer>,
}

struct Layer {
    digest: String,
    name: String,
    /// As it will be in the archive.
    size: u64,
    /// Docker 20.10 knows gzip and plain tar, but not zstd: it is unpacked here.
    zstd: bool,
}

/// Checks the image of that digest.
pub(super) fn of(layout: &Layout, digest: &str, tag: &str) -> Result<Archive, Fault> {
    let manifest = match Document::parse(&layout.small(digest)?, layout.shown())? {
        Document::Manifest(manifest) => manifest,
        Document::Index(_) => {
            return Err(layout.wrong(&format!("{digest} is an index of images, not an image")));
        }
    };
    let config = layout.small(&manifest.config.digest)?;
    let config_name = format!("{}.json", check_digest(&manifest.config.digest)?);
    let digests: Vec<&str> = manifest.layers.iter().map(|layer| layer.digest.as_str()).collect();
    let names = digests.iter().map(|digest| Ok(format!("{}.tar", check_digest(digest)?)));
    let names = names.collect::<Result<Vec<_>, Fault>>()?;
    let manifest = json!([{ "Config": config_name, "RepoTags": [tag], "Layers": names }]).to_string().into_bytes();
    // A layer may be in an image twice.
    let once: BTreeSet<&str> = digests.into_iter().collect();
    let layers = once.into_iter().map(|digest| layer(layout, digest)).collect::<Result<Vec<_>, _>>()?;
    Ok(Archive { manifest, config: (config_name, config), layers })
}

fn layer(layout: &Layout, digest: &str) -> Result<Layer, Fault> {
    let broken = |error: std::io::Error| layout.wrong(&format!("layer {digest}: {error}"));
    let (mut blob, _) = layout.blob_unchecked(digest)?;
    let mut start = Vec::new();
    (&mut blob).take(4).read_to_end(&mut start).map_err(broken)?;
    let zstd = is_zstd(&start);
    let mut hash = Hashing { inner: start.chain(blob), hash: Sha256::new() };
    let size = match zstd {
        true => std::io::copy(&mut Frames::new(&mut hash), &mut std::io::sink()),
        false => std::io::copy(&mut hash, &mut std::io::sink()),
    }
    .map_err(broken)?;
    match format!("sha256:{}", hex(&hash.hash.finalize())) {
        found if found == digest => {
            Ok(Layer { digest: digest.to_owned(), name: format!("{}.tar", check_digest(digest)?), size, zstd })
        }
        found => Err(Fault::new(
            Code::Protocol,
            format!("a layer of `{}` should have the digest {digest}, but has {found}", layout.shown()),
        )),
    }
}

struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

impl Archive {
    /// About how many bytes will be written.
    pub(super) fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.size).sum::<u64>() + self.config.1.len() as u64
    }

    /// Writes it all.
    pub(super) fn write(&self, layout: &Layout, to: impl Write) -> std::io::Result<()> {
        let mut archive = tar::Builder::new(to);
        append(&mut archive, "manifest.json", self.manifest.len() as u64, &self.manifest[..])?;
        append(&mut archive, &self.config.0, self.config.1.len() as u64, &self.config.1[..])?;
        for layer in &self.layers {
            let blob = layout.blob_unchecked(&layer.digest).map_err(|fault| std::io::Error::other(fault.message));
            let (blob, _) = blob?;
            match layer.zstd {
                true => append(&mut archive, &layer.name, layer.size, Frames::new(blob))?,
                false => append(&mut archive, &layer.name, layer.size, blob)?,
            }
        }
        archive.into_inner()?.flush()
    }
}

fn append(archive: &mut tar::Builder<impl Write>, name: &str, size: u64, content: impl Read) -> std::io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(size);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, content)
}
