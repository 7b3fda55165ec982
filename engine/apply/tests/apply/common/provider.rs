//! Two providers: `fake`, whose things need nothing, and `far`, whose things are somewhere that its block says.

use std::sync::Arc;

use async_trait::async_trait;
use bimetal_model::image::{ImageIndex, ImageSource};
use bimetal_model::port::{
    CreateRequest, Deletion, Foreign, Lend, Lent, Opened, Operate, Outcome, PlanRequest, Planned, Predict, Refusal,
    UpdateRequest, ValidateRequest,
};
use bimetal_model::schema::{Attribute, Block, ProviderSchema, Role, TypeSchema, Unique};
use bimetal_model::snapshot::{Effect, Intent, IntentId, Object};
use bimetal_model::{Address, Data, Diagnostic, Diagnostics, Path, ProviderKey, ProviderName, Type, Value};

use super::world::{Inner, Thing, Turn, World};

/// How many `fake_many` go into one call.
const BATCH: u32 = 3;

fn block(attributes: &[(&str, Attribute)]) -> Block {
    let attributes = attributes.iter().map(|(name, attribute)| ((*name).to_owned(), attribute.clone())).collect();
    Block { attributes, ..Block::default() }
}

fn thing(batch: u32) -> TypeSchema {
    let forced = |attribute| Attribute { force_new: true, ..attribute };
    let computed = |attribute| Attribute { computed: true, ..attribute };
    let block = block(&[
        ("name", Attribute { unique: Some(Unique::Name), ..forced(Attribute::required(Type::String)) }),
        ("kind", forced(Attribute::optional(Type::String))),
        ("size", Attribute::optional(Type::Number)),
        ("input", Attribute::optional(Type::String)),
        // Made in two calls.
        ("slow", Attribute::optional(Type::Bool)),
        ("zone", computed(Attribute::optional(Type::String))),
        ("id", Attribute::read_only(Type::String)),
        ("engine", Attribute::optional(Type::Handle)),
    ]);
    TypeSchema { version: 3, role: None, batch, adopts: Vec::new(), block }
}

/// A thing that is told what it must not show.
fn vault() -> TypeSchema {
    let mut vault = thing(1);
    let secret = Attribute { write_only: true, ..Attribute::optional(Type::String) };
    vault.block.attributes.insert("password".to_owned(), secret);
    vault
}

/// A thing with an engine that others can be on.
fn machine() -> TypeSchema {
    let TypeSchema { version, batch, mut block, .. } = thing(1);
    let forced = Attribute { force_new: true, ..Attribute::optional(Type::String) };
    block.attributes.insert("platform".to_owned(), forced);
    block.attributes.insert("engine".to_owned(), Attribute::read_only(Type::Handle));
    TypeSchema { version, role: Some(Role::Machine), batch, adopts: Vec::new(), block }
}

fn schema(provider: &str) -> ProviderSchema {
    let endpoint = block(&[("endpoint", Attribute::required(Type::String))]);
    let lookup = block(&[("name", Attribute::required(Type::String)), ("id", Attribute::read_only(Type::String))]);
    let lookup = TypeSchema { version: 0, role: None, batch: 1, adopts: Vec::new(), block: lookup };
    match provider {
        "fake" => ProviderSchema {
            provider: Block::default(),
            managed: [
                ("fake_thing".to_owned(), thing(1)),
                ("fake_many".to_owned(), thing(BATCH)),
                ("fake_machine".to_owned(), machine()),
                ("fake_vault".to_owned(), vault()),
            ]
            .into(),
            ephemeral: [("fake_token".to_owned(), lookup.clone())].into(),
            data: [("fake_lookup".to_owned(), lookup)].into(),
            ..ProviderSchema::default()
        },
        _ => ProviderSchema {
            provider: endpoint,
            managed: [("far_thing".to_owned(), thing(1))].into(),
            ..ProviderSchema::default()
        },
    }
}

impl Predict for World {
    fn providers(&self) -> Vec<ProviderName> {
        ["fake", "far"].map(|name| ProviderName(name.to_owned())).to_vec()
    }

    fn schema(&self, provider: &ProviderName) -> Result<Arc<ProviderSchema>, Diagnostics> {
        Ok(Arc::new(schema(&provider.0)))
    }

    fn validate(&self, _: &ProviderName, requests: &[ValidateRequest]) -> Vec<Diagnostics> {
        requests.iter().map(|_| Vec::new()).collect()
    }

    fn plan(&self, _: &ProviderName, requests: &[PlanRequest]) -> Vec<Result<Planned, Refusal>> {
        requests.iter().map(|request| Ok(self.with(|inner| predicted(inner, request)))).collect()
    }

