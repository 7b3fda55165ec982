//! Machines that are there already, and answer to SSH.

mod login;
mod machine;

use bimetal_provider::{Provider, Result, Type};
use bimetal_provider_prepare::{Host, World};

use login::Config;

/// The defaults for its machines, and the world they are in.
pub struct Baremetal {
    defaults: Config,
    world: Box<dyn World>,
}

impl Provider for Baremetal {
    type Config = Config;

    fn configure(defaults: Config) -> Result<Self> {
        login::check(&defaults)?;
        Ok(Baremetal { defaults, world: Box::new(Host) })
    }

    fn types() -> Vec<Type<Self>> {
        vec![Type::of::<machine::Machine>()]
    }
}

bimetal_provider::export_provider!(crate::Baremetal, "../manifest.json");
