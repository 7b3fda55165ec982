//! A provider that misbehaves on request: the name of a type says how.
//!
//! Written against the bare contract, as a provider in another language would be. Built for `wasm32-wasip2` by the host's tests;
//! elsewhere there is nothing in it.

#![cfg(target_family = "wasm")]

mod behaviour;
mod schema;

#[allow(missing_docs, unsafe_code, unreachable_pub, clippy::all)]
mod bindings {
    use super::Guest;

    wit_bindgen::generate!({ path: "../../plugin-sdk/wit/0.1.0", world: "provider" });
    export!(Guest);
}

use bindings::bimetal::provider::types::{
    CreateRequest, Deletion, Diagnostic, Foreign, Intent, Object, Opened, Outcome, PlanRequest, Planned, Refusal,
    Renewed, UpdateRequest, ValidateRequest,
};
use bindings::exports::bimetal::provider::{describe, lend, look, operate, predict};

/// Where the manifest is found without running anything.
#[allow(unsafe_code)]
#[unsafe(link_section = "bimetal:manifest")]
#[used]
static MANIFEST: [u8; include_bytes!("manifest.json").len()] = *include_bytes!("manifest.json");

struct Guest;

impl describe::Guest for Guest {
    fn schema() -> String {
        schema::document()
    }
}

impl predict::Guest for Guest {
    fn validate(requests: Vec<ValidateRequest>) -> Vec<Vec<Diagnostic>> {
        let one = |request: ValidateRequest| {
            behaviour::harm(&request.type_name);
            behaviour::validate(&request.type_name)
        };
        requests.into_iter().map(one).collect()
    }

    fn plan(requests: Vec<PlanRequest>) -> Vec<Result<Planned, Refusal>> {
        if requests.iter().any(|request| request.type_name == "dishonest") {
            return Vec::new();
        }
        requests.into_iter().map(behaviour::plan).collect()
    }

    fn upgrade(type_name: String, _: u64, stored: String) -> Result<String, Vec<Diagnostic>> {
        behaviour::harm(&type_name);
        Ok(stored)
    }

    fn adopt(type_name: String, source: Foreign) -> Result<Object, Vec<Diagnostic>> {
        behaviour::harm(&type_name);
        behaviour::adopt(&source)
    }

    fn call(function: String, arguments: String) -> Result<String, Vec<Diagnostic>> {
        behaviour::harm(&function);
        behaviour::call(&function, arguments)
    }
}

impl look::Guest for Guest {
    fn configure(config: String) -> Vec<Diagnostic> {
        behaviour::remember(config);
        Vec::new()
    }

    fn discover(type_name: String, _: String) -> Result<String, Vec<Diagnostic>> {
        behaviour::harm(&type_name);
        Ok(r#"{"platform":"linux/arm/v7"}"#.to_owned())
    }

    fn read(type_name: String, objects: Vec<Object>) -> Vec<Result<Option<Object>, Refusal>> {
        objects.into_iter().map(|object| behaviour::read(&type_name, object)).collect()
    }

    fn probe(type_name: String, intents: Vec<Intent>) -> Vec<Result<Option<Object>, Vec<Diagnostic>>> {
        behaviour::harm(&type_name);
        intents.into_iter().map(|_| Ok(None)).collect()
    }

    fn read_data(type_name: String, config: String) -> Result<String, Refusal> {
        behaviour::harm(&type_name);
        Ok(config)
    }

    fn import(_: String, _: String, _: String) -> Result<Object, Vec<Diagnostic>> {
        Err(Vec::new())
    }
}

impl lend::Guest for Guest {
    fn open(type_name: String, config: String) -> Result<Opened, Refusal> {
        behaviour::harm(&type_name);
        behaviour::open(&type_name, &config)
    }

    fn renew(_: String, private: Vec<u8>) -> Result<Renewed, Vec<Diagnostic>> {
        Ok(Renewed { private: [private, vec![1]].concat(), renew_after_ms: None })
    }

    fn close(type_name: String, _: Vec<u8>) -> Vec<Diagnostic> {
        behaviour::harm(&type_name);
        behaviour::close(&type_name)
    }
}

impl operate::Guest for Guest {
    fn create(type_name: String, requests: Vec<CreateRequest>) -> Vec<Outcome> {
        let one = |(index, request)| behaviour::create(&type_name, index, request);
        (0..).zip(requests).map(one).collect()
    }

    fn update(type_name: String, request: UpdateRequest) -> Outcome {
        behaviour::harm(&type_name);
        Outcome::Done(Object { value: behaviour::settle(&request.planned, "id"), private: Vec::new() })
    }

    fn delete(type_name: String, _: Object) -> Deletion {
        behaviour::harm(&type_name);
        Deletion::Done
    }
}
