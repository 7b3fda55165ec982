//! Who we are: keys from credentials, an agent, or the default files. Private keys stay in this file's values.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::client::{AuthResult, Handle, Handler};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, decode_secret_key};

use super::endpoint::Endpoint;
use crate::credentials::Credentials;
use crate::fault::{Code, Fault};

/// What OpenSSH tries, in its order, less those that need hardware.
const DEFAULT_KEYS: &[&str] = &["id_ed25519", "id_ecdsa", "id_rsa"];

/// One way to say who we are.
enum Identity {
    Key { name: String, key: Arc<PrivateKey> },
    Agent,
}

/// Logs in, or says what was tried.
pub(crate) async fn authenticate<H: Handler>(
    handle: &mut Handle<H>,
    endpoint: &Endpoint,
    credentials: &Credentials,
    home: Option<&Path>,
) -> Result<(), Fault> {
    let mut tried = Tried::default();
    for identity in identities(endpoint, credentials, home).await? {
        let logged_in = match identity {
            Identity::Key { name, key } => {
                tried.keys.push(name);
                with_key(handle, endpoint, key).await?
            }
            Identity::Agent => with_agent(handle, endpoint, &mut tried).await?,
        };
        if logged_in {
            return Ok(());
        }
    }
    Err(tried.in_vain(endpoint))
}

/// What was done before giving up.
#[derive(Default)]
struct Tried {
    keys: Vec<String>,
    /// Why the agent had none.
    agent: Option<String>,
}

impl Tried {
    fn in_vain(&self, endpoint: &Endpoint) -> Fault {
        let agent = self.agent.as_ref().map(|why| format!("the SSH agent {why}"));
        let message = if self.keys.is_empty() {
            let missed: Vec<_> = agent.into_iter().chain(["there is none in `~/.ssh`".to_owned()]).collect();
            let hint = "name one with `key_file` or `private_key`, add one to an agent with `ssh-add`, or make one with `ssh-keygen`";
            format!("there is no key to log in to {endpoint} with: {}\n{hint}", missed.join(", and "))
        } else {
            let tried: Vec<_> = self.keys.iter().cloned().chain(agent).collect();
            let hint = format!("add the public key to `~/.ssh/authorized_keys` of `{}` there", endpoint.user());
            format!("{endpoint} lets nobody in with these keys: tried {}\n{hint}", tried.join(", "))
        };
        Fault::new(Code::Unauthorized, message)
    }
}

async fn identities(
    endpoint: &Endpoint,
    credentials: &Credentials,
    home: Option<&Path>,
) -> Result<Vec<Identity>, Fault> {
    let mut identities = Vec::new();
    if let Some(credential) = &endpoint.credential {
        let text = credentials.secret(&credential.id).await?;
        let name = format!("the key of `{}`", credential.id);
        let key = Arc::new(private_key(text.expose(), &name)?);
        identities.push(Identity::Key { name, key });
    }
    if endpoint.agent() {
        identities.push(Identity::Agent);
    }
    // As OpenSSH does: the files in the home folder after the agent, unless one key was named.
    if endpoint.credential.is_none() {
        identities.extend(default_keys(home));
    }
    Ok(identities)
}

/// Those that are there and can be read without a passphrase.
fn default_keys(home: Option<&Path>) -> Vec<Identity> {
    let Some(folder) = home.map(|home| home.join(".ssh")) else {
        return Vec::new();
    };
    let load = |name: &&str| {
        let path = folder.join(name);
        let text = std::fs::read_to_string(&path).ok()?;
        let name = path.display().to_string();
        match private_key(&text, &name) {
            Ok(key) => Some(Identity::Key { name, key: Arc::new(key) }),
            Err(fault) => {
                tracing::warn!(%fault, "a default key is passed over");
                None
            }
        }
    };
    DEFAULT_KEYS.iter().filter_map(load).collect()
}

