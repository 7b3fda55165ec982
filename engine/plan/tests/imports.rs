//! What exists already and is taken over.

mod world;

use insta::assert_snapshot;
use world::{World, check_plan, settled};

const VOLUMES: &str = r#"
variable "ids" {
  default = { a = "first", b = "second" }
}
resource "docker_volume" "v" {
  for_each = toset(["a", "b", "c"])
  name     = each.key
}
import {
  for_each = var.ids
  to       = docker_volume.v[each.key]
  id       = each.value
}
"#;

#[test]
fn what_exists_is_taken_over_once() {
    assert_snapshot!(check_plan(VOLUMES, &World::default()), @r#"
    ? first for docker_volume.v["a"]
    ? second for docker_volume.v["b"]
    docker_volume.v["a"] is first
    docker_volume.v["b"] is second
    + docker_volume.v["c"]
    "#);
    let mut world = settled(VOLUMES);
    assert_snapshot!(check_plan(VOLUMES, &world), @"nothing to do");
    assert_snapshot!(format!("{:?}", world.object("docker_volume.v[\"a\"]").object.value), @r#"{"engine": null, "id": "first", "labels": null, "name": "a"}"#);
    let more = VOLUMES.replace("b = \"second\"", "c = \"third\"");
    assert_snapshot!(check_plan(&more, &world), @"nothing to do");
}

#[test]
fn one_block_of_a_module_is_taken_over() {
    let config = r#"
module "site" {
  for_each = toset(["x", "y"])
  source   = "./site"
}
import {
  to = module.site["x"].docker_volume.v
  id = "known"
}
### site/main.bm.hcl
resource "docker_volume" "v" {
  name = "v"
}
"#;
    assert_snapshot!(check_plan(config, &World::default()), @r#"
    ? known for module.site["x"].docker_volume.v
    module.site["x"].docker_volume.v is known
    + module.site["y"].docker_volume.v
    "#);
}

#[test]
fn what_cannot_be_taken_over_is_told() {
    let check = |import: &str| {
        let block = "resource \"docker_volume\" \"v\" {\n  name = \"v\"\n}\nresource \"docker_volume\" \"w\" {\n  name = docker_volume.v.id\n}\n";
        check_plan(&format!("{block}{import}\n"), &World::default())
    };
    assert_snapshot!(check("import {\n to = docker_volume.v\n id = \"nothing\"\n}"), @r"
    ? nothing for docker_volume.v
    there is none
    ");
    assert_snapshot!(check("import {\n to = docker_volume.x\n id = \"1\"\n}"), @r"
    what is to be imported is not declared
      hint: write the block of the machine or resource that it becomes
    ");
    assert_snapshot!(check("import {\n to = docker_volume.v[0]\n id = \"1\"\n}"), @r"
    `docker_volume.v[0]` is to be imported, and its block has no such instance
      hint: write its key as `count` or `for_each` has it
    ");
    assert_snapshot!(check("import {\n to = docker_volume.w\n id = \"1\"\n}"), @r"
    `docker_volume.w` can't be imported yet
      some of its arguments, or of its provider's, are known only after apply
      hint: take out this block and its `import` for one apply, and put both back then
    ");
    assert_snapshot!(check("import {\n to = docker_volume.v\n id = docker_volume.w.id\n}"), @r"
    these depend on each other in a circle
      docker_volume.v → docker_volume.w → docker_volume.v
      hint: take out one of these references
    ");
    assert_snapshot!(check("import {\n to = pool.v\n id = null\n}"), @r#"
    this is no address of a machine or resource
      hint: write `docker_volume.data`, or `docker_volume.data["a"]` for one instance
    "#);
    assert_snapshot!(check("import {\n to = docker_volume.v\n id = \"\"\n}"), @r"
    an `id` is a text
      hint: it is what the provider knows the object by
    ");
    assert_snapshot!(check("import {\n to = docker_volume.v\n id = each.key\n}"), @"`each` is known only in a block with `for_each`");
    assert_snapshot!(check("import {\n to = docker_volume.v\n colour = 1\n}"), @r#"
    no argument is called `colour` here
      hint: there are `to`, `id`
    `id` is missing
      hint: write `import { to = docker_volume.data, id = "data" }`
    "#);
    let twice = "import {\n to = docker_volume.v\n id = \"1\"\n}\nimport {\n to = docker_volume.v\n id = \"2\"\n}";
    assert_snapshot!(check(twice), @r"
    ? 1 for docker_volume.v
    ? 2 for docker_volume.v
    `docker_volume.v` is to be imported twice, as `1` and `2`
      hint: take out one of them
    ");
}
