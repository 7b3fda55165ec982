//! What is under test where that is not what is written.

mod common;

use bimetal_config::{Alterations, Given, Outside, SourceFile, altered, derive, missing_modules, parse_suite};
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

/// What a folder holds, where a file of tests stands for some of it.
fn check(text: &str, folder: &str, suite: &str) -> String {
    let (files, suite) = (files(text), source("a.bmtest.hcl", suite));
    let (parsed, said) = parse_suite(&suite);
    assert!(said.is_empty(), "{said:?}");
    let by = Alterations { folder: folder.into(), providers: parsed.providers, modules: parsed.overrides };
    let (desired, said) = altered(files.clone(), Given::default(), Outside::default(), &by);
    let spoken_of: Vec<&SourceFile> = files.iter().chain([&suite]).collect();
    let mut lines: String = said.iter().map(|diagnostic| show(diagnostic, &spoken_of) + "\n").collect();
    let mut scope = desired.scope();
    for node in desired.order.iter() {
        // What objects are is not known here.
        let _ = derive(&desired.module, node, &mut scope);
    }
    lines.extend(desired.module.objects.keys().map(|address| format!("{address}\n")));
    lines.extend(
        desired
            .module
            .providers
            .iter()
            .map(|(key, block)| format!("{key}: {:?}\n", Vec::from_iter(block.body.attributes.keys()))),
    );
    lines.extend(desired.module.checks.keys().map(|name| format!("check {name}\n")));
    lines.extend(scope.locals.iter().map(|(name, value)| format!("local {name} = {value:?}\n")));
    lines + &scope.results.iter().map(|(name, value)| format!("{name} = {value:?}\n")).collect::<String>()
}

const NESTED: &str = r#"
# main.bm.hcl
provider "docker" {
  host = "written"
}
locals {
  here = path.module
}
module "net" {
  for_each = toset(["a", "b"])
  source   = "./net"
}
resource "docker_volume" "after" {
  depends_on = [module.net]
}
# net/main.bm.hcl
resource "docker_network" "a" {}
locals {
  name = docker_network.a.name
}
module "deep" {
  source = "./deep"
  name   = local.name
}
check "c" {
  assert {
    condition     = true
    error_message = ""
  }
}
output "id" {
  value = 1
}
output "deep" {
  value = module.deep.id
}
# net/deep/main.bm.hcl
variable "name" {}
resource "docker_network" "b" {}
output "id" {
  value = 2
}
output "name" {
  value = docker_network.b.name
}
# tests/setup/main.bm.hcl
locals {
  here = path.module
}
module "whole" {
  source = "../.."
}
module "beside" {
  source = "./beside"
}
# tests/setup/beside/main.bm.hcl
output "where" {
  value = path.module
}
"#;

