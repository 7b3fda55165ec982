//! Docker engines, and what runs on them.

mod access;
mod container;
mod engine;
mod image;
mod import;
mod machine;
mod name;
mod network;
mod reference;
mod stamp;
#[cfg(test)]
mod testing;
mod volume;

use bimetal_provider::{DataType, Deserialize, FunctionType, Provider, Result, Schema, Type};

/// Has no settings: each machine says how it is reached.
pub struct Docker;

/// The arguments of `provider "docker"`: none.
#[derive(Schema, Deserialize)]
pub struct Config {}

impl Provider for Docker {
    type Config = Config;

    fn configure(_: Config) -> Result<Self> {
        Ok(Docker)
    }

    fn types() -> Vec<Type<Self>> {
        vec![
            Type::of::<machine::Machine>(),
            Type::of::<container::Container>(),
            Type::of::<image::Image>(),
            Type::of::<network::Network>(),
            Type::of::<volume::Volume>(),
        ]
    }

    fn data() -> Vec<DataType<Self>> {
        vec![DataType::of::<engine::Engine>()]
    }

    fn functions() -> Vec<FunctionType> {
        vec![FunctionType::of::<reference::ParseImage>()]
    }
}

bimetal_provider::export_provider!(crate::Docker, "../manifest.json");
