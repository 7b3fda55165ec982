//! What is given to providers alone.

mod world;

use insta::assert_snapshot;
use world::{World, check_plan, settled};

const CONFIG: &str = r#"
variable "password" {
  default   = "first"
  ephemeral = true
}
resource "late_thing" "a" {
  name             = "a"
  password         = var.password
  password_version = 1
}
output "password" {
  value = late_thing.a.password
}
"#;

#[test]
fn it_is_in_no_plan_and_not_in_the_state() {
    let mut world = World::default();
    let (plan, _) = world.plan(CONFIG, bimetal_plan::Mode::Apply).unwrap();
    let saved = serde_json::to_string(&plan).unwrap();
    let without_text = saved.replace("default   = \\\"first\\\"", "");
    assert!(!without_text.contains("first"), "{without_text}");
    world.settle(CONFIG, &plan);
    assert_eq!(world.object("late_thing.a").object.value.member("password"), None);
    assert_snapshot!(check_plan(CONFIG, &world), @"nothing to do");
}

#[test]
fn a_change_of_it_alone_is_none() {
    let world = settled(CONFIG);
    let other = CONFIG.replace("first", "second");
    assert_snapshot!(check_plan(&other, &world), @"nothing to do");
    assert_snapshot!(check_plan(&other.replace("= 1", "= 2"), &world), @"~ late_thing.a");
}

#[test]
fn nothing_else_takes_what_is_ephemeral() {
    assert_snapshot!(check_plan(&CONFIG.replace("name             = \"a\"", "name = var.password"), &World::default()), @r"
    late_thing.a: `name` is stored, and this is ephemeral
      hint: what is ephemeral may stand in provider blocks, in what is write-only, and in what is not stored
    ");
}
