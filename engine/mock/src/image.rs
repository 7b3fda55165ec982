//! Images that nobody pulls.

use bimetal_model::image::{ImageIndex, ImageManifest, ImageSource};
use sha2::{Digest as _, Sha256};

/// Whatever machine it is for.
const PLATFORMS: [&str; 8] = [
    "linux/amd64",
    "linux/arm64",
    "linux/arm/v7",
    "linux/arm/v6",
    "linux/386",
    "linux/ppc64le",
    "linux/riscv64",
    "linux/s390x",
];

/// An index with a manifest for every platform.
pub(crate) fn index(source: &ImageSource) -> ImageIndex {
    let manifest = |name: &&str| match name.parse() {
        Ok(platform) => ImageManifest { platform, digest: digest(&format!("{source} {name}")) },
        Err(reason) => unreachable!("`{name}` is a platform: {reason}"),
    };
    ImageIndex { digest: digest(&source.to_string()), manifests: PLATFORMS.iter().map(manifest).collect() }
}

fn digest(seed: &str) -> String {
    let bytes: String = Sha256::digest(seed).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{bytes}")
}
