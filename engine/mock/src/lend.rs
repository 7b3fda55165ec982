//! What is lent, by nobody.

use async_trait::async_trait;
use bimetal_model::port::{Lend, Lent, Opened, Predict, Refusal};
use bimetal_model::{Address, Diagnostics, ProviderKey, Value};

use crate::Mocked;

#[async_trait]
impl<P: Predict + Lend> Lend for Mocked<P> {
    async fn open(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        config: &Value,
    ) -> Result<Opened, Refusal> {
        if !self.doubles.is_double(provider, address) {
            return self.real.open(provider, ty, address, config).await;
        }
        let schema = self.real.schema(&provider.name)?;
        let Some(schema) = schema.ephemeral.get(ty) else { unreachable!("who asks looked `{ty}` up in this schema") };
        let value = self.doubles.data(provider, address, ty, schema).answer(config).into_ephemeral();
        Ok(Opened { value, lent: Lent { private: Vec::new(), renew_after_ms: None } })
    }

    async fn renew(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        private: Vec<u8>,
    ) -> Result<Lent, Diagnostics> {
        match self.doubles.is_double(provider, address) {
            true => Ok(Lent { private, renew_after_ms: None }),
            false => self.real.renew(provider, ty, address, private).await,
        }
    }

    async fn close(&self, provider: &ProviderKey, ty: &str, address: &Address, private: Vec<u8>) -> Diagnostics {
        match self.doubles.is_double(provider, address) {
            true => Diagnostics::new(),
            false => self.real.close(provider, ty, address, private).await,
        }
    }
}
