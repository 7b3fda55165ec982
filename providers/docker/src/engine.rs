//! `docker_engine`: what an engine says of itself. And how its answer is read.

use bimetal_provider::capability::docker;
use bimetal_provider::{Credential, DataSource, Deserialize, Diagnostic, Handle, Json, Result, Schema, Serialize};

use crate::Docker;
use crate::access::Access;

/// What an engine says of itself.
#[derive(Schema, Serialize, Deserialize)]
pub(crate) struct Engine {
    /// The engine of a machine: `machine.docker.here.engine`; or say how it is reached
    #[attr(computed)]
    engine: Option<Handle>,
    /// `unix:///var/run/docker.sock`, `tcp://host:2376` or `ssh://user@host`
    host: Option<String>,
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
    /// Without TLS
    insecure: Option<bool>,
    #[attr(read_only)]
    platform: Option<String>,
    #[attr(read_only)]
    cpus: Option<u64>,
    /// In bytes
    #[attr(read_only)]
    memory: Option<u64>,
    #[attr(read_only)]
    version: Option<String>,
    #[attr(read_only)]
    name: Option<String>,
    /// Of all states
    #[attr(read_only)]
    containers: Option<u64>,
}

impl DataSource for Engine {
    type Provider = Docker;
    const NAME: &'static str = "docker_engine";

    fn read(_: &Docker, config: Self) -> Result<Self> {
        let handle = config.handle()?;
        let facts = Facts::of(&handle)?;
        Ok(Engine {
            engine: Some(handle),
            platform: Some(facts.platform),
            cpus: facts.cpus,
            memory: facts.memory,
            version: facts.version,
            name: facts.name,
            containers: facts.containers,
            ..config
        })
    }
}

impl Engine {
    fn handle(&self) -> Result<Handle> {
        match (&self.engine, &self.host) {
            (Some(engine), None) => Ok(engine.clone()),
            (None, Some(host)) => self.access(host).handle(),
            _ => {
                let error = Diagnostic::error("either `engine` or `host` says which engine is meant");
                Err(error.hint("write `engine = machine.docker.here.engine`"))
            }
        }
    }

    fn access<'a>(&'a self, host: &'a str) -> Access<'a> {
        Access {
            host,
            ca: self.ca.as_deref(),
            certificate: self.certificate.as_deref(),
            key: self.key.as_ref(),
            private_key: self.private_key.as_ref(),
            key_file: self.key_file.as_ref(),
            host_key_check: self.host_key_check.as_deref(),
            host_key: None,
            known_hosts: None,
            is_insecure: self.insecure == Some(true),
        }
    }
}

/// What `/info` and `/version` tell.
pub(crate) struct Facts {
    pub(crate) platform: String,
    pub(crate) cpus: Option<u64>,
    pub(crate) memory: Option<u64>,
    pub(crate) version: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) containers: Option<u64>,
}

impl Facts {
    pub(crate) fn of(handle: &Handle) -> Result<Facts> {
        let answer = docker::Engine::new(handle).info()?;
        Ok(Facts::read(&answer))
    }

    fn read(answer: &Json) -> Facts {
        let (info, version) = (&answer["info"], &answer["version"]);
        let text = |value: &Json| value.as_str().map(str::to_owned);
        let os = info["OSType"].as_str().unwrap_or("linux");
        let architecture = info["Architecture"].as_str().or(version["Arch"].as_str()).unwrap_or("amd64");
        Facts {
            platform: platform(os, architecture),
            cpus: info["NCPU"].as_u64(),
            memory: info["MemTotal"].as_u64(),
            version: text(&version["Version"]).or(text(&info["ServerVersion"])),
            name: text(&info["Name"]),
            containers: info["Containers"].as_u64(),
        }
    }
}

/// What an engine calls itself, as images call it. A 32-bit engine on a 64-bit kernel says `armv8l`.
fn platform(os: &str, architecture: &str) -> String {
    let architecture = match architecture {
        "x86_64" | "amd64" => "amd64",
        "aarch64" | "arm64" => "arm64",
        "armv7l" | "armv8l" | "armhf" | "arm" => "arm/v7",
        "armv6l" => "arm/v6",
        "armv5tel" | "armel" => "arm/v5",
        "i386" | "i586" | "i686" | "386" => "386",
        other => other,
    };
    format!("{os}/{architecture}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use bimetal_provider::json;

    #[test]
    fn engines_are_called_as_images_are() {
        for (architecture, expected) in
            [("x86_64", "linux/amd64"), ("aarch64", "linux/arm64"), ("armv8l", "linux/arm/v7")]
        {
            let facts = Facts::read(
                &json!({ "info": { "OSType": "linux", "Architecture": architecture, "NCPU": 4 }, "version": {} }),
            );
            assert_eq!((facts.platform.as_str(), facts.cpus), (expected, Some(4)));
        }
    }

    #[test]
    fn an_engine_is_asked_by_handle_or_by_host() {
        let driver = crate::testing::Engine::default().driver();
        let handle = json!({ "$handle": { "transport": "unix", "path": "/s" } });
        let by_handle = driver.read_data("docker_engine", &json!({ "engine": handle })).unwrap();
        let by_host = driver.read_data("docker_engine", &json!({ "host": "unix:///s" })).unwrap();
        assert_eq!((&by_host["engine"], &by_host["platform"]), (&handle, &by_handle["platform"]));
        assert!(driver.read_data("docker_engine", &json!({})).is_err());
    }
}
