//! Pure calls: `Predict` and `Functions`.

use std::future::Future;
use std::sync::Arc;

use bimetal_model::json::{Marks, to_text};
use bimetal_model::port::{Foreign, Functions, PlanRequest, Planned, Predict, Refusal, ValidateRequest};
use bimetal_model::schema::ProviderSchema;
use bimetal_model::snapshot::Object;
use bimetal_model::{Address, BlockKind, Diagnostics, ProviderName, Value};

use crate::bindings::bimetal::provider::types;
use crate::call::{self, Work};
use crate::codec::{Unknowns, accept_answer};
use crate::form::Offer;
use crate::host::{Host, Inner, Provider};
use crate::wire;

impl Host {
    /// Waits for a pure call, which this thread makes itself: for one that takes microseconds another would have to be woken, and to
    /// wake this one. Clocks are those of the guests' threads.
    fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        let Some(threads) = &self.threads else { unreachable!("taken only when dropped") };
        let _entered = threads.enter();
        futures::executor::block_on(work)
    }
}

/// So many objects are planned in one call: its limits are those of a call.
const AT_ONCE: usize = 100;

/// Asks about many in one call. Where that fails, about one after the other until it is known who is to blame; nothing is said of those
/// behind it.
fn each<R, A>(requests: &[R], ask: impl Fn(&[R]) -> Result<Vec<A>, Diagnostics>) -> Vec<Result<A, Diagnostics>> {
    let mut answers = Vec::with_capacity(requests.len());
    for some in requests.chunks(AT_ONCE) {
        match ask(some) {
            Ok(more) => answers.extend(more.into_iter().map(Ok)),
            Err(said) if some.len() == 1 => answers.push(Err(said)),
            Err(_) => {
                let mut is_found = false;
                for one in some.chunks(1) {
                    let answer = if is_found { Err(Vec::new()) } else { ask(one) };
                    is_found |= answer.is_err();
                    answers.push(answer.and_then(|mut answer| answer.pop().ok_or_else(Vec::new)));
                }
            }
        }
    }
    answers
}

impl Host {
    pub(crate) fn offer(&self, provider: &ProviderName) -> Result<Arc<Offer>, Diagnostics> {
        let inner = self.inner.clone();
        let provider = inner.provider(provider)?;
        // Asked for every object: other threads are troubled only for the first.
        match provider.known_offer() {
            Some(offer) => Ok(offer),
            None => self.wait(async move { inner.offer(&provider).await }),
        }
    }

    fn validate_some(
        &self,
        provider: &ProviderName,
        requests: &[ValidateRequest],
    ) -> Result<Vec<Vec<types::Diagnostic>>, Diagnostics> {
        let provider = self.inner.provider(provider)?;
        let offer = self.offer(&provider.name)?;
        let wire = requests.iter().map(|request| {
            let form = self.inner.form(&provider, &offer, &request.ty)?;
            let config = self.inner.codec(form, &request.address).to_guest(&request.config);
            Ok(types::ValidateRequest { type_name: request.ty.clone(), config })
        });
        let wire = wire.collect::<Result<Vec<_>, Diagnostics>>()?;
        let addresses = requests.iter().map(|request| request.address.clone()).collect();
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_predict().call_validate(store, &wire).await })
        });
        let answers = self.wait(call::pure(self.inner.clone(), provider.clone(), addresses, work))?;
        all_answered(&provider, answers, requests.len())
    }

    fn plan_some(
        &self,
        provider: &ProviderName,
        requests: &[PlanRequest],
    ) -> Result<Vec<Result<Planned, Refusal>>, Diagnostics> {
        let provider = self.inner.provider(provider)?;
        let offer = self.offer(&provider.name)?;
        let wire = requests.iter().map(|request| plan_request(&self.inner, &provider, &offer, request));
        let wire = wire.collect::<Result<Vec<_>, _>>()?;
        let addresses = requests.iter().map(|request| request.address.clone()).collect();
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_predict().call_plan(store, &wire).await })
        });
        let answers = self.wait(call::pure(self.inner.clone(), provider.clone(), addresses, work))?;
        let answers = all_answered(&provider, answers, requests.len())?;
        let one = |(answer, request)| planned(&self.inner, &provider, &offer, request, answer);
        Ok(answers.into_iter().zip(requests).map(one).collect())
    }
}

fn all_answered<A>(provider: &Provider, answers: Vec<A>, asked: usize) -> Result<Vec<A>, Diagnostics> {
    match answers.len() == asked {
        true => Ok(answers),
        false => {
            let reason = format!("it was asked about {asked} objects and answered about {}", answers.len());
            Err(call::failed(provider, &[], &reason))
        }
    }
}

impl Predict for Host {
    fn providers(&self) -> Vec<ProviderName> {
        self.inner.names()
    }

    fn schema(&self, provider: &ProviderName) -> Result<Arc<ProviderSchema>, Diagnostics> {
        self.offer(provider).map(|offer| offer.schema.clone())
    }

    fn validate(&self, provider: &ProviderName, requests: &[ValidateRequest]) -> Vec<Diagnostics> {
        let answers = each(requests, |some| {
            let said = self.validate_some(provider, some)?;
            let provider = self.inner.provider(provider)?;
            Ok(said.into_iter().map(|said| wire::diagnostics(&provider, said)).collect())
        });
        let answers = answers.into_iter().zip(requests);
        answers.map(|(said, request)| of(said.unwrap_or_else(|failed| failed), &request.address)).collect()
    }

