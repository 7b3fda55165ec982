//! Registries over HTTP: manifests and configurations, by the distribution API.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bimetal_model::image::ImageIndex;
use futures::StreamExt;
use reqwest::header::{ACCEPT, AUTHORIZATION, WWW_AUTHENTICATE};
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;

use super::challenge::Challenge;
use super::expand::{Fetch, expand, of_manifest};
use super::manifest::{self, Document, check_digest, digest_of, verified};
use super::reference::{Reference, is_loopback};
use super::settings::{Login, Registries, Scheme};
use crate::client::Later;
use crate::credentials::Secret;
use crate::fault::{Code, Fault};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(60);
/// Of a manifest or a configuration.
const LIMIT: usize = 8 << 20;

/// All registries.
pub(crate) struct Remote {
    client: Later,
    /// A proxy can't reach what is on this machine.
    direct: Later,
    registries: Arc<Registries>,
    /// Of registries on this machine, as they were found to be.
    schemes: Mutex<HashMap<String, Scheme>>,
    tokens: Mutex<HashMap<(String, String), Secret>>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl Remote {
    pub(crate) fn new(registries: Arc<Registries>) -> Remote {
        crate::certificates::use_ring();
        let (client, direct) = (Later::new(builder), Later::new(|| builder().no_proxy()));
        Remote { client, direct, registries, schemes: Mutex::default(), tokens: Mutex::default() }
    }

    /// The repository of a reference.
    pub(super) async fn at<'a>(&'a self, reference: &'a Reference) -> Result<Repository<'a>, Fault> {
        let scheme = match self.registries.scheme(&reference.registry) {
            Some(scheme) => scheme,
            None => self.scheme_here(reference).await?,
        };
        Ok(Repository { remote: self, reference, scheme })
    }

    /// Whether a registry on this machine has TLS: one that has it refuses requests without.
    async fn scheme_here(&self, reference: &Reference) -> Result<Scheme, Fault> {
        let registry = &reference.registry;
        let known = self.schemes.lock().unwrap_or_else(PoisonError::into_inner).get(registry).copied();
        if let Some(scheme) = known {
            return Ok(scheme);
        }
        let url = format!("http://{}/v2/", reference.api_host());
        let scheme = match self.direct.get()?.get(url).send().await {
            Ok(response) if response.status() == StatusCode::BAD_REQUEST => Scheme::Https,
            Ok(_) => Scheme::Http,
            // Nobody is there, which is told where something is wanted.
            Err(error) if error.is_connect() || error.is_timeout() => return Ok(Scheme::Http),
            // It hangs up, or answers in what is no HTTP.
            Err(_) => Scheme::Https,
        };
        self.schemes.lock().unwrap_or_else(PoisonError::into_inner).insert(registry.clone(), scheme);
        Ok(scheme)
    }

    /// What the registry offers for each platform.
    pub(crate) async fn resolve(&self, reference: &Reference) -> Result<ImageIndex, Fault> {
        let repository = self.at(reference).await?;
        let bytes = repository.manifest().await?;
        let digest = match &reference.digest {
            Some(digest) => {
                verified(bytes.clone(), digest, &repository.name())?;
                digest.clone()
            }
            None => digest_of(&bytes),
        };
        let manifests = match Document::parse(&bytes, &repository.name())? {
            Document::Index(descriptors) => expand(&repository, descriptors).await?,
            Document::Manifest(manifest) => {
                let found = of_manifest(&repository, digest.clone(), &manifest).await?;
                let none = || Fault::new(Code::Invalid, format!("{reference} is no image that can be run"));
                vec![found.ok_or_else(none)?]
            }
        };
        Ok(ImageIndex { digest, manifests })
    }
}

fn builder() -> ClientBuilder {
    crate::client::builder().connect_timeout(CONNECT_TIMEOUT).timeout(TIMEOUT)
}

/// One repository of a registry.
pub(super) struct Repository<'a> {
    pub(super) remote: &'a Remote,
    pub(super) reference: &'a Reference,
    scheme: Scheme,
}

