//! `docker_network`

use std::collections::BTreeMap;

use bimetal_provider::capability::docker::Engine;
use bimetal_provider::{
    Code, Create, Deletion, Deserialize, Diagnostic, Handle, Outcome, Plan, Resource, Result, Schema, Serialize, json,
};

use crate::Docker;
use crate::access::stay;
use crate::import::{imported, missing, text, texts};
use crate::name;
use crate::stamp::{INTENT, taken};

/// A network of an engine's.
#[derive(Schema, Serialize, Deserialize)]
pub(crate) struct Network {
    #[attr(force_new)]
    engine: Handle,
    #[attr(force_new, unique_name)]
    name: String,
    /// `bridge` unless said
    #[attr(force_new)]
    driver: Option<String>,
    #[attr(force_new)]
    labels: Option<BTreeMap<String, String>>,
    #[attr(force_new)]
    options: Option<BTreeMap<String, String>>,
    /// Without a way out
    #[attr(force_new)]
    internal: Option<bool>,
    #[attr(read_only, never_null)]
    id: Option<String>,
}

impl Network {
    fn make(self, intent: &str) -> Result<Self> {
        let engine = Engine::new(&self.engine);
        if let Some(id) = find(&engine, intent)? {
            return Ok(Network { id: Some(id), ..self });
        }
        let mut labels = self.labels.clone().unwrap_or_default();
        labels.insert(INTENT.to_owned(), intent.to_owned());
        let created = engine.create_network(&json!({
            "Name": self.name,
            "Driver": self.driver.as_deref().unwrap_or("bridge"),
            "Labels": labels,
            "Options": self.options.clone().unwrap_or_default(),
            "Internal": self.internal.unwrap_or(false),
            "CheckDuplicate": true,
        }));
        let id = created.map_err(|fault| match fault.code {
            Code::Conflict => taken("network", &self.name),
            _ => fault.into(),
        })?;
        Ok(Network { id: Some(id), ..self })
    }
}

fn find(engine: &Engine, intent: &str) -> Result<Option<String>> {
    let found = engine.networks(&json!({ "label": [format!("{INTENT}={intent}")] }))?;
    Ok(found.first().and_then(|network| network["Id"].as_str().map(str::to_owned)))
}

impl Resource for Network {
    type Provider = Docker;
    const NAME: &'static str = "docker_network";

    fn validate(&self) -> Vec<Diagnostic> {
        Vec::from_iter(name::check_network(&self.name))
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        stay(plan);
        Ok(())
    }

    fn read(_: &Docker, objects: Vec<Self>) -> Vec<Result<Option<Self>>> {
        let look = |object: Network| {
            let id = object.id.clone().unwrap_or_else(|| object.name.clone());
            Ok(Engine::new(&object.engine).inspect_network(&id)?.map(|_| object))
        };
        objects.into_iter().map(look).collect()
    }

    fn probe(_: &Docker, intent: &str, config: Self) -> Result<Option<Self>> {
        let id = find(&Engine::new(&config.engine), intent)?;
        Ok(id.map(|id| Network { id: Some(id), ..config }))
    }

    fn create(_: &Docker, requests: Vec<Create<Self>>) -> Vec<Outcome<Self>> {
        requests.into_iter().map(|request| request.config.make(&request.intent).into()).collect()
    }

    fn update(_: &Docker, prior: Self, config: Self) -> Outcome<Self> {
        Outcome::Done(Network { id: prior.id, ..config })
    }

    fn import(_: &Docker, id: &str, config: Self) -> Result<Self> {
        let network = Engine::new(&config.engine).inspect_network(id)?.ok_or_else(|| missing("network", id))?;
        let driver = imported(&config.driver, text(&network["Driver"]), |driver| driver == "bridge");
        let options = imported(&config.options, texts(&network["Options"]), BTreeMap::is_empty);
        let labels = imported(&config.labels, texts(&network["Labels"]), BTreeMap::is_empty);
        let internal = imported(&config.internal, network["Internal"].as_bool(), |internal| !internal);
        let (name, id) = (text(&network["Name"]).unwrap_or_default(), text(&network["Id"]));
        Ok(Network { name, driver, labels, options, internal, id, ..config })
    }

    fn delete(_: &Docker, object: Self) -> Deletion {
        let id = object.id.as_ref().unwrap_or(&object.name);
        Engine::new(&object.engine).remove_network(id).map_err(Diagnostic::from).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Engine;

    #[test]
    fn a_network_is_made_once_for_an_intent() {
        let engine = Engine::default();
        let driver = engine.driver();
        let config = json!({ "engine": engine.handle(), "name": "back", "labels": { "tier": "1" } });
        assert_eq!(driver.probe("docker_network", "i-1", &config), Ok(None));
        let network = driver.create("docker_network", "i-1", &config).unwrap();
        assert_eq!(driver.create("docker_network", "i-1", &config).unwrap(), network);
        assert_eq!(driver.probe("docker_network", "i-1", &config), Ok(Some(network.clone())));
        assert_eq!(network["labels"], json!({ "tier": "1" }));
        let foreign = driver.create("docker_network", "i-2", &config).unwrap_err();
        assert_eq!(foreign, "name: there is a network `back` on this engine already, and it is not this one");
        driver.delete("docker_network", &network).unwrap();
        assert_eq!(driver.read("docker_network", &[network]), [Ok(None)]);
    }
}
