//! Modules on a real engine: made, moved to another name without being touched, and removed; and what is taken over.

use bimetal_tests::{Bimetal, Engine, Lab, http, image};
use serde_json::{Value, json};
use xtask::web::Platform;

const ROOT: &str = r#"
variable "engine" {
  type = string
}

machine "docker" "one" {
  host     = var.engine
  insecure = true
}

pool "all" {
  machines = [machine.docker.one]
}

module "site" {
  for_each = { blog = 8081, shop = 8082 }
  source   = "./site"
  name     = each.key
  pool     = pool.all
  engine   = machine.docker.one.engine
  port     = each.value
}

output "volumes" {
  value = [for site in module.site : site.volume]
}
"#;

const SITE: &str = r#"
variable "name" {
  type = string
}

variable "pool" {}

variable "engine" {}

variable "port" {
  type = number

  validation {
    condition     = var.port > 8000
    error_message = "${var.port} is not for sites"
  }
}

resource "docker_volume" "data" {
  name   = "${var.name}-data"
  engine = var.engine
}

service "web" {
  pool  = var.pool
  image = "oci:./image"

  port {
    host      = var.port
    container = 8080
  }
}

output "volume" {
  value = docker_volume.data.name
}

check "name" {
  assert {
    condition     = var.name != "shop"
    error_message = "a shop opens"
  }
}
"#;

#[test]
fn modules_are_made_moved_and_removed() {
    let Some(lab) = Lab::start() else { return };
    let engine = Engine::start(&lab, "one");
    let mut bimetal = Bimetal::new(ROOT);
    bimetal.write("site/main.bm.hcl", SITE);
    image::layout(&bimetal.folder().join("image"), &[Platform::Amd64], "hello");
    bimetal.set("engine", engine.host());
    let applied = bimetal.run(&["apply", "--auto-approve"]);
    assert_eq!(applied.code, 0, "{applied}");
    assert!(applied.stderr.contains("a shop opens"), "{applied}");
    assert_eq!(engine.names(), ["site-blog-web-0", "site-shop-web-0"]);
    assert_eq!(bimetal.output("volumes"), serde_json::json!(["blog-data", "shop-data"]));
    assert!(http::page(engine.page(8082)).contains("hello"));
    bimetal.assert_settled();
    assert!(bimetal.ok(&["state", "list"]).contains("module.site[\"blog\"].docker_volume.data"));

    // The volume goes to the root module, and stays; the module itself has one instance less.
    let kept = "\nresource \"docker_volume\" \"kept\" {\n  name   = \"shop-data\"\n  engine = machine.docker.one.engine\n}\nmoved {\n  from = module.site[\"shop\"].docker_volume.data\n  to   = docker_volume.kept\n}\n";
    bimetal.write("main.bm.hcl", &(ROOT.replace(", shop = 8082", "") + kept));
    let plan = bimetal.run(&["plan"]).ok();
    assert!(plan.contains("module.site[\"shop\"].docker_volume.data is called docker_volume.kept now"), "{plan}");
    assert!(plan.contains("0 to add, 0 to change, 1 to destroy (1 replica of 1 service)"), "{plan}");
    bimetal.apply();
    bimetal.assert_settled();
    assert_eq!(engine.names(), ["site-blog-web-0"]);

    bimetal.write("site/main.bm.hcl", &SITE.replace("> 8000", "> 9000"));
    let refused = bimetal.run(&["plan"]);
    assert!(refused.stderr.contains("8081 is not for sites"), "{refused}");
    bimetal.write("site/main.bm.hcl", SITE);
    bimetal.ok(&["destroy", "--auto-approve"]);
    assert_eq!(engine.containers().len(), 0);
    assert_eq!(engine.get("/volumes").json()["Volumes"].as_array().map_or(0, Vec::len), 0);
}

const IMPORTING: &str = r#"
variable "engine" {
  type = string
}

machine "docker" "one" {
  host     = var.engine
  insecure = true
}

locals {
  found = { data = "old-data", logs = "old-logs" }
}

resource "docker_volume" "kept" {
  for_each = local.found
  name     = each.value
  engine   = machine.docker.one.engine
}

resource "docker_network" "back" {
  name   = "old-net"
  engine = machine.docker.one.engine
  labels = { tier = "2" }
}

