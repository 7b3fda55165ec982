//! `machine "docker"`: an engine that exists already.

use std::collections::BTreeMap;

use bimetal_provider::{
    Create, Credential, Deletion, Deserialize, Diagnostic, Handle, Json, Outcome, Resource, Result, Role, Schema,
    Serialize, json,
};

use crate::Docker;
use crate::engine::Facts;

/// An engine that exists already: it is taken on as it is, and left as it is.
#[derive(Schema, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// `unix:///var/run/docker.sock`, `tcp://host:2376` or `ssh://user@host`
    #[attr(force_new)]
    host: String,
    /// PEM of the authority that signed the engine's certificate
    ca: Option<String>,
    /// PEM of our certificate
    certificate: Option<String>,
    /// PEM of our certificate's key
    #[attr(credential)]
    key: Option<Credential>,
    /// Our SSH key itself
    #[attr(credential)]
    private_key: Option<Credential>,
    /// The file of our SSH key
    #[attr(credential_file)]
    key_file: Option<Credential>,
    /// `strict`, `accept-new` or `off`
    host_key_check: Option<String>,
    /// The machine's SSH key, where it is known
    host_key: Option<String>,
    /// Instead of `~/.ssh/known_hosts`
    known_hosts: Option<String>,
    /// Without TLS: whoever reaches the port is root there
    insecure: Option<bool>,
    /// `linux/arm64`; asked of the engine unless said
    #[attr(computed)]
    platform: Option<String>,
    /// For placement
    labels: Option<BTreeMap<String, String>>,
    #[attr(read_only)]
    cpus: Option<u64>,
    /// In bytes
    #[attr(read_only)]
    memory: Option<u64>,
    /// Where its containers are reached
    #[attr(computed)]
    address: Option<String>,
    #[attr(read_only)]
    engine: Option<Handle>,
    #[attr(read_only)]
    engine_version: Option<String>,
}

/// Where a `host` leads.
enum Host<'a> {
    Unix(&'a str),
    Tcp { host: &'a str, port: u16 },
    Ssh { user: Option<&'a str>, host: &'a str, port: u16 },
}

fn parse(text: &str) -> Result<Host<'_>> {
    let wrong = || {
        Diagnostic::error(format!("`{text}` leads to no engine"))
            .hint("write `unix:///var/run/docker.sock`, `tcp://host:2376` or `ssh://user@host`")
            .at("host")
    };
    if let Some(path) = text.strip_prefix("unix://").filter(|path| path.starts_with('/')) {
        return Ok(Host::Unix(path));
    }
    let split = |rest: &str, default: u16| -> Option<(usize, u16)> {
        match rest.rfind(':').filter(|colon| !rest[*colon..].contains(']')) {
            Some(colon) => Some((colon, rest[colon + 1..].parse().ok()?)),
            None => Some((rest.len(), default)),
        }
    };
    if let Some(rest) = text.strip_prefix("tcp://").filter(|rest| !rest.is_empty()) {
        let (end, port) = split(rest, 2376).ok_or_else(wrong)?;
        return Ok(Host::Tcp { host: &rest[..end], port });
    }
    if let Some(rest) = text.strip_prefix("ssh://").filter(|rest| !rest.is_empty()) {
        let (user, rest) = rest.split_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
        let (end, port) = split(rest, 22).ok_or_else(wrong)?;
        return Ok(Host::Ssh { user, host: &rest[..end], port });
    }
    Err(wrong())
}

impl Machine {
    fn handle(&self) -> Result<Handle> {
        Ok(Handle(match parse(&self.host)? {
            Host::Unix(path) => json!({ "transport": "unix", "path": path }),
            Host::Tcp { host, port } if self.insecure == Some(true) => {
                json!({ "transport": "tcp", "host": host, "port": port, "tls": false })
            }
            Host::Tcp { host, port } => json!({
                "transport": "tcp", "host": host, "port": port, "ca": self.ca, "certificate": self.certificate, "key": self.key,
            }),
            Host::Ssh { user, host, port } => {
                json!({ "transport": "ssh", "endpoint": self.endpoint(user, host, port), "socket": "/var/run/docker.sock" })
            }
        }))
    }

