//! Components as native code, compiled once, by whichever process comes first, and cached by digest.
//!
//! Invariant: native code is loaded only from a folder and a file that belong to this user and that no one else may write
//! (test: `code_that_others_could_have_written_is_compiled_again`).

use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use bimetal_model::event::{Event, Notify};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::kept::{self, Doubt};

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
    let message = match kept::check(&path) {
        // What others could have written is never run; that it takes its time every time has a reason that can be mended.
        Err(Doubt::Others(place)) => {
            let place = place.display();
            format!("compiling provider `{name}`: others may write `{place}`, see to it with `chmod go-w {place}`")
        }
        Err(Doubt::Missing) | Ok(()) => format!("compiling provider `{name}`, once"),
    };
    notify.notify(Event::Busy { message });
    // Where it can't be had, more than one may compile it, and nothing else is lost.
    let _turn = turn(&path).inspect_err(|error| tracing::warn!(%error, "the cache can't be locked")).ok();
    if let Some(component) = load_cached(engine, &path) {
        return Ok(component);
    }
    let code = engine.precompile_component(wasm)?;
    if let Err(error) = kept::write(&path, &code) {
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
    kept::make_folder(path)?;
    let lock = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path.with_extension("lock"))?;
    lock.lock()?;
    Ok(lock)
}

fn load_cached(engine: &Engine, path: &Path) -> Option<Component> {
    kept::check(path).ok()?;
    deserialize_file(engine, path).ok()
}

#[allow(unsafe_code)]
fn deserialize_file(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file and its folder belong to this user and nobody else may write them (`kept::check`), so that what is in it
    // was written by `store`; wasmtime itself refuses code of other versions and settings.
    unsafe { Component::deserialize_file(engine, path) }
}

#[allow(unsafe_code)]
fn deserialize(engine: &Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: the bytes come from `precompile_component` of this very engine.
    unsafe { Component::deserialize(engine, code) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bimetal_model::event::Silent;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    use std::sync::mpsc;

    /// Tells that something is compiled.
    struct Said(mpsc::Sender<String>);

    impl Notify for Said {
        fn notify(&self, event: Event) {
            let Event::Busy { message } = event else { panic!("nothing else happens") };
            self.0.send(message).unwrap();
        }
    }

    #[test]
    fn who_comes_while_it_is_compiled_waits_for_that() {
        let folder = tempfile::tempdir().unwrap();
        let engine = crate::runtime::engine().unwrap();
        let wasm = b"\0asm\x0d\0\x01\0";
        let path = path(&engine, "sha256:1", folder.path());
        let (said, heard) = mpsc::channel();
        let held = turn(&path).unwrap();
        std::thread::scope(|scope| {
            let other = scope.spawn(|| load(&engine, "x", wasm, "sha256:1", folder.path(), &Said(said)).map(drop));
            heard.recv().unwrap();
            kept::write(&path, &engine.precompile_component(wasm).unwrap()).unwrap();
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

    #[test]
    fn a_folder_that_others_may_write_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let engine = crate::runtime::engine().unwrap();
        let wasm = b"\0asm\x0d\0\x01\0";
        load(&engine, "x", wasm, "sha256:1", folder.path(), &Silent).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let (said, heard) = mpsc::channel();
        load(&engine, "x", wasm, "sha256:1", folder.path(), &Said(said)).unwrap();
        let place = folder.path().display();
        let wanted = format!("compiling provider `x`: others may write `{place}`, see to it with `chmod go-w {place}`");
        assert_eq!(heard.recv().unwrap(), wanted);
    }
}
