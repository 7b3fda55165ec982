//! The host: providers, services, and what joins them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bimetal_model::event::Notify;
use bimetal_model::schema::{Block, ProviderSchema, TypeSchema};
use bimetal_model::snapshot::Snapshot;
use bimetal_model::{Address, Diagnostic, Diagnostics, ProviderKey, ProviderName, Value};
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use crate::bindings;
use crate::call::{self, Instance};
use crate::certificates::{Authorities, Keep};
use crate::codec::Codec;
use crate::component;
use crate::credentials::Credentials;
use crate::docker::Engines;
use crate::fault::Fault;
use crate::guest::{Context, Guest};
use crate::http::{self, Http};
use crate::manifest::{Manifest, Request, digest};
use crate::phase::Phase;
use crate::registry::{Images, Registries};
use crate::ssh::Sessions;

/// More calls at once than this would use up the address space of small machines.
const MOST_CALLS: usize = 512;

/// What a host is made with.
pub struct HostOptions {
    /// For compiled components and schemas.
    pub cache_dir: PathBuf,
    /// The configuration's folder: paths of images are relative to it.
    pub root: PathBuf,
    /// Where events go.
    pub notify: Arc<dyn Notify>,
    /// Where authorities are kept.
    pub keep: Arc<dyn Keep>,
    /// How registries are spoken to.
    pub registries: Registries,
}

/// Where a component came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// With Bimetal.
    Embedded,
    /// From a file.
    File(PathBuf),
}

/// A provider that was loaded, for people.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says of itself.
    pub manifest: Manifest,
    /// `sha256:…`
    pub digest: String,
    /// Where it came from.
    pub origin: Origin,
}

/// Runs providers.
pub struct Host {
    pub(crate) inner: Arc<Inner>,
    /// Guests have threads of their own: whatever they do, sockets and the screen go on.
    pub(crate) threads: Option<tokio::runtime::Runtime>,
}

/// What calls share.
pub(crate) struct Inner {
    pub(crate) engine: Engine,
    linker: Linker<Guest>,
    providers: Mutex<BTreeMap<ProviderName, Arc<Provider>>>,
    pub(crate) services: Arc<Services>,
    cache_dir: PathBuf,
    pub(crate) slots: tokio::sync::Semaphore,
}

/// Everything behind the capabilities.
pub(crate) struct Services {
    pub(crate) engines: Arc<Engines>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) authorities: Arc<Authorities>,
    pub(crate) http: Http,
    pub(crate) credentials: Arc<Credentials>,
    pub(crate) notify: Arc<dyn Notify>,
    pub(crate) images: Images,
    allowed_images: Mutex<HashSet<String>>,
}

impl Services {
    /// Whether the configuration named the source of a pinned image: `oci:PATH@sha256:…`.
    pub(crate) fn allows(&self, pinned: &str) -> bool {
        let source = pinned.rsplit_once('@').map_or(pinned, |(source, _)| source);
        lock(&self.allowed_images).contains(source)
    }

    pub(crate) fn allow(&self, source: String) {
        lock(&self.allowed_images).insert(source);
    }
}

/// One provider.
pub(crate) struct Provider {
    pub(crate) name: ProviderName,
    pub(crate) manifest: Manifest,
    digest: String,
    origin: Origin,
    wasm: Arc<[u8]>,
    prepared: OnceLock<bindings::ProviderPre<Guest>>,
    schema: OnceLock<Arc<ProviderSchema>>,
    configs: Mutex<HashMap<ProviderKey, Value>>,
    idle: Mutex<Vec<Instance>>,
}

impl Provider {
    pub(crate) fn idle(&self) -> MutexGuard<'_, Vec<Instance>> {
        lock(&self.idle)
    }

    /// The arguments of its block; nothing set where there is none.
    pub(crate) fn config(&self, key: &ProviderKey, schema: &ProviderSchema) -> Value {
        let given = lock(&self.configs).get(key).cloned();
        given.unwrap_or_else(|| bimetal_model::convert::convert(empty(&schema.provider), &schema.provider.ty()).unwrap_or(Value::NULL))
    }

    /// Whether a credential may leave in a header: it must be an argument of the provider's own block, and in its manifest.
    pub(crate) fn may_send(&self, credential: &str) -> bool {
        let Some((owner, attribute)) = credential.split_once('#') else { return false };
        let own = owner.strip_prefix("provider.").is_some_and(|key| key.split('.').next() == Some(&self.name.0));
        own && self.manifest.requests.iter().any(|request| match request {
            Request::Http { credentials, .. } => credentials.iter().any(|name| name == attribute),
            Request::Docker { .. } | Request::Ssh { .. } | Request::Certificates { .. } => false,
        })
    }
}

