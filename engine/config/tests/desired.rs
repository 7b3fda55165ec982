//! What a configuration is found to want, and what is said about mistakes in it.

mod common;

use bimetal_config::{Argument, Given, Node, SourceFile};
use common::{check_desired, complaints, source};
use insta::assert_snapshot;

const FLEET: &str = r#"
variable "do_token" {
  type      = string
  sensitive = true
}

provider "digitalocean" {
  token = var.do_token
}

machine "baremetal" "rack" {
  for_each = { for n in range(11, 61) : "rack-1-node-${n}" => "192.168.1.${n}" }
  host     = each.value
  platform = "linux/arm/v7"
}

machine "digitalocean" "ocean" {
  count  = 50
  region = "sgp1"
  size   = "s-1vcpu-512mb-10gb"
}

pool "cloud" {
  machines = [machine.baremetal.rack, machine.digitalocean.ocean]
}

service "web" {
  pool     = pool.cloud
  image    = "nginx:1.27"
  replicas = 100

  port {
    host      = 80
    container = 80
  }
}

output "urls" {
  value = [for r in service.web.replicas : "http://${r.address}:80"]
}
"#;

fn given(name: &str, value: &str) -> Given {
    let argument = Argument::Value { name: name.to_owned(), text: value.to_owned() };
    Given { arguments: vec![argument], ..Given::default() }
}

