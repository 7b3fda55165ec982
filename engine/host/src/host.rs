//! The host: providers, services, and what joins them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bimetal_model::event::Notify;
use bimetal_model::schema::{Block, ProviderSchema};
use bimetal_model::snapshot::Snapshot;
use bimetal_model::{Address, Diagnostic, Diagnostics, ProviderKey, ProviderName, Value};
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;
use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use crate::bindings;
use crate::call::{self, Instance};
use crate::certificates::{Authorities, Keep};
use crate::codec::{Codec, Owner};
use crate::component;
use crate::credentials::Credentials;
use crate::docker::Engines;
use crate::form::{Form, Offer};
use crate::grant::{self, Subject};
use crate::guest::{Context, Guest};
use crate::http::Http;
use crate::kept;
use crate::manifest::{Manifest, digest};
use crate::phase::Phase;
use crate::recording::Recording;
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
    /// Where HTTP requests are kept with their answers, or where these come from.
    pub recording: Option<Arc<Recording>>,
}

/// Where a component came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// With Bimetal.
    Embedded,
    /// From a file.
    File(PathBuf),
    /// From a registry, under this name.
    Registry(String),
    /// From a file that somebody who works on it named, past the lock file.
    Override(PathBuf),
}

/// A provider that was loaded, for people.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What it says of itself; of what it asks for, what is granted.
    pub manifest: Manifest,
    /// `sha256:…`
    pub digest: String,
    /// Where it came from.
    pub origin: Origin,
}

/// Runs providers.
pub struct Host {
    pub(crate) inner: Arc<Inner>,
    /// Guests that look or change have threads of their own: whatever they do, sockets and the screen go on. Who makes a pure call
    /// waits for it anyway, and computes it.
    pub(crate) threads: Option<Runtime>,
    world: Option<Runtime>,
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
    /// Where sockets are polled.
    pub(crate) world: tokio::runtime::Handle,
    /// Milliseconds since 1970: the time of all pure calls.
    pub(crate) started_ms: u64,
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
    /// Of what it asks for, what is granted.
    pub(crate) manifest: Manifest,
    /// Whether it asks for more than that.
    pub(crate) is_narrowed: bool,
    digest: String,
    origin: Origin,
    wasm: Arc<Cow<'static, [u8]>>,
    prepared: OnceCell<bindings::ProviderPre<Guest>>,
    offer: OnceCell<Arc<Offer>>,
    configs: Mutex<HashMap<ProviderKey, Value>>,
    idle: Mutex<Vec<Instance>>,
}

impl Provider {
    pub(crate) fn idle(&self) -> MutexGuard<'_, Vec<Instance>> {
        lock(&self.idle)
    }

    /// What it offers, if it was asked before.
    pub(crate) fn known_offer(&self) -> Option<Arc<Offer>> {
        self.offer.get().cloned()
    }

    /// The arguments of its block; nothing set where there is none.
    pub(crate) fn config(&self, key: &ProviderKey, offer: &Offer) -> Value {
        let given = lock(&self.configs).get(key).cloned();
        given.unwrap_or_else(|| {
            bimetal_model::convert::convert(empty(&offer.provider.block), &offer.provider.ty).unwrap_or(Value::NULL)
        })
    }
}

/// Every attribute of a block, `null`.
fn empty(block: &Block) -> Value {
    let attributes = block.attributes.keys().map(|name| (name.clone(), Value::NULL));
    let blocks = block
        .blocks
        .iter()
        .map(|(name, nested)| (name.clone(), if nested.single { Value::NULL } else { Value::tuple([]) }));
    attributes.chain(blocks).collect()
}

impl Host {
    /// No provider yet.
    pub fn new(options: HostOptions) -> Result<Host, Diagnostic> {
        let broken = |what: &str, error: String| Diagnostic::error(format!("{what} can't be started")).because(error);
        crate::certificates::use_ring();
        let engine = crate::runtime::engine().map_err(|error| broken("the WebAssembly engine", error.to_string()))?;
        let linker = linker(&engine).map_err(|error| broken("the WebAssembly engine", error.to_string()))?;
        let threads = |name| crate::runtime::threads(name).map_err(|error| broken("the host", error.to_string()));
        let (guests, world) = (threads("bimetal-guests")?, threads("bimetal-world")?);
        let services = services(&options, world.handle().clone());
        let inner = Inner {
            engine,
            linker,
            providers: Mutex::default(),
            services: Arc::new(services),
            cache_dir: options.cache_dir,
            slots: tokio::sync::Semaphore::new(MOST_CALLS),
        };
        Ok(Host { inner: Arc::new(inner), threads: Some(guests), world: Some(world) })
    }

