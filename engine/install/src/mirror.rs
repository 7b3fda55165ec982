//! A folder with an OCI layout for each source: `DIR/registry.example.org/team/notes`, a port behind a `+`. Other tools read them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bimetal_host::{Manifest, digest};
use bimetal_model::Diagnostic;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::artifact::{self, MANIFEST};
use crate::cache::Component;
use crate::source::Source;

/// What an index calls a version by.
const NAME: &str = "org.opencontainers.image.ref.name";

/// The folder.
#[derive(Clone, Debug)]
pub struct Mirror {
    folder: PathBuf,
}

/// `index.json`
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u32,
    #[serde(default)]
    manifests: Vec<Entry>,
}

#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl Mirror {
    /// Nothing is read yet.
    pub fn at(folder: PathBuf) -> Mirror {
        Mirror { folder }
    }

    /// The versions of a provider; none where it is not mirrored.
    pub(crate) fn tags(&self, source: &Source) -> Result<Vec<String>, Diagnostic> {
        let entries = self.index(source)?.map(|index| index.manifests).unwrap_or_default();
        Ok(entries.into_iter().filter_map(|mut entry| entry.annotations.remove(NAME)).collect())
    }

    pub(crate) fn manifest(&self, source: &Source, tag: &str) -> Result<Vec<u8>, Diagnostic> {
        let index = self.index(source)?;
        let entry = index.and_then(|index| {
            index.manifests.into_iter().find(|entry| entry.annotations.get(NAME).is_some_and(|name| name == tag))
        });
        let missing = || {
            Diagnostic::error(format!("the mirror `{}` has no `{source}` {tag}", self.folder.display()))
                .hint("`bimetal providers mirror DIR` fills it, where there is a network")
        };
        self.blob(source, &entry.ok_or_else(missing)?.digest)
    }

    pub(crate) fn blob(&self, source: &Source, wanted: &str) -> Result<Vec<u8>, Diagnostic> {
        let path = self.place(source).join("blobs/sha256").join(wanted.trim_start_matches("sha256:"));
        let bytes = fs::read(&path).map_err(|error| broken(&path, &error.to_string()))?;
        match digest(&bytes) {
            found if found == wanted => Ok(bytes),
            found => Err(broken(&path, &format!("its digest is {found}"))),
        }
    }

    /// Adds a version of a provider, or writes it over.
    pub fn add(&self, source: &Source, component: &Component) -> Result<(), Diagnostic> {
        let about = Manifest::of(&component.wasm)?;
        let packed = artifact::pack(&component.wasm, &about, component.signature.as_deref());
        let mut index = self.index(source)?.unwrap_or(Index { schema_version: 2, manifests: Vec::new() });
        index.manifests.retain(|entry| entry.annotations.get(NAME) != Some(&about.version));
        index.manifests.push(Entry {
            media_type: MANIFEST.to_owned(),
            digest: digest(&packed.manifest),
            size: packed.manifest.len() as u64,
            annotations: BTreeMap::from([(NAME.to_owned(), about.version)]),
        });
        let place = self.place(source);
        for blob in [&component.wasm[..], &packed.config, &packed.manifest] {
            write(&place.join("blobs/sha256").join(digest(blob).trim_start_matches("sha256:")), blob)?;
        }
        write(&place.join("oci-layout"), json!({ "imageLayoutVersion": "1.0.0" }).to_string().as_bytes())?;
        // Last: whoever reads it finds all that it names.
        write(&place.join("index.json"), format!("{:#}\n", json!(index)).as_bytes())
    }

    fn place(&self, source: &Source) -> PathBuf {
        // A colon would end the path for tools that write `PATH:TAG`.
        self.folder.join(source.registry().replace(':', "+")).join(source.repository())
    }

    fn index(&self, source: &Source) -> Result<Option<Index>, Diagnostic> {
        let path = self.place(source).join("index.json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(broken(&path, &error.to_string())),
        };
        let json: Json = serde_json::from_slice(&text).map_err(|error| broken(&path, &error.to_string()))?;
        serde_json::from_value(json).map(Some).map_err(|error| broken(&path, &error.to_string()))
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), Diagnostic> {
    let failed = |error: std::io::Error| Diagnostic::error(format!("`{}` can't be written: {error}", path.display()));
    // Others read mirrors: no folder of it is this user's alone.
    fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&temporary, content).and_then(|()| fs::rename(&temporary, path)).map_err(failed)
}

fn broken(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::error(format!("the mirror is damaged: `{}`", path.display()))
        .because(why)
        .hint("write it anew with `bimetal providers mirror DIR`")
}
