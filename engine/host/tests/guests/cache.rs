//! Components that are refused, and the cache of those that are not.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use bimetal_host::{Manifest, Origin};
use bimetal_model::ProviderName;
use bimetal_model::port::Predict as _;

use crate::rig::{Rig, empty_host, key, wasm};

fn files(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_component_is_compiled_once() {
    let cache = tempfile::tempdir().unwrap();
    let cold = Rig::with_cache(cache.path());
    assert!(cold.plan("good").is_ok());
    assert_eq!(cold.events.busy(), 1);
    let warm = Rig::with_cache(cache.path());
    assert!(warm.plan("good").is_ok());
    assert_eq!(warm.events.busy(), 0);
}

#[test]
fn a_known_schema_runs_no_guest() {
    let cache = tempfile::tempdir().unwrap();
    let asked = Rig::with_cache(cache.path()).host.schema(&key().name).unwrap();
    fs::remove_dir_all(cache.path().join("cwasm")).unwrap();
    let warm = Rig::with_cache(cache.path());
    assert_eq!(warm.host.schema(&key().name).unwrap(), asked);
    assert_eq!(warm.events.busy(), 0);
}

#[test]
fn what_is_spoiled_is_compiled_again() {
    let cache = tempfile::tempdir().unwrap();
    assert!(Rig::with_cache(cache.path()).plan("good").is_ok());
    let mut kept = files(&cache.path().join("cwasm"));
    kept.retain(|file| file.extension().is_some_and(|extension| extension == "cwasm"));
    let [compiled] = &kept[..] else { panic!("one file is kept") };
    assert_eq!(fs::metadata(compiled).unwrap().permissions().mode() & 0o777, 0o600);
    let whole = fs::read(compiled).unwrap();
    for spoiled in [&whole[..whole.len() / 2], b"garbage", b""] {
        fs::write(compiled, spoiled).unwrap();
        let rig = Rig::with_cache(cache.path());
        assert!(rig.plan("good").is_ok());
        assert_eq!(rig.events.busy(), 1);
    }
}

#[test]
fn many_that_ask_at_once_compile_once() {
    let cache = tempfile::tempdir().unwrap();
    let rig = Rig::with_cache(cache.path());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert!(rig.plan("good").is_ok()));
        }
    });
    assert_eq!(rig.events.busy(), 1);
}

#[test]
fn a_component_without_a_manifest_of_ours_is_refused() {
    let refused = |wasm: &[u8]| {
        let error = Manifest::of(wasm).unwrap_err();
        format!("{}: {}", error.summary, error.detail)
    };
    assert!(refused(b"garbage").contains("it is no WebAssembly component"));
    assert!(refused(b"\0asm\x0d\0\x01\0").contains("it has no section `bimetal:manifest`"));
    let other = patched(&wasm(), r#""contract": "0.1.0""#, r#""contract": "0.9.0""#);
    assert!(refused(&other).contains("made for version 0.9.0 of the contract, and this Bimetal speaks 0.1.0"));
    let cache = tempfile::tempdir().unwrap();
    let (host, _) = empty_host(cache.path());
    let error =
        host.add_provider(ProviderName("other".to_owned()), wasm().to_vec().into(), Origin::Embedded).unwrap_err();
    assert_eq!(error.detail, "its manifest says that it is `rogue`");
}

/// With every `from` replaced by a `to` of the same length.
fn patched(wasm: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut wasm = wasm.to_vec();
    while let Some(place) = wasm.windows(from.len()).position(|part| part == from.as_bytes()) {
        wasm[place..place + from.len()].copy_from_slice(to.as_bytes());
    }
    wasm
}

#[test]
fn a_manifest_says_what_it_wants() {
    let manifest = Manifest::of(&wasm()).unwrap();
    assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("rogue", "0.1.0"));
    assert_eq!(
        manifest.grants()[0],
        "send GET, POST requests to https://granted.invalid or what `api_url` of its provider block says (to be tested)"
    );
}
