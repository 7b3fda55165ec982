//! What keys a state opens with, and how these change.

mod scene;

use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use bimetal_model::Value;
use bimetal_model::port::{Remember as _, StateError};
use bimetal_state::{Key, Keys, Location, Rekey, Secret, State, restore};
use scene::{CANARY, Scene, fill, key, keys, lock, secret};

const FIXTURE: &[u8] = include_bytes!("fixtures/sealed_with_the_key.db");
const FIXTURE_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

fn passphrase(text: &str) -> Key {
    Key::Passphrase { name: "`BIMETAL_STATE_PASSPHRASE`".to_owned(), passphrase: Secret::new(text) }
}

/// What seals from now on, and what opens what is there.
fn turning(new: Key, old: Key) -> Keys {
    Keys { seal: vec![new], open: vec![old] }
}

async fn rekey(store: &State, how: Rekey) -> Result<Rekey, StateError> {
    let lease = lock(store).await?;
    let done = store.rekey(&lease, how).await;
    store.unlock(lease).await?;
    done
}

/// Fails where the state is not what `fill` left.
async fn assert_whole(store: &State, objects: usize) {
    let snapshot = store.load().await.unwrap();
    assert_eq!((snapshot.objects.len(), snapshot.intents.len()), (objects, 1));
    assert!(snapshot.objects.values().all(|stored| stored.object.private == b"private-canary"));
    assert_eq!(snapshot.outputs["out"], secret());
    assert_eq!(store.secret("ca").await.unwrap().unwrap(), CANARY.as_bytes());
    assert_eq!(store.revisions().await.unwrap().len(), 1);
}

