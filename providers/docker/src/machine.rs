//! `machine "docker"`: an engine that exists already.

use std::collections::BTreeMap;

use bimetal_provider::{
    Create, Credential, Deletion, Deserialize, Diagnostic, Handle, Json, Outcome, Plan, Resource, Result, Role, Schema,
    Serialize, json,
};

use crate::Docker;
use crate::access::Access;
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
    /// For containers, images, networks and volumes
    #[attr(read_only)]
    engine: Option<Handle>,
    /// What it calls itself
    #[attr(read_only)]
    name: Option<String>,
    #[attr(read_only)]
    engine_version: Option<String>,
}

impl Machine {
    fn access(&self) -> Access<'_> {
        Access {
            host: &self.host,
            ca: self.ca.as_deref(),
            certificate: self.certificate.as_deref(),
            key: self.key.as_ref(),
            private_key: self.private_key.as_ref(),
            key_file: self.key_file.as_ref(),
            host_key_check: self.host_key_check.as_deref(),
            host_key: self.host_key.as_deref(),
            known_hosts: self.known_hosts.as_deref(),
            is_insecure: self.insecure == Some(true),
        }
    }

    fn observed(self) -> Result<Self> {
        let handle = self.access().handle()?;
        let facts = Facts::of(&handle)?;
        let address = match &self.address {
            Some(address) => address.clone(),
            None => self.access().address()?,
        };
        Ok(Machine {
            platform: Some(self.platform.clone().unwrap_or(facts.platform)),
            cpus: facts.cpus,
            memory: facts.memory,
            address: Some(address),
            engine_version: facts.version,
            name: facts.name,
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
        self.access().check()
    }

    /// A handle is made of what is written, so that it is known as soon as that is.
    fn plan(plan: &mut Plan) -> Result<()> {
        match plan.known_config::<Machine>() {
            Some(config) => {
                plan.set("engine", json!(config.access().handle()?));
                if config.address.is_none() {
                    plan.set("address", config.access().address()?);
                }
            }
            None => plan.unknown("engine"),
        }
        Ok(())
    }

    fn discover(_: &Docker, config: Self) -> Result<Json> {
        let facts = Facts::of(&config.access().handle()?)?;
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
        let platform = config.platform.clone().or(prior.platform);
        Machine { platform, ..config }.observed().into()
    }

    fn delete(_: &Docker, _: Self) -> Deletion {
        Deletion::Done
    }
}

#[cfg(test)]
mod tests {
    use bimetal_provider::testing::Driver;

    use super::*;
    use crate::testing::Engine;

    fn driver() -> Driver<Docker> {
        Engine::default().driver()
    }

    #[test]
    fn an_engine_is_taken_on_as_it_is() {
        let config = json!({ "host": "unix:///var/run/docker.sock" });
        let planned = driver().plan("docker_machine", None, &config).unwrap().value;
        let handle = json!({ "$handle": { "transport": "unix", "path": "/var/run/docker.sock" } });
        assert_eq!((&planned["engine"], &planned["address"]), (&handle, &json!("127.0.0.1")));
        assert_eq!(planned["platform"], json!({ "$unknown": {} }));
        let facts = driver().discover("docker_machine", &config).unwrap();
        assert_eq!(facts, json!({ "platform": "linux/arm64", "cpus": 4, "memory": 1024 }));
        let made = driver().create("docker_machine", "i-1", &config).unwrap();
        assert_eq!((&made["engine"], &made["platform"]), (&handle, &json!("linux/arm64")));
        assert_eq!(driver().read("docker_machine", std::slice::from_ref(&made)), [Ok(Some(made.clone()))]);
        assert_eq!(driver().plan("docker_machine", Some(&made), &config).unwrap().value, made);
        assert_eq!(driver().delete("docker_machine", &made), Ok(()));
    }

    #[test]
    fn a_platform_that_is_said_is_believed() {
        let config = json!({ "host": "unix:///s", "platform": "linux/arm/v7" });
        assert_eq!(driver().discover("docker_machine", &config).unwrap()["platform"], "linux/arm/v7");
        assert_eq!(driver().create("docker_machine", "i-1", &config).unwrap()["platform"], "linux/arm/v7");
    }

    #[test]
    fn a_handle_carries_the_names_of_credentials() {
        let config = json!({
            "host": "ssh://pi@rack", "key_file": { "$credential": "machine.docker.a#key_file" }, "host_key_check": "accept-new",
        });
        let handle = driver().plan("docker_machine", None, &config).unwrap().value["engine"]["$handle"].clone();
        assert_eq!(handle["endpoint"]["credential"], config["key_file"]);
        assert_eq!((&handle["endpoint"]["user"], &handle["endpoint"]["agent"]), (&json!("pi"), &json!(false)));
    }

    #[test]
    fn an_open_port_must_be_wanted() {
        let wrong = driver().validate("docker_machine", &json!({ "host": "tcp://10.0.0.1:2375" }));
        assert_eq!(wrong, ["host: an engine on TCP needs `ca`, `certificate` and `key`"]);
        assert!(
            driver().validate("docker_machine", &json!({ "host": "tcp://10.0.0.1:2375", "insecure": true })).is_empty()
        );
    }

    #[test]
    fn a_certificate_needs_its_key() {
        let config = json!({ "host": "tcp://10.0.0.1", "ca": "PEM", "certificate": "PEM" });
        let wrong = driver().validate("docker_machine", &config);
        assert_eq!(wrong, ["certificate: it is of no use without `key`"]);
    }
}
