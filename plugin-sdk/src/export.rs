//! The exports of the contract, for any provider.

use std::cell::RefCell;

use serde_json::{Map, json};

use crate::bindings::bimetal::provider::types;
use crate::dispatch::decode;
use crate::planning::Plan;
use crate::resource::{Provider, Type};
use crate::schema::Schema as _;
use crate::{Diagnostic, dispatch};

pub fn schema<P: Provider>() -> String {
    let managed: Map<_, _> = P::types().iter().map(|ty| (ty.0.name().to_owned(), ty.0.document())).collect();
    let data: Map<_, _> = P::data().iter().map(|ty| (ty.0.name().to_owned(), ty.0.document())).collect();
    let ephemeral: Map<_, _> = P::ephemeral().iter().map(|ty| (ty.0.name().to_owned(), ty.0.document())).collect();
    let functions: Map<_, _> =
        P::functions().iter().map(|function| (function.0.name().to_owned(), function.0.document())).collect();
    let provider = P::Config::block().document();
    let document = json!({
        "provider": provider, "managed": managed, "data": data, "ephemeral": ephemeral, "functions": functions,
    });
    document.to_string()
}

fn managed<P: Provider>(name: &str) -> Result<Type<P>, Vec<types::Diagnostic>> {
    let found = P::types().into_iter().find(|ty| ty.0.name() == name);
    found.ok_or_else(|| vec![Diagnostic::error(format!("there is no type `{name}`")).into()])
}

pub fn validate<P: Provider>(requests: &[types::ValidateRequest]) -> Vec<Vec<types::Diagnostic>> {
    let one = |request: &types::ValidateRequest| match managed::<P>(&request.type_name) {
        Ok(ty) => ty.0.validate(&request.config),
        Err(errors) => errors,
    };
    requests.iter().map(one).collect()
}

pub fn plan<P: Provider>(requests: Vec<types::PlanRequest>) -> Vec<Result<types::Planned, types::Refusal>> {
    requests.into_iter().map(|request| plan_one::<P>(request)).collect()
}

fn plan_one<P: Provider>(request: types::PlanRequest) -> Result<types::Planned, types::Refusal> {
    let ty = managed::<P>(&request.type_name).map_err(types::Refusal::Failed)?;
    let mut plan = Plan::new(ty.0.block(), request)?;
    ty.0.amend(&mut plan)?;
    let (value, replace) = plan.finish();
    let replace = replace.into_iter().map(|name| vec![types::Step::Attribute(name)]).collect();
    Ok(types::Planned { value, replace, private: Vec::new() })
}

pub fn upgrade<P: Provider>(name: &str, version: u64, stored: &str) -> Result<String, Vec<types::Diagnostic>> {
    managed::<P>(name)?.0.upgrade(version, stored)
}

pub fn adopt<P: Provider>(name: &str, source: &types::Foreign) -> Result<types::Object, Vec<types::Diagnostic>> {
    managed::<P>(name)?.0.adopt(source)
}

pub fn call<P: Provider>(name: &str, arguments: &str) -> Result<String, Vec<types::Diagnostic>> {
    match P::functions().into_iter().find(|function| function.0.name() == name) {
        Some(function) => function.0.call(arguments),
        None => Err(vec![Diagnostic::error(format!("there is no function `{name}`")).into()]),
    }
}

/// Tells the host's log why a provider panics: all that the host sees of it is a trap.
pub fn panics_are_logged() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|info| crate::capability::log_error(&info.to_string()))));
}

/// The provider of this instance, once it is configured.
pub struct Slot<P>(RefCell<Option<P>>);

impl<P: Provider> Slot<P> {
    pub const fn new() -> Self {
        Slot(RefCell::new(None))
    }

    pub fn configure(&self, config: &str) -> Vec<types::Diagnostic> {
        match decode(config).and_then(P::configure) {
            Ok(provider) => {
                *self.0.borrow_mut() = Some(provider);
                Vec::new()
            }
            Err(error) => vec![error.into()],
        }
    }

    /// Does something with a type and the configured provider.
    fn with<T>(
        &self,
        name: &str,
        act: impl FnOnce(&dyn dispatch::Managed<P>, &P) -> T,
    ) -> Result<T, Vec<types::Diagnostic>> {
        let ty = managed::<P>(name)?;
        let provider = self.0.borrow();
        match &*provider {
            Some(provider) => Ok(act(&*ty.0, provider)),
            None => Err(vec![unconfigured().into()]),
        }
    }

