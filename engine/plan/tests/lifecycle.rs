//! What a `lifecycle` block asks for, and `check`.

mod world;

use bimetal_plan::Mode;
use insta::assert_snapshot;
use world::{World, check_plan, settled};

const CONDITIONS: &str = r#"
variable "size" {
  default = 1
}
resource "docker_volume" "v" {
  name = "v"
  lifecycle {
    precondition {
      condition     = var.size < 3
      error_message = "a size is below 3, not ${var.size}"
    }
    postcondition {
      condition     = self.id != "taken" && self.name != "w"
      error_message = "${self.name} is no good name"
    }
  }
}
output "name" {
  value = docker_volume.v.name
  precondition {
    condition     = var.size != 2
    error_message = "two is not shown"
  }
}
"#;

#[test]
fn what_is_protected_is_not_destroyed() {
    let config = "resource \"docker_volume\" \"v\" {\n name = \"a\"\n lifecycle {\n prevent_destroy = true\n }\n}";
    let world = settled(config);
    assert_snapshot!(check_plan(&config.replace("\"a\"", "\"b\""), &world), @r"
    docker_volume.v: `docker_volume.v` would be replaced, but `prevent_destroy` protects it
      hint: remove `prevent_destroy` from its `lifecycle` block if that is meant
    ");
    assert_snapshot!(world.plan(config, Mode::Destroy).unwrap_err(), @r"
    docker_volume.v: `docker_volume.v` would be destroyed, but `prevent_destroy` protects it
      hint: remove `prevent_destroy` from its `lifecycle` block if that is meant
    ");
}

#[test]
fn ignored_changes_do_not_count() {
    let config = "resource \"docker_volume\" \"v\" {\n name = \"a\"\n labels = { x = \"1\" }\n lifecycle {\n ignore_changes = [labels]\n }\n}";
    let world = settled(config);
    assert_snapshot!(check_plan(&config.replace("\"1\"", "\"2\""), &world), @"nothing to do");
}

#[test]
fn conditions_are_checked_as_soon_as_they_are_known() {
    let with = |from: &str, to: &str| check_plan(&CONDITIONS.replace(from, to), &World::default());
    assert_snapshot!(with("", ""), @r#"
    + docker_volume.v
    output name = Some("v")
    "#);
    assert_snapshot!(with("default = 1", "default = 5"), @r"
    docker_volume.v: a precondition does not hold
      a size is below 3, not 5
    ");
    assert_snapshot!(with("default = 1", "default = 2"), @r"
    a precondition does not hold
      two is not shown
    ");
    assert_snapshot!(with("name = \"v\"", "name = \"w\""), @r"
    docker_volume.v: a postcondition does not hold
      w is no good name
    ");
}

#[test]
fn checks_warn_and_hold_up_nothing() {
    let config = r#"
resource "docker_volume" "v" {
  name = "v"
}
check "names" {
  assert {
    condition     = docker_volume.v.name == "w"
    error_message = "the name is ${docker_volume.v.name}"
  }
  assert {
    condition     = docker_volume.v.id == "known only after apply"
    error_message = "nothing is said of this yet"
  }
}
"#;
    assert_snapshot!(check_plan(config, &World::default()), @r"
    check `names` fails
      the name is v
    + docker_volume.v
    ");
}

#[test]
fn all_changes_may_be_ignored() {
    let config = "resource \"docker_volume\" \"v\" {\n name = \"a\"\n labels = { x = \"1\" }\n lifecycle {\n ignore_changes = all\n }\n}";
    let world = settled(config);
    assert_snapshot!(check_plan(&config.replace("\"1\"", "\"2\"").replace("\"a\"", "\"b\""), &world), @"nothing to do");
}

const TRIGGERED: &str = r#"
resource "docker_volume" "a" {
  name   = "a"
  labels = { x = "1" }
}
resource "docker_volume" "b" {
  for_each = toset(["one", "two"])
  name     = each.key
  labels   = { x = each.key }
}
resource "docker_volume" "c" {
  name = "c"
  lifecycle {
    replace_triggered_by = [TRIGGERS]
  }
}
"#;

/// What a change of a label in `a` and in `b["two"]` does to `c`.
fn check_trigger(triggers: &str) -> String {
    let config = TRIGGERED.replace("TRIGGERS", triggers);
    let changed =
        config.replace("\"1\"", "\"2\"").replace("{ x = each.key }", "{ x = replace(each.key, \"two\", \"2\") }");
    let mut world = settled(&config);
    let said = check_plan(&changed, &world);
    world.apply(&changed);
    assert_eq!(check_plan(&changed, &world), "nothing to do");
    said
}

#[test]
fn what_looks_at_something_that_changes_is_made_anew() {
    assert_snapshot!(check_trigger("docker_volume.a"), @r#"
    ~ docker_volume.a
    ~ docker_volume.b["two"]
    -/+ docker_volume.c; `docker_volume.a` changes
    "#);
    assert_snapshot!(check_trigger("docker_volume.a.id, docker_volume.b[\"one\"], docker_volume.a.labels.y"), @r#"
    ~ docker_volume.a
    ~ docker_volume.b["two"]
    "#);
    assert_snapshot!(check_trigger("docker_volume.a.labels[\"x\"]"), @r#"
    ~ docker_volume.a
    ~ docker_volume.b["two"]
    -/+ docker_volume.c; `docker_volume.a.labels["x"]` changes
    "#);
    assert_snapshot!(check_trigger("docker_volume.b"), @r#"
    ~ docker_volume.a
    ~ docker_volume.b["two"]
    -/+ docker_volume.c; `docker_volume.b` changes
    "#);
    assert_snapshot!(check_trigger("docker_volume.b[\"two\"].labels"), @r#"
    ~ docker_volume.a
    ~ docker_volume.b["two"]
    -/+ docker_volume.c; `docker_volume.b["two"].labels` changes
    "#);
}

#[test]
fn a_trigger_names_something_that_can_be_changed() {
    let check = |triggers: &str| check_plan(&TRIGGERED.replace("TRIGGERS", triggers), &World::default());
    assert_snapshot!(check("local.x, docker_volume.b[*].id, 1 + 1"), @r"
    this names nothing that can be changed
      hint: name a machine, service or resource, an instance or an attribute of it: `docker_volume.data.driver`
    this names nothing that can be changed
      hint: name a machine, service or resource, an instance or an attribute of it: `docker_volume.data.driver`
    this names nothing that can be changed
      hint: name a machine, service or resource, an instance or an attribute of it: `docker_volume.data.driver`
    `local.x` is not declared
      hint: there is no local at all
    ");
    assert_snapshot!(check("docker_volume.d"), @r"
    `docker_volume.d` is not declared
      hint: did you mean `docker_volume.a`?
    ");
    assert_snapshot!(check("docker_volume.b[null]"), @r"
    this names nothing that can be changed
      hint: name a machine, service or resource, an instance or an attribute of it: `docker_volume.data.driver`
    ");
}

const CHECKED: &str = r#"
resource "docker_volume" "v" { name = "v" }
check "engine" {
  data "docker_engine" "e" {
    name = NAME
  }
  assert {
    condition     = data.docker_engine.e.id == "other"
    error_message = "it is ${data.docker_engine.e.id}"
  }
}
"#;

#[test]
fn what_a_check_reads_is_never_an_error() {
    let check = |name: &str| check_plan(&CHECKED.replace("NAME", name), &World::default());
    assert_snapshot!(check("\"here\""), @r"
    ? data of data.docker_engine.e
    check `engine` fails
      it is known
    + docker_volume.v
    ");
    assert_snapshot!(check("\"missing\""), @r"
    ? data of data.docker_engine.e
    there is no such engine
    + docker_volume.v
    ");
    assert_snapshot!(check("docker_volume.v.id"), @r"
    + docker_volume.v
    <= data.docker_engine.e; some of its arguments are known only after apply
    ");
    assert_snapshot!(check("[]"), @r"
    data.docker_engine.e: `name` does not take this
      string required, but have tuple
    ");
    let outside = CHECKED.replace("NAME", "\"a\"")
        + "output \"o\" {\n  value = data.docker_engine.e.id\n}\ncheck \"two\" {\n  assert {\n    condition = data.docker_engine.e.id == 1\n    error_message = \"\"\n  }\n}\n";
    assert_snapshot!(check_plan(&outside, &World::default()), @r"
    `data.docker_engine.e` is read for the check `engine` alone
      hint: write its block outside of the check
    `data.docker_engine.e` is read for the check `engine` alone
      hint: write its block outside of the check
    ");
    assert_snapshot!(check("\"a\"\n    count = 2"), @r#"
    what a check reads is read once
      hint: write the block outside of the check, or one for each
    `data.docker_engine.e` is not declared
      hint: declare it: `data "docker_engine" "e" { … }`
    `data.docker_engine.e` is not declared
      hint: declare it: `data "docker_engine" "e" { … }`
    "#);
}
