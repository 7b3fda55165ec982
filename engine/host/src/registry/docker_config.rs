//! Logins that `docker login` left: in `config.json`, or with a credential helper.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::settings::Login;
use crate::credentials::Secret;
use crate::fault::{Code, Fault};

/// A helper may have to wake up a key ring.
const HELPER_TIMEOUT: Duration = Duration::from_secs(30);
/// What Docker keeps the login of its own registry under.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Config {
    auths: HashMap<String, Auth>,
    creds_store: Option<String>,
    cred_helpers: HashMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Auth {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Helped {
    username: String,
    secret: String,
}

/// The login for a registry; no file is no login.
pub(crate) async fn login(path: &Path, registry: &str) -> Result<Option<Login>, Fault> {
    let wrong = |why: String| Fault::new(Code::Invalid, format!("{} can't be read: {why}", path.display()));
    let config: Config = match tokio::fs::read(path).await {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| wrong(error.to_string()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(wrong(error.to_string())),
    };
    let key = if registry == "docker.io" { DOCKER_HUB } else { registry };
    if let Some(helper) = config.cred_helpers.get(registry).or_else(|| config.cred_helpers.get(key)) {
        return ask(helper, key).await;
    }
    let auth = config.auths.iter().find(|(name, _)| *name == key || host_of(name) == registry);
    match (auth.and_then(|(_, auth)| auth.login()), &config.creds_store) {
        (Some(login), _) => Ok(Some(login)),
        (None, Some(helper)) => ask(helper, key).await,
        (None, None) => Ok(None),
    }
}

/// `https://host/v1/` is how old logins are kept.
fn host_of(name: &str) -> &str {
    let name = name.trim_start_matches("https://").trim_start_matches("http://");
    name.split('/').next().unwrap_or(name)
}

impl Auth {
    fn login(&self) -> Option<Login> {
        if !self.identitytoken.is_empty() {
            return Some(Login::Identity(Secret::new(self.identitytoken.clone())));
        }
        let decoded = STANDARD.decode(&self.auth).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let (username, password) = match decoded.as_deref().and_then(|text| text.split_once(':')) {
            Some(pair) => pair,
            None => (self.username.as_str(), self.password.as_str()),
        };
        (!username.is_empty()).then(|| login_of(username, password.trim_end_matches('\0')))
    }
}

fn login_of(username: &str, secret: &str) -> Login {
    match username {
        "<token>" => Login::Identity(Secret::new(secret)),
        _ => Login::Password { username: username.to_owned(), password: Secret::new(secret) },
    }
}

/// Runs `docker-credential-<helper> get`. A helper that is missing or knows nothing means that we are nobody.
async fn ask(helper: &str, key: &str) -> Result<Option<Login>, Fault> {
    let is_plain = helper.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if !is_plain {
        return Err(Fault::new(Code::Invalid, format!("`{helper}` is not the name of a credential helper")));
    }
    let program = format!("docker-credential-{helper}");
    let asking = async {
        let mut child = Command::new(&program)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(key.as_bytes()).await?;
        }
        child.wait_with_output().await
    };
    let output = match tokio::time::timeout(HELPER_TIMEOUT, asking).await {
        Ok(Ok(output)) => output,
        Ok(Err(error)) => {
            tracing::warn!(%program, %error, "the credential helper can't be run");
            return Ok(None);
        }
        Err(_) => {
            return Err(Fault::new(Code::Timeout, format!("`{program}` does not answer")));
        }
    };
    if !output.status.success() {
        return Ok(None);
    }
    let helped: Option<Helped> = serde_json::from_slice(&output.stdout).ok();
    Ok(helped.map(|helped| login_of(&helped.username, &helped.secret)))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn login_in(config: &str, registry: &str) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        std::fs::write(&path, config).unwrap();
        login(&path, registry).await.unwrap().map(|login| match login {
            Login::Password { username, password } => {
                format!("{username}:{}", password.expose())
            }
            Login::Identity(token) => format!("token {}", token.expose()),
        })
    }

    #[tokio::test]
    async fn logins_are_found_under_all_their_names() {
        let auth = STANDARD.encode("eve:secret:word");
        for (name, registry) in [
            ("https://index.docker.io/v1/", "docker.io"),
            ("registry.example.org:5000", "registry.example.org:5000"),
            ("https://registry.example.org/v2/", "registry.example.org"),
        ] {
            let config = format!(r#"{{"auths": {{"{name}": {{"auth": "{auth}"}}}}}}"#);
            assert_eq!(login_in(&config, registry).await.as_deref(), Some("eve:secret:word"), "{name}");
            assert_eq!(login_in(&config, "other.example.org").await, None);
        }
        let token = r#"{"auths": {"a.b": {"identitytoken": "t"}}}"#;
        assert_eq!(login_in(token, "a.b").await.as_deref(), Some("token t"));
    }

    #[tokio::test]
    async fn a_missing_helper_or_file_is_no_login() {
        assert_eq!(login_in(r#"{"credsStore": "there-is-none"}"#, "a.b").await, None);
        assert!(login(Path::new("/nowhere/config.json"), "a.b").await.unwrap().is_none());
    }
}