#[test]
fn the_fleet_of_the_first_page_is_understood() {
    let (desired, complaints) = complaints(FLEET, given("do_token", "x"));
    assert_eq!(complaints, "");
    let order: Vec<String> = desired.order.iter().map(Node::to_string).collect();
    assert_snapshot!(order.join("\n"), @r#"
    var.do_token
    provider.digitalocean
    machine.baremetal.rack
    machine.digitalocean.ocean
    pool.cloud
    service.web
    output.urls
    "#);
}

#[test]
fn a_variable_without_a_value_says_how_to_give_one() {
    assert_snapshot!(check_desired(FLEET), @r#"error: the variable `do_token` has no value at «variable "do_token"» hint: give it one: `--var do_token=…`, `BIMETAL_VAR_do_token`, `bimetal.bmvars.hcl` or a `default`"#);
}

#[test]
fn names_that_lead_nowhere_suggest_the_nearest() {
    assert_snapshot!(check_desired(r#"
machine "docker" "here" {}
pool "all" { machines = [machine.docker.heer] }
pool "none" { machines = mchine.docker.here }
output "x" { value = var.x }
output "y" {
  value      = nope
  depends_on = [pool.al]
}
"#), @r#"
    error: `machine.docker.heer` is not declared at «machine.docker.heer» hint: did you mean `machine.docker.here`?
    error: `mchine.docker` is not declared at «mchine.docker.here» hint: did you mean `machine`?
    error: `var.x` is not declared at «var.x» hint: there is no variable at all
    error: `nope` stands for nothing at «nope» hint: text stands between quotes: `"nope"`
    error: `pool.al` is not declared at «pool.al» hint: did you mean `pool.all`?
    "#);
}

#[test]
fn a_circle_is_printed() {
    assert_snapshot!(check_desired("locals {\n  a = local.b\n  b = local.c\n  c = [local.a]\n}\n"), @r#"error: these depend on each other in a circle (local.a → local.b → local.c → local.a) at «local.b» hint: take out one of these references"#);
    let text = "locals {\n  a = [local.b, local.a]\n  b = [local.a, local.c]\n  c = local.b\n  d = local.e\n  e = local.d + local.a\n  f = local.e\n  g = local.none\n}\n";
    assert_snapshot!(check_desired(text), @r"
    error: `local.none` is not declared at «local.none» hint: did you mean `local.e`?
    error: these depend on each other in a circle (local.a → local.a) at «[local.b, local.a]» hint: take out one of these references
    error: these depend on each other in a circle (local.d → local.e → local.d) at «local.e» hint: take out one of these references
    ");
}

#[test]
fn a_long_chain_of_references_is_no_problem() {
    let lines: String = (0..20_000).map(|n| format!("  l{n} = local.l{}\n", n + 1)).collect();
    let (desired, complaints) = complaints(&format!("locals {{\n{lines}  l20000 = 1\n}}\n"), Given::default());
    assert_eq!((complaints.as_str(), desired.order.len()), ("", 20_001));
}

#[test]
fn two_of_one_name_name_each_other() {
    assert_snapshot!(check_desired("pool \"a\" { machines = [] }\n\npool \"a\" { machines = [] }\nlocals { x = 1 }\nlocals { x = 2 }\n"), @r#"
    error: `pool.a` is declared twice (the first one is in `main.bm.hcl`, line 1) at «pool "a"» hint: rename or remove one of them
    error: local `x` is declared twice (the first one is in `main.bm.hcl`, line 4) at «x» hint: rename or remove one of them
    "#);
}

#[test]
fn blocks_are_checked_one_by_one() {
    assert_snapshot!(check_desired(r#"
srvice "web" {}
pool {}
pool "1x" {}
x = 1
variable "v" {
  type = strng
  defualt = 1
}
output "o" {}
machine "docker" "m" {
  count    = 1
  for_each = {}
  provider = 5
  lifecycle {
    prevent_destroy = "yes"
    ignore_changes  = [env["A"], f()]
  }
}
bimetal {
  required_version = var.x
  sate "sqlite" {}
  state {}
}
"#), @r#"
    error: no block is called `srvice` at «srvice "web"» hint: did you mean `service`?
    error: `pool` takes 1 labels, here are 0 at «pool» hint: write `pool "<name>" { … }`
    error: `1x` is no name at «pool "1x"» hint: names are letters, digits, `_` and `-`, and begin with a letter or `_`
    error: `x` stands outside of any block at «x» hint: put it into a block, as `locals { … }`
    error: no type is called `strng` at «strng» hint: did you mean `string`?
    error: no argument is called `defualt` here at «defualt» hint: did you mean `default`?
    error: `value` is missing at «output "o"»
    error: `count` and `for_each` can't go together at «for_each» hint: remove one of them
    error: this names no provider at «5» hint: write `provider = digitalocean` or `provider = digitalocean.alias`
    error: `prevent_destroy` is `true` or `false` at «"yes"»
    error: this names no attribute at «f()»
    error: a plain string is wanted here at «var.x» hint: it is read before anything is evaluated: no references, no functions
    error: `sate` does not belong into `bimetal` at «sate "sqlite"» hint: did you mean `state`?
    error: `state` has 0 labels here, and takes 1 at «state» hint: write `state "sqlite" { … }`
    error: the variable `v` has no value at «variable "v"» hint: give it one: `--var v=…`, `BIMETAL_VAR_v`, `bimetal.bmvars.hcl` or a `default`
    "#);
}

#[test]
fn what_cannot_be_read_is_shown_where_it_is() {
    assert_snapshot!(check_desired("pool \"a\" {\n  machines = [1,, 2]\n}\n"), @"error: an expression is wanted here (this is `,`) at «,»");
    assert_snapshot!(check_desired("locals {\n  a = \"é"), @"error: this text is never closed (it begins in line 2) at «»");
}

#[test]
fn each_and_count_belong_to_their_blocks() {
    assert_snapshot!(check_desired("machine \"docker\" \"a\" {\n  count = 2\n  host  = each.key\n}\noutput \"o\" { value = count.index }\n"), @r#"
    error: `each` is known only in a block with `for_each` at «each.key» hint: add `for_each = …` to the block
    error: `count` is known only in a block with `count` at «count.index»
    "#);
}

#[test]
fn nesting_too_deep_is_an_error() {
    let deep = format!("locals {{\n  a = {}1{}\n}}\n", "(".repeat(5_000), ")".repeat(5_000));
    assert!(check_desired(&deep).starts_with("error: more than 1000 levels within each other can't be read"));
    let many = format!("locals {{\n  a = {}1\n}}\n", "1 + ".repeat(5_000));
    assert!(check_desired(&many).starts_with("error: more than 1000 operators in a row can't be read"));
}

fn variables(text: &str, given: Given) -> String {
    let (desired, complaints) = complaints(text, given);
    format!("{:?}\n{complaints}", desired.variables)
}

#[test]
fn variables_take_the_strongest_value() {
    let text =
        "variable \"a\" { default = \"default\" }\nvariable \"b\" { default = 1 }\nvariable \"n\" { type = number }\n";
    let given = Given {
        environment: vec![("a".into(), "environment".into()), ("unheard_of".into(), "x".into())],
        files: vec![source("a.bmvars.hcl", "a = \"file\"\nn = \"5\"\n"), source("b.bmvars.json", "{\"b\": [true]}")],
        arguments: vec![Argument::Value { name: "a".into(), text: "argument".into() }],
        ..Given::default()
    };
    assert_snapshot!(variables(text, given), @r#"{"a": "argument", "b": [true], "n": 5}"#);
}

#[test]
fn values_of_collections_are_expressions_on_the_command_line() {
    let text = "variable \"ports\" { type = list(number) }\n";
    assert_snapshot!(variables(text, given("ports", "[80, \"443\"]")), @r#"{"ports": [80, 443]}"#);
    assert_snapshot!(variables(text, given("ports", "[80, ")), @r#"
    {"ports": (unknown list(number))}
    error: an expression is wanted here (here the text ends) at «?»
    "#);
    assert_snapshot!(variables(text, given("prots", "[]")), @r#"
    {"ports": (unknown list(number))}
    error: no variable `prots` is declared (`--var` gives it a value) hint: did you mean `ports`?
    error: the variable `ports` has no value at «variable "ports"» hint: give it one: `--var ports=…`, `BIMETAL_VAR_ports`, `bimetal.bmvars.hcl` or a `default`
    "#);
}

#[test]
fn optional_attributes_get_their_defaults() {
    let text = r#"
variable "nodes" {
  type = list(object({ name = string, port = optional(number, 80), tags = optional(map(string)) }))
  default = [{ name = "a" }, { name = "b", port = "81", extra = true }]
}
"#;
    assert_snapshot!(variables(text, Given::default()), @r#"{"nodes": [{"name": "a", "port": 80, "tags": null}, {"name": "b", "port": 81, "tags": null}]}"#);
}

#[test]
fn a_value_of_the_wrong_type_says_where() {
    let text = "variable \"m\" {\n  type = map(object({ size = number }))\n}\n";
    assert_snapshot!(variables(text, given("m", "{ a = { size = 1 }, b = { size = [] } }")), @r#"
    {"m": (unknown map(object({size = number})))}
    error: the value of `m` does not fit its type (at `["b"].size`) (number required, but have tuple; the type is map(object({size = number}))) at «variable "m"»
    "#);
}

#[test]
fn validations_speak_with_their_own_words() {
    let text = "variable \"n\" {\n  type = number\n  validation {\n    condition     = var.n > 2\n    error_message = \"at least ${1 + 2}, please\"\n  }\n}\n";
    assert_snapshot!(variables(text, given("n", "1")), @r#"
    {"n": 1}
    error: the value of `n` is not allowed (at least 3, please) at «var.n > 2»
    "#);
}

#[test]
fn a_sensitive_variable_is_never_shown() {
    let text = "variable \"t\" {\n  sensitive = true\n  nullable  = false\n}\n";
    assert_snapshot!(variables(text, given("t", "hunter2")), @r#"{"t": (sensitive)}"#);
}

#[test]
fn references_are_found_with_their_places() {
    let file: SourceFile =
        source("x", "[for m in machine.docker.rack : \"${m.id}-${var.name}\" if m.ok && local.x[each.key]]");
    let expression = bimetal_config::parse_expression(&file).unwrap();
    let lines: Vec<String> = expression
        .references()
        .into_iter()
        .map(|reference| format!("{} at {}", reference.target, &file.text[reference.span.range]))
        .collect();
    assert_snapshot!(lines.join("\n"), @r"
    machine.docker.rack at machine.docker.rack
    var.name at var.name
    each at each.key
    local.x at local.x[each.key]
    ");
}

#[test]
fn what_follows_from_a_refused_value_is_checked_all_the_same() {
    let text = r#"
variable "port" {
  default = 99999

  validation {
    condition     = var.port < 65536
    error_message = "too high"
  }
}

locals {
  wrong = var.port.x
  more  = local.wrong + 1
}
"#;
    assert_snapshot!(complaints(text, Given::default()).1, @r"
    error: the value of `port` is not allowed (too high) at «var.port < 65536»
    error: a number has no attributes at «.x»
    ");
}

#[test]
fn names_that_module_blocks_use_are_no_variables() {
    assert_snapshot!(check_desired("variable \"count\" {\n  default = 1\n}\n"), @r#"error: the name `count` is reserved, due to its meaning inside `module` blocks at «variable "count"» hint: give the variable another name"#);
}

#[test]
fn an_assert_without_a_message_is_an_assert() {
    assert_snapshot!(check_desired("check \"c\" {\n  assert {\n    condition = 1 < 2\n  }\n}\n"), @r#"error: `error_message` is missing at «assert»"#);
}

#[test]
fn no_single_instance_is_removed() {
    let text = "removed {\n  from = docker_volume.a[0]\n}\nremoved {\n  from = module.x[\"a\"].docker_volume.q\n}\nremoved {\n  from = module.x.docker_volume.q\n}\n";
    assert_snapshot!(check_desired(text), @r#"
    error: `docker_volume.a[0]` is one instance, and `removed` is of all at «removed» hint: name the whole block, or the module, without a key
    error: `module.x["a"].docker_volume.q` is one instance, and `removed` is of all at «removed» hint: name the whole block, or the module, without a key
    "#);
}

#[test]
fn moves_that_contradict_each_other_are_refused() {
    let moved =
        |from: &str, to: &str| format!("moved {{\n  from = docker_volume.{from}\n  to   = docker_volume.{to}\n}}\n");
    let text = [
        ("a", "a"),
        ("b", "c"),
        ("b", "d"),
        ("b", "c"),
        ("e", "c"),
        ("x[0]", "x[1]"),
        ("x[1]", "x[2]"),
        ("x[2]", "x[0]"),
    ];
    let text = text.map(|(from, to)| moved(from, to)).concat();
    assert_snapshot!(check_desired(&text), @r"
    error: `docker_volume.a` is moved to where it is at «moved» hint: take this block out
    error: `docker_volume.b` can't be moved to two places (another block moves it to `docker_volume.c`, in `main.bm.hcl`, line 5) at «moved»
    error: two things can't be moved to `docker_volume.c` (another block moves `docker_volume.b` there, in `main.bm.hcl`, line 5) at «moved»
    error: these moves lead in a circle (`docker_volume.x[0]` → `docker_volume.x[1]` → `docker_volume.x[2]` → `docker_volume.x[0]`) at «moved» hint: take one of them out; two names are swapped by way of a third one, in two applies
    ");
}

#[test]
fn what_cannot_be_read_is_not_missed_elsewhere() {
    let text = "locals {\n  a = 1\n  b = ]\n  c = 3\n}\nvariable \"v\" \"w\" {}\noutput \"sum\" {\n  value = local.a + local.c + local.nowhere + var.v\n}\n";
    assert_snapshot!(check_desired(text), @r#"
    error: an expression is wanted here (this is `]`) at «]»
    error: `variable` takes 1 labels, here are 2 at «variable "v" "w"» hint: write `variable "<name>" { … }`
    error: `var.v` is not declared at «var.v» hint: there is no variable at all
    "#);
}

#[test]
fn what_nobody_can_wait_for_is_underlined() {
    let text = "output \"o\" {\n  value      = 1\n  depends_on = [docker_volume.a, module.m]\n}\n";
    assert_snapshot!(check_desired(text), @r#"
    error: `docker_volume.a` is not declared at «docker_volume.a» hint: declare it: `resource "docker_volume" "a" { … }`
    error: `module.m` is not declared at «module.m» hint: there is no module at all
    "#);
}
