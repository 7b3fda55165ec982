//! What the tests have in common: a clock, a place for a state, and something to keep in it.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bimetal_model::lease::{Holder, Lease, Scope};
use bimetal_model::placement::Placement;
use bimetal_model::port::{Edge, Record, Remember as _};
use bimetal_model::snapshot::{Effect, Intent, IntentId, Object, Origin, Revision, Stored};
use bimetal_model::{Address, Data, ProviderKey, Value};
use bimetal_state::{Key, Keys, Location, Secret, State, open};

pub(crate) const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
pub(crate) const CANARY: &str = "hunter2-canary";

#[derive(Default)]
pub(crate) struct Clock {
    pub(crate) now_ms: AtomicU64,
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

/// A place for a state.
pub(crate) struct Scene {
    pub(crate) clock: Arc<Clock>,
    pub(crate) location: Location,
    /// What must live as long as the place is needed.
    pub(crate) _keep: Box<dyn Any + Send + Sync>,
}

impl Scene {
    /// Opens the state that is there, as another process would.
    pub(crate) async fn state(&self) -> State {
        self.state_with(KEY).await
    }

    pub(crate) async fn state_with(&self, key: &str) -> State {
        self.state_of(keys(key)).await
    }

    pub(crate) async fn state_of(&self, keys: Keys) -> State {
        open(self.location.clone(), keys, self.clock.clone()).await.unwrap()
    }
}

/// As `BIMETAL_STATE_KEY` gives it.
pub(crate) fn key(text: &str) -> Key {
    Key::Text { name: "`BIMETAL_STATE_KEY`".to_owned(), text: Secret::new(text) }
}

pub(crate) fn keys(text: &str) -> Keys {
    Keys::new(vec![key(text)])
}

/// Takes a lease on everything and begins a revision.
pub(crate) async fn begun(state: &State) -> (Lease, u64) {
    let lease = state.lock(&holder("a@b"), &Scope::Everything).await.unwrap();
    let number = state.begin(&lease, revision(), None).await.unwrap();
    (lease, number)
}

pub(crate) fn holder(who: &str) -> Holder {
    Holder { who: who.to_owned(), process: 7, command: "bimetal apply".to_owned(), since_ms: 3 }
}

pub(crate) fn scope(writes: &[&str], reads: &[&str]) -> Scope {
    let all = |names: &[&str]| names.iter().map(|name| address(name)).collect::<BTreeSet<_>>();
    Scope::of(all(writes), all(reads))
}

pub(crate) fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub(crate) fn secretive() -> Value {
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

pub(crate) fn intent(id: &str) -> Intent {
    Intent {
        id: IntentId(id.to_owned()),
        address: address("service.web.replica[0]"),
        provider: ProviderKey::default_of("docker"),
        ty: "docker_container".to_owned(),
        effect: Effect::Create,
        config: [("unmarked", Value::from(CANARY))].into_iter().collect(),
        depends_on: vec![address("machine.docker.a")],
        placement: Some(Box::new(Placement {
            replica: address("service.web.replica[0]"),
            machine: address("machine.docker.a"),
            platform: "linux/arm/v7".parse().unwrap(),
            image: "nginx@sha256:0".to_owned(),
            reason: "stays".to_owned(),
            generation: 0,
        })),
    }
}

pub(crate) fn stored() -> Stored {
    Stored {
        provider: ProviderKey::default_of("docker"),
        ty: "docker_container".to_owned(),
        schema_version: 2,
        object: Object { value: secretive(), private: CANARY.as_bytes().to_vec() },
        depends_on: vec![address("machine.docker.a")],
        placement: intent("a").placement,
        tainted: true,
        unfinished: Some(intent("a").into()),
        prevent_destroy: false,
    }
}

/// Something without secrets, of this size.
pub(crate) fn plain(size: u64) -> Stored {
    let object = Object { value: [("size", Value::from(size))].into_iter().collect(), private: Vec::new() };
    Stored { object, depends_on: Vec::new(), placement: None, tainted: false, unfinished: None, ..stored() }
}

pub(crate) fn put(closes: Option<&str>) -> Record {
    let closes = closes.map(|id| IntentId(id.to_owned()));
    Record::Put { address: address("service.web.replica[0]"), stored: Arc::new(stored()), closes }
}

pub(crate) fn put_plain(name: &str, size: u64) -> Record {
    Record::Put { address: address(name), stored: Arc::new(plain(size)), closes: None }
}

pub(crate) fn gone(name: &str) -> Record {
    Record::Remove { address: address(name), closes: None }
}

pub(crate) fn output(name: &str, value: impl Into<Option<Value>>) -> Record {
    Record::Output { name: name.to_owned(), value: value.into() }
}

pub(crate) fn revision() -> Revision {
    Revision {
        number: 0,
        who: "a@b".to_owned(),
        started_ms: 5,
        origin: Some(Box::new(Origin {
            repository: Some("https://example.org/infra.git".to_owned()),
            folder: "prod".to_owned(),
            commit: "abc".to_owned(),
            branch: Some("main".to_owned()),
            tag: None,
            dirty: true,
        })),
        command: "bimetal apply".to_owned(),
        summary: serde_json::json!({ "changes": [1] }),
        plan: None,
        outcome: None,
    }
}