/// Every attribute of a block, `null`.
fn empty(block: &Block) -> Value {
    let attributes = block.attributes.keys().map(|name| (name.clone(), Value::NULL));
    let blocks = block.blocks.iter().map(|(name, nested)| {
        (name.clone(), if nested.single { Value::NULL } else { Value::tuple([]) })
    });
    attributes.chain(blocks).collect()
}

impl Host {
    /// No provider yet.
    pub fn new(options: HostOptions) -> Result<Host, Diagnostic> {
        let broken = |what: &str, error: String| Diagnostic::error(format!("{what} can't be started")).because(error);
        crate::certificates::use_ring();
        let engine = crate::runtime::engine().map_err(|error| broken("the WebAssembly engine", error.to_string()))?;
        let linker = linker(&engine).map_err(|error| broken("the WebAssembly engine", error.to_string()))?;
        let services = services(&options).map_err(|fault| broken("the host", fault.message))?;
        let threads = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("bimetal-guests").build();
        let threads = threads.map_err(|error| broken("the host", error.to_string()))?;
        let inner = Inner {
            engine,
            linker,
            providers: Mutex::default(),
            services: Arc::new(services),
            cache_dir: options.cache_dir,
            slots: tokio::sync::Semaphore::new(MOST_CALLS),
        };
        Ok(Host { inner: Arc::new(inner), threads: Some(threads) })
    }

    /// A provider that this run may use. None of its code runs yet.
    pub fn add_provider(&self, name: ProviderName, wasm: Arc<[u8]>, origin: Origin) -> Result<(), Diagnostic> {
        let manifest = Manifest::of(&wasm).map_err(|error| Diagnostic { summary: format!("`{name}`: {}", error.summary), ..error })?;
        let provider = Provider {
            name: name.clone(),
            manifest,
            digest: digest(&wasm),
            origin,
            wasm,
            prepared: OnceLock::new(),
            schema: OnceLock::new(),
            configs: Mutex::default(),
            idle: Mutex::default(),
        };
        lock(&self.inner.providers).insert(name, Arc::new(provider));
        Ok(())
    }

    /// What a provider is.
    pub fn provider(&self, name: &ProviderName) -> Result<Loaded, Diagnostic> {
        let provider = self.inner.provider(name).map_err(|mut errors| errors.remove(0))?;
        Ok(Loaded { manifest: provider.manifest.clone(), digest: provider.digest.clone(), origin: provider.origin.clone() })
    }

    /// Learns the credentials of stored objects, so that their handles mean something in this run.
    pub fn learn(&self, snapshot: &Snapshot) {
        for (address, stored) in &snapshot.objects {
            let Ok(schema) = bimetal_model::port::Predict::schema(self, &stored.provider.name) else { continue };
            let Some(ty) = schema.managed.get(&stored.ty) else { continue };
            // Encoding is what registers them.
            self.inner.codec(&ty.block, address).to_guest(&stored.object.value);
        }
    }

    /// Container engines by their handles, for commands that reach through the fleet.
    pub fn engines(&self) -> &Arc<Engines> {
        &self.inner.services.engines
    }

    /// Machines by their endpoints, for commands that reach through the fleet.
    pub fn sessions(&self) -> &Arc<Sessions> {
        &self.inner.services.sessions
    }
}

impl Drop for Host {
    /// A guest that still computes must not hold up the end of the run.
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take() {
            threads.shutdown_background();
        }
    }
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    bindings::Provider::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
    Ok(linker)
}

fn services(options: &HostOptions) -> Result<Services, Fault> {
    let credentials = Arc::new(Credentials::default());
    let sessions = Sessions::new(credentials.clone());
    let authorities = Authorities::new(options.keep.clone(), sessions.clone());
    let registries = Arc::new(options.registries.clone());
    let engines =
        Engines::new(sessions.clone(), authorities.clone(), credentials.clone(), registries.clone(), options.root.clone());
    Ok(Services {
        engines,
        sessions,
        authorities,
        http: Http::new()?,
        credentials,
        notify: options.notify.clone(),
        images: Images::new(registries, options.root.clone())?,
        allowed_images: Mutex::default(),
    })
}

