//! Values that are opened, renewed and closed: `Lend`.

use async_trait::async_trait;
use bimetal_model::port::{Lend, Lent, Opened, Refusal};
use bimetal_model::{Address, Diagnostics, ProviderKey, Value};

use crate::bindings::bimetal::provider::types;
use crate::call::Work;
use crate::grant::Subject;
use crate::host::Host;
use crate::phase::Phase;

#[async_trait]
impl Lend for Host {
    async fn open(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        config: &Value,
    ) -> Result<Opened, Refusal> {
        let typed = self.ephemeral(provider, ty).await.map_err(|said| Refusal::Failed(said).of(address))?;
        let mut subject = Subject::of(vec![address.clone()]);
        let (name, text) = (ty.to_owned(), typed.encode(&mut subject, address, config));
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_lend().call_open(store, &name, &text).await })
        });
        let answer = self.call(&typed, Phase::Open, subject, work).await?;
        let types::Opened { value, private, renew_after_ms } =
            answer.map_err(|refusal| typed.refused(address, refusal))?;
        let object = types::Object { value, private: Vec::new() };
        let value = typed.decode(address, object, &[config])?.value;
        let lent = Lent { private, renew_after_ms };
        Ok(Opened { value: value.into_ephemeral(), lent })
    }

    async fn renew(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        private: Vec<u8>,
    ) -> Result<Lent, Diagnostics> {
        let typed = self.ephemeral(provider, ty).await?;
        let name = ty.to_owned();
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_lend().call_renew(store, &name, &private).await })
        });
        let answer = self.call(&typed, Phase::Open, Subject::of(vec![address.clone()]), work).await?;
        let types::Renewed { private, renew_after_ms } = answer.map_err(|said| typed.said(address, said))?;
        Ok(Lent { private, renew_after_ms })
    }

    async fn close(&self, provider: &ProviderKey, ty: &str, address: &Address, private: Vec<u8>) -> Diagnostics {
        let closing = async {
            let typed = self.ephemeral(provider, ty).await?;
            let name = ty.to_owned();
            let work: Work<_> = Box::new(move |exports, store| {
                Box::pin(async move { exports.bimetal_provider_lend().call_close(store, &name, &private).await })
            });
            let said = self.call(&typed, Phase::Open, Subject::of(vec![address.clone()]), work).await?;
            Ok::<_, Diagnostics>(typed.said(address, said))
        };
        closing.await.unwrap_or_else(|said| said.into_iter().map(|one| one.of(address)).collect())
    }
}