    /// A provider that this run may use, with all that it asks for. None of its code runs yet.
    pub fn add_provider(&self, name: ProviderName, wasm: Cow<'static, [u8]>, origin: Origin) -> Result<(), Diagnostic> {
        self.add(name, wasm, origin, None)
    }

    /// As [`Host::add_provider`], with no more than these lines grant of what it asks for.
    pub fn add_provider_with(
        &self,
        name: ProviderName,
        wasm: Cow<'static, [u8]>,
        origin: Origin,
        grants: &[String],
    ) -> Result<(), Diagnostic> {
        self.add(name, wasm, origin, Some(grants))
    }

    fn add(
        &self,
        name: ProviderName,
        wasm: Cow<'static, [u8]>,
        origin: Origin,
        grants: Option<&[String]>,
    ) -> Result<(), Diagnostic> {
        let asked = Manifest::of(&wasm)
            .map_err(|error| Diagnostic { summary: format!("`{name}`: {}", error.summary), ..error })?;
        let manifest = match grants {
            Some(grants) => asked.narrowed(grants).map_err(|line| unasked(&name, &line))?,
            None => asked.clone(),
        };
        if manifest.name != name.0 {
            let error = Diagnostic::error(format!("`{name}`: this is another provider"));
            return Err(error.because(format!("its manifest says that it is `{}`", manifest.name)));
        }
        let provider = Provider {
            name: name.clone(),
            is_narrowed: asked.requests != manifest.requests,
            manifest,
            digest: digest(&wasm),
            origin,
            wasm: Arc::new(wasm),
            prepared: OnceCell::new(),
            offer: OnceCell::new(),
            configs: Mutex::default(),
            idle: Mutex::default(),
        };
        lock(&self.inner.providers).insert(name, Arc::new(provider));
        Ok(())
    }

    /// What a provider is.
    pub fn provider(&self, name: &ProviderName) -> Result<Loaded, Diagnostic> {
        let provider = self.inner.provider(name).map_err(|mut errors| errors.remove(0))?;
        Ok(Loaded {
            manifest: provider.manifest.clone(),
            digest: provider.digest.clone(),
            origin: provider.origin.clone(),
        })
    }

