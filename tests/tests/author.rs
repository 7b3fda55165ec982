//! Those who write providers: from nothing to one that works, and what the kit says of the providers that come with Bimetal.

use std::process::Command;
use std::time::Duration;

use bimetal_tests::node::{Setup, make_key};
use bimetal_tests::notes::{Server, TOKEN, component};
use bimetal_tests::project::{self, StandIn};
use bimetal_tests::wait::until_true;
use bimetal_tests::{Bimetal, DigitalOcean, Engine, Lab, Node, Registry};

/// Compiling what a provider is run with takes longest.
const PATIENCE: Duration = Duration::from_secs(180);

/// A project that was just written, and built.
fn newcomer() -> Bimetal {
    let bimetal = Bimetal::new("");
    bimetal.ok(&["plugin", "new", "shelf"]);
    project::build(&bimetal.folder().join("shelf"), "shelf");
    bimetal
}

const WITH_SHELF: &str = r#"
bimetal {
  required_providers {
    shelf = { path = "./shelf/shelf.wasm" }
  }
}

variable "url" {
  type = string
}

provider "shelf" {
  url   = var.url
  token = "no secret"
}

resource "shelf_item" "book" {
  name  = provider::shelf::slug("The Book!")
  color = "red"
}

output "name" {
  value = shelf_item.book.name
}
"#;

/// Signed, pushed to a registry, and taken from there by somebody who trusts the key.
fn is_published_and_taken(maker: &Bimetal, url: &str) {
    let Some(lab) = Lab::start() else { return };
    let registry = Registry::start(&lab, "registry");
    let source = format!("{}/team/shelf", registry.name());
    let key = maker.ok(&["--chdir", "shelf", "plugin", "keygen"]).trim().to_owned();
    maker.ok(&["--chdir", "shelf", "plugin", "sign", "shelf.wasm", "--key", "provider.key"]);
    maker.ok(&["--chdir", "shelf", "plugin", "publish", "shelf.wasm", &format!("{source}:0.1.0"), "--plain-http"]);

    let plain = format!("bimetal {{\n  registry \"{}\" {{\n    plain_http = true\n  }}\n", registry.name());
    let required = format!("source = \"{source}\", version = \"~> 0.1\", signed_by = [\"{key}\"]");
    let text = WITH_SHELF.replace("bimetal {\n", &plain).replace("path = \"./shelf/shelf.wasm\"", &required);
    let mut taker = Bimetal::new(&text);
    taker.set("url", url);
    assert!(taker.ok(&["init"]).contains(&format!("signed by {key}")));
    taker.apply();
    assert_eq!(taker.output("name"), "the-book");
    taker.ok(&["destroy", "--auto-approve"]);
}