/// Reads OpenSSH's format, PKCS#1, PKCS#8 and SEC1.
fn private_key(text: &str, name: &str) -> Result<PrivateKey, Fault> {
    use russh::keys::Error;
    let encrypted = || {
        let hint =
            "take the passphrase off a copy with `ssh-keygen -p`, or load it into an agent and set `agent = true`";
        Fault::new(Code::Invalid, format!("{name} is encrypted with a passphrase\n{hint}"))
    };
    match decode_secret_key(text, None) {
        Ok(key) if key.is_encrypted() => Err(encrypted()),
        Ok(key) => Ok(key),
        Err(Error::KeyIsEncrypted) => Err(encrypted()),
        Err(_) if text.contains("ENCRYPTED") => Err(encrypted()),
        Err(_) if text.trim_start().starts_with("ssh-") => {
            Err(Fault::new(Code::Invalid, format!("{name} is a public key; the private one is needed")))
        }
        // The reason never quotes the key.
        Err(error) => Err(Fault::new(Code::Invalid, format!("{name} is not a private key that can be read: {error}"))),
    }
}

async fn with_key<H: Handler>(
    handle: &mut Handle<H>,
    endpoint: &Endpoint,
    key: Arc<PrivateKey>,
) -> Result<bool, Fault> {
    let hash = hash_for(handle, key.algorithm().is_rsa()).await?;
    let key = PrivateKeyWithHashAlg::new(key, hash);
    let result = handle.authenticate_publickey(endpoint.user(), key).await;
    logged_in(result.map_err(|error| lost(endpoint, &error))?, endpoint)
}

async fn hash_for<H: Handler>(handle: &Handle<H>, is_rsa: bool) -> Result<Option<HashAlg>, Fault> {
    if !is_rsa {
        return Ok(None);
    }
    let best = handle.best_supported_rsa_hash().await;
    Ok(best.map_err(|error| Fault::new(Code::Protocol, error.to_string()))?.flatten())
}

#[cfg(unix)]
async fn with_agent<H: Handler>(handle: &mut Handle<H>, endpoint: &Endpoint, tried: &mut Tried) -> Result<bool, Fault> {
    let (mut agent, identities) = match asked_agent().await {
        Ok((agent, identities)) if !identities.is_empty() => (agent, identities),
        Ok(_) => {
            tried.agent = Some("has none".to_owned());
            return Ok(false);
        }
        Err(why) => {
            tried.agent = Some(why);
            return Ok(false);
        }
    };
    for identity in identities {
        let AgentIdentity::PublicKey { key, comment } = identity else {
            continue;
        };
        let hash = hash_for(handle, key.algorithm().is_rsa()).await?;
        tried.keys.push(format!("the agent's key `{comment}`"));
        match handle.authenticate_publickey_with(endpoint.user(), key, hash, &mut agent).await {
            Ok(result) if logged_in(result.clone(), endpoint)? => return Ok(true),
            Ok(_) => {}
            // One key that the agent won't sign with doesn't spoil the others.
            Err(error) => tracing::debug!(?error, "the agent did not sign"),
        }
    }
    Ok(false)
}

#[cfg(unix)]
type Agent = AgentClient<tokio::net::UnixStream>;

/// The agent with its keys, or why there is none.
#[cfg(unix)]
async fn asked_agent() -> Result<(Agent, Vec<AgentIdentity>), String> {
    if std::env::var_os("SSH_AUTH_SOCK").is_none() {
        return Err("is not running (`SSH_AUTH_SOCK` is not set)".to_owned());
    }
    let broken = |error: russh::keys::Error| format!("can't be asked ({error})");
    let mut agent = AgentClient::connect_env().await.map_err(broken)?;
    let identities = agent.request_identities().await.map_err(broken)?;
    Ok((agent, identities))
}

#[cfg(not(unix))]
async fn with_agent<H: Handler>(
    _handle: &mut Handle<H>,
    _endpoint: &Endpoint,
    tried: &mut Tried,
) -> Result<bool, Fault> {
    tried.agent = Some("can't be asked on this system".to_owned());
    Ok(false)
}

fn logged_in(result: AuthResult, endpoint: &Endpoint) -> Result<bool, Fault> {
    match result {
        AuthResult::Success => Ok(true),
        AuthResult::Failure { partial_success: false, .. } => Ok(false),
        AuthResult::Failure { partial_success: true, .. } => {
            let message = format!("{endpoint} wants a second way of logging in, which can't be given without a person");
            Err(Fault::new(Code::Unauthorized, message))
        }
    }
}

fn lost(endpoint: &Endpoint, error: &russh::Error) -> Fault {
    Fault::new(Code::Unreachable, format!("{endpoint} broke off while logging in: {error}"))
}

/// `~/` is the home folder.
pub(crate) fn expand_home(path: &str, home: Option<&Path>) -> PathBuf {
    match (path.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(path),
    }
}
