//! Cumulus, a cloud that does not exist: its machines, each with a Docker engine on it.

mod api;
mod engine;
mod machine;
mod sizes;
#[cfg(test)]
mod testing;

use bimetal_provider::{Credential, DataType, Deserialize, Provider, Result, Schema, Type};

use api::Api;

/// An account.
pub struct Cumulus {
    api: Api,
}

/// The arguments of `provider "cumulus"`.
#[derive(Schema, Deserialize)]
pub struct Config {
    /// Of the account, with the right to read and to write
    #[attr(credential)]
    token: Credential,
    /// Instead of `https://api.cumulus.example`
    url: Option<String>,
}

impl Provider for Cumulus {
    type Config = Config;

    fn configure(config: Config) -> Result<Self> {
        Ok(Cumulus { api: Api::new(config.url.as_deref(), config.token) })
    }

    fn types() -> Vec<Type<Self>> {
        vec![Type::of::<machine::Machine>()]
    }

    fn data() -> Vec<DataType<Self>> {
        vec![DataType::of::<sizes::Sizes>()]
    }
}

bimetal_provider::export_provider!(crate::Cumulus, "../manifest.json");
