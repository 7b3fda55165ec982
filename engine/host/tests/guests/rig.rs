//! A host with the provider of `tests/guests`, and what it is asked.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use bimetal_host::certificates::Keep;
use bimetal_host::fault::Fault;
use bimetal_host::{Host, HostOptions, Origin, Registries};
use bimetal_model::event::{Event, Notify};
use bimetal_model::port::{
    CreateRequest, Functions as _, Operate, Outcome, PlanRequest, Planned, Predict, Refusal, ValidateRequest,
};
use bimetal_model::snapshot::{IntentId, Object};
use bimetal_model::{Address, BlockKind, Diagnostics, ProviderKey, ProviderName, Value};

/// The component, built once.
pub(crate) fn wasm() -> Arc<[u8]> {
    static WASM: OnceLock<Arc<[u8]>> = OnceLock::new();
    WASM.get_or_init(build).clone()
}

fn build() -> Arc<[u8]> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = root.join("target/guests");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--release", "--package", "bimetal-test-guests", "--target", "wasm32-wasip2"])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(&root)
        .status();
    assert!(built.unwrap().success(), "the test guest does not build");
    std::fs::read(target.join("wasm32-wasip2/release/bimetal_test_guests.wasm")).unwrap().into()
}

/// Compiled once for all tests.
fn shared_cache() -> PathBuf {
    static CACHE: OnceLock<tempfile::TempDir> = OnceLock::new();
    CACHE.get_or_init(|| tempfile::tempdir().unwrap()).path().to_owned()
}

/// Events, kept.
#[derive(Default)]
pub(crate) struct Events(Mutex<Vec<Event>>);

