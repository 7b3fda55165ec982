//! Blocks whose number is known only after apply; what names stand for in a console.

mod world;

use bimetal_config::{evaluate, parse_expression};
use bimetal_model::Diagnostic;
use bimetal_plan::{Mode, existing};
use insta::assert_snapshot;
use world::{World, check_plan, read, told};

const PORTS: &str = r#"
machine "docker" "a" { platform = "linux/amd64" }
resource "docker_volume" "v" { name = "v" }
locals {
  ports = { for part in split(" ", docker_volume.v.id) : part => length(part) }
}
resource "docker_container" "proxy" {
  engine = machine.docker.a.engine
  name   = "proxy"
  image  = "nginx@sha256:0"
  dynamic "port" {
    for_each = local.ports
    content {
      host      = port.value
      container = port.value
    }
  }
}
"#;

#[test]
fn blocks_that_are_not_known_are_unknown_in_the_plan_and_made_by_apply() {
    let mut world = World::default();
    let (plan, _) = world.plan(PORTS, Mode::Apply).unwrap();
    let proxy = plan.changes.iter().find(|change| change.address.to_string() == "docker_container.proxy").unwrap();
    let ports = proxy.after.as_ref().unwrap().member("port").unwrap();
    assert!(ports.is_unknown(), "{ports:?}");
    world.settle(PORTS, &plan);
    let made = world.object("docker_container.proxy").object.value.member("port").unwrap().clone();
    assert_snapshot!(format!("{made:?}"), @r#"[{"container": 15, "host": 15, "protocol": null}, {"container": 2, "host": 2, "protocol": null}, {"container": 2, "host": 2, "protocol": null}]"#);
    assert_snapshot!(check_plan(PORTS, &world), @"nothing to do");
}

#[test]
fn a_service_may_have_as_many_ports_as_turn_out() {
    let config = format!(
        "{PORTS}\npool \"p\" {{ machines = [machine.docker.a] }}\n{}",
        r#"service "web" {
  pool  = pool.p
  image = "nginx:1.27"
  dynamic "port" {
    for_each = local.ports
    content {
      container = port.value
    }
  }
}"#
    );
    assert_snapshot!(check_plan(&config, &World::default()), @r"
    ? image nginx:1.27
    + machine.docker.a
    + service.web.replica[0] on machine.docker.a (nginx@sha256:1.27/amd64)
    + docker_container.proxy
    + docker_volume.v
    ");
}

/// What these expressions come to, with what exists.
fn check(world: &World, config: &str, expressions: &[&str]) -> String {
    let desired = read(config).unwrap();
    let (scope, said) = existing(&desired, &world.observed.objects, &world.providers);
    let shown = |text: &&str| {
        let file = bimetal_config::SourceFile { name: "test".into(), text: (*text).into() };
        let value = parse_expression(&file).and_then(|expression| evaluate(&expression, &scope));
        let summaries = |said: Vec<Diagnostic>| said.into_iter().map(|one| one.summary).collect::<Vec<_>>().join(", ");
        format!("{text} => {}\n", value.map_or_else(summaries, |value| format!("{value:?}")))
    };
    told(&said) + &expressions.iter().map(shown).collect::<String>()
}

const FLEET: &str = r#"
variable "n" { default = 2 }
machine "docker" "a" {
  count    = var.n
  platform = "linux/amd64"
}
pool "p" { machines = machine.docker.a }
service "web" {
  pool     = pool.p
  image    = "nginx:1.27"
  replicas = 2
}
resource "docker_volume" "v" { name = "v" }
locals {
  volume = docker_volume.v.id
  wrong  = tonumber(docker_volume.v.id)
}
"#;

#[test]
fn a_console_knows_what_exists_and_what_follows_from_it() {
    let expressions = [
        "var.n + 1",
        "local.volume",
        "local.wrong",
        "machine.docker.a[*].platform",
        "length(pool.p.machines)",
        "service.web.replicas[*].machine",
        "docker_volume.other.id",
    ];
    assert_snapshot!(check(&World::default(), FLEET, &expressions), @r"
    var.n + 1 => 3
    local.volume => (unknown any)
    local.wrong => (unknown number)
    machine.docker.a[*].platform => (unknown any)
    length(pool.p.machines) => (unknown number)
    service.web.replicas[*].machine => []
    docker_volume.other.id => no block `docker_volume.other` is declared
    ");
    let mut world = World::default();
    world.apply(&FLEET.replace("  wrong  = tonumber(docker_volume.v.id)\n", ""));
    assert_snapshot!(check(&world, FLEET, &expressions), @r#"
    this can't be converted: number required, and this text is none
    var.n + 1 => 3
    local.volume => "id of docker_volume.v"
    local.wrong => (unknown any)
    machine.docker.a[*].platform => ["linux/amd64", "linux/amd64"]
    length(pool.p.machines) => 2
    service.web.replicas[*].machine => ["machine.docker.a[0]", "machine.docker.a[1]"]
    docker_volume.other.id => no block `docker_volume.other` is declared
    "#);
}
