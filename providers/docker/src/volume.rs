//! `docker_volume`

use std::collections::BTreeMap;

use bimetal_provider::capability::docker::Engine;
use bimetal_provider::{
    Create, Deletion, Deserialize, Diagnostic, Handle, Json, Outcome, Plan, Resource, Result, Schema, Serialize, json,
};

use crate::Docker;
use crate::access::stay;
use crate::import::{imported, missing, text, texts};
use crate::name;
use crate::stamp::{INTENT, taken};

/// A volume of an engine's.
#[derive(Schema, Serialize, Deserialize)]
pub(crate) struct Volume {
    #[attr(force_new)]
    engine: Handle,
    #[attr(force_new, unique_name)]
    name: String,
    /// `local` unless said
    #[attr(force_new)]
    driver: Option<String>,
    #[attr(force_new)]
    driver_opts: Option<BTreeMap<String, String>>,
    #[attr(force_new)]
    labels: Option<BTreeMap<String, String>>,
    /// On the machine
    #[attr(read_only)]
    mountpoint: Option<String>,
}

impl Volume {
    fn seen(self, volume: &Json) -> Self {
        Volume { mountpoint: volume["Mountpoint"].as_str().map(str::to_owned), ..self }
    }

    fn make(self, intent: &str) -> Result<Self> {
        let engine = Engine::new(&self.engine);
        // An engine takes a second volume of a name for the first one: ours must not be somebody else's.
        if let Some(volume) = engine.inspect_volume(&self.name)? {
            return match volume["Labels"][INTENT] == intent {
                true => Ok(self.seen(&volume)),
                false => Err(taken("volume", &self.name)),
            };
        }
        let mut labels = self.labels.clone().unwrap_or_default();
        labels.insert(INTENT.to_owned(), intent.to_owned());
        let volume = engine.create_volume(&json!({
            "Name": self.name,
            "Driver": self.driver.as_deref().unwrap_or("local"),
            "DriverOpts": self.driver_opts.clone().unwrap_or_default(),
            "Labels": labels,
        }))?;
        Ok(self.seen(&volume))
    }
}

impl Resource for Volume {
    type Provider = Docker;
    const NAME: &'static str = "docker_volume";

    fn validate(&self) -> Vec<Diagnostic> {
        Vec::from_iter(name::check("volume", &self.name))
    }

    fn plan(plan: &mut Plan) -> Result<()> {
        stay(plan);
        Ok(())
    }

    fn read(_: &Docker, objects: Vec<Self>) -> Vec<Result<Option<Self>>> {
        let look = |object: Volume| {
            let found = Engine::new(&object.engine).inspect_volume(&object.name)?;
            Ok(found.map(|volume| object.seen(&volume)))
        };
        objects.into_iter().map(look).collect()
    }

    fn probe(_: &Docker, intent: &str, config: Self) -> Result<Option<Self>> {
        let found = Engine::new(&config.engine).inspect_volume(&config.name)?;
        Ok(found.filter(|volume| volume["Labels"][INTENT] == intent).map(|volume| config.seen(&volume)))
    }

    fn create(_: &Docker, requests: Vec<Create<Self>>) -> Vec<Outcome<Self>> {
        requests.into_iter().map(|request| request.config.make(&request.intent).into()).collect()
    }

    fn update(_: &Docker, prior: Self, config: Self) -> Outcome<Self> {
        Outcome::Done(Volume { mountpoint: prior.mountpoint, ..config })
    }

    fn import(_: &Docker, id: &str, config: Self) -> Result<Self> {
        let volume = Engine::new(&config.engine).inspect_volume(id)?.ok_or_else(|| missing("volume", id))?;
        let driver = imported(&config.driver, text(&volume["Driver"]), |driver| driver == "local");
        let driver_opts = imported(&config.driver_opts, texts(&volume["Options"]), BTreeMap::is_empty);
        let labels = imported(&config.labels, texts(&volume["Labels"]), BTreeMap::is_empty);
        Ok(Volume { name: id.to_owned(), driver, driver_opts, labels, ..config }.seen(&volume))
    }

    fn delete(_: &Docker, object: Self) -> Deletion {
        Engine::new(&object.engine).remove_volume(&object.name).map_err(Diagnostic::from).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Engine;

    #[test]
    fn a_volume_of_somebody_elses_is_left_alone() {
        let engine = Engine::default();
        let driver = engine.driver();
        let config = json!({ "engine": engine.handle(), "name": "data" });
        let volume = driver.create("docker_volume", "i-1", &config).unwrap();
        assert_eq!(volume["mountpoint"], "/volumes/data");
        assert_eq!(driver.create("docker_volume", "i-1", &config).unwrap(), volume);
        assert_eq!(driver.probe("docker_volume", "i-2", &config), Ok(None));
        let foreign = driver.create("docker_volume", "i-2", &config).unwrap_err();
        assert_eq!(foreign, "name: there is a volume `data` on this engine already, and it is not this one");
        driver.delete("docker_volume", &volume).unwrap();
        assert_eq!(driver.read("docker_volume", &[volume]), [Ok(None)]);
    }

    #[test]
    fn a_new_way_to_the_same_engine_moves_nothing() {
        let engine = Engine::default();
        let driver = engine.driver();
        let tcp = |host: &str, ca: &str| json!({ "engine": { "$handle": { "transport": "tcp", "host": host, "port": 1, "ca": ca } }, "name": "data" });
        let volume = driver.create("docker_volume", "i-1", &tcp("a", "old")).unwrap();
        let planned = driver.plan("docker_volume", Some(&volume), &tcp("a", "new")).unwrap();
        assert!(planned.replace.is_empty());
        assert_eq!(driver.update("docker_volume", &volume, &tcp("a", "new")).unwrap(), planned.value);
        assert_eq!(driver.plan("docker_volume", Some(&volume), &tcp("b", "old")).unwrap().replace, ["engine"]);
    }
}
