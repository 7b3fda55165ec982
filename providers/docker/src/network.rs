//! `docker_network`

use std::collections::BTreeMap;

use bimetal_provider::capability::docker::Engine;
use bimetal_provider::{
    Create, Deletion, Deserialize, Diagnostic, Handle, Outcome, Resource, Result, Schema, Serialize, json,
};

use crate::Docker;

/// A network of an engine's.
#[derive(Schema, Serialize, Deserialize)]
pub(crate) struct Network {
    #[attr(force_new)]
    engine: Handle,
    #[attr(force_new)]
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
    #[attr(read_only)]
    id: Option<String>,
}

impl Network {
    fn make(self, intent: &str) -> Result<Self> {
        let engine = Engine::new(&self.engine);
        if let Some(id) = find(&engine, intent)? {
            return Ok(Network { id: Some(id), ..self });
        }
        let mut labels = self.labels.clone().unwrap_or_default();
        labels.insert("bimetal.intent".to_owned(), intent.to_owned());
        let id = engine.create_network(&json!({
            "Name": self.name,
            "Driver": self.driver.as_deref().unwrap_or("bridge"),
            "Labels": labels,
            "Options": self.options.clone().unwrap_or_default(),
            "Internal": self.internal.unwrap_or(false),
            "CheckDuplicate": true,
        }))?;
        Ok(Network { id: Some(id), ..self })
    }
}

fn find(engine: &Engine, intent: &str) -> Result<Option<String>> {
    let found = engine.networks(&json!({ "label": [format!("bimetal.intent={intent}")] }))?;
    Ok(found.first().and_then(|network| network["Id"].as_str().map(str::to_owned)))
}

impl Resource for Network {
    type Provider = Docker;
    const NAME: &'static str = "docker_network";

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

    fn delete(_: &Docker, object: Self) -> Deletion {
        let id = object.id.as_ref().unwrap_or(&object.name);
        Engine::new(&object.engine).remove_network(id).map_err(Diagnostic::from).into()
    }
}