    fn upgrade(&self, _: &ProviderName, _: &str, _: u64, stored: &Value) -> Result<Value, Diagnostics> {
        Ok(stored.clone())
    }

    fn adopt(&self, _: &ProviderName, _: &str, _: &Foreign) -> Result<Object, Diagnostics> {
        unreachable!("nothing becomes another type here")
    }
}

fn predicted(inner: &Inner, request: &PlanRequest) -> Planned {
    let open = |(name, value): (&String, &Value)| match name.as_str() {
        "zone" | "id" if value.is_null() => (name.clone(), Value::unknown(Type::String)),
        "engine" if value.is_null() && request.ty == "fake_machine" => (name.clone(), Value::unknown(Type::Handle)),
        _ => (name.clone(), value.clone()),
    };
    let whim = inner.whims.get(&request.address).cloned();
    let value = request.proposed.as_members().unwrap().iter().map(open).chain(whim).collect();
    let replace = inner.stubborn.get(&request.address).map(Path::attribute);
    Planned { value, replace: replace.into_iter().collect(), private: Vec::new() }
}

fn failure(reason: impl Into<String>) -> Diagnostics {
    vec![Diagnostic::error(reason)]
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.member(name)?.as_str()
}

/// Who works on an object, until dropped.
struct Busy<'w>(&'w World);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.with(|inner| inner.busy -= 1);
    }
}

impl World {
    async fn work(&self, provider: &ProviderKey) -> Busy<'_> {
        let takes = self.with(|inner| {
            inner.busy += 1;
            inner.peak = inner.peak.max(inner.busy);
            inner.slow.get(&provider.name.0).copied().unwrap_or(inner.takes)
        });
        let busy = Busy(self);
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        busy
    }

    fn hear(&self, address: &Address, config: &Value) {
        if let Some(password) = text(config, "password") {
            self.journal.write(format!("{address} is told {password}"));
        }
    }

    fn turn(&self, address: &Address) -> Option<Turn> {
        self.with(|inner| inner.turns.get_mut(address)?.pop_front())
    }

    fn check_promised(&self, address: &Address, effect: Effect, id: Option<&IntentId>) {
        assert!(self.memory.is_promised(address, effect, id), "{effect:?} of {address} was not promised");
    }

    async fn make(&self, provider: &ProviderKey, ty: &str, request: &CreateRequest) -> Outcome {
        self.check_promised(&request.address, Effect::Create, Some(&request.intent));
        assert!(request.config.is_wholly_known(), "{} is made of something unknown", request.address);
        self.hear(&request.address, &request.config);
        let _busy = self.work(provider).await;
        let turn = self.turn(&request.address);
        match turn {
            Some(Turn::Fail) => return Outcome::Failed { diagnostics: failure("no"), so_far: None },
            Some(Turn::Retry(after_ms)) => return again(after_ms, None),
            Some(Turn::Hang) => std::future::pending().await,
            Some(Turn::RetryHalf(_) | Turn::FailHalf | Turn::Lie) | None => {}
        }
        self.fuse.moment().await;
        let begun = match self.with(|inner| begin(inner, provider, ty, request)) {
            Ok(begun) => begun,
            Err(reason) => return Outcome::Failed { diagnostics: failure(reason), so_far: None },
        };
        self.fuse.moment().await;
        let half = Some(begun.object());
        let is_slow = request.so_far.is_none() && request.config.member("slow") == Some(&Value::from(true));
        match turn {
            Some(Turn::RetryHalf(after_ms)) => return again(after_ms, half),
            Some(Turn::FailHalf) => return Outcome::Failed { diagnostics: failure("half way"), so_far: half },
            _ if is_slow => return again(1000, half),
            _ => {}
        }
        let made = self.with(|inner| end(inner, &begun, &request.planned.value));
        self.fuse.moment().await;
        Outcome::Done(match turn {
            Some(Turn::Lie) => lie(made),
            _ => made,
        })
    }

    async fn alter(&self, provider: &ProviderKey, request: &UpdateRequest) -> Outcome {
        self.check_promised(&request.address, Effect::Update, None);
        assert!(request.config.is_wholly_known(), "{} is changed to something unknown", request.address);
        self.hear(&request.address, &request.config);
        let _busy = self.work(provider).await;
        let turn = self.turn(&request.address);
        match turn {
            Some(Turn::Fail) => return Outcome::Failed { diagnostics: failure("no"), so_far: None },
            Some(Turn::Retry(after_ms)) => return again(after_ms, None),
            Some(Turn::Hang) => std::future::pending().await,
            Some(Turn::RetryHalf(_) | Turn::FailHalf | Turn::Lie) | None => {}
        }
        let id = text(&request.prior.value, "id").unwrap().to_owned();
        let set = |name: &str| {
            let value = request.planned.value.member(name).cloned().unwrap_or(Value::NULL);
            self.with(|inner| {
                assert_eq!(inner.things[&id].endpoint, inner.endpoint(provider), "{id} is somewhere else");
                let thing = inner.things.get_mut(&id).unwrap();
                thing.set(name, value);
                thing.object()
            })
        };
        self.fuse.moment().await;
        let half = Some(set("size"));
        self.fuse.moment().await;
        match turn {
            Some(Turn::RetryHalf(after_ms)) => return again(after_ms, half),
            Some(Turn::FailHalf) => return Outcome::Failed { diagnostics: failure("half way"), so_far: half },
            _ => {}
        }
        set("slow");
        let changed = set("input");
        self.fuse.moment().await;
        Outcome::Done(match turn {
            Some(Turn::Lie) => lie(changed),
            _ => changed,
        })
    }

    async fn take_away(&self, provider: &ProviderKey, address: &Address, object: &Object) -> Deletion {
        self.check_promised(address, Effect::Delete, None);
        let _busy = self.work(provider).await;
        match self.turn(address) {
            Some(Turn::Fail | Turn::FailHalf | Turn::Lie) => return Deletion::Failed(failure("no")),
            Some(Turn::Retry(after_ms) | Turn::RetryHalf(after_ms)) => {
                return Deletion::Retry { after_ms, reason: "it is shutting down".to_owned() };
            }
            Some(Turn::Hang) => std::future::pending().await,
            None => {}
        }
        self.fuse.moment().await;
        let id = text(&object.value, "id").unwrap();
        let gone = self.with(|inner| match (inner.user_of(id), inner.things.get(id)) {
            (Some(user), _) => Err(format!("`{user}` needs it")),
            (None, Some(thing)) if thing.endpoint != inner.endpoint(provider) => Err(format!("{id} is elsewhere")),
            (None, _) => {
                inner.things.remove(id);
                Ok(())
            }
        });
        self.fuse.moment().await;
        gone.map_or_else(|reason| Deletion::Failed(failure(reason)), |()| Deletion::Done)
    }
}

