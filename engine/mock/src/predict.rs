//! What would be done.

use std::sync::Arc;

use bimetal_model::port::{Foreign, PlanRequest, Planned, Predict, Refusal, ValidateRequest};
use bimetal_model::schema::{Block, ProviderSchema};
use bimetal_model::snapshot::Object;
use bimetal_model::{Diagnostics, ProviderKey, ProviderName, Value};

use crate::Mocked;
use crate::fill::replacing;
use crate::split::split_now;

impl<P: Predict> Mocked<P> {
    fn planned(&self, provider: &ProviderName, request: &PlanRequest) -> Result<Planned, Refusal> {
        let schema = self.real.schema(provider)?;
        let Some(ty) = schema.managed.get(&request.ty) else {
            unreachable!("who plans looked `{}` up in this schema", request.ty)
        };
        let key = self.doubles.key(provider, &request.address);
        let double = self.doubles.managed(&key, &request.address, &request.ty, ty);
        let prior = request.prior.as_ref().map(|prior| &prior.value);
        let value = double.planned(&request.config, prior);
        let replace = prior.map(|prior| replacing(&ty.block, prior, &value)).unwrap_or_default();
        Ok(Planned { value, replace, private: Vec::new() })
    }
}

impl<P: Predict> Predict for Mocked<P> {
    fn providers(&self) -> Vec<ProviderName> {
        self.real.providers()
    }

    /// Who is mocked needs no arguments of its own.
    fn schema(&self, provider: &ProviderName) -> Result<Arc<ProviderSchema>, Diagnostics> {
        let schema = self.real.schema(provider)?;
        let default = ProviderKey { name: provider.clone(), alias: None };
        match self.doubles.mocks.contains_key(&default) {
            true => Ok(Arc::new(ProviderSchema { provider: optional(&schema.provider), ..(*schema).clone() })),
            false => Ok(schema),
        }
    }

    fn validate(&self, provider: &ProviderName, requests: &[ValidateRequest]) -> Vec<Diagnostics> {
        self.real.validate(provider, requests)
    }

    fn plan(&self, provider: &ProviderName, requests: &[PlanRequest]) -> Vec<Result<Planned, Refusal>> {
        let is_double = |request: &PlanRequest| self.doubles.is_double_of(provider, &request.address);
        let double = |request: PlanRequest| self.planned(provider, &request);
        split_now(requests.to_vec(), is_double, double, |rest| self.real.plan(provider, &rest))
    }

    fn upgrade(&self, provider: &ProviderName, ty: &str, version: u64, stored: &Value) -> Result<Value, Diagnostics> {
        self.real.upgrade(provider, ty, version, stored)
    }

    fn adopt(&self, provider: &ProviderName, ty: &str, source: &Foreign) -> Result<Object, Diagnostics> {
        self.real.adopt(provider, ty, source)
    }
}

/// The same without anything that must be written.
fn optional(block: &Block) -> Block {
    let mut block = block.clone();
    block.attributes.values_mut().for_each(|attribute| attribute.required = false);
    block.blocks.values_mut().for_each(|nested| {
        nested.required = false;
        nested.block = optional(&nested.block);
    });
    block
}
