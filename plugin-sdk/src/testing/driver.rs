//! A provider, called as the engine calls it.

use serde_json::{Map, Value as Json, json};

use super::World;
use crate::bindings::bimetal::provider::types;
use crate::export::{self, Slot};
use crate::resource::{Lease, Provider};

/// A configured provider in a world. What it answers is JSON; what is wrong is text, one `summary` a line.
pub struct Driver<P> {
    world: World,
    slot: Slot<P>,
    schema: Json,
}

/// What a plan says.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The object as it will be.
    pub value: Json,
    /// What of it makes a new object necessary.
    pub replace: Vec<String>,
}

type Answer<T> = Result<T, String>;

impl<P: Provider> Driver<P> {
    /// Configures the provider. Arguments that are left out are `null`, here and everywhere.
    pub fn new(world: World, config: &Json) -> Answer<Self> {
        let schema: Json = export::schema::<P>().parse().map_err(|error| format!("the schema is no JSON: {error}"))?;
        let driver = Driver { world, slot: Slot::new(), schema };
        let config = complete(&driver.schema["provider"], config.clone());
        match driver.world.enter(|| driver.slot.configure(&config.to_string())) {
            wrong if has_errors(&wrong) => Err(text(&wrong)),
            _ => Ok(driver),
        }
    }

    /// What `schema` answers.
    pub fn schema(&self) -> &Json {
        &self.schema
    }

    /// What is wrong with a configuration, as `path: summary`.
    pub fn validate(&self, ty: &str, config: &Json) -> Vec<String> {
        let config = self.complete(ty, config).to_string();
        let request = types::ValidateRequest { type_name: ty.to_owned(), config };
        export::validate::<P>(&[request]).iter().flatten().map(line).collect()
    }

    /// What an object will be. The proposal is made as the engine makes it.
    pub fn plan(&self, ty: &str, prior: Option<&Json>, config: &Json) -> Answer<Planned> {
        let config = self.complete(ty, config);
        let mut proposed = propose(&self.schema["managed"][ty], &config, prior);
        without_write_only(&self.schema["managed"][ty], &mut proposed);
        let request = types::PlanRequest {
            type_name: ty.to_owned(),
            prior: prior.map(object),
            config: config.to_string(),
            proposed: proposed.to_string(),
        };
        let planned = export::plan::<P>(vec![request])
            .pop()
            .unwrap_or(Err(types::Refusal::Failed(Vec::new())))
            .map_err(refused)?;
        Ok(Planned { value: parsed(&planned.value), replace: planned.replace.iter().map(|path| place(path)).collect() })
    }

    /// What an older version stored, as this one would have.
    pub fn upgrade(&self, ty: &str, version: u64, stored: &Json) -> Answer<Json> {
        export::upgrade::<P>(ty, version, &stored.to_string()).map(|value| parsed(&value)).map_err(|wrong| text(&wrong))
    }

    /// What a function gives for its arguments, an object of its parameters.
    pub fn call(&self, function: &str, arguments: &Json) -> Answer<Json> {
        let mut arguments = arguments.clone();
        for parameter in self.schema["functions"][function]["parameters"].as_array().into_iter().flatten() {
            if let Some(name) = parameter["name"].as_str().filter(|name| arguments.get(name).is_none()) {
                arguments[name] = Json::Null;
            }
        }
        export::call::<P>(function, &arguments.to_string()).map(|value| parsed(&value)).map_err(|wrong| text(&wrong))
    }

    /// Makes an object, calling again as long as the provider says so.
    pub fn create(&self, ty: &str, intent: &str, config: &Json) -> Answer<Json> {
        let config = self.complete(ty, config).to_string();
        let mut so_far = None;
        let planned = self.planned(ty, &config);
        for _ in 0..1000 {
            let request = types::CreateRequest {
                intent: intent.to_owned(),
                config: config.clone(),
                planned: planned.clone(),
                private: Vec::new(),
                so_far: so_far.take(),
            };
            let mut outcomes = self.world.enter(|| self.slot.create(ty, &[request]));
            match ended(outcomes.pop()) {
                Ended::Done(value) => return value,
                Ended::Again(object) => so_far = object,
            }
        }
        Err("it is never done".to_owned())
    }

    /// Changes an object, calling again as long as the provider says so.
    pub fn update(&self, ty: &str, prior: &Json, config: &Json) -> Answer<Json> {
        let config = self.complete(ty, config).to_string();
        let planned = self.planned(ty, &config);
        let mut prior = object(prior);
        for _ in 0..1000 {
            let request = types::UpdateRequest {
                prior: prior.clone(),
                config: config.clone(),
                planned: planned.clone(),
                private: Vec::new(),
            };
            match ended(Some(self.world.enter(|| self.slot.update(ty, &request)))) {
                Ended::Done(value) => return value,
                Ended::Again(object) => prior = object.unwrap_or(prior),
            }
        }
        Err("it is never done".to_owned())
    }

