//! From the contract's text to an author's types and back. One small erased face a type, so that little is made for each.

use std::marker::PhantomData;
use std::rc::Rc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json, json};

use crate::bindings::bimetal::provider::types;
use crate::diagnostic::{Diagnostic, Result, Step};
use crate::planning::Plan;
use crate::resource::{
    Create, DataSource, Deletion, Ephemeral, Foreign, Function, Lease, Opened, Outcome, Provider, Resource, Role,
};
use crate::schema::{Block, HasType as _, Schema, block_of};

type Wire<T> = std::result::Result<T, Vec<types::Diagnostic>>;
/// An answer that may be put off.
type Told<T> = std::result::Result<T, types::Refusal>;

pub(crate) struct Of<T>(PhantomData<fn() -> T>);

impl<T> Default for Of<T> {
    fn default() -> Self {
        Of(PhantomData)
    }
}

/// A managed type, its value's Rust type forgotten.
pub(crate) trait Managed<P> {
    fn name(&self) -> &'static str;
    fn block(&self) -> Rc<Block>;
    fn document(&self) -> Json;
    fn validate(&self, config: &str) -> Vec<types::Diagnostic>;
    fn upgrade(&self, version: u64, stored: &str) -> Wire<String>;
    fn adopt(&self, source: &types::Foreign) -> Wire<types::Object>;
    fn amend(&self, plan: &mut Plan) -> Result<()>;
    fn discover(&self, provider: &P, config: &str) -> Wire<String>;
    fn read(&self, provider: &P, objects: &[types::Object]) -> Vec<Told<Option<types::Object>>>;
    fn probe(&self, provider: &P, intents: &[types::Intent]) -> Vec<Wire<Option<types::Object>>>;
    fn create(&self, provider: &P, requests: &[types::CreateRequest]) -> Vec<types::Outcome>;
    fn update(&self, provider: &P, request: &types::UpdateRequest) -> types::Outcome;
    fn delete(&self, provider: &P, object: &types::Object) -> types::Deletion;
    fn import(&self, provider: &P, id: &str, config: &str) -> Wire<types::Object>;
}

/// A data source, its value's Rust type forgotten.
pub(crate) trait Data<P> {
    fn name(&self) -> &'static str;
    fn document(&self) -> Json;
    fn read(&self, provider: &P, config: &str) -> Told<String>;
}

/// An ephemeral type, its value's Rust type forgotten.
pub(crate) trait Lending<P> {
    fn name(&self) -> &'static str;
    fn document(&self) -> Json;
    fn open(&self, provider: &P, config: &str) -> Told<types::Opened>;
    fn renew(&self, provider: &P, private: Vec<u8>) -> Wire<types::Renewed>;
    fn close(&self, provider: &P, private: Vec<u8>) -> Vec<types::Diagnostic>;
}

/// A function, its parameters' Rust type forgotten.
pub(crate) trait Callable {
    fn name(&self) -> &'static str;
    fn document(&self) -> Json;
    fn call(&self, arguments: &str) -> Wire<String>;
}

