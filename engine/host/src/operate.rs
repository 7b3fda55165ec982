//! Calls that look or change: `Operate`.

use async_trait::async_trait;
use bimetal_model::image::{ImageIndex, ImageSource};
use bimetal_model::port::{CreateRequest, Deletion, Operate, Outcome, Refusal, UpdateRequest};
use bimetal_model::snapshot::{Intent, Object};
use bimetal_model::{Address, Diagnostic, Diagnostics, ProviderKey, Value};

use crate::bindings::bimetal::provider::types;
use crate::call::{self, Work};
use crate::grant::Subject;
use crate::host::Host;
use crate::phase::Phase;
use crate::typed::Typed;
use crate::wire;

/// The same answer for each object.
fn everywhere<T, E: From<Diagnostics>>(addresses: &[Address], diagnostics: &[Diagnostic]) -> Vec<Result<T, E>> {
    addresses.iter().map(|address| Err(of(address, diagnostics).into())).collect()
}

fn of(address: &Address, diagnostics: &[Diagnostic]) -> Diagnostics {
    diagnostics.iter().map(|diagnostic| diagnostic.clone().of(address)).collect()
}

/// What a list of answers means for a list of objects.
fn objects<W, E: From<Diagnostics>>(
    typed: &Typed,
    addresses: &[Address],
    known: &[&Value],
    answers: Result<Vec<Result<Option<types::Object>, W>>, Diagnostics>,
    refused: impl Fn(&Address, W) -> E,
) -> Vec<Result<Option<Object>, E>> {
    let answers = match answers {
        Ok(answers) if answers.len() == addresses.len() => answers,
        Ok(answers) => {
            let reason = format!("it was asked about {} objects and spoke of {}", addresses.len(), answers.len());
            return everywhere(addresses, &call::failed(&typed.provider, &[], &reason));
        }
        Err(diagnostics) => return everywhere(addresses, &diagnostics),
    };
    let one = |(place, answer): (usize, Result<Option<types::Object>, W>)| match answer {
        Ok(None) => Ok(None),
        Ok(Some(object)) => Ok(typed.decode(&addresses[place], object, &known[place..=place]).map(Some)?),
        Err(why) => Err(refused(&addresses[place], why)),
    };
    answers.into_iter().enumerate().map(one).collect()
}

#[async_trait]
impl Operate for Host {
    fn configure(&self, provider: &ProviderKey, config: &Value) {
        self.inner.configure(provider, config);
        // Its credentials are known from now on, also to handles that objects in state hold.
        if let Ok(offer) = self.offer(&provider.name) {
            self.inner.provider_codec(provider, &offer).learn(config);
        }
    }

