//! Components as native code, compiled once, by whichever process comes first, and cached by digest.
//!
//! Invariant: native code is loaded only from a folder and a file that belong to this user and that no one else may write
//! (test: `code_that_others_could_have_written_is_compiled_again`).

use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use bimetal_model::event::{Event, Notify};
use wasmtime::Engine;
use wasmtime::component::Component;

/// The component, from the cache where that may be trusted.
pub(crate) fn load(
    engine: &Engine,
    name: &str,
    wasm: &[u8],
    digest: &str,
    cache: &Path,
    notify: &dyn Notify,
) -> wasmtime::Result<Component> {
    let path = path(engine, digest, cache);
    if let Some(component) = load_cached(engine, &path) {
        return Ok(component);
    }
    notify.notify(Event::Busy { message: format!("compiling provider `{name}`, once") });
    // Where it can't be had, more than one may compile it, and nothing else is lost.
    let _turn = turn(&path).inspect_err(|error| tracing::warn!(%error, "the cache can't be locked")).ok();
    if let Some(component) = load_cached(engine, &path) {
        return Ok(component);
    }
    let code = engine.precompile_component(wasm)?;
    if let Err(error) = store(&path, &code) {
        tracing::warn!(%error, path = %path.display(), "compiled code can't be kept");
    }
    deserialize(engine, &code)
}

fn path(engine: &Engine, digest: &str, cache: &Path) -> PathBuf {
    let mut hasher = std::hash::DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let digest = digest.trim_start_matches("sha256:");
    cache.join("cwasm").join(format!("{digest}-{:016x}.cwasm", hasher.finish()))
}

/// Held by who compiles, until it is dropped; whoever wants the same waits for that.
fn turn(path: &Path) -> std::io::Result<fs::File> {
    make_folder(path)?;
    let lock = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path.with_extension("lock"))?;
    lock.lock()?;
    Ok(lock)
}

fn make_folder(path: &Path) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn load_cached(engine: &Engine, path: &Path) -> Option<Component> {
    if !(is_ours(path.parent()?)? && is_ours(path)?) {
        return None;
    }
    deserialize_file(engine, path).ok()
}

#[allow(unsafe_code)]
fn deserialize_file(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file and its folder belong to this user and nobody else may write them (`is_ours`), so that what is in it
    // was written by `store`; wasmtime itself refuses code of other versions and settings.
    unsafe { Component::deserialize_file(engine, path) }
}

#[allow(unsafe_code)]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes come from `precompile_component` of this very engine.
    unsafe { Component::deserialize(engine, code) }
}

/// Belongs to this user, and no one else may write it.
fn is_ours(path: &Path) -> Option<bool> {
    let metadata = fs::symlink_metadata(path).ok()?;
    let me = fs::metadata("/proc/self").ok()?.uid();
    Some(!metadata.is_symlink() && metadata.uid() == me && metadata.mode() & 0o022 == 0)
}

/// Whole or not at all, also where two processes do it at once.
pub(crate) fn store(path: &Path, content: &[u8]) -> std::io::Result<()> {
    make_folder(path)?;
    let temporary = path.with_extension(format!("{}.tmp", uuid::Uuid::new_v4().simple()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
    let written = std::io::Write::write_all(&mut file, content).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// What `store` wrote, if nobody else could have.
pub(crate) fn read(path: &Path) -> Option<Vec<u8>> {
    let trusted = is_ours(path.parent()?)? && is_ours(path)?;
    if trusted { fs::read(path).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bimetal_model::event::Silent;
    use std::os::unix::fs::PermissionsExt as _;

    /// Tells that something is compiled.
    struct Said(std::sync::mpsc::Sender<()>);

    impl Notify for Said {
        fn notify(&self, _: Event) {
            self.0.send(()).unwrap();
        }
    }

    #[test]
    fn who_comes_while_it_is_compiled_waits_for_that() {
        let folder = tempfile::tempdir().unwrap();
        let engine = crate::runtime::engine().unwrap();
        let wasm = b"\0asm\x0d\0\x01\0";
        let path = path(&engine, "sha256:1", folder.path());
        let (said, heard) = std::sync::mpsc::channel();
        let held = turn(&path).unwrap();
        std::thread::scope(|scope| {
            let other = scope.spawn(|| load(&engine, "x", wasm, "sha256:1", folder.path(), &Said(said)).map(drop));
            heard.recv().unwrap();
            store(&path, &engine.precompile_component(wasm).unwrap()).unwrap();
            let kept = fs::metadata(&path).unwrap().ino();
            drop(held);
            other.join().unwrap().unwrap();
            assert_eq!(fs::metadata(&path).unwrap().ino(), kept, "it was compiled again");
        });
    }

    #[test]
    fn code_that_others_could_have_written_is_compiled_again() {
        let folder = tempfile::tempdir().unwrap();
        let engine = crate::runtime::engine().unwrap();
        let wasm = b"\0asm\x0d\0\x01\0";
        load(&engine, "x", wasm, "sha256:1", folder.path(), &Silent).unwrap();
        let path = path(&engine, "sha256:1", folder.path());
        assert!(load_cached(&engine, &path).is_some());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        assert!(load_cached(&engine, &path).is_none());
        fs::write(&path, "garbage").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(load_cached(&engine, &path).is_none());
        load(&engine, "x", wasm, "sha256:1", folder.path(), &Silent).unwrap();
        assert!(load_cached(&engine, &path).is_some());
    }
}
