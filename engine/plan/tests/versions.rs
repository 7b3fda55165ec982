//! Where two versions of a configuration differ that are planned against the same state.

mod world;

use std::fmt::Write as _;

use bimetal_config::lock::{Lock, LockedModule, LockedProvider};
use bimetal_model::{ProviderName, Value};
use bimetal_plan::{Compared, Comparison, Image, Mode, Version, compare, differences};
use insta::assert_snapshot;
use world::{World, read, settled};

fn compared(before: &str, after: &str, world: &World) -> Comparison {
    locked((before, Lock::default()), (after, Lock::default()), world)
}

fn locked(before: (&str, Lock), after: (&str, Lock), world: &World) -> Comparison {
    let plan = |config: &str| world.plan(config, Mode::Apply).unwrap_or_else(|said| panic!("{said}")).0;
    let (old, new) = ((read(before.0).unwrap(), plan(before.0)), (read(after.0).unwrap(), plan(after.0)));
    let predict = &world.providers;
    compare(
        &Version { desired: &old.0, plan: &old.1, lock: &before.1, predict },
        &Version { desired: &new.0, plan: &new.1, lock: &after.1, predict },
    )
}

/// The difference in a few lines.
fn check_compare(before: &str, after: &str, world: &World) -> String {
    let comparison = compared(before, after, world);
    let mut text: String = comparison.objects.iter().map(object).collect();
    for (service, change) in &comparison.images {
        let _ = writeln!(text, "image of {service}: {} -> {}", images(&change.before), images(&change.after));
    }
    for (name, output) in &comparison.outputs {
        let _ = writeln!(text, "output {name}: {} -> {}", shown(&output.before), shown(&output.after));
    }
    if text.is_empty() { "the same".to_owned() } else { text }
}

fn object(object: &Compared) -> String {
    let from = object.moved_from.as_ref().map(|from| format!(" from {from}")).unwrap_or_default();
    let mut text = format!("{:?} {}{from}\n", object.kind, object.address);
    if let (Some(before), Some(after)) = (&object.before, &object.after) {
        for difference in bimetal_plan::diff(before, after) {
            let bimetal_plan::Difference { path, before, after } = difference;
            let _ = writeln!(text, "  {path}: {} -> {}", shown(&before), shown(&after));
        }
    }
    if let (Some(before), Some(after)) = (&object.placed_before, &object.placed_after)
        && before.machine != after.machine
    {
        let _ = writeln!(text, "  on {} -> {}", before.machine, after.machine);
    }
    text
}

fn shown(value: &Option<Value>) -> String {
    value.as_ref().map_or_else(|| "nothing".to_owned(), |value| format!("{value:?}"))
}

fn images(all: &[Image]) -> String {
    let source = |image: &Image| image.source.as_ref().map_or_else(|| "?".to_owned(), ToString::to_string);
    all.iter().map(source).collect::<Vec<_>>().join(" ")
}

const ONE: &str = r#"
machine "docker" "m" {
  count    = 2
  platform = "linux/amd64"
}
pool "all" { machines = [machine.docker.m] }
resource "docker_volume" "data" { name = "data" }
service "web" {
  pool  = pool.all
  image = "nginx:1.27"
}
output "names" { value = [docker_volume.data.name] }
"#;

fn other(changes: &[(&str, &str)]) -> String {
    changes.iter().fold(ONE.to_owned(), |text, (old, new)| {
        assert!(text.contains(old), "{old}");
        text.replace(old, new)
    })
}

#[test]
fn a_version_is_the_same_as_itself_whatever_there_is() {
    for world in [World::default(), settled(ONE), settled(&other(&[("\"data\" }", "\"else\" }")]))] {
        assert!(compared(ONE, ONE, &world).is_empty());
    }
}

