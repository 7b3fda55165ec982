//! Tiny images for tests: OCI layouts in folders and archives.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(crate) fn digest(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// How a layer is packed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// The blobs of some images.
#[derive(Default)]
pub(crate) struct Blobs(pub(crate) Vec<(String, Vec<u8>)>);

impl Blobs {
    fn add(&mut self, media_type: &str, bytes: Vec<u8>) -> Value {
        let digest = digest(&bytes);
        let descriptor = json!({ "mediaType": media_type, "digest": digest, "size": bytes.len() });
        self.0.push((digest, bytes));
        descriptor
    }

    pub(crate) fn add_json(&mut self, media_type: &str, value: &Value) -> Value {
        self.add(media_type, value.to_string().into_bytes())
    }

    /// An image `FROM scratch`, and what describes its manifest.
    pub(crate) fn image(&mut self, architecture: &str, files: &[(&str, &[u8])], packing: Packing) -> Value {
        let tar = tar(files);
        let diff = digest(&tar);
        let (media_type, layer) = match packing {
            Packing::Plain => ("application/vnd.oci.image.layer.v1.tar", tar),
            Packing::Gzip => ("application/vnd.oci.image.layer.v1.tar+gzip", gzip(&tar)),
            Packing::Zstd => {
                let level = ruzstd::encoding::CompressionLevel::Fastest;
                ("application/vnd.oci.image.layer.v1.tar+zstd", ruzstd::encoding::compress_to_vec(&tar[..], level))
            }
        };
        let layer = self.add(media_type, layer);
        let config = self.add_json(
            "application/vnd.oci.image.config.v1+json",
            &json!({
                "architecture": architecture, "os": "linux",
                "config": { "Cmd": ["/bin/busybox", "sleep", "1000"], "Labels": { "made": "in a test" } },
                "rootfs": { "type": "layers", "diff_ids": [diff] },
                "history": [{ "created_by": "test" }],
            }),
        );
        self.add_json(
            "application/vnd.oci.image.manifest.v1+json",
            &json!({
                "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": config, "layers": [layer],
            }),
        )
    }

    pub(crate) fn index(&mut self, manifests: &[Value]) -> Value {
        let index = json!({
            "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests,
        });
        self.add_json("application/vnd.oci.image.index.v1+json", &index)
    }

    /// A layout in a folder.
    pub(crate) fn write(&self, folder: &Path, manifests: &[Value]) {
        let blobs = folder.join("blobs/sha256");
        std::fs::create_dir_all(&blobs).unwrap();
        for (digest, bytes) in &self.0 {
            std::fs::write(blobs.join(digest.trim_start_matches("sha256:")), bytes).unwrap();
        }
        std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion": "1.0.0"}"#).unwrap();
        let index = json!({ "schemaVersion": 2, "manifests": manifests });
        std::fs::write(folder.join("index.json"), index.to_string()).unwrap();
    }
}

/// A layout's folder as an archive.
pub(crate) fn archive(folder: &Path, file: &Path) {
    let mut archive = tar::Builder::new(std::fs::File::create(file).unwrap());
    archive.append_dir_all(".", folder).unwrap();
    archive.finish().unwrap();
}

pub(crate) fn with_platform(mut descriptor: Value, architecture: &str, variant: Option<&str>) -> Value {
    descriptor["platform"] = json!({ "os": "linux", "architecture": architecture, "variant": variant });
    descriptor
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o755);
        archive.append_data(&mut header, name, *content).unwrap();
    }
    archive.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
