//! An account in memory, which notes what it is asked.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bimetal_provider::bindings::bimetal::provider::http as wit;
use bimetal_provider::testing::{Driver, Http, World};
use bimetal_provider::{Code, Fault, Json, json};

use crate::DigitalOcean;

/// An account that can be looked at from outside; clones are the same account.
#[derive(Clone, Default)]
pub(crate) struct Account(pub(crate) Rc<RefCell<State>>);

#[derive(Default)]
pub(crate) struct State {
    /// By path and id: `droplets/7`.
    pub(crate) things: BTreeMap<String, Json>,
    /// `POST droplets`
    pub(crate) calls: Vec<String>,
    /// The answer to the next request that changes something is lost, though it is done.
    pub(crate) loses: bool,
    /// The next requests that change something are answered so, and not done.
    pub(crate) refuses: Vec<(u16, &'static str)>,
    last: u64,
}

/// Path, and the noun of one of them.
const KINDS: [(&str, &str, &str); 5] = [
    ("droplets", "droplets", "droplet"),
    ("account/keys", "ssh_keys", "ssh_key"),
    ("tags", "tags", "tag"),
    ("vpcs", "vpcs", "vpc"),
    ("firewalls", "firewalls", "firewall"),
];

impl Account {
    pub(crate) fn world(&self) -> World {
        World::with_http(self.clone())
    }

    pub(crate) fn driver(&self) -> Driver<DigitalOcean> {
        Driver::new(self.world(), &json!({ "token": { "$credential": "provider.digitalocean#token" } })).unwrap()
    }

    /// What there is, by path.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.0.borrow().things.keys().cloned().collect()
    }

    /// How often something was asked.
    pub(crate) fn count(&self, call: &str) -> usize {
        self.0.borrow().calls.iter().filter(|one| *one == call).count()
    }

    /// Every droplet has booted.
    pub(crate) fn boot(&self) {
        let mut state = self.0.borrow_mut();
        for (_, droplet) in state.things.iter_mut().filter(|(path, _)| path.starts_with("droplets/")) {
            droplet["status"] = json!("active");
            droplet["networks"]["v4"] = json!([
                { "type": "private", "ip_address": "10.0.0.2" }, { "type": "public", "ip_address": "192.0.2.7" },
            ]);
        }
    }
}

impl State {
    fn answer(&mut self, method: &str, path: &str, mut body: Json) -> (u16, Json) {
        if method != "GET" && !self.refuses.is_empty() {
            let (status, message) = self.refuses.remove(0);
            return (status, json!({ "id": "x", "message": message }));
        }
        let known = KINDS.iter().find(|(prefix, ..)| path == *prefix || path.starts_with(&format!("{prefix}/")));
        let Some((prefix, all, one)) = known else { return (404, Json::Null) };
        match (method, path == *prefix) {
            ("GET", true) => {
                let is_one = |path: &str| path.starts_with(&format!("{prefix}/"));
                let found = self.things.iter().filter(|(path, _)| is_one(path)).map(|(_, thing)| thing.clone());
                (200, json!({ *all: found.collect::<Vec<_>>(), "links": {} }))
            }
            ("POST", true) => {
                self.last += 1;
                let id = if *one == "tag" { body["name"].clone() } else { json!(self.last) };
                body["id"] = id.clone();
                if *one == "droplet" {
                    body["networks"] = json!({ "v4": [], "v6": [] });
                    body["status"] = json!("new");
                }
                self.things.insert(format!("{prefix}/{}", crate::api::text(&id).unwrap()), body.clone());
                (201, json!({ *one: body }))
            }
            ("DELETE", _) => match self.things.remove(path) {
                Some(_) => (204, Json::Null),
                None => (404, Json::Null),
            },
            _ => match self.things.get_mut(path) {
                Some(thing) => {
                    for (name, value) in body.as_object().into_iter().flatten() {
                        thing[name] = value.clone();
                    }
                    (200, json!({ *one: thing.clone() }))
                }
                None if path.ends_with("/actions") => (201, json!({ "action": {} })),
                None if path.ends_with("/resources") => (204, Json::Null),
                None => (404, Json::Null),
            },
        }
    }
}

impl Http for Account {
    fn send(&self, request: &wit::Request) -> Result<wit::Response, Fault> {
        let mut state = self.0.borrow_mut();
        let path = request.url.strip_prefix("https://api.digitalocean.com/v2/").unwrap();
        let path = path.split('?').next().unwrap().to_owned();
        state.calls.push(format!("{} {path}", request.method));
        let body = request.body.as_ref().map_or_else(|| json!({}), |body| serde_json::from_slice(body).unwrap());
        let (status, body) = state.answer(&request.method, &path, body);
        if request.method != "GET" && std::mem::take(&mut state.loses) {
            return Err(Fault { code: Code::Unreachable, message: "the answer is lost".to_owned(), retryable: true });
        }
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        Ok(wit::Response { status, headers: Vec::new(), body })
    }
}
