//! What is ephemeral: opened while planning, where that can be done, and in no plan.

mod world;

use std::collections::BTreeMap;

use bimetal_config::Desired;
use bimetal_model::{Address, Value};
use bimetal_plan::{Mode, early_inquiries, provider_configs};
use insta::assert_snapshot;
use world::{World, check_plan, lent, read, settled, shown, told};

const CONFIG: &str = r#"
ephemeral "late_token" "t" {
  name = "t"
}
resource "late_thing" "a" {
  name     = "a"
  password = ephemeral.late_token.t.id
}
"#;

#[test]
fn it_is_opened_while_planning_and_is_in_no_plan() {
    let world = World::default();
    assert_snapshot!(check_plan(CONFIG, &world), @r"
    ? open ephemeral.late_token.t
    + late_thing.a
    ");
    let (plan, _) = world.plan(CONFIG, Mode::Apply).unwrap();
    let saved = serde_json::to_string(&plan).unwrap();
    assert!(!saved.contains("hush"), "{saved}");
}

#[test]
fn all_instances_are_opened_each_by_its_own_arguments() {
    let config = r#"
ephemeral "late_token" "t" {
  for_each = toset(["a", "b"])
  name     = each.key
}
ephemeral "late_token" "of_b" {
  name = ephemeral.late_token.t["b"].id
}
resource "late_thing" "a" {
  name     = "a"
  password = ephemeral.late_token.of_b.id
}
"#;
    assert_snapshot!(check_plan(config, &World::default()), @r#"
    ? open ephemeral.late_token.t["a"]
    ? open ephemeral.late_token.t["b"]
    ? open ephemeral.late_token.of_b
    + late_thing.a
    "#);
}

#[test]
fn what_is_stored_takes_nothing_of_it() {
    let config = CONFIG.replace("\"a\"\n", "ephemeral.late_token.t.id\n");
    assert_snapshot!(check_plan(&config, &World::default()), @r"
    ? open ephemeral.late_token.t
    late_thing.a: `name` is stored, and this is ephemeral
      hint: what is ephemeral may stand in provider blocks, in what is write-only, and in what is not stored
    ");
    let output = CONFIG.to_owned() + "output \"o\" {\n  value = ephemeral.late_token.t.id\n}\n";
    assert_snapshot!(check_plan(&output, &World::default()), @r"
    ? open ephemeral.late_token.t
    output `o` has something ephemeral
      it is stored
      hint: `ephemeralasnull(…)` leaves out what must not last
    ");
}

#[test]
fn what_is_not_known_yet_is_opened_while_applying() {
    let config =
        CONFIG.replace("\"t\"\n}", "docker_volume.v.id\n}") + "resource \"docker_volume\" \"v\" {\n  name = \"v\"\n}\n";
    assert_snapshot!(check_plan(&config, &World::default()), @r"
    + docker_volume.v
    + late_thing.a
    ");
    assert_snapshot!(check_plan(&CONFIG.replace("\"t\"\n}", "\"later\"\n}"), &World::default()), @r"
    ? open ephemeral.late_token.t
    ephemeral.late_token.t: `ephemeral.late_token.t` can't be opened yet
      the sun is not up
    + late_thing.a
    ");
}

/// What is known of what provider blocks rest on, where `answer` says what there is of a name; and what was asked for, in that order.
fn ask_early(
    desired: &Desired,
    world: &World,
    answer: impl Fn(&Value) -> Value,
) -> (BTreeMap<Address, Value>, Vec<String>) {
    let (mut known, mut asked) = (BTreeMap::new(), Vec::new());
    loop {
        let inquiries = early_inquiries(desired, &world.observed.objects, &known, &world.providers);
        if inquiries.is_empty() {
            return (known, asked);
        }
        for inquiry in inquiries {
            asked.push(inquiry.address.to_string());
            known.insert(inquiry.address, answer(inquiry.config.member("name").unwrap()));
        }
    }
}

#[test]
fn what_provider_blocks_rest_on_is_opened_before_anything_is_looked_at() {
    let config = r#"
ephemeral "late_token" "first" {
  name = "first"
}
ephemeral "late_token" "second" {
  name = ephemeral.late_token.first.id
}
provider "odd" {
  key = ephemeral.late_token.second.id
}
"#;
    let (desired, world) = (read(config).unwrap(), World::default());
    let (opened, asked) = ask_early(&desired, &world, lent);
    assert_eq!(asked, ["ephemeral.late_token.first", "ephemeral.late_token.second"]);
    let none = &world.observed.objects;
    let (configs, said) = provider_configs(&desired, none, none, &opened, &world.providers);
    assert!(said.is_empty());
    let odd = configs.iter().find(|(key, _)| key.name.0 == "odd").unwrap().1;
    assert_eq!(odd.member("key").unwrap().clone().without_marks(), "hush hush first".into());
}

#[test]
fn what_provider_blocks_rest_on_is_read_before_anything_is_looked_at() {
    let config = r#"
data "docker_engine" "first" {
  name = "first"
}
data "docker_engine" "second" {
  name = "${data.docker_engine.first.id} second"
}
provider "metal" {
  token = data.docker_engine.second.name
}
machine "metal" "board" {
  host     = "board"
  platform = "linux/arm64"
}
"#;
    let (desired, mut world) = (read(config).unwrap(), settled(config));
    let said = |name: &Value| [("name", name.clone()), ("id", Value::from("known"))].into_iter().collect();
    let (known, asked) = ask_early(&desired, &world, said);
    assert_eq!(asked, ["data.docker_engine.first", "data.docker_engine.second"]);
    let objects = &world.observed.objects;
    let (_, said) = provider_configs(&desired, objects, objects, &BTreeMap::new(), &world.providers);
    assert!(told(&said).contains("is not known before planning"), "{}", told(&said));
    let (configs, said) = provider_configs(&desired, objects, objects, &known, &world.providers);
    assert!(said.is_empty(), "{}", told(&said));
    let metal = configs.iter().find(|(key, _)| key.name.0 == "metal").unwrap().1;
    assert_eq!(metal.member("token").unwrap().clone().without_marks(), "known second".into());
    // Who destroys knows it, too.
    assert!(world.plan(config, Mode::Destroy).unwrap_err().contains("depends on something that is not known"));
    world.early = known;
    assert_snapshot!(world.plan(config, Mode::Destroy).map(|(plan, _)| shown(&plan)).unwrap(), @"- machine.metal.board");
}