import {
  for_each = local.found
  to       = docker_volume.kept[each.key]
  id       = each.value
}

import {
  to = docker_network.back
  id = "old-net"
}
"#;

#[test]
fn what_somebody_else_made_is_imported_as_it_is() {
    let Some(lab) = Lab::start() else { return };
    let engine = Engine::start(&lab, "engine");
    let make = |path: &str, body: Value| assert_eq!(engine.request("POST", path, &body).status, 201);
    make("/volumes/create", json!({ "Name": "old-data" }));
    make("/volumes/create", json!({ "Name": "old-logs", "Labels": { "who": "somebody" } }));
    make("/networks/create", json!({ "Name": "old-net", "Labels": { "tier": "1" } }));
    let mut bimetal = Bimetal::new(IMPORTING);
    bimetal.set("engine", engine.host());

    // The engine's machine is not known before it is asked, and these are on it.
    let plan = bimetal.ok(&["plan"]);
    assert!(plan.contains("docker_volume.kept[\"data\"] is taken over: it is old-data"), "{plan}");
    assert!(plan.contains("Plan: 3 to import (3 resources), 3 to add (1 machine, 2 resources)"), "{plan}");
    // What differs from the configuration is changed, and said before.
    assert!(plan.contains("docker_network.back") && plan.contains("# forces replacement"), "{plan}");
    assert!(plan.contains("docker_volume.kept[\"logs\"]") && plan.contains("somebody"), "{plan}");
    let applied = bimetal.run(&["apply", "--auto-approve"]);
    assert!(applied.stderr.contains("Applied: 3 imported, 3 added"), "{applied}");
    bimetal.assert_settled();
    let volume = |name: &str| http::get(engine.socket(), &format!("/volumes/{name}")).expect("an answer").json();
    assert!(volume("old-data")["Labels"].is_null(), "{}", volume("old-data"));
    assert!(volume("old-logs")["Labels"]["bimetal.intent"].is_string(), "{}", volume("old-logs"));
    bimetal.ok(&["destroy", "--auto-approve"]);
    assert_eq!(http::get(engine.socket(), "/volumes/old-data").expect("an answer").status, 404);

    let missing = bimetal.run(&["apply", "--auto-approve"]).failed();
    assert!(missing.contains("there is no volume `old-data` on this engine"), "{missing}");
}

const TAKING: &str = r#"
variable "engine" {
  type = string
}

machine "docker" "one" {
  host     = var.engine
  insecure = true
}

resource "docker_volume" "kept" {
  for_each = toset(["data"])
  name     = "old-${each.key}"
  engine   = machine.docker.one.engine
}
"#;

#[test]
fn one_thing_is_imported_by_a_command() {
    let Some(lab) = Lab::start() else { return };
    let engine = Engine::start(&lab, "engine");
    let mut bimetal = Bimetal::new(TAKING);
    bimetal.set("engine", engine.host());
    bimetal.ok(&["apply", "-auto-approve", "-target=machine.docker.one"]);
    assert_eq!(engine.request("POST", "/volumes/create", &json!({ "Name": "old-data" })).status, 201);
    let import = |address: &str, id: &str| bimetal.run(&["import", address, id]);

    let missing = import("docker_volume.kept[\"data\"]", "nobody").failed();
    assert!(missing.contains("there is no volume `nobody` on this engine"), "{missing}");
    assert!(import("docker_volume.kept[\"x\"]", "old-data").failed().contains("has no such instance"));
    assert!(import("docker_volume.other", "old-data").failed().contains("write its block first"));
    let backups = || {
        let files = std::fs::read_dir(bimetal.folder().join(".bimetal")).expect("the state's folder");
        files.flatten().filter(|file| file.file_name().to_string_lossy().contains("backup")).count()
    };
    let before = backups();
    let taken = import("docker_volume.kept[\"data\"]", "old-data").ok();
    assert!(taken.contains("old-data"), "{taken}");
    assert_eq!(backups(), before + 1, "the state as it was is kept");
    assert!(import("docker_volume.kept[\"data\"]", "old-data").failed().contains("knows"));

    bimetal.apply();
    bimetal.assert_settled();
    bimetal.ok(&["destroy", "--auto-approve"]);
    assert_eq!(engine.get("/volumes/old-data").status, 404);
}
