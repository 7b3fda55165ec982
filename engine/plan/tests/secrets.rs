//! What a plan has in it that is sensitive, and what must not be in it at all.

mod world;

use bimetal_plan::{Mode, saved_secrets, stored_secrets};
use world::World;

const CONFIGURATION: &str = r#"
bimetal {
  encryption "passphrase" {
    passphrase = local.key
  }
}
variable "passphrase" {
  default   = "hunter2"
  sensitive = true
}
variable "token" {
  default   = "t"
  sensitive = true
}
variable "plain" { default = "p" }
locals {
  key = "${var.passphrase}!"
}
machine "docker" "a" { platform = "linux/amd64" }
resource "docker_volume" "open" { name = var.plain }
resource "docker_volume" "closed" { name = var.token }
output "token" {
  value     = var.token
  sensitive = true
}
output "plain" { value = docker_volume.open.id }
"#;

#[test]
fn what_a_key_follows_from_is_in_no_plan() {
    let (plan, _) = World::default().plan(CONFIGURATION, Mode::Apply).unwrap();
    assert_eq!(plan.variables.keys().collect::<Vec<_>>(), ["plain", "token"]);
    let text = serde_json::to_string(&(&plan.variables, &plan.providers, &plan.changes)).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn what_would_be_stored_is_named() {
    let world = World::default();
    let (plan, _) = world.plan(CONFIGURATION, Mode::Apply).unwrap();
    let stored: Vec<_> = stored_secrets(&plan, &world.providers).into_iter().collect();
    assert_eq!(stored, ["docker_volume.closed.name", "output.token"]);
    let saved: Vec<_> = saved_secrets(&plan, &world.providers).into_iter().collect();
    assert_eq!(saved, ["docker_volume.closed.name", "output.token", "var.token"]);
}
