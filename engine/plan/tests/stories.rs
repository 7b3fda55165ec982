//! What plans say, told from configuration and state.

mod world;

use bimetal_model::{Type, Value};
use bimetal_plan::{Mode, provider_configs, summary};
use insta::assert_snapshot;
use world::{World, check_plan, intent, list, settled, shown};

const FLEET: &str = r#"
machine "metal" "rack" {
  for_each = { a = "10.0.0.1", b = "10.0.0.2" }
  host     = each.value
  platform = "linux/arm/v7"
}

machine "docker" "ocean" {
  count    = 2
  platform = "linux/amd64"
}

pool "cloud" {
  machines = [machine.metal.rack, machine.docker.ocean]
}

service "web" {
  pool     = pool.cloud
  image    = "nginx:1.27"
  replicas = 4
  memory   = "64MB"
  port {
    host      = 80
    container = 80
  }
}

output "urls" {
  value = [for r in service.web.replicas : "http://${r.address}:80"]
}
"#;

#[test]
fn all_is_made_from_nothing() {
    assert_snapshot!(check_plan(FLEET, &World::default()), @r#"
    ? image nginx:1.27
    + machine.docker.ocean[0]
    + machine.docker.ocean[1]
    + machine.metal.rack["a"]
    + machine.metal.rack["b"]
    + service.web.replica[0] on machine.docker.ocean[0] (nginx@sha256:1.27/amd64)
    + service.web.replica[1] on machine.docker.ocean[1] (nginx@sha256:1.27/amd64)
    + service.web.replica[2] on machine.metal.rack["a"] (nginx@sha256:1.27/arm/v7)
    + service.web.replica[3] on machine.metal.rack["b"] (nginx@sha256:1.27/arm/v7)
    output urls = Some([(unknown string), (unknown string), (unknown string), (unknown string)])
    "#);
}

#[test]
fn a_second_plan_has_nothing_to_do() {
    assert_snapshot!(check_plan(FLEET, &settled(FLEET)), @r"
    ? image nginx:1.27
    nothing to do
    ");
}

#[test]
fn scaling_adds_and_removes_the_highest() {
    let config = |replicas: u32| {
        FLEET.replace("replicas = 4", &format!("replicas = {replicas}")).replace("host      = 80\n", "")
    };
    let mut world = settled(&config(3));
    assert_snapshot!(check_plan(&config(5), &world), @r#"
    ? image nginx:1.27
    + service.web.replica[3] on machine.metal.rack["b"] (nginx@sha256:1.27/arm/v7)
    + service.web.replica[4] on machine.docker.ocean[0] (nginx@sha256:1.27/amd64)
    output urls = Some(["http://id of machine.docker.ocean[0]:80", "http://id of machine.docker.ocean[1]:80", "http://id of machine.metal.rack[\"a\"]:80", "http://id of machine.metal.rack[\"b\"]:80", "http://id of machine.docker.ocean[0]:80"])
    "#);
    world.apply(&config(5));
    assert_snapshot!(check_plan(&config(1), &world), @r#"
    ? image nginx:1.27
    - service.web.replica[1]; `service.web` has 1 replica now
    - service.web.replica[2]; `service.web` has 1 replica now
    - service.web.replica[3]; `service.web` has 1 replica now
    - service.web.replica[4]; `service.web` has 1 replica now
    output urls = Some(["http://id of machine.docker.ocean[0]:80"])
    "#);
}

#[test]
fn a_machine_that_leaves_sends_its_replica_elsewhere() {
    let config = FLEET.replace("count    = 2", "count    = 1").replace("replicas = 4", "replicas = 3");
    let before = FLEET.replace("replicas = 4", "replicas = 3");
    let mut world = settled(&before.replace("machine.metal.rack, ", "machine.metal.rack[\"a\"], "));
    world.apply(&before.replace("machine.metal.rack, ", "machine.metal.rack[\"a\"], "));
    assert_snapshot!(check_plan(&config, &world), @r#"
    ? image nginx:1.27
    - machine.docker.ocean[1]; the `count` of `machine.docker.ocean` is 1 now
    -/+ service.web.replica[1] on machine.metal.rack["b"] (nginx@sha256:1.27/arm/v7); moves from machine.docker.ocean[1], which left the pool: the only node with room; engine, image, platform
    output urls = Some(["http://id of machine.docker.ocean[0]:80", "http://id of machine.metal.rack[\"b\"]:80", "http://id of machine.metal.rack[\"a\"]:80"])
    "#);
}

#[test]
fn another_image_replaces_the_containers() {
    let config = FLEET.replace("nginx:1.27", "nginx:1.28").replace("machine.metal.rack, ", "");
    let before = FLEET.replace("machine.metal.rack, ", "");
    let two = |config: String| config.replace("replicas = 4", "replicas = 2");
    assert_snapshot!(check_plan(&two(config), &settled(&two(before))), @r"
    ? image nginx:1.28
    -/+ service.web.replica[0] on machine.docker.ocean[0] (nginx@sha256:1.28/amd64); image
    -/+ service.web.replica[1] on machine.docker.ocean[1] (nginx@sha256:1.28/amd64); image
    ");
}

#[test]
fn each_platform_has_its_own_image() {
    let image = r#"image = { "linux/amd64" = "nginx:1.28", "linux/arm/v7" = "pi:1" }"#;
    assert_snapshot!(check_plan(&FLEET.replace(r#"image    = "nginx:1.27""#, image), &World::default()), @r#"
    ? image nginx:1.28
    ? image pi:1
    + machine.docker.ocean[0]
    + machine.docker.ocean[1]
    + machine.metal.rack["a"]
    + machine.metal.rack["b"]
    + service.web.replica[0] on machine.docker.ocean[0] (nginx@sha256:1.28/amd64)
    + service.web.replica[1] on machine.docker.ocean[1] (nginx@sha256:1.28/amd64)
    + service.web.replica[2] on machine.metal.rack["a"] (pi@sha256:1/arm/v6)
    + service.web.replica[3] on machine.metal.rack["b"] (pi@sha256:1/arm/v6)
    output urls = Some([(unknown string), (unknown string), (unknown string), (unknown string)])
    "#);
}

#[test]
fn a_replica_that_fits_nowhere_is_told() {
    let config = FLEET.replace("nginx:1.27", "nginx:1.28");
    assert_snapshot!(check_plan(&config, &World::default()), @r#"
    ? image nginx:1.28
    service.web.replica[2]: `service.web.replica[2]` and 1 more replica fit on no node
      machine.metal.rack["a"], machine.metal.rack["b"]: no image for linux/arm/v7 (there is linux/amd64)
      machine.docker.ocean[0], machine.docker.ocean[1]: port 80 is taken
      hint: a host port can be used once a node: add machines, or ask for fewer replicas
    "#);
}

#[test]
fn two_services_want_one_port() {
    let other = r#"
service "api" {
  pool  = pool.cloud
  image = "nginx:1.27"
  port {
    host      = 80
    container = 8080
  }
}"#;
    assert_snapshot!(check_plan(&format!("{FLEET}{other}"), &World::default()), @r"
    ? image nginx:1.27
    service.web.replica[3]: `service.web.replica[3]` fits on no node
      4 nodes: port 80 is taken
      hint: a host port can be used once a node: add machines, or ask for fewer replicas
    ");
}

#[test]
fn a_renamed_service_waits_for_the_ports_of_the_old_one() {
    let config = FLEET.replace("service \"web\"", "service \"site\"").replace("service.web", "service.site");
    assert_snapshot!(check_plan(&config, &settled(FLEET)), @r#"
    ? image nginx:1.27
    + service.site.replica[0] on machine.docker.ocean[0] (nginx@sha256:1.27/amd64); after service.web.replica[0]
    + service.site.replica[1] on machine.docker.ocean[1] (nginx@sha256:1.27/amd64); after service.web.replica[1]
    + service.site.replica[2] on machine.metal.rack["a"] (nginx@sha256:1.27/arm/v7); after service.web.replica[2]
    + service.site.replica[3] on machine.metal.rack["b"] (nginx@sha256:1.27/arm/v7); after service.web.replica[3]
    - service.web.replica[0]; `service.web` is not in the configuration any more
    - service.web.replica[1]; `service.web` is not in the configuration any more
    - service.web.replica[2]; `service.web` is not in the configuration any more
    - service.web.replica[3]; `service.web` is not in the configuration any more
    "#);
}

#[test]
fn a_global_service_runs_on_each_machine() {
    let config = FLEET.replace("replicas = 4", "mode = \"global\"");
    let mut world = settled(&config);
    assert_snapshot!(check_plan(&config.replace("count    = 2", "count    = 1"), &world), @r#"
    ? image nginx:1.27
    - machine.docker.ocean[1]; the `count` of `machine.docker.ocean` is 1 now
    - service.web.replica["machine.docker.ocean[1]"]; `service.web` does not run on this machine any more
    output urls = Some(["http://id of machine.docker.ocean[0]:80", "http://id of machine.metal.rack[\"a\"]:80", "http://id of machine.metal.rack[\"b\"]:80"])
    "#);
    let name =
        world.object("service.web.replica[\"machine.metal.rack[\\\"a\\\"]\"]").object.value.member("name").cloned();
    assert_eq!(name, Some(Value::from("web-rack-a")));
}

#[test]
fn unknown_platforms_are_asked_for_with_the_images() {
    let config = FLEET.replace("  platform = \"linux/arm/v7\"\n", "");
    let mut world = World::default();
    assert_snapshot!(check_plan(&config, &world), @r#"
    ? facts of machine.metal.rack["a"]
    ? facts of machine.metal.rack["b"]
    ? image nginx:1.27
    machine.metal.rack["a"]: it does not answer
    machine.metal.rack["b"]: it does not answer
    "#);
    world.platforms.insert("rack".into(), "linux/arm/v7");
    assert_snapshot!(check_plan(&config, &world).lines().take(4).collect::<Vec<_>>().join("\n"), @r#"
    ? facts of machine.metal.rack["a"]
    ? facts of machine.metal.rack["b"]
    ? image nginx:1.27
    + machine.docker.ocean[0]
    "#);
    let (plan, _) = world.plan(&config, Mode::Apply).unwrap();
    assert_eq!(plan.facts.len(), 2);
    assert!(plan.images.contains_key(&world::image("nginx:1.27")));
}

#[test]
fn a_platform_that_cannot_be_asked_for_must_be_set() {
    let config = r#"
resource "docker_volume" "v" { name = "v" }
machine "metal" "a" { host = docker_volume.v.id }
"#;
    assert_snapshot!(check_plan(config, &World::default()), @r#"
    machine.metal.a: the platform of `machine.metal.a` is not known
      it can't be asked for either, as some of its arguments, or of its provider's, are known only after apply
      hint: set `platform`, as `platform = "linux/arm64"`
    "#);
}

#[test]
fn an_interrupted_creation_is_finished() {
    let mut world = settled(FLEET);
    for address in ["machine.docker.ocean[0]", "service.web.replica[1]"] {
        let stored = world.object(address);
        stored.unfinished = Some(intent(address, stored).into());
    }
    assert_snapshot!(check_plan(FLEET, &world), @r#"
    ? image nginx:1.27
    + machine.docker.ocean[0]; resumes i1
    -/+ service.web.replica[0] on machine.docker.ocean[0] (nginx@sha256:1.27/amd64); engine
    + service.web.replica[1] on machine.docker.ocean[1] (nginx@sha256:1.27/amd64); resumes i1
    output urls = Some([(unknown string), "http://id of machine.docker.ocean[1]:80", "http://id of machine.metal.rack[\"a\"]:80", "http://id of machine.metal.rack[\"b\"]:80"])
    "#);
    assert_snapshot!(check_plan(&FLEET.replace("replicas = 4", "replicas = 1"), &world), @r"
    ? image nginx:1.27
    + machine.docker.ocean[0]; resumes i1
    -/+ service.web.replica[0] on machine.docker.ocean[0] (nginx@sha256:1.27/amd64); engine
    - service.web.replica[1]; `service.web` has 1 replica now
    - service.web.replica[2]; `service.web` has 1 replica now
    - service.web.replica[3]; `service.web` has 1 replica now
    output urls = Some([(unknown string)])
    ");
    assert_snapshot!(check_plan(&FLEET.replace("ocean[0]", "").replace("platform = \"linux/amd64\"", "platform = \"linux/arm64\""), &world), @r#"
    ? image nginx:1.27
    -/+ machine.docker.ocean[0]; an interrupted run began it with other arguments; platform
    -/+ machine.docker.ocean[1]; platform
    -/+ service.web.replica[0] on machine.docker.ocean[0] (nginx@sha256:1.27/arm64); engine, image, platform
    -/+ service.web.replica[1] on machine.docker.ocean[1] (nginx@sha256:1.27/arm64); an interrupted run began it with other arguments; engine, image, platform
    output urls = Some([(unknown string), (unknown string), "http://id of machine.metal.rack[\"a\"]:80", "http://id of machine.metal.rack[\"b\"]:80"])
    "#);
}

#[test]
fn what_is_half_made_is_made_anew() {
    let mut world = settled(FLEET);
    world.object("service.web.replica[1]").tainted = true;
    assert_snapshot!(check_plan(FLEET, &world), @r"
    ? image nginx:1.27
    -/+ service.web.replica[1] on machine.docker.ocean[1] (nginx@sha256:1.27/amd64); the last run left it half made
    ");
}

#[test]
fn a_provider_that_lies_is_named() {
    let config = "provider \"odd\" {\n key = \"x\"\n}\nresource \"odd_liar\" \"x\" {\n name = \"a\"\n}";
    assert_snapshot!(check_plan(config, &World::default()), @r"
    odd_liar.x: provider `odd` has a bug: its plan for `odd_liar` is not what was asked for
      `name` may not differ from the configuration, as the schema does not say computed
      hint: report this to the provider's authors; nothing was changed
    ");
}

#[test]
fn a_provider_that_needs_arguments_says_so() {
    assert_snapshot!(check_plan("resource \"odd_liar\" \"x\" {\n name = \"a\"\n}", &World::default()), @r#"
    provider `odd` needs `key`
      hint: write `provider "odd" { key = … }`
    "#);
}

#[test]
fn a_resource_on_each_machine_waits_for_its_own_machine() {
    let volumes = r#"
resource "docker_volume" "data" {
  for_each = machine.metal.rack
  name     = "data-${each.key}"
  engine   = each.value.engine
}"#;
    let config = format!("{FLEET}{volumes}");
    assert_snapshot!(check_plan(volumes_only(&config).as_str(), &World::default()), @r#"
    + machine.docker.ocean[0]
    + machine.docker.ocean[1]
    + machine.metal.rack["a"]
    + machine.metal.rack["b"]
    + docker_volume.data["a"]
    + docker_volume.data["b"]
    "#);
    let (plan, _) = World::default().plan(&config, Mode::Apply).unwrap();
    let depends: Vec<String> =
        plan.changes.iter().map(|change| format!("{}: {}", change.address, list(&change.depends_on))).collect();
    assert_snapshot!(depends.join("\n"), @r#"
    machine.docker.ocean[0]: 
    machine.docker.ocean[1]: 
    machine.metal.rack["a"]: 
    machine.metal.rack["b"]: 
    service.web.replica[0]: machine.docker.ocean[0]
    service.web.replica[1]: machine.docker.ocean[1]
    service.web.replica[2]: machine.metal.rack["a"]
    service.web.replica[3]: machine.metal.rack["b"]
    docker_volume.data["a"]: machine.metal.rack["a"]
    docker_volume.data["b"]: machine.metal.rack["b"]
    "#);
    assert_snapshot!(check_plan(&config, &settled(&config)), @r"
    ? image nginx:1.27
    nothing to do
    ");
}

fn volumes_only(config: &str) -> String {
    let end = config.find("service \"web\"").unwrap();
    let start = config.find("resource \"docker_volume\"").unwrap();
    format!("{}{}", &config[..end], &config[start..])
}

#[test]
fn a_cycle_is_printed() {
    let config = r#"
locals {
  a = local.b
  b = local.a
}"#;
    assert_snapshot!(check_plan(config, &World::default()), @r"
    these depend on each other in a circle
      local.a → local.b → local.a
      hint: take out one of these references
    ");
}

#[test]
fn keys_that_are_not_known_are_an_error() {
    let config = r#"
resource "docker_volume" "a" { name = "a" }
resource "docker_volume" "b" {
  for_each = toset([docker_volume.a.id])
  name     = each.key
}"#;
    assert_snapshot!(check_plan(config, &World::default()), @r"
    docker_volume.b: `for_each` depends on what is known only after apply
      `docker_volume.a.id` is known only after apply
      hint: `bimetal apply -target=docker_volume.a` makes that first; or use what the configuration itself knows, as names, and let only the values come from elsewhere
    ");
}

#[test]
fn a_pool_of_what_is_not_known_is_an_error() {
    let config = r#"
machine "docker" "a" { platform = "linux/amd64" }
pool "p" { machines = [for m in [machine.docker.a] : m if m.address == "x"] }
"#;
    let mut world = World::default();
    world.platforms.insert("a".into(), "linux/amd64");
    assert_snapshot!(check_plan(config, &world), @r"
    ? facts of machine.docker.a
    pool.p: which machines are in this pool is known only after apply
      replicas can't be placed then
      hint: choose machines by what is known before: their keys, or attributes that the configuration sets
    ");
}

#[test]
fn data_is_read_now_where_it_can_be() {
    let config = r#"
resource "docker_volume" "v" { name = "v" }
data "docker_engine" "now" { name = "x" }
data "docker_engine" "later" { name = docker_volume.v.id }
resource "docker_volume" "w" { name = data.docker_engine.now.id }
output "later" { value = data.docker_engine.later.id }
"#;
    assert_snapshot!(check_plan(config, &World::default()), @r"
    ? data of data.docker_engine.now
    + docker_volume.v
    + docker_volume.w
    <= data.docker_engine.later; some of its arguments are known only after apply
    output later = Some((unknown string))
    ");
}

#[test]
fn unknown_types_name_the_nearest() {
    let config = r#"
machine "dokcer" "a" {}
resource "docker_volum" "v" { name = "v" }
service "web" {
  image = "nginx:1.27"
}
"#;
    assert_snapshot!(check_plan(config, &World::default()), @r"
    machine.dokcer.a: no provider `dokcer` makes machines
      hint: did you mean `docker`?
    docker_volum.v: no provider has `docker_volum`
      hint: did you mean `docker_volume`?
    service.web: `service.web` has no pool
      hint: write `pool = pool.NAME`: it says on which machines the replicas may run
    ");
}

#[test]
fn what_a_provider_finds_invalid_is_told() {
    assert_snapshot!(check_plan("resource \"docker_volume\" \"v\" {\n name = \"bad name\"\n}", &World::default()), @"docker_volume.v: a name has no spaces");
}

#[test]
fn destroying_removes_all_that_exists() {
    let world = settled(FLEET);
    let (plan, _) = world.plan(FLEET, Mode::Destroy).unwrap();
    assert_snapshot!(shown(&plan), @r#"
    - machine.docker.ocean[0]
    - machine.docker.ocean[1]
    - machine.metal.rack["a"]
    - machine.metal.rack["b"]
    - service.web.replica[0]
    - service.web.replica[1]
    - service.web.replica[2]
    - service.web.replica[3]
    output urls = None
    "#);
}

#[test]
fn what_the_configuration_forgot_goes() {
    assert_snapshot!(check_plan("", &settled(FLEET)), @r#"
    - machine.docker.ocean[0]; `machine.docker.ocean` is not in the configuration any more
    - machine.docker.ocean[1]; `machine.docker.ocean` is not in the configuration any more
    - machine.metal.rack["a"]; `machine.metal.rack` is not in the configuration any more
    - machine.metal.rack["b"]; `machine.metal.rack` is not in the configuration any more
    - service.web.replica[0]; `service.web` is not in the configuration any more
    - service.web.replica[1]; `service.web` is not in the configuration any more
    - service.web.replica[2]; `service.web` is not in the configuration any more
    - service.web.replica[3]; `service.web` is not in the configuration any more
    output urls = None
    "#);
}

#[test]
fn older_values_are_upgraded() {
    let config = "resource \"docker_volume\" \"v\" {\n name = \"a\"\n}";
    let mut world = settled(config);
    let old = [("old_name", Value::from("a")), ("id", Value::from("x"))].into_iter().collect();
    world.object("docker_volume.v").object.value = old;
    world.object("docker_volume.v").schema_version = 0;
    assert_snapshot!(check_plan(config, &world), @"nothing to do");
    world.object("docker_volume.v").schema_version = 2;
    assert_snapshot!(check_plan(config, &world), @r"
    docker_volume.v: `docker_volume.v` was made by a newer version of the provider `docker`
      it is stored as version 2, this provider knows 1
      hint: use the provider's version of `bimetal.lock.hcl`, or a newer one
    ");
}

#[test]
fn what_is_sensitive_stays_so() {
    let config = r#"
variable "secret" {
  type      = string
  default   = "hunter2"
  sensitive = true
}
resource "docker_volume" "v" {
  name   = "v"
  labels = { a = "1", b = var.secret }
}
output "o" {
  value = docker_volume.v.labels
}
"#;
    assert_snapshot!(check_plan(config, &World::default()), @r"
    output `o` would show something sensitive
      hint: write `sensitive = true` in the output, or `nonsensitive(…)` around what may be seen
    ");
    let marked = config.replace("output \"o\" {", "output \"o\" {\n sensitive = true\n");
    let mut world = World::default();
    let (plan, _) = world.plan(&marked, Mode::Apply).unwrap();
    assert_snapshot!(format!("{:?}", plan.changes[0].after), @r#"Some({"engine": null, "id": (unknown string), "labels": {"a": "1", "b": (sensitive)}, "name": "v"})"#);
    world.settle(&marked, &plan);
    // As a provider reads it: without marks.
    let value = world.object("docker_volume.v").object.value.clone();
    world.object("docker_volume.v").object.value = value.without_marks();
    assert_snapshot!(check_plan(&marked, &world), @"nothing to do");
}

#[test]
fn a_service_waits_for_what_its_arguments_name() {
    let db = r#"
service "db" {
  pool  = pool.cloud
  image = "nginx:1.27"
}
service "app" {
  pool  = pool.cloud
  image = "nginx:1.27"
  env   = { DB = service.db.replicas[0].address }
}"#;
    let config = format!("{FLEET}{db}");
    let (plan, _) = World::default().plan(&config, Mode::Apply).unwrap();
    let app = plan.changes.iter().find(|change| change.address.name == "app").unwrap();
    assert_snapshot!(list(&app.depends_on), @"machine.docker.ocean[0], service.db.replica[0]");
    assert!(app.after.as_ref().unwrap().member("env").unwrap().member("DB").unwrap().is_unknown());
    assert_snapshot!(check_plan(&config, &settled(&config)), @r"
    ? image nginx:1.27
    nothing to do
    ");
}

#[test]
fn a_plan_is_counted() {
    let (plan, _) = World::default().plan(FLEET, Mode::Apply).unwrap();
    assert_snapshot!(serde_json::to_string(&summary(&plan)).unwrap(), @r#"{"all":{"add":8,"change":0,"destroy":0},"by_sort":{"machine":{"add":4,"change":0,"destroy":0},"service":{"add":1,"change":0,"destroy":0},"replica":{"add":4,"change":0,"destroy":0}},"drift":0,"imported":0,"moved":0,"forgotten":0}"#);
}

#[test]
fn a_plan_survives_being_written_down() {
    let (plan, _) = World::default().plan(FLEET, Mode::Apply).unwrap();
    let text = serde_json::to_string(&plan).unwrap();
    let back: bimetal_plan::Plan = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&back).unwrap(), text);
}

#[test]
fn a_replica_is_lowered_to_what_the_runtime_takes() {
    let (plan, _) = World::default().plan(FLEET, Mode::Apply).unwrap();
    let replica = plan.changes.iter().find(|change| change.address.replica.is_some()).unwrap();
    let config = replica.config.as_ref().unwrap();
    assert_eq!(config.member("engine"), Some(&Value::unknown(Type::Handle)));
    assert_snapshot!(format!("{config:?}"), @r#"{"command": null, "cpus": null, "engine": (unknown handle), "entrypoint": null, "env": null, "health": null, "hostname": null, "id": null, "image": "nginx@sha256:1.27/amd64", "labels": {"bimetal.service": "service.web"}, "memory": 64000000, "name": "web-0", "networks": null, "platform": "linux/amd64", "port": [{"container": 80, "host": 80, "protocol": null}], "restart": "unless-stopped", "user": null, "volume": [], "working_dir": null}"#);
}

#[test]
fn a_hundred_machines_with_nothing_to_do_are_planned_at_once() {
    let config = r#"
machine "metal" "rack" {
  for_each = { for n in range(11, 61) : "rack-1-node-${n}" => "192.168.1.${n}" }
  host     = each.value
  platform = "linux/arm/v7"
}
machine "docker" "ocean" {
  count    = 50
  platform = "linux/amd64"
}
pool "cloud" { machines = [machine.metal.rack, machine.docker.ocean] }
service "web" {
  pool     = pool.cloud
  image    = "nginx:1.27"
  replicas = 100
  port {
    host      = 80
    container = 80
  }
}
output "urls" { value = [for r in service.web.replicas : "http://${r.address}:80"] }
"#;
    let world = settled(config);
    assert_eq!(world.observed.objects.len(), 200);
    let started = std::time::Instant::now();
    assert_snapshot!(check_plan(config, &world), @r"
    ? image nginx:1.27
    nothing to do
    ");
    // Two passes, as the image is asked for. The limit leaves room for a busy machine and no optimisation.
    println!("{:?}", started.elapsed());
    assert!(started.elapsed().as_millis() < 2000, "{:?}", started.elapsed());
}

#[test]
fn a_pool_may_choose_by_facts() {
    let config = r#"
machine "metal" "a" {
  host     = "10.0.0.1"
  platform = "linux/arm64"
}
pool "big" { machines = [for m in [machine.metal.a] : m if m.cpus > 1] }
pool "huge" { machines = [for m in [machine.metal.a] : m if m.cpus > 2] }
pool "all" { machines = [pool.big, pool.huge] }
service "web" {
  pool  = pool.all
  image = "nginx:1.27"
}
"#;
    let mut world = World::default();
    world.platforms.insert("a".into(), "linux/arm64");
    assert_snapshot!(check_plan(config, &world), @r"
    ? facts of machine.metal.a
    ? image nginx:1.27
    + machine.metal.a
    + service.web.replica[0] on machine.metal.a (nginx@sha256:1.27/arm64)
    ");
}

#[test]
fn a_provider_may_be_configured_by_what_is_made() {
    let config = r#"
resource "docker_volume" "v" { name = "v" }
provider "metal" {
  token = docker_volume.v.id
}
machine "metal" "a" {
  host     = "10.0.0.1"
  platform = "linux/arm64"
}
"#;
    let (plan, _) = World::default().plan(config, Mode::Apply).unwrap();
    assert_snapshot!(format!("{:?}", plan.providers.values().collect::<Vec<_>>()), @r#"[{}, {"token": (sensitive)}]"#);
    assert_snapshot!(list(&plan.changes[0].depends_on), @"docker_volume.v");
    let (configs, said) = provider_configs(
        &world::read(config).unwrap(),
        &Default::default(),
        &Default::default(),
        &Default::default(),
        &World::default().providers,
    );
    assert!(said.is_empty());
    assert_snapshot!(configs.keys().map(ToString::to_string).collect::<Vec<_>>().join(" "), @"docker late");
    let no_platform = config.replace("platform = \"linux/arm64\"", "");
    assert_snapshot!(check_plan(&no_platform, &World::default()), @r#"
    machine.metal.a: the platform of `machine.metal.a` is not known
      it can't be asked for either, as some of its arguments, or of its provider's, are known only after apply
      hint: set `platform`, as `platform = "linux/arm64"`
    "#);
}

#[test]
fn a_provider_cannot_be_configured_by_itself() {
    let config = r#"
provider "metal" {
  token = machine.metal.a.address
}
machine "metal" "a" {
  host     = "10.0.0.1"
  platform = "linux/arm64"
}
"#;
    assert_snapshot!(check_plan(config, &World::default()), @r"
    the provider of `machine.metal.a` is configured with `machine.metal.a` itself
      hint: give one of them another configuration of the provider with `alias`
    ");
}

#[test]
fn a_machine_made_anew_takes_its_replicas_along() {
    let config = FLEET.replace("a = \"10.0.0.1\"", "a = \"10.0.0.9\"");
    assert_snapshot!(check_plan(&config, &settled(FLEET)), @r#"
    ? image nginx:1.27
    -/+ machine.metal.rack["a"]; host
    -/+ service.web.replica[2] on machine.metal.rack["a"] (nginx@sha256:1.27/arm/v7); engine
    output urls = Some(["http://id of machine.docker.ocean[0]:80", "http://id of machine.docker.ocean[1]:80", (unknown string), "http://id of machine.metal.rack[\"b\"]:80"])
    "#);
}

#[test]
fn a_service_for_each_key_has_replicas_for_each() {
    let config = r#"
machine "docker" "a" { platform = "linux/amd64" }
pool "p" { machines = machine.docker.a }
service "web" {
  for_each = { eu = 8080, us = 8081 }
  pool     = pool.p
  image    = "nginx:1.27"
  port {
    host      = each.value
    container = 80
  }
}
output "names" { value = { for key, s in service.web : key => s.replicas[*].name } }
"#;
    let mut world = World::default();
    assert_snapshot!(check_plan(config, &world), @r#"
    ? image nginx:1.27
    + machine.docker.a
    + service.web["eu"].replica[0] on machine.docker.a (nginx@sha256:1.27/amd64)
    + service.web["us"].replica[0] on machine.docker.a (nginx@sha256:1.27/amd64)
    output names = Some({"eu": ["web-eu-0"], "us": ["web-us-0"]})
    "#);
    world.apply(config);
    assert_snapshot!(check_plan(&config.replace(", us = 8081", ""), &world), @r#"
    ? image nginx:1.27
    - service.web["us"].replica[0]; the `for_each` of `service.web` has no such key any more
    output names = Some({"eu": ["web-eu-0"]})
    "#);
}

#[test]
fn placement_limits_where_replicas_run() {
    let config = FLEET.replace("memory   = \"64MB\"", "placement {\n platforms = [\"linux/arm/v7\"]\n}");
    assert_snapshot!(check_plan(&config, &World::default()), @r#"
    ? image nginx:1.27
    service.web.replica[2]: `service.web.replica[2]` and 1 more replica fit on no node
      machine.docker.ocean[0], machine.docker.ocean[1]: linux/amd64 is none of the platforms of its `placement`
      machine.metal.rack["a"], machine.metal.rack["b"]: port 80 is taken
      hint: a host port can be used once a node: add machines, or ask for fewer replicas
    "#);
}

#[test]
fn what_is_read_waits_for_what_it_depends_on() {
    let config = r#"
resource "docker_volume" "v" { name = "v" }
data "docker_engine" "d" {
  name       = "x"
  depends_on = [docker_volume.v]
}
"#;
    assert_snapshot!(check_plan(config, &World::default()), @r"
    + docker_volume.v
    <= data.docker_engine.d; what it depends on changes
    ");
    assert_snapshot!(check_plan(config, &settled(config)), @r"
    ? data of data.docker_engine.d
    nothing to do
    ");
}

#[test]
fn an_image_that_is_not_there_is_told() {
    assert_snapshot!(check_plan(&FLEET.replace("nginx:1.27", "nginx:9"), &World::default()), @r"
    ? image nginx:9
    service.web: no such image
    ");
}

#[test]
fn wrong_arguments_of_a_service_are_told() {
    for (wrong, right) in [("memory   = \"lots\"", "memory   = \"64MB\""), ("mode = \"some\"", "replicas = 4")] {
        let config = FLEET.replace(right, wrong);
        insta::allow_duplicates! {
            assert!(check_plan(&config, &World::default()).contains("hint"), "{wrong}");
        }
    }
}

#[test]
fn a_container_that_is_written_by_hand_has_its_port() {
    let config = r#"
machine "docker" "a" { platform = "linux/amd64" }
machine "docker" "b" { platform = "linux/amd64" }
resource "docker_container" "proxy" {
  engine = machine.docker.a.engine
  name   = "proxy"
  image  = "nginx@sha256:0"
  port {
    host      = 80
    container = 80
  }
}
pool "p" { machines = [machine.docker.a, machine.docker.b] }
service "web" {
  pool  = pool.p
  image = "nginx:1.27"
  port {
    host      = 80
    container = 80
  }
}
"#;
    assert_snapshot!(check_plan(config, &World::default()), @r"
    ? image nginx:1.27
    + machine.docker.a
    + machine.docker.b
    + service.web.replica[0] on machine.docker.b (nginx@sha256:1.27/amd64)
    + docker_container.proxy
    ");
    assert_snapshot!(check_plan(&config.replace("pool  = pool.p", "replicas = 2\n pool  = pool.p"), &settled(config)), @r"
    ? image nginx:1.27
    service.web.replica[1]: `service.web.replica[1]` fits on no node
      machine.docker.a, machine.docker.b: port 80 is taken
      hint: a host port can be used once a node: add machines, or ask for fewer replicas
    ");
}

#[test]
fn what_is_no_pool_is_told() {
    let config = FLEET.replace("= pool.cloud", "= machine.docker.ocean");
    assert_snapshot!(check_plan(&config, &World::default()), @r#"
    service.web: this is no pool
      hint: write `pool = pool.NAME`, and `pool "NAME" { machines = [ … ] }`
    "#);
}

#[test]
fn to_destroy_a_provider_must_be_known() {
    let config = r#"
resource "docker_volume" "v" { name = "v" }
provider "metal" {
  token = docker_volume.v.id
}
machine "metal" "a" {
  host     = "10.0.0.1"
  platform = "linux/arm64"
}
"#;
    let mut world = settled(config);
    assert_snapshot!(shown(&world.plan(config, Mode::Destroy).unwrap().0), @r"
    - machine.metal.a
    - docker_volume.v
    ");
    world.observed.objects.remove(&"docker_volume.v".parse().unwrap());
    assert_snapshot!(world.plan(config, Mode::Destroy).unwrap_err(), @r"
    the configuration of provider `metal` depends on something that is not known
      hint: give it what it needs to destroy as a variable
    ");
}

#[test]
fn what_is_not_enabled_is_not_there() {
    let config = |enabled: &str| {
        format!(
            "resource \"docker_volume\" \"v\" {{\n  enabled = {enabled}\n  name = \"v\"\n}}\noutput \"id\" {{\n  value = try(docker_volume.v.id, \"none\")\n}}\n"
        )
    };
    assert_snapshot!(check_plan(&config("false"), &World::default()), @r#"output id = Some("none")"#);
    assert_snapshot!(check_plan(&config("true"), &World::default()), @r"
    + docker_volume.v
    output id = Some((unknown any))
    ");
    assert_snapshot!(check_plan(&config("false"), &settled(&config("true"))), @r#"
    - docker_volume.v; `docker_volume.v` is not enabled any more
    output id = Some("none")
    "#);
}

#[test]
fn why_something_goes_is_told() {
    let counted = |what: &str| format!("resource \"docker_volume\" \"v\" {{\n {what}\n name = \"v\"\n}}\n");
    let each = counted("for_each = toset([\"a\", \"b\"])");
    assert_snapshot!(check_plan(&counted("count = 1"), &settled(&counted("count = 2"))), @"- docker_volume.v[1]; the `count` of `docker_volume.v` is 1 now");
    assert_snapshot!(check_plan(&counted("for_each = toset([\"a\"])"), &settled(&each)), @r#"- docker_volume.v["b"]; the `for_each` of `docker_volume.v` has no such key any more"#);
    assert_snapshot!(check_plan(&counted(""), &settled(&each)), @r#"
    + docker_volume.v
    - docker_volume.v["a"]; `docker_volume.v` has other instances now
    - docker_volume.v["b"]; `docker_volume.v` has other instances now
    "#);
    let service = |what: &str| {
        format!(
            "machine \"docker\" \"a\" {{\n count = 2\n platform = \"linux/amd64\"\n}}\npool \"p\" {{\n machines = [machine.docker.a]\n}}\nservice \"web\" {{\n pool = pool.p\n image = \"nginx:1.27\"\n {what}\n}}\n"
        )
    };
    assert_snapshot!(check_plan(&service("replicas = 1"), &settled(&service("replicas = 2"))), @r"
    ? image nginx:1.27
    - service.web.replica[1]; `service.web` has 1 replica now
    ");
    let off = service("mode = \"global\"").replace("[machine.docker.a]", "[machine.docker.a[0]]");
    assert_snapshot!(check_plan(&off, &settled(&service("mode = \"global\""))), @r#"
    ? image nginx:1.27
    - service.web.replica["machine.docker.a[1]"]; `service.web` does not run on this machine any more
    "#);
    let module = |keys: &str| {
        format!(
            "module \"m\" {{\n for_each = toset([{keys}])\n source = \"./m\"\n}}\n### m/main.bm.hcl\nresource \"docker_volume\" \"v\" {{\n name = \"v\"\n}}\n"
        )
    };
    assert_snapshot!(check_plan(&module("\"a\""), &settled(&module("\"a\", \"b\""))), @r#"- module.m["b"].docker_volume.v; `module.m["b"]` is not in the configuration any more"#);
    assert_snapshot!(check_plan("", &settled(&module("\"a\""))), @r#"- module.m["a"].docker_volume.v; `module.m["a"]` is not in the configuration any more"#);
}

#[test]
fn what_somebody_removed_is_made_anew_and_that_is_said() {
    let config = "resource \"docker_volume\" \"v\" {\n name = \"v\"\n}\n";
    let mut world = settled(config);
    let address: bimetal_model::Address = "docker_volume.v".parse().unwrap();
    let gone = world.observed.objects.remove(&address).unwrap();
    world.observed.drift.push(bimetal_model::question::Drift {
        address,
        before: gone.object.value.clone(),
        after: None,
    });
    assert_snapshot!(check_plan(config, &world), @"+ docker_volume.v; something else has removed it");
}

#[test]
fn images_and_ports_may_be_known_later() {
    let config = r#"
resource "docker_volume" "v" {
  name = "v"
}
machine "docker" "a" {
  count    = 2
  platform = "linux/amd64"
}
pool "p" {
  machines = [machine.docker.a]
}
service "web" {
  pool     = pool.p
  image    = docker_volume.v.id
  replicas = 2
  env      = { ID = docker_volume.v.id }
  port {
    host      = length(docker_volume.v.id)
    container = 80
  }
}
output "image" {
  value = service.web.replicas[0].image
}
"#;
    assert_snapshot!(check_plan(config, &World::default()), @r"
    + machine.docker.a[0]
    + machine.docker.a[1]
    + service.web.replica[0] on machine.docker.a[0] ()
    + service.web.replica[1] on machine.docker.a[1] ()
    + docker_volume.v
    output image = Some((unknown string))
    ");
    assert_snapshot!(check_plan(&config.replace("replicas = 2", "replicas = 3"), &World::default()), @r"
    service.web.replica[2]: `service.web.replica[2]` fits on no node
      machine.docker.a[0], machine.docker.a[1]: a port of `service.web` that is known only after apply is taken
      hint: a host port can be used once a node: add machines, or ask for fewer replicas
    ");
    assert_snapshot!(check_plan(&config.replace("replicas = 2", "replicas = length(docker_volume.v.id)"), &World::default()), @r"
    service.web: `replicas` depends on what is known only after apply
      `docker_volume.v.id` is known only after apply
      hint: `bimetal apply -target=docker_volume.v` makes that first; or use what the configuration itself knows, as names, and let only the values come from elsewhere
    ");
}
