//! An engine in memory, which notes what it is asked.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bimetal_provider::testing::{self, Driver, World};
use bimetal_provider::{Code, Fault, Json, json};

use crate::Docker;

type Answer<T> = Result<T, Fault>;

/// An engine that can be looked at from outside; clones are the same engine.
#[derive(Clone, Default)]
pub(crate) struct Engine(pub(crate) Rc<RefCell<State>>);

#[derive(Default)]
pub(crate) struct State {
    /// By id; as an inspection shows them, with the body that they were made of in `Body`.
    pub(crate) containers: BTreeMap<String, Json>,
    pub(crate) networks: BTreeMap<String, Json>,
    pub(crate) volumes: BTreeMap<String, Json>,
    pub(crate) images: BTreeMap<String, Json>,
    /// Every call but those about images, in order.
    pub(crate) calls: Vec<String>,
    /// What becomes of a container when it is started: its exit code.
    pub(crate) ends_with: Option<u32>,
    /// Starting fails.
    pub(crate) cannot_start: bool,
}

impl Engine {
    pub(crate) fn driver(&self) -> Driver<Docker> {
        Driver::new(World::with_docker(self.clone()), &json!({})).unwrap()
    }

    pub(crate) fn handle(&self) -> Json {
        json!({ "$handle": { "transport": "unix", "path": "/s" } })
    }

    /// What was asked since the last time.
    pub(crate) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut self.0.borrow_mut().calls)
    }

    /// Somebody does something to the only container.
    pub(crate) fn container(&self, change: impl FnOnce(&mut Json)) {
        let mut state = self.0.borrow_mut();
        change(state.containers.values_mut().next().expect("there is one"));
    }

    fn note(&self, call: &str) -> std::cell::RefMut<'_, State> {
        let mut state = self.0.borrow_mut();
        state.calls.push(call.to_owned());
        state
    }
}

fn fault<T>(code: Code, message: &str) -> Answer<T> {
    Err(Fault { code, message: message.to_owned(), retryable: false })
}

fn has_label(labels: &Json, filters: &str) -> bool {
    let filters: Json = serde_json::from_str(filters).unwrap();
    filters["label"].as_array().into_iter().flatten().all(|filter| match filter.as_str().unwrap().split_once('=') {
        Some((name, value)) => labels[name] == value,
        None => labels.get(filter.as_str().unwrap()).is_some(),
    })
}

fn listed(container: &Json) -> Json {
    json!({
        "Id": container["Id"],
        "Names": [container["Name"]],
        "State": container["State"]["Status"],
        "ImageID": container["Image"],
        "Labels": container["Body"]["Labels"],
        "NetworkSettings": container["NetworkSettings"],
    })
}

fn set_running(container: &mut Json, is_running: bool, exit_code: u32) {
    let status = if is_running { "running" } else { "exited" };
    container["State"] = json!({ "Status": status, "Running": is_running, "ExitCode": exit_code });
    let address = if is_running { "172.17.0.2" } else { "" };
    container["NetworkSettings"] = json!({ "Networks": { "bridge": { "IPAddress": address } } });
}

impl testing::Docker for Engine {
    fn info(&self, _: &str) -> Answer<String> {
        let info = json!({ "OSType": "linux", "Architecture": "aarch64", "NCPU": 4, "MemTotal": 1024, "Name": "rack" });
        Ok(json!({ "info": info, "version": { "Version": "28.2.2" } }).to_string())
    }

    fn containers(&self, _: &str, filters: &str) -> Answer<String> {
        let state = self.note("list");
        let found = state.containers.values().filter(|one| has_label(&one["Body"]["Labels"], filters));
        Ok(found.map(listed).collect::<Json>().to_string())
    }

    fn inspect_container(&self, _: &str, id: &str) -> Answer<Option<String>> {
        Ok(self.note("inspect").containers.get(id).map(Json::to_string))
    }