    async fn read(
        &self,
        provider: &ProviderKey,
        ty: &str,
        objects: &[(Address, Object)],
    ) -> Vec<Result<Option<Object>, Refusal>> {
        let addresses: Vec<Address> = objects.iter().map(|(address, _)| address.clone()).collect();
        let typed = match self.typed(provider, ty).await {
            Ok(typed) => typed,
            Err(diagnostics) => return everywhere(&addresses, &diagnostics),
        };
        let mut subject = Subject::of(addresses.clone());
        let wire: Vec<_> =
            objects.iter().map(|(address, object)| typed.object(&mut subject, address, object)).collect();
        let name = ty.to_owned();
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_look().call_read(store, &name, &wire).await })
        });
        let answers = self.call(&typed, Phase::Look, subject, work).await;
        let known: Vec<&Value> = objects.iter().map(|(_, object)| &object.value).collect();
        self::objects(&typed, &addresses, &known, answers, |address, why| typed.refused(address, why))
    }

    async fn probe(
        &self,
        provider: &ProviderKey,
        ty: &str,
        intents: &[Intent],
    ) -> Vec<Result<Option<Object>, Diagnostics>> {
        let addresses: Vec<Address> = intents.iter().map(|intent| intent.address.clone()).collect();
        let typed = match self.typed(provider, ty).await {
            Ok(typed) => typed,
            Err(diagnostics) => return everywhere(&addresses, &diagnostics),
        };
        let mut subject = Subject::of(addresses.clone());
        let wire: Vec<_> = intents
            .iter()
            .map(|intent| types::Intent {
                id: intent.id.0.clone(),
                config: typed.encode(&mut subject, &intent.address, &intent.config),
            })
            .collect();
        let name = ty.to_owned();
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_look().call_probe(store, &name, &wire).await })
        });
        let answers = self.call(&typed, Phase::Look, subject, work).await;
        let known: Vec<&Value> = intents.iter().map(|intent| &intent.config).collect();
        objects(&typed, &addresses, &known, answers, |address, said| typed.said(address, said))
    }

    async fn discover(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        config: &Value,
    ) -> Result<Value, Diagnostics> {
        let typed = self.typed(provider, ty).await.map_err(|diagnostics| of(address, &diagnostics))?;
        let mut subject = Subject::of(vec![address.clone()]);
        let (name, text) = (ty.to_owned(), typed.encode(&mut subject, address, config));
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_look().call_discover(store, &name, &text).await })
        });
        let answer = self.call(&typed, Phase::Look, subject, work).await?;
        let text = answer.map_err(|diagnostics| typed.said(address, diagnostics))?;
        let facts = facts(&text);
        facts.map_err(|reason| call::failed(&typed.provider, std::slice::from_ref(address), &reason))
    }

    async fn read_data(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        config: &Value,
    ) -> Result<Value, Refusal> {
        let typed = self.typed(provider, ty).await.map_err(|diagnostics| of(address, &diagnostics))?;
        let mut subject = Subject::of(vec![address.clone()]);
        let (name, text) = (ty.to_owned(), typed.encode(&mut subject, address, config));
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_look().call_read_data(store, &name, &text).await })
        });
        let answer = self.call(&typed, Phase::Look, subject, work).await?;
        let text = answer.map_err(|refusal| typed.refused(address, refusal))?;
        let object = types::Object { value: text, private: Vec::new() };
        Ok(typed.decode(address, object, &[config])?.value)
    }

    async fn import(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        id: &str,
        config: &Value,
    ) -> Result<Object, Diagnostics> {
        let typed = self.typed(provider, ty).await.map_err(|diagnostics| of(address, &diagnostics))?;
        let mut subject = Subject::of(vec![address.clone()]);
        let (name, id, text) = (ty.to_owned(), id.to_owned(), typed.encode(&mut subject, address, config));
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_look().call_import(store, &name, &id, &text).await })
        });
        let object = self.call(&typed, Phase::Look, subject, work).await?;
        typed.decode(address, object.map_err(|diagnostics| typed.said(address, diagnostics))?, &[config])
    }

    async fn create(&self, provider: &ProviderKey, ty: &str, requests: Vec<CreateRequest>) -> Vec<Outcome> {
        let everywhere = |diagnostics: Diagnostics| {
            let failed = |request: &CreateRequest| Outcome::Failed {
                diagnostics: of(&request.address, &diagnostics),
                so_far: request.so_far.clone(),
            };
            requests.iter().map(failed).collect()
        };
        let typed = match self.typed(provider, ty).await {
            Ok(typed) => typed,
            Err(diagnostics) => return everywhere(diagnostics),
        };
        let mut subject = Subject::of(requests.iter().map(|request| request.address.clone()).collect());
        let wire: Vec<_> = requests.iter().map(|request| create_request(&typed, &mut subject, request)).collect();
        let name = ty.to_owned();
        let work: Work<Vec<types::Outcome>> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_operate().call_create(store, &name, &wire).await })
        });
        let answers = match self.call(&typed, Phase::Operate, subject, work).await {
            Ok(answers) if answers.len() == requests.len() => answers,
            Ok(answers) => {
                let reason = format!("it was to make {} objects and spoke of {}", requests.len(), answers.len());
                return everywhere(call::failed(&typed.provider, &[], &reason));
            }
            Err(diagnostics) => return everywhere(diagnostics),
        };
        let outcome =
            |(request, answer): (&CreateRequest, _)| typed.outcome(&request.address, answer, &[&request.config]);
        requests.iter().zip(answers).map(outcome).collect()
    }

    async fn update(&self, provider: &ProviderKey, ty: &str, request: UpdateRequest) -> Outcome {
        let address = request.address.clone();
        let failed =
            |diagnostics: Diagnostics| Outcome::Failed { diagnostics: of(&address, &diagnostics), so_far: None };
        let typed = match self.typed(provider, ty).await {
            Ok(typed) => typed,
            Err(diagnostics) => return failed(diagnostics),
        };
        let mut subject = Subject::of(vec![address.clone()]);
        let prior = typed.object(&mut subject, &address, &request.prior);
        let wire = types::UpdateRequest {
            prior,
            planned: typed.encode(&mut subject, &address, &request.planned.value),
            // Last, so that the credentials in the table are those of the configuration.
            config: typed.encode(&mut subject, &address, &request.config),
            private: request.planned.private.clone(),
        };
        let name = ty.to_owned();
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_operate().call_update(store, &name, &wire).await })
        });
        match self.call(&typed, Phase::Operate, subject, work).await {
            Ok(answer) => typed.outcome(&address, answer, &[&request.config, &request.prior.value]),
            Err(diagnostics) => failed(diagnostics),
        }
    }

    async fn delete(&self, provider: &ProviderKey, ty: &str, address: &Address, object: Object) -> Deletion {
        let failed = |diagnostics: Diagnostics| Deletion::Failed(of(address, &diagnostics));
        let typed = match self.typed(provider, ty).await {
            Ok(typed) => typed,
            Err(diagnostics) => return failed(diagnostics),
        };
        let mut subject = Subject::of(vec![address.clone()]);
        let (name, wire) = (ty.to_owned(), typed.object(&mut subject, address, &object));
        let work: Work<_> = Box::new(move |exports, store| {
            Box::pin(async move { exports.bimetal_provider_operate().call_delete(store, &name, &wire).await })
        });
        match self.call(&typed, Phase::Operate, subject, work).await {
            Ok(types::Deletion::Done) => Deletion::Done,
            Ok(types::Deletion::Retry(retry)) => {
                Deletion::Retry { after_ms: retry.after_ms, reason: wire::clean(&retry.reason) }
            }
            Ok(types::Deletion::Failed(diagnostics)) => Deletion::Failed(typed.said(address, diagnostics)),
            Err(diagnostics) => failed(diagnostics),
        }
    }

    async fn image(&self, source: &ImageSource) -> Result<ImageIndex, Diagnostics> {
        self.allow_images(std::slice::from_ref(source));
        self.inner.services.images.resolve(source).await.map_err(|fault| vec![fault.diagnostic()])
    }

    fn allow_images(&self, sources: &[ImageSource]) {
        sources.iter().for_each(|source| self.inner.services.allow(source.to_string()));
    }
}

fn create_request(typed: &Typed, subject: &mut Subject, request: &CreateRequest) -> types::CreateRequest {
    let address = &request.address;
    subject.intents.insert(request.intent.0.clone(), address.clone());
    let so_far = request.so_far.as_ref().map(|object| typed.object(subject, address, object));
    types::CreateRequest {
        intent: request.intent.0.clone(),
        planned: typed.encode(subject, address, &request.planned.value),
        // Last, so that the credentials in the table are those of the configuration.
        config: typed.encode(subject, address, &request.config),
        private: request.planned.private.clone(),
        so_far,
    }
}

/// What a machine says of itself.
fn facts(text: &str) -> Result<Value, String> {
    let json = serde_json::from_str(text).map_err(|error| format!("its answer is no JSON: {error}"))?;
    let value = bimetal_model::json::decode(json).map_err(|error| format!("its answer can't be read: {error}"))?;
    match value.as_members() {
        Some(_) if value.is_wholly_known() => Ok(value),
        Some(_) => Err("its facts have unknown values, and only a plan may".to_owned()),
        None => Err("its facts are no object".to_owned()),
    }
}
