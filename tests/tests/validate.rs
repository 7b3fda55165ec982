//! `validate`: everything that is wrong at once, without the values of variables, and nothing that is not.

use bimetal_tests::Bimetal;
use insta::assert_snapshot;

const WRONG: &str = r#"
variable "names" {
  type = set(string)
}

output "calls" {
  value = upper("a", "b")
}

output "item" {
  value = [1][3]
}

machine "docker" "one" {
  for_each = var.names
  host     = "unix:///nowhere"
  hst      = each.key
}

pool "all" {
  machines = values(machine.docker.one)
}

service "web" {
  pool  = pool.all
  image = "nginx"
  imag  = 1

  port {
    container = "x"
    contaner  = 1
  }

  dynamic "prt" {
    for_each = [1]
    content {}
  }
}

resource "docker_network" "net" {
  engine = docker_network.none.nme
  foo    = 1
}

resource "docker_volume" "data" {
  engine = machine.docker.one["a"].engine
  name   = docker_network.net.nme
  bar    = 1
}
"#;

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let bimetal = Bimetal::new(WRONG);
    let said = bimetal.run(&["validate"]).failed();
    for wanted in [
        "`docker_network.none` is not declared",
        "machine.docker.one: no argument is called `hst` here",
        "service.web: no argument is called `imag` here",
        "service.web: no argument is called `contaner` here",
        "service.web: `container` does not take this",
        "service.web: no block is called `prt` here",
        "docker_network.net: no argument is called `foo` here",
        "docker_volume.data: no argument is called `bar` here",
        "`nme`",
        "`upper` takes 1 argument, here are 2",
        "there is no item 3",
    ] {
        assert!(said.contains(wanted), "{wanted} is missing in {said}");
    }
    assert!(!said.contains("has no value"), "{said}");
}

/// Nothing can be planned before the machine was asked, and nobody is asked.
const WRONG_BEHIND_A_MACHINE: &str = r#"
machine "docker" "here" {
  host = "unix:///nowhere"
}

pool "all" {
  machines       = [machine.docker.here, lenght([])]
  failure_budget = 1
}

pool "some" {
  machines       = [machine.docker.here]
  failure_budget = "many"
}

resource "docker_volume" "listed" {
  for_each = ["a", "b"]
  name     = each.key
  engine   = machine.docker.here.engine

  lifecycle {
    ignore_changes = [lables, driver]

    precondition {
      condition     = lenght(each.key) > 0
      error_message = "a name"
    }
    postcondition {
      condition     = self.nme == each.key
      error_message = "a name"
    }
  }
}

resource "docker_volume" "counted" {
  count  = "x"
  name   = "c"
  engine = machine.docker.here.engnie
}
"#;

#[test]
fn what_waits_for_a_machine_is_looked_at() {
    let said = Bimetal::new(WRONG_BEHIND_A_MACHINE).run(&["validate"]).failed();
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("error:") || line.contains("-->")).collect();
    assert_snapshot!(lines.join("\n"), @r"
    error: pool.all: no function is called `lenght`
     --> main.bm.hcl:7:42
    error: pool.some: this is no failure budget
      --> main.bm.hcl:13:20
    error: docker_volume.counted: there is no attribute `engnie`
      --> main.bm.hcl:38:31
    error: docker_volume.counted: `count` must be a whole number, and not less than 0
      --> main.bm.hcl:36:12
    error: docker_volume.listed: no function is called `lenght`
      --> main.bm.hcl:25:23
    error: docker_volume.listed: there is no attribute `nme`
      --> main.bm.hcl:29:27
    error: docker_volume.listed: no argument is called `lables` here
      --> main.bm.hcl:22:23
    error: docker_volume.listed: `for_each` takes a map or a set of strings, not a tuple([string, string])
      --> main.bm.hcl:17:14
    ");
}

#[test]
fn a_misspelt_name_in_a_condition_is_one_mistake() {
    let text = "variable \"size\" {\n  default = 1\n  validation {\n    condition     = var.sise > 0\n    error_message = \"no\"\n  }\n}\n";
    let said = Bimetal::new(text).run(&["validate"]).failed();
    assert!(said.contains("did you mean `size`?"), "{said}");
    assert_eq!(said.matches("error:").count(), 1, "{said}");
}

#[test]
fn a_sound_configuration_needs_no_values() {
    let sound = r#"
variable "names" {
  type = set(string)
}

variable "count_of" {
  type = number
}

machine "docker" "one" {
  for_each = var.names
  host     = "tcp://${each.value}"
}

pool "all" {
  machines = values(machine.docker.one)
}

service "web" {
  for_each = var.names
  pool     = pool.all
  image    = "web-${each.key}"
  replicas = var.count_of
}

resource "docker_network" "net" {
  count  = var.count_of
  engine = machine.docker.one["a"].engine
  name   = "net-${count.index}"
}

output "nets" {
  value = [for net in docker_network.net : net.id]
}

output "where" {
  value = [for replica in service.web["a"].replicas : replica.machine]
}

output "machines" {
  value = length(pool.all.machines)
}
"#;
    assert_eq!(Bimetal::new(sound).ok(&["validate"]), "The configuration is valid.\n");
}

#[test]
fn a_condition_of_a_variable_may_look_at_everything() {
    let bimetal = Bimetal::new(
        r#"
variable "port" {
  type = number
  validation {
    condition     = var.port < local.limit
    error_message = "less than ${local.limit}, please"
  }
}

locals {
  limit = var.port > 0 ? 100 : 0
}

output "port" {
  value = var.port
}
"#,
    );
    bimetal.ok(&["validate"]);
    bimetal.ok(&["plan", "--var", "port=80"]);
    let said = bimetal.run(&["plan", "--var", "port=800"]).failed();
    assert!(said.contains("the value of `port` is not allowed") && said.contains("less than 100, please"), "{said}");

    bimetal.write("main.bm.hcl", "variable \"a\" {\n  default = 1\n  validation {\n    condition     = 1 < 2\n    error_message = \"no\"\n  }\n}\n");
    let said = bimetal.run(&["validate"]).failed();
    assert!(said.contains("this condition does not look at `var.a`"), "{said}");
}

#[test]
fn what_is_not_there_yet_is_unknown_in_the_console() {
    let bimetal = Bimetal::new(
        r#"
machine "docker" "many" {
  for_each = toset(["a", "b"])
  host     = "tcp://${each.key}"
}

machine "docker" "none" {
  count = 0
  host  = "tcp://nobody"
}
"#,
    );
    let said = bimetal.run_fed(&["console"], "machine.docker.many[\"a\"].address\nlength(machine.docker.none)\n").ok();
    assert_eq!(said, "(known after apply)\n0\n");
    let said = bimetal.run_fed(&["console"], "terraform.workspace == bimetal.workspace\nbimetal.workspace\n").ok();
    assert_eq!(said, "true\n\"default\"\n");
}
