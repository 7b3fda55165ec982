//! How droplets are logged in to.

use bimetal_provider::{Credential, Diagnostic};
use bimetal_provider_prepare::Login;

use super::Droplet;

/// What of a droplet says how it is logged in to.
pub(super) const ATTRIBUTES: [&str; 4] = ["user", "private_key", "key_file", "agent"];

/// Who logs in, of droplets that don't say.
pub(crate) struct Keys {
    pub(crate) credential: Option<Credential>,
    pub(crate) agent: Option<bool>,
}

pub(super) fn check(droplet: &Droplet) -> Vec<Diagnostic> {
    let both = droplet.private_key.is_some() && droplet.key_file.is_some();
    let error = || Diagnostic::error("`private_key` and `key_file` are two answers to one question").at("key_file");
    both.then(error).into_iter().collect()
}

/// A droplet is new, and known to nobody: the key that it first shows is believed, and pinned from then on.
///
/// The operator's file of known hosts has no say, for addresses go from one droplet to the next.
pub(super) fn of(droplet: &Droplet, keys: &Keys) -> Login {
    let says_who = droplet.private_key.is_some() || droplet.key_file.is_some() || droplet.agent.is_some();
    let own = || droplet.private_key.clone().or_else(|| droplet.key_file.clone());
    let (credential, agent) = if says_who { (own(), droplet.agent) } else { (keys.credential.clone(), keys.agent) };
    Login {
        host: droplet.address.clone().unwrap_or_default(),
        port: 22,
        user: droplet.user.clone().unwrap_or_else(|| "root".to_owned()),
        credential,
        agent: agent.unwrap_or(false),
        host_key_check: if droplet.host_key.is_some() { "strict" } else { "off" }.to_owned(),
        host_key: droplet.host_key.clone(),
        known_hosts: None,
        bastion: None,
    }
}
