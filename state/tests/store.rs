//! What the store promises, shown on real files.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bimetal_model::placement::Placement;
use bimetal_model::port::{Edge, Holder, Lease, Record, Remember as _, StateError};
use bimetal_model::snapshot::{Effect, Intent, IntentId, Object, Revision, RevisionOutcome, Snapshot, Stored};
use bimetal_model::{Address, Data, ProviderKey, Value};
use bimetal_state::{Key, Keys, Secret, SqliteStore, open};

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const CANARY: &str = "hunter2-canary";

#[derive(Default)]
struct Clock {
    now_ms: AtomicU64,
    ids: AtomicU64,
}

impl Edge for Clock {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }

    fn new_id(&self) -> String {
        format!("id{}p{}", self.ids.fetch_add(1, Ordering::SeqCst), std::process::id())
    }
}

struct Place {
    folder: tempfile::TempDir,
    clock: Arc<Clock>,
}

impl Place {
    fn new() -> Place {
        Place { folder: tempfile::tempdir().unwrap(), clock: Arc::default() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("deep/state.db")
    }

    async fn store(&self) -> SqliteStore {
        self.store_with(KEY).await
    }

    async fn store_with(&self, key: &str) -> SqliteStore {
        open(self.path(), keys(key), self.clock.clone()).await.unwrap()
    }

    /// Of every file there.
    fn bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.path().parent().unwrap()).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }
}

fn keys(text: &str) -> Keys {
    Keys::new(vec![Key::Text { name: "`BIMETAL_STATE_KEY`".to_owned(), text: Secret::new(text) }])
}

