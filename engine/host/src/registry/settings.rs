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
    /// Without TLS, or with it. Where nothing is said, registries on this machine are asked which it is, and all others have it.
    pub plain_http: Option<bool>,
    /// Who.
    pub username: Option<String>,
    /// Or a token.
    pub password: Option<Secret>,
}

/// How a registry is spoken to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Without TLS.
    Http,
    /// With it.
    Https,
}

impl Scheme {
    /// As URLs begin.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
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

    /// `None`: it is on this machine, and may have TLS or not.
    pub(crate) fn scheme(&self, registry: &str) -> Option<Scheme> {
        match self.hosts.get(registry).and_then(|settings| settings.plain_http) {
            Some(true) => Some(Scheme::Http),
            Some(false) => Some(Scheme::Https),
            None if is_loopback(registry) => None,
            None => Some(Scheme::Https),
        }
    }
}
