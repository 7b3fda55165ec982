//! From the contract's text to an author's types and back. One small erased face a type, so that little is made for each.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};

use crate::bindings::bimetal::provider::types;
use crate::diagnostic::{Diagnostic, Result};
use crate::planning::Plan;
use crate::resource::{Create, DataSource, Deletion, Outcome, Provider, Resource, Role};
use crate::schema::Block;

type Wire<T> = std::result::Result<T, Vec<types::Diagnostic>>;

pub(crate) struct Of<T>(PhantomData<fn() -> T>);

impl<T> Default for Of<T> {
    fn default() -> Self {
        Of(PhantomData)
    }
}

/// A managed type, its value's Rust type forgotten.
pub(crate) trait Managed<P> {
    fn name(&self) -> &'static str;
    fn block(&self) -> Block;
    fn document(&self) -> Json;
    fn validate(&self, config: &str) -> Vec<types::Diagnostic>;
    fn amend(&self, plan: &mut Plan) -> Result<()>;
    fn discover(&self, provider: &P, config: &str) -> Wire<String>;
    fn read(&self, provider: &P, objects: &[types::Object]) -> Vec<Wire<Option<types::Object>>>;
    fn probe(&self, provider: &P, intents: &[types::Intent]) -> Vec<Wire<Option<types::Object>>>;
    fn create(&self, provider: &P, requests: &[types::CreateRequest]) -> Vec<types::Outcome>;
    fn update(&self, provider: &P, request: &types::UpdateRequest) -> types::Outcome;
    fn delete(&self, provider: &P, object: &types::Object) -> types::Deletion;
    fn import(&self, provider: &P, id: &str) -> Wire<types::Object>;
}

/// A data source, its value's Rust type forgotten.
pub(crate) trait Data<P> {
    fn name(&self) -> &'static str;
    fn document(&self) -> Json;
    fn read(&self, provider: &P, config: &str) -> Wire<String>;
}

impl<P: Provider, T: Resource<Provider = P>> Managed<P> for Of<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn block(&self) -> Block {
        T::block()
    }

    fn document(&self) -> Json {
        let mut document = T::block().document();
        document.insert("version".to_owned(), json!(T::VERSION));
        document.insert("batch".to_owned(), json!(T::BATCH));
        let role = T::ROLE.map(|role| match role {
            Role::Machine => "machine",
            Role::ContainerRuntime => "container-runtime",
        });
        document.insert("role".to_owned(), json!(role));
        Json::Object(document)
    }

    fn validate(&self, config: &str) -> Vec<types::Diagnostic> {
        // What is unknown by now is checked when it is known.
        match decode::<T>(config) {
            Ok(config) => config.validate().into_iter().map(Into::into).collect(),
            Err(_) => Vec::new(),
        }
    }

    fn amend(&self, plan: &mut Plan) -> Result<()> {
        T::plan(plan)
    }

    fn discover(&self, provider: &P, config: &str) -> Wire<String> {
        wire(decode(config).and_then(|config| T::discover(provider, config)).map(|facts| facts.to_string()))
    }

    fn read(&self, provider: &P, objects: &[types::Object]) -> Vec<Wire<Option<types::Object>>> {
        let decoded: Result<Vec<T>> = objects.iter().map(|object| decode(&object.value)).collect();
        match decoded {
            Ok(values) => T::read(provider, values).into_iter().map(found).collect(),
            Err(error) => objects.iter().map(|_| Err(vec![error.clone().into()])).collect(),
        }
    }

    fn probe(&self, provider: &P, intents: &[types::Intent]) -> Vec<Wire<Option<types::Object>>> {
        let probe = |intent: &types::Intent| {
            found(decode(&intent.config).and_then(|config| T::probe(provider, &intent.id, config)))
        };
        intents.iter().map(probe).collect()
    }

    fn create(&self, provider: &P, requests: &[types::CreateRequest]) -> Vec<types::Outcome> {
        let decoded: Result<Vec<Create<T>>> = requests.iter().enumerate().map(create_request).collect();
        match decoded {
            Ok(requests) => T::create(provider, requests).into_iter().map(outcome).collect(),
            Err(error) => requests.iter().map(|_| outcome(Outcome::<T>::failed(error.clone()))).collect(),
        }
    }

    fn update(&self, provider: &P, request: &types::UpdateRequest) -> types::Outcome {
        let decoded = decode(&request.prior.value).and_then(|prior| Ok((prior, decode(&request.config)?)));
        outcome(match decoded {
            Ok((prior, config)) => T::update(provider, prior, config),
            Err(error) => Outcome::failed(error),
        })
    }

    fn delete(&self, provider: &P, object: &types::Object) -> types::Deletion {
        let deletion = match decode(&object.value) {
            Ok(object) => T::delete(provider, object),
            Err(error) => Deletion::Failed(vec![error]),
        };
        match deletion {
            Deletion::Done => types::Deletion::Done,
            Deletion::Retry { after_ms, reason } => {
                types::Deletion::Retry(types::Retry { after_ms, reason, so_far: None })
            }
            Deletion::Failed(diagnostics) => types::Deletion::Failed(diagnostics.into_iter().map(Into::into).collect()),
        }
    }

    fn import(&self, provider: &P, id: &str) -> Wire<types::Object> {
        wire(T::import(provider, id).map(object))
    }
}

