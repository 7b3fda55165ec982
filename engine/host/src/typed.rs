//! A type of a provider's, ready for calls that look or change: its values to the guest and back, on the guests' threads.

use std::future::Future;
use std::sync::Arc;

use bimetal_model::port::{Outcome, Refusal};
use bimetal_model::snapshot::Object;
use bimetal_model::{Address, Diagnostics, ProviderKey, Value};
use tokio_util::task::AbortOnDropHandle;

use crate::bindings::bimetal::provider::types;
use crate::call::{self, Work};
use crate::codec::Unknowns;
use crate::form::Form;
use crate::grant::Subject;
use crate::host::{Host, Inner, Provider};
use crate::phase::Phase;
use crate::wire;

/// What a type's values are: the same name may stand for one of each.
#[derive(Clone, Copy)]
enum Kind {
    /// Managed, or read by a data source.
    Object,
    /// Opened, and never stored.
    Ephemeral,
}

/// A provider and one of its types, ready for a call.
#[derive(Clone)]
pub(crate) struct Typed {
    inner: Arc<Inner>,
    pub(crate) provider: Arc<Provider>,
    key: ProviderKey,
    form: Arc<Form>,
}

impl Typed {
    async fn new(inner: Arc<Inner>, key: ProviderKey, ty: String, kind: Kind) -> Result<Typed, Diagnostics> {
        let provider = inner.provider(&key.name)?;
        let offer = inner.offer(&provider).await?;
        let form = match kind {
            Kind::Object => inner.form(&provider, &offer, &ty)?,
            Kind::Ephemeral => {
                let missing = || call::failed(&provider, &[], &format!("it has no ephemeral type `{ty}`"));
                offer.ephemeral(&ty).ok_or_else(missing)?
            }
        };
        Ok(Typed { inner, provider, key, form: form.clone() })
    }

    pub(crate) fn encode(&self, subject: &mut Subject, address: &Address, value: &Value) -> String {
        subject.hand_over(self.inner.codec(&self.form, address).to_guest(value))
    }

    pub(crate) fn object(&self, subject: &mut Subject, address: &Address, object: &Object) -> types::Object {
        types::Object { value: self.encode(subject, address, &object.value), private: object.private.clone() }
    }

    pub(crate) fn decode(
        &self,
        address: &Address,
        object: types::Object,
        known: &[&Value],
    ) -> Result<Object, Diagnostics> {
        let value = self.inner.codec(&self.form, address).accept(&object.value, known, Unknowns::Refused);
        match value {
            Ok(value) => Ok(Object { value, private: object.private }),
            Err(reason) => Err(call::failed(&self.provider, std::slice::from_ref(address), &reason)),
        }
    }

    pub(crate) fn refused(&self, address: &Address, refusal: types::Refusal) -> Refusal {
        wire::refusal(&self.provider, refusal).of(address)
    }

    pub(crate) fn said(&self, address: &Address, diagnostics: Vec<types::Diagnostic>) -> Diagnostics {
        wire::diagnostics(&self.provider, diagnostics).into_iter().map(|diagnostic| diagnostic.of(address)).collect()
    }

    pub(crate) fn outcome(&self, address: &Address, outcome: types::Outcome, known: &[&Value]) -> Outcome {
        let so_far =
            |object: Option<types::Object>| object.map(|object| self.decode(address, object, known)).transpose();
        let failed = |diagnostics| Outcome::Failed { diagnostics, so_far: None };
        match outcome {
            types::Outcome::Done(object) => self.decode(address, object, known).map_or_else(failed, Outcome::Done),
            types::Outcome::Retry(retry) => match so_far(retry.so_far) {
                Ok(so_far) => Outcome::Retry { after_ms: retry.after_ms, reason: wire::clean(&retry.reason), so_far },
                Err(diagnostics) => failed(diagnostics),
            },
            types::Outcome::Failed(failure) => {
                let mut diagnostics = self.said(address, failure.diagnostics);
                let so_far = so_far(failure.so_far).unwrap_or_else(|errors| {
                    diagnostics.extend(errors);
                    None
                });
                Outcome::Failed { diagnostics, so_far }
            }
        }
    }
}

impl Host {
    /// Runs on the guests' own threads; given up when nobody waits any more.
    async fn on_threads<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let Some(threads) = &self.threads else { unreachable!("taken only when dropped") };
        match AbortOnDropHandle::new(threads.spawn(work)).await {
            Ok(answer) => answer,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    pub(crate) async fn typed(&self, key: &ProviderKey, ty: &str) -> Result<Typed, Diagnostics> {
        self.on_threads(Typed::new(self.inner.clone(), key.clone(), ty.to_owned(), Kind::Object)).await
    }

    pub(crate) async fn ephemeral(&self, key: &ProviderKey, ty: &str) -> Result<Typed, Diagnostics> {
        self.on_threads(Typed::new(self.inner.clone(), key.clone(), ty.to_owned(), Kind::Ephemeral)).await
    }

    pub(crate) async fn call<T: Send + 'static>(
        &self,
        typed: &Typed,
        phase: Phase,
        subject: Subject,
        work: Work<T>,
    ) -> Result<T, Diagnostics> {
        self.on_threads(call::configured(typed.inner.clone(), typed.key.clone(), phase, subject, work)).await
    }
}
