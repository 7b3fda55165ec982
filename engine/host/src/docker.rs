//! The API of container engines, behind handles.
//!
//! Bodies are those of Docker's Engine API. One `Engines` serves a whole run: connections, pulls and loads are shared.

mod archive;
mod console;
mod containers;
mod failure;
mod handle;
mod images;
mod load;
mod transport;
mod volumes;
mod zstd;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bollard::Docker;
use futures::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::certificates::Authorities;
use crate::credentials::Credentials;
use crate::fault::{Code, Fault};
use crate::flights::Flights;
use crate::registry::Registries;
use crate::ssh::Sessions;

pub use containers::{Log, LogOptions};

use handle::Handle;

/// Of the first question, which costs an engine nothing: one that does not answer it would not do anything else.
const GREETING_TIMEOUT: Duration = Duration::from_secs(20);
/// Of an ordinary call.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest that anything may take: a pull or a load.
const LONG_TIMEOUT: Duration = Duration::from_secs(15 * 60);
/// A pull or load that says nothing for so long is stuck.
const STALL_TIMEOUT: Duration = Duration::from_secs(120);
/// Ordinary calls to one engine at the same time.
const CALLS: usize = 16;

/// The container engines of a run.
pub struct Engines {
    parts: Parts,
    known: Mutex<std::collections::HashMap<Handle, Arc<Engine>>>,
    connecting: Flights<Handle, Arc<Engine>>,
}

/// What engines are made with.
#[derive(Clone)]
struct Parts {
    sessions: Arc<Sessions>,
    authorities: Arc<Authorities>,
    credentials: Arc<Credentials>,
    registries: Arc<Registries>,
    root: PathBuf,
}

/// One container engine.
pub struct Engine {
    /// For people.
    name: String,
    docker: Docker,
    slots: Semaphore,
    registries: Arc<Registries>,
    root: PathBuf,
    pulls: Flights<(String, Option<String>), Value>,
    loads: Flights<String, Value>,
}

impl Engines {
    /// `root` is the configuration's folder: paths of OCI layouts are relative to it.
    pub fn new(
        sessions: Arc<Sessions>,
        authorities: Arc<Authorities>,
        credentials: Arc<Credentials>,
        registries: Arc<Registries>,
        root: PathBuf,
    ) -> Arc<Self> {
        let parts = Parts { sessions, authorities, credentials, registries, root };
        Arc::new(Engines { parts, known: Mutex::default(), connecting: Flights::default() })
    }

    /// The engine behind a handle. Fails when it can't be reached; the next call tries again.
    pub async fn engine(&self, handle: &str) -> Result<Arc<Engine>, Fault> {
        let handle = Handle::parse(handle)?;
        if let Some(engine) = self.known().get(&handle) {
            return Ok(engine.clone());
        }
        let connect = {
            let (handle, parts) = (handle.clone(), self.parts.clone());
            |_| async move { Engine::connect(&handle, parts).await.map(Arc::new) }.boxed()
        };
        let engine = self.connecting.join(handle.clone(), None, connect).await?;
        Ok(self.known().entry(handle).or_insert(engine).clone())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, std::collections::HashMap<Handle, Arc<Engine>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    async fn connect(handle: &Handle, parts: Parts) -> Result<Engine, Fault> {
        let name = handle.to_string();
        let connector = transport::connector(handle, &parts).await?;
        let docker = transport::docker(connector, &name).await?;
        Ok(Engine {
            name,
            docker,
            slots: Semaphore::new(CALLS),
            registries: parts.registries,
            root: parts.root,
            pulls: Flights::default(),
            loads: Flights::default(),
        })
    }

    /// Where it is, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `/info` and `/version` as `{"info": …, "version": …}`.
    pub async fn info(&self) -> Result<Value, Fault> {
        let both = async { tokio::try_join!(self.docker.info(), self.docker.version()) };
        let (info, version) = self.ask("asking what it is", both).await?;
        Ok(json!({ "info": value(&info)?, "version": value(&version)? }))
    }

    /// An ordinary call.
    async fn ask<T>(
        &self,
        doing: &str,
        call: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, Fault> {
        self.ask_for(CALL_TIMEOUT, doing, call).await
    }

    async fn ask_for<T>(
        &self,
        limit: Duration,
        doing: &str,
        call: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, Fault> {
        // The semaphore is never closed; without a place the call is only one too many.
        let _slot = self.slots.acquire().await.ok();
        match timeout(limit, call).await {
            Ok(result) => result.map_err(|error| failure::fault(&self.name, doing, &error)),
            Err(_) => Err(failure::late(&self.name, doing, limit)),
        }
    }

    /// As `ask`; what is not there is `None`.
    async fn look<T: Serialize>(
        &self,
        doing: &str,
        call: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<Option<Value>, Fault> {
        match self.ask(doing, call).await {
            Ok(found) => value(&found).map(Some),
            Err(fault) if fault.code == Code::NotFound => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// As `ask`; what is not there needs no removing.
    async fn remove(
        &self,
        doing: &str,
        call: impl Future<Output = Result<(), bollard::errors::Error>>,
    ) -> Result<(), Fault> {
        match self.ask(doing, call).await {
            Err(fault) if fault.code == Code::NotFound => Ok(()),
            other => other,
        }
    }
}

fn value(body: &impl Serialize) -> Result<Value, Fault> {
    serde_json::to_value(body).map_err(|error| Fault::new(Code::Protocol, format!("an answer is no JSON: {error}")))
}

fn body<T: DeserializeOwned>(value: Value, what: &str) -> Result<T, Fault> {
    serde_json::from_value(value)
        .map_err(|error| Fault::new(Code::Invalid, format!("not {what} as Docker wants it: {error}")))
}

/// Names and ids become paths of URLs: nothing may leave its part.
fn checked(name: &str) -> Result<&str, Fault> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-/:@".contains(c);
    match !name.is_empty() && name.chars().all(plain) && !name.contains("..") && !name.starts_with('/') {
        true => Ok(name),
        false => Err(Fault::new(Code::Invalid, format!("`{name}` is not a name or id"))),
    }
}

/// Of containers, networks and volumes: no slashes.
fn plain(name: &str) -> Result<&str, Fault> {
    match name.contains(['/', '@']) {
        true => Err(Fault::new(Code::Invalid, format!("`{name}` is not a name or id"))),
        false => checked(name),
    }
}

/// Reads a handle, for its own sake.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn read_handle(text: &str) {
    let _ = Handle::parse(text).map(|handle| handle.to_string());
}

/// Reads a body as each thing that one may be, for its own sake.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn read_body(json: &Value) {
    use bollard::models::{ContainerCreateBody, ContainerUpdateBody, NetworkCreateRequest, VolumeCreateRequest};
    let _ = body::<ContainerCreateBody>(json.clone(), "a container");
    let _ = body::<ContainerUpdateBody>(json.clone(), "a container");
    let _ = body::<NetworkCreateRequest>(json.clone(), "a network");
    let _ = body::<VolumeCreateRequest>(json.clone(), "a volume");
    let _ = containers::filters(json.clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_can_not_lead_elsewhere() {
        for name in ["", "../info", "a/../../b", "a?all=1", "a#b", "/x", "a b", "a%2e", "x\r\ny"] {
            assert!(checked(name).is_err(), "{name}");
        }
        assert!(checked("localhost:5000/a/b@sha256:0").is_ok());
        assert!(plain("a/json").is_err());
    }
}