    pub fn discover(&self, name: &str, config: &str) -> Result<String, Vec<types::Diagnostic>> {
        self.with(name, |ty, provider| ty.discover(provider, config))?
    }

    pub fn read(&self, name: &str, objects: &[types::Object]) -> Vec<Result<Option<types::Object>, types::Refusal>> {
        let failed = |errors: Vec<_>| objects.iter().map(|_| Err(types::Refusal::Failed(errors.clone()))).collect();
        self.with(name, |ty, provider| ty.read(provider, objects)).unwrap_or_else(failed)
    }

    pub fn probe(
        &self,
        name: &str,
        intents: &[types::Intent],
    ) -> Vec<Result<Option<types::Object>, Vec<types::Diagnostic>>> {
        self.with(name, |ty, provider| ty.probe(provider, intents))
            .unwrap_or_else(|errors| intents.iter().map(|_| Err(errors.clone())).collect())
    }

    pub fn read_data(&self, name: &str, config: &str) -> Result<String, types::Refusal> {
        let found = P::data().into_iter().find(|ty| ty.0.name() == name);
        let provider = self.0.borrow();
        match (found, &*provider) {
            (Some(ty), Some(provider)) => ty.0.read(provider, config),
            (None, _) => Err(Diagnostic::error(format!("there is no data source `{name}`")).into()),
            (_, None) => Err(unconfigured().into()),
        }
    }

    /// Does something with an ephemeral type and the configured provider.
    fn lending<T>(&self, name: &str, act: impl FnOnce(&dyn dispatch::Lending<P>, &P) -> T) -> crate::Result<T> {
        let found = P::ephemeral().into_iter().find(|ty| ty.0.name() == name);
        let provider = self.0.borrow();
        match (found, &*provider) {
            (Some(ty), Some(provider)) => Ok(act(&*ty.0, provider)),
            (None, _) => Err(Diagnostic::error(format!("there is no ephemeral type `{name}`"))),
            (_, None) => Err(unconfigured()),
        }
    }

    pub fn open(&self, name: &str, config: &str) -> Result<types::Opened, types::Refusal> {
        self.lending(name, |ty, provider| ty.open(provider, config))?
    }

    pub fn renew(&self, name: &str, private: Vec<u8>) -> Result<types::Renewed, Vec<types::Diagnostic>> {
        self.lending(name, |ty, provider| ty.renew(provider, private)).map_err(|error| vec![error.into()])?
    }

    pub fn close(&self, name: &str, private: Vec<u8>) -> Vec<types::Diagnostic> {
        self.lending(name, |ty, provider| ty.close(provider, private)).unwrap_or_else(|error| vec![error.into()])
    }

    pub fn import(&self, name: &str, id: &str, config: &str) -> Result<types::Object, Vec<types::Diagnostic>> {
        self.with(name, |ty, provider| ty.import(provider, id, config))?
    }

    pub fn create(&self, name: &str, requests: &[types::CreateRequest]) -> Vec<types::Outcome> {
        let failed = |diagnostics: &Vec<types::Diagnostic>| {
            types::Outcome::Failed(types::Failure { diagnostics: diagnostics.clone(), so_far: None })
        };
        self.with(name, |ty, provider| ty.create(provider, requests))
            .unwrap_or_else(|errors| requests.iter().map(|_| failed(&errors)).collect())
    }

    pub fn update(&self, name: &str, request: &types::UpdateRequest) -> types::Outcome {
        let updated = self.with(name, |ty, provider| ty.update(provider, request));
        updated.unwrap_or_else(|diagnostics| types::Outcome::Failed(types::Failure { diagnostics, so_far: None }))
    }

    pub fn delete(&self, name: &str, object: &types::Object) -> types::Deletion {
        self.with(name, |ty, provider| ty.delete(provider, object)).unwrap_or_else(types::Deletion::Failed)
    }
}

fn unconfigured() -> Diagnostic {
    Diagnostic::error("the host did not configure the provider")
}

impl<P: Provider> Default for Slot<P> {
    fn default() -> Self {
        Slot::new()
    }
}

