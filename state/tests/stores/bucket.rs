//! A log in a folder.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;

use bimetal_model::port::{Remember as _, StateError};
use bimetal_state::{Bucket, Location};

use super::scene::*;

fn scene() -> (Scene, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/state");
    let bucket = Bucket { url: format!("file://{}", path.display()), options: Default::default() };
    (Scene { clock: Arc::default(), location: Location::Objects(bucket), _keep: Box::new(folder) }, path)
}

keeps_its_promises!(async { Some(scene().0) });

fn names(folder: PathBuf) -> Vec<String> {
    let files = std::fs::read_dir(folder).map(|files| files.map(|file| file.unwrap().file_name()).collect::<Vec<_>>());
    let mut names: Vec<String> =
        files.unwrap_or_default().into_iter().map(|name| name.to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn looking_makes_nothing_and_only_its_owner_may_look() {
    let (scene, path) = scene();
    let state = scene.state().await;
    state.load().await.unwrap();
    assert!(!path.exists());
    begun(&state).await;
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn reading_begins_with_the_last_snapshot() {
    let (scene, path) = scene();
    let state = scene.state().await;
    let (lease, _) = begun(&state).await;
    for size in 0..300 {
        state.record(&lease, vec![put_plain(&format!("a.n{}", size % 50), size)]).await.unwrap();
    }
    let snapshots = names(path.join("snapshot"));
    assert_eq!(snapshots.len(), 2, "older ones are gone");
    // What is before the last one is not needed to read.
    let last = snapshots.last().unwrap();
    for name in names(path.join("log")).iter().filter(|name| *name <= last) {
        std::fs::remove_file(path.join("log").join(name)).unwrap();
    }
    let other = scene.state().await;
    assert_eq!(other.load().await.unwrap(), state.load().await.unwrap());
    let broken = other.examine().await.unwrap();
    assert!(broken.iter().any(|finding| finding.is_broken && finding.what.contains("no commit 1,")), "{broken:?}");
}

#[tokio::test]
async fn a_newer_state_is_refused() {
    let (scene, path) = scene();
    begun(&scene.state().await).await;
    let next = names(path.join("log")).len() + 1;
    std::fs::write(path.join(format!("log/{next:020}")), r#"{"format":3,"else":1}"#).unwrap();
    let keys = keys(KEY);
    let refused = bimetal_state::open(scene.location.clone(), keys, scene.clock.clone()).await.map(drop);
    assert!(matches!(refused, Err(StateError::Newer { found: 3, known: 2 })), "{refused:?}");
}

#[tokio::test]
async fn an_object_that_can_not_be_read_is_named() {
    let (scene, path) = scene();
    begun(&scene.state().await).await;
    let last = names(path.join("log")).len();
    std::fs::write(path.join(format!("log/{last:020}")), "broken").unwrap();
    let refused = bimetal_state::open(scene.location.clone(), keys(KEY), scene.clock.clone()).await.map(drop);
    let said = refused.unwrap_err().to_string();
    assert!(said.contains(&format!("log/{last:020}` is not what it should be")), "{said}");
}
