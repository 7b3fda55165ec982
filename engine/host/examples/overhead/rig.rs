//! A host with the component, and the objects that it is asked about.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use bimetal_host::certificates::Keep;
use bimetal_host::fault::Fault;
use bimetal_host::{Host, HostOptions, Origin, Registries};
use bimetal_model::json::{Marks, encode};
use bimetal_model::snapshot::Object;
use bimetal_model::{Address, BlockKind, ProviderKey, ProviderName, Value};

use crate::crowd::Waiting;

/// Of the objects, in bytes of JSON; about.
pub(crate) const SIZES: [usize; 2] = [1_000, 20_000];
/// The type that is asked about.
pub(crate) const TYPE: &str = "memory_record";
/// Of a key and of a value, together.
const FIELD: usize = 50;

pub(crate) struct Rig {
    pub(crate) host: Arc<Host>,
    pub(crate) waiting: Arc<Waiting>,
    /// Compiled code is there for one run alone: how long compiling takes is measured elsewhere.
    _cache: tempfile::TempDir,
}

/// The provider makes no certificates.
struct NoAuthorities;

#[async_trait]
impl Keep for NoAuthorities {
    async fn secret(&self, _: &str) -> Result<Option<Vec<u8>>, Fault> {
        Ok(None)
    }

    async fn keep_secret(&self, _: &str, secret: &[u8]) -> Result<Vec<u8>, Fault> {
        Ok(secret.to_vec())
    }
}

impl Rig {
    pub(crate) fn new(component: &Path) -> Rig {
        let cache = tempfile::tempdir().expect("a folder can be made");
        let waiting = Arc::new(Waiting::default());
        let host = Host::new(HostOptions {
            cache_dir: cache.path().to_owned(),
            root: cache.path().to_owned(),
            notify: waiting.clone(),
            keep: Arc::new(NoAuthorities),
            registries: Registries::default(),
            recording: None,
        });
        let host = host.unwrap_or_else(|error| panic!("{error:?}"));
        let wasm = std::fs::read(component).unwrap_or_else(|error| panic!("{}: {error}", component.display()));
        let added = host.add_provider(key().name, wasm.into(), Origin::File(component.to_owned()));
        added.unwrap_or_else(|error| panic!("{error:?}"));
        Rig { host: Arc::new(host), waiting, _cache: cache }
    }
}

pub(crate) fn key() -> ProviderKey {
    ProviderKey::default_of("memory")
}

pub(crate) fn name() -> ProviderName {
    key().name
}

pub(crate) fn address(name: &str) -> Address {
    Address::new(BlockKind::Resource, TYPE, name)
}

/// An object of about so many bytes, as many fields as one of that size has. A pause is waited for by each look.
pub(crate) fn record(id: &str, bytes: usize, pause_ms: Option<u64>) -> Value {
    // Quotes, colon and comma are of the size, too.
    let field = |at: usize| (format!("field_{at:04}"), Value::from("v".repeat(FIELD - 16)));
    let fields: Value = (0..bytes / FIELD).map(field).collect();
    let members = [
        ("fields", bimetal_model::convert::convert(fields, &map()).expect("texts are texts")),
        ("id", Value::from(id)),
        ("pause_ms", pause_ms.map_or(Value::NULL, Value::from)),
    ];
    members.into_iter().collect()
}

/// As JSON has it.
pub(crate) fn size(value: &Value) -> usize {
    encode(value, Marks::Drop).to_string().len()
}

pub(crate) fn object(value: &Value) -> Object {
    Object { value: value.clone(), private: Vec::new() }
}

fn map() -> bimetal_model::Type {
    bimetal_model::Type::Map(Box::new(bimetal_model::Type::String))
}
