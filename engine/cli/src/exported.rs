//! Functions that providers export, for expressions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use async_trait::async_trait;
use bimetal_config::SourceFile;
use bimetal_config::lock::Lock;
use bimetal_config::module::RequiredProvider;
use bimetal_host::certificates::Keep;
use bimetal_host::fault::{Code, Fault};
use bimetal_host::registry::Registries;
use bimetal_host::{Host, HostOptions};
use bimetal_model::event::Notify;
use bimetal_model::port::Functions;
use bimetal_model::schema::ProviderSchema;
use bimetal_model::{Diagnostic, Diagnostics, ProviderName, Value};

use crate::configuration::read_lock;
use crate::failure::Failure;
use crate::providers::{self, Places};
use crate::session::directory;

/// Functions are called before it is known which providers there are: this is a host of their own, made when one is called.
pub(crate) struct Exported {
    places: Arc<Places>,
    sources: Vec<SourceFile>,
    /// Of the root module.
    folder: String,
    notify: Arc<dyn Notify>,
    made: OnceLock<Result<Made, Diagnostics>>,
}

struct Made {
    host: Host,
    lock: Lock,
    required: BTreeMap<String, RequiredProvider>,
    /// Providers that Bimetal brings, and those that the modules name: `init` locks these alone.
    known: BTreeSet<ProviderName>,
    /// Providers are added one after the other.
    adding: Mutex<()>,
}

impl Exported {
    pub(crate) fn new(places: Arc<Places>, sources: Vec<SourceFile>, folder: &str, notify: Arc<dyn Notify>) -> Self {
        Exported { places, sources, folder: folder.to_owned(), notify, made: OnceLock::new() }
    }

    fn make(&self) -> Result<Made, Failure> {
        let host = Host::new(HostOptions {
            cache_dir: directory("XDG_CACHE_HOME", ".cache")?,
            root: self.places.root.clone(),
            notify: self.notify.clone(),
            keep: Arc::new(Nowhere),
            registries: Registries::default(),
            recording: None,
        })?;
        let (modules, _) = bimetal_config::modules(&self.sources, &self.folder);
        let required = providers::required(&modules);
        let known = providers::embedded().chain(providers::used(modules.values())).collect();
        Ok(Made { host, lock: read_lock(&self.places.root)?, required, known, adding: Mutex::new(()) })
    }

    /// The host, with the provider.
    fn host(&self, provider: &ProviderName) -> Result<&Host, Diagnostics> {
        let made = self.made.get_or_init(|| self.make().map_err(|failure| failure.diagnostics));
        let made = made.as_ref().map_err(Clone::clone)?;
        let _adding = made.adding.lock().unwrap_or_else(PoisonError::into_inner);
        if !made.known.contains(provider) {
            return Err(vec![unnamed(provider, &made.known)]);
        }
        if made.host.provider(provider).is_err() {
            let (lock, required) = (&made.lock, &made.required);
            providers::add_one(&made.host, provider, required, lock, &self.places)
                .map_err(|failure| failure.diagnostics)?;
        }
        Ok(&made.host)
    }
}

fn unnamed(provider: &ProviderName, known: &BTreeSet<ProviderName>) -> Diagnostic {
    let error = Diagnostic::error(format!("no provider `{provider}` is named here"));
    let nearest = bimetal_config::nearest(&provider.0, known.iter().map(|name| &*name.0));
    error.hint(nearest.unwrap_or_else(|| format!("name `{provider}` in `required_providers`, and run `bimetal init`")))
}

impl Functions for Exported {
    fn functions(&self, provider: &ProviderName) -> Result<Arc<ProviderSchema>, Diagnostics> {
        self.host(provider)?.functions(provider)
    }

    fn call(&self, provider: &ProviderName, function: &str, arguments: &Value) -> Result<Value, Diagnostics> {
        self.host(provider)?.call(provider, function, arguments)
    }
}

/// Whoever only looks has nothing to keep.
pub(crate) struct Nowhere;

#[async_trait]
impl Keep for Nowhere {
    async fn secret(&self, _: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(None)
    }

    async fn keep_secret(&self, _: &str, _: &[u8]) -> Result<Vec<u8>, Fault> {
        Err(Fault::new(Code::WrongPhase, "nothing is kept here"))
    }
}