impl Inner {
    pub(crate) fn provider(&self, name: &ProviderName) -> Result<Arc<Provider>, Diagnostics> {
        let found = lock(&self.providers).get(name).cloned();
        found.ok_or_else(|| vec![Diagnostic::error(format!("there is no provider `{name}`"))])
    }

    pub(crate) fn names(&self) -> Vec<ProviderName> {
        lock(&self.providers).keys().cloned().collect()
    }

    pub(crate) fn context(&self, provider: &Arc<Provider>, phase: Phase, origins: Vec<String>, addresses: Vec<Address>) -> Context {
        Context {
            phase,
            provider: provider.clone(),
            services: self.services.clone(),
            origins: Arc::new(origins),
            addresses: Arc::new(addresses),
            started_ms: now_ms(),
        }
    }

    /// Ready to be instantiated: loaded on first use.
    pub(crate) fn prepared<'p>(&self, provider: &'p Provider) -> wasmtime::Result<&'p bindings::ProviderPre<Guest>> {
        if let Some(prepared) = provider.prepared.get() {
            return Ok(prepared);
        }
        let notify = &*self.services.notify;
        let component = component::load(&self.engine, &provider.name.0, &provider.wasm, &provider.digest, &self.cache_dir, notify)?;
        let prepared = bindings::ProviderPre::new(self.linker.instantiate_pre(&component)?)?;
        Ok(provider.prepared.get_or_init(|| prepared))
    }

    /// Asked once for each digest: a warm start runs no guest for it.
    pub(crate) async fn schema(self: &Arc<Self>, provider: &Arc<Provider>) -> Result<Arc<ProviderSchema>, Diagnostics> {
        if let Some(schema) = provider.schema.get() {
            return Ok(schema.clone());
        }
        let path = self.cache_dir.join("schema").join(format!("{}.json", provider.digest.trim_start_matches("sha256:")));
        if let Some(schema) = component::read(&path).and_then(|text| serde_json::from_slice(&text).ok()) {
            return Ok(provider.schema.get_or_init(|| Arc::new(schema)).clone());
        }
        let work: call::Work<String> =
            Box::new(|exports, store| Box::pin(async move { exports.bimetal_provider_describe().call_schema(store).await }));
        let text = call::pure(self.clone(), provider.clone(), Vec::new(), work).await?;
        let schema: ProviderSchema = serde_json::from_str(&text)
            .map_err(|error| call::failed(provider, &[], &format!("its schema can't be read: {error}")))?;
        if let Err(error) = component::store(&path, text.as_bytes()) {
            tracing::warn!(%error, path = %path.display(), "a schema can't be kept");
        }
        Ok(provider.schema.get_or_init(|| Arc::new(schema)).clone())
    }

    pub(crate) fn codec<'a>(&'a self, block: &'a Block, address: &Address) -> Codec<'a> {
        Codec { block, owner: address.to_string(), credentials: &self.services.credentials }
    }

    pub(crate) fn provider_codec<'a>(&'a self, key: &ProviderKey, schema: &'a ProviderSchema) -> Codec<'a> {
        Codec { block: &schema.provider, owner: format!("provider.{key}"), credentials: &self.services.credentials }
    }

    /// Origins that a provider may send requests to: those of its manifest, and those that its block names.
    pub(crate) fn origins(&self, provider: &Provider, config: &Value) -> Vec<String> {
        let mut origins = Vec::new();
        for request in &provider.manifest.requests {
            let Request::Http { origins: fixed, from, .. } = request else { continue };
            let named = from.iter().filter_map(|name| config.member(name)?.as_str());
            origins.extend(fixed.iter().map(String::as_str).chain(named).filter_map(http::origin));
        }
        origins
    }

    pub(crate) fn type_of<'s>(&self, provider: &Provider, schema: &'s ProviderSchema, ty: &str) -> Result<&'s TypeSchema, Diagnostics> {
        let found = schema.managed.get(ty).or_else(|| schema.data.get(ty));
        found.ok_or_else(|| call::failed(provider, &[], &format!("it has no type `{ty}`")))
    }

    pub(crate) fn configure(&self, key: &ProviderKey, config: &Value) {
        if let Ok(provider) = self.provider(&key.name) {
            lock(&provider.configs).insert(key.clone(), config.clone());
        }
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// What a panicking thread left is still a table.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
