//! Plans that are not about everything: `-target`, `-exclude`, `-replace`, `-refresh-only`.

mod world;

use std::collections::BTreeSet;

use bimetal_model::question::Drift;
use bimetal_model::{Address, Selector, Value};
use bimetal_plan::{Mode, Options, looked_at};
use insta::assert_snapshot;
use world::{World, check_plan, check_plan_with, read, settled};

const FLEET: &str = r#"
machine "docker" "m" {
  count    = 3
  platform = "linux/amd64"
}
pool "all" {
  machines = [machine.docker.m]
}
resource "docker_volume" "data" {
  name = "data"
}
service "web" {
  pool     = pool.all
  image    = "nginx:1.27"
  replicas = 3
  hostname = docker_volume.data.id
  port {
    host      = 80
    container = 80
  }
}
service "api" {
  pool  = pool.all
  image = "nginx:1.28"
  port {
    host      = 81
    container = 80
  }
}
output "web" {
  value = service.web.replicas[0].image
}
output "data" {
  value = docker_volume.data.name
}
"#;

fn selectors(names: &[&str]) -> Vec<Selector> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn targets(names: &[&str]) -> Options {
    Options { targets: selectors(names), ..Options::default() }
}

fn excludes(names: &[&str]) -> Options {
    Options { excludes: selectors(names), ..Options::default() }
}

fn replace(names: &[&str]) -> Options {
    Options { replace: selectors(names), ..Options::default() }
}

