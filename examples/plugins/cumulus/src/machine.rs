//! `machine "cumulus"`: a machine of the cloud's, which comes with an engine.
//!
//! It is ordered under a tag that names its intent: an order whose answer is lost is found again, and nothing is bought twice.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use bimetal_provider::{
    Create, Deletion, Deserialize, Diagnostic, Handle, Json, Outcome, Resource, Result, Role, Schema, Serialize, json,
};

use crate::Cumulus;
use crate::api::{AGAIN_MS, Answer, deletion, outcome};
use crate::engine;
use crate::sizes::Size;

/// A machine that runs containers.
#[derive(Clone, Schema, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// Small letters, digits and `-`; no two machines have the same
    name: String,
    /// `small`; `cumulus_sizes` has them all
    #[attr(force_new)]
    size: String,
    /// For placement
    labels: Option<BTreeMap<String, String>>,
    /// What the cloud knows it by
    #[attr(read_only, never_null)]
    id: Option<String>,
    /// As its size says: `linux/amd64`
    #[attr(read_only)]
    platform: Option<String>,
    /// Processors
    #[attr(read_only)]
    cpus: Option<u64>,
    /// In bytes
    #[attr(read_only)]
    memory: Option<u64>,
    /// Where its containers are reached
    #[attr(read_only)]
    address: Option<String>,
    /// For what runs on it
    #[attr(read_only)]
    engine: Option<Handle>,
}

impl Machine {
    /// As asked for, with what the cloud adds. One that still boots has neither address nor engine.
    fn told(self, document: &Json) -> Result<Machine> {
        let text = |name: &str| document[name].as_str().map(str::to_owned);
        Ok(Machine {
            id: text("id"),
            platform: text("platform"),
            cpus: document["cpus"].as_u64(),
            memory: document["memory"].as_u64(),
            address: text("address"),
            engine: document["engine"].as_str().map(engine::handle).transpose()?,
            ..self
        })
    }

    /// As it is now. Somebody may have renamed it: the plan shows that as a difference.
    fn seen(self, document: &Json) -> Result<Machine> {
        let name = document["name"].as_str().unwrap_or_default().to_owned();
        Machine { name, ..self }.told(document)
    }

    fn path(&self) -> Result<String> {
        let id = self.id.as_ref().ok_or_else(|| Diagnostic::error("the state does not know the machine's id"))?;
        Ok(format!("machines/{id}"))
    }

    /// One step from nothing to a machine that runs. Idempotent: every step begins with what has the intent's tag.
    fn make(cumulus: &Cumulus, request: Create<Machine>) -> Outcome<Machine> {
        let Create { intent, config, so_far, .. } = request;
        let document = match order(cumulus, &intent, &config) {
            Ok(document) => document,
            Err(failure) => return outcome(Err(failure), so_far),
        };
        let is_running = document["status"] == "running";
        match config.told(&document) {
            Ok(machine) if is_running => Outcome::Done(machine),
            Ok(machine) => Outcome::Retry { after_ms: AGAIN_MS, reason: "booting".to_owned(), so_far: Some(machine) },
            Err(diagnostic) => Outcome::Failed { diagnostics: vec![diagnostic], so_far },
        }
    }
}

fn tag(intent: &str) -> String {
    format!("bimetal:{intent}")
}

fn find(cumulus: &Cumulus, intent: &str) -> Answer<Option<Json>> {
    let found = cumulus.api.list(&format!("machines?tag={}", tag(intent)), "machines")?;
    Ok(found.into_iter().next())
}

/// What there is by that intent; a new machine where there is none.
fn order(cumulus: &Cumulus, intent: &str, config: &Machine) -> Answer<Json> {
    match find(cumulus, intent)? {
        Some(document) => Ok(document),
        None => {
            let body = json!({ "name": config.name, "size": config.size, "tags": [tag(intent)] });
            cumulus.api.post("machines", &body)
        }
    }
}

impl Resource for Machine {
    type Provider = Cumulus;
    const NAME: &'static str = "cumulus_machine";
    const ROLE: Option<Role> = Some(Role::Machine);
    const BATCH: u32 = 10;

    fn validate(&self) -> Vec<Diagnostic> {
        let is_fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_name = (1..=63).contains(&self.name.len()) && self.name.chars().all(is_fine);
        let wrong = || Diagnostic::error(format!("`{}` is no name of a machine", self.name)).at("name");
        let hint = "it has up to 63 small letters, digits and `-`";
        (!is_name).then(|| wrong().hint(hint)).into_iter().collect()
    }

    /// The size says what a machine will be: services can be placed on it before it is there.
    fn discover(cumulus: &Cumulus, config: Machine) -> Result<Json> {
        Size::facts(&cumulus.api, &config.size)
    }

    /// One list tells of all.
    fn read(cumulus: &Cumulus, machines: Vec<Machine>) -> Vec<Result<Option<Machine>>> {
        let all = cumulus.api.list("machines", "machines").map_err(Diagnostic::from);
        let look = |machine: Machine| {
            let all = all.as_ref().map_err(Clone::clone)?;
            let found = all.iter().find(|one| one["id"].as_str() == machine.id.as_deref());
            found.map(|document| machine.seen(document)).transpose()
        };
        machines.into_iter().map(look).collect()
    }

    fn probe(cumulus: &Cumulus, intent: &str, config: Machine) -> Result<Option<Machine>> {
        find(cumulus, intent)?.map(|document| config.told(&document)).transpose()
    }

    fn create(cumulus: &Cumulus, requests: Vec<Create<Machine>>) -> Vec<Outcome<Machine>> {
        requests.into_iter().map(|request| Machine::make(cumulus, request)).collect()
    }

    /// Its name: labels are Bimetal's own, and another size is another machine.
    fn update(cumulus: &Cumulus, prior: Machine, config: Machine) -> Outcome<Machine> {
        let path = match prior.path() {
            Ok(path) => path,
            Err(diagnostic) => return Outcome::failed(diagnostic),
        };
        match cumulus.api.put(&path, &json!({ "name": config.name })) {
            Ok(document) => config.told(&document).into(),
            Err(failure) => outcome(Err(failure), Some(prior)),
        }
    }

    fn delete(cumulus: &Cumulus, machine: Machine) -> Deletion {
        match machine.path() {
            Ok(path) => deletion(cumulus.api.delete(&path)),
            Err(diagnostic) => Deletion::Failed(vec![diagnostic]),
        }
    }

    fn import(cumulus: &Cumulus, id: &str, config: Machine) -> Result<Machine> {
        let found = cumulus.api.get(&format!("machines/{id}"))?;
        let document = found.ok_or_else(|| Diagnostic::error(format!("there is no machine `{id}`")))?;
        let size = document["size"].as_str().unwrap_or_default().to_owned();
        Machine { size, ..config }.seen(&document)
    }
}
