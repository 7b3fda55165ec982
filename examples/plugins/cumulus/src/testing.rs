//! The cloud in memory, for tests on this machine.

use std::cell::RefCell;
use std::rc::Rc;

use bimetal_provider::testing::{Driver, Http, Request, Response, World};
use bimetal_provider::{Fault, Json, json};

use crate::Cumulus;
use crate::api::URL;

/// An account that can be looked at from outside; clones are the same account.
#[derive(Clone, Default)]
pub(crate) struct Account(pub(crate) Rc<RefCell<State>>);

#[derive(Default)]
pub(crate) struct State {
    pub(crate) machines: Vec<Json>,
    /// `POST machines`
    pub(crate) calls: Vec<String>,
    /// The answer to the next order is lost, though it is done.
    pub(crate) loses: bool,
    /// The next requests that change something are answered so, and not done.
    pub(crate) refuses: Vec<(u16, Json)>,
}

impl Account {
    pub(crate) fn driver(&self) -> Driver<Cumulus> {
        let config = json!({ "token": { "$credential": "provider.cumulus#token" } });
        Driver::new(World::with_http(self.clone()), &config).unwrap()
    }

    /// How often something was asked.
    pub(crate) fn count(&self, call: &str) -> usize {
        self.0.borrow().calls.iter().filter(|one| *one == call).count()
    }
}

impl Http for Account {
    fn send(&self, request: &Request) -> Result<Response, Fault> {
        let path = request.url.strip_prefix(URL).and_then(|path| path.strip_prefix("/v1/")).unwrap();
        let body = request.body.as_ref().map_or(Json::Null, |body| serde_json::from_slice(body).unwrap());
        let (status, answer) = self.0.borrow_mut().answer(&request.method, path, body);
        Ok(Response { status, headers: Vec::new(), body: answer.to_string().into_bytes() })
    }
}

impl State {
    fn answer(&mut self, method: &str, path: &str, body: Json) -> (u16, Json) {
        let (path, tag) = path.split_once("?tag=").map_or((path, None), |(path, tag)| (path, Some(tag)));
        self.calls.push(format!("{method} {path}"));
        if method != "GET" && !self.refuses.is_empty() {
            return self.refuses.remove(0);
        }
        match (method, path) {
            ("GET", "sizes") => (200, json!({ "sizes": [size("large", 4), size("small", 1)] })),
            ("GET", "machines") => {
                self.machines.iter_mut().for_each(boot);
                let is_wanted = |one: &&Json| tag.is_none_or(|tag| one["tags"][0] == tag);
                (200, json!({ "machines": self.machines.iter().filter(is_wanted).collect::<Vec<_>>() }))
            }
            ("POST", _) => self.order(body),
            _ => self.one(method, path, &body),
        }
    }

    fn order(&mut self, body: Json) -> (u16, Json) {
        let mut machine = size("small", 1);
        for name in ["name", "size", "tags"] {
            machine[name] = body[name].clone();
        }
        machine["id"] = json!(format!("m-{}", self.machines.len() + 1));
        machine["status"] = json!("booting");
        self.machines.push(machine.clone());
        if std::mem::take(&mut self.loses) { (502, Json::Null) } else { (201, machine) }
    }

    fn one(&mut self, method: &str, path: &str, body: &Json) -> (u16, Json) {
        let is_it = |one: &Json| one["id"].as_str() == path.strip_prefix("machines/");
        let Some(place) = self.machines.iter().position(is_it) else { return (404, Json::Null) };
        match method {
            "DELETE" => drop(self.machines.remove(place)),
            "PUT" => self.machines[place]["name"] = body["name"].clone(),
            _ => {}
        }
        (200, self.machines.get(place).cloned().unwrap_or_default())
    }
}

fn size(name: &str, cpus: u64) -> Json {
    json!({ "name": name, "platform": "linux/amd64", "cpus": cpus, "memory": cpus << 30 })
}

/// Whoever asks a second time finds it running.
fn boot(machine: &mut Json) {
    machine["status"] = if machine["seen"] == true { json!("running") } else { json!("booting") };
    if machine["status"] == "running" {
        machine["address"] = json!("10.0.0.2");
        machine["engine"] = json!("tcp://10.0.0.2:2375");
    }
    machine["seen"] = json!(true);
}
