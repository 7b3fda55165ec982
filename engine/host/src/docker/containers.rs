//! Containers: looking, making, starting, stopping, changing, removing, and what they say.

use std::collections::HashMap;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, ContainerUpdateBody};
use bollard::query_parameters::{
    CreateContainerOptions, InspectContainerOptions, ListContainersOptions, LogsOptions, RemoveContainerOptions,
    RenameContainerOptions, StartContainerOptions, StopContainerOptions,
};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use serde_json::Value;

use super::{CALL_TIMEOUT, Engine, body, failure, plain, value};
use crate::fault::{Code, Fault};

/// How often a container that is being removed by somebody else is looked at.
const REMOVAL_INTERVAL: Duration = Duration::from_millis(500);
const REMOVAL_LOOKS: usize = 120;

/// A piece of what a container says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Log {
    /// Standard output, or a terminal's.
    Output(Bytes),
    /// Standard error.
    Error(Bytes),
}

/// Which part of what a container says.
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    /// Go on until the container ends.
    pub follow: bool,
    /// Only so many of the last lines.
    pub tail: Option<u64>,
    /// Only since then, in seconds since 1970.
    pub since: Option<i32>,
    /// With the time before each line.
    pub timestamps: bool,
}

/// `null` and `{}` are no filter.
pub(super) fn filters(filters: Value) -> Result<Option<HashMap<String, Vec<String>>>, Fault> {
    let filters: Option<HashMap<String, Vec<String>>> = body(filters, "filters")?;
    Ok(filters.filter(|filters| !filters.is_empty()))
}

impl Engine {
    /// All containers that fit, running or not.
    pub async fn containers(&self, filters: Value) -> Result<Value, Fault> {
        let options = ListContainersOptions { all: true, filters: self::filters(filters)?, ..Default::default() };
        value(&self.ask("listing containers", self.docker.list_containers(Some(options))).await?)
    }

    /// One container; `None`: there is none.
    pub async fn inspect_container(&self, id: &str) -> Result<Option<Value>, Fault> {
        let call = self.docker.inspect_container(plain(id)?, None::<InspectContainerOptions>);
        self.look(&format!("looking at container {id}"), call).await
    }

    /// Makes a container, and answers its id.
    pub async fn create_container(&self, name: &str, platform: Option<&str>, body: Value) -> Result<String, Fault> {
        let body: ContainerCreateBody = self::body(body, "a container")?;
        let platform = platform.unwrap_or_default().to_owned();
        let options = CreateContainerOptions { name: Some(plain(name)?.to_owned()), platform };
        let call = self.docker.create_container(Some(options), body);
        Ok(self.ask(&format!("making container {name}"), call).await?.id)
    }

    /// One that runs already is left alone.
    pub async fn start_container(&self, id: &str) -> Result<(), Fault> {
        let call = self.docker.start_container(plain(id)?, None::<StartContainerOptions>);
        self.ask(&format!("starting container {id}"), call).await
    }

    /// One that has ended already is left alone. After so many seconds it is killed.
    pub async fn stop_container(&self, id: &str, seconds: u32) -> Result<(), Fault> {
        let options = StopContainerOptions { t: Some(i32::try_from(seconds).unwrap_or(i32::MAX)), signal: None };
        let limit = CALL_TIMEOUT + Duration::from_secs(seconds.into());
        let call = self.docker.stop_container(plain(id)?, Some(options));
        self.ask_for(limit, &format!("stopping container {id}"), call).await
    }

    /// Gives a container another name.
    pub async fn rename_container(&self, id: &str, name: &str) -> Result<(), Fault> {
        let options = RenameContainerOptions { name: plain(name)?.to_owned() };
        let call = self.docker.rename_container(plain(id)?, options);
        self.ask(&format!("renaming container {id} to {name}"), call).await
    }

    /// Changes limits and the restart policy of a container as it runs.
    pub async fn update_container(&self, id: &str, body: Value) -> Result<(), Fault> {
        let body: ContainerUpdateBody = self::body(body, "an update of a container")?;
        let call = self.docker.update_container(plain(id)?, body);
        self.ask(&format!("updating container {id}"), call).await
    }

    /// Removes a container, running or not, and its nameless volumes if they are to go too. Waits for one that somebody
    /// else removes.
    pub async fn remove_container(&self, id: &str, volumes: bool) -> Result<(), Fault> {
        let doing = format!("removing container {id}");
        let options = RemoveContainerOptions { v: volumes, force: true, link: false };
        match self.remove(&doing, self.docker.remove_container(plain(id)?, Some(options))).await {
            Err(fault) if fault.code == Code::Conflict && fault.retryable => self.wait_until_gone(id, fault).await,
            other => other,
        }
    }

    async fn wait_until_gone(&self, id: &str, fault: Fault) -> Result<(), Fault> {
        for _ in 0..REMOVAL_LOOKS {
            if self.inspect_container(id).await?.is_none() {
                return Ok(());
            }
            tokio::time::sleep(REMOVAL_INTERVAL).await;
        }
        Err(fault)
    }

    /// What a container says.
    pub fn logs(
        &self,
        id: &str,
        options: &LogOptions,
    ) -> Result<impl Stream<Item = Result<Log, Fault>> + Send + Unpin + use<>, Fault> {
        let options = LogsOptions {
            follow: options.follow,
            stdout: true,
            stderr: true,
            since: options.since.unwrap_or_default(),
            until: 0,
            timestamps: options.timestamps,
            tail: options.tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string()),
        };
        let (name, doing) = (self.name.clone(), format!("reading the logs of container {id}"));
        let logs = self.docker.logs(plain(id)?, Some(options));
        Ok(Box::pin(logs.map(move |log| match log {
            Ok(LogOutput::StdErr { message }) => Ok(Log::Error(message)),
            Ok(other) => Ok(Log::Output(other.into_bytes())),
            Err(error) => Err(failure::fault(&name, &doing, &error)),
        })))
    }
}
