//! Calls that look or change: `Operate`.

use std::future::Future;
use std::sync::Arc;

use async_trait::async_trait;
use bimetal_model::event::Event;
use bimetal_model::image::{ImageIndex, ImageSource};
use bimetal_model::port::{CreateRequest, Deletion, Operate, Outcome, UpdateRequest};
use bimetal_model::schema::Block;
use bimetal_model::snapshot::{Intent, Object};
use bimetal_model::{Address, Diagnostics, ProviderKey, Value};

use crate::bindings::bimetal::provider::types;
use crate::call::{self, Work};
use crate::codec::Unknowns;
use crate::host::{Host, Inner, Provider};
use crate::phase::Phase;
use crate::wire;

/// A provider and one of its types, ready for a call.
#[derive(Clone)]
struct Typed {
    inner: Arc<Inner>,
    provider: Arc<Provider>,
    key: ProviderKey,
    block: Block,
}

impl Typed {
    async fn new(inner: &Arc<Inner>, key: &ProviderKey, ty: &str) -> Result<Typed, Diagnostics> {
        let provider = inner.provider(&key.name)?;
        let schema = inner.schema(&provider).await?;
        let block = inner.type_of(&provider, &schema, ty)?.block.clone();
        Ok(Typed { inner: inner.clone(), provider, key: key.clone(), block })
    }

    fn encode(&self, address: &Address, value: &Value) -> String {
        self.inner.codec(&self.block, address).to_guest(value)
    }

    fn object(&self, address: &Address, object: &Object) -> types::Object {
        types::Object { value: self.encode(address, &object.value), private: object.private.clone() }
    }

    fn decode(&self, address: &Address, object: types::Object, known: &[&Value]) -> Result<Object, Diagnostics> {
        let value = self.inner.codec(&self.block, address).from_guest(&object.value, known, Unknowns::Refused);
        match value {
            Ok(value) => Ok(Object { value, private: object.private }),
            Err(reason) => Err(call::failed(&self.provider, std::slice::from_ref(address), &reason)),
        }
    }

    fn said(&self, address: &Address, diagnostics: Vec<types::Diagnostic>) -> Diagnostics {
        wire::diagnostics(&self.provider, diagnostics).into_iter().map(|diagnostic| diagnostic.of(address)).collect()
    }

