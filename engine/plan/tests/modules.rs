//! Modules, and what is called otherwise than before.

mod world;

use insta::assert_snapshot;
use world::{World, check_plan, settled};

const SITES: &str = r#"
machine "docker" "here" {
  platform = "linux/amd64"
}
pool "all" {
  machines = [machine.docker.here]
}
module "site" {
  for_each = { a = 1, b = 2 }
  source   = "./site"
  pool     = pool.all
  replicas = each.value
  name     = each.key
}
output "volumes" {
  value = { for key, site in module.site : key => site.volume }
}
### site/main.bm.hcl
variable "pool" {}
variable "replicas" {
  type = number
}
variable "name" {
  type = string
}
resource "docker_volume" "this" {
  name = "data-${var.name}"
}
service "web" {
  pool     = var.pool
  image    = "nginx:1.27"
  replicas = var.replicas
  hostname = docker_volume.this.name
}
output "volume" {
  value = docker_volume.this.id
}
"#;

#[test]
fn modules_are_planned_as_if_they_were_written_out() {
    assert_snapshot!(check_plan(SITES, &World::default()), @r#"
    ? image nginx:1.27
    + machine.docker.here
    + module.site["a"].service.web.replica[0] on machine.docker.here (nginx@sha256:1.27/amd64)
    + module.site["a"].docker_volume.this
    + module.site["b"].service.web.replica[0] on machine.docker.here (nginx@sha256:1.27/amd64)
    + module.site["b"].service.web.replica[1] on machine.docker.here (nginx@sha256:1.27/amd64)
    + module.site["b"].docker_volume.this
    output volumes = Some({"a": (unknown string), "b": (unknown string)})
    "#);
    let mut world = settled(SITES);
    assert_snapshot!(check_plan(SITES, &world), @r"
    ? image nginx:1.27
    nothing to do
    ");
    let grown = SITES.replace("a = 1, b = 2", "b = 3, c = 1");
    assert_snapshot!(check_plan(&grown, &world), @r#"
    ? image nginx:1.27
    - module.site["a"].service.web.replica[0]; `module.site["a"]` is not in the configuration any more
    - module.site["a"].docker_volume.this; `module.site["a"]` is not in the configuration any more
    + module.site["b"].service.web.replica[2] on machine.docker.here (nginx@sha256:1.27/amd64)
    + module.site["c"].service.web.replica[0] on machine.docker.here (nginx@sha256:1.27/amd64)
    + module.site["c"].docker_volume.this
    output volumes = Some({"b": "id of module.site[\"b\"].docker_volume.this", "c": (unknown string)})
    "#);
    world.apply(&grown);
    assert_snapshot!(check_plan(&grown, &world), @r"
    ? image nginx:1.27
    nothing to do
    ");
}

#[test]
fn what_is_called_otherwise_is_moved_and_what_is_to_be_forgotten_is() {
    let volume =
        |name: &str, rest: &str| format!("resource \"docker_volume\" \"{name}\" {{\n  name = \"v\"\n{rest}}}\n");
    let user = |of: &str| format!("resource \"docker_volume\" \"user\" {{\n  name = docker_volume.{of}.name\n}}\n");
    let world = settled(&(volume("a", "") + &user("a")));
    let moved = volume("b", "") + &user("b") + "moved {\n  from = docker_volume.a\n  to   = docker_volume.b\n}\n";
    assert_snapshot!(check_plan(&moved, &world), @"docker_volume.a is now docker_volume.b");
    let counted = volume("a", "  count = 2\n") + "moved {\n  from = docker_volume.a\n  to   = docker_volume.a[1]\n}\n";
    assert_snapshot!(check_plan(&counted, &world), @r"
    docker_volume.a is now docker_volume.a[1]
    + docker_volume.a[0]
    - docker_volume.user; `docker_volume.user` is not in the configuration any more
    ");
    let chain = "moved {\n  from = docker_volume.a\n  to   = docker_volume.c\n}\nmoved {\n  from = docker_volume.c\n  to   = docker_volume.b\n}\n";
    assert_snapshot!(check_plan(&(volume("b", "") + &user("b") + chain), &world), @"docker_volume.a is now docker_volume.b");
    let forgotten = "removed {\n  from = docker_volume.a\n  lifecycle {\n    destroy = false\n  }\n}\nremoved {\n  from = docker_volume.user\n}\n";
    assert_snapshot!(check_plan(forgotten, &world), @r"
    forget docker_volume.a
    - docker_volume.user; `docker_volume.user` is not in the configuration any more
    ");
    let taken = volume("user", "") + "moved {\n  from = docker_volume.a\n  to = docker_volume.user\n}\n";
    assert_snapshot!(check_plan(&taken, &world), @r"
    docker_volume.a: `docker_volume.a` is not moved to `docker_volume.user`
      something has that address already
      hint: remove one of them from the state with `state rm`
    - docker_volume.a; `docker_volume.a` is not in the configuration any more
    ");
    assert_snapshot!(check_plan(&(volume("a", "") + "removed {\n  from = docker_volume.a\n}\n"), &world), @r"
    `docker_volume.a` is declared, and can't be removed
      hint: take out its block, or this one
    ");
}

#[test]
fn whole_modules_move() {
    let world = settled(SITES);
    let moved = SITES.replace("module \"site\"", "module \"shop\"").replace("module.site", "module.shop");
    let moved = moved.replace("### site", "moved {\n  from = module.site\n  to   = module.shop\n}\n### site");
    assert_snapshot!(check_plan(&moved, &world), @r#"
    ? image nginx:1.27
    module.site["a"].service.web.replica[0] is now module.shop["a"].service.web.replica[0]
    module.site["a"].docker_volume.this is now module.shop["a"].docker_volume.this
    module.site["b"].service.web.replica[0] is now module.shop["b"].service.web.replica[0]
    module.site["b"].service.web.replica[1] is now module.shop["b"].service.web.replica[1]
    module.site["b"].docker_volume.this is now module.shop["b"].docker_volume.this
    ~ module.shop["a"].service.web.replica[0] on machine.docker.here (nginx@sha256:1.27/amd64)
    ~ module.shop["b"].service.web.replica[0] on machine.docker.here (nginx@sha256:1.27/amd64)
    ~ module.shop["b"].service.web.replica[1] on machine.docker.here (nginx@sha256:1.27/amd64)
    "#);
    let one = moved
        .replace("from = module.site\n  to   = module.shop", "from = module.site[\"a\"]\n  to   = module.shop[\"b\"]");
    assert_snapshot!(check_plan(&one, &world), @r#"
    ? image nginx:1.27
    module.site["a"].service.web.replica[0] is now module.shop["b"].service.web.replica[0]
    module.site["a"].docker_volume.this is now module.shop["b"].docker_volume.this
    + module.shop["a"].service.web.replica[0] on machine.docker.here (nginx@sha256:1.27/amd64)
    + module.shop["a"].docker_volume.this
    ~ module.shop["b"].service.web.replica[0] on machine.docker.here (nginx@sha256:1.27/amd64)
    + module.shop["b"].service.web.replica[1] on machine.docker.here (nginx@sha256:1.27/amd64)
    -/+ module.shop["b"].docker_volume.this; name
    - module.site["b"].service.web.replica[0]; `module.site["b"]` is not in the configuration any more
    - module.site["b"].service.web.replica[1]; `module.site["b"]` is not in the configuration any more
    - module.site["b"].docker_volume.this; `module.site["b"]` is not in the configuration any more
    output volumes = Some({"a": (unknown string), "b": (unknown string)})
    "#);
}

#[test]
fn what_moved_onto_one_instance_leaves_the_others_alone() {
    let volume = |rest: &str| format!("resource \"docker_volume\" \"a\" {{\n  name = \"v\"\n{rest}}}\n");
    let keyed = volume("  for_each = toset([\"x\", \"y\"])\n")
        + "moved {\n  from = docker_volume.a\n  to   = docker_volume.a[\"x\"]\n}\n";
    let mut world = settled(&volume(""));
    assert_snapshot!(check_plan(&keyed, &world), @r#"
    docker_volume.a is now docker_volume.a["x"]
    + docker_volume.a["y"]
    "#);
    world.apply(&keyed);
    assert_snapshot!(check_plan(&keyed, &world), @"nothing to do");
    // The instance that it was moved to is lost: nothing else takes its place.
    let lost = settled(&volume("  for_each = toset([\"y\"])\n"));
    assert_snapshot!(check_plan(&keyed, &lost), @r#"+ docker_volume.a["x"]"#);

    let module =
        SITES.replace("for_each = { a = 1, b = 2 }\n", "").replace("each.value", "1").replace("each.key", "\"a\"");
    let module = module.replace("{ for key, site in module.site : key => site.volume }", "module.site.volume");
    let keyed = SITES.replace("### site", "moved {\n  from = module.site\n  to   = module.site[\"a\"]\n}\n### site");
    let mut world = settled(&module);
    assert_snapshot!(check_plan(&keyed, &world), @r#"
    ? image nginx:1.27
    module.site.service.web.replica[0] is now module.site["a"].service.web.replica[0]
    module.site.docker_volume.this is now module.site["a"].docker_volume.this
    ~ module.site["a"].service.web.replica[0] on machine.docker.here (nginx@sha256:1.27/amd64)
    + module.site["b"].service.web.replica[0] on machine.docker.here (nginx@sha256:1.27/amd64)
    + module.site["b"].service.web.replica[1] on machine.docker.here (nginx@sha256:1.27/amd64)
    + module.site["b"].docker_volume.this
    output volumes = Some({"a": "id of module.site.docker_volume.this", "b": (unknown string)})
    "#);
    world.apply(&keyed);
    assert_snapshot!(check_plan(&keyed, &world), @r"
    ? image nginx:1.27
    nothing to do
    ");
}
