//! A component as registries keep it: a manifest of the standard WebAssembly types, with one layer. The signature is an
//! annotation of the manifest, so that it goes wherever the component is copied, and other tools still find one layer.

use std::collections::BTreeMap;

use bimetal_host::{Manifest, digest};
use bimetal_model::Diagnostic;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Of the manifest.
pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const LAYER: &str = "application/wasm";
const TITLE: &str = "org.opencontainers.image.title";
/// Holds the text of a `.minisig` file.
const SIGNATURE: &str = "dev.bimetal.provider.minisig";

/// A component that is to be kept.
pub(crate) struct Packed {
    pub(crate) manifest: Vec<u8>,
    pub(crate) config: Vec<u8>,
}

/// What a manifest says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Label {
    /// Of the component.
    pub(crate) digest: String,
    pub(crate) signature: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Read {
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

/// The same component and signature make the same bytes.
pub(crate) fn pack(component: &[u8], about: &Manifest, signature: Option<&str>) -> Packed {
    // Nothing that differs from one time to the next.
    let config = json!({
        "created": "1970-01-01T00:00:00Z",
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [digest(component)],
    });
    let config = config.to_string().into_bytes();
    // By the name that a layer has, tools that know nothing of components call the file that they make of it.
    let file = BTreeMap::from([(TITLE.to_owned(), format!("{}.wasm", about.name))]);
    let mut annotations =
        BTreeMap::from([(TITLE, about.name.as_str()), ("org.opencontainers.image.version", about.version.as_str())]);
    annotations.extend(signature.map(|signature| (SIGNATURE, signature)));
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": describe(CONFIG, &config),
        "layers": [Descriptor { annotations: file, ..describe(LAYER, component) }],
        "annotations": annotations,
    });
    Packed { manifest: manifest.to_string().into_bytes(), config }
}

fn describe(media_type: &str, content: &[u8]) -> Descriptor {
    let (media_type, annotations) = (media_type.to_owned(), BTreeMap::new());
    Descriptor { media_type, digest: digest(content), size: content.len() as u64, annotations }
}

/// Reads a manifest; `name` is for people.
pub(crate) fn label(manifest: &[u8], name: &str) -> Result<Label, Diagnostic> {
    let wrong = |why: String| {
        Diagnostic::error(format!("`{name}` is no provider"))
            .because(why)
            .hint("see that `source` names a provider, and no image")
    };
    let read: Read =
        serde_json::from_slice(manifest).map_err(|error| wrong(format!("its manifest can't be read: {error}")))?;
    let kind = read.config.map(|config| config.media_type).unwrap_or_default();
    let is_component = kind == CONFIG || kind.starts_with("application/vnd.wasm.");
    match &read.layers[..] {
        [layer] if is_component && layer.media_type == LAYER => {
            Ok(Label { digest: layer.digest.clone(), signature: read.annotations.get(SIGNATURE).cloned() })
        }
        layers => {
            Err(wrong(format!("it has {} layers and is of the type `{kind}`, and not of `{CONFIG}`", layers.len())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> Manifest {
        serde_json::from_str(r#"{ "format": 1, "name": "notes", "version": "1.2.0", "contract": "0.1.0" }"#).unwrap()
    }

    #[test]
    fn what_was_packed_is_read() {
        for signature in [None, Some("untrusted comment: x\nRW\n")] {
            let packed = pack(b"wasm", &about(), signature);
            let wanted = Label { digest: digest(b"wasm"), signature: signature.map(str::to_owned) };
            assert_eq!(label(&packed.manifest, "n").unwrap(), wanted);
            let read: Read = serde_json::from_slice(&packed.manifest).unwrap();
            assert_eq!(read.layers[0].annotations[TITLE], "notes.wasm");
        }
    }

    #[test]
    fn an_image_is_no_provider() {
        let image =
            json!({ "config": { "mediaType": "application/vnd.oci.image.config.v1+json", "digest": "", "size": 1 } });
        let error = label(image.to_string().as_bytes(), "a.b/c:1").unwrap_err();
        assert!(error.summary == "`a.b/c:1` is no provider" && error.hint.is_some(), "{error:?}");
        assert!(label(b"[", "a.b/c:1").is_err());
    }
}