impl<P: Provider, T: Resource<Provider = P>> Managed<P> for Of<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn block(&self) -> Rc<Block> {
        block_of::<T>()
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
        let adopts = T::ADOPTS.iter().map(|(provider, ty)| json!({ "provider": provider, "type": ty }));
        document.insert("adopts".to_owned(), adopts.collect());
        Json::Object(document)
    }

    fn validate(&self, config: &str) -> Vec<types::Diagnostic> {
        match known_config::<T>(config) {
            Ok(Some(config)) => config.validate().into_iter().map(Into::into).collect(),
            Ok(None) => Vec::new(),
            Err(error) => vec![error.into()],
        }
    }

    fn upgrade(&self, version: u64, stored: &str) -> Wire<String> {
        if version > T::VERSION {
            let error = Diagnostic::error(format!("this `{}` was stored by a newer version of the provider", T::NAME));
            return wire(Err(error.hint("use that version or a later one")));
        }
        wire(
            parse(stored)
                .map(unescape)
                .and_then(|stored| T::upgrade(version, stored))
                .map(|value| escape(value, &block_of::<T>()).to_string()),
        )
    }

    fn adopt(&self, source: &types::Foreign) -> Wire<types::Object> {
        let foreign = |value| Foreign {
            provider: source.provider.clone(),
            ty: source.type_name.clone(),
            version: source.version,
            value: unescape(value),
        };
        wire(parse(&source.object.value).and_then(|value| T::adopt(foreign(value))).map(object))
    }

    fn amend(&self, plan: &mut Plan) -> Result<()> {
        T::plan(plan)
    }

    fn discover(&self, provider: &P, config: &str) -> Wire<String> {
        wire(decode(config).and_then(|config| T::discover(provider, config)).map(|facts| facts.to_string()))
    }

    fn read(&self, provider: &P, objects: &[types::Object]) -> Vec<Told<Option<types::Object>>> {
        let decoded: Result<Vec<T>> = objects.iter().map(|object| decode(&object.value)).collect();
        let seen = |result: Result<Option<T>>| Ok(result?.map(object));
        match decoded {
            Ok(values) => T::read(provider, values).into_iter().map(seen).collect(),
            Err(error) => objects.iter().map(|_| Err(error.clone().into())).collect(),
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

    fn import(&self, provider: &P, id: &str, config: &str) -> Wire<types::Object> {
        wire(decode(config).and_then(|config| T::import(provider, id, config)).map(object))
    }
}

impl<P: Provider, T: DataSource<Provider = P>> Data<P> for Of<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn document(&self) -> Json {
        Json::Object(T::block().document())
    }

    fn read(&self, provider: &P, config: &str) -> Told<String> {
        let value = decode(config).and_then(|config| T::read(provider, config))?;
        Ok(encode(&value))
    }
}

impl<P: Provider, T: Ephemeral<Provider = P>> Lending<P> for Of<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn document(&self) -> Json {
        Json::Object(T::block().document())
    }

    fn open(&self, provider: &P, config: &str) -> Told<types::Opened> {
        let Opened { value, lease } = decode(config).and_then(|config| T::open(provider, config))?;
        let Lease { private, renew_after_ms } = lease;
        Ok(types::Opened { value: encode(&value), private, renew_after_ms })
    }

    fn renew(&self, provider: &P, private: Vec<u8>) -> Wire<types::Renewed> {
        let renewed = |Lease { private, renew_after_ms }| types::Renewed { private, renew_after_ms };
        wire(T::renew(provider, private).map(renewed))
    }

    fn close(&self, provider: &P, private: Vec<u8>) -> Vec<types::Diagnostic> {
        T::close(provider, private).err().into_iter().map(Into::into).collect()
    }
}

impl<T: Function> Callable for Of<T> {
    fn name(&self) -> &'static str {
        T::NAME
    }

    fn document(&self) -> Json {
        let mut document = T::block().parameters();
        document.insert("returns".to_owned(), T::Answer::ty());
        Json::Object(document)
    }

    fn call(&self, arguments: &str) -> Wire<String> {
        wire(decode(arguments).and_then(T::call).map(|answer| {
            // All keys of an answer are the user's.
            rename(to_json(&answer), &|name| doubled(name, false)).to_string()
        }))
    }
}

fn create_request<T: Resource>((index, request): (usize, &types::CreateRequest)) -> Result<Create<T>> {
    let so_far = request.so_far.as_ref().map(|object| decode(&object.value)).transpose()?;
    Ok(Create { index: index as u32, intent: request.intent.clone(), config: decode(&request.config)?, so_far })
}

fn found<T: Schema + Serialize>(result: Result<Option<T>>) -> Wire<Option<types::Object>> {
    wire(result.map(|found| found.map(object)))
}

fn wire<T>(result: Result<T>) -> Wire<T> {
    result.map_err(|diagnostic| vec![diagnostic.into()])
}

fn object<T: Schema + Serialize>(value: T) -> types::Object {
    types::Object { value: encode(&value), private: Vec::new() }
}