    /// Learns the credentials of stored objects, so that their handles mean something in this run.
    pub fn learn(&self, snapshot: &Snapshot) {
        for (address, stored) in &snapshot.objects {
            let Ok(offer) = self.offer(&stored.provider.name) else { continue };
            let Some(form) = offer.object(&stored.ty) else { continue };
            self.inner.codec(form, address).learn(&stored.object.value);
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

/// Somebody wrote more into the lock file than there is to grant.
fn unasked(name: &ProviderName, line: &str) -> Diagnostic {
    Diagnostic::error(format!("`bimetal.lock.hcl` grants provider `{name}` what it does not ask for"))
        .because(format!("it does not ask to {line}"))
        .hint("leave lines of `grants` out, or methods, origins and paths in them; `bimetal init --upgrade` writes them anew")
}

impl Drop for Host {
    /// A guest that still computes must not hold up the end of the run.
    fn drop(&mut self) {
        // Idle instances hold on to their provider, and it to them.
        lock(&self.inner.providers).values().for_each(|provider| provider.idle().clear());
        self.threads.take().into_iter().chain(self.world.take()).for_each(Runtime::shutdown_background);
    }
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    bindings::Provider::add_to_linker::<_, HasSelf<_>>(&mut linker, |guest| guest)?;
    Ok(linker)
}

fn services(options: &HostOptions, world: tokio::runtime::Handle) -> Services {
    let credentials = Arc::new(Credentials::default());
    let sessions = Sessions::new(credentials.clone());
    let authorities = Authorities::new(options.keep.clone(), sessions.clone());
    let registries = Arc::new(options.registries.clone());
    let engines = Engines::new(
        sessions.clone(),
        authorities.clone(),
        credentials.clone(),
        registries.clone(),
        options.root.clone(),
    );
    Services {
        world,
        started_ms: now_ms(),
        engines,
        sessions,
        authorities,
        http: Http::new(options.recording.clone()),
        credentials,
        notify: options.notify.clone(),
        images: Images::new(registries, options.root.clone()),
        allowed_images: Mutex::default(),
    }
}

impl Inner {
    pub(crate) fn provider(&self, name: &ProviderName) -> Result<Arc<Provider>, Diagnostics> {
        let found = lock(&self.providers).get(name).cloned();
        found.ok_or_else(|| vec![Diagnostic::error(format!("there is no provider `{name}`"))])
    }

    pub(crate) fn names(&self) -> Vec<ProviderName> {
        lock(&self.providers).keys().cloned().collect()
    }

    pub(crate) fn pure_context(&self, provider: &Arc<Provider>, subject: Subject) -> Context {
        Context {
            phase: Phase::Pure,
            provider: provider.clone(),
            services: self.services.clone(),
            http: Arc::default(),
            rates: Arc::default(),
            subject: Arc::new(subject),
        }
    }

    pub(crate) fn context(
        &self,
        provider: &Arc<Provider>,
        phase: Phase,
        key: &ProviderKey,
        config: &Value,
        subject: Subject,
    ) -> Context {
        Context {
            phase,
            http: Arc::new(grant::http(&provider.manifest, key, config)),
            rates: Arc::new(grant::rates(&provider.manifest, config)),
            ..self.pure_context(provider, subject)
        }
    }

    /// Ready to be instantiated: loaded on first use, once for all that ask.
    pub(crate) async fn prepared<'p>(
        &self,
        provider: &'p Provider,
    ) -> wasmtime::Result<&'p bindings::ProviderPre<Guest>> {
        let load = || async {
            let (engine, linker, notify) = (self.engine.clone(), self.linker.clone(), self.services.notify.clone());
            let (name, wasm, digest) = (provider.name.0.clone(), provider.wasm.clone(), provider.digest.clone());
            let cache_dir = self.cache_dir.clone();
            let task = tokio::task::spawn_blocking(move || {
                let component = component::load(&engine, &name, &wasm, &digest, &cache_dir, &*notify)?;
                bindings::ProviderPre::new(linker.instantiate_pre(&component)?)
            });
            task.await?
        };
        provider.prepared.get_or_try_init(load).await
    }

    /// Asked once for each digest: a warm start runs no guest for it.
    pub(crate) async fn offer(self: &Arc<Self>, provider: &Arc<Provider>) -> Result<Arc<Offer>, Diagnostics> {
        let ask = || async { Ok(Arc::new(Offer::new(self.ask_schema(provider).await?))) };
        provider.offer.get_or_try_init(ask).await.cloned()
    }

    async fn ask_schema(self: &Arc<Self>, provider: &Arc<Provider>) -> Result<ProviderSchema, Diagnostics> {
        let path =
            self.cache_dir.join("schema").join(format!("{}.json", provider.digest.trim_start_matches("sha256:")));
        if let Some(schema) = kept::read(&path).and_then(|text| serde_json::from_slice(&text).ok()) {
            return Ok(schema);
        }
        let work: call::Work<String> = Box::new(|exports, store| {
            Box::pin(async move { exports.bimetal_provider_describe().call_schema(store).await })
        });
        let text = call::pure(self.clone(), provider.clone(), Vec::new(), work).await?;
        let schema: ProviderSchema = serde_json::from_str(&text)
            .map_err(|error| call::failed(provider, &[], &format!("its schema can't be read: {error}")))?;
        if let Err(error) = kept::write(&path, text.as_bytes()) {
            tracing::warn!(%error, path = %path.display(), "a schema can't be kept");
        }
        Ok(schema)
    }

    pub(crate) fn codec<'a>(&'a self, form: &'a Form, address: &'a Address) -> Codec<'a> {
        Codec { form, owner: Owner::Object(address), credentials: &self.services.credentials }
    }

    pub(crate) fn provider_codec<'a>(&'a self, key: &'a ProviderKey, offer: &'a Offer) -> Codec<'a> {
        Codec { form: &offer.provider, owner: Owner::Provider(key), credentials: &self.services.credentials }
    }

    pub(crate) fn form<'o>(
        &self,
        provider: &Provider,
        offer: &'o Offer,
        ty: &str,
    ) -> Result<&'o Arc<Form>, Diagnostics> {
        offer.object(ty).ok_or_else(|| call::failed(provider, &[], &format!("it has no type `{ty}`")))
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
