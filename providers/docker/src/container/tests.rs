use bimetal_provider::testing::Driver;
use bimetal_provider::{Json, json};

use super::check::nanoseconds;
use super::*;
use crate::testing::Engine as Fake;

const TYPE: &str = "docker_container";

/// An engine, and the only container on it as it was answered.
struct Story {
    engine: Fake,
    driver: Driver<Docker>,
}

fn story() -> Story {
    let engine = Fake::default();
    Story { driver: engine.driver(), engine }
}

impl Story {
    fn config(&self, change: &[(&str, Json)]) -> Json {
        let mut config = json!({ "engine": self.engine.handle(), "name": "web-0", "image": "web@sha256:1" });
        for (name, value) in change {
            config[*name] = value.clone();
        }
        config
    }

    fn create(&self, change: &[(&str, Json)]) -> std::result::Result<Json, String> {
        self.driver.create(TYPE, "i-1", &self.config(change))
    }

    fn body(&self) -> Json {
        self.engine.0.borrow().containers.values().next().expect("there is one")["Body"].clone()
    }

    fn look(&self, object: &Json) -> Option<Json> {
        self.driver.read(TYPE, std::slice::from_ref(object)).remove(0).unwrap()
    }

    /// What a plan would change, and what makes a new container.
    fn changes(&self, prior: &Json, change: &[(&str, Json)]) -> (Vec<String>, Vec<String>) {
        let planned = self.driver.plan(TYPE, Some(prior), &self.config(change)).unwrap();
        let members = planned.value.as_object().unwrap().iter();
        let changed = members.filter(|(name, value)| **value != prior[name.as_str()]).map(|(name, _)| name.clone());
        (changed.collect(), planned.replace)
    }
}

#[test]
fn a_container_is_made_started_and_looked_at_once() {
    let story = story();
    let container = story.create(&[("labels", json!({ "bimetal.service": "web" }))]).unwrap();
    assert_eq!(story.engine.calls(), ["create", "start", "inspect"]);
    assert_eq!((&container["id"], &container["running"]), (&json!("c1"), &json!(true)));
    assert_eq!(
        (&container["ip_address"], &container["image_id"]),
        (&json!("172.17.0.2"), &json!("sha256:web@sha256:1"))
    );
    // What is stamped on it is not the user's.
    assert_eq!(container["labels"], json!({ "bimetal.service": "web" }));
    assert_eq!(
        story.body()["Labels"],
        json!({ "bimetal.intent": "i-1", "bimetal.image": "web@sha256:1", "bimetal.service": "web" })
    );
    assert_eq!(story.changes(&container, &[("labels", json!({ "bimetal.service": "web" }))]), (vec![], vec![]));
}

#[test]
fn an_engine_is_told_everything() {
    let story = story();
    let all = [
        ("command", json!(["serve"])),
        ("env", json!({ "A": "1" })),
        ("restart", json!("always")),
        ("networks", json!(["back"])),
        ("memory", json!(64 << 20)),
        ("cpus", json!(0.5)),
        ("port", json!([{ "host": 80, "container": 8080 }, { "container": 53, "protocol": "udp" }])),
        (
            "volume",
            json!([{ "source": "data", "target": "/data" }, { "source": "/srv", "target": "/srv", "read_only": true }]),
        ),
        (
            "health",
            json!({ "command": ["ok"], "interval": "10s", "timeout": null, "retries": 3, "start_period": null }),
        ),
    ];
    story.create(&all).unwrap();
    insta::assert_snapshot!(format!("{:#}", story.body()));
}

#[test]
fn the_same_intent_makes_nothing_twice() {
    let story = story();
    let container = story.create(&[]).unwrap();
    assert_eq!(story.create(&[]).unwrap(), container);
    assert_eq!(story.driver.probe(TYPE, "i-1", &story.config(&[])), Ok(Some(container)));
    assert_eq!(story.driver.probe(TYPE, "i-2", &story.config(&[])), Ok(None));
}

#[test]
fn a_name_of_somebody_elses_is_said_so() {
    let story = story();
    story.create(&[]).unwrap();
    let error = story.driver.create(TYPE, "i-2", &story.config(&[])).unwrap_err();
    assert_eq!(error, "name: there is a container `web-0` on this engine already, and it is not this one");
}

#[test]
fn a_hundred_containers_are_one_list() {
    let story = story();
    let container = |number: u32| {
        let config = story.config(&[("name", json!(format!("web-{number}")))]);
        story.driver.create(TYPE, &format!("i-{number}"), &config).unwrap()
    };
    let containers: Vec<_> = (0..100).map(container).collect();
    story.engine.calls();
    let seen: Vec<_> = story.driver.read(TYPE, &containers).into_iter().map(|seen| seen.unwrap().unwrap()).collect();
    assert_eq!(seen, containers);
    assert_eq!(story.engine.calls(), ["list"]);
}