    fn endpoint(&self, user: Option<&str>, host: &str, port: u16) -> Json {
        let credential = self.private_key.as_ref().or(self.key_file.as_ref());
        json!({
            "host": host,
            "port": port,
            "user": user.unwrap_or("root"),
            "credential": credential,
            "agent": credential.is_none(),
            "host_key_check": self.host_key_check.as_deref().unwrap_or("strict"),
            "host_key": self.host_key,
            "known_hosts": self.known_hosts,
        })
    }

    fn own_address(&self) -> Result<String> {
        Ok(match parse(&self.host)? {
            Host::Unix(_) => "127.0.0.1".to_owned(),
            Host::Tcp { host, .. } | Host::Ssh { host, .. } => host.to_owned(),
        })
    }

    fn observed(self) -> Result<Self> {
        let handle = self.handle()?;
        let facts = Facts::of(&handle)?;
        let address = match &self.address {
            Some(address) => address.clone(),
            None => self.own_address()?,
        };
        Ok(Machine {
            platform: Some(self.platform.clone().unwrap_or(facts.platform)),
            cpus: facts.cpus,
            memory: facts.memory,
            address: Some(address),
            engine_version: facts.version,
            engine: Some(handle),
            ..self
        })
    }
}

impl Resource for Machine {
    type Provider = Docker;
    const NAME: &'static str = "docker_machine";
    const ROLE: Option<Role> = Some(Role::Machine);

    fn validate(&self) -> Vec<Diagnostic> {
        let mut found: Vec<_> = parse(&self.host).err().into_iter().collect();
        if let (Ok(Host::Tcp { .. }), false, None) = (parse(&self.host), self.insecure == Some(true), &self.ca) {
            let error = Diagnostic::error("an engine on TCP needs `ca`, `certificate` and `key`").at("host");
            found.push(error.hint("or say `insecure = true`: then whoever reaches the port is root there"));
        }
        found
    }

    fn discover(_: &Docker, config: Self) -> Result<Json> {
        let facts = Facts::of(&config.handle()?)?;
        let platform = config.platform.unwrap_or(facts.platform);
        Ok(json!({ "platform": platform, "cpus": facts.cpus, "memory": facts.memory }))
    }

    fn read(_: &Docker, objects: Vec<Self>) -> Vec<Result<Option<Self>>> {
        objects.into_iter().map(|machine| machine.observed().map(Some)).collect()
    }

    fn probe(_: &Docker, _: &str, _: Self) -> Result<Option<Self>> {
        // Nothing is made, so nothing is left behind.
        Ok(None)
    }

    fn create(_: &Docker, requests: Vec<Create<Self>>) -> Vec<Outcome<Self>> {
        requests.into_iter().map(|request| request.config.observed().into()).collect()
    }

    fn update(_: &Docker, prior: Self, config: Self) -> Outcome<Self> {
        let kept = Machine {
            platform: config.platform.clone().or(prior.platform),
            address: config.address.clone().or(prior.address),
            ..config
        };
        kept.observed().into()
    }

    fn delete(_: &Docker, _: Self) -> Deletion {
        Deletion::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_lead_where_they_say() {
        assert!(matches!(parse("unix:///run/docker.sock"), Ok(Host::Unix("/run/docker.sock"))));
        assert!(matches!(parse("tcp://10.0.0.1"), Ok(Host::Tcp { host: "10.0.0.1", port: 2376 })));
        assert!(matches!(parse("ssh://pi@rack:2222"), Ok(Host::Ssh { user: Some("pi"), host: "rack", port: 2222 })));
        for wrong in ["", "docker.sock", "unix://run", "tcp://h:x", "http://h"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
