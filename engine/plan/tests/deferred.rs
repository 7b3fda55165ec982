//! What providers can't say yet: it is left for the next apply, with what needs it, and everything else goes on.

mod world;

use insta::assert_snapshot;
use world::{World, check_plan, settled};

const CONFIG: &str = r#"
resource "late_thing" "a" {
  name = "later"
}
resource "late_thing" "b" {
  name  = "b"
  input = late_thing.a.id
}
resource "late_thing" "c" {
  name  = "c"
  input = late_thing.b.name
}
resource "docker_volume" "v" {
  name = "v"
}
output "v" {
  value = docker_volume.v.name
}
output "a" {
  value = late_thing.a.id
}
"#;

#[test]
fn what_can_not_be_said_yet_is_deferred_with_what_needs_it() {
    assert_snapshot!(check_plan(CONFIG, &World::default()), @r#"
    + docker_volume.v
    ! late_thing.a; deferred: the sun is not up
    ! late_thing.b; deferred, as it needs `late_thing.a`
    ! late_thing.c; deferred, as it needs `late_thing.b`
    output v = Some("v")
    "#);
}

#[test]
fn what_exists_stays_as_it_is_until_its_provider_can_say() {
    let before = CONFIG.replace("\"later\"", "\"early\"");
    let world = settled(&before);
    assert_snapshot!(check_plan(CONFIG, &world), @"! late_thing.a; deferred: the sun is not up");
    // What only the deferred one knows changes in neither.
    assert_snapshot!(check_plan(&CONFIG.replace("\"c\"\n", "\"d\"\n"), &world), @r"
    ~ late_thing.c
    ! late_thing.a; deferred: the sun is not up
    ");
}

#[test]
fn what_is_not_needed_any_more_goes() {
    let world = settled(&CONFIG.replace("\"later\"", "\"early\""));
    let config = "resource \"late_thing\" \"a\" {\n  name = \"later\"\n}\n";
    assert_snapshot!(check_plan(config, &world), @r"
    - docker_volume.v; `docker_volume.v` is not in the configuration any more
    - late_thing.b; `late_thing.b` is not in the configuration any more
    - late_thing.c; `late_thing.c` is not in the configuration any more
    ! late_thing.a; deferred: the sun is not up
    output a = None
    output v = None
    ");
}

#[test]
fn a_provider_that_misses_an_argument_is_asked_again_in_the_next_apply() {
    let config = r#"
resource "docker_volume" "v" {
  name = "v"
}
resource "late_thing" "a" {
  name = docker_volume.v.id
}
"#;
    let mut world = World::default();
    assert_snapshot!(check_plan(config, &world), @r"
    + docker_volume.v
    ! late_thing.a; deferred: what it is called is not known
    ");
    world.apply(&config[..config.find("resource \"late").unwrap()]);
    assert_snapshot!(check_plan(config, &world), @"+ late_thing.a");
}

#[test]
fn a_data_source_is_deferred_with_what_needs_it() {
    let config = r#"
data "late_answer" "d" {
  name = "later"
}
resource "docker_volume" "v" {
  name = data.late_answer.d.id
}
resource "docker_volume" "w" {
  name = "w"
}
data "late_answer" "e" {
  name = docker_volume.v.id
}
check "c" {
  data "late_answer" "of_check" {
    name = "later"
  }
  assert {
    condition     = data.late_answer.of_check.id != ""
    error_message = "it has no id"
  }
}
"#;
    assert_snapshot!(check_plan(config, &World::default()), @r"
    ? data of data.late_answer.d
    ? data of data.late_answer.of_check
    data.late_answer.of_check: this can't be said yet
      the sun is not up
    + docker_volume.w
    ! docker_volume.v; deferred, as it needs `data.late_answer.d`
    ! data.late_answer.d; deferred: the sun is not up
    ! data.late_answer.e; deferred, as it needs `docker_volume.v`
    ");
}

#[test]
fn what_can_not_be_read_yet_is_left_alone() {
    let config = "resource \"docker_volume\" \"v\" {\n  name = \"v\"\n}\nresource \"docker_volume\" \"w\" {\n  name = docker_volume.v.id\n}\n";
    let mut world = settled(config);
    world.observed.deferred.insert("docker_volume.v".parse().unwrap(), "the sun is not up".to_owned());
    assert_snapshot!(check_plan(config, &world), @"! docker_volume.v; deferred: the sun is not up");
    assert_snapshot!(check_plan(&config.replace("\"v\"\n", "\"x\"\n"), &world), @"! docker_volume.v; deferred: the sun is not up");
    // Who removes it finds out.
    assert_snapshot!(check_plan("", &world), @r"
    - docker_volume.v; `docker_volume.v` is not in the configuration any more
    - docker_volume.w; `docker_volume.w` is not in the configuration any more
    ");
}

#[test]
fn a_service_waits_for_the_machine_that_is_its_only_place() {
    let config = r#"
machine "metal" "m" {
  host     = "later"
  platform = "linux/amd64"
}
pool "p" {
  machines = [machine.metal.m]
}
service "web" {
  pool     = pool.p
  image    = "nginx:1.27"
  replicas = 2
}
resource "docker_volume" "v" {
  name       = "v"
  depends_on = [service.web]
}
output "names" {
  value = [for replica in service.web.replicas : replica.name]
}
"#;
    let mut world = World::default();
    assert_snapshot!(check_plan(config, &world), @"
    ! machine.metal.m; deferred: it is not switched on
    ! service.web; deferred, as it needs `machine.metal.m`
    ! docker_volume.v; deferred, as it needs `service.web`
    ");
    assert_snapshot!(check_plan(&config.replace("replicas = 2", "replicas = 3"), &settled(&config.replace("later", "now"))), @"
    ? image nginx:1.27
    ! machine.metal.m; deferred: it is not switched on
    ! service.web.replica[2] on machine.metal.m (nginx@sha256:1.27/amd64); deferred, as it needs `machine.metal.m`
    ");
    world.apply(&config.replace("later", "now"));
    assert_snapshot!(check_plan(&config.replace("later", "now"), &world), @"
    ? image nginx:1.27
    nothing to do
    ");
}