fn again(after_ms: u64, so_far: Option<Object>) -> Outcome {
    Outcome::Retry { after_ms, reason: "it is warming up".to_owned(), so_far }
}

fn lie(object: Object) -> Object {
    let members = object.value.as_members().unwrap().clone();
    let value = members.into_iter().chain([("kind".to_owned(), Value::from("something else"))]).collect();
    Object { value, ..object }
}

/// The first half: it is there, and stamped. What an earlier call of the same creation made is gone on with.
pub(super) fn begin(
    inner: &mut Inner,
    provider: &ProviderKey,
    ty: &str,
    request: &CreateRequest,
) -> Result<Thing, String> {
    let is_it = |thing: &&Thing| thing.intent == request.intent.0;
    if let Some(thing) = inner.things.values().find(is_it) {
        return Ok(thing.clone());
    }
    let (name, endpoint) = (text(&request.config, "name").unwrap(), inner.endpoint(provider));
    if let Some(reason) = inner.refuse(name, text(&request.config, "input"), &endpoint) {
        return Err(reason);
    }
    inner.made += 1;
    let id = format!("id-{}", inner.made);
    let empty = ["kind", "size", "input", "slow", "zone"].map(|name| (name, Value::NULL));
    let value = empty.into_iter().chain([("name", Value::from(name)), ("id", Value::from(id.as_str()))]).collect();
    let thing = Thing { ty: ty.to_owned(), value, intent: request.intent.0.clone(), endpoint, is_whole: false };
    inner.things.insert(id, thing.clone());
    Ok(thing)
}

/// The second half: it is as planned.
fn end(inner: &mut Inner, begun: &Thing, planned: &Value) -> Object {
    let thing = inner.things.get_mut(&begun.text("id")).unwrap();
    for (name, value) in planned.as_members().unwrap() {
        match name.as_str() {
            "id" => {}
            "zone" if value.is_unknown() => thing.set("zone", Value::from("z")),
            "engine" if value.is_unknown() => {
                let handle = format!("{{\"at\":\"{}\"}}", thing.text("name"));
                thing.set("engine", Data::Handle(handle.into()).into());
            }
            _ => thing.set(name, value.clone()),
        }
    }
    thing.is_whole = true;
    thing.object()
}

fn list(addresses: impl Iterator<Item = String>) -> String {
    addresses.collect::<Vec<_>>().join(", ")
}

