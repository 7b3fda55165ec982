//! Machines of a fleet that can't be reached, and how many of a pool's may.

use std::collections::BTreeMap;
use std::path::Path;

use bimetal_tests::{Bimetal, Engine, Lab, image};
use serde_json::Value;
use xtask::web::Platform;

const CONFIGURATION: &str = r#"
variable "engines" {
  type = map(string)
}

variable "mood" {
  default = "calm"
}

machine "docker" "rack" {
  for_each = var.engines
  host     = each.value
  insecure = true
}

pool "all" {
  machines       = [machine.docker.rack]
  failure_budget = "34%"
}

resource "docker_volume" "data" {
  for_each = machine.docker.rack
  engine   = each.value.engine
  name     = "data"
}

service "web" {
  pool     = pool.all
  image    = "oci:./image"
  replicas = 3
  env      = { MOOD = var.mood }

  port {
    container = 8080
  }
}
"#;

fn operator(engines: &[Engine; 3]) -> Bimetal {
    let mut bimetal = Bimetal::new(CONFIGURATION);
    image::layout(&bimetal.folder().join("image"), &[Platform::Amd64], "hello");
    let hosts: BTreeMap<_, _> = ["one", "two", "three"].into_iter().zip(engines.iter().map(Engine::host)).collect();
    bimetal.set("engines", serde_json::to_string(&hosts).expect("text"));
    bimetal
}

/// The ids of an engine's containers.
fn ids(engine: &Engine) -> Vec<String> {
    engine.containers().iter().map(|one| one["Id"].as_str().expect("an id").to_owned()).collect()
}

/// The plan among the events in a file.
fn planned(events: &Path) -> Value {
    let events = std::fs::read_to_string(events).expect("it is written");
    let mut events = events.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    events.find(|event| event["event"] == "plan").expect("a plan")["document"].clone()
}

#[test]
fn one_machine_that_does_not_answer_is_left_as_it_is_and_the_others_go_on() {
    let Some(lab) = Lab::start() else { return };
    let engines = Engine::start_all(&lab, ["one", "two", "three"]);
    let mut bimetal = operator(&engines);
    bimetal.apply();
    let before = engines.each_ref().map(ids);
    engines[1].cell().freeze();

    // Nothing is wanted of it: all is well, and said.
    let applied = bimetal.run(&["apply", "--auto-approve"]);
    assert_eq!(applied.code, 0, "{applied}");
    assert!(applied.stderr.contains(r#"`machine.docker.rack["two"]` does not answer"#), "{applied}");
    assert!(applied.stderr.contains("the failure budget of `pool.all` is 1"), "{applied}");

    // Something is: the others have it, and it is left out there.
    bimetal.set("mood", "wild");
    let applied = bimetal.run(&["apply", "--auto-approve", "--json-into", "events"]);
    assert_eq!(applied.code, 3, "{applied}");
    let plan = planned(&bimetal.folder().join("events"));
    assert_eq!(plan["degraded"][0]["machine"], r#"machine.docker.rack["two"]"#, "{plan}");
    let left = plan["changes"].as_array().expect("changes").iter().filter(|change| change["action"] == "leave");
    assert_eq!(left.count(), 1, "{plan}");
    assert!(applied.stderr.contains("Not all is done:"), "{applied}");
    for (engine, before) in [(&engines[0], &before[0]), (&engines[2], &before[2])] {
        assert_ne!(&ids(engine), before, "it is another one");
    }
    let machines = bimetal.ok(&["machines"]);
    let of_two = machines.lines().find(|line| line.contains(r#"rack["two"]"#)).unwrap_or_default();
    assert!(of_two.contains("degraded") && machines.matches("ready").count() == 2, "{machines}");

    // A second one is too many.
    engines[2].cell().freeze();
    let refused = bimetal.run(&["apply", "--auto-approve"]);
    assert_eq!(refused.code, 1, "{refused}");
    assert!(refused.stderr.contains("2 of the 3 machines of `pool.all` do not answer, and 1 may"), "{refused}");

    engines[1].cell().thaw();
    engines[2].cell().thaw();
    assert_eq!(ids(&engines[1]), before[1], "nobody touched it");
    bimetal.apply();
    assert_ne!(ids(&engines[1]), before[1]);
    bimetal.assert_settled();
    bimetal.ok(&["destroy", "--auto-approve"]);
}
