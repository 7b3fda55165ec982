//! Modules: what their instances hold, and what is wrong with how they are called.

mod common;

use bimetal_config::{Desired, Given, Outside, SourceFile, derive, desired, missing_modules};
use bimetal_model::{Type, Value};
use common::{show, source};
use insta::assert_snapshot;

/// Files by name, each behind a line `# name`.
fn files(text: &str) -> Vec<SourceFile> {
    let file = |part: &str| {
        let (name, text) = part.split_once('\n').unwrap();
        source(name.trim(), text)
    };
    text.split("# ").skip(1).map(file).collect()
}

/// Everything in order with what follows from expressions, or what is said.
fn check(text: &str) -> String {
    let files = files(text);
    let (desired, diagnostics) = desired(files.clone(), Given::default(), Outside::default());
    let files: Vec<&SourceFile> = files.iter().collect();
    let said: String = diagnostics.iter().map(|diagnostic| show(diagnostic, &files) + "\n").collect();
    if diagnostics.is_empty() { values(&desired) } else { said }
}

fn values(desired: &Desired) -> String {
    let mut scope = desired.scope();
    let mut lines = String::new();
    for node in desired.order.iter() {
        if let Err(errors) = derive(&desired.module, node, &mut scope) {
            lines.extend(errors.iter().map(|error| format!("{node}: {}\n", error.summary)));
        }
    }
    for (name, value) in scope.inputs.iter() {
        lines += &format!("{}var.{} = {value:?}\n", name.module, name.name);
    }
    for (name, value) in scope.results.iter() {
        lines += &format!("{}{} = {value:?}\n", name.module, name.name);
    }
    for (name, value) in scope.locals.iter() {
        lines += &format!("{}local.{} = {value:?}\n", name.module, name.name);
    }
    lines + &desired.module.objects.keys().map(|address| format!("{address}\n")).collect::<String>()
}

const NET: &str = r#"
# net/main.bm.hcl
variable "name" {
  type = string
}
variable "size" {
  type    = number
  default = 2
}
locals {
  full = "${var.name}-${var.size}-${path.module}"
}
resource "docker_network" "this" {
  name = local.full
}
output "full" {
  value = local.full
}
output "size" {
  value = var.size
}
"#;

fn with_net(root: &str) -> String {
    format!("# main.bm.hcl\n{root}{NET}")
}