    /// What became of objects, in one call; `None` for what is gone.
    pub fn read(&self, ty: &str, objects: &[Json]) -> Vec<Answer<Option<Json>>> {
        let objects: Vec<_> = objects.iter().map(object).collect();
        let seen = |answer: Result<Option<types::Object>, types::Refusal>| {
            answer.map(|found| found.map(|object| parsed(&object.value))).map_err(refused)
        };
        self.world.enter(|| self.slot.read(ty, &objects)).into_iter().map(seen).collect()
    }

    /// What carries an intent.
    pub fn probe(&self, ty: &str, intent: &str, config: &Json) -> Answer<Option<Json>> {
        let mut config = self.complete(ty, config);
        without_write_only(&self.schema["managed"][ty], &mut config);
        let intent = types::Intent { id: intent.to_owned(), config: config.to_string() };
        let mut answers = self.world.enter(|| self.slot.probe(ty, &[intent]));
        answers.pop().map_or(Ok(None), found)
    }

    /// Removes an object.
    pub fn delete(&self, ty: &str, value: &Json) -> Answer<()> {
        for _ in 0..1000 {
            match self.world.enter(|| self.slot.delete(ty, &object(value))) {
                types::Deletion::Done => return Ok(()),
                types::Deletion::Retry(_) => {}
                types::Deletion::Failed(wrong) => return Err(text(&wrong)),
            }
        }
        Err("it is never gone".to_owned())
    }

    /// The facts of a machine.
    pub fn discover(&self, ty: &str, config: &Json) -> Answer<Json> {
        let config = self.complete(ty, config).to_string();
        self.world.enter(|| self.slot.discover(ty, &config)).map(|facts| parsed(&facts)).map_err(|wrong| text(&wrong))
    }

    /// What a data source answers.
    pub fn read_data(&self, ty: &str, config: &Json) -> Answer<Json> {
        let config = complete(&self.schema["data"][ty], config.clone()).to_string();
        self.world.enter(|| self.slot.read_data(ty, &config)).map(|value| parsed(&value)).map_err(refused)
    }

    /// Something ephemeral: its value, and what it is renewed and closed with.
    pub fn open(&self, ty: &str, config: &Json) -> Answer<(Json, Lease)> {
        let config = complete(&self.schema["ephemeral"][ty], config.clone()).to_string();
        let opened = self.world.enter(|| self.slot.open(ty, &config)).map_err(refused)?;
        Ok((parsed(&opened.value), Lease { private: opened.private, renew_after_ms: opened.renew_after_ms }))
    }

    /// Lets something ephemeral last longer.
    pub fn renew(&self, ty: &str, lease: &Lease) -> Answer<Lease> {
        let renewed = self.world.enter(|| self.slot.renew(ty, lease.private.clone())).map_err(|wrong| text(&wrong))?;
        Ok(Lease { private: renewed.private, renew_after_ms: renewed.renew_after_ms })
    }

    /// Gives something ephemeral up.
    pub fn close(&self, ty: &str, lease: &Lease) -> Answer<()> {
        let wrong = self.world.enter(|| self.slot.close(ty, lease.private.clone()));
        if wrong.is_empty() { Ok(()) } else { Err(text(&wrong)) }
    }

    /// An object of another type, as one of this.
    pub fn adopt(&self, ty: &str, (provider, from): (&str, &str), version: u64, stored: &Json) -> Answer<Json> {
        let (provider, type_name) = (provider.to_owned(), from.to_owned());
        let source = types::Foreign { provider, type_name, version, object: object(stored) };
        export::adopt::<P>(ty, &source).map(|object| parsed(&object.value)).map_err(|wrong| text(&wrong))
    }

    /// An object by its id.
    pub fn import(&self, ty: &str, id: &str, config: &Json) -> Answer<Json> {
        let imported = self.world.enter(|| self.slot.import(ty, id, &self.complete(ty, config).to_string()));
        imported.map(|object| parsed(&object.value)).map_err(|wrong| text(&wrong))
    }

    fn complete(&self, ty: &str, config: &Json) -> Json {
        complete(&self.schema["managed"][ty], config.clone())
    }

    fn planned(&self, ty: &str, config: &str) -> String {
        let mut planned = parsed(config);
        without_write_only(&self.schema["managed"][ty], &mut planned);
        planned.to_string()
    }
}

enum Ended {
    Done(Answer<Json>),
    Again(Option<types::Object>),
}

