//! `docker_engine`: what an engine says of itself. And how its answer is read.

use bimetal_provider::capability::docker;
use bimetal_provider::{DataSource, Deserialize, Handle, Json, Result, Schema, Serialize};

use crate::Docker;

/// What an engine says of itself.
#[derive(Schema, Serialize, Deserialize)]
pub(crate) struct Engine {
    /// The engine of a machine: `machine.docker.here.engine`
    engine: Handle,
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
        let facts = Facts::of(&config.engine)?;
        Ok(Engine {
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
}
