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
      hint: there are `docker_volume.a`, `docker_volume.b`, `docker_volume.c`
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
    data.docker_engine.e: there is no such engine
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

/// `front` and the network that it refers to take their predecessors' places.
const IN_PLACE: &str = r#"
machine "docker" "here" {
  platform = "linux/amd64"
}
resource "docker_volume" "base" {
  name = "base"
}
resource "docker_volume" "aside" {
  name = "aside"
}
resource "docker_volume" "front" {
  name   = docker_volume.base.id
  labels = { of = docker_volume.aside.name }
  lifecycle {
    create_before_destroy = true
  }
}
resource "docker_volume" "behind" {
  name = docker_volume.front.id
}
pool "all" {
  machines = [machine.docker.here]
}
service "web" {
  pool  = pool.all
  image = "nginx:1.27"
  lifecycle {
    create_before_destroy = true
  }
}
output "names" {
  value = service.web.replicas[*].name
}
"#;

#[test]
fn what_is_made_first_takes_what_it_needs_along() {
    let world = settled(IN_PLACE);
    assert_snapshot!(check_plan(&IN_PLACE.replace("\"base\"\n", "\"other\"\n"), &world), @r"
    ? image nginx:1.27
    +/- docker_volume.base; name
    -/+ docker_volume.behind; name
    +/- docker_volume.front; name
    ");
    // What only refers to it is changed while both are there.
    assert_snapshot!(check_plan(&IN_PLACE.replace("\"aside\"\n", "\"other\"\n"), &world), @"
    ? image nginx:1.27
    +/- docker_volume.aside; name
    ~ docker_volume.front
    ");
}

#[test]
fn a_replica_that_is_made_first_has_another_name() {
    let mut world = settled(IN_PLACE);
    let second = IN_PLACE.replace("nginx:1.27", "nginx:1.28");
    assert_snapshot!(check_plan(&second, &world), @r#"
    ? image nginx:1.28
    +/- service.web.replica[0] on machine.docker.here (nginx@sha256:1.28/amd64); image
    output names = Some(["web-0.g1"])
    "#);
    world.apply(&second);
    assert_snapshot!(check_plan(&second, &world), @r"
    ? image nginx:1.28
    nothing to do
    ");
    assert_snapshot!(check_plan(IN_PLACE, &world), @r#"
    ? image nginx:1.27
    +/- service.web.replica[0] on machine.docker.here (nginx@sha256:1.27/amd64); image
    output names = Some(["web-0.g2"])
    "#);
    // Without the wish it keeps the name that it has.
    assert_snapshot!(check_plan(&second.replace("create_before_destroy = true", "").replace("nginx:1.28", "nginx:1.27"), &world), @r"
    ? image nginx:1.27
    -/+ service.web.replica[0] on machine.docker.here (nginx@sha256:1.27/amd64); image
    ");
}

#[test]
fn two_can_not_have_one_host_port() {
    let config = IN_PLACE.replace(
        "image = \"nginx:1.27\"",
        "image = \"nginx:1.27\"\n  port {\n    host      = 80\n    container = 80\n  }",
    );
    let world = settled(&config);
    assert_snapshot!(check_plan(&config.replace("nginx:1.27", "nginx:1.28"), &world), @r"
    ? image nginx:1.28
    -/+ service.web.replica[0] on machine.docker.here (nginx@sha256:1.28/amd64); it is removed first: two can't have its host port; image
    ");
    // Another port can be had at the same time.
    assert_snapshot!(check_plan(&config.replace("nginx:1.27", "nginx:1.28").replace("host      = 80", "host      = 81"), &world), @r#"
    ? image nginx:1.28
    +/- service.web.replica[0] on machine.docker.here (nginx@sha256:1.28/amd64); image, port
    output names = Some(["web-0.g1"])
    "#);
}

#[test]
fn what_another_one_has_taken_the_place_of_is_removed() {
    let mut world = settled(IN_PLACE);
    let move_to = |world: &mut World, from: &str, to: &str| {
        let stored = world.observed.objects.get(&from.parse().unwrap()).cloned().unwrap();
        world.observed.objects.insert(to.parse().unwrap(), stored);
    };
    move_to(&mut world, "docker_volume.front", "docker_volume.front.deposed[3]");
    assert_snapshot!(check_plan(IN_PLACE, &world), @r"
    ? image nginx:1.27
    - docker_volume.front.deposed[3]; another `docker_volume.front` has taken its place
    ");
    assert_snapshot!(check_plan(&IN_PLACE.replace("docker_volume.base.id", "\"other\""), &world), @r"
    ? image nginx:1.27
    -/+ docker_volume.behind; name
    +/- docker_volume.front; name
    - docker_volume.front.deposed[3]; another `docker_volume.front` has taken its place
    ");
    // What protects an object does not protect what it has taken the place of.
    let protected = IN_PLACE.replace("create_before_destroy = true", "prevent_destroy = true");
    assert_snapshot!(check_plan(&protected, &world), @r"
    ? image nginx:1.27
    - docker_volume.front.deposed[3]; another `docker_volume.front` has taken its place
    ");
    // Its successor was never made.
    world.observed.objects.remove(&"docker_volume.front".parse().unwrap());
    assert_snapshot!(check_plan(IN_PLACE, &world), @r"
    ? image nginx:1.27
    docker_volume.front.deposed[3] is now docker_volume.front
    ");
    move_to(&mut world, "docker_volume.front.deposed[3]", "docker_volume.front.deposed[1]");
    assert_snapshot!(check_plan(IN_PLACE, &world), @r"
    ? image nginx:1.27
    docker_volume.front.deposed[3] is now docker_volume.front
    - docker_volume.front.deposed[1]; another `docker_volume.front` has taken its place
    ");
}

#[test]
fn what_would_wait_for_its_own_removal_is_removed_first() {
    // The replica can't be made before it is removed, and can't be removed while what needs it is there.
    let port = "image = \"nginx:1.27\"\n  port {\n    host      = 80\n    container = 80\n  }";
    let config = IN_PLACE.replace("image = \"nginx:1.27\"", port)
        + r#"
resource "docker_volume" "log" {
  name = "log"
  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [service.web]
  }
}
"#;
    let world = settled(&config);
    assert_snapshot!(check_plan(&config.replace("nginx:1.27", "nginx:1.28"), &world), @r"
    ? image nginx:1.28
    -/+ service.web.replica[0] on machine.docker.here (nginx@sha256:1.28/amd64); it is removed first: two can't have its host port; image
    -/+ docker_volume.log; `service.web` changes
    ");
}

#[test]
fn what_was_protected_is_so_without_its_block() {
    let protected = "resource \"docker_volume\" \"v\" {\n name = \"a\"\n lifecycle {\n prevent_destroy = true\n }\n}";
    let mut world = settled(protected);
    assert_snapshot!(check_plan("", &world), @r"
    docker_volume.v: `docker_volume.v` would be destroyed, but `prevent_destroy` protects it
      its block is gone, and said so when it was last applied: that still holds
      hint: put its block back with `prevent_destroy = false` and apply that first; or write this, then it is forgotten, and goes on existing:
      removed {
        from = docker_volume.v
        lifecycle {
          destroy = false
        }
      }
    ");
    assert_snapshot!(world.plan("", Mode::Destroy).unwrap_err(), @r"
    docker_volume.v: `docker_volume.v` would be destroyed, but `prevent_destroy` protects it
      its block is gone, and said so when it was last applied: that still holds
      hint: put its block back with `prevent_destroy = false` and apply that first; or write this, then it is forgotten, and goes on existing:
      removed {
        from = docker_volume.v
        lifecycle {
          destroy = false
        }
      }
    ");
    let kept = "removed {\n from = docker_volume.v\n lifecycle {\n destroy = false\n }\n}";
    assert_snapshot!(check_plan(kept, &world), @"forget docker_volume.v");
    world.apply(&protected.replace("true", "false"));
    assert_snapshot!(check_plan("", &world), @"- docker_volume.v; `docker_volume.v` is not in the configuration any more");
}

/// Both are made anew with `aside`, and what they are called stays.
const NAMED: &str = r#"
provider "metal" {}
resource "docker_volume" "aside" {
  name = "first"
}
resource "docker_volume" "base" {
  name = "base"
  lifecycle {
    replace_triggered_by = [docker_volume.aside]
  }
}
resource "docker_volume" "data" {
  name   = "data"
  labels = { base = docker_volume.base.name }
  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [docker_volume.aside]
  }
}
machine "metal" "board" {
  host     = "board"
  platform = "linux/arm64"
  lifecycle {
    create_before_destroy = true
    replace_triggered_by  = [docker_volume.aside]
  }
}
output "names" {
  value = [docker_volume.base.name, docker_volume.data.name, docker_volume.data.labels]
}
"#;

#[test]
fn a_name_that_two_can_not_have_gets_a_generation() {
    let mut world = settled(NAMED);
    let second = NAMED.replace("\"first\"", "\"second\"");
    assert_snapshot!(check_plan(&second, &world), @r#"
    -/+ machine.metal.board; `docker_volume.aside` changes
    +/- docker_volume.aside; name
    +/- docker_volume.base; `docker_volume.aside` changes
    +/- docker_volume.data; `docker_volume.aside` changes
    output names = Some(["base-g1", "data-g1", {"base": "base-g1"}])
    "#);
    world.apply(&second);
    assert_snapshot!(check_plan(&second, &world), @"nothing to do");
    assert_snapshot!(check_plan(NAMED, &world), @r#"
    -/+ machine.metal.board; `docker_volume.aside` changes
    +/- docker_volume.aside; name
    +/- docker_volume.base; `docker_volume.aside` changes
    +/- docker_volume.data; `docker_volume.aside` changes
    output names = Some(["base-g2", "data-g2", {"base": "base-g2"}])
    "#);
    // Without the wish it keeps the name that it has; another name is taken as it is.
    let last = NAMED.replace("    create_before_destroy = true\n", "");
    assert_snapshot!(check_plan(&last, &world), @"
    -/+ machine.metal.board; `docker_volume.aside` changes
    -/+ docker_volume.aside; name
    -/+ docker_volume.base; `docker_volume.aside` changes
    -/+ docker_volume.data; `docker_volume.aside` changes
    ");
    world.apply(&last);
    assert_snapshot!(check_plan(&last.replace("name   = \"data\"", "name   = \"other\""), &world), @r#"
    -/+ docker_volume.data; name
    output names = Some(["base-g1", "other", {"base": "base-g1"}])
    "#);
}

#[test]
fn a_name_that_is_not_known_yet_gets_its_generation_when_it_is() {
    let config = NAMED.replace("name   = \"data\"", "name   = \"data-${docker_volume.aside.id == null}\"");
    let mut world = settled(&config);
    let second = config.replace("\"first\"", "\"second\"");
    world.apply(&second);
    assert_snapshot!(check_plan(&second, &world), @"nothing to do");
    assert_snapshot!(format!("{:?}", world.observed.outputs["names"]), @r#"["base-g1", "data-false-g1", {"base": "base-g1"}]"#);
}
