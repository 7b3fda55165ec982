//! Services over a fleet of mixed platforms: three real engines, one of them arm64, and a real registry.

use std::collections::BTreeMap;

use bimetal_tests::{ArmEngine, Bimetal, Engine, Lab, Registry, http};
use serde_json::Value;

/// Two amd64 engines, an arm64 one, and a service over them.
const CONFIGURATION: &str = r#"
variable "engines" {
  type = map(string)
}

variable "registry" {
  type = string
}

variable "image" {
  type    = string
  default = "web:both"
}

variable "replicas" {
  type    = number
  default = 6
}

bimetal {
  registry "REGISTRY" {
    plain_http = true
  }
}

machine "docker" "rack" {
  for_each = var.engines
  host     = each.value
  insecure = true
}

pool "all" {
  machines = [machine.docker.rack]
}

service "web" {
  pool     = pool.all
  image    = "${var.registry}/${var.image}"
  replicas = var.replicas

  port {
    container = 8080
  }
}

output "machines" {
  value = [for replica in service.web.replicas : replica.machine]
}
"#;

struct Fleet {
    registry: Registry,
    amd: [Engine; 2],
    arm: ArmEngine,
    _lab: Lab,
}

impl Fleet {
    fn start() -> Option<Fleet> {
        let lab = Lab::start()?;
        let registry = Registry::with_images(&lab, "registry");
        let amd = Engine::start_all(&lab, ["one", "two"]);
        let arm = ArmEngine::start(&lab, "arm");
        Some(Fleet { registry, amd, arm, _lab: lab })
    }

    fn engines(&self) -> BTreeMap<&str, String> {
        [("one", self.amd[0].host()), ("two", self.amd[1].host()), ("arm", self.arm.host())].into()
    }

    fn operator(&self, configuration: &str) -> Bimetal {
        let mut bimetal = Bimetal::new(&configuration.replace("REGISTRY", &self.registry.name()));
        bimetal.set("registry", self.registry.name());
        bimetal.set("engines", serde_json::to_string(&self.engines()).expect("text"));
        bimetal
    }

    /// How many containers each engine has.
    fn counts(&self) -> [usize; 3] {
        [self.amd[0].containers().len(), self.amd[1].containers().len(), self.arm.engine().containers().len()]
    }
}

/// Addresses that a plan would do something to, by what.
fn effects(plan: &Value) -> BTreeMap<String, Vec<String>> {
    let mut effects: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for change in plan["changes"].as_array().expect("changes") {
        let action = change["action"].as_str().expect("an action");
        if action != "keep" {
            effects
                .entry(action.to_owned())
                .or_default()
                .push(change["address"].as_str().expect("an address").to_owned());
        }
    }
    effects
}

#[test]
fn replicas_spread_over_platforms_and_only_what_must_change_changes() {
    let Some(fleet) = Fleet::start() else { return };
    let mut bimetal = fleet.operator(CONFIGURATION);
    bimetal.apply();
    assert_eq!(fleet.counts(), [2, 2, 2]);
    bimetal.assert_settled();

    // Growing only adds, shrinking only removes the last ones.
    bimetal.set("replicas", 8);
    let (plan, _) = bimetal.plan();
    let grown = effects(&plan);
    assert_eq!(grown["create"], ["service.web.replica[6]", "service.web.replica[7]"]);
    assert_eq!(grown.len(), 1);
    bimetal.apply();
    bimetal.set("replicas", 3);
    assert_eq!(effects(&bimetal.plan().0)["delete"].len(), 5);
    bimetal.apply();
    assert_eq!(fleet.counts(), [1, 1, 1]);

    // A node that is removed takes only its own replica along.
    let mut engines = fleet.engines();
    engines.remove("two");
    bimetal.set("engines", serde_json::to_string(&engines).expect("text"));
    let without = effects(&bimetal.plan().0);
    assert_eq!(without["delete"], [r#"machine.docker.rack["two"]"#]);
    assert_eq!(without["replace"].len(), 1);
    bimetal.apply();
    assert_eq!(fleet.counts()[1], 0);
    bimetal.assert_settled();

    // Another image replaces every replica, and no machine.
    bimetal.set("image", "web:next");
    let other = effects(&bimetal.plan().0);
    assert_eq!(other["replace"].len(), 3);
    assert_eq!(other.len(), 1);
    bimetal.apply();
    bimetal.assert_settled();

    bimetal.ok(&["destroy", "--auto-approve"]);
    assert_eq!(fleet.counts(), [0, 0, 0]);
    assert_eq!(bimetal.ok(&["state", "list"]), "");
}

#[test]
fn every_replica_runs_the_program_of_its_node() {
    let Some(fleet) = Fleet::start() else { return };
    let with_ports = CONFIGURATION.replace("container = 8080", "host = 8080\n    container = 8080");
    let mut bimetal = fleet.operator(&with_ports);
    bimetal.set("replicas", 3);
    bimetal.apply();
    let pages = [fleet.amd[0].page(8080), fleet.amd[1].page(8080), fleet.arm.engine().page(8080)].map(http::page);
    let machines = pages.each_ref().map(|page| page.split(' ').next().unwrap_or_default());
    assert_eq!(machines, ["x86_64", "x86_64", "aarch64"]);

    // A fourth replica would need a fourth port: nobody has one, and the error names each machine.
    bimetal.set("replicas", 4);
    let error = bimetal.run(&["plan"]).failed();
    assert!(error.contains("service.web.replica[3]") && error.contains("8080"), "{error}");
}

#[test]
fn images_go_only_where_they_have_a_manifest() {
    let Some(fleet) = Fleet::start() else { return };
    let mut bimetal = fleet.operator(CONFIGURATION);
    bimetal.set("image", "web:arm64").set("replicas", 2);
    bimetal.apply();
    assert_eq!(fleet.counts(), [0, 0, 2]);

    // A map names another image for each platform.
    let pair = r#"{
    "linux/amd64" = "${var.registry}/plain:latest"
    "linux/arm64" = "${var.registry}/plain:latest.arm"
  }"#;
    let mapped = CONFIGURATION.replace(r#""${var.registry}/${var.image}""#, pair);
    bimetal.write("main.bm.hcl", &mapped.replace("REGISTRY", &fleet.registry.name()));
    bimetal.set("replicas", 3);
    bimetal.apply();
    // Those on the arm engine stay there, with another image.
    assert_eq!(fleet.counts(), [1, 0, 2]);
    bimetal.assert_settled();
    let lock = std::fs::read_to_string(bimetal.folder().join("bimetal.lock.hcl")).expect("a lock file");
    assert!(lock.contains("plain:latest.arm") && lock.contains("sha256:"), "{lock}");
}

#[test]
fn an_image_that_fits_nowhere_is_an_error_that_names_the_machines() {
    let Some(fleet) = Fleet::start() else { return };
    let mut bimetal = fleet.operator(CONFIGURATION);
    let engines: BTreeMap<_, _> = [("arm", fleet.arm.host())].into();
    bimetal.set("engines", serde_json::to_string(&engines).expect("text")).set("image", "web:amd64");
    let error = bimetal.run(&["plan"]).failed();
    assert!(error.contains(r#"machine.docker.rack["arm"]"#) && error.contains("linux/arm64"), "{error}");
    let error = bimetal.set("image", "web:missing").run(&["plan"]).failed();
    assert!(error.contains("web:missing"), "{error}");
}
