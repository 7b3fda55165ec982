//! Each piece of the laboratory starts, answers, and is gone afterwards.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use bimetal_tests::node::{Setup, make_key};
use bimetal_tests::spawn::run;
use bimetal_tests::{ArmEngine, Engine, Lab, Node, Registry, http};
use serde_json::json;

/// Pulls an image by name, or fails with what the engine says.
fn pull(engine: SocketAddr, repository: &str, tag: &str) {
    let path = format!("/images/create?fromImage={repository}&tag={tag}");
    let answer = http::request(engine, "POST", &path, &[], &[]).expect("the engine answers");
    assert!(answer.status == 200 && !answer.text().contains("\"error\""), "{}", answer.text());
}

/// Runs a container of an image, and gives its page.
fn page_of(engine: &Engine, image: &str, port: u16) -> String {
    let body = json!({
        "Image": image,
        "HostConfig": { "PortBindings": { "8080/tcp": [{ "HostPort": port.to_string() }] } },
    });
    let created = engine.request("POST", "/containers/create", &body);
    assert_eq!(created.status, 201, "{}", created.text());
    let id = created.json()["Id"].as_str().expect("an id").to_owned();
    let started = engine.request("POST", &format!("/containers/{id}/start"), &json!({}));
    assert_eq!(started.status, 204, "{}", started.text());
    http::page(engine.page(port))
}

#[test]
fn engines_pull_from_the_registry_and_serve_pages_on_addresses_of_their_own() {
    let Some(lab) = Lab::start() else { return };
    let registry = Registry::with_images(&lab, "registry");
    let engines = Engine::start_all(&lab, ["one", "two"]);
    for engine in &engines {
        pull(engine.socket(), &format!("{}/web", registry.name()), "both");
        let page = page_of(engine, &format!("{}/web:both", registry.name()), 80);
        assert!(page.starts_with("x86_64 ") && page.ends_with(" both\n"), "{page}");
    }
    assert_ne!(engines[0].socket(), engines[1].socket());
}

#[test]
fn the_arm_engine_says_so_and_its_containers_are() {
    let Some(lab) = Lab::start() else { return };
    let registry = Registry::with_images(&lab, "registry");
    let arm = ArmEngine::start(&lab, "arm");
    let info = http::get(arm.socket(), "/info").expect("the proxy answers").json();
    assert_eq!(info["Architecture"], "aarch64");
    let version = http::get(arm.socket(), "/v1.41/version").expect("the proxy answers").json();
    assert_eq!(version["Arch"], "arm64");
    pull(arm.socket(), &format!("{}/web", registry.name()), "arm64");
    let page = page_of(arm.engine(), &format!("{}/web:arm64", registry.name()), 8081);
    assert!(page.starts_with("aarch64 "), "{page}");
}

#[test]
fn a_node_has_no_docker_until_it_is_installed_over_ssh() {
    let Some(lab) = Lab::start() else { return };
    let key = lab.folder("keys").join("operator");
    let setup = Setup { authorized_keys: vec![make_key(&key)], user_data: None };
    let node = Node::boot(&lab, "rack-1", &setup);
    assert!(!node.has_docker());
    assert_eq!(ssh(&node, &key, "hostname; systemctl is-active ssh"), "rack-1\nactive\n");
    let before = node.changes();
    ssh(&node, &key, "apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q docker.io");
    assert!(node.has_docker());
    assert_eq!(ssh(&node, &key, "docker info --format '{{.Architecture}} {{.Driver}}'"), "x86_64 overlay2\n");
    assert!(node.changes().len() > before.len());
}

#[test]
fn a_cloud_machine_runs_its_user_data() {
    let Some(lab) = Lab::start() else { return };
    let setup = Setup { user_data: Some("#!/bin/sh\necho here > /root/seen\n".to_owned()), ..Setup::default() };
    let node = Node::boot(&lab, "droplet", &setup);
    assert_eq!(node.run(&["cloud-init", "status", "--wait"]), "status: done\n");
    assert_eq!(node.read("/root/seen").as_deref(), Some("here\n"));
}

#[test]
fn nothing_is_left_of_a_laboratory() {
    let Some(lab) = Lab::start() else { return };
    let node = Node::boot(&lab, "short-lived", &Setup::default());
    let (folder, process) = (node.cell().folder().to_owned(), node.cell().process());
    let interface = run(Command::new("ip").args(["-o", "address", "show", "to", &lab.range()]));
    assert!(interface.contains("bml"), "{interface}");
    let range = lab.range();
    drop((node, lab));
    assert!(!folder.exists(), "{} is left", folder.display());
    assert!(!Path::new(&format!("/proc/{process}/root")).exists(), "process {process} is left");
    assert_eq!(run(Command::new("ip").args(["-o", "address", "show", "to", &range])), "");
}

fn ssh(node: &Node, key: &Path, command: &str) -> String {
    let known_hosts = key.with_extension("hosts");
    std::fs::write(&known_hosts, format!("{} {}\n", node.address(), node.host_key())).expect("our own folder");
    let mut ssh = Command::new("ssh");
    ssh.arg("-i").arg(key).arg("-o").arg(format!("UserKnownHostsFile={}", known_hosts.display()));
    run(ssh.arg(format!("root@{}", node.address())).arg(command))
}
