//! What a plan rests on, and what makes it out of date.

mod world;

use std::collections::BTreeSet;

use bimetal_model::snapshot::{Snapshot, Stored};
use bimetal_model::{Address, Value};
use bimetal_plan::{Mode, Plan, bind, outdated};
use world::{World, settled};

const FLEET: &str = r#"
machine "docker" "a" {
  platform = "linux/amd64"
}
machine "docker" "b" {
  platform = "linux/amd64"
}
machine "docker" "alone" {
  platform = "linux/amd64"
}
pool "two" {
  machines = [machine.docker.a, machine.docker.b]
}
service "web" {
  pool     = pool.two
  image    = "nginx:1.27"
  replicas = 1
}
"#;

/// What the state says of what exists; every object was written by the commit 5.
fn snapshot(world: &World) -> Snapshot {
    let objects = world.observed.objects.clone();
    let versions = objects.keys().map(|address| (address.clone(), 5)).collect();
    Snapshot { lineage: "l".to_owned().into(), serial: 5, objects, versions, ..Snapshot::default() }
}

fn bound(config: &str, world: &World, mode: Mode) -> (Plan, Snapshot) {
    let (mut plan, _) = world.plan(config, mode).unwrap();
    let snapshot = snapshot(world);
    bind(&mut plan, &snapshot);
    assert_eq!(outdated(&plan, &snapshot), BTreeSet::new(), "nothing has changed yet");
    (plan, snapshot)
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// Somebody writes an object.
fn touch(snapshot: &Snapshot, name: &str) -> Snapshot {
    let mut snapshot = snapshot.clone();
    snapshot.versions.insert(address(name), 6);
    snapshot
}

fn names(outdated: BTreeSet<Address>) -> String {
    outdated.iter().map(Address::to_string).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_plan_rests_on_what_it_changes_and_what_that_needs_and_on_nothing_else() {
    let world = settled(FLEET);
    let changed = FLEET.replace("replicas = 1\n", "replicas = 1\n  env = { A = \"b\" }\n");
    let (plan, snapshot) = bound(&changed, &world, Mode::Apply);
    let machine = plan.effects().next().unwrap().placement.clone().unwrap().machine.to_string();
    let read: Vec<String> = plan.reads.keys().map(Address::to_string).collect();
    assert_eq!(read, [machine.as_str(), "service.web.replica[0]"]);
    assert_eq!(names(outdated(&plan, &touch(&snapshot, "service.web.replica[0]"))), "service.web.replica[0]");
    assert_eq!(names(outdated(&plan, &touch(&snapshot, &machine))), machine);
    assert_eq!(names(outdated(&plan, &touch(&snapshot, "machine.docker.alone"))), "");
}

#[test]
fn who_places_something_rests_on_all_machines_that_were_considered_and_what_runs_there() {
    let world = settled(FLEET);
    let (plan, snapshot) = bound(&FLEET.replace("replicas = 1", "replicas = 2"), &world, Mode::Apply);
    let considered: Vec<String> = plan.considered.iter().map(Address::to_string).collect();
    assert_eq!(considered, ["machine.docker.a", "machine.docker.b"]);
    let mut other = touch(&snapshot, "service.other.replica[0]");
    let mut replica = Stored::clone(&snapshot.objects[&address("service.web.replica[0]")]);
    replica.placement.as_mut().unwrap().machine = address("machine.docker.b");
    replica.depends_on = vec![address("machine.docker.b")];
    other.objects.insert(address("service.other.replica[0]"), replica.into());
    assert_eq!(names(outdated(&plan, &other)), "machine.docker.b", "somebody else has placed something there");
}

#[test]
fn what_is_removed_must_have_no_new_user() {
    let world = settled(FLEET);
    let without = FLEET.replace("machine \"docker\" \"alone\" {\n  platform = \"linux/amd64\"\n}\n", "");
    let (plan, snapshot) = bound(&without, &world, Mode::Apply);
    let mut other = touch(&snapshot, "docker_volume.new");
    let mut user = Stored::clone(&snapshot.objects[&address("machine.docker.a")]);
    user.depends_on = vec![address("machine.docker.alone")];
    user.object.value = Value::NULL;
    other.objects.insert(address("docker_volume.new"), user.into());
    assert_eq!(names(outdated(&plan, &other)), "machine.docker.alone");
}

#[test]
fn what_was_not_there_must_not_be_there() {
    let (plan, _) = bound(FLEET, &World::default(), Mode::Apply);
    assert!(plan.reads.values().all(|version| *version == 0));
    let other = snapshot(&settled(FLEET));
    assert!(outdated(&plan, &other).contains(&address("machine.docker.a")));
}

#[test]
fn destroying_rests_on_everything() {
    let world = settled(FLEET);
    let (plan, snapshot) = bound(FLEET, &world, Mode::Destroy);
    assert_eq!(plan.reads.len(), snapshot.objects.len());
    assert_eq!(names(outdated(&plan, &touch(&snapshot, "machine.docker.alone"))), "machine.docker.alone");
}

#[test]
fn what_is_moved_is_known_by_both_names() {
    let world = settled(FLEET);
    let moved = FLEET.replace("\"alone\"", "\"single\"")
        + "moved {\n  from = machine.docker.alone\n  to = machine.docker.single\n}\n";
    let (plan, snapshot) = bound(&moved, &world, Mode::Apply);
    assert!(plan.reads.contains_key(&address("machine.docker.alone")));
    assert_eq!(names(outdated(&plan, &touch(&snapshot, "machine.docker.alone"))), "machine.docker.alone");
}
