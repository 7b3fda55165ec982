//! What is known of what is not known yet is enough for many a plan.

mod world;

use bimetal_plan::{Mode, Plan};
use insta::assert_snapshot;
use world::{World, check_plan};

const BASE: &str = r#"
machine "docker" "a" { platform = "linux/amd64" }
resource "docker_volume" "v" { name = "v" }
data "docker_engine" "later" { name = docker_volume.v.id }
"#;

fn check(config: &str) -> String {
    check_plan(&format!("{BASE}{config}"), &World::default())
}

#[test]
fn how_many_there_are_may_depend_on_whether_there_is_something() {
    assert_snapshot!(check(r#"
        resource "docker_volume" "counted" {
          count = docker_volume.v.id != null ? 2 : 0
          name  = "counted"
        }
        resource "docker_volume" "named" {
          for_each = machine.docker.a.address == null ? {} : { one = 1 }
          name     = each.key
        }
        resource "docker_volume" "enabled" {
          enabled = data.docker_engine.later.id != null && "http://${machine.docker.a.address}" != ""
          name    = "enabled"
        }
    "#), @r#"
    + machine.docker.a
    + docker_volume.counted[0]
    + docker_volume.counted[1]
    + docker_volume.enabled
    + docker_volume.named["one"]
    + docker_volume.v
    <= data.docker_engine.later; some of its arguments are known only after apply
    "#);
}

#[test]
fn what_its_provider_does_not_promise_is_waited_for() {
    assert_snapshot!(check(r#"
        resource "docker_volume" "counted" {
          count = machine.docker.a.memory != null ? 2 : 0
          name  = "counted"
        }
    "#), @r"
    docker_volume.counted: `count` depends on what is known only after apply
      `machine.docker.a.memory` is known only after apply
      hint: `bimetal apply -target=machine.docker.a` makes that first; or use what the configuration itself knows, as names, and let only the values come from elsewhere
    ");
}

#[test]
fn conditions_that_can_be_decided_are() {
    assert_snapshot!(check(r#"
        locals {
          url = "http://${docker_volume.v.id}"
        }
        resource "docker_volume" "after" {
          name = "after"
          lifecycle {
            precondition {
              condition     = startswith(local.url, "https://")
              error_message = "no TLS"
            }
          }
        }
        output "url" {
          value = local.url
          precondition {
            condition     = length(local.url) < 7
            error_message = "too long"
          }
        }
    "#), @r#"
    docker_volume.after: a precondition does not hold
      no TLS
    "#);
}

#[test]
fn modules_hand_on_what_is_promised() {
    assert_snapshot!(check(r#"
        module "m" {
          source = "./m"
          id     = docker_volume.v.id
        }
        resource "docker_volume" "after" {
          count = module.m.url == "" ? 0 : 1
          name  = "after"
        }
### m/main.bm.hcl
variable "id" {
  type     = string
  nullable = false
}
output "url" {
  value = "x://${var.id}"
}
"#), @r#"
    + machine.docker.a
    + docker_volume.after[0]
    + docker_volume.v
    <= data.docker_engine.later; some of its arguments are known only after apply
    "#);
}

#[test]
fn promises_are_part_of_a_saved_plan() {
    let config = format!(
        r#"{BASE}
        resource "docker_volume" "w" {{
          name = "w-${{docker_volume.v.id}}"
        }}
    "#
    );
    let (plan, _) = World::default().plan(&config, Mode::Apply).unwrap();
    let stored: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    let change = stored.changes.iter().find(|change| change.address.to_string() == "docker_volume.w").unwrap();
    let name = change.after.as_ref().unwrap().member("name").unwrap();
    assert_eq!((name.is_something(), name.refinement().prefix()), (true, "w-"));
}

#[test]
fn what_was_said_before_is_what_comes_of_it() {
    let config = format!(
        r#"{BASE}
        resource "docker_volume" "w" {{
          count = docker_volume.v.id != null ? 1 : 0
          name  = "w-${{docker_volume.v.id}}"
        }}
    "#
    );
    let mut world = World::default();
    world.apply(&config);
    assert_snapshot!(check_plan(&config, &world), @r#"
    ? data of data.docker_engine.later
    nothing to do
    "#);
}
