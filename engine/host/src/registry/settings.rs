//! How registries are spoken to, and as whom: the run's settings first, then Docker's own configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::docker_config;
use super::reference::is_loopback;
use crate::credentials::Secret;
use crate::fault::Fault;

/// What is known about registries.
#[derive(Clone, Default)]
pub struct Registries {
    /// By name as in references: `docker.io`, `registry.example.org:5000`.
    pub hosts: BTreeMap<String, Registry>,
    /// Docker's `config.json`; `None`: logins of Docker's are not looked at.
    pub docker_config: Option<PathBuf>,
}

/// Settings of one registry.
#[derive(Clone, Default)]
pub struct Registry {
    /// Without TLS. Registries on this machine are spoken to like that anyway.
    pub plain_http: bool,
    /// Who.
    pub username: Option<String>,
    /// Or a token.
    pub password: Option<Secret>,
}

/// Who we are at a registry.
#[derive(Clone)]
pub enum Login {
    /// Name and password.
    Password {
        /// Who.
        username: String,
        /// The proof.
        password: Secret,
    },
    /// A token that gets tokens.
    Identity(Secret),
}

impl Registries {
    /// Only what Docker's own configuration knows: `$DOCKER_CONFIG/config.json` or `~/.docker/config.json`.
    pub fn of_docker() -> Registries {
        let folder = match std::env::var_os("DOCKER_CONFIG") {
            Some(folder) => Some(PathBuf::from(folder)),
            None => std::env::home_dir().map(|home| home.join(".docker")),
        };
        Registries { hosts: BTreeMap::new(), docker_config: folder.map(|folder| folder.join("config.json")) }
    }

    /// Who we are there; `None`: nobody.
    pub async fn login(&self, registry: &str) -> Result<Option<Login>, Fault> {
        let settings = self.hosts.get(registry);
        if let Some(Registry { username: Some(username), password: Some(password), .. }) = settings {
            return Ok(Some(Login::Password { username: username.clone(), password: password.clone() }));
        }
        match &self.docker_config {
            Some(path) => docker_config::login(path, registry).await,
            None => Ok(None),
        }
    }

    pub(crate) fn scheme(&self, registry: &str) -> &'static str {
        let plain = self.hosts.get(registry).is_some_and(|settings| settings.plain_http);
        if plain || is_loopback(registry) { "http" } else { "https" }
    }
}
