//! How providers are configured, and which outputs are known when not all was done.

mod world;

use std::collections::BTreeSet;

use bimetal_model::{Address, ProviderKey};
use bimetal_plan::{Mode, Values, outputs_without, provider_configs};
use insta::assert_snapshot;
use world::{World, check_plan, list, read, told};

const BOARD: &str = r#"
resource "docker_volume" "v" {
  name = "v"
}
provider "metal" {
  token = docker_volume.v.id
}
machine "metal" "a" {
  host = "10.0.0.1"
}
"#;

fn settled(config: &str) -> World {
    let mut world = World::default();
    world.apply(config);
    world
}

fn check_configs(config: &str, world: &World) -> String {
    let (configs, said) = provider_configs(
        &read(config).unwrap(),
        &world.observed.objects,
        &world.observed.objects,
        &Default::default(),
        &world.providers,
    );
    let keys: Vec<String> = configs.keys().map(ToString::to_string).collect();
    format!("{}\n{}", keys.join(" "), told(&said))
}

#[test]
fn a_provider_is_configured_with_what_exists() {
    let world = settled(&BOARD.replace("host =", "platform = \"linux/arm64\"\n  host ="));
    assert_snapshot!(check_configs(BOARD, &World::default()), @"docker late");
    assert_snapshot!(check_configs(BOARD, &world), @"docker late metal");
}

#[test]
fn a_provider_whose_block_stays_as_it_is_can_be_asked_while_planning() {
    let mut world = settled("resource \"docker_volume\" \"v\" { name = \"v\" }");
    world.platforms.insert("a".into(), "linux/arm64");
    assert_snapshot!(check_plan(BOARD, &world), @r"
    ? facts of machine.metal.a
    + machine.metal.a
    ");
    let renamed = BOARD.replace("name = \"v\"", "name = \"w\"");
    assert_snapshot!(check_plan(&renamed, &world), @r#"
    machine.metal.a: the platform of `machine.metal.a` is not known
      it can't be asked for either, as some of its arguments, or of its provider's, are known only after apply
      hint: set `platform`, as `platform = "linux/arm64"`
    "#);
}

#[test]
fn what_was_made_with_a_block_that_is_gone_is_told() {
    let mut world = settled("resource \"docker_volume\" \"v\" { name = \"v\" }");
    world.object("docker_volume.v").provider.alias = Some("far".to_owned());
    let gone = "resource \"docker_volume\" \"w\" { name = \"w\" }";
    assert_snapshot!(check_configs(gone, &world), @r#"
    docker late metal
    docker_volume.v: there is no provider block for `docker.far`
      `docker_volume.v` was made with it
      hint: add one: `provider "docker" { alias = … }`
    "#);
    let back = format!("{gone}\nprovider \"docker\" {{ alias = \"far\" }}");
    assert_snapshot!(check_configs(&back, &world), @"docker docker.far late metal");
}

#[test]
fn what_was_made_with_what_does_not_exist_any_more_is_told() {
    let mut world = settled(&BOARD.replace("host =", "platform = \"linux/arm64\"\n  host ="));
    world.observed.objects.remove(&"docker_volume.v".parse().unwrap());
    assert_snapshot!(check_configs(BOARD, &world), @r"
    docker late
    machine.metal.a: the configuration of provider `metal` is not known before planning
      `machine.metal.a` was made with it
      hint: it may refer to variables, to what exists, and to what data sources say that need no more than these
    ");
}

#[test]
fn a_replacement_needs_the_provider_that_made_what_goes() {
    let config = "resource \"docker_volume\" \"v\" { name = \"v\" }";
    let mut world = settled(config);
    world.object("docker_volume.v").provider = ProviderKey::default_of("odd");
    assert_snapshot!(check_plan(config, &world), @r#"
    provider `odd` needs `key`
      hint: write `provider "odd" { key = … }`
    docker_volume.v: `docker_volume.v` can't be removed without its provider `odd`
    "#);
    let config = format!("{config}\nprovider \"odd\" {{ key = \"x\" }}");
    let (plan, _) = world.plan(&config, Mode::Apply).unwrap();
    let providers: Vec<_> = plan.providers.keys().map(ToString::to_string).collect();
    assert_eq!(providers, ["docker", "odd"]);
}

#[test]
fn who_needs_a_data_source_needs_what_that_needs() {
    let config = r#"
resource "docker_volume" "v" {
  name = "v"
}
data "docker_engine" "d" {
  name = docker_volume.v.id
}
resource "docker_volume" "w" {
  name = data.docker_engine.d.id
}
"#;
    let needed = |world: &World| {
        let (plan, _) = world.plan(config, Mode::Apply).unwrap();
        let change = plan.changes.iter().find(|change| change.address.name == "w").unwrap();
        list(&change.depends_on)
    };
    assert_snapshot!(needed(&World::default()), @"docker_volume.v, data.docker_engine.d");
    assert_snapshot!(needed(&settled(config)), @"docker_volume.v");
}

const OUTPUTS: &str = r#"
machine "docker" "a" {
  count    = 2
  platform = "linux/amd64"
}
pool "p" {
  machines = machine.docker.a
}
service "web" {
  pool     = pool.p
  image    = "nginx:1.27"
  replicas = 2
}
resource "docker_volume" "v" {
  count = 2
  name  = "v${count.index}"
}
output "web" {
  value = [for r in service.web.replicas : r.address]
}
output "first" {
  value = docker_volume.v[0].id
}
output "both" {
  value = docker_volume.v[*].name
}
output "machine" {
  value = machine.docker.a[1].address
}
"#;

fn known_without(undone: &str) -> String {
    let mut world = settled(OUTPUTS);
    let desired = read(OUTPUTS).unwrap();
    let (plan, _) = world.plan(OUTPUTS, Mode::Apply).unwrap();
    let (values, _) = Values::of_plan(&desired, &plan, &world.providers);
    world.observed.outputs.clear();
    let undone: BTreeSet<Address> = [undone.parse().unwrap()].into();
    let known = outputs_without(&desired, &values, &undone, &BTreeSet::new());
    known.keys().cloned().collect::<Vec<_>>().join(" ")
}

#[test]
fn outputs_are_known_that_rest_on_nothing_that_was_not_done() {
    assert_snapshot!(known_without("docker_volume.v[1]"), @"first machine web");
    assert_snapshot!(known_without("service.web.replica[1]"), @"both first machine");
    assert_snapshot!(known_without("machine.docker.a[0]"), @"both first machine");
}
