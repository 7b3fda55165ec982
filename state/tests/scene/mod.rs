//! A state in a folder of its own, and what is put into it.
#![allow(dead_code)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bimetal_model::lease::{Holder, Lease, Scope};
use bimetal_model::port::{Edge, Record, Remember as _, StateError};
use bimetal_model::snapshot::{Effect, Intent, IntentId, Object, Revision, RevisionOutcome, Stored};
use bimetal_model::{Address, ProviderKey, Value};
use bimetal_state::{Key, Keys, Location, Secret, State, open};

/// Not to be found in any file.
pub(crate) const CANARY: &str = "hunter2-canary";

#[derive(Default)]
pub(crate) struct Clock {
    ids: AtomicU64,
}

impl Edge for Clock {
    fn now_ms(&self) -> u64 {
        7
    }

    fn new_id(&self) -> String {
        format!("id{}p{}", self.ids.fetch_add(1, Ordering::SeqCst), std::process::id())
    }
}

pub(crate) struct Scene {
    pub(crate) folder: tempfile::TempDir,
}

impl Scene {
    pub(crate) fn new() -> Scene {
        Scene { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("state.db")
    }

    pub(crate) async fn store(&self, keys: Keys) -> Result<State, StateError> {
        open(Location::Sqlite(self.path()), keys, Arc::new(Clock::default())).await
    }

    /// Of every file there.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }

    pub(crate) fn has(&self, needle: &str) -> bool {
        self.bytes().windows(needle.len()).any(|window| window == needle.as_bytes())
    }
}

/// 64 times the digit.
pub(crate) fn key(digit: &str) -> Key {
    Key::Text { name: "`BIMETAL_STATE_KEY`".to_owned(), text: Secret::new(digit.repeat(64)) }
}

pub(crate) fn keys(digit: &str) -> Keys {
    Keys::new(vec![key(digit)])
}

pub(crate) fn holder() -> Holder {
    Holder { who: "a@b".to_owned(), process: 7, command: "bimetal apply".to_owned(), since_ms: 3 }
}

pub(crate) fn address(index: usize) -> Address {
    format!("docker_volume.a[{index}]").parse().unwrap()
}

pub(crate) fn intent(index: usize, value: Value) -> Intent {
    Intent {
        id: IntentId(format!("i{index}")),
        address: address(index),
        provider: ProviderKey::default_of("docker"),
        ty: "docker_volume".to_owned(),
        effect: Effect::Create,
        config: [("name", value)].into_iter().collect(),
        depends_on: Vec::new(),
        placement: None,
    }
}

pub(crate) fn stored(value: Value) -> Stored {
    Stored {
        provider: ProviderKey::default_of("docker"),
        ty: "docker_volume".to_owned(),
        schema_version: 0,
        object: Object { value: [("name", value)].into_iter().collect(), private: b"private-canary".to_vec() },
        depends_on: Vec::new(),
        placement: None,
        tainted: false,
        prevent_destroy: false,
        unfinished: None,
    }
}

pub(crate) fn revision() -> Revision {
    Revision {
        number: 0,
        who: "a@b".to_owned(),
        started_ms: 5,
        origin: None,
        command: "bimetal apply".to_owned(),
        summary: serde_json::json!({ "changes": [1] }),
        plan: None,
        outcome: None,
    }
}

/// An apply that leaves objects, an intent, an output, and, where `value` is sensitive, a secret.
pub(crate) async fn fill(store: &State, objects: usize, value: &Value) -> Result<(), StateError> {
    let lease = lock(store).await?;
    let revision = store.begin(&lease, revision(), None).await?;
    store.intend(&lease, &[intent(0, value.clone())]).await?;
    let put = |index| Record::Put { address: address(index), stored: Arc::new(stored(value.clone())), closes: None };
    store.record(&lease, (0..objects).map(put).collect()).await?;
    store.record(&lease, vec![Record::Output { name: "out".to_owned(), value: Some(value.clone()) }]).await?;
    if value.has_sensitive() {
        store.keep_secret("ca", CANARY.as_bytes()).await?;
    }
    store.finish(&lease, revision, RevisionOutcome::Done).await?;
    store.unlock(lease).await
}

/// A lease on everything.
pub(crate) async fn lock(store: &State) -> Result<Lease, StateError> {
    store.lock(&holder(), &Scope::Everything).await
}

pub(crate) fn secret() -> Value {
    Value::from(CANARY).into_sensitive()
}