#[test]
fn a_module_has_variables_locals_objects_and_outputs_of_its_own() {
    let root = "module \"one\" {\n  source = \"./net\"\n  name = \"a\"\n}\nlocals {\n  got = module.one.full\n}\n";
    assert_snapshot!(check(&with_net(root)), @r#"
    module.one.var.name = "a"
    module.one.var.size = 2
    module.one.full = "a-2-net"
    module.one.size = 2
    local.got = "a-2-net"
    module.one.local.full = "a-2-net"
    module.one.docker_network.this
    "#);
}

#[test]
fn a_module_with_for_each_is_an_object_of_its_instances() {
    let root = r#"
locals {
  names = toset(["a", "b"])
}
module "each" {
  for_each = local.names
  source   = "./net"
  name     = "x-${each.key}"
  size     = "3"
}
module "counted" {
  count  = length(module.each)
  source = "./net"
  name   = module.each["b"].full
  size   = count.index
}
locals {
  all   = [for key, net in module.each : "${key}=${net.size}"]
  sizes = module.counted[*].size
  whole = module.each
}
"#;
    assert_snapshot!(check(&with_net(root)), @r#"
    module.counted[0].var.name = "x-b-3-net"
    module.counted[0].var.size = 0
    module.counted[1].var.name = "x-b-3-net"
    module.counted[1].var.size = 1
    module.each["a"].var.name = "x-a"
    module.each["a"].var.size = 3
    module.each["b"].var.name = "x-b"
    module.each["b"].var.size = 3
    module.counted[0].full = "x-b-3-net-0-net"
    module.counted[0].size = 0
    module.counted[1].full = "x-b-3-net-1-net"
    module.counted[1].size = 1
    module.each["a"].full = "x-a-3-net"
    module.each["a"].size = 3
    module.each["b"].full = "x-b-3-net"
    module.each["b"].size = 3
    local.all = ["a=3", "b=3"]
    local.names = {"a", "b"}
    local.sizes = [0, 1]
    local.whole = {"a": {"full": "x-a-3-net", "size": 3}, "b": {"full": "x-b-3-net", "size": 3}}
    module.counted[0].local.full = "x-b-3-net-0-net"
    module.counted[1].local.full = "x-b-3-net-1-net"
    module.each["a"].local.full = "x-a-3-net"
    module.each["b"].local.full = "x-b-3-net"
    module.counted[0].docker_network.this
    module.counted[1].docker_network.this
    module.each["a"].docker_network.this
    module.each["b"].docker_network.this
    "#);
}

#[test]
fn modules_may_call_modules() {
    let text = r#"
# main.bm.hcl
module "outer" {
  source = "./outer"
}
# outer/main.bm.hcl
module "inner" {
  count  = 2
  source = "../net"
  name   = "deep-${count.index}"
}
output "deep" {
  value = module.inner[1].full
}
"#;
    assert_snapshot!(check(&format!("{text}{NET}")), @r#"
    module.outer.module.inner[0].var.name = "deep-0"
    module.outer.module.inner[0].var.size = 2
    module.outer.module.inner[1].var.name = "deep-1"
    module.outer.module.inner[1].var.size = 2
    module.outer.deep = "deep-1-2-net"
    module.outer.module.inner[0].full = "deep-0-2-net"
    module.outer.module.inner[0].size = 2
    module.outer.module.inner[1].full = "deep-1-2-net"
    module.outer.module.inner[1].size = 2
    module.outer.module.inner[0].local.full = "deep-0-2-net"
    module.outer.module.inner[1].local.full = "deep-1-2-net"
    module.outer.module.inner[0].docker_network.this
    module.outer.module.inner[1].docker_network.this
    "#);
}

#[test]
fn who_waits_for_a_module_waits_for_all_that_is_in_it() {
    let root = r#"
module "first" {
  source = "./net"
  name   = "a"
}
module "second" {
  source     = "./net"
  name       = "b"
  depends_on = [module.first]
}
resource "docker_volume" "last" {
  name       = "c"
  depends_on = [module.second]
}
"#;
    let (desired, said) = desired(files(&with_net(root)), Given::default(), Outside::default());
    assert!(said.is_empty(), "{said:?}");
    let order = desired.order;
    let objects = order.iter().map(|node| node.to_string());
    let objects: Vec<_> = objects.filter(|node| node.contains("docker_")).collect();
    assert_eq!(
        objects,
        ["module.first.docker_network.this", "module.second.docker_network.this", "docker_volume.last"]
    );
}

#[test]
fn mistakes_in_calls_are_shown_where_they_are() {
    let mistakes = [
        "module \"m\" {\n  source = \"./net\"\n}\n",
        "module \"m\" {\n  source = \"./net\"\n  name = \"a\"\n  nmae = 1\n}\n",
        "module \"m\" {\n  source = \"./net\"\n  name = []\n}\n",
        "module \"m\" {\n  source = \"./nat\"\n}\n",
        "module \"m\" {\n  source = \"git::https://example.com/x\"\n}\n",
        "module \"m\" {\n  name = 1\n}\n",
        "module \"m\" {\n  source = \"./net\"\n  name = \"a\"\n}\nlocals {\n  x = module.m.ful\n}\n",
        "module \"m\" {\n  source = \"./net\"\n  name = \"a\"\n}\nlocals {\n  x = module.n\n}\n",
        "module \"m\" {\n  source = \"./net\"\n  name = each.key\n}\n",
        "module \"m\" {\n  source = \"./net\"\n  name = \"a\"\n  for_each = docker_volume.x\n}\nresource \"docker_volume\" \"x\" {\n  name = module.m.full\n}\n",
        "module \"m\" {\n  source = \"./net\"\n  name = module.m.full\n}\n",
        "module \"m\" {\n  source = \".\"\n}\n",
    ];
    let said: String = mistakes.iter().map(|root| check(&with_net(root))).collect();
    assert_snapshot!(said, @r#"
    error: the module needs `name` at «module "m"» hint: add `name = …`
    error: the module has no variable `nmae` at «nmae» hint: did you mean `name`?
    module.m.var.name: the value of `name` does not fit its type
    module.m.var.name = (unknown string)
    module.m.var.size = 2
    module.m.full = (unknown string)
    module.m.size = 2
    module.m.local.full = (unknown string)
    module.m.docker_network.this
    error: there is no module in `nat` at «"./nat"» hint: a module is a folder with files that end with `.bm.hcl`
    error: there is no module in what `source` names at «"git::https://example.com/x"» hint: a module is a folder with files that end with `.bm.hcl`
    error: `source` is missing at «module "m"» hint: write `source = "./modules/name"`
    error: `module.m.ful` is not declared at «module.m.ful» hint: did you mean `module.m.full`?
    error: `module.n` is not declared at «module.n» hint: there is only `module.m`
    error: `each` is known only in a block with `for_each` at «each.key» hint: add `for_each = …` to the block
    error: how many instances `module.m` has depends on itself (it depends on `docker_volume.x`) at «module "m"»
    error: these depend on each other in a circle (module.m.var.name → module.m.output.full → module.m.local.full → module.m.var.name) at «module "m"» hint: take out one of these references
    error: this module calls itself at «"."»
    "#);
}

#[test]
fn how_many_there_are_may_rest_on_what_is_looked_up() {
    let root = r#"
# main.bm.hcl
data "zoo_names" "all" {}
module "first" {
  source   = "./net"
  for_each = toset(data.zoo_names.all.names)
  name     = each.key
}
module "second" {
  source = "./net"
  count  = length(module.first) + local.more
  name   = "n${count.index}"
}
data "zoo_names" "more" {
  of = module.second[0].full
}
locals {
  more = 1
}
module "third" {
  source = "./net"
  count  = length(data.zoo_names.more.names)
  name   = "last"
}
"#;
    let (first, said) = desired(files(&with_net(root)), Given::default(), Outside::default());
    assert!(said.is_empty(), "{said:?}");
    let waits_for = |desired: &Desired| desired.waits_for().iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(waits_for(&first), ["data.zoo_names.all"], "the other one rests on modules that are not there yet");
    let names = |names: &[&str]| {
        let list = Value::tuple(names.iter().map(|name| Value::from(*name)));
        [("names", list)].into_iter().collect::<Value>()
    };
    let (second, said) = first.knowing([("data.zoo_names.all".parse().unwrap(), names(&["a", "b"]))].into());
    assert!(said.is_empty(), "{said:?}");
    assert_eq!(waits_for(&second), ["data.zoo_names.more"]);
    let (third, said) = second.knowing([("data.zoo_names.more".parse().unwrap(), names(&["c"]))].into());
    assert!(said.is_empty(), "{said:?}");
    assert!(third.waits_for().is_empty());
    let objects: Vec<String> = third.module.objects.keys().map(ToString::to_string).collect();
    assert_snapshot!(objects.join("\n"), @r#"
    data.zoo_names.all
    data.zoo_names.more
    module.first["a"].docker_network.this
    module.first["b"].docker_network.this
    module.second[0].docker_network.this
    module.second[1].docker_network.this
    module.second[2].docker_network.this
    module.third[0].docker_network.this
    "#);
    let (_, said) = second.knowing([("data.zoo_names.more".parse().unwrap(), Value::unknown(Type::Any))].into());
    assert_snapshot!(said[0].summary, @"`count` depends on what is known only after apply");
}

#[test]
fn a_module_that_calls_itself_is_an_error() {
    let text = "# main.bm.hcl\nmodule \"a\" {\n  source = \"./a\"\n}\n# a/main.bm.hcl\nmodule \"b\" {\n  source = \"../b\"\n}\n# b/main.bm.hcl\nmodule \"a\" {\n  source = \"../a\"\n}\n";
    assert_snapshot!(check(text), @r#"error: this module calls itself at «"../a"»"#);
}

#[test]
fn a_modules_variables_have_conditions() {
    let text = r#"
# main.bm.hcl
module "m" {
  source = "./m"
  port   = 70000
}
# m/main.bm.hcl
variable "port" {
  type = number
  validation {
    condition     = var.port < 65536
    error_message = "a port is below 65536, not ${var.port}"
  }
}
"#;
    assert_snapshot!(check(text), @r"
    module.m.var.port: the value of `port` is not allowed
    module.m.var.port = 70000
    ");
}

#[test]
fn modules_that_are_not_loaded_are_named() {
    let loaded =
        files("# main.bm.hcl\nmodule \"a\" {\n  source = \"./x/../a\"\n}\nmodule \"b\" {\n  source = \"../b\"\n}\n");
    let missing: Vec<String> = missing_modules(&loaded, "").iter().map(ToString::to_string).collect();
    assert_eq!(missing, ["../b", "a"]);
}

#[test]
fn a_module_that_is_not_enabled_is_null() {
    let root = "module \"m\" {\n  enabled = false\n  source = \"./net\"\n  name = \"a\"\n}\nlocals {\n  got = module.m == null\n}\n";
    assert_snapshot!(check(&with_net(root)), @"local.got = true");
}

#[test]
fn files_that_override_change_what_others_declare() {
    let text = r#"
# main.bm.hcl
variable "size" {
  type    = number
  default = 1
}
locals {
  a = 1
  b = var.size
}
output "o" {
  value = local.a
}
resource "docker_volume" "v" {
  name = "v"
}
# override.bm.hcl
variable "size" {
  default = 3
}
locals {
  a = local.b
}
# production_override.bm.hcl
locals {
  a = local.b + 1
}
resource "docker_volume" "v" {
  count = 2
}
"#;
    assert_snapshot!(check(text), @r"
    local.a = 4
    local.b = 3
    docker_volume.v
    ");
    let wrong = "# main.bm.hcl\nlocals {\n  a = 1\n}\n# override.bm.hcl\nlocals {\n  b = 1\n}\noutput \"o\" {\n  value = 1\n}\nmoved {\n  from = a.b\n  to = a.c\n}\nbimetal {\n}\n";
    assert_snapshot!(check(wrong), @r#"
    error: there is no local `b` to override at «b» hint: declare it in a file that overrides nothing
    error: there is no `output "o"` to override at «output "o"» hint: write `output "<name>" { … }` in a file that overrides nothing
    error: `moved` has no name to be overridden by at «moved» hint: write `moved { … }` in a file that overrides nothing
    error: there is no `bimetal` block to override at «bimetal» hint: write `bimetal { … }` in a file that overrides nothing
    "#);
}
