//! What `plan` says, and what it can be told: nothing here needs an engine.

use bimetal_tests::{Bimetal, Ran};
use insta::assert_snapshot;
use serde_json::Value;

/// Machines that say what they are, volumes on them, and services: planned offline, with images that are locked.
const FLEET: &str = r#"
variable "tag" {
  default = "1.27"
}

machine "docker" "m" {
  count    = 4
  host     = "ssh://pi@10.0.0.${count.index + 1}"
  platform = "linux/arm64"
}

pool "all" {
  machines = [machine.docker.m]
}

resource "docker_volume" "data" {
  for_each = toset(["a", "b", "c"])
  name     = "data-${each.key}"
  engine   = machine.docker.m[0].engine
}

service "web" {
  pool     = pool.all
  image    = "nginx:${var.tag}"
  replicas = 98
}

output "volumes" {
  value = [for volume in docker_volume.data : volume.name]
}
"#;

const LOCK: &str = r#"
image "nginx:1.27" {
  digest    = "sha256:6784fb0834aa7dbbe12e3d7471e69c290df3e6ba810dc38b34ae33d3c1c05f7d"
  platforms = {
    "linux/amd64" = "sha256:53f45dba5bda8fe6c3b4d0a5e2b8ac1b9ea5d1d2d3b5dcd4e0d0d0d0d0d0d0d0"
    "linux/arm64" = "sha256:54f45dba5bda8fe6c3b4d0a5e2b8ac1b9ea5d1d2d3b5dcd4e0d0d0d0d0d0d0d0"
  }
}
"#;

fn fleet() -> Bimetal {
    let bimetal = Bimetal::new(FLEET);
    bimetal.write("bimetal.lock.hcl", LOCK);
    bimetal
}

fn shown(ran: &Ran) -> String {
    let Ran { words, code, stdout, stderr } = ran;
    let passing = |line: &&str| !line.starts_with("compiling provider");
    let said = stderr.lines().filter(passing).map(|line| format!("{line}\n")).collect::<String>();
    format!("$ bimetal {words}\n{stdout}--- stderr\n{said}({code})\n")
}

fn plan(bimetal: &Bimetal, words: &[&str]) -> String {
    shown(&bimetal.run(&[&["plan", "-offline"], words].concat()))
}

#[test]
fn many_alike_are_one() {
    let bimetal = fleet();
    assert_snapshot!("many_alike_are_one", plan(&bimetal, &[]));
    assert_snapshot!(plan(&bimetal, &["-detail=summary"]), @"");
    let full = plan(&bimetal, &["-detail=full"]);
    assert_eq!(full.matches("will be created").count(), 4 + 3 + 98, "{full}");
}

#[test]
fn one_that_differs_is_seen() {
    let odd = |name: &str| {
        FLEET.replace(
            "name     = \"data-${each.key}\"",
            &format!("name     = each.key == \"b\" ? \"{name}\" : \"data-${{each.key}}\""),
        )
    };
    let (one, other) = (Bimetal::new(&odd("odd-1")), Bimetal::new(&odd("odd-2")));
    let words = ["-target=docker_volume.data"];
    let (one, other) = (plan(&one, &words), plan(&other, &words));
    assert_ne!(one, other);
    assert_snapshot!(one, @"");
}

#[test]
fn a_part_may_be_planned() {
    let bimetal = fleet();
    assert_snapshot!(plan(&bimetal, &["-target=docker_volume.data[a]"]), @"");
    assert_snapshot!(plan(&bimetal, &["-exclude=service.web", "-exclude=docker_volume.data", "-detailed-exitcode"]), @"");
    assert_snapshot!(plan(&bimetal, &["-target=docker_volume.date"]), @"");
    assert_snapshot!(plan(&bimetal, &["-replace=machine.docker.m"]), @"");
}

#[test]
fn what_is_not_known_offline_is_told() {
    let bimetal = fleet();
    assert_snapshot!(plan(&bimetal, &["-var", "tag=1.28"]), @"");
    bimetal.write("main.bm.hcl", &FLEET.replace("  platform = \"linux/arm64\"\n", ""));
    assert_snapshot!(plan(&bimetal, &[]), @"");
}

#[test]
fn programs_are_told_everything() {
    let bimetal = fleet();
    let text = bimetal.ok(&["plan", "-offline", "-json", "-target=docker_volume.data[\"a\"]"]);
    let document: Value = serde_json::from_str(&text).expect("a document");
    assert_snapshot!("a_plan_as_json", format!("{document:#}"));
}

#[test]
fn options_that_do_not_fit_are_refused() {
    let bimetal = fleet();
    for words in [
        &["plan", "-destroy", "-refresh-only"][..],
        &["plan", "-refresh-only", "-replace=docker_volume.data[\"a\"]"],
        &["plan", "-offline", "-refresh-only"],
        &["plan", "-target=x"],
        &["plan", "-parallelism=0"],
        &["apply", "-target=docker_volume.data", "plan.bin"],
        &["plan", "-refresh=false", "-refresh-only"],
        &["apply", "-destroy", "plan.bin"],
        &["apply", "-destroy", "-replace=docker_volume.data[\"a\"]"],
        &["destroy", "-refresh-only"],
        &["plan", "-detail=little"],
    ] {
        assert_eq!(bimetal.run(words).code, 2, "{words:?}");
    }
}

#[test]
fn what_makes_instances_unknown_is_named() {
    let config = "machine \"docker\" \"a\" {\n  host = \"ssh://pi@rack\"\n  platform = \"linux/arm64\"\n}\n\nresource \"docker_volume\" \"a\" {\n  name   = \"a\"\n  engine = machine.docker.a.engine\n}\n\nlocals {\n  names = toset([docker_volume.a.mountpoint])\n}\n\nresource \"docker_volume\" \"b\" {\n  for_each = local.names\n  name     = each.key\n  engine   = machine.docker.a.engine\n}\n";
    assert_snapshot!(plan(&Bimetal::new(config), &[]), @"");
}