    fn plan(&self, provider: &ProviderName, requests: &[PlanRequest]) -> Vec<Result<Planned, Refusal>> {
        let answers = each(requests, |some| self.plan_some(provider, some)).into_iter().zip(requests);
        let flat = |(answer, request): (Result<Result<Planned, Refusal>, Diagnostics>, &PlanRequest)| {
            answer.map_err(Refusal::Failed).flatten().map_err(|refusal| refusal.of(&request.address))
        };
        answers.map(flat).collect()
    }

    fn upgrade(&self, provider: &ProviderName, ty: &str, version: u64, stored: &Value) -> Result<Value, Diagnostics> {
        let provider = self.inner.provider(provider)?;
        let offer = self.offer(&provider.name)?;
        let form = self.inner.form(&provider, &offer, ty)?;
        // No block has this address: credentials of an old value stay in the table under a name of their own.
        let nowhere = Address::new(BlockKind::Resource, ty, "upgrade");
        let text = self.inner.codec(form, &nowhere).to_guest(stored);
        let (inner, asked, name) = (self.inner.clone(), provider.clone(), ty.to_owned());
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_predict().call_upgrade(store, &name, version, &text).await })
        });
        let answer = self.wait(call::pure(inner, asked, Vec::new(), work))?;
        let text = answer.map_err(|diagnostics| wire::diagnostics(&provider, diagnostics))?;
        let value = self.inner.codec(form, &nowhere).accept(&text, &[stored], Unknowns::Refused);
        value.map_err(|reason| call::failed(&provider, &[], &reason))
    }

    fn adopt(&self, provider: &ProviderName, ty: &str, source: &Foreign) -> Result<Object, Diagnostics> {
        let provider = self.inner.provider(provider)?;
        let offer = self.offer(&provider.name)?;
        let form = self.inner.form(&provider, &offer, ty)?;
        let nowhere = Address::new(BlockKind::Resource, ty, "adopt");
        // What its own provider would not be shown is not shown to another one either.
        let maker = self.inner.provider(&source.provider)?;
        let of_maker = self.offer(&maker.name)?;
        let foreign = self.inner.form(&maker, &of_maker, &source.ty)?;
        let wire = types::Foreign {
            provider: source.provider.0.clone(),
            type_name: source.ty.clone(),
            version: source.version,
            object: types::Object {
                value: self.inner.codec(foreign, &nowhere).to_guest(&source.object.value),
                private: source.object.private.clone(),
            },
        };
        let (inner, asked, name) = (self.inner.clone(), provider.clone(), ty.to_owned());
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_predict().call_adopt(store, &name, &wire).await })
        });
        let answer = self.wait(call::pure(inner, asked, Vec::new(), work))?;
        let object = answer.map_err(|diagnostics| wire::diagnostics(&provider, diagnostics))?;
        let known = [&source.object.value];
        let value = self.inner.codec(form, &nowhere).accept(&object.value, &known, Unknowns::Refused);
        let value = value.map_err(|reason| call::failed(&provider, &[], &reason))?;
        Ok(Object { value, private: object.private })
    }
}

impl Functions for Host {
    fn functions(&self, provider: &ProviderName) -> Result<Arc<ProviderSchema>, Diagnostics> {
        Predict::schema(self, provider)
    }

    fn call(&self, provider: &ProviderName, function: &str, arguments: &Value) -> Result<Value, Diagnostics> {
        let provider = self.inner.provider(provider)?;
        let offer = self.offer(&provider.name)?;
        let Some(schema) = offer.schema.functions.get(function) else {
            return Err(call::failed(&provider, &[], &format!("it has no function `{function}`")));
        };
        let (name, text) = (function.to_owned(), to_text(arguments, Marks::Drop));
        let (inner, asked) = (self.inner.clone(), provider.clone());
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_predict().call_call(store, &name, &text).await })
        });
        let answer = self.wait(call::pure(inner, asked, Vec::new(), work))?;
        let text = answer.map_err(|diagnostics| wire::diagnostics(&provider, diagnostics))?;
        accept_answer(&text, &schema.returns)
            .map_err(|reason| call::failed(&provider, &[], &format!("`{function}`: {reason}")))
    }
}

fn of(said: Diagnostics, address: &Address) -> Diagnostics {
    said.into_iter().map(|diagnostic| diagnostic.of(address)).collect()
}

fn plan_request(
    inner: &Inner,
    provider: &Provider,
    offer: &Offer,
    request: &PlanRequest,
) -> Result<types::PlanRequest, Diagnostics> {
    let codec = inner.codec(inner.form(provider, offer, &request.ty)?, &request.address);
    let prior = request
        .prior
        .as_ref()
        .map(|prior| types::Object { value: codec.to_guest(&prior.value), private: prior.private.clone() });
    // Last, so that the credentials in the table are those of the configuration.
    let proposed = codec.to_guest(&request.proposed);
    Ok(types::PlanRequest { type_name: request.ty.clone(), prior, config: codec.to_guest(&request.config), proposed })
}

fn planned(
    inner: &Inner,
    provider: &Provider,
    offer: &Offer,
    request: &PlanRequest,
    answer: Result<types::Planned, types::Refusal>,
) -> Result<Planned, Refusal> {
    let answer = answer.map_err(|refusal| wire::refusal(provider, refusal))?;
    let codec = inner.codec(inner.form(provider, offer, &request.ty)?, &request.address);
    let known: Vec<&Value> =
        [&request.proposed].into_iter().chain(request.prior.as_ref().map(|prior| &prior.value)).collect();
    let value = codec.accept(&answer.value, &known, Unknowns::Allowed);
    let value = value.map_err(|reason| call::failed(provider, &[], &reason))?;
    Ok(Planned { value, replace: answer.replace.into_iter().map(wire::path).collect(), private: answer.private })
}