fn holder(who: &str) -> Holder {
    Holder { who: who.to_owned(), process: 7, command: "bimetal apply".to_owned(), since_ms: 3 }
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn secretive() -> Value {
    [
        (
            "env",
            [("TOKEN", Value::from(CANARY).into_sensitive()), ("MODE", Value::from("plain-canary"))]
                .into_iter()
                .collect(),
        ),
        ("engine", Data::Handle(r#"{"host":"h"}"#.into()).into()),
        ("memory", "123456789012345678901234567890.5".parse::<bimetal_model::Number>().unwrap().into()),
        ("$odd", Value::NULL),
    ]
    .into_iter()
    .collect()
}

fn intent(id: &str) -> Intent {
    Intent {
        id: IntentId(id.to_owned()),
        address: address("service.web.replica[0]"),
        provider: ProviderKey::default_of("docker"),
        ty: "docker_container".to_owned(),
        effect: Effect::Create,
        config: [("unmarked", Value::from(CANARY))].into_iter().collect(),
        depends_on: vec![address("machine.docker.a")],
        placement: Some(Placement {
            replica: address("service.web.replica[0]"),
            machine: address("machine.docker.a"),
            platform: "linux/arm/v7".parse().unwrap(),
            image: "nginx@sha256:0".to_owned(),
            reason: "stays".to_owned(),
            generation: 0,
        }),
    }
}

fn stored() -> Stored {
    Stored {
        provider: ProviderKey::default_of("docker"),
        ty: "docker_container".to_owned(),
        schema_version: 2,
        object: Object { value: secretive(), private: CANARY.as_bytes().to_vec() },
        depends_on: vec![address("machine.docker.a")],
        placement: intent("a").placement,
        tainted: true,
        unfinished: Some(intent("a")),
        prevent_destroy: false,
    }
}

fn put(closes: Option<&str>) -> Record {
    let closes = closes.map(|id| IntentId(id.to_owned()));
    Record::Put { address: address("service.web.replica[0]"), stored: Box::new(stored()), closes }
}

fn revision() -> Revision {
    Revision {
        number: 0,
        who: "a@b".to_owned(),
        started_ms: 5,
        commit: Some("abc-dirty".to_owned()),
        command: "bimetal apply".to_owned(),
        summary: serde_json::json!({ "changes": [1] }),
        outcome: None,
    }
}

#[tokio::test]
async fn looking_at_a_state_that_does_not_exist_creates_nothing() {
    let place = Place::new();
    let key = Key::File(place.folder.path().join("state.key"));
    let store = open(place.path(), Keys::new(vec![key]), place.clock.clone()).await.unwrap();
    assert_eq!(store.load().await.unwrap(), Snapshot::default());
    assert_eq!(store.revisions().await.unwrap(), []);
    assert_eq!(store.secret("ca").await.unwrap(), None);
    store.force_unlock().await.unwrap();
    assert_eq!(std::fs::read_dir(place.folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_was_recorded_is_there_after_a_crash() {
    let place = Place::new();
    {
        let store = place.store().await;
        let lease = store.lock(&holder("a@b")).await.unwrap();
        store.begin(&lease, revision()).await.unwrap();
        store.intend(&lease, &[intent("a"), intent("b")]).await.unwrap();
        store.record(&lease, vec![put(Some("a"))]).await.unwrap();
        let outputs = [("url".to_owned(), Value::from(CANARY).into_sensitive())].into();
        store.record(&lease, vec![Record::Outputs(outputs)]).await.unwrap();
    }
    let snapshot = place.store().await.load().await.unwrap();
    assert_eq!(snapshot.objects, [(address("service.web.replica[0]"), stored())].into());
    assert_eq!(snapshot.intents, [intent("b")]);
    assert!(snapshot.outputs["url"].marks.sensitive);
    assert_eq!(snapshot.serial, 3);
    assert!(!snapshot.lineage.is_empty());
    assert_eq!(place.store().await.revisions().await.unwrap(), [Revision { number: 1, ..revision() }]);
}

#[tokio::test]
async fn what_is_removed_or_came_to_nothing_is_gone() {
    let place = Place::new();
    let store = place.store().await;
    let lease = store.lock(&holder("a@b")).await.unwrap();
    store.intend(&lease, &[intent("a"), intent("b")]).await.unwrap();
    store.record(&lease, vec![put(None), Record::Close(IntentId("b".to_owned()))]).await.unwrap();
    let closes = Some(IntentId("a".to_owned()));
    store.record(&lease, vec![Record::Remove { address: address("service.web.replica[0]"), closes }]).await.unwrap();
    let snapshot = store.load().await.unwrap();
    assert!(snapshot.objects.is_empty() && snapshot.intents.is_empty());
}

#[tokio::test]
async fn an_intent_that_is_open_can_be_promised_again() {
    let place = Place::new();
    let store = place.store().await;
    let lease = store.lock(&holder("a@b")).await.unwrap();
    store.intend(&lease, &[intent("a"), intent("b")]).await.unwrap();
    let again = Intent { config: Value::from("other"), ..intent("a") };
    store.intend(&lease, std::slice::from_ref(&again)).await.unwrap();
    assert_eq!(store.load().await.unwrap().intents, [again, intent("b")]);
    store.record(&lease, vec![put(Some("a"))]).await.unwrap();
    assert_eq!(store.load().await.unwrap().intents, [intent("b")]);
}

#[tokio::test]
async fn revisions_are_counted_and_closed() {
    let place = Place::new();
    let store = place.store().await;
    let lease = store.lock(&holder("a@b")).await.unwrap();
    let first = store.begin(&lease, revision()).await.unwrap();
    store.finish(&lease, first, RevisionOutcome::Partial).await.unwrap();
    assert_eq!(store.begin(&lease, revision()).await.unwrap(), 2);
    let outcomes: Vec<_> = store.revisions().await.unwrap().into_iter().map(|r| (r.number, r.outcome)).collect();
    assert_eq!(outcomes, [(2, None), (1, Some(RevisionOutcome::Partial))]);
}

#[tokio::test]
async fn nothing_sensitive_is_in_the_files() {
    let place = Place::new();
    let store = place.store().await;
    let lease = store.lock(&holder("a@b")).await.unwrap();
    store.intend(&lease, &[intent("a"), intent("b")]).await.unwrap();
    let outputs = [("url".to_owned(), Value::from(CANARY).into_sensitive())].into();
    store.record(&lease, vec![put(Some("a")), Record::Outputs(outputs)]).await.unwrap();
    store.keep_secret("ca", CANARY.as_bytes()).await.unwrap();
    let bytes = place.bytes();
    let has = |needle: &str| bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
    assert!(has("plain-canary"), "what is not sensitive stays readable");
    assert!(!has(CANARY) && !has(&CANARY[..7]));
    assert!(!has("104,117,110,116"), "nor as the numbers of its bytes");
    assert!(!has("aHVudGVyMi1jYW5hcn"), "nor as base64");
}

#[tokio::test]
async fn only_its_owner_may_read_a_state() {
    let place = Place::new();
    let store = place.store().await;
    let _lease = store.lock(&holder("a@b")).await.unwrap();
    for file in std::fs::read_dir(place.path().parent().unwrap()).unwrap() {
        let file = file.unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", file.path());
    }
}

#[tokio::test]
async fn another_key_opens_nothing_and_writes_nothing() {
    let place = Place::new();
    let store = place.store().await;
    let lease = store.lock(&holder("a@b")).await.unwrap();
    store.record(&lease, vec![put(None)]).await.unwrap();
    store.unlock(lease).await.unwrap();
    let other = place.store_with(&"ab".repeat(32)).await;
    for error in [other.load().await.unwrap_err(), other.lock(&holder("c@d")).await.unwrap_err()] {
        assert!(matches!(error, StateError::Sealed(_)), "{error}");
        assert!(error.to_string().contains("BIMETAL_STATE_KEY"), "{error}");
    }
    let missing = Key::File(place.folder.path().join("nowhere.key"));
    let other = open(place.path(), Keys::new(vec![missing]), place.clock.clone()).await.unwrap();
    let error = other.load().await.unwrap_err().to_string();
    assert!(error.contains("nowhere.key") && error.contains("missing"), "{error}");
    assert!(!place.folder.path().join("nowhere.key").exists());
}

#[tokio::test]
async fn the_lock_is_one_at_a_time_and_says_whose_it_is() {
    let place = Place::new();
    let (one, other) = (place.store().await, place.store().await);
    let lease = one.lock(&holder("a@b")).await.unwrap();
    match other.lock(&holder("c@d")).await {
        Err(StateError::Locked(found)) => assert_eq!(found, holder("a@b")),
        other => panic!("{other:?}"),
    }
    assert!(matches!(one.lock(&holder("a@b")).await, Err(StateError::Locked(_))), "not even twice by one");
    one.unlock(lease).await.unwrap();
    other.lock(&holder("c@d")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_one_gets_the_lock() {
    let place = Place::new();
    let mut stores = Vec::new();
    for _ in 0..8 {
        stores.push(place.store().await);
    }
    let one = |store: SqliteStore| tokio::spawn(async move { (store.lock(&holder("a@b")).await, store) });
    let tasks: Vec<_> = stores.into_iter().map(one).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    let refused = |result: &Result<Lease, StateError>| matches!(result, Err(StateError::Locked(_)));
    assert_eq!(results.iter().filter(|(result, _)| result.is_ok()).count(), 1);
    assert_eq!(results.iter().filter(|(result, _)| refused(result)).count(), 7);
}

#[tokio::test]
async fn a_lease_that_ran_out_is_taken_over_and_its_writes_are_refused() {
    let place = Place::new();
    let (one, other) = (place.store().await, place.store().await);
    let lost = one.lock(&holder("a@b")).await.unwrap();
    place.clock.now_ms.store(59_999, Ordering::SeqCst);
    assert!(matches!(other.lock(&holder("c@d")).await, Err(StateError::Locked(_))));
    one.renew(&lost).await.unwrap();
    place.clock.now_ms.store(60_001, Ordering::SeqCst);
    assert!(matches!(other.lock(&holder("c@d")).await, Err(StateError::Locked(_))), "it was renewed");
    place.clock.now_ms.store(120_000, Ordering::SeqCst);
    one.record(&lost, vec![]).await.unwrap();
    other.lock(&holder("c@d")).await.unwrap();
    let refused = [
        one.record(&lost, vec![put(None)]).await,
        one.intend(&lost, &[intent("a")]).await,
        one.renew(&lost).await,
        one.finish(&lost, 1, RevisionOutcome::Done).await,
        one.begin(&lost, revision()).await.map(drop),
        one.unlock(lost).await,
    ];
    for result in refused {
        assert!(matches!(result, Err(StateError::LeaseLost)), "{result:?}");
    }
    assert!(other.load().await.unwrap().objects.is_empty());
}

#[tokio::test]
async fn a_clock_that_jumps_lets_nobody_write_beside_the_holder() {
    let place = Place::new();
    let (one, other) = (place.store().await, place.store().await);
    let set = |now_ms| place.clock.now_ms.store(now_ms, Ordering::SeqCst);
    let is_locked = async || matches!(other.lock(&holder("c@d")).await, Err(StateError::Locked(_)));
    set(1_000_000);
    let lease = one.lock(&holder("a@b")).await.unwrap();
    // Back: the holder goes on, and nobody else comes in.
    set(0);
    one.record(&lease, vec![]).await.unwrap();
    assert!(is_locked().await);
    one.renew(&lease).await.unwrap();
    // Forward, as after a night's sleep: who has not been relieved still holds it.
    set(30_000_000);
    one.record(&lease, vec![]).await.unwrap();
    one.renew(&lease).await.unwrap();
    assert!(is_locked().await);
    set(60_000_000);
    let taken = other.lock(&holder("c@d")).await.unwrap();
    // Back again: who was relieved stays so.
    set(0);
    assert!(matches!(one.record(&lease, vec![put(None)]).await, Err(StateError::LeaseLost)));
    assert!(matches!(one.renew(&lease).await, Err(StateError::LeaseLost)));
    other.record(&taken, vec![]).await.unwrap();
}

#[tokio::test]
async fn a_lock_can_be_forced() {
    let place = Place::new();
    let (one, other) = (place.store().await, place.store_with("no key").await);
    let lost = one.lock(&holder("a@b")).await.unwrap();
    other.force_unlock().await.unwrap();
    assert!(matches!(one.record(&lost, vec![]).await, Err(StateError::LeaseLost)));
    place.store().await.lock(&holder("c@d")).await.unwrap();
}

/// Runs in a process of its own: takes the lock, says so, and waits to be killed.
#[tokio::test]
async fn child_that_holds_the_lock() {
    let Some(path) = std::env::var_os("BIMETAL_TEST_STATE") else {
        return;
    };
    let store = open(path.into(), keys(KEY), Arc::new(Clock::default())).await.unwrap();
    let lease = store.lock(&holder("child@b")).await.unwrap();
    store.intend(&lease, &[intent("a")]).await.unwrap();
    println!("\nlocked");
    let _ = std::io::stdin().read(&mut [0]);
}

#[tokio::test]
async fn the_lock_of_a_killed_process_is_free_at_once_and_its_intents_are_there() {
    let place = Place::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_holds_the_lock", "--nocapture"])
        .env("BIMETAL_TEST_STATE", place.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "locked"));
    let store = place.store().await;
    match store.lock(&holder("a@b")).await {
        Err(StateError::Locked(found)) => assert_eq!(found.who, "child@b"),
        other => panic!("{other:?}"),
    }
    child.kill().unwrap();
    child.wait().unwrap();
    store.lock(&holder("a@b")).await.unwrap();
    assert_eq!(store.load().await.unwrap().intents, [intent("a")]);
}

#[tokio::test]
async fn a_newer_state_is_refused() {
    let place = Place::new();
    let store = place.store().await;
    store.keep_secret("a", b"b").await.unwrap();
    drop(store);
    database(&place.path()).pragma_update(None, "user_version", 2).unwrap();
    match open(place.path(), keys(KEY), place.clock.clone()).await.err() {
        Some(StateError::Newer { found: 2, known: 1 }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_is_no_state_is_refused() {
    let place = Place::new();
    std::fs::create_dir_all(place.path().parent().unwrap()).unwrap();
    std::fs::write(place.path(), "some text that is no database, but long enough to be looked at").unwrap();
    assert!(open(place.path(), keys(KEY), place.clock.clone()).await.is_err());
    std::fs::remove_file(place.path()).unwrap();
    let other = rusqlite::Connection::open(place.path()).unwrap();
    other.execute_batch("CREATE TABLE other (a)").unwrap();
    let error = open(place.path(), keys(KEY), place.clock.clone()).await.err().unwrap();
    assert!(error.to_string().contains("not a state"), "{error}");
}

#[tokio::test]
async fn an_empty_file_is_a_state_that_was_never_written() {
    let place = Place::new();
    std::fs::create_dir_all(place.path().parent().unwrap()).unwrap();
    std::fs::write(place.path(), "").unwrap();
    let store = place.store().await;
    assert_eq!(store.load().await.unwrap(), Snapshot::default());
    store.lock(&holder("a@b")).await.unwrap();
}

#[tokio::test]
async fn a_sealed_row_that_was_moved_does_not_open() {
    let place = Place::new();
    let store = place.store().await;
    let lease = store.lock(&holder("a@b")).await.unwrap();
    store.record(&lease, vec![put(None)]).await.unwrap();
    database(&place.path()).execute("UPDATE objects SET address = 'docker_volume.x'", []).unwrap();
    assert!(matches!(store.load().await, Err(StateError::Damaged(_))));
}

#[tokio::test]
async fn of_two_secrets_of_a_name_the_first_is_kept() {
    let place = Place::new();
    let (one, other) = (place.store().await, place.store().await);
    assert_eq!(one.keep_secret("ca", b"first").await.unwrap(), b"first");
    assert_eq!(other.keep_secret("ca", b"second").await.unwrap(), b"first");
    assert_eq!(other.secret("ca").await.unwrap().unwrap(), b"first");
}

fn database(path: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(path).unwrap()
}
