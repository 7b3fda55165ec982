//! What is done, by nobody.

use async_trait::async_trait;
use bimetal_model::image::{ImageIndex, ImageSource};
use bimetal_model::port::{CreateRequest, Deletion, Operate, Outcome, Predict, Refusal, UpdateRequest};
use bimetal_model::schema::TypeSchema;
use bimetal_model::snapshot::{Intent, Object};
use bimetal_model::{Address, Diagnostics, ProviderKey, Value};

use crate::split::split;
use crate::{Mocked, image};

/// What a plan places a container by.
const FACTS: [&str; 4] = ["platform", "cpus", "memory", "labels"];

impl<P: Predict> Mocked<P> {
    /// Does something with a type's schema.
    fn with_type<T>(
        &self,
        provider: &ProviderKey,
        ty: &str,
        act: impl FnOnce(&TypeSchema) -> T,
    ) -> Result<T, Diagnostics> {
        let schema = self.real.schema(&provider.name)?;
        match schema.managed.get(ty).or_else(|| schema.data.get(ty)) {
            Some(schema) => Ok(act(schema)),
            None => unreachable!("who asks looked `{ty}` up in this schema"),
        }
    }

    /// What becomes of what was planned.
    fn done(&self, provider: &ProviderKey, ty: &str, address: &Address, planned: Value) -> Outcome {
        let made =
            self.with_type(provider, ty, |schema| self.doubles.managed(provider, address, ty, schema).made(planned));
        match made {
            Ok(value) => Outcome::Done(Object { value, private: Vec::new() }),
            Err(diagnostics) => Outcome::Failed { diagnostics, so_far: None },
        }
    }
}

#[async_trait]
impl<P: Predict + Operate> Operate for Mocked<P> {
    fn configure(&self, provider: &ProviderKey, config: &Value) {
        if !self.doubles.mocks.contains_key(provider) {
            self.real.configure(provider, config);
        }
    }

    async fn read(
        &self,
        provider: &ProviderKey,
        ty: &str,
        objects: &[(Address, Object)],
    ) -> Vec<Result<Option<Object>, Refusal>> {
        let is_double = |(address, _): &(Address, Object)| self.doubles.is_double(provider, address);
        let real = |rest: Vec<_>| async move { self.real.read(provider, ty, &rest).await };
        split(objects.to_vec(), is_double, |(_, object)| Ok(Some(object)), real).await
    }

    /// What is taken over is what its arguments would make.
    async fn import(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        id: &str,
        config: &Value,
    ) -> Result<Object, Diagnostics> {
        if !self.doubles.is_double(provider, address) {
            return self.real.import(provider, ty, address, id, config).await;
        }
        self.with_type(provider, ty, |schema| {
            let double = self.doubles.managed(provider, address, ty, schema);
            Object { value: double.made(double.planned(config, None)), private: Vec::new() }
        })
    }

    async fn probe(
        &self,
        provider: &ProviderKey,
        ty: &str,
        intents: &[Intent],
    ) -> Vec<Result<Option<Object>, Diagnostics>> {
        let is_double = |intent: &Intent| self.doubles.is_double(provider, &intent.address);
        let real = |rest: Vec<_>| async move { self.real.probe(provider, ty, &rest).await };
        split(intents.to_vec(), is_double, |_| Ok(None), real).await
    }

    async fn discover(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        config: &Value,
    ) -> Result<Value, Diagnostics> {
        if !self.doubles.is_double(provider, address) {
            return self.real.discover(provider, ty, address, config).await;
        }
        self.with_type(provider, ty, |schema| {
            let double = self.doubles.managed(provider, address, ty, schema);
            let fact = |name: &str| {
                let attribute = schema.block.attributes.get(name)?;
                Some((name.to_owned(), double.known(name, &attribute.ty)))
            };
            FACTS.into_iter().filter_map(fact).collect()
        })
    }

    async fn read_data(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        config: &Value,
    ) -> Result<Value, Refusal> {
        if !self.doubles.is_double(provider, address) {
            return self.real.read_data(provider, ty, address, config).await;
        }
        let schema = self.real.schema(&provider.name)?;
        match schema.data.get(ty) {
            Some(schema) => Ok(self.doubles.data(provider, address, ty, schema).answer(config)),
            None => unreachable!("who asks looked `{ty}` up in this schema"),
        }
    }

    async fn create(&self, provider: &ProviderKey, ty: &str, requests: Vec<CreateRequest>) -> Vec<Outcome> {
        let is_double = |request: &CreateRequest| self.doubles.is_double(provider, &request.address);
        let double = |request: CreateRequest| self.done(provider, ty, &request.address, request.planned.value);
        split(requests, is_double, double, |rest| self.real.create(provider, ty, rest)).await
    }

    async fn update(&self, provider: &ProviderKey, ty: &str, request: UpdateRequest) -> Outcome {
        match self.doubles.is_double(provider, &request.address) {
            true => self.done(provider, ty, &request.address, request.planned.value),
            false => self.real.update(provider, ty, request).await,
        }
    }

    async fn delete(&self, provider: &ProviderKey, ty: &str, address: &Address, object: Object) -> Deletion {
        match self.doubles.is_double(provider, address) {
            true => Deletion::Done,
            false => self.real.delete(provider, ty, address, object).await,
        }
    }

    async fn image(&self, source: &ImageSource) -> Result<ImageIndex, Diagnostics> {
        match self.runs_nothing {
            true => Ok(image::index(source)),
            false => self.real.image(source).await,
        }
    }

    fn allow_images(&self, sources: &[ImageSource]) {
        self.real.allow_images(sources);
    }
}
