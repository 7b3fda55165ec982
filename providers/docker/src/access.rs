//! How an engine is reached: from what users write to the handle that others are given.

use bimetal_provider::{Credential, Diagnostic, Handle, Json, Plan, Result, json};

const SOCKET: &str = "/var/run/docker.sock";

/// What users write of it; `docker_machine` and `docker_engine` take the same.
pub(crate) struct Access<'a> {
    pub(crate) host: &'a str,
    pub(crate) ca: Option<&'a str>,
    pub(crate) certificate: Option<&'a str>,
    pub(crate) key: Option<&'a Credential>,
    pub(crate) private_key: Option<&'a Credential>,
    pub(crate) key_file: Option<&'a Credential>,
    pub(crate) host_key_check: Option<&'a str>,
    pub(crate) host_key: Option<&'a str>,
    pub(crate) known_hosts: Option<&'a str>,
    pub(crate) is_insecure: bool,
}

/// Where a `host` leads.
#[derive(Debug, PartialEq)]
enum Host<'a> {
    Unix(&'a str),
    Tcp { host: &'a str, port: u16 },
    Ssh { user: Option<&'a str>, host: &'a str, port: u16, socket: &'a str },
}

impl Access<'_> {
    /// Says what is wrong with it, without asking anybody.
    pub(crate) fn check(&self) -> Vec<Diagnostic> {
        let mut wrong = Vec::new();
        match parse(self.host) {
            Err(error) => wrong.push(error),
            Ok(Host::Tcp { .. }) if !self.is_insecure && self.ca.is_none() => {
                let error = Diagnostic::error("an engine on TCP needs `ca`, `certificate` and `key`").at("host");
                wrong.push(error.hint("or say `insecure = true`: then whoever reaches the port is root there"));
            }
            Ok(_) => {}
        }
        if self.certificate.is_some() != self.key.is_some() {
            let (there, missing) = if self.key.is_none() { ("certificate", "key") } else { ("key", "certificate") };
            let error = Diagnostic::error(format!("it is of no use without `{missing}`")).at(there);
            wrong.push(error.hint("an engine that checks its clients needs `ca`, `certificate` and `key`"));
        }
        if let Some(word) = self.host_key_check.filter(|word| !["strict", "accept-new", "off"].contains(word)) {
            let error = Diagnostic::error(format!("`{word}` is no way to check a host key")).at("host_key_check");
            wrong.push(error.hint("there are `strict`, `accept-new` and `off`"));
        }
        wrong
    }

    pub(crate) fn handle(&self) -> Result<Handle> {
        Ok(Handle(match parse(self.host)? {
            Host::Unix(path) => json!({ "transport": "unix", "path": path }),
            Host::Tcp { host, port } if self.is_insecure => {
                json!({ "transport": "tcp", "host": host, "port": port, "tls": false })
            }
            Host::Tcp { host, port } => json!({
                "transport": "tcp", "host": host, "port": port,
                "ca": self.ca, "certificate": self.certificate, "key": self.key,
            }),
            Host::Ssh { user, host, port, socket } => {
                json!({ "transport": "ssh", "endpoint": self.endpoint(user, host, port), "socket": socket })
            }
        }))
    }

    fn endpoint(&self, user: Option<&str>, host: &str, port: u16) -> Json {
        let credential = self.private_key.or(self.key_file);
        json!({
            "host": host,
            "port": port,
            "user": user.unwrap_or("root"),
            "credential": credential,
            "agent": credential.is_none(),
            "host_key_check": self.host_key_check.unwrap_or("strict"),
            "host_key": self.host_key,
            "known_hosts": self.known_hosts,
        })
    }

    /// Where its containers are reached.
    pub(crate) fn address(&self) -> Result<String> {
        Ok(match parse(self.host)? {
            Host::Unix(_) => "127.0.0.1".to_owned(),
            Host::Tcp { host, .. } | Host::Ssh { host, .. } => host.to_owned(),
        })
    }
}

fn parse(text: &str) -> Result<Host<'_>> {
    let wrong = || {
        Diagnostic::error(format!("`{text}` leads to no engine"))
            .hint("write `unix:///var/run/docker.sock`, `tcp://host:2376` or `ssh://user@host`")
            .at("host")
    };
    let host = if let Some(path) = text.strip_prefix("unix://") {
        path.starts_with('/').then_some(Host::Unix(path))
    } else if let Some(rest) = text.strip_prefix("tcp://") {
        split(rest.trim_end_matches('/'), 2376).map(|(host, port)| Host::Tcp { host, port })
    } else if let Some(rest) = text.strip_prefix("ssh://") {
        let (rest, socket) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let socket = if socket.len() > 1 { socket } else { SOCKET };
        let (user, rest) = rest.rsplit_once('@').map_or((None, rest), |(user, rest)| (Some(user), rest));
        split(rest, 22).map(|(host, port)| Host::Ssh { user, host, port, socket })
    } else {
        None
    };
    host.ok_or_else(wrong)
}

/// Name and port. An IPv6 address with a port stands in brackets.
fn split(text: &str, default: u16) -> Option<(&str, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Some(default), |port| port.parse().ok())?;
    (!host.is_empty() && !host.contains('/')).then_some((host, port))
}

/// A handle that leads to the same engine by other means, as with a new key, leads to no other engine.
pub(crate) fn stay(plan: &mut Plan) {
    let (before, now) = (place(plan.prior("engine")), place(plan.value("engine")));
    if before.is_some() && before == now {
        plan.keep("engine");
    }
}

/// What of a handle says which engine it is.
fn place(handle: &Json) -> Option<Json> {
    let handle = handle.get("$handle")?;
    let machine = |endpoint: &Json| json!([endpoint["host"], endpoint["port"]]);
    Some(match handle["transport"].as_str()? {
        "unix" => json!([handle["path"]]),
        "tcp" => machine(handle),
        "ssh" => {
            let endpoint = &handle["endpoint"];
            json!([machine(endpoint), machine(&endpoint["bastion"]), handle["socket"]])
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_lead_where_they_say() {
        let ssh = |user, host, port, socket| Host::Ssh { user, host, port, socket };
        for (text, expected) in [
            ("unix:///run/docker.sock", Host::Unix("/run/docker.sock")),
            ("tcp://10.0.0.1", Host::Tcp { host: "10.0.0.1", port: 2376 }),
            ("tcp://[fd00::1]:2375/", Host::Tcp { host: "fd00::1", port: 2375 }),
            ("ssh://pi@rack:2222", ssh(Some("pi"), "rack", 2222, SOCKET)),
            ("ssh://rack/run/user/1000/docker.sock", ssh(None, "rack", 22, "/run/user/1000/docker.sock")),
        ] {
            assert_eq!(parse(text).unwrap(), expected, "{text}");
        }
        for wrong in ["", "docker.sock", "unix://run", "tcp://", "tcp://h:x", "tcp://h/x", "ssh://", "http://h"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn another_key_leads_to_the_same_engine() {
        let ssh = |host: &str, key: &str| json!({ "$handle": { "transport": "ssh", "endpoint": { "host": host, "port": 22, "host_key": key }, "socket": "/s" } });
        assert_eq!(place(&ssh("a", "1")), place(&ssh("a", "2")));
        assert_ne!(place(&ssh("a", "1")), place(&ssh("b", "1")));
        assert_eq!(place(&json!({ "$unknown": {} })), None);
    }
}
