//! An SQLite file: what is in it, who may read it, and what it can't be.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use bimetal_model::Value;
use bimetal_model::lease::Scope;
use bimetal_model::port::{Remember as _, StateError};
use bimetal_model::snapshot::Snapshot;
use bimetal_state::{Key, Keys, Location, open};

use super::scene::*;

fn scene() -> (Scene, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/state.db");
    let location = Location::Sqlite(path.clone());
    (Scene { clock: Arc::default(), location, _keep: Box::new(folder) }, path)
}

keeps_its_promises!(async { Some(scene().0) });

/// Of every file there.
fn bytes(path: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(path.parent().unwrap()).unwrap();
    files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
}

fn database(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).unwrap()
}

#[tokio::test]
async fn looking_makes_no_file() {
    let (scene, path) = scene();
    let key = path.with_file_name("state.key");
    let state = open(scene.location.clone(), Keys::new(vec![Key::File(key)]), scene.clock.clone()).await.unwrap();
    assert_eq!(state.load().await.unwrap(), Snapshot::default());
    state.force_unlock(&[]).await.unwrap();
    assert!(!path.parent().unwrap().exists());
}

#[tokio::test]
async fn nothing_sensitive_is_in_the_files() {
    let (scene, path) = scene();
    let state = scene.state().await;
    let (lease, _) = begun(&state).await;
    state.intend(&lease, &[intent("a"), intent("b")]).await.unwrap();
    state.record(&lease, vec![put(Some("a")), output("url", Value::from(CANARY).into_sensitive())]).await.unwrap();
    state.keep_secret("ca", CANARY.as_bytes()).await.unwrap();
    let source = bimetal_model::snapshot::Source {
        files: [("a".to_owned(), format!("token = \"{CANARY}\""))].into(),
        variables: [("token".to_owned(), Value::from(CANARY).into_sensitive())].into(),
        ..Default::default()
    };
    state.begin(&lease, revision(), Some(&source)).await.unwrap();
    let bytes = bytes(&path);
    let has = |needle: &str| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
    assert!(has("plain-canary"), "what is not sensitive stays readable");
    assert!(!has(CANARY) && !has(&CANARY[..7]));
    assert!(!has("104,117,110,116"), "nor as the numbers of its bytes");
    assert!(!has("aHVudGVyMi1jYW5hcn"), "nor as base64");
}

#[tokio::test]
async fn only_its_owner_may_read_a_state() {
    let (scene, path) = scene();
    let state = scene.state().await;
    let _lease = begun(&state).await;
    for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
}

#[tokio::test]
async fn a_key_that_is_missing_is_not_made_for_a_state_that_has_one() {
    let (scene, path) = scene();
    begun(&scene.state().await).await;
    let missing = path.with_file_name("nowhere.key");
    let other =
        open(scene.location.clone(), Keys::new(vec![Key::File(missing.clone())]), scene.clock.clone()).await.unwrap();
    let error = other.load().await.unwrap_err().to_string();
    assert!(error.contains("nowhere.key") && error.contains("missing"), "{error}");
    assert!(!missing.exists());
}

/// Runs in a process of its own: takes a lease, says so, and waits to be killed.
#[tokio::test]
async fn child_that_holds_a_lease() {
    let Some(path) = std::env::var_os("BIMETAL_TEST_STATE") else {
        return;
    };
    let location = Location::Sqlite(path.into());
    let state = open(location, keys(KEY), Arc::new(Clock::default())).await.unwrap();
    let lease = state.lock(&holder("child@b"), &Scope::Everything).await.unwrap();
    state.intend(&lease, &[intent("a")]).await.unwrap();
    println!("\nlocked");
    let _ = std::io::stdin().read(&mut [0]);
}

