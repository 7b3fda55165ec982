//! Container images made of one static program, and the OCI layout that holds them.

use std::io;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::web::Platform;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Bytes with their name.
#[derive(Clone, Debug)]
pub struct Blob {
    /// What kind of thing it is.
    pub media_type: &'static str,
    /// `sha256:…`
    pub digest: String,
    /// The thing.
    pub bytes: Vec<u8>,
}

impl Blob {
    fn new(media_type: &'static str, bytes: Vec<u8>) -> Blob {
        Blob { media_type, digest: digest(&bytes), bytes }
    }

    fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest, "size": self.bytes.len() })
    }
}

/// An image for one platform.
#[derive(Clone, Debug)]
pub struct Image {
    /// Which.
    pub platform: Platform,
    /// What registries keep under its digest.
    pub manifest: Blob,
    /// What the manifest names.
    pub parts: Vec<Blob>,
}

/// Makes an image from nothing but a program. `$GREETING` in it tells versions apart.
pub fn image(platform: Platform, program: &[u8], greeting: &str) -> io::Result<Image> {
    let layer = Blob::new(LAYER, layer(program)?);
    let config = json!({
        "architecture": platform.architecture(),
        "os": "linux",
        "config": {
            "Entrypoint": ["/web"],
            "Env": [format!("GREETING={greeting}"), "PATH=/"],
            "ExposedPorts": { "8080/tcp": {} },
        },
        "rootfs": { "type": "layers", "diff_ids": [layer.digest] },
        "history": [{ "created_by": "bimetal" }],
    });
    let config = Blob::new(CONFIG, config.to_string().into_bytes());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": config.descriptor(),
        "layers": [layer.descriptor()],
    });
    let manifest = Blob::new(MANIFEST, manifest.to_string().into_bytes());
    Ok(Image { platform, manifest, parts: vec![config, layer] })
}

/// The list of one image for several platforms.
pub fn index(images: &[Image]) -> Blob {
    let manifests: Vec<_> = images.iter().map(with_platform).collect();
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
    Blob::new(INDEX, index.to_string().into_bytes())
}

/// Writes an OCI layout that holds one image for several platforms, in place of what was there.
pub fn write_layout(folder: &Path, images: &[Image]) -> io::Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let index = index(images);
    let blobs = images.iter().flat_map(|image| image.parts.iter().chain([&image.manifest]));
    for blob in blobs.chain([&index]) {
        let (algorithm, hash) = blob.digest.split_once(':').expect("digests are made above");
        let folder = folder.join("blobs").join(algorithm);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join(hash), &blob.bytes)?;
    }
    let outer = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [index.descriptor()] });
    std::fs::write(folder.join("index.json"), outer.to_string())?;
    std::fs::write(folder.join("oci-layout"), json!({ "imageLayoutVersion": "1.0.0" }).to_string())
}

/// `sha256:…` of bytes.
pub fn digest(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}

fn with_platform(image: &Image) -> Value {
    let mut descriptor = image.manifest.descriptor();
    descriptor["platform"] = json!({ "architecture": image.platform.architecture(), "os": "linux" });
    descriptor
}

/// The program as `/web`, and the folders that engines expect; no times, so that the same program gives the same digest.
fn layer(program: &[u8]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for folder in ["dev/", "etc/", "proc/", "sys/", "tmp/"] {
        let mut header = header(tar::EntryType::Directory, 0);
        archive.append_data(&mut header, folder, io::empty())?;
    }
    archive.append_data(&mut header(tar::EntryType::Regular, program.len() as u64), "web", program)?;
    archive.into_inner()
}

fn header(kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(0o755);
    header.set_size(size);
    header
}

#[cfg(test)]
mod tests {
    use super::{digest, image, index};
    use crate::web::Platform;

    #[test]
    fn the_same_program_gives_the_same_digest() {
        let twice = [(); 2].map(|()| image(Platform::Arm64, b"program", "hello").expect("tar into memory"));
        assert_eq!(twice[0].manifest.digest, twice[1].manifest.digest);
        assert_eq!(digest(b""), "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }

    #[test]
    fn an_index_names_each_platform() {
        let images = Platform::ALL.map(|platform| image(platform, b"program", "hello").expect("tar into memory"));
        let text = String::from_utf8(index(&images).bytes).expect("JSON is text");
        assert!(text.contains(r#""architecture":"amd64""#) && text.contains(r#""architecture":"arm64""#), "{text}");
    }
}
