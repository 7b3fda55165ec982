//! A state of format 1, as the first Bimetal wrote it, is brought forward once, and what it was is kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bimetal_model::Value;
use bimetal_model::port::{Remember as _, StateError};
use bimetal_model::snapshot::{Revision, RevisionOutcome};
use bimetal_state::{Location, Rekey, open};

use super::scene::*;

/// Written by that Bimetal: what `put(Some("a"))`, `intent("b")`, two outputs, two revisions and a secret came to.
const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/format-1.db");

/// Written by a later one of that format, when states had envelopes: two applies of two outputs.
const ENVELOPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/format-1-enveloped.db");

fn scene() -> (Scene, PathBuf) {
    scene_of(FIXTURE)
}

fn scene_of(fixture: &str) -> (Scene, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    std::fs::copy(fixture, &path).unwrap();
    let location = Location::Sqlite(path.clone());
    (Scene { clock: Arc::default(), location, _keep: Box::new(folder) }, path)
}

fn backup(path: &Path) -> PathBuf {
    path.with_file_name("state.db.format-1.backup")
}

#[tokio::test]
async fn everything_is_there_afterwards() {
    let (scene, path) = scene();
    let state = scene.state().await;
    let snapshot = state.load().await.unwrap();
    assert_eq!(snapshot.objects, [(address("service.web.replica[0]"), stored().into())].into());
    assert_eq!(snapshot.versions[&address("service.web.replica[0]")], snapshot.serial);
    assert_eq!(snapshot.intents, [intent("b")]);
    assert!(snapshot.outputs["url"].marks.sensitive);
    assert_eq!(snapshot.outputs["plain"], Value::from("x"));
    assert_eq!(state.secret("ca").await.unwrap().unwrap(), CANARY.as_bytes());
    // Where it was from had another form then, and no release wrote it.
    let revision = || Revision { origin: None, ..revision() };
    let first = Revision { number: 1, outcome: Some(RevisionOutcome::Partial), ..revision() };
    assert_eq!(state.revisions().await.unwrap(), [Revision { number: 2, ..revision() }, first]);
    assert_eq!(state.at(2).await.unwrap().objects, snapshot.objects);
    assert!(matches!(state.at(1).await, Err(StateError::NoRevision(_))), "that was not kept then");
    let (lease, number) = begun(&state).await;
    assert_eq!(number, 3);
    state.record(&lease, vec![gone("service.web.replica[0]")]).await.unwrap();
    assert_eq!(state.at(2).await.unwrap().objects, snapshot.objects);
    let kept = rusqlite::Connection::open(backup(&path)).unwrap();
    let address: String = kept.query_row("SELECT address FROM objects", [], |row| row.get(0)).unwrap();
    assert_eq!(address, "service.web.replica[0]");
}

#[tokio::test]
async fn a_state_with_an_envelope_keeps_it_and_what_was_signed_is_right() {
    let (scene, _) = scene_of(ENVELOPED);
    let wrong = scene.state_with(&"ab".repeat(32)).await;
    assert!(matches!(wrong.load().await, Err(StateError::Sealed(_))));
    let state = scene.state().await;
    let snapshot = state.load().await.unwrap();
    assert_eq!(snapshot.outputs["token"], Value::from(CANARY).into_sensitive());
    assert_eq!(snapshot.outputs["greeting"], Value::from("hello you"));
    assert_eq!(state.at(2).await.unwrap().outputs, snapshot.outputs);
    let ends: Vec<_> = state.revisions().await.unwrap().into_iter().map(|by| (by.number, by.outcome)).collect();
    assert_eq!(ends, [(2, Some(RevisionOutcome::Done)), (1, Some(RevisionOutcome::Done))]);
    let (lease, number) = begun(&state).await;
    state.rekey(&lease, Rekey::New).await.unwrap();
    assert_eq!((number, state.load().await.unwrap()), (3, snapshot));
    assert_eq!(state.examine().await.unwrap().iter().filter(|finding| finding.is_broken).count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_come_at_once_one_does_it() {
    let (scene, path) = scene();
    let opening = (0..6).map(|_| {
        let (location, clock) = (scene.location.clone(), scene.clock.clone());
        tokio::spawn(async move { open(location, keys(KEY), clock).await.unwrap().load().await })
    });
    for opened in opening.collect::<Vec<_>>() {
        assert_eq!(opened.await.unwrap().unwrap().objects.len(), 1);
    }
    let files = std::fs::read_dir(path.parent().unwrap()).unwrap().map(|file| file.unwrap().file_name());
    let backups = files.filter(|name| name.to_string_lossy().contains("backup")).count();
    assert_eq!(backups, 1);
}

#[tokio::test]
async fn a_state_that_is_in_use_waits_for_its_holder() {
    let (scene, path) = scene();
    let holder = r#"{"who":"a@b","process":7,"command":"bimetal apply","since_ms":3}"#;
    let lock = format!("INSERT INTO lock VALUES (1, 'l', '{holder}', 1, 60000)");
    rusqlite::Connection::open(&path).unwrap().execute(&lock, []).unwrap();
    let refused = open(scene.location.clone(), keys(KEY), scene.clock.clone()).await.err();
    assert!(matches!(refused, Some(StateError::Locked(_))), "{refused:?}");
    assert!(!backup(&path).exists());
    scene.clock.now_ms.store(60_000, Ordering::SeqCst);
    assert_eq!(scene.state().await.load().await.unwrap().objects.len(), 1);
}

#[tokio::test]
async fn an_earlier_backup_stays() {
    let (scene, path) = scene();
    std::fs::write(backup(&path), "precious").unwrap();
    scene.state().await;
    assert_eq!(std::fs::read_to_string(backup(&path)).unwrap(), "precious");
    assert!(path.with_file_name("state.db.format-1.backup-2").exists());
}