#[test]
fn a_newcomer_has_a_provider_that_keeps_the_contract_and_works() {
    let mut bimetal = newcomer();
    let there = ["plugin", "test", "shelf.wasm", "--stand-in", "python3 stand_in.py", "--junit-xml", "kit.xml"];
    let said = bimetal.ok(&[&["--chdir", "shelf"], &there[..]].concat());
    assert!(said.contains("Success! 17 passed, 0 failed, 1 skipped."), "{said}");
    let junit = std::fs::read_to_string(bimetal.folder().join("shelf/kit.xml")).expect("it was asked for");
    assert!(junit.contains("tests=\"18\" failures=\"0\" skipped=\"1\""), "{junit}");

    // What its API said can be kept. Then nothing has to stand for it, and what was not said is not made up.
    let kit = ["--chdir", "shelf", "plugin", "test", "shelf.wasm"];
    bimetal.ok(&[&kit[..], &["--stand-in", "python3 stand_in.py", "--record", "api.json"]].concat());
    let recorded = [&kit[..], &["--recorded", "api.json"]].concat();
    let said = bimetal.ok(&recorded);
    assert!(said.contains("Success! 17 passed, 0 failed, 1 skipped."), "{said}");
    let cases = std::fs::read_to_string(bimetal.folder().join("shelf/cases/main.bm.hcl")).expect("it was written");
    bimetal.write("shelf/cases/main.bm.hcl", &cases.replace("\"example\"\n  color", "\"another\"\n  color"));
    let said = bimetal.run(&recorded);
    assert!(said.code == 1 && said.stdout.contains("the recording has no answer to POST http://127.0.0.1:"), "{said}");
    bimetal.write("shelf/cases/main.bm.hcl", &cases);

    let readme = std::fs::read_to_string(bimetal.folder().join("shelf/README.md")).expect("it was written");
    assert!(
        readme.contains("# The provider `shelf`") && readme.contains("needs Python 3 and nothing else"),
        "{readme}"
    );

    let docs = ["--chdir", "shelf", "plugin", "docs", "shelf.wasm", "--stand-in", "python3 stand_in.py"];
    let reference = bimetal.ok(&docs);
    let example = "resource \"shelf_item\" \"example\" {\n  name  = \"example\"\n  color = \"green\"\n}";
    assert!(reference.contains(example) && reference.contains("| `color` | string | What it looks like. Required. |"));

    let stand_in = StandIn::start(&bimetal.folder().join("shelf"), &[]);
    bimetal.write("main.bm.hcl", WITH_SHELF);
    bimetal.set("url", stand_in.url());
    bimetal.ok(&["init"]);
    bimetal.apply();
    assert_eq!(bimetal.output("name"), "the-book");
    bimetal.assert_settled();
    bimetal.ok(&["destroy", "--auto-approve"]);
    is_published_and_taken(&bimetal, stand_in.url());

    let again = bimetal.run(&["plugin", "new", "shelf"]).failed();
    assert!(again.contains("exists already"), "{again}");
    let wrong = bimetal.run(&["plugin", "new", "My-Shelf"]).failed();
    assert!(wrong.contains("`My-Shelf` can't be the name of a provider"), "{wrong}");
}

/// The component of `examples/plugins/badges`, made with `componentize-py`.
fn badges(bimetal: &Bimetal) {
    let example = xtask::root().join("examples/plugins/badges");
    for file in ["app.py", "build.py", "manifest.json", "stand_in.py", "cases/main.bm.hcl"] {
        let text = std::fs::read_to_string(example.join(file)).expect("the example is there");
        bimetal.write(&format!("badges/{file}"), &text);
    }
    let tools = xtask::target().join("componentize-py");
    if !tools.join("bin/componentize-py").exists() {
        let mut install = Command::new("pip3");
        install.args(["install", "--quiet", "--target"]).arg(&tools).arg("componentize-py==0.25.1");
        xtask::process::run(&mut install).unwrap_or_else(|error| panic!("the compiler can't be had: {error:#}"));
    }
    let mut build = Command::new("python3");
    build.arg("build.py").arg(xtask::root().join("plugin-sdk/wit/0.1.0")).current_dir(bimetal.folder().join("badges"));
    let path = std::env::var("PATH").expect("programs are found");
    build.env("PYTHONPATH", &tools).env("PATH", format!("{}:{path}", tools.join("bin").display()));
    xtask::process::run(&mut build).unwrap_or_else(|error| panic!("the example can't be built: {error:#}"));
}

#[test]
fn a_provider_in_python_keeps_the_contract_and_works() {
    let mut bimetal = Bimetal::new("");
    badges(&bimetal);
    let words = ["--chdir", "badges", "plugin", "test", "badges.wasm", "--stand-in", "python3 stand_in.py"];
    let said = bimetal.ok(&words);
    assert!(said.contains("Success! 23 passed, 0 failed, 1 skipped."), "{said}");

    let stand_in = StandIn::start(&bimetal.folder().join("badges"), &[]);
    bimetal.write("main.bm.hcl", WITH_BADGES);
    bimetal.set("url", stand_in.url());
    bimetal.ok(&["init"]);
    bimetal.apply();
    assert_eq!(bimetal.output("text"), "TB");
    bimetal.assert_settled();
    let said = bimetal.run(&["plan", "--var", "color=pink"]).failed();
    assert!(said.contains("`pink` is no color of badges") && said.contains("there are blue"), "{said}");
    bimetal.ok(&["destroy", "--auto-approve"]);
}

