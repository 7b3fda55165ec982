//! Providers that make nothing: they answer from their schemas, and from what a test says.
//!
//! Stands in front of real providers, and hands on to them what is not mocked. Touches nothing of the world, and knows neither
//! clock nor chance: the same questions get the same answers.

mod check;
mod doubles;
mod fill;
mod generate;
mod image;
mod lend;
mod operate;
mod predict;
mod split;

use std::sync::Arc;

use bimetal_model::port::Predict;
use bimetal_model::schema::Role;

pub use doubles::{Doubles, Mock, Override, Owner, Values, When};

/// Real providers, behind those that stand for some of them.
pub struct Mocked<P> {
    real: Arc<P>,
    doubles: Doubles,
    /// Nobody runs containers: what their images are does not matter.
    runs_nothing: bool,
}

impl<P: Predict> Mocked<P> {
    /// What is not in `doubles` is asked of `real`.
    pub fn new(real: Arc<P>, doubles: Doubles) -> Self {
        let runs = |name| {
            let schema = real.schema(name).ok()?;
            Some(schema.managed.values().any(|ty| ty.role == Some(Role::ContainerRuntime)))
        };
        let runs_nothing = doubles.mocks.keys().any(|key| key.alias.is_none() && runs(&key.name) == Some(true));
        Mocked { real, doubles, runs_nothing }
    }
}
