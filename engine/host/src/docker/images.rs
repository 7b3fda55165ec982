//! Images: looking, pulling, removing.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bollard::auth::DockerCredentials;
use bollard::models::CreateImageInfo;
use bollard::query_parameters::{CreateImageOptions, RemoveImageOptions};
use futures::{FutureExt, StreamExt};
use serde_json::Value;

use super::{Engine, LONG_TIMEOUT, STALL_TIMEOUT, checked, failure};
use crate::fault::{Code, Fault};
use crate::flights::{Listeners, Progress, Report};
use crate::registry::{Login, Reference};

impl Engine {
    /// One image; `None`: there is none.
    pub async fn inspect_image(&self, reference: &str) -> Result<Option<Value>, Fault> {
        let call = self.docker.inspect_image(checked(reference)?);
        self.look(&format!("looking at image {reference}"), call).await
    }

    /// Removes an image; one that is gone already counts as removed.
    pub async fn remove_image(&self, reference: &str) -> Result<(), Fault> {
        let options = None::<RemoveImageOptions>;
        let call = self.docker.remove_image(checked(reference)?, options, None).map(|result| result.map(|_| ()));
        self.remove(&format!("removing image {reference}"), call).await
    }

    /// Pulls an image unless it is there, once for all that ask at the same time. Answers its inspection.
    pub async fn pull_image(
        self: &Arc<Self>,
        reference: &str,
        platform: Option<&str>,
        report: Option<Report>,
    ) -> Result<Value, Fault> {
        checked(reference)?;
        // An engine that is asked for a repository without a tag pulls all its tags.
        let parsed = Reference::parse(reference)?;
        let key = (with_tag(reference, &parsed), platform.map(str::to_owned));
        let (engine, (reference, platform)) = (self.clone(), key.clone());
        let pull = |listeners| async move { engine.pull(&reference, &parsed, platform, &listeners).await }.boxed();
        self.pulls.join(key, report, pull).await
    }

    async fn pull(
        &self,
        reference: &str,
        parsed: &Reference,
        platform: Option<String>,
        listeners: &Listeners,
    ) -> Result<Value, Fault> {
        if let Some(image) = self.inspect_image(reference).await? {
            return Ok(image);
        }
        let doing = format!("pulling {reference}");
        let credentials = self.credentials(parsed).await?;
        let from_image = Some(reference.to_owned());
        let options = CreateImageOptions { from_image, platform: platform.unwrap_or_default(), ..Default::default() };
        let pulse = Pulse::default();
        let pulling = async {
            let mut layers = Layers::default();
            let mut stream = self.docker.create_image(Some(options), None, credentials);
            while let Some(info) = stream.next().await {
                pulse.beat();
                let info = info.map_err(|error| failure::fault(&self.name, &doing, &error))?;
                layers.note(info).into_iter().for_each(|progress| listeners.tell(&progress));
            }
            Ok(())
        };
        self.while_alive(&pulse, &doing, pulling).await?;
        let missing = || Fault::new(Code::Protocol, format!("{}, {doing}: it is not there after all", self.name));
        self.inspect_image(reference).await?.ok_or_else(missing)
    }

    async fn credentials(&self, reference: &Reference) -> Result<Option<DockerCredentials>, Fault> {
        let server = match reference.registry.as_str() {
            "docker.io" => "https://index.docker.io/v1/".to_owned(),
            registry => registry.to_owned(),
        };
        let login = self.registries.login(&reference.registry).await?;
        let plain = DockerCredentials { serveraddress: Some(server), ..Default::default() };
        Ok(login.map(|login| match login {
            Login::Password { username, password } => {
                DockerCredentials { username: Some(username), password: Some(password.expose().to_owned()), ..plain }
            }
            Login::Identity(token) => DockerCredentials { identitytoken: Some(token.expose().to_owned()), ..plain },
        }))
    }

    /// Gives up on what takes too long, or shows no sign of life.
    pub(super) async fn while_alive<T>(
        &self,
        pulse: &Pulse,
        doing: &str,
        work: impl Future<Output = Result<T, Fault>>,
    ) -> Result<T, Fault> {
        let stalled = async {
            while pulse.silence() < STALL_TIMEOUT {
                tokio::time::sleep(STALL_TIMEOUT / 8).await;
            }
        };
        tokio::select! {
            result = work => result,
            () = stalled => Err(failure::late(&self.name, doing, STALL_TIMEOUT)),
            () = tokio::time::sleep(LONG_TIMEOUT) => Err(failure::late(&self.name, doing, LONG_TIMEOUT)),
        }
    }
}

fn with_tag(reference: &str, parsed: &Reference) -> String {
    match (&parsed.tag, &parsed.digest) {
        (Some(tag), None) if !reference.ends_with(&format!(":{tag}")) => {
            format!("{reference}:{tag}")
        }
        _ => reference.to_owned(),
    }
}

/// The last sign of life.
pub(super) struct Pulse(Mutex<Instant>);

impl Default for Pulse {
    fn default() -> Self {
        Pulse(Mutex::new(Instant::now()))
    }
}

impl Pulse {
    pub(super) fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn silence(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// How far each layer got.
#[derive(Default)]
struct Layers(HashMap<String, (u64, u64)>);

impl Layers {
    /// All layers together, when something changed.
    fn note(&mut self, info: CreateImageInfo) -> Option<Progress> {
        let (id, status) = (info.id?, info.status?);
        let detail = info.progress_detail.unwrap_or_default();
        let known = self.0.get(&id).copied();
        let bytes = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
        match status.as_str() {
            "Downloading" => {
                let (done, total) = (bytes(detail.current)?, bytes(detail.total)?);
                self.0.insert(id, (done, total));
            }
            "Download complete" | "Pull complete" | "Verifying Checksum" => {
                let (_, total) = known?;
                self.0.insert(id, (total, total));
            }
            _ => return None,
        }
        let (done, total) = self.0.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let message = if done == total { "extracting" } else { "downloading" };
        Some(Progress { message: message.to_owned(), done: Some(done), total: Some(total) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(id: &str, status: &str, current: i64, total: i64) -> CreateImageInfo {
        serde_json::from_value(serde_json::json!({
            "id": id, "status": status, "progressDetail": { "current": current, "total": total },
        }))
        .unwrap()
    }

    #[test]
    fn layers_add_up() {
        let mut layers = Layers::default();
        assert_eq!(layers.note(info("a", "Pulling fs layer", 0, 0)), None);
        layers.note(info("a", "Downloading", 5, 10));
        let progress = layers.note(info("b", "Downloading", 1, 30)).unwrap();
        assert_eq!((progress.done, progress.total), (Some(6), Some(40)));
        layers.note(info("b", "Download complete", 0, 0));
        let progress = layers.note(info("a", "Download complete", 0, 0)).unwrap();
        assert_eq!((progress.message.as_str(), progress.done), ("extracting", Some(40)));
    }

    #[test]
    fn a_repository_alone_is_not_all_its_tags() {
        for (reference, asked) in
            [("nginx", "nginx:latest"), ("nginx:1", "nginx:1"), ("localhost:5000/a", "localhost:5000/a:latest")]
        {
            assert_eq!(with_tag(reference, &Reference::parse(reference).unwrap()), asked);
        }
    }
}