fn ended(outcome: Option<types::Outcome>) -> Ended {
    match outcome {
        Some(types::Outcome::Done(object)) => Ended::Done(Ok(parsed(&object.value))),
        Some(types::Outcome::Retry(retry)) => Ended::Again(retry.so_far),
        Some(types::Outcome::Failed(failure)) => Ended::Done(Err(text(&failure.diagnostics))),
        None => Ended::Done(Err("there is no answer".to_owned())),
    }
}

fn object(value: &Json) -> types::Object {
    types::Object { value: value.to_string(), private: Vec::new() }
}

fn found(answer: Result<Option<types::Object>, Vec<types::Diagnostic>>) -> Answer<Option<Json>> {
    answer.map(|found| found.map(|object| parsed(&object.value))).map_err(|wrong| text(&wrong))
}

/// What is put off begins with `deferred: `.
fn refused(refusal: types::Refusal) -> String {
    match refusal {
        types::Refusal::Failed(wrong) => text(&wrong),
        types::Refusal::Deferred(reason) => format!("deferred: {reason}"),
    }
}

fn parsed(text: &str) -> Json {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("the provider's answer is no JSON: {error}: {text}"))
}

/// The value with everything that the schema has: `null` and empty lists where nothing was written.
fn complete(schema: &Json, mut value: Json) -> Json {
    let Some(members) = value.as_object_mut() else { return value };
    for name in names(&schema["attributes"]) {
        members.entry(name).or_insert(Json::Null);
    }
    for (name, nested) in entries(&schema["blocks"]) {
        let is_single = nested["single"] == true;
        let inner = members.remove(name).unwrap_or_else(|| if is_single { Json::Null } else { json!([]) });
        let inner = match inner {
            Json::Array(items) => Json::Array(items.into_iter().map(|item| complete(nested, item)).collect()),
            inner => complete(nested, inner),
        };
        members.insert(name.clone(), inner);
    }
    value
}

/// The configuration, with the prior value of each computed attribute that it does not set.
fn propose(schema: &Json, config: &Json, prior: Option<&Json>) -> Json {
    let (mut proposed, Some(prior)) = (config.clone(), prior) else { return config.clone() };
    for (name, attribute) in entries(&schema["attributes"]) {
        if attribute["computed"] == true && config[name].is_null() {
            proposed[name] = prior[name].clone();
        }
    }
    for (name, nested) in entries(&schema["blocks"]) {
        proposed[name] = match (&config[name], &prior[name]) {
            (Json::Array(items), Json::Array(priors)) => {
                let item = |(place, item)| propose(nested, item, priors.get(place));
                Json::Array(items.iter().enumerate().map(item).collect())
            }
            (Json::Object(_), Json::Object(_)) => propose(nested, &config[name], Some(&prior[name])),
            (config, _) => config.clone(),
        };
    }
    proposed
}

/// The value as it is where what is write-only must not be.
fn without_write_only(schema: &Json, value: &mut Json) {
    if let Json::Array(items) = value {
        return items.iter_mut().for_each(|item| without_write_only(schema, item));
    }
    let Some(members) = value.as_object_mut() else { return };
    for (name, _) in entries(&schema["attributes"]).filter(|(_, attribute)| attribute["write-only"] == true) {
        members.insert(name.clone(), Json::Null);
    }
    for (name, nested) in entries(&schema["blocks"]) {
        members.get_mut(name).into_iter().for_each(|inner| without_write_only(nested, inner));
    }
}

fn entries(json: &Json) -> impl Iterator<Item = (&String, &Json)> {
    json.as_object().into_iter().flat_map(Map::iter)
}

fn names(json: &Json) -> Vec<String> {
    entries(json).map(|(name, _)| name.clone()).collect()
}

fn has_errors(diagnostics: &[types::Diagnostic]) -> bool {
    diagnostics.iter().any(|diagnostic| diagnostic.severity == types::Severity::Error)
}

fn text(diagnostics: &[types::Diagnostic]) -> String {
    diagnostics.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn line(diagnostic: &types::Diagnostic) -> String {
    match diagnostic.path.is_empty() {
        true => diagnostic.summary.clone(),
        false => format!("{}: {}", place(&diagnostic.path), diagnostic.summary),
    }
}

fn place(path: &[types::Step]) -> String {
    let mut place = String::new();
    for step in path {
        match step {
            types::Step::Attribute(name) if place.is_empty() => place.push_str(name),
            types::Step::Attribute(name) => place += &format!(".{name}"),
            types::Step::Index(index) => place += &format!("[{index}]"),
            types::Step::Key(key) => place += &format!("[{key:?}]"),
        }
    }
    place
}