/// Makes a provider of a type that implements [`Provider`](crate::Provider), with the manifest in the given file.
#[macro_export]
macro_rules! export_provider {
    ($provider:ty, $manifest:literal) => {
        #[cfg(target_family = "wasm")]
        #[allow(unsafe_code)]
        mod exported {
            use super::*;
            use $crate::bindings::bimetal::provider::types;
            use $crate::bindings::exports::bimetal::provider::{describe, lend, look, operate, predict};

            const TEXT: &[u8] = include_bytes!($manifest);

            #[used]
            #[unsafe(link_section = "bimetal:manifest")]
            static MANIFEST: [u8; TEXT.len()] = {
                let mut bytes = [0; TEXT.len()];
                let mut at = 0;
                while at < TEXT.len() {
                    bytes[at] = TEXT[at];
                    at += 1;
                }
                bytes
            };

            thread_local! {
                static SLOT: $crate::export::Slot<$provider> = const { $crate::export::Slot::new() };
            }

            struct Exported;

            impl describe::Guest for Exported {
                fn schema() -> String {
                    $crate::export::panics_are_logged();
                    $crate::export::schema::<$provider>()
                }
            }

            impl predict::Guest for Exported {
                fn validate(requests: Vec<types::ValidateRequest>) -> Vec<Vec<types::Diagnostic>> {
                    $crate::export::panics_are_logged();
                    $crate::export::validate::<$provider>(&requests)
                }
                fn plan(requests: Vec<types::PlanRequest>) -> Vec<::std::result::Result<types::Planned, types::Refusal>> {
                    $crate::export::panics_are_logged();
                    $crate::export::plan::<$provider>(requests)
                }
                fn upgrade(name: String, version: u64, stored: String) -> ::std::result::Result<String, Vec<types::Diagnostic>> {
                    $crate::export::panics_are_logged();
                    $crate::export::upgrade::<$provider>(&name, version, &stored)
                }
                fn adopt(name: String, source: types::Foreign) -> ::std::result::Result<types::Object, Vec<types::Diagnostic>> {
                    $crate::export::panics_are_logged();
                    $crate::export::adopt::<$provider>(&name, &source)
                }
                fn call(name: String, arguments: String) -> ::std::result::Result<String, Vec<types::Diagnostic>> {
                    $crate::export::panics_are_logged();
                    $crate::export::call::<$provider>(&name, &arguments)
                }
            }

            impl look::Guest for Exported {
                fn configure(config: String) -> Vec<types::Diagnostic> {
                    $crate::export::panics_are_logged();
                    SLOT.with(|slot| slot.configure(&config))
                }
                fn discover(name: String, config: String) -> ::std::result::Result<String, Vec<types::Diagnostic>> {
                    SLOT.with(|slot| slot.discover(&name, &config))
                }
                fn read(name: String, objects: Vec<types::Object>) -> Vec<::std::result::Result<Option<types::Object>, types::Refusal>> {
                    SLOT.with(|slot| slot.read(&name, &objects))
                }
                fn probe(name: String, intents: Vec<types::Intent>) -> Vec<::std::result::Result<Option<types::Object>, Vec<types::Diagnostic>>> {
                    SLOT.with(|slot| slot.probe(&name, &intents))
                }
                fn read_data(name: String, config: String) -> ::std::result::Result<String, types::Refusal> {
                    SLOT.with(|slot| slot.read_data(&name, &config))
                }
                fn import(name: String, id: String, config: String) -> ::std::result::Result<types::Object, Vec<types::Diagnostic>> {
                    SLOT.with(|slot| slot.import(&name, &id, &config))
                }
            }

            impl lend::Guest for Exported {
                fn open(name: String, config: String) -> ::std::result::Result<types::Opened, types::Refusal> {
                    SLOT.with(|slot| slot.open(&name, &config))
                }
                fn renew(name: String, private: Vec<u8>) -> ::std::result::Result<types::Renewed, Vec<types::Diagnostic>> {
                    SLOT.with(|slot| slot.renew(&name, private))
                }
                fn close(name: String, private: Vec<u8>) -> Vec<types::Diagnostic> {
                    SLOT.with(|slot| slot.close(&name, private))
                }
            }

            impl operate::Guest for Exported {
                fn create(name: String, requests: Vec<types::CreateRequest>) -> Vec<types::Outcome> {
                    SLOT.with(|slot| slot.create(&name, &requests))
                }
                fn update(name: String, request: types::UpdateRequest) -> types::Outcome {
                    SLOT.with(|slot| slot.update(&name, &request))
                }
                fn delete(name: String, object: types::Object) -> types::Deletion {
                    SLOT.with(|slot| slot.delete(&name, &object))
                }
            }

            $crate::bindings::export!(Exported with_types_in $crate::bindings);
        }
    };
}
