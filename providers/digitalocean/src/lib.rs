//! DigitalOcean: droplets as machines, and what belongs to them.

mod api;
mod catalogue;
mod droplet;
mod firewall;
mod ssh_key;
mod stamp;
mod tag;
#[cfg(test)]
mod testing;
mod vpc;

use bimetal_provider::{Credential, DataType, Deserialize, Diagnostic, Provider, Result, Schema, Type};
use bimetal_provider_prepare::{Host, World};

use api::Api;

/// An account, and how its droplets are logged in to.
pub struct DigitalOcean {
    api: Api,
    login: droplet::Keys,
    world: Box<dyn World>,
}

/// The arguments of `provider "digitalocean"`.
#[derive(Schema, Deserialize)]
pub struct Config {
    /// Of the account, with the right to read and to write
    #[attr(credential)]
    token: Credential,
    /// Instead of `https://api.digitalocean.com`
    api_url: Option<String>,
    /// Our SSH key itself, for droplets that name none
    #[attr(credential)]
    private_key: Option<Credential>,
    /// The file of our SSH key, for droplets that name none
    #[attr(credential_file)]
    key_file: Option<Credential>,
    /// Ask the SSH agent, for droplets that name no key
    agent: Option<bool>,
}

impl Provider for DigitalOcean {
    type Config = Config;

    fn configure(config: Config) -> Result<Self> {
        let Config { token, api_url, private_key, key_file, agent } = config;
        if private_key.is_some() && key_file.is_some() {
            let error = "`private_key` and `key_file` are two answers to one question";
            return Err(Diagnostic::error(error).at("key_file"));
        }
        let login = droplet::Keys { credential: private_key.or(key_file), agent };
        Ok(DigitalOcean { api: Api::new(api_url.as_deref(), token), login, world: Box::new(Host) })
    }

    fn types() -> Vec<Type<Self>> {
        vec![
            Type::of::<droplet::Droplet>(),
            Type::of::<firewall::Firewall>(),
            Type::of::<ssh_key::SshKey>(),
            Type::of::<tag::Tag>(),
            Type::of::<vpc::Vpc>(),
        ]
    }

    fn data() -> Vec<DataType<Self>> {
        vec![
            DataType::of::<catalogue::Images>(),
            DataType::of::<catalogue::Regions>(),
            DataType::of::<catalogue::Sizes>(),
        ]
    }
}

bimetal_provider::export_provider!(crate::DigitalOcean, "../manifest.json");