impl<P: Provider, T: DataSource<Provider = P>> Data<P> for Of<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn document(&self) -> Json {
        Json::Object(T::block().document())
    }

    fn read(&self, provider: &P, config: &str) -> Wire<String> {
        wire(decode(config).and_then(|config| T::read(provider, config)).map(|value| encode(&value)))
    }
}

fn create_request<T: Resource>((index, request): (usize, &types::CreateRequest)) -> Result<Create<T>> {
    let so_far = request.so_far.as_ref().map(|object| decode(&object.value)).transpose()?;
    Ok(Create { index: index as u32, intent: request.intent.clone(), config: decode(&request.config)?, so_far })
}

fn found<T: Serialize>(result: Result<Option<T>>) -> Wire<Option<types::Object>> {
    wire(result.map(|found| found.map(object)))
}

fn wire<T>(result: Result<T>) -> Wire<T> {
    result.map_err(|diagnostic| vec![diagnostic.into()])
}

fn object<T: Serialize>(value: T) -> types::Object {
    types::Object { value: encode(&value), private: Vec::new() }
}

fn outcome<T: Serialize>(outcome: Outcome<T>) -> types::Outcome {
    match outcome {
        Outcome::Done(value) => types::Outcome::Done(object(value)),
        Outcome::Retry { after_ms, reason, so_far } => {
            types::Outcome::Retry(types::Retry { after_ms, reason, so_far: so_far.map(object) })
        }
        Outcome::Failed { diagnostics, so_far } => types::Outcome::Failed(types::Failure {
            diagnostics: diagnostics.into_iter().map(Into::into).collect(),
            so_far: so_far.map(object),
        }),
    }
}

/// A list or map that was not written is empty.
pub(crate) fn decode<T: DeserializeOwned>(text: &str) -> Result<T> {
    let json: Json =
        serde_json::from_str(text).map_err(|error| Diagnostic::error(format!("the host's JSON is broken: {error}")))?;
    serde_json::from_value(unescape(json))
        .map_err(|error| Diagnostic::error(format!("the value does not fit: {error}")))
}

pub(crate) fn encode<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(json) => escape(json).to_string(),
        Err(error) => unreachable!("types of providers have keys of text: {error}"),
    }
}

/// A key of the user's that begins with `$` is doubled on the way.
fn unescape(json: Json) -> Json {
    rename(json, &|name| name.strip_prefix("$$").map(|rest| format!("${rest}")))
}

fn escape(json: Json) -> Json {
    const OURS: [&str; 3] = ["$handle", "$credential", "$unknown"];
    rename(json, &|name| (name.starts_with('$') && !OURS.contains(&name)).then(|| format!("${name}")))
}

fn rename(json: Json, change: &dyn Fn(&str) -> Option<String>) -> Json {
    match json {
        Json::Array(items) => Json::Array(items.into_iter().map(|item| rename(item, change)).collect()),
        Json::Object(members) => {
            let member = |(name, value): (String, Json)| (change(&name).unwrap_or(name), rename(value, change));
            Json::Object(members.into_iter().map(member).collect::<Map<_, _>>())
        }
        leaf => leaf,
    }
}