#[test]
fn what_was_never_applied_is_compared_all_the_same() {
    let after = other(&[("name = \"data\"", "name = \"data-2\""), ("nginx:1.27", "nginx:1.28")]);
    let after = after + "resource \"docker_volume\" \"more\" { name = \"more\" }\n";
    assert_snapshot!(check_compare(ONE, &after, &World::default()), @r#"
    Changed service.web.replica[0]
      image: "nginx@sha256:1.27/amd64" -> "nginx@sha256:1.28/amd64"
    Changed docker_volume.data
      name: "data" -> "data-2"
    Added docker_volume.more
    image of service.web: nginx:1.27 -> nginx:1.28
    output names: ["data"] -> ["data-2"]
    "#);
    assert_snapshot!(check_compare(&after, ONE, &World::default()), @r#"
    Changed service.web.replica[0]
      image: "nginx@sha256:1.28/amd64" -> "nginx@sha256:1.27/amd64"
    Changed docker_volume.data
      name: "data-2" -> "data"
    Removed docker_volume.more
    image of service.web: nginx:1.28 -> nginx:1.27
    output names: ["data-2"] -> ["data"]
    "#);
}

#[test]
fn what_can_not_be_changed_in_place_is_replaced_where_it_exists() {
    let after = other(&[("name = \"data\"", "name = \"data-2\"")]);
    assert_snapshot!(check_compare(ONE, &after, &settled(ONE)), @r#"
    Replaced docker_volume.data
      id: "id of docker_volume.data" -> (unknown string)
      name: "data" -> "data-2"
    output names: ["data"] -> ["data-2"]
    "#);
    // Whoever goes back to what there is replaces nothing.
    assert_snapshot!(check_compare(&after, ONE, &settled(ONE)), @r#"
    Changed docker_volume.data
      id: (unknown string) -> "id of docker_volume.data"
      name: "data-2" -> "data"
    output names: ["data-2"] -> ["data"]
    "#);
}

#[test]
fn a_replica_that_runs_elsewhere_says_so() {
    let after = other(&[("machines = [machine.docker.m]", "machines = [machine.docker.m[1]]")]);
    assert_snapshot!(check_compare(ONE, &after, &settled(ONE)), @r#"
    Replaced service.web.replica[0]
      engine: (handle) -> (handle)
      id: "id of service.web.replica[0]" -> (unknown string)
      on machine.docker.m[0] -> machine.docker.m[1]
    "#);
}

#[test]
fn what_is_moved_is_one_object_whichever_name_the_state_knows() {
    let moved = other(&[
        ("\"docker_volume\" \"data\"", "\"docker_volume\" \"files\""),
        ("docker_volume.data.name", "docker_volume.files.name"),
    ]) + "moved {\n  from = docker_volume.data\n  to = docker_volume.files\n}\n";
    for world in [World::default(), settled(ONE)] {
        assert_eq!(check_compare(ONE, &moved, &world), "Moved docker_volume.files from docker_volume.data\n");
    }
    let mut applied = settled(ONE);
    applied.apply(&moved);
    assert_eq!(check_compare(ONE, &moved, &applied), "Moved docker_volume.files from docker_volume.data\n");
    let renamed = moved.replace("name = \"data\"", "name = \"files\"");
    assert_snapshot!(check_compare(ONE, &renamed, &World::default()), @r#"
    Changed docker_volume.files from docker_volume.data
      name: "data" -> "files"
    output names: ["data"] -> ["files"]
    "#);
    // A service takes its replicas along.
    let service =
        other(&[("service \"web\"", "service \"site\"")]) + "moved {\n  from = service.web\n  to = service.site\n}\n";
    let comparison = compared(ONE, &service, &World::default());
    assert_eq!(comparison.objects[0].moved_from.as_ref().unwrap().to_string(), "service.web.replica[0]");
    assert!(comparison.images.is_empty(), "{:?}", comparison.images);
}

#[test]
fn a_difference_is_counted_by_sorts() {
    let after = other(&[("count    = 2", "count    = 1"), ("nginx:1.27", "nginx:1.28")]);
    let counted = differences(&compared(ONE, &after, &World::default()));
    assert_eq!((counted.all.removed, counted.all.changed, counted.images), (1, 1, 1));
    assert_eq!(counted.by_sort.len(), 2);
}

#[test]
fn lock_files_are_compared_by_name() {
    let lock = |provider: &str, modules: &[(&str, &str)]| Lock {
        providers: [(
            ProviderName("cloud".into()),
            LockedProvider {
                source: None,
                version: provider.into(),
                digest: None,
                signed_by: None,
                grants: Vec::new(),
            },
        )]
        .into(),
        modules: modules
            .iter()
            .map(|(source, commit)| {
                let module =
                    LockedModule { version: None, reference: None, commit: Some((*commit).into()), hash: "h".into() };
                (((*source).to_owned(), None), module)
            })
            .collect(),
        images: Default::default(),
    };
    let before = lock("1", &[("git::x?ref=v1", "a"), ("git::y", "b"), ("git::z?ref=v1", "c"), ("git::z?ref=v2", "d")]);
    let after = lock("2", &[("git::x?ref=v2", "e"), ("git::y", "b"), ("git::z?ref=v1", "c"), ("git::z?ref=v3", "f")]);
    let changes = locked((ONE, before), (ONE, after), &World::default()).locked;
    let of = |version: &Option<bimetal_plan::LockedVersion>| {
        version.as_ref().and_then(|version| version.version.clone().or(version.commit.clone())).unwrap_or_default()
    };
    let lines: Vec<String> = changes
        .iter()
        .map(|change| format!("{:?} {} -> {}", change.name, of(&change.before), of(&change.after)))
        .collect();
    assert_snapshot!(lines.join("\n"), @r#"
    Provider(ProviderName("cloud")) 1 -> 2
    Module("git::x") a -> e
    Module("git::z") d -> f
    "#);
}