    fn create_container(&self, _: &str, name: &str, _: Option<&str>, body: &str) -> Answer<String> {
        let mut state = self.note("create");
        let (name, id) = (format!("/{name}"), format!("c{}", state.containers.len() + 1));
        if state.containers.values().any(|one| one["Name"] == name.as_str()) {
            return fault(Code::Conflict, "the name is taken");
        }
        let body: Json = serde_json::from_str(body).unwrap();
        let mut container = json!({ "Id": id, "Name": name, "Image": body["Image"], "Body": body });
        set_running(&mut container, false, 0);
        state.containers.insert(id.clone(), container);
        Ok(id)
    }

    fn start_container(&self, _: &str, id: &str) -> Answer<()> {
        let mut state = self.note("start");
        if state.cannot_start {
            return fault(Code::Conflict, "port 80 is already taken");
        }
        let ends_with = state.ends_with;
        match state.containers.get_mut(id) {
            Some(container) => set_running(container, ends_with.is_none(), ends_with.unwrap_or(0)),
            None => return fault(Code::NotFound, "no such container"),
        }
        Ok(())
    }

    fn stop_container(&self, _: &str, id: &str, _: u32) -> Answer<()> {
        match self.note("stop").containers.get_mut(id) {
            Some(container) => set_running(container, false, 137),
            None => return fault(Code::NotFound, "no such container"),
        }
        Ok(())
    }

    fn update_container(&self, _: &str, id: &str, body: &str) -> Answer<()> {
        let mut state = self.note("update");
        let container = state.containers.get_mut(id).expect("it is there");
        container["Updated"] = serde_json::from_str(body).unwrap();
        Ok(())
    }

    fn remove_container(&self, _: &str, id: &str, _: bool) -> Answer<()> {
        self.note("remove").containers.remove(id);
        Ok(())
    }

    fn inspect_image(&self, _: &str, reference: &str) -> Answer<Option<String>> {
        Ok(self.0.borrow().images.get(reference).map(Json::to_string))
    }

    fn pull_image(&self, _: &str, reference: &str, _: Option<&str>) -> Answer<String> {
        let image = json!({ "Id": format!("sha256:{reference}"), "RepoDigests": ["r@sha256:d"] });
        self.0.borrow_mut().images.insert(reference.to_owned(), image.clone());
        Ok(image.to_string())
    }

    fn remove_image(&self, _: &str, reference: &str) -> Answer<()> {
        self.0.borrow_mut().images.remove(reference);
        Ok(())
    }

    fn networks(&self, _: &str, filters: &str) -> Answer<String> {
        let state = self.0.borrow();
        Ok(state
            .networks
            .values()
            .filter(|one| has_label(&one["Labels"], filters))
            .cloned()
            .collect::<Json>()
            .to_string())
    }

    fn inspect_network(&self, _: &str, id: &str) -> Answer<Option<String>> {
        Ok(self.0.borrow().networks.get(id).map(Json::to_string))
    }

    fn create_network(&self, _: &str, body: &str) -> Answer<String> {
        let mut network: Json = serde_json::from_str(body).unwrap();
        let mut state = self.0.borrow_mut();
        if state.networks.values().any(|one| one["Name"] == network["Name"]) {
            return fault(Code::Conflict, "the name is taken");
        }
        let id = format!("n{}", state.networks.len() + 1);
        network["Id"] = json!(id);
        state.networks.insert(id.clone(), network);
        Ok(id)
    }

    fn remove_network(&self, _: &str, id: &str) -> Answer<()> {
        self.0.borrow_mut().networks.remove(id);
        Ok(())
    }

    fn inspect_volume(&self, _: &str, name: &str) -> Answer<Option<String>> {
        Ok(self.0.borrow().volumes.get(name).map(Json::to_string))
    }

    fn create_volume(&self, _: &str, body: &str) -> Answer<String> {
        let mut volume: Json = serde_json::from_str(body).unwrap();
        let name = volume["Name"].as_str().unwrap().to_owned();
        volume["Mountpoint"] = json!(format!("/volumes/{name}"));
        self.0.borrow_mut().volumes.insert(name, volume.clone());
        Ok(volume.to_string())
    }

    fn remove_volume(&self, _: &str, name: &str) -> Answer<()> {
        self.0.borrow_mut().volumes.remove(name);
        Ok(())
    }
}