const WITH_BADGES: &str = r#"
bimetal {
  required_providers {
    badges = { path = "./badges/badges.wasm" }
  }
}

variable "url" {
  type = string
}

variable "color" {
  type    = string
  default = "green"
}

provider "badges" {
  url = var.url
}

resource "badges_badge" "build" {
  text  = provider::badges::initials("the build")
  color = var.color
}

output "text" {
  value = badges_badge.build.text
}
"#;

#[test]
fn whoever_works_on_a_provider_tries_it_at_once() {
    let server = Server::start();
    let bimetal = Bimetal::new("");
    // A project that is built by copying what was built before.
    bimetal.write("project/Cargo.toml", "");
    let built = bimetal.folder().join("project/target/wasm32-wasip2/release");
    std::fs::create_dir_all(&built).expect("our own folder");
    std::fs::copy(component(), built.join("notes.wasm")).expect("our own folder");
    let cargo = bimetal.write("bin/cargo", "#!/bin/sh\necho built >&2\n");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&cargo, executable).expect("our own file");
    let configuration = NOTES.replace("TOKEN", TOKEN).replace("var.stand_in", &format!("{:?}", server.url()));
    bimetal.write(
        "fleet/main.bm.hcl",
        &configuration.replace("type = bool", "default = false").replace("type = string", "default = null"),
    );

    let path = format!("{}:{}", bimetal.folder().join("bin").display(), std::env::var("PATH").expect("it is set"));
    let mut bimetal = bimetal;
    bimetal.environment("PATH", path);
    let running = bimetal.start(&["plugin", "dev", "fleet", "--project", "project"]);
    let is_planned = || running.printed().matches("notes_note.tea will be created").count();
    until_true("the first plan", PATIENCE, || is_planned() == 1);
    assert!(running.said().contains("warning: provider `notes` is `"), "{}", running.said());
    bimetal.write("project/src/lib.rs", "// A change.\n");
    until_true("the plan after a change", PATIENCE, || is_planned() == 2);
    drop(running.kill());
    assert!(!bimetal.folder().join("fleet/bimetal.lock.hcl").exists());
}

const NOTES: &str = r#"
variable "stand_in" {
  type = string
}

variable "changed" {
  type = bool
}

provider "notes" {
  url   = var.stand_in
  token = "TOKEN"
}

resource "notes_note" "tea" {
  topic = "tea"
  text  = var.changed ? "black" : "green"
}
"#;

#[test]
fn the_example_of_the_sdk_keeps_the_contract() {
    let server = Server::start();
    let bimetal = Bimetal::new("");
    std::fs::copy(component(), bimetal.folder().join("notes.wasm")).expect("our own folder");
    bimetal.write("cases/main.bm.hcl", &NOTES.replace("TOKEN", TOKEN));
    let said = bimetal.ok(&["plugin", "test", "notes.wasm", "--stand-in", &format!("echo {}", server.url())]);
    assert!(said.contains("pass  what is changed is what was planned, and nothing is left to do"), "{said}");
    assert!(said.contains("skip  what exists can be imported, and nothing is left to do"), "{said}");
    assert!(server.notes().is_empty() && !said.contains(TOKEN), "{said}");
}

#[test]
fn a_component_that_is_none_is_refused() {
    let bimetal = Bimetal::new("");
    bimetal.write("text.wasm", "no component");
    let said = bimetal.run(&["plugin", "test", "text.wasm"]).failed();
    assert!(said.contains("this is no provider") && said.contains("text.wasm"), "{said}");
    let said = bimetal.run(&["plugin", "test", "docker", "--cases", ".", "--stand-in", "true"]).failed();
    assert!(said.contains("`true` did not say where it listens"), "{said}");
    let said = bimetal.run(&["plugin", "test", "docker", "--record", "api.json"]).failed();
    assert!(said.contains("there are no cases"), "{said}");
}