#[tokio::test]
async fn the_lease_of_a_killed_process_is_free_at_once_and_its_intents_are_there() {
    let (scene, path) = scene();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "stores::sqlite::child_that_holds_a_lease", "--nocapture"])
        .env("BIMETAL_TEST_STATE", &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "locked"));
    let state = scene.state().await;
    match state.lock(&holder("a@b"), &Scope::Everything).await {
        Err(StateError::Locked(clash)) => assert_eq!(clash.held.holder.who, "child@b"),
        other => panic!("{other:?}"),
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(state.leases().await.unwrap(), []);
    state.lock(&holder("a@b"), &Scope::Everything).await.unwrap();
    assert_eq!(state.load().await.unwrap().intents, [intent("a")]);
}

#[tokio::test]
async fn a_newer_state_is_refused() {
    let (scene, path) = scene();
    begun(&scene.state().await).await;
    database(&path).pragma_update(None, "user_version", 3).unwrap();
    match open(scene.location.clone(), keys(KEY), scene.clock.clone()).await.err() {
        Some(StateError::Newer { found: 3, known: 2 }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_no_state_is_refused() {
    let (scene, path) = scene();
    let open = || open(scene.location.clone(), keys(KEY), scene.clock.clone());
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "some text that is no database, but long enough to be looked at").unwrap();
    assert!(open().await.is_err());
    std::fs::remove_file(&path).unwrap();
    database(&path).execute_batch("CREATE TABLE other (a)").unwrap();
    let error = open().await.err().unwrap().to_string();
    assert!(error.contains("not a state"), "{error}");
}

#[tokio::test]
async fn an_empty_file_is_a_state_that_was_never_written() {
    let (scene, path) = scene();
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, "").unwrap();
    let state = scene.state().await;
    assert_eq!(state.load().await.unwrap(), Snapshot::default());
    begun(&state).await;
}

#[tokio::test]
async fn a_state_is_not_copied_over_one_that_went_on() {
    let ((scene, path), (there, _)) = (scene(), scene());
    let (old, new) = (scene.state().await, there.state().await);
    let (lease, _) = begun(&old).await;
    old.record(&lease, vec![put_plain("a.a", 1)]).await.unwrap();
    old.move_to(&lease, &new).await.unwrap();
    // As if its process had been killed before it left word.
    let forgets = || database(&path).execute("DELETE FROM meta WHERE key = 'moved_to'", []).unwrap();
    forgets();
    old.move_to(&lease, &new).await.unwrap();
    forgets();
    let (theirs, _) = begun(&new).await;
    new.record(&theirs, vec![put_plain("b.b", 1)]).await.unwrap();
    let refused = old.move_to(&lease, &new).await.unwrap_err().to_string();
    assert!(refused.contains("the same state is there, and in use"), "{refused}");
    assert_eq!(new.load().await.unwrap().objects.len(), 2);
}

#[tokio::test]
async fn a_sealed_row_that_was_moved_does_not_open() {
    let (scene, path) = scene();
    let state = scene.state().await;
    let (lease, _) = begun(&state).await;
    state.record(&lease, vec![put(None)]).await.unwrap();
    database(&path).execute("UPDATE objects SET key = 'docker_volume.x'", []).unwrap();
    assert!(matches!(state.load().await, Err(StateError::Damaged(_))));
    let broken = state.examine().await.unwrap();
    assert!(broken.iter().any(|finding| finding.is_broken && finding.what.contains("docker_volume.x")), "{broken:?}");
}

/// Not how fast, but that nothing grows with what is already there: a guard against reading all to write one.
#[tokio::test]
async fn writing_one_does_not_take_longer_where_there_are_many() {
    let (scene, _) = scene();
    let state = scene.state().await;
    let (lease, _) = begun(&state).await;
    let one = async || {
        let start = Instant::now();
        for size in 0..20 {
            state.record(&lease, vec![put_plain("a.a", size)]).await.unwrap();
        }
        start.elapsed()
    };
    let few = one().await;
    state.record(&lease, (0..20_000).map(|number| put_plain(&format!("b.n{number}"), number)).collect()).await.unwrap();
    let many = one().await;
    assert!(many < few * 10 + std::time::Duration::from_secs(2), "{few:?} and {many:?}");
}