impl Notify for Events {
    fn notify(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

impl Events {
    /// Those about objects: `address: message`.
    pub(crate) fn progress(&self) -> Vec<String> {
        let progress = |event: &Event| match event {
            Event::Progress { address, message, .. } => Some(format!("{address}: {message}")),
            _ => None,
        };
        self.0.lock().unwrap().iter().filter_map(progress).collect()
    }

    pub(crate) fn busy(&self) -> usize {
        self.0.lock().unwrap().iter().filter(|event| matches!(event, Event::Busy { .. })).count()
    }
}

struct NoAuthorities;

#[async_trait]
impl Keep for NoAuthorities {
    async fn secret(&self, _: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(None)
    }

    async fn keep_secret(&self, _: &str, secret: &[u8]) -> Result<Vec<u8>, Fault> {
        Ok(secret.to_vec())
    }
}

/// A host with the provider.
pub(crate) struct Rig {
    pub(crate) host: Arc<Host>,
    pub(crate) events: Arc<Events>,
}

impl Rig {
    pub(crate) fn new() -> Rig {
        Rig::with_cache(&shared_cache())
    }

    pub(crate) fn with_cache(cache_dir: &Path) -> Rig {
        let (host, events) = empty_host(cache_dir);
        host.add_provider(ProviderName("rogue".to_owned()), wasm().to_vec().into(), Origin::Embedded).unwrap();
        Rig { host: Arc::new(host), events }
    }

    /// With a provider block of these arguments.
    pub(crate) fn configured(api_url: &str, token: &str) -> Rig {
        let rig = Rig::new();
        let config: Value =
            [("api_url", Value::from(api_url)), ("token", Value::from(token).into_sensitive())].into_iter().collect();
        rig.host.configure(&key(), &config);
        rig
    }

    pub(crate) fn validate(&self, ty: &str) -> Diagnostics {
        let request = ValidateRequest { address: address(ty), ty: ty.to_owned(), config: config("a") };
        let mut answers = self.host.validate(&key().name, &[request]);
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    pub(crate) fn plan(&self, ty: &str) -> Result<Planned, Diagnostics> {
        self.plan_all(&[ty]).remove(0)
    }

    /// An object of each of these types, in one call.
    pub(crate) fn plan_all(&self, types: &[&str]) -> Vec<Result<Planned, Diagnostics>> {
        self.told(types).into_iter().map(|told| told.map_err(Refusal::diagnostics)).collect()
    }

    /// The same, with what is put off.
    pub(crate) fn told(&self, types: &[&str]) -> Vec<Result<Planned, Refusal>> {
        let request = |ty: &&str| PlanRequest {
            address: address(ty),
            ty: (*ty).to_owned(),
            prior: None,
            config: config("a"),
            proposed: config("a"),
        };
        let requests: Vec<PlanRequest> = types.iter().map(request).collect();
        let answers = self.host.plan(&key().name, &requests);
        assert_eq!(answers.len(), types.len());
        answers
    }

    /// Calls a function with a text.
    pub(crate) fn call(&self, function: &str, text: Value) -> Result<Value, Diagnostics> {
        let arguments = [("text", text), ("more", Value::NULL)].into_iter().collect();
        self.host.call(&key().name, function, &arguments)
    }

    /// What a plan that fails says.
    pub(crate) fn plan_error(&self, ty: &str) -> String {
        text(&self.plan(ty).unwrap_err())
    }

    pub(crate) async fn create(&self, ty: &str, name: &str) -> Outcome {
        create(&self.host, ty, name).await
    }

    pub(crate) async fn create_error(&self, ty: &str, name: &str) -> String {
        match self.create(ty, name).await {
            Outcome::Failed { diagnostics, .. } => text(&diagnostics),
            other => panic!("{ty} did not fail: {other:?}"),
        }
    }

    /// The `note` of what was made.
    pub(crate) async fn note(&self, ty: &str, name: &str) -> String {
        match self.create(ty, name).await {
            Outcome::Done(object) => object.value.member("note").and_then(Value::as_str).unwrap().to_owned(),
            other => panic!("{ty} is not done: {other:?}"),
        }
    }

    pub(crate) async fn read(&self, ty: &str) -> Result<Option<Object>, Refusal> {
        let object = Object { value: config("a"), private: Vec::new() };
        let mut answers = self.host.read(&key(), ty, &[(address(ty), object)]).await;
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }
}

/// A host without any provider.
pub(crate) fn empty_host(cache_dir: &Path) -> (Host, Arc<Events>) {
    let events = Arc::new(Events::default());
    let host = Host::new(HostOptions {
        cache_dir: cache_dir.to_owned(),
        root: cache_dir.to_owned(),
        notify: events.clone(),
        keep: Arc::new(NoAuthorities),
        registries: Registries::default(),
        recording: None,
    });
    (host.unwrap(), events)
}

/// Makes one object.
pub(crate) async fn create(host: &Host, ty: &str, name: &str) -> Outcome {
    let mut outcomes = host.create(&key(), ty, vec![create_request(ty, name)]).await;
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

pub(crate) fn create_request(ty: &str, name: &str) -> CreateRequest {
    let planned = Planned { value: config(name), replace: Vec::new(), private: Vec::new() };
    let intent = IntentId(format!("intent-{name}"));
    CreateRequest { address: address(ty), intent, config: config(name), planned, so_far: None }
}

pub(crate) fn key() -> ProviderKey {
    ProviderKey::default_of("rogue")
}

pub(crate) fn address(ty: &str) -> Address {
    Address::new(BlockKind::Resource, ty, "x")
}

/// Arguments with a name and a secret key.
pub(crate) fn config(name: &str) -> Value {
    let unset = ["code", "id", "note"].map(|name| (name, Value::NULL));
    let set = [("name", Value::from(name)), ("key", Value::from("hunter2").into_sensitive())];
    set.into_iter().chain(unset).collect()
}

/// Everything that diagnostics say, a line each.
pub(crate) fn text(diagnostics: &Diagnostics) -> String {
    let line = |diagnostic: &bimetal_model::Diagnostic| {
        let address = diagnostic.address.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{address}: {}: {}", diagnostic.summary, diagnostic.detail)
    };
    diagnostics.iter().map(line).collect::<Vec<_>>().join("\n")
}