#[test]
fn the_providers_that_come_with_bimetal_plan_as_the_contract_says() {
    let bimetal = Bimetal::new("");
    for provider in ["docker", "baremetal", "digitalocean"] {
        let said = bimetal.ok(&["plugin", "test", provider]);
        assert!(said.contains("Success!") && said.contains(" 0 failed"), "{provider}: {said}");
    }
}

const DOCKER: &str = r#"
variable "stand_in" {
  type = string
}

variable "changed" {
  type = bool
}

machine "docker" "here" {
  host = var.stand_in
}

resource "docker_network" "net" {
  engine = machine.docker.here.engine
  name   = "kit"
}

resource "docker_volume" "data" {
  engine = machine.docker.here.engine
  name   = "kit"
}
"#;

#[test]
fn docker_keeps_the_contract_on_a_real_engine() {
    let Some(lab) = Lab::start() else { return };
    let engine = Engine::start(&lab, "kit");
    let bimetal = Bimetal::new("");
    bimetal.write("cases/main.bm.hcl", DOCKER);
    let said = bimetal.ok(&[
        "plugin",
        "test",
        "docker",
        "--stand-in",
        &format!("echo unix://{}", engine.unix_socket().display()),
    ]);
    let gone = said.matches("pass  what is removed is gone, and can be removed again").count();
    assert!(gone == 2 && said.contains(" 0 failed"), "{said}");
    assert!(said.contains("nothing was made: it is only remembered"), "{said}");
}

const CLOUD: &str = r#"
variable "stand_in" {
  type = string
}

variable "changed" {
  type = bool
}

provider "digitalocean" {
  token   = "TOKEN"
  api_url = var.stand_in
}

resource "digitalocean_tag" "one" {
  name = "kit"
}
"#;

#[test]
fn digitalocean_keeps_the_contract_against_a_stand_in() {
    let Some(lab) = Lab::start() else { return };
    let cloud = DigitalOcean::start(&lab);
    let bimetal = Bimetal::new("");
    bimetal.write("cases/main.bm.hcl", &CLOUD.replace("TOKEN", cloud.token()));
    let said = bimetal.ok(&["plugin", "test", "digitalocean", "--stand-in", &format!("echo {}", cloud.url())]);
    assert!(said.contains(" 0 failed"), "{said}");
}

const BOARD: &str = r#"
variable "changed" {
  type = bool
}

machine "baremetal" "board" {
  host     = "ADDRESS"
  host_key = "HOST_KEY"
  key_file = "KEY_FILE"
  labels   = { tier = var.changed ? "back" : "front" }
}
"#;

#[test]
fn baremetal_keeps_the_contract_on_a_real_machine() {
    let Some(lab) = Lab::start() else { return };
    let key = lab.folder("keys").join("operator");
    let setup = Setup { authorized_keys: vec![make_key(&key)], ..Setup::default() };
    let node = Node::boot(&lab, "kit", &setup);
    let bimetal = Bimetal::new("");
    let (address, key) = (node.address().to_string(), key.display().to_string());
    let cases = BOARD.replace("ADDRESS", &address).replace("HOST_KEY", node.host_key()).replace("KEY_FILE", &key);
    bimetal.write("cases/main.bm.hcl", &cases);
    let said = bimetal.ok(&["plugin", "test", "baremetal"]);
    assert!(said.contains("pass  what is removed is gone, and can be removed again"), "{said}");
    assert!(said.contains("pass  what is changed is what was planned, and nothing is left to do"), "{said}");
    assert!(!node.has_docker() && node.read("/etc/bimetal/machine.json").is_none());
}
