//! Which engine, and how it is reached: the JSON text that handles carry.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::fault::{Code, Fault};
use crate::ssh::Endpoint;

/// An engine handle.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Handle {
    Unix(Unix),
    Ssh(Box<Ssh>),
    Tcp(Box<Tcp>),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub(super) struct Unix {
    pub(super) path: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
pub(super) struct Ssh {
    pub(super) endpoint: Endpoint,
    socket: Option<String>,
}

impl Ssh {
    pub(super) fn socket(&self) -> &str {
        self.socket.as_deref().unwrap_or("/var/run/docker.sock")
    }
}

#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
pub(super) struct Tcp {
    pub(super) host: String,
    port: Option<u16>,
    tls: Option<bool>,
    pub(super) authority: Option<String>,
    pub(super) ca: Option<Pem>,
    pub(super) certificate: Option<Pem>,
    pub(super) key: Option<Pem>,
}

/// PEM text, or the credential that has it.
#[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(untagged)]
pub(super) enum Pem {
    Text(String),
    Credential {
        #[serde(rename = "$credential")]
        id: String,
    },
}

impl Tcp {
    pub(super) fn tls(&self) -> bool {
        self.tls.unwrap_or(true)
    }

    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(if self.tls() { 2376 } else { 2375 })
    }
}

impl fmt::Debug for Tcp {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tcp({}:{})", self.host, self.port())
    }
}

impl Handle {
    pub(super) fn parse(text: &str) -> Result<Handle, Fault> {
        let wrong = |why: &str| Fault::new(Code::Invalid, format!("not an engine handle: {why}"));
        // The reason is the parser's own, which may quote a value, and a value may be a key.
        let value: Value = serde_json::from_str(text).map_err(|_| wrong("it is no JSON"))?;
        let transport = value.get("transport").and_then(Value::as_str).unwrap_or_default().to_owned();
        let unfit = |_| wrong(&format!("its members don't fit the transport `{transport}`"));
        match transport.as_str() {
            "unix" => Ok(Handle::Unix(serde_json::from_value(value).map_err(unfit)?)),
            "tcp" => Ok(Handle::Tcp(Box::new(serde_json::from_value(value).map_err(unfit)?))),
            "ssh" => {
                let ssh: Ssh = serde_json::from_value(value).map_err(|error| wrong(&error.to_string()))?;
                ssh.endpoint.check()?;
                Ok(Handle::Ssh(Box::new(ssh)))
            }
            other => Err(wrong(&format!("the transport is `{other}`, not `unix`, `ssh` or `tcp`"))),
        }
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Handle::Unix(unix) => write!(f, "unix://{}", unix.path),
            Handle::Ssh(ssh) => write!(f, "ssh://{}{}", ssh.endpoint, ssh.socket()),
            Handle::Tcp(tcp) => write!(f, "tcp://{}:{}", tcp.host, tcp.port()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_named_for_people() {
        for (text, name) in [
            (r#"{"transport": "unix", "path": "/run/docker.sock"}"#, "unix:///run/docker.sock"),
            (
                r#"{"transport": "ssh", "endpoint": {"host": "a", "port": 2222}}"#,
                "ssh://root@a:2222/var/run/docker.sock",
            ),
            (r#"{"transport": "tcp", "host": "a", "authority": "lab"}"#, "tcp://a:2376"),
            (r#"{"transport": "tcp", "host": "a", "tls": false}"#, "tcp://a:2375"),
            (r#"{"transport": "tcp", "host": "a", "port": 1, "key": {"$credential": "x"}, "ca": null}"#, "tcp://a:1"),
        ] {
            assert_eq!(Handle::parse(text).unwrap().to_string(), name);
        }
    }

    #[test]
    fn a_broken_handle_is_not_quoted() {
        for text in ["hunter2", r#"{"transport": "tcp", "host": 1, "key": "hunter2"}"#, r#"{"transport": "hop"}"#] {
            assert!(!Handle::parse(text).unwrap_err().message.contains("hunter2"));
        }
    }
}
