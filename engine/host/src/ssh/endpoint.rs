//! Which machine, as whom, and how its key is checked: the JSON text that handles carry.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::fault::{Code, Fault};

/// A machine's SSH server. Unknown members are an error, so that a misspelt check is not a missing one.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Name or address.
    pub host: String,
    #[serde(default)]
    port: Option<u16>,
    #[serde(default)]
    user: Option<String>,
    /// The private key.
    #[serde(default)]
    pub credential: Option<CredentialId>,
    #[serde(default)]
    agent: Option<bool>,
    #[serde(default)]
    host_key_check: Option<HostKeyCheck>,
    /// The only key that the machine may show.
    #[serde(default)]
    pub host_key: Option<String>,
    /// Instead of `~/.ssh/known_hosts`.
    #[serde(default)]
    pub known_hosts: Option<String>,
    /// The machine to go through.
    #[serde(default)]
    pub bastion: Option<Box<Endpoint>>,
}

/// `{"$credential": "id"}`
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CredentialId {
    /// Of the host's table.
    #[serde(rename = "$credential")]
    pub id: String,
}

/// What is done about a host key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostKeyCheck {
    /// It must be known.
    #[default]
    Strict,
    /// A first one is believed and kept; a changed one is refused.
    AcceptNew,
    /// Anything goes.
    Off,
}

impl Endpoint {
    /// Reads a handle.
    pub fn parse(text: &str) -> Result<Endpoint, Fault> {
        let endpoint: Endpoint = serde_json::from_str(text)
            .map_err(|error| Fault::new(Code::Invalid, format!("not an SSH endpoint: {error}")))?;
        endpoint.check()?;
        Ok(endpoint)
    }

    pub(crate) fn check(&self) -> Result<(), Fault> {
        // It becomes a part of lines in files of known hosts: names, addresses, and nothing that means more there.
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:%".contains(c);
        if self.host.is_empty() || self.host.starts_with('-') || !self.host.chars().all(plain) {
            return Err(Fault::new(Code::Invalid, format!("`{}` is not a host", self.host)));
        }
        self.bastion.as_ref().map_or(Ok(()), |bastion| bastion.check())
    }

    /// 22 unless given.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(22)
    }

    /// `root` unless given.
    pub fn user(&self) -> &str {
        self.user.as_deref().unwrap_or("root")
    }

    pub(crate) fn is_root(&self) -> bool {
        self.user() == "root"
    }

    pub(crate) fn agent(&self) -> bool {
        self.agent.unwrap_or(false)
    }

    pub(crate) fn host_key_check(&self) -> HostKeyCheck {
        self.host_key_check.unwrap_or_default()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}:{}", self.user(), self.host, self.port())?;
        match &self.bastion {
            Some(bastion) => write!(f, " (through {bastion})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_or_null_has_a_default() {
        let text = r#"{"host": "a", "port": null, "credential": null, "bastion": {"host": "b", "user": "eve"}}"#;
        let endpoint = Endpoint::parse(text).unwrap();
        assert_eq!(endpoint.to_string(), "root@a:22 (through eve@b:22)");
        assert_eq!(endpoint.host_key_check(), HostKeyCheck::Strict);
    }

    #[test]
    fn what_is_no_endpoint_is_an_error() {
        for text in [
            r#"{"host": "a", "hostkey": "x"}"#,
            r#"{"host": "a", "host_key_check": "no"}"#,
            r#"{"host": "-oProxyCommand=x"}"#,
            r#"{"host": "*,a"}"#,
            r#"{"host": "a", "bastion": {"host": "a b"}}"#,
        ] {
            assert_eq!(Endpoint::parse(text).unwrap_err().code, Code::Invalid, "{text}");
        }
    }
}