fn outcome<T: Schema + Serialize>(outcome: Outcome<T>) -> types::Outcome {
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

/// Directly where no key is doubled and all fits; otherwise step by step, which tells what does not.
pub(crate) fn decode<T: DeserializeOwned>(text: &str) -> Result<T> {
    match serde_json::from_str(text) {
        Ok(value) if !text.contains('$') || !text.contains("\"$$") => Ok(value),
        _ => typed(parse(text)?),
    }
}

/// What is unknown by now is checked when it is known; what a handle leads to is nobody's business here.
fn known_config<T: Schema + DeserializeOwned>(text: &str) -> Result<Option<T>> {
    if !text.contains('$') {
        return decode(text).map(Some);
    }
    let config = stand_in_for_handles::<T>(parse(text)?);
    if is_known(&config) { typed(config).map(Some) } else { Ok(None) }
}

pub(crate) fn parse(text: &str) -> Result<Json> {
    serde_json::from_str(text).map_err(|error| Diagnostic::error(format!("the host's JSON is broken: {error}")))
}

/// What does not fit a Rust type, as a fraction where a whole number is wanted, is wrong at its place.
pub(crate) fn typed<T: DeserializeOwned>(json: Json) -> Result<T> {
    serde_path_to_error::deserialize(unescape(json)).map_err(|error| {
        let steps = error.path().iter().filter_map(step).collect::<Vec<_>>();
        let diagnostic = Diagnostic::error(format!("the value does not fit: {}", error.into_inner()));
        steps.into_iter().fold(diagnostic, Diagnostic::then)
    })
}

fn step(segment: &serde_path_to_error::Segment) -> Option<Step> {
    match segment {
        serde_path_to_error::Segment::Map { key } => Some(Step::Attribute(key.clone())),
        serde_path_to_error::Segment::Seq { index } => Some(Step::Index(*index as u32)),
        serde_path_to_error::Segment::Enum { .. } | serde_path_to_error::Segment::Unknown => None,
    }
}

/// Nothing in it is unknown.
pub(crate) fn is_known(json: &Json) -> bool {
    match json {
        Json::Array(items) => items.iter().all(is_known),
        Json::Object(members) => !members.contains_key("$unknown") && members.values().all(is_known),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => true,
    }
}

/// A handle that is not known yet becomes one that leads nowhere.
fn stand_in_for_handles<T: Schema>(mut config: Json) -> Json {
    if is_known(&config) {
        return config;
    }
    for (name, attribute) in &block_of::<T>().attributes {
        if attribute.is_handle() && config[name.as_str()].get("$unknown").is_some() {
            config[name.as_str()] = json!({ "$handle": null });
        }
    }
    config
}

/// Without what is write-only: authors may answer the arguments as they came.
fn encode<T: Schema + Serialize>(value: &T) -> String {
    let mut json = to_json(value);
    let block = block_of::<T>();
    block.without_write_only(&mut json);
    match has_key(&json, &|name| name.starts_with('$')) {
        true => escape(json, &block).to_string(),
        false => json.to_string(),
    }
}

fn to_json<T: Serialize>(value: &T) -> Json {
    match serde_json::to_value(value) {
        Ok(json) => json,
        Err(error) => unreachable!("types of providers have keys of text: {error}"),
    }
}

/// A key of the user's that begins with `$` is doubled on the way.
fn unescape(json: Json) -> Json {
    if !has_key(&json, &|name| name.starts_with("$$")) {
        return json;
    }
    rename(json, &|name| name.strip_prefix("$$").map(|rest| format!("${rest}")))
}

/// A map's keys are the user's, all of them; elsewhere the contract's own words may stand.
fn escape(mut json: Json, block: &Block) -> Json {
    let Some(members) = json.as_object_mut() else { return json };
    for (name, attribute) in &block.attributes {
        if let Some(value) = members.get_mut(name) {
            let may_be_ours = !attribute.is_map();
            *value = rename(value.take(), &|name| doubled(name, may_be_ours));
        }
    }
    for (name, nested) in &block.blocks {
        match members.get_mut(name) {
            Some(Json::Array(items)) => items.iter_mut().for_each(|item| *item = escape(item.take(), nested.block())),
            Some(inner) => *inner = escape(inner.take(), nested.block()),
            None => {}
        }
    }
    json
}

fn doubled(name: &str, may_be_ours: bool) -> Option<String> {
    let is_ours = may_be_ours && ["$handle", "$credential", "$unknown"].contains(&name);
    (name.starts_with('$') && !is_ours).then(|| format!("${name}"))
}

fn has_key(json: &Json, wanted: &dyn Fn(&str) -> bool) -> bool {
    match json {
        Json::Array(items) => items.iter().any(|item| has_key(item, wanted)),
        Json::Object(members) => members.iter().any(|(name, value)| wanted(name) || has_key(value, wanted)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
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
