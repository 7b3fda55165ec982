//! How machines are logged in to: what a machine says, what the provider's block says, and what is usual.

use bimetal_provider::{Credential, Deserialize, Diagnostic, Result, Schema, Serialize};
use bimetal_provider_prepare::{Bastion, Login};

use crate::machine::Machine;

/// The arguments of `provider "baremetal"`: defaults for its machines.
#[derive(Clone, Debug, Default, Schema, Deserialize)]
pub struct Config {
    /// Who logs in; `root` unless said
    user: Option<String>,
    /// SSH's port; 22 unless said
    port: Option<u32>,
    /// Our SSH key itself
    #[attr(credential)]
    private_key: Option<Credential>,
    /// The file of our SSH key
    #[attr(credential_file)]
    key_file: Option<Credential>,
    /// Ask the SSH agent
    agent: Option<bool>,
    /// `strict` (the machine's key must be known), `accept-new` or `off`
    host_key_check: Option<String>,
    /// Instead of `~/.ssh/known_hosts`
    known_hosts: Option<String>,
    /// The machine to go through
    #[block]
    bastion: Option<Through>,
}

/// A `bastion` block.
#[derive(Clone, Debug, PartialEq, Schema, Serialize, Deserialize)]
pub(crate) struct Through {
    /// Name or address
    host: String,
    /// 22 unless said
    port: Option<u32>,
    /// As for the machine behind it unless said
    user: Option<String>,
}

/// What of a machine says how it is logged in to.
pub(crate) const ATTRIBUTES: [&str; 9] =
    ["user", "port", "private_key", "key_file", "agent", "host_key_check", "host_key", "known_hosts", "bastion"];

/// What is wrong with the provider's block.
pub(crate) fn check(config: &Config) -> Result<()> {
    let keys = (config.private_key.as_ref(), config.key_file.as_ref());
    let mut wrong = check_parts(config.port, keys, config.host_key_check.as_deref(), config.bastion.as_ref());
    if wrong.is_empty() { Ok(()) } else { Err(wrong.remove(0)) }
}

/// What is wrong with a machine's arguments.
pub(crate) fn check_machine(machine: &Machine) -> Vec<Diagnostic> {
    let keys = (machine.private_key.as_ref(), machine.key_file.as_ref());
    let mut wrong = check_parts(machine.port, keys, machine.host_key_check.as_deref(), machine.bastion.as_ref());
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '@' || c == '/';
    if machine.host.is_empty() || machine.host.starts_with('-') || machine.host.contains(odd) {
        let hint = "write a name or an address alone; `user` and `port` are arguments of their own";
        wrong.push(Diagnostic::error(format!("`{}` is not a host", machine.host)).at("host").hint(hint));
    }
    wrong
}

fn check_parts(
    port: Option<u32>,
    keys: (Option<&Credential>, Option<&Credential>),
    host_key_check: Option<&str>,
    bastion: Option<&Through>,
) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    if keys.0.is_some() && keys.1.is_some() {
        wrong.push(Diagnostic::error("`private_key` and `key_file` are two answers to one question").at("key_file"));
    }
    if let Some(check) = host_key_check.filter(|check| !["strict", "accept-new", "off"].contains(check)) {
        let error = Diagnostic::error(format!("`{check}` is no way to check a host key")).at("host_key_check");
        wrong.push(error.hint("`strict`, `accept-new` and `off` are"));
    }
    let ports = [(port, "port"), (bastion.and_then(|bastion| bastion.port), "bastion")];
    for (port, attribute) in ports {
        if let Some(port) = port.filter(|port| !(1..=65535).contains(port)) {
            wrong.push(Diagnostic::error(format!("{port} is no port")).at(attribute).hint("ports go from 1 to 65535"));
        }
    }
    wrong
}

/// How a machine is logged in to.
pub(crate) fn of(machine: &Machine, defaults: &Config) -> Login {
    let says_who = machine.private_key.is_some() || machine.key_file.is_some() || machine.agent.is_some();
    let (private_key, key_file, agent) = match says_who {
        true => (&machine.private_key, &machine.key_file, machine.agent),
        false => (&defaults.private_key, &defaults.key_file, defaults.agent),
    };
    let user = text(&machine.user, &defaults.user).unwrap_or_else(|| "root".to_owned());
    let bastion = machine.bastion.as_ref().or(defaults.bastion.as_ref()).map(|bastion| Bastion {
        host: bastion.host.clone(),
        port: port(bastion.port),
        user: bastion.user.clone().unwrap_or_else(|| user.clone()),
    });
    Login {
        host: machine.host.clone(),
        port: port(machine.port.or(defaults.port)),
        credential: private_key.clone().or_else(|| key_file.clone()),
        agent: agent.unwrap_or(false),
        host_key_check: text(&machine.host_key_check, &defaults.host_key_check).unwrap_or_else(|| "strict".to_owned()),
        host_key: machine.host_key.clone(),
        known_hosts: text(&machine.known_hosts, &defaults.known_hosts),
        bastion,
        user,
    }
}

fn text(machine: &Option<String>, default: &Option<String>) -> Option<String> {
    machine.clone().or_else(|| default.clone())
}

fn port(port: Option<u32>) -> u16 {
    port.and_then(|port| u16::try_from(port).ok()).unwrap_or(22)
}

#[cfg(test)]
mod tests {
    use bimetal_provider::{Json, json};

    use super::*;
    use crate::machine::tests::machine;

    fn login(config: Json, defaults: Json) -> Login {
        of(&machine(config), &serde_json::from_value(defaults).unwrap())
    }

    #[test]
    fn a_machine_goes_before_the_providers_block() {
        let defaults =
            json!({ "user": "pi", "port": 2222, "host_key_check": "accept-new", "bastion": { "host": "gate" } });
        let found = login(json!({ "host": "a", "port": 22 }), defaults);
        assert_eq!((found.user.as_str(), found.port, found.host_key_check.as_str()), ("pi", 22, "accept-new"));
        assert_eq!(found.bastion, Some(Bastion { host: "gate".to_owned(), port: 22, user: "pi".to_owned() }));
    }

    #[test]
    fn what_is_usual() {
        let found = login(json!({ "host": "a" }), json!({}));
        assert_eq!((found.user.as_str(), found.port, found.host_key_check.as_str()), ("root", 22, "strict"));
        assert_eq!((found.credential, found.agent, found.bastion), (None, false, None));
    }

    #[test]
    fn a_machine_that_says_who_logs_in_takes_no_key_of_the_providers() {
        let defaults = json!({ "private_key": { "$credential": "provider.baremetal#private_key" } });
        assert!(login(json!({ "host": "a" }), defaults.clone()).credential.is_some());
        assert_eq!(login(json!({ "host": "a", "agent": true }), defaults).credential, None);
    }

    #[test]
    fn nonsense_is_told_by_its_attribute() {
        let key = json!({ "$credential": "x" });
        let config = json!({ "host": "pi@a", "port": 0, "host_key_check": "no", "private_key": key, "key_file": key });
        let wrong: Vec<_> = check_machine(&machine(config)).into_iter().map(|d| format!("{d:?}")).collect();
        assert_eq!(wrong.len(), 4, "{wrong:?}");
        assert!(check_machine(&machine(json!({ "host": "fe80::1" }))).is_empty());
    }
}
