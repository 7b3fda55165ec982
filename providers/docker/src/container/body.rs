//! What an engine is told of a container.

use bimetal_provider::{Json, Result, json};

use super::check::nanoseconds;
use super::{Container, Health, Mount, Port};
use crate::stamp::{IMAGE, INTENT};

impl Container {
    /// Docker's `POST /containers/create`.
    pub(super) fn body(&self, image: &str, intent: &str) -> Result<Json> {
        let mut labels = self.labels.clone().unwrap_or_default();
        labels.insert(INTENT.to_owned(), intent.to_owned());
        // What was asked for: an engine lists what it was loaded as.
        labels.insert(IMAGE.to_owned(), self.image.clone());
        let env: Vec<String> = self.env.iter().flatten().map(|(name, value)| format!("{name}={value}")).collect();
        let mut host = self.changeable();
        host["PortBindings"] = self.port_bindings();
        host["Mounts"] = Json::Array(self.volume.iter().map(Mount::body).collect());
        if let Some(network) = self.networks.iter().flatten().next() {
            host["NetworkMode"] = json!(network);
        }
        let exposed: serde_json::Map<_, _> = self.port.iter().map(|port| (port.key(), json!({}))).collect();
        let networks: serde_json::Map<_, _> =
            self.networks.iter().flatten().map(|name| (name.clone(), json!({}))).collect();
        Ok(json!({
            "Image": image,
            "Cmd": self.command,
            "Entrypoint": self.entrypoint,
            "Env": env,
            "Labels": labels,
            "User": self.user,
            "WorkingDir": self.working_dir,
            "Hostname": self.hostname,
            "ExposedPorts": exposed,
            "Healthcheck": self.health.as_ref().map(Health::body).transpose()?,
            "HostConfig": host,
            "NetworkingConfig": { "EndpointsConfig": networks },
        }))
    }

    /// What an engine changes without a new container.
    pub(super) fn changeable(&self) -> Json {
        json!({
            "RestartPolicy": { "Name": self.restart.as_deref().unwrap_or("unless-stopped") },
            "Memory": self.memory.unwrap_or(0),
            // As the engine chooses it for a new container; a change of the one without the other is refused.
            "MemorySwap": self.memory.unwrap_or(0) * 2,
            "NanoCpus": self.cpus.map_or(0, |cpus| (cpus * 1e9) as u64),
        })
    }

    fn port_bindings(&self) -> Json {
        let bound = self.port.iter().filter_map(|port| {
            let host = port.host?;
            Some((port.key(), json!([{ "HostPort": host.to_string() }])))
        });
        Json::Object(bound.collect())
    }
}

impl Port {
    /// `80/tcp`
    fn key(&self) -> String {
        format!("{}/{}", self.container, self.protocol.as_deref().unwrap_or("tcp"))
    }
}

impl Mount {
    fn body(&self) -> Json {
        let kind = if self.source.starts_with('/') { "bind" } else { "volume" };
        json!({ "Type": kind, "Source": self.source, "Target": self.target, "ReadOnly": self.read_only.unwrap_or(false) })
    }
}

impl Health {
    fn body(&self) -> Result<Json> {
        let nanoseconds = |text: &Option<String>| text.as_deref().map_or(Ok(0), nanoseconds);
        let command: Vec<&str> = ["CMD"].into_iter().chain(self.command.iter().map(String::as_str)).collect();
        Ok(json!({
            "Test": command,
            "Interval": nanoseconds(&self.interval)?,
            "Timeout": nanoseconds(&self.timeout)?,
            "StartPeriod": nanoseconds(&self.start_period)?,
            "Retries": self.retries.unwrap_or(0),
        }))
    }
}