fn refused(result: Result<impl Sized, StateError>) -> String {
    match result {
        Err(error @ (StateError::Sealed(_) | StateError::Key(_) | StateError::NoKey(_))) => error.to_string(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was not refused"),
    }
}

#[tokio::test]
async fn a_state_that_is_sealed_with_the_key_itself_opens_and_can_get_another() {
    let scene = Scene::new();
    std::fs::write(scene.path(), FIXTURE).unwrap();
    let old = || Key::Text { name: "`BIMETAL_STATE_KEY`".to_owned(), text: Secret::new(FIXTURE_KEY) };
    assert!(refused(scene.store(keys("a")).await.unwrap().load().await).contains("is not the one"));
    assert!(refused(scene.store(Keys::default()).await.unwrap().load().await).contains("there is none here"));
    let store = scene.store(Keys::new(vec![old()])).await.unwrap();
    let before = store.load().await.unwrap();
    assert_eq!((before.objects.len(), before.intents.len(), before.serial), (1, 1, 4));
    assert_eq!(store.secret("ca").await.unwrap().unwrap(), CANARY.as_bytes());
    // It goes on being written as it was.
    let lease = lock(&store).await.unwrap();
    let number = store.begin(&lease, scene::revision(), None).await.unwrap();
    store.finish(&lease, number, bimetal_model::snapshot::RevisionOutcome::Done).await.unwrap();
    store.unlock(lease).await.unwrap();
    drop(store);
    // Another key alone would leave the old one able to open all: there is no data key yet.
    let store = scene.store(turning(passphrase("correct horse"), old())).await.unwrap();
    assert_eq!(rekey(&store, Rekey::Wrap).await.unwrap(), Rekey::New);
    drop(store);
    assert!(refused(scene.store(Keys::new(vec![old()])).await.unwrap().load().await).contains("a passphrase"));
    let store = scene.store(Keys::new(vec![passphrase("correct horse")])).await.unwrap();
    assert_eq!(store.load().await.unwrap(), before);
    assert_eq!(store.secret("ca").await.unwrap().unwrap(), CANARY.as_bytes());
    assert_eq!(store.revisions().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_state_takes_other_keys_and_the_old_one_opens_nothing_any_more() {
    for how in [Rekey::Wrap, Rekey::New] {
        let scene = Scene::new();
        let store = scene.store(keys("a")).await.unwrap();
        fill(&store, 3, &secret()).await.unwrap();
        drop(store);
        let before = std::fs::read(scene.path()).unwrap();
        // A wrong old key is told, and changes nothing.
        let store = scene.store(turning(key("b"), key("c"))).await.unwrap();
        assert!(refused(rekey(&store, how).await).contains("is not the one"));
        drop(store);
        assert_eq!(std::fs::read(scene.path()).unwrap(), before);
        let store = scene.store(turning(key("b"), key("a"))).await.unwrap();
        assert_eq!(rekey(&store, how).await.unwrap(), how);
        assert_whole(&store, 3).await;
        drop(store);
        assert_whole(&scene.store(keys("b")).await.unwrap(), 3).await;
        assert!(refused(scene.store(keys("a")).await.unwrap().load().await).contains("is not the one"));
        let nobody = scene.store(Keys { seal: Vec::new(), open: vec![key("b")] }).await.unwrap();
        refused(rekey(&nobody, how).await);
        assert!(!scene.has(CANARY));
    }
}

#[tokio::test]
async fn what_is_copied_once_there_is_another_key_opens_with_that() {
    for how in [Rekey::Wrap, Rekey::New] {
        let scene = Scene::new();
        let store = scene.store(keys("a")).await.unwrap();
        fill(&store, 3, &secret()).await.unwrap();
        store.back_up().await.unwrap();
        drop(store);
        let store = scene.store(turning(key("b"), key("a"))).await.unwrap();
        rekey(&store, how).await.unwrap();
        store.back_up().await.unwrap();
        drop(store);
        restore(&scene.path(), None).unwrap();
        assert_whole(&scene.store(keys("b")).await.unwrap(), 3).await;
    }
}

#[tokio::test]
async fn whoever_has_it_open_goes_on_with_the_new_key() {
    let scene = Scene::new();
    let both = || Keys::new(vec![key("a"), key("b")]);
    let one = scene.store(both()).await.unwrap();
    fill(&one, 1, &secret()).await.unwrap();
    let other = scene.store(both()).await.unwrap();
    other.load().await.unwrap();
    rekey(&one, Rekey::New).await.unwrap();
    other.keep_secret("late", b"late").await.unwrap();
    assert_eq!(one.secret("late").await.unwrap().unwrap(), b"late");
    assert_whole(&other, 1).await;
}

#[tokio::test]
async fn without_a_key_what_is_not_sensitive_is_stored_and_nothing_else() {
    let scene = Scene::new();
    let store = scene.store(Keys::default()).await.unwrap();
    assert!(!store.can_seal().await.unwrap());
    fill(&store, 2, &Value::from("plain-canary")).await.unwrap();
    assert!(scene.has("plain-canary"));
    let before = store.load().await.unwrap();
    assert_eq!(before.objects[&scene::address(0)].object.private, b"private-canary");
    let errors =
        [refused(fill(&store, 1, &secret()).await), refused(store.keep_secret("authority/x", CANARY.as_bytes()).await)];
    assert!(errors[0].contains("`i0` is sensitive"), "{errors:?}");
    assert!(errors[1].contains("`authority/x` is sensitive"), "{errors:?}");
    assert!(!scene.has(CANARY));
    drop(store);
    assert_eq!(scene.store(Keys::default()).await.unwrap().load().await.unwrap(), before);
}

#[tokio::test]
async fn a_state_gets_its_key_with_the_first_lock_and_is_sealed_by_then() {
    let scene = Scene::new();
    let store = scene.store(Keys::default()).await.unwrap();
    fill(&store, 2, &Value::from("plain-canary")).await.unwrap();
    let before = store.load().await.unwrap();
    drop(store);
    let store = scene.store(keys("a")).await.unwrap();
    // Who only looks changes nothing.
    assert_eq!(store.load().await.unwrap(), before);
    assert!(store.can_seal().await.unwrap());
    assert!(scene.store(Keys::default()).await.unwrap().load().await.is_ok());
    let lease = lock(&store).await.unwrap();
    store.unlock(lease).await.unwrap();
    assert_eq!(store.load().await.unwrap(), before);
    let keyless = scene.store(Keys::default()).await.unwrap();
    assert!(refused(keyless.load().await).contains("they open with a key"));
    refused(keyless.can_seal().await);
}

#[tokio::test]
async fn a_state_that_somebody_wrote_to_is_found_out() {
    let scene = Scene::new();
    let store = scene.store(keys("a")).await.unwrap();
    fill(&store, 1, &Value::from("plain-canary")).await.unwrap();
    drop(store);
    let database = rusqlite::Connection::open(scene.path()).unwrap();
    database.execute("UPDATE objects SET value = replace(value, 'plain-canary', 'evil-canary')", []).unwrap();
    drop(database);
    match scene.store(keys("a")).await.unwrap().load().await {
        Err(StateError::Damaged(reason)) => assert!(reason.contains("docker_volume.a[0]"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

/// Runs in a process of its own: gives the state one key after the other until it is killed.
#[tokio::test]
async fn child_that_changes_keys() {
    let Some(path) = std::env::var_os("BIMETAL_TEST_STATE") else { return };
    let clock = std::sync::Arc::new(scene::Clock::default());
    for (new, old) in ["b", "c"].into_iter().zip(["a", "b"]) {
        let store =
            bimetal_state::open(Location::Sqlite(path.clone().into()), turning(key(new), key(old)), clock.clone())
                .await
                .unwrap();
        rekey(&store, Rekey::New).await.unwrap();
    }
}

#[tokio::test]
async fn killed_in_the_middle_it_has_the_old_key_or_the_new_one() {
    let mut seen = std::collections::BTreeSet::new();
    for after_ms in [0, 20, 40, 60, 80, 120, 160, 240, 400, 10_000] {
        let scene = Scene::new();
        let store = scene.store(keys("a")).await.unwrap();
        fill(&store, 300, &secret()).await.unwrap();
        drop(store);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_changes_keys"])
            .env("BIMETAL_TEST_STATE", scene.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let end = std::time::Instant::now() + std::time::Duration::from_millis(after_ms);
        while std::time::Instant::now() < end && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        let _ = child.kill();
        child.wait().unwrap();
        let mut open = Vec::new();
        for digit in ["a", "b", "c"] {
            let store = scene.store(keys(digit)).await.unwrap();
            if store.load().await.is_ok() {
                assert_whole(&store, 300).await;
                open.push(digit);
            }
        }
        assert_eq!(open.len(), 1, "after {after_ms} ms: {open:?}");
        seen.extend(open);
    }
    assert!(seen.contains("a") && seen.contains("c"), "{seen:?}");
}

#[tokio::test]
async fn a_key_file_is_used_where_it_is_and_missed_where_it_is_not() {
    let scene = Scene::new();
    let path = scene.folder.path().join("keys/state.key");
    bimetal_state::make_key_file(&path).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let file = || Keys::new(vec![Key::File(path.clone())]);
    fill(&scene.store(file()).await.unwrap(), 1, &secret()).await.unwrap();
    assert_whole(&scene.store(file()).await.unwrap(), 1).await;
    std::fs::rename(&path, path.with_extension("away")).unwrap();
    let error = refused(scene.store(file()).await.unwrap().load().await);
    assert!(error.contains("state.key` is missing") && error.contains("they open with a key"), "{error}");
}