/// What is lent is called as the one who asks.
#[async_trait]
impl Lend for World {
    async fn open(&self, _: &ProviderKey, _: &str, address: &Address, config: &Value) -> Result<Opened, Refusal> {
        self.journal.write(format!("open {address}"));
        let name = text(config, "name").unwrap();
        if name == "sun" {
            return Err(Refusal::Deferred("the sun is not up".to_owned()));
        }
        let value: Value =
            [("name", Value::from(name)), ("id", Value::from(format!("hush {name}")))].into_iter().collect();
        Ok(Opened { value: value.into_ephemeral(), lent: Lent { private: Vec::new(), renew_after_ms: None } })
    }

    async fn renew(&self, _: &ProviderKey, _: &str, _: &Address, _: Vec<u8>) -> Result<Lent, Diagnostics> {
        unreachable!("it outlasts every run")
    }

    async fn close(&self, _: &ProviderKey, _: &str, _: &Address, _: Vec<u8>) -> Diagnostics {
        unreachable!("whoever began the run closes it")
    }
}

#[async_trait]
impl Operate for World {
    fn configure(&self, provider: &ProviderKey, config: &Value) {
        self.with(|inner| inner.configs.insert(provider.clone(), config.clone()));
    }

    async fn read(
        &self,
        provider: &ProviderKey,
        _: &str,
        objects: &[(Address, Object)],
    ) -> Vec<Result<Option<Object>, Refusal>> {
        self.fuse.moment().await;
        let read = |(address, object): &(Address, Object)| {
            self.with(|inner| {
                if inner.silent.contains(address) {
                    return Err(failure("nobody answers").into());
                }
                let endpoint = inner.endpoint(provider);
                let found = text(&object.value, "id").and_then(|id| inner.things.get(id));
                match found {
                    Some(thing) if thing.endpoint != endpoint => Err(failure("it is elsewhere").into()),
                    found => Ok(found.map(Thing::object)),
                }
            })
        };
        objects.iter().map(read).collect()
    }

    async fn probe(&self, _: &ProviderKey, _: &str, intents: &[Intent]) -> Vec<Result<Option<Object>, Diagnostics>> {
        self.fuse.moment().await;
        let probe = |intent: &Intent| {
            let is_it = |thing: &&Thing| thing.intent == intent.id.0;
            self.with(|inner| match inner.silent.contains(&intent.address) {
                true => Err(failure("nobody answers")),
                false => Ok(inner.things.values().find(is_it).map(Thing::object)),
            })
        };
        intents.iter().map(probe).collect()
    }

    async fn discover(&self, _: &ProviderKey, _: &str, _: &Address, _: &Value) -> Result<Value, Diagnostics> {
        unreachable!("there are no machines")
    }

    async fn read_data(&self, _: &ProviderKey, _: &str, address: &Address, config: &Value) -> Result<Value, Refusal> {
        self.journal.write(format!("read {address}"));
        self.fuse.moment().await;
        let name = text(config, "name").unwrap();
        let id = self
            .with(|inner| inner.things.iter().find(|(_, thing)| thing.text("name") == name).map(|(id, _)| id.clone()));
        if id.is_none() && name == "sun" {
            return Err(Refusal::Deferred("the sun is not up".to_owned()));
        }
        let id = id.ok_or_else(|| failure(format!("there is no `{name}`")))?;
        Ok([("name", Value::from(name)), ("id", Value::from(id))].into_iter().collect())
    }

    async fn import(&self, _: &ProviderKey, _: &str, _: &Address, id: &str, _: &Value) -> Result<Object, Diagnostics> {
        let found = self.with(|inner| inner.things.get(id).map(Thing::object));
        found.ok_or_else(|| failure(format!("there is no thing `{id}`")))
    }

    async fn create(&self, provider: &ProviderKey, ty: &str, requests: Vec<CreateRequest>) -> Vec<Outcome> {
        self.journal.write(format!("create {}", list(requests.iter().map(|request| request.address.to_string()))));
        futures::future::join_all(requests.iter().map(|request| self.make(provider, ty, request))).await
    }

    async fn update(&self, provider: &ProviderKey, _: &str, request: UpdateRequest) -> Outcome {
        self.journal.write(format!("update {}", request.address));
        self.alter(provider, &request).await
    }

    async fn delete(&self, provider: &ProviderKey, _: &str, address: &Address, object: Object) -> Deletion {
        self.journal.write(format!("delete {address}"));
        self.take_away(provider, address, &object).await
    }

    async fn image(&self, _: &ImageSource) -> Result<ImageIndex, Diagnostics> {
        unreachable!("there are no services")
    }

    fn allow_images(&self, _: &[ImageSource]) {}
}