#[test]
fn one_that_stopped_is_started_again() {
    let story = story();
    let container = story.create(&[]).unwrap();
    story.driver.update(TYPE, &container, &story.config(&[])).unwrap();
    story.engine.container(|one| one["State"] = json!({ "Status": "exited", "Running": false, "ExitCode": 137 }));
    let seen = story.look(&container).unwrap();
    assert_eq!(seen["running"], false);
    assert_eq!(story.changes(&seen, &[]), (vec!["ip_address".to_owned(), "running".to_owned()], vec![]));
    story.engine.calls();
    assert_eq!(story.driver.update(TYPE, &seen, &story.config(&[])).unwrap(), container);
    assert_eq!(story.engine.calls(), ["start", "inspect"]);
}

#[test]
fn a_job_that_is_done_stays_so() {
    let story = story();
    let job = [("restart", json!("no"))];
    let container = story.create(&job).unwrap();
    story.engine.container(|one| one["State"] = json!({ "Status": "exited", "Running": false, "ExitCode": 0 }));
    let seen = story.look(&container).unwrap();
    assert_eq!((&seen["running"], story.changes(&seen, &job)), (&json!(false), (vec![], vec![])));
}

#[test]
fn a_job_that_ends_at_once_with_an_error_is_one() {
    let story = story();
    story.engine.0.borrow_mut().ends_with = Some(3);
    let error = story.create(&[("restart", json!("no"))]).unwrap_err();
    assert_eq!(error, "command: container `web-0` ended at once, with status 3");
    story.engine.0.borrow_mut().ends_with = Some(0);
    assert_eq!(story.create(&[("restart", json!("no"))]).unwrap()["running"], false);
}

#[test]
fn one_that_is_gone_is_gone() {
    let story = story();
    let container = story.create(&[]).unwrap();
    story.engine.calls();
    story.driver.delete(TYPE, &container).unwrap();
    assert_eq!(story.engine.calls(), ["stop", "remove"]);
    assert_eq!(story.look(&container), None);
    assert_eq!(story.driver.delete(TYPE, &container), Ok(()));
}

#[test]
fn what_a_failed_start_left_is_reported() {
    let story = story();
    story.engine.0.borrow_mut().cannot_start = true;
    assert_eq!(story.create(&[]).unwrap_err(), "port 80 is already taken");
    let left = story.driver.probe(TYPE, "i-1", &story.config(&[])).unwrap().unwrap();
    assert_eq!((&left["id"], &left["running"]), (&json!("c1"), &json!(false)));
    story.engine.0.borrow_mut().cannot_start = false;
    assert_eq!(story.create(&[]).unwrap()["running"], true);
}

#[test]
fn limits_and_policy_change_in_place_and_the_rest_does_not() {
    let story = story();
    let container = story.create(&[("memory", json!(64 << 20))]).unwrap();
    let more = [("memory", json!(128 << 20)), ("restart", json!("always"))];
    assert_eq!(story.changes(&container, &more), (vec!["memory".to_owned(), "restart".to_owned()], vec![]));
    story.driver.update(TYPE, &container, &story.config(&more)).unwrap();
    story.engine.container(|one| {
        assert_eq!((&one["Updated"]["Memory"], &one["Updated"]["MemorySwap"]), (&json!(128 << 20), &json!(256 << 20)));
        assert_eq!(one["Updated"]["RestartPolicy"]["Name"], "always");
    });
    assert_eq!(story.changes(&container, &[]).1, ["memory"]);
    let memory = ("memory", json!(64 << 20));
    assert_eq!(story.changes(&container, &[memory.clone(), ("image", json!("web@sha256:2"))]).1, ["image"]);
    assert_eq!(story.changes(&container, &[memory, ("port", json!([{ "container": 80 }]))]).1, ["port"]);
}

#[test]
fn what_is_wrong_is_said_while_planning() {
    let story = story();
    let wrong = [
        ("name", json!("-x")),
        ("restart", json!("sometimes")),
        ("memory", json!(1024)),
        ("cpus", json!(0)),
        ("labels", json!({ "bimetal.intent": "mine" })),
        ("port", json!([{ "container": 80, "protocol": "icmp" }])),
        ("volume", json!([{ "source": "a", "target": "b" }])),
        ("health", json!({ "command": [], "interval": "10", "timeout": null, "retries": null, "start_period": null })),
        ("engine", json!({ "$unknown": {} })),
    ];
    insta::assert_snapshot!(story.driver.validate(TYPE, &story.config(&wrong)).join("\n"));
}

#[test]
fn durations_are_dockers() {
    assert_eq!(nanoseconds("1m30s").unwrap(), 90_000_000_000);
    assert_eq!(nanoseconds("500ms").unwrap(), 500_000_000);
    for wrong in ["", "10", "s", "1x", "-1s"] {
        assert!(nanoseconds(wrong).is_err(), "{wrong}");
    }
}
