//! How a machine is logged in to, and the handles that other providers reach its engine by.

use bimetal_provider::{Credential, Handle, Json, json};

/// Where an engine listens on every machine.
const SOCKET: &str = "/var/run/docker.sock";

/// How a machine is logged in to.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    /// Name or address.
    pub host: String,
    /// Usually 22.
    pub port: u16,
    /// Usually `root`.
    pub user: String,
    /// The private key.
    pub credential: Option<Credential>,
    /// Ask the operator's agent.
    pub agent: bool,
    /// `strict`, `accept-new` or `off`.
    pub host_key_check: String,
    /// The only key that the machine may show.
    pub host_key: Option<String>,
    /// Instead of the operator's own file.
    pub known_hosts: Option<String>,
    /// The machine to go through.
    pub bastion: Option<Bastion>,
}

/// A machine to go through; it takes the same keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bastion {
    /// Name or address.
    pub host: String,
    /// Usually 22.
    pub port: u16,
    /// Usually as for the machine behind it.
    pub user: String,
}

impl Login {
    /// The endpoint that the host's capabilities take.
    pub fn endpoint(&self) -> Json {
        let bastion = self.bastion.as_ref().map(|bastion| {
            let Bastion { host, port, user } = bastion.clone();
            Login { host, port, user, host_key: None, bastion: None, ..self.clone() }.endpoint()
        });
        json!({
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "credential": self.credential,
            "agent": self.agent,
            "host_key_check": self.host_key_check,
            "host_key": self.host_key,
            "known_hosts": self.known_hosts,
            "bastion": bastion,
        })
    }
}

/// The handle of an engine behind SSH.
///
/// It pins the host key, and whoever uses it opens a connection of its own: one that knows of groups that its user was put in.
pub(crate) fn engine_over_ssh(login: &Login, host_key: &str) -> Handle {
    let login = Login { host_key: Some(host_key.to_owned()), ..login.clone() };
    Handle(json!({ "transport": "ssh", "endpoint": login.endpoint(), "socket": SOCKET }))
}

/// The handle of an engine that listens on TCP, with a certificate of an authority that the host keeps.
pub(crate) fn engine_over_tcp(host: &str, authority: &str) -> Handle {
    Handle(json!({ "transport": "tcp", "host": host, "port": 2376, "authority": authority }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bastion_takes_the_same_keys() {
        let login = Login {
            host: "10.0.0.5".to_owned(),
            port: 22,
            user: "pi".to_owned(),
            credential: Some(Credential("machine.baremetal.a#private_key".to_owned())),
            agent: false,
            host_key_check: "strict".to_owned(),
            host_key: Some("ssh-ed25519 AAAA".to_owned()),
            known_hosts: None,
            bastion: Some(Bastion { host: "gate".to_owned(), port: 2222, user: "jump".to_owned() }),
        };
        let endpoint = login.endpoint();
        assert_eq!(endpoint["credential"], json!({ "$credential": "machine.baremetal.a#private_key" }));
        assert_eq!(endpoint["bastion"]["credential"], endpoint["credential"]);
        assert_eq!(endpoint["bastion"]["host_key"], Json::Null);
        assert_eq!((&endpoint["bastion"]["host"], &endpoint["bastion"]["user"]), (&json!("gate"), &json!("jump")));
    }
}