    async fn call<T: Send + 'static>(&self, phase: Phase, addresses: Vec<Address>, work: Work<T>) -> Result<T, Diagnostics> {
        call::configured(self.inner.clone(), self.key.clone(), phase, addresses, work).await
    }

    fn outcome(&self, address: &Address, outcome: types::Outcome, known: &[&Value]) -> Outcome {
        let so_far = |object: Option<types::Object>| object.map(|object| self.decode(address, object, known)).transpose();
        let failed = |diagnostics| Outcome::Failed { diagnostics, so_far: None };
        match outcome {
            types::Outcome::Done(object) => self.decode(address, object, known).map_or_else(failed, Outcome::Done),
            types::Outcome::Retry(retry) => match so_far(retry.so_far) {
                Ok(so_far) => Outcome::Retry { after_ms: retry.after_ms, reason: retry.reason, so_far },
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
    /// Runs on the guests' own threads.
    async fn on_threads<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let Some(threads) = &self.threads else { unreachable!("taken only when dropped") };
        match threads.spawn(work).await {
            Ok(answer) => answer,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

/// The same answer for all.
fn everywhere<T>(count: usize, diagnostics: &Diagnostics) -> Vec<Result<T, Diagnostics>> {
    (0..count).map(|_| Err(diagnostics.clone())).collect()
}

type Answers = Vec<Result<Option<types::Object>, Vec<types::Diagnostic>>>;

/// What a list of answers means for a list of objects.
fn objects(
    typed: &Typed,
    addresses: &[Address],
    known: &[&Value],
    answers: Result<Answers, Diagnostics>,
) -> Vec<Result<Option<Object>, Diagnostics>> {
    let answers = match answers {
        Ok(answers) if answers.len() == addresses.len() => answers,
        Ok(answers) => {
            let reason = format!("it was asked about {} objects and spoke of {}", addresses.len(), answers.len());
            return everywhere(addresses.len(), &call::failed(&typed.provider, &[], &reason));
        }
        Err(diagnostics) => return everywhere(addresses.len(), &diagnostics),
    };
    let one = |(place, answer): (usize, Result<Option<types::Object>, _>)| match answer {
        Ok(None) => Ok(None),
        Ok(Some(object)) => typed.decode(&addresses[place], object, &known[place..=place]).map(Some),
        Err(diagnostics) => Err(typed.said(&addresses[place], diagnostics)),
    };
    answers.into_iter().enumerate().map(one).collect()
}

#[async_trait]
impl Operate for Host {
    fn configure(&self, provider: &ProviderKey, config: &Value) {
        self.inner.configure(provider, config);
    }

    async fn read(&self, provider: &ProviderKey, ty: &str, objects: &[(Address, Object)]) -> Vec<Result<Option<Object>, Diagnostics>> {
        let typed = match Typed::new(&self.inner, provider, ty).await {
            Ok(typed) => typed,
            Err(diagnostics) => return everywhere(objects.len(), &diagnostics),
        };
        let addresses: Vec<Address> = objects.iter().map(|(address, _)| address.clone()).collect();
        let wire: Vec<_> = objects.iter().map(|(address, object)| typed.object(address, object)).collect();
        let name = ty.to_owned();
        let work: Work<Answers> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_look().call_read(store, &name, &wire).await })
        });
        let (asked, called) = (typed.clone(), addresses.clone());
        let answers = self.on_threads(async move { asked.call(Phase::Look, called, work).await }).await;
        let known: Vec<&Value> = objects.iter().map(|(_, object)| &object.value).collect();
        self::objects(&typed, &addresses, &known, answers)
    }

    async fn probe(&self, provider: &ProviderKey, ty: &str, intents: &[Intent]) -> Vec<Result<Option<Object>, Diagnostics>> {
        let typed = match Typed::new(&self.inner, provider, ty).await {
            Ok(typed) => typed,
            Err(diagnostics) => return everywhere(intents.len(), &diagnostics),
        };
        let addresses: Vec<Address> = intents.iter().map(|intent| intent.address.clone()).collect();
        let wire: Vec<_> = intents
            .iter()
            .map(|intent| types::Intent { id: intent.id.0.clone(), config: typed.encode(&intent.address, &intent.config) })
            .collect();
        let name = ty.to_owned();
        let work: Work<Answers> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_look().call_probe(store, &name, &wire).await })
        });
        let (asked, called) = (typed.clone(), addresses.clone());
        let answers = self.on_threads(async move { asked.call(Phase::Look, called, work).await }).await;
        let known: Vec<&Value> = intents.iter().map(|intent| &intent.config).collect();
        objects(&typed, &addresses, &known, answers)
    }

    async fn discover(&self, provider: &ProviderKey, ty: &str, address: &Address, config: &Value) -> Result<Value, Diagnostics> {
        let typed = Typed::new(&self.inner, provider, ty).await?;
        let (name, text) = (ty.to_owned(), typed.encode(address, config));
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_look().call_discover(store, &name, &text).await })
        });
        let (asked, called) = (typed.clone(), vec![address.clone()]);
        let answer = self.on_threads(async move { asked.call(Phase::Look, called, work).await }).await?;
        let text = answer.map_err(|diagnostics| typed.said(address, diagnostics))?;
        let json = serde_json::from_str(&text).map_err(|error| error.to_string());
        let value = json.and_then(|json| bimetal_model::json::decode(&json)).and_then(|facts| match facts.as_members() {
            Some(_) => Ok(facts),
            None => Err("facts are an object".to_owned()),
        });
        value.map_err(|reason| call::failed(&typed.provider, std::slice::from_ref(address), &reason))
    }

    async fn read_data(&self, provider: &ProviderKey, ty: &str, address: &Address, config: &Value) -> Result<Value, Diagnostics> {
        let typed = Typed::new(&self.inner, provider, ty).await?;
        let (name, text) = (ty.to_owned(), typed.encode(address, config));
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_look().call_read_data(store, &name, &text).await })
        });
        let (asked, called) = (typed.clone(), vec![address.clone()]);
        let answer = self.on_threads(async move { asked.call(Phase::Look, called, work).await }).await?;
        let text = answer.map_err(|diagnostics| typed.said(address, diagnostics))?;
        let object = types::Object { value: text, private: Vec::new() };
        typed.decode(address, object, &[config]).map(|object| object.value)
    }

    async fn create(&self, provider: &ProviderKey, ty: &str, requests: Vec<CreateRequest>) -> Vec<Outcome> {
        let failed = |diagnostics: &Diagnostics| Outcome::Failed { diagnostics: diagnostics.clone(), so_far: None };
        let typed = match Typed::new(&self.inner, provider, ty).await {
            Ok(typed) => typed,
            Err(diagnostics) => return requests.iter().map(|_| failed(&diagnostics)).collect(),
        };
        let addresses: Vec<Address> = requests.iter().map(|request| request.address.clone()).collect();
        let wire: Vec<_> = requests.iter().map(|request| create_request(&typed, request)).collect();
        let name = ty.to_owned();
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_operate().call_create(store, &name, &wire).await })
        });
        let (asked, called) = (typed.clone(), addresses.clone());
        let answers: Vec<types::Outcome> = match self.on_threads(async move { asked.call(Phase::Operate, called, work).await }).await {
            Ok(answers) if answers.len() == requests.len() => answers,
            Ok(answers) => {
                let reason = format!("it was to make {} objects and spoke of {}", requests.len(), answers.len());
                let diagnostics = call::failed(&typed.provider, &[], &reason);
                return requests.iter().map(|_| failed(&diagnostics)).collect();
            }
            Err(diagnostics) => return requests.iter().map(|_| failed(&diagnostics)).collect(),
        };
        let outcome = |(request, answer): (&CreateRequest, _)| typed.outcome(&request.address, answer, &[&request.config]);
        requests.iter().zip(answers).map(outcome).collect()
    }

    async fn update(&self, provider: &ProviderKey, ty: &str, request: UpdateRequest) -> Outcome {
        let failed = |diagnostics: Diagnostics| Outcome::Failed { diagnostics, so_far: None };
        let typed = match Typed::new(&self.inner, provider, ty).await {
            Ok(typed) => typed,
            Err(diagnostics) => return failed(diagnostics),
        };
        let address = request.address.clone();
        let prior = typed.object(&address, &request.prior);
        let wire = types::UpdateRequest {
            prior,
            planned: typed.encode(&address, &request.planned.value),
            config: typed.encode(&address, &request.config),
            private: request.planned.private.clone(),
        };
        let name = ty.to_owned();
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_operate().call_update(store, &name, &wire).await })
        });
        let (asked, called) = (typed.clone(), vec![address.clone()]);
        match self.on_threads(async move { asked.call(Phase::Operate, called, work).await }).await {
            Ok(answer) => typed.outcome(&address, answer, &[&request.config, &request.prior.value]),
            Err(diagnostics) => failed(diagnostics),
        }
    }

    async fn delete(&self, provider: &ProviderKey, ty: &str, address: &Address, object: Object) -> Deletion {
        let typed = match Typed::new(&self.inner, provider, ty).await {
            Ok(typed) => typed,
            Err(diagnostics) => return Deletion::Failed(diagnostics),
        };
        let (name, wire) = (ty.to_owned(), typed.object(address, &object));
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_operate().call_delete(store, &name, &wire).await })
        });
        let (asked, called) = (typed.clone(), vec![address.clone()]);
        match self.on_threads(async move { asked.call(Phase::Operate, called, work).await }).await {
            Ok(types::Deletion::Done) => Deletion::Done,
            Ok(types::Deletion::Retry(retry)) => Deletion::Retry { after_ms: retry.after_ms, reason: retry.reason },
            Ok(types::Deletion::Failed(diagnostics)) => Deletion::Failed(typed.said(address, diagnostics)),
            Err(diagnostics) => Deletion::Failed(diagnostics),
        }
    }

    async fn image(&self, source: &ImageSource) -> Result<ImageIndex, Diagnostics> {
        self.inner.services.notify.notify(Event::Busy { message: format!("looking up image `{source}`") });
        self.allow_images(std::slice::from_ref(source));
        self.inner.services.images.resolve(source).await.map_err(|fault| vec![wire::diagnostic_of(&fault)])
    }

    fn allow_images(&self, sources: &[ImageSource]) {
        sources.iter().for_each(|source| self.inner.services.allow(source.to_string()));
    }
}

fn create_request(typed: &Typed, request: &CreateRequest) -> types::CreateRequest {
    let so_far = request.so_far.as_ref().map(|object| typed.object(&request.address, object));
    types::CreateRequest {
        intent: request.intent.0.clone(),
        planned: typed.encode(&request.address, &request.planned.value),
        config: typed.encode(&request.address, &request.config),
        private: request.planned.private.clone(),
        so_far,
    }
}
