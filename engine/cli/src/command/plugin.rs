//! `plugin`: for those who write providers.

mod cases;
mod dev;
mod docs;
mod keygen;
mod new;
mod publish;
mod sign;
mod stand_in;
mod test;

use std::borrow::Cow;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use async_trait::async_trait;
use bimetal_host::certificates::Keep;
use bimetal_host::fault::Fault;
use bimetal_host::{Host, HostOptions, Loaded, Manifest, Origin, Recording};
use bimetal_kit::{Cases, Report, Subject};
use bimetal_model::{Diagnostic, ProviderName};

use crate::arguments::PluginCommand;
use crate::failure::{Failure, io};
use crate::session::{Session, directory};

pub(crate) async fn plugin(session: &Session, command: &PluginCommand) -> Result<ExitCode, Failure> {
    match command {
        PluginCommand::New(arguments) => new::new(session, arguments)?,
        PluginCommand::Dev(arguments) => dev::dev(session, arguments).await?,
        PluginCommand::Test(arguments) => return test::test(session, arguments).await,
        PluginCommand::Docs(arguments) => docs::docs(session, arguments).await?,
        PluginCommand::Keygen(arguments) => keygen::keygen(session, arguments)?,
        PluginCommand::Sign(arguments) => sign::sign(session, arguments)?,
        PluginCommand::Publish(arguments) => publish::publish(session, arguments).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What opens a secret key, and seals a new one.
fn password() -> Option<String> {
    std::env::var("BIMETAL_SIGNING_PASSWORD").ok().filter(|password| !password.is_empty())
}

/// One component on a host of its own, beside the providers that come with Bimetal.
struct Bench {
    host: Host,
    loaded: Loaded,
    name: ProviderName,
}

impl Bench {
    /// `component`: a file, or the name of a provider that comes with Bimetal.
    fn new(
        session: &Session,
        component: &Path,
        root: &Path,
        recording: Option<Arc<Recording>>,
    ) -> Result<Bench, Failure> {
        let host = Host::new(HostOptions {
            cache_dir: directory("XDG_CACHE_HOME", ".cache")?,
            root: root.to_owned(),
            notify: session.progress.clone(),
            keep: Arc::new(InMemory::default()),
            registries: bimetal_host::Registries::of_docker(),
            recording,
        })?;
        for embedded in bimetal_providers::EMBEDDED {
            host.add_provider(ProviderName(embedded.name.to_owned()), Cow::Borrowed(embedded.wasm), Origin::Embedded)?;
        }
        let is_embedded = |embedded: &&bimetal_providers::Embedded| Path::new(embedded.name) == component;
        let name = match bimetal_providers::EMBEDDED.iter().find(is_embedded) {
            Some(embedded) => ProviderName(embedded.name.to_owned()),
            None => add_file(&host, &session.root.join(component))?,
        };
        let loaded = host.provider(&name)?;
        Ok(Bench { host, loaded, name })
    }

    /// Examines it; each check is told as it ends.
    async fn examine(&self, cases: Option<&Cases>, told: impl FnMut(&bimetal_kit::Check)) -> Vec<bimetal_kit::Check> {
        let subject =
            Subject { answers: &self.host, name: self.name.clone(), version: self.loaded.manifest.version.clone() };
        let mut report = Report::new(told);
        bimetal_kit::examine(&subject, cases, &mut report).await;
        report.checks
    }
}

fn add_file(host: &Host, path: &Path) -> Result<ProviderName, Failure> {
    let bytes = std::fs::read(path).map_err(io(&format!("reading `{}`", path.display())))?;
    let named = |error: Diagnostic| Failure::from(error.because(format!("`{}` was read", path.display())));
    let name = ProviderName(Manifest::of(&bytes).map_err(named)?.name);
    host.add_provider(name.clone(), bytes.into(), Origin::File(path.to_owned()))?;
    Ok(name)
}

/// What is made for a test is forgotten with it.
#[derive(Default)]
struct InMemory(std::sync::Mutex<std::collections::HashMap<String, Vec<u8>>>);

#[async_trait]
impl Keep for InMemory {
    async fn secret(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        let secrets = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(secrets.get(name).cloned())
    }

    async fn keep_secret(&self, name: &str, secret: &[u8]) -> Result<Vec<u8>, Fault> {
        let mut secrets = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(secrets.entry(name.to_owned()).or_insert_with(|| secret.to_vec()).clone())
    }
}
