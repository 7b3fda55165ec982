//! Components that were fetched, by digest. What is in a file is believed where it has the digest.

use std::path::PathBuf;
use std::sync::Arc;

use bimetal_host::{digest, kept};

/// A component with its signature, if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Component {
    /// All of it.
    pub wasm: Arc<[u8]>,
    /// The text of a `.minisig` file. Nobody has checked it.
    pub signature: Option<String>,
}

/// A folder of components.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// Below Bimetal's own cache folder.
    pub fn below(cache: PathBuf) -> Cache {
        Cache { folder: cache.join("components") }
    }

    /// The component with this digest, if it is there and whole.
    pub fn get(&self, wanted: &str) -> Option<Component> {
        let path = self.path(wanted)?;
        let wasm = std::fs::read(&path).ok().filter(|wasm| digest(wasm) == wanted)?;
        let signature = std::fs::read_to_string(path.with_extension("minisig")).ok();
        Some(Component { wasm: wasm.into(), signature })
    }

    /// Keeps a component. The signature comes first: whoever finds the component finds it, too.
    pub fn put(&self, component: &Component) -> std::io::Result<()> {
        let Some(path) = self.path(&digest(&component.wasm)) else { return Ok(()) };
        if let Some(signature) = &component.signature {
            kept::write(&path.with_extension("minisig"), signature.as_bytes())?;
        }
        kept::write(&path, &component.wasm)
    }

    fn path(&self, digest: &str) -> Option<PathBuf> {
        let hex = digest
            .strip_prefix("sha256:")
            .filter(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))?;
        Some(self.folder.join(format!("{hex}.wasm")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_tampered_with_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::below(folder.path().to_owned());
        let component = Component { wasm: b"wasm"[..].into(), signature: Some("signed".to_owned()) };
        assert_eq!(cache.get(&digest(b"wasm")), None);
        cache.put(&component).unwrap();
        assert_eq!(cache.get(&digest(b"wasm")), Some(component));
        let path = cache.path(&digest(b"wasm")).unwrap();
        std::fs::write(path, "evil").unwrap();
        assert_eq!(cache.get(&digest(b"wasm")), None);
        assert_eq!(cache.get("sha256:../../etc/passwd"), None);
    }
}