#[test]
fn modules_have_the_outputs_that_are_given() {
    let all = "override_module {\n  target = module.net\n  outputs = {\n    id = upper(\"x\")\n  }\n}\n";
    assert_snapshot!(check(NESTED, "", all), @r#"
    docker_volume.after
    docker: ["host"]
    local here = "."
    module.net["a"].deep = null
    module.net["a"].id = "X"
    module.net["b"].deep = null
    module.net["b"].id = "X"
    "#);
    let one = "override_module {\n  target = module.net[\"a\"]\n  outputs = {\n    id = 7\n  }\n}\n";
    assert_snapshot!(check(NESTED, "", one), @r#"
    docker_volume.after
    module.net["b"].docker_network.a
    module.net["b"].module.deep.docker_network.b
    docker: ["host"]
    check module.net["b"].c
    local here = "."
    module.net["a"].deep = null
    module.net["a"].id = 7
    module.net["b"].deep = 2
    module.net["b"].id = 1
    module.net["b"].module.deep.id = 2
    "#);
    let deep = "override_module {\n  target = module.net.module.deep\n  outputs = {\n    id = 7\n  }\n}\n";
    assert_snapshot!(check(NESTED, "", deep), @r#"
    docker_volume.after
    module.net["a"].docker_network.a
    module.net["b"].docker_network.a
    docker: ["host"]
    check module.net["a"].c
    check module.net["b"].c
    local here = "."
    module.net["a"].deep = 7
    module.net["a"].id = 1
    module.net["a"].module.deep.id = 7
    module.net["a"].module.deep.name = null
    module.net["b"].deep = 7
    module.net["b"].id = 1
    module.net["b"].module.deep.id = 7
    module.net["b"].module.deep.name = null
    "#);
}

#[test]
fn providers_take_the_place_of_those_that_are_written() {
    assert_snapshot!(check(NESTED, "", "provider \"docker\" {\n  other = 1\n}\n"), @r#"
    docker_volume.after
    module.net["a"].docker_network.a
    module.net["a"].module.deep.docker_network.b
    module.net["b"].docker_network.a
    module.net["b"].module.deep.docker_network.b
    docker: ["other"]
    check module.net["a"].c
    check module.net["b"].c
    local here = "."
    module.net["a"].deep = 2
    module.net["a"].id = 1
    module.net["a"].module.deep.id = 2
    module.net["b"].deep = 2
    module.net["b"].id = 1
    module.net["b"].module.deep.id = 2
    "#);
}

#[test]
fn a_module_elsewhere_is_the_root_and_may_call_what_is_around_it() {
    assert_snapshot!(check(NESTED, "tests/setup", ""), @r#"
    error: provider blocks belong into the root module at «provider "docker"» hint: hand providers on: `providers = { docker = docker.west }` in the `module` block
    module.whole.docker_volume.after
    module.whole.module.net["a"].docker_network.a
    module.whole.module.net["a"].module.deep.docker_network.b
    module.whole.module.net["b"].docker_network.a
    module.whole.module.net["b"].module.deep.docker_network.b
    check module.whole.module.net["a"].c
    check module.whole.module.net["b"].c
    local here = "tests/setup"
    local module.whole.here = "."
    module.beside.where = "tests/setup/beside"
    module.whole.module.net["a"].deep = 2
    module.whole.module.net["a"].id = 1
    module.whole.module.net["a"].module.deep.id = 2
    module.whole.module.net["b"].deep = 2
    module.whole.module.net["b"].id = 1
    module.whole.module.net["b"].module.deep.id = 2
    "#);
    let some: Vec<SourceFile> = files(NESTED).into_iter().filter(|file| file.name.starts_with("tests/")).collect();
    let missing: Vec<String> = missing_modules(&some, "tests/setup").iter().map(ToString::to_string).collect();
    assert_eq!(missing, [""]);
}

#[test]
fn mistakes() {
    let texts = [
        "override_module {\n  target = module.nett\n}\n",
        "override_module {\n  target = module.net[\"c\"]\n}\n",
        "override_module {\n  target = module.net\n  outputs = {\n    idd = 1\n  }\n}\n",
        "override_module {\n  target = module.net\n  outputs = merge({})\n}\n",
        "override_module {\n  target = module.net\n  outputs = {\n    (\"a\") = 1\n  }\n}\n",
        "override_module {\n  target = module.net\n  outputs = {\n    id = local.none\n  }\n}\n",
    ];
    let one = |text: &&str| {
        let said: String = check(NESTED, "", text)
            .lines()
            .filter(|line| line.starts_with("error"))
            .map(|line| format!("{line}\n"))
            .collect();
        format!("{}\n{said}", text.replace('\n', " "))
    };
    assert_snapshot!(texts.iter().map(one).collect::<String>(), @r#"
    override_module {   target = module.nett } 
    error: `module.nett` is not declared at «override_module»
    override_module {   target = module.net["c"] } 
    error: `module.net["c"]` is not declared at «override_module»
    override_module {   target = module.net   outputs = {     idd = 1   } } 
    error: `module.net` has no output `idd` at «1» hint: did you mean `id`?
    override_module {   target = module.net   outputs = merge({}) } 
    error: `outputs` says which there are at «merge({})» hint: write `outputs = { name = … }`
    override_module {   target = module.net   outputs = {     ("a") = 1   } } 
    error: `outputs` says which there are at «("a")» hint: write `outputs = { name = … }`
    override_module {   target = module.net   outputs = {     id = local.none   } } 
    error: `local.none` is not declared at «local.none» hint: did you mean `local.here`?
    error: `local.none` is not declared at «local.none» hint: did you mean `local.here`?
    "#);
}