#[test]
fn a_target_takes_along_what_it_needs() {
    assert_snapshot!(check_plan_with(FLEET, &World::default(), targets(&["service.web.replica[1]"])), @r#"
    ? image nginx:1.27
    this plan is a part of what the configuration asks for: `-target=service.web.replica[1]`
      what is left out stays as it is, whatever the configuration says; the output `web` rests on what is left out, and stays as it is
      hint: plan everything again when this is done
    + machine.docker.m[1]
    + service.web.replica[1] on machine.docker.m[1] (nginx@sha256:1.27/amd64)
    + docker_volume.data
    output data = Some("data")
    "#);
    assert_snapshot!(check_plan_with(FLEET, &World::default(), targets(&["docker_volume.data", "machine.docker.m[2]"])), @r#"
    this plan is a part of what the configuration asks for: `-target=docker_volume.data`, `-target=machine.docker.m[2]`
      what is left out stays as it is, whatever the configuration says; the output `web` rests on what is left out, and stays as it is
      hint: plan everything again when this is done
    + machine.docker.m[2]
    + docker_volume.data
    output data = Some("data")
    "#);
    assert_snapshot!(check_plan_with(FLEET, &World::default(), targets(&["pool.all"])), @r"
    this plan is a part of what the configuration asks for: `-target=pool.all`
      what is left out stays as it is, whatever the configuration says; outputs that rest on what is left out stay as they are: `data`, `web`
      hint: plan everything again when this is done
    + machine.docker.m[0]
    + machine.docker.m[1]
    + machine.docker.m[2]
    ");
}

#[test]
fn what_is_left_out_stays_as_it_is() {
    let changed = FLEET.replace("nginx:1.27", "nginx:1.28").replace("\"data\"\n}", "\"other\"\n}");
    assert_snapshot!(check_plan_with(&changed, &settled(FLEET), targets(&["service.api"])), @r"
    ? image nginx:1.28
    this plan is a part of what the configuration asks for: `-target=service.api`
      what is left out stays as it is, whatever the configuration says; outputs that rest on what is left out stay as they are: `data`, `web`
      hint: plan everything again when this is done
    nothing to do
    ");
    assert_snapshot!(check_plan_with(&changed, &settled(FLEET), targets(&["service.web.replica[0]"])), @r#"
    ? image nginx:1.28
    this plan is a part of what the configuration asks for: `-target=service.web.replica[0]`
      what is left out stays as it is, whatever the configuration says; the output `web` rests on what is left out, and stays as it is
      hint: plan everything again when this is done
    -/+ service.web.replica[0] on machine.docker.m[1] (nginx@sha256:1.28/amd64); image
    -/+ docker_volume.data; name
    output data = Some("other")
    "#);
    assert_snapshot!(check_plan_with("", &settled(FLEET), targets(&["service.api"])), @r"
    this plan is a part of what the configuration asks for: `-target=service.api`
      what is left out stays as it is, whatever the configuration says
      hint: plan everything again when this is done
    - service.api.replica[0]; `service.api` is not in the configuration any more
    output data = None
    output web = None
    ");
    let mut world = settled(FLEET);
    let (plan, _) = world.plan(&changed, targets(&["service.web.replica[0]"])).unwrap();
    world.settle(&changed, &plan);
    assert_snapshot!(check_plan(&changed, &world), @r#"
    ? image nginx:1.28
    -/+ service.web.replica[1] on machine.docker.m[2] (nginx@sha256:1.28/amd64); image
    -/+ service.web.replica[2] on machine.docker.m[0] (nginx@sha256:1.28/amd64); image
    output web = Some("nginx@sha256:1.28/amd64")
    "#);
}

#[test]
fn what_is_not_planned_keeps_its_ports() {
    let config = FLEET.replace("    host      = 81", "    host      = 80").replace("replicas = 3", "replicas = 2");
    let world = settled(&config);
    let more = format!(
        "{config}service \"more\" {{\n  pool = pool.all\n  image = \"nginx:1.27\"\n  port {{\n    host = 80\n    container = 80\n  }}\n}}\n"
    );
    assert_snapshot!(check_plan_with(&more, &world, targets(&["service.more"])), @r"
    ? image nginx:1.27
    service.more.replica[0]: `service.more.replica[0]` fits on no node
      machine.docker.m[0], machine.docker.m[1], machine.docker.m[2]: port 80 is taken
      hint: a host port can be used once a node: add machines, or ask for fewer replicas
    ");
}

#[test]
fn what_is_excluded_is_left_out_with_what_needs_it() {
    assert_snapshot!(check_plan_with(FLEET, &World::default(), excludes(&["docker_volume.data"])), @r"
    ? image nginx:1.28
    this plan is a part of what the configuration asks for: `-exclude=docker_volume.data`
      what is left out stays as it is, whatever the configuration says; outputs that rest on what is left out stay as they are: `data`, `web`
      hint: plan everything again when this is done
    + machine.docker.m[0]
    + machine.docker.m[1]
    + machine.docker.m[2]
    + service.api.replica[0] on machine.docker.m[0] (nginx@sha256:1.28/amd64)
    ");
    assert_snapshot!(check_plan_with(FLEET, &World::default(), excludes(&["machine.docker.m[1]", "service.api"])), @r#"
    ? image nginx:1.27
    this plan is a part of what the configuration asks for: `-exclude=machine.docker.m[1]`, `-exclude=service.api`
      what is left out stays as it is, whatever the configuration says; the output `web` rests on what is left out, and stays as it is
      hint: plan everything again when this is done
    + machine.docker.m[0]
    + machine.docker.m[2]
    + service.web.replica[0] on machine.docker.m[0] (nginx@sha256:1.27/amd64)
    + service.web.replica[2] on machine.docker.m[2] (nginx@sha256:1.27/amd64)
    + docker_volume.data
    output data = Some("data")
    "#);
    assert_snapshot!(check_plan_with(FLEET, &World::default(), excludes(&["machine.docker.m"])), @r#"
    this plan is a part of what the configuration asks for: `-exclude=machine.docker.m`
      what is left out stays as it is, whatever the configuration says; the output `web` rests on what is left out, and stays as it is
      hint: plan everything again when this is done
    + docker_volume.data
    output data = Some("data")
    "#);
    assert_snapshot!(check_plan_with("", &settled(FLEET), excludes(&["service.web.replica[1]"])), @r"
    this plan is a part of what the configuration asks for: `-exclude=service.web.replica[1]`
      what is left out stays as it is, whatever the configuration says
      hint: plan everything again when this is done
    - machine.docker.m[0]; `machine.docker.m` is not in the configuration any more
    - machine.docker.m[1]; `machine.docker.m` is not in the configuration any more
    - service.api.replica[0]; `service.api` is not in the configuration any more
    - service.web.replica[0]; `service.web` is not in the configuration any more
    - service.web.replica[2]; `service.web` is not in the configuration any more
    output data = None
    output web = None
    ");
}

#[test]
fn a_machine_that_is_left_out_and_not_there_gets_nothing() {
    let config = "machine \"docker\" \"a\" {\n platform = \"linux/amd64\"\n}\nmachine \"docker\" \"b\" {\n platform = \"linux/amd64\"\n}\npool \"all\" {\n machines = [machine.docker.a, machine.docker.b]\n}\nservice \"web\" {\n pool = pool.all\n image = \"nginx:1.27\"\n replicas = 2\n}\n";
    assert_snapshot!(check_plan_with(config, &World::default(), excludes(&["machine.docker.b"])), @r"
    ? image nginx:1.27
    this plan is a part of what the configuration asks for: `-exclude=machine.docker.b`
      what is left out stays as it is, whatever the configuration says
      hint: plan everything again when this is done
    + machine.docker.a
    + service.web.replica[0] on machine.docker.a (nginx@sha256:1.27/amd64)
    + service.web.replica[1] on machine.docker.a (nginx@sha256:1.27/amd64)
    ");
}

#[test]
fn a_target_helps_where_instances_are_not_known() {
    let config = r#"
resource "docker_volume" "a" {
  name = "a"
}
locals {
  names = toset([docker_volume.a.id, "b"])
}
resource "docker_volume" "b" {
  for_each = local.names
  name     = each.key
}
resource "docker_volume" "c" {
  count = docker_volume.a.id == "x" ? 1 : 0
  name  = "c"
}
"#;
    assert_snapshot!(check_plan(config, &World::default()), @r"
    docker_volume.b: `for_each` depends on what is known only after apply
      `docker_volume.a.id` is known only after apply
      hint: `bimetal apply -target=docker_volume.a` makes that first; or use what the configuration itself knows, as names, and let only the values come from elsewhere
    docker_volume.c: `count` depends on what is known only after apply
      `docker_volume.a.id` is known only after apply
      hint: `bimetal apply -target=docker_volume.a` makes that first; or use what the configuration itself knows, as names, and let only the values come from elsewhere
    ");
    assert_snapshot!(check_plan_with(config, &World::default(), targets(&["docker_volume.a"])), @r"
    this plan is a part of what the configuration asks for: `-target=docker_volume.a`
      what is left out stays as it is, whatever the configuration says
      hint: plan everything again when this is done
    + docker_volume.a
    ");
    assert_snapshot!(check_plan_with(config, &World::default(), excludes(&["docker_volume.b"])), @r"
    docker_volume.c: `count` depends on what is known only after apply
      `docker_volume.a.id` is known only after apply
      hint: `bimetal apply -target=docker_volume.a` makes that first; or use what the configuration itself knows, as names, and let only the values come from elsewhere
    ");
}

#[test]
fn names_that_mean_nothing_are_told() {
    let world = settled(FLEET);
    let check = |options| check_plan_with(FLEET, &world, options);
    assert_snapshot!(check(targets(&["service.wep"])), @r"
    `-target=service.wep` names nothing
      neither the configuration nor the state knows it
      hint: did you mean `service.web`?
    ");
    assert_snapshot!(check(targets(&["service.web.replica[7]"])), @r"
    ? image nginx:1.27
    `-target=service.web.replica[7]` names nothing
      `service.web` has no such instance
      hint: did you mean `service.web.replica[0]`?
    ");
    assert_snapshot!(check(excludes(&["machine.docker.m[\"a\"]"])), @r#"
    ? image nginx:1.28
    ? image nginx:1.27
    `-exclude=machine.docker.m["a"]` names nothing
      `machine.docker.m` has no such instance
      hint: did you mean `machine.docker.m[0]`?
    "#);
    assert_snapshot!(check(replace(&["module.x"])), @r"
    `-replace=module.x` names nothing
      neither the configuration nor the state knows it
      hint: `bimetal state list` shows what exists
    ");
    assert_snapshot!(check(replace(&["machine.docker.m"])), @r"
    ? image nginx:1.28
    ? image nginx:1.27
    `machine.docker.m` has several instances, and `-replace` makes one anew
      hint: name the instance, as `machine.docker.m[0]`; the option may be given several times
    ");
    assert_snapshot!(check(replace(&["pool.all"])), @r"
    ? image nginx:1.28
    ? image nginx:1.27
    `-replace=pool.all` names nothing
      it is nothing that the configuration makes
      hint: `bimetal state list` shows what exists
    ");
}

#[test]
fn what_is_to_be_replaced_is() {
    let world = settled(FLEET);
    assert_snapshot!(check_plan_with(FLEET, &world, replace(&["service.web.replica[1]", "docker_volume.data"])), @r"
    ? image nginx:1.28
    ? image nginx:1.27
    ~ service.web.replica[0] on machine.docker.m[1] (nginx@sha256:1.27/amd64)
    -/+ service.web.replica[1] on machine.docker.m[2] (nginx@sha256:1.27/amd64); asked for with `-replace`
    ~ service.web.replica[2] on machine.docker.m[0] (nginx@sha256:1.27/amd64)
    -/+ docker_volume.data; asked for with `-replace`
    ");
    assert_snapshot!(check_plan_with(FLEET, &world, replace(&["service.api"])), @r"
    ? image nginx:1.28
    ? image nginx:1.27
    -/+ service.api.replica[0] on machine.docker.m[0] (nginx@sha256:1.28/amd64); asked for with `-replace`
    ");
    // What does not exist is made anyway.
    assert_snapshot!(check_plan_with(FLEET, &World::default(), Options { targets: selectors(&["docker_volume.data"]), ..replace(&["docker_volume.data"]) }), @r#"
    this plan is a part of what the configuration asks for: `-target=docker_volume.data`
      what is left out stays as it is, whatever the configuration says; the output `web` rests on what is left out, and stays as it is
      hint: plan everything again when this is done
    + docker_volume.data
    output data = Some("data")
    "#);
}

#[test]
fn destroying_a_part_takes_along_what_needs_it() {
    let world = settled(FLEET);
    let destroy = |options| Options { mode: Mode::Destroy, ..options };
    assert_snapshot!(check_plan_with(FLEET, &world, destroy(targets(&["docker_volume.data"]))), @r"
    this plan is a part of what the configuration asks for: `-target=docker_volume.data`
      what is left out stays as it is, whatever the configuration says
      hint: plan everything again when this is done
    - service.web.replica[0]
    - service.web.replica[1]
    - service.web.replica[2]
    - docker_volume.data
    output data = None
    output web = None
    ");
    assert_snapshot!(check_plan_with(FLEET, &world, destroy(excludes(&["service.web.replica[0]"]))), @r"
    this plan is a part of what the configuration asks for: `-exclude=service.web.replica[0]`
      what is left out stays as it is, whatever the configuration says; the output `data` rests on what is left out, and stays as it is
      hint: plan everything again when this is done
    - machine.docker.m[0]
    - machine.docker.m[2]
    - service.api.replica[0]
    - service.web.replica[1]
    - service.web.replica[2]
    output web = None
    ");
}

#[test]
fn what_goes_must_not_be_needed_by_what_stays() {
    let fewer = FLEET.replace("count    = 3", "count    = 2");
    assert_snapshot!(check_plan_with(&fewer, &settled(FLEET), targets(&["machine.docker.m"])), @r"
    machine.docker.m[2]: `machine.docker.m[2]` can't be removed while `service.web.replica[1]` stays
      it needs it, and is left out of this plan
      hint: add `-target=service.web`, or plan everything
    ");
}

#[test]
fn only_state_changes_where_only_that_is_asked_for() {
    let mut world = settled(FLEET);
    let before = world.object("docker_volume.data").object.value.clone();
    let after: Value = [("name", Value::from("renamed")), ("id", Value::from("x"))].into_iter().collect();
    world.object("docker_volume.data").object.value = after.clone();
    world.observed.drift.push(Drift { address: "docker_volume.data".parse().unwrap(), before, after: Some(after) });
    let (plan, _) = world.plan(&FLEET.replace("count    = 3", "count    = 9"), Mode::RefreshOnly).unwrap();
    assert_eq!((plan.is_empty(), plan.effects().count(), plan.changes.len()), (false, 0, 8));
    assert_snapshot!(world::shown(&plan), @r#"output data = Some("renamed")"#);
    world.observed.drift.clear();
    assert!(world.plan("", Mode::RefreshOnly).unwrap().0.is_empty());
}

#[test]
fn only_what_a_plan_is_about_is_looked_at() {
    let world = settled(FLEET);
    let check = |options: Options, config: &str| {
        let objects = &world.observed.objects;
        let looked: BTreeSet<Address> = looked_at(&read(config).unwrap(), objects, &options, &world.providers);
        looked.iter().map(Address::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_snapshot!(check(targets(&["docker_volume.data"]), FLEET), @"docker_volume.data");
    assert_snapshot!(check(targets(&["service.api"]), FLEET), @"machine.docker.m[0] machine.docker.m[1] machine.docker.m[2] service.api.replica[0]");
    assert_snapshot!(check(excludes(&["machine.docker.m[1]"]), FLEET), @"machine.docker.m[0] machine.docker.m[2] service.api.replica[0] service.web.replica[1] service.web.replica[2] docker_volume.data");
    assert_snapshot!(check(targets(&["docker_volume.data"]), ""), @"service.web.replica[0] service.web.replica[1] service.web.replica[2] docker_volume.data");
    let moved = format!(
        "{}\nmoved {{\n from = docker_volume.data\n to = docker_volume.kept\n}}\n",
        FLEET.replace("volume\" \"data\"", "volume\" \"kept\"").replace("docker_volume.data", "docker_volume.kept")
    );
    assert_snapshot!(check(targets(&["docker_volume.kept"]), &moved), @"docker_volume.data");
    let removed = "removed {\n from = docker_volume.data\n lifecycle {\n destroy = false\n }\n}\n";
    assert_snapshot!(check(Options::default(), removed), @"machine.docker.m[0] machine.docker.m[1] machine.docker.m[2] service.api.replica[0] service.web.replica[0] service.web.replica[1] service.web.replica[2]");
}

#[test]
fn a_new_machine_is_left_out_with_its_replicas() {
    let world = settled(&FLEET.replace("count    = 3", "count    = 2").replace("replicas = 3", "replicas = 2"));
    assert_snapshot!(check_plan_with(FLEET, &world, excludes(&["machine.docker.m[2]"])), @r"
    ? image nginx:1.28
    ? image nginx:1.27
    this plan is a part of what the configuration asks for: `-exclude=machine.docker.m[2]`
      what is left out stays as it is, whatever the configuration says; the output `web` rests on what is left out, and stays as it is
      hint: plan everything again when this is done
    nothing to do
    ");
    assert_snapshot!(check_plan_with(FLEET, &world, excludes(&["machine.docker.m"])), @r"
    this plan is a part of what the configuration asks for: `-exclude=machine.docker.m`
      what is left out stays as it is, whatever the configuration says; the output `web` rests on what is left out, and stays as it is
      hint: plan everything again when this is done
    nothing to do
    ");
}