#[async_trait]
impl Fetch for Repository<'_> {
    async fn document(&self, digest: &str) -> Result<Vec<u8>, Fault> {
        check_digest(digest)?;
        verified(self.get("manifests", digest).await?, digest, &self.name())
    }

    async fn blob(&self, digest: &str) -> Result<Vec<u8>, Fault> {
        check_digest(digest)?;
        verified(self.get("blobs", digest).await?, digest, &self.name())
    }

    fn name(&self) -> String {
        format!("`{}`", self.reference)
    }
}

impl Repository<'_> {
    fn client(&self) -> Result<&Client, Fault> {
        match is_loopback(&self.reference.registry) {
            true => self.remote.direct.get(),
            false => self.remote.client.get(),
        }
    }

    /// What stands behind the reference's digest or tag; whether it has the digest is for the caller to see.
    pub(super) async fn manifest(&self) -> Result<Vec<u8>, Fault> {
        self.get("manifests", self.reference.version()).await
    }

    async fn get(&self, what: &str, version: &str) -> Result<Vec<u8>, Fault> {
        let url = self.url(&format!("{what}/{version}"));
        let response = self.exchange(|client| client.get(&url).header(ACCEPT, manifest::ACCEPT)).await?;
        match response.status() {
            status if status.is_success() => self.body(response, LIMIT).await,
            status => Err(self.refusal(status, version)),
        }
    }

    /// Where something of the repository is.
    pub(super) fn url(&self, path: &str) -> String {
        let repository = &self.reference.repository;
        format!("{}://{}/v2/{repository}/{path}", self.scheme.name(), self.reference.api_host())
    }

    /// Sends a request, and once more with a login where the registry asks for one. What it answers may be a refusal.
    pub(super) async fn exchange(&self, made: impl Fn(&Client) -> RequestBuilder) -> Result<Response, Fault> {
        let client = self.client()?;
        let request = || match self.token() {
            Some(token) => made(client).header(AUTHORIZATION, token.expose()),
            None => made(client),
        };
        let response = self.send(request()).await?;
        if response.status() == StatusCode::UNAUTHORIZED && self.authorize(&response).await? {
            return self.send(request()).await;
        }
        Ok(response)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, Fault> {
        request.send().await.map_err(|error| self.unreachable(&error))
    }

    /// All of an answer, which may have so many bytes.
    pub(super) async fn body(&self, response: Response, limit: usize) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            bytes.extend_from_slice(&chunk.map_err(|error| self.unreachable(&error))?);
            if bytes.len() > limit {
                let message = format!("{} has a part of more than {} MiB", self.name(), limit >> 20);
                return Err(Fault::new(Code::TooLarge, message));
            }
        }
        Ok(bytes)
    }

    fn key(&self) -> (String, String) {
        (self.reference.registry.clone(), self.reference.repository.clone())
    }

    fn token(&self) -> Option<Secret> {
        self.remote.tokens.lock().unwrap_or_else(PoisonError::into_inner).get(&self.key()).cloned()
    }

    /// Gets what the registry asks for. `false`: there is nothing that could be answered.
    async fn authorize(&self, response: &Response) -> Result<bool, Fault> {
        let headers = response.headers().get_all(WWW_AUTHENTICATE).iter();
        let challenge = headers.filter_map(|header| header.to_str().ok()).find_map(Challenge::parse);
        let login = self.remote.registries.login(&self.reference.registry).await?;
        let header = match (challenge, login) {
            (Some(Challenge::Bearer { realm, service, scope }), login) => {
                self.bearer(&realm, service.as_deref(), scope.as_deref(), login).await?
            }
            (Some(Challenge::Basic), Some(Login::Password { username, password })) => basic(&username, &password),
            (Some(Challenge::Basic), Some(Login::Identity(_)) | None) | (None, _) => {
                return Ok(false);
            }
        };
        self.remote.tokens.lock().unwrap_or_else(PoisonError::into_inner).insert(self.key(), header);
        Ok(true)
    }

    async fn bearer(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
        login: Option<Login>,
    ) -> Result<Secret, Fault> {
        let wrong = |why: &str| {
            Fault::new(Code::Protocol, format!("{} names a bad token server: {why}", self.reference.registry))
        };
        let url = Url::parse(realm).map_err(|error| wrong(&error.to_string()))?;
        // A registry that we speak to with TLS must not make us send a password without.
        if url.scheme() != "https" && self.scheme == Scheme::Https {
            return Err(wrong("it has no TLS"));
        }
        let scope = scope.map_or_else(|| format!("repository:{}:pull", self.reference.repository), str::to_owned);
        let mut parameters = vec![("scope", scope.as_str())];
        parameters.extend(service.map(|service| ("service", service)));
        let request = self.token_request(self.client()?, url, parameters, login.as_ref());
        let response = self.send(request).await?;
        if !response.status().is_success() {
            return Err(self.refusal(response.status(), self.reference.version()));
        }
        let token: Token =
            serde_json::from_slice(&self.body(response, LIMIT).await?).map_err(|_| wrong("it answers no token"))?;
        let token = token.token.or(token.access_token).ok_or_else(|| wrong("it answers no token"))?;
        Ok(Secret::new(format!("Bearer {token}")))
    }

    fn token_request<'p>(
        &self,
        client: &Client,
        mut url: Url,
        mut parameters: Vec<(&'p str, &'p str)>,
        login: Option<&'p Login>,
    ) -> RequestBuilder {
        if let Some(Login::Identity(token)) = login {
            parameters.extend([
                ("grant_type", "refresh_token"),
                ("refresh_token", token.expose()),
                ("client_id", "bimetal"),
            ]);
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            let body = form.extend_pairs(&parameters).finish();
            let form = "application/x-www-form-urlencoded";
            return client.post(url).header("content-type", form).body(body);
        }
        url.query_pairs_mut().extend_pairs(&parameters);
        let request = client.get(url);
        match login {
            Some(Login::Password { username, password }) => request.basic_auth(username, Some(password.expose())),
            Some(Login::Identity(_)) | None => request,
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> Fault {
        let code = if error.is_timeout() { Code::Timeout } else { Code::Unreachable };
        let mut reason = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            reason = inner.to_string();
            source = inner.source();
        }
        let registry = &self.reference.registry;
        let hint = match self.scheme {
            // As rustls says it.
            Scheme::Https if reason.contains("certificate") => {
                "\nif its authority is one of your own, name the file of that one's certificate in `SSL_CERT_FILE`"
                    .to_owned()
            }
            Scheme::Https => format!("\nif the registry has no TLS, set `plain_http = true` for `{registry}`"),
            Scheme::Http => String::new(),
        };
        Fault::new(code, format!("the registry `{registry}` can't be reached for {}: {reason}{hint}", self.name()))
    }

    /// What a status that is no success means.
    pub(super) fn refusal(&self, status: StatusCode, version: &str) -> Fault {
        let Reference { registry, repository, .. } = self.reference;
        match status {
            StatusCode::NOT_FOUND => Fault::new(
                Code::NotFound,
                format!(
                    "the registry `{registry}` has no `{version}` of `{repository}`\nsee that the name and the tag are right"
                ),
            ),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Fault::new(
                Code::Unauthorized,
                format!(
                    "the registry `{registry}` does not show `{repository}` ({version}): it isn't there, or needs a login\n\
                     log in with `docker login {registry}`, or set `username` and `password` for the registry"
                ),
            ),
            StatusCode::TOO_MANY_REQUESTS => Fault::new(
                Code::RateLimited,
                format!(
                    "the registry `{registry}` gives no more today or for a while, for {}\nlog in to get more",
                    self.name()
                ),
            ),
            status if status.is_server_error() => Fault::new(
                Code::Unreachable,
                format!("the registry `{registry}` is out of order ({status}), for {}", self.name()),
            ),
            status => {
                Fault::new(Code::Protocol, format!("the registry `{registry}` answers {status} for {}", self.name()))
            }
        }
    }
}

fn basic(username: &str, password: &Secret) -> Secret {
    use base64::Engine as _;
    let pair = format!("{username}:{}", password.expose());
    Secret::new(format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair)))
}
