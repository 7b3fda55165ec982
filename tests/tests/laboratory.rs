//! Each piece of the laboratory starts, answers, and is gone afterwards.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use bimetal_tests::digital_ocean::Fault;
use bimetal_tests::node::{Setup, make_key};
use bimetal_tests::spawn::run;
use bimetal_tests::wait::until;
use bimetal_tests::{ArmEngine, DigitalOcean, Engine, Lab, Node, Registry, http};
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
    let setup = Setup { authorized_keys: vec![make_key(&key)], ..Setup::default() };
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

#[test]
fn the_cloud_keeps_an_account_and_its_droplets_boot() {
    let Some(lab) = Lab::start() else { return };
    let cloud = DigitalOcean::start(&lab);
    let authorization = format!("Bearer {}", cloud.token());
    let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
    let ask = |method: &str, path: &str, body: serde_json::Value| {
        let body = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        http::request(cloud.socket(), method, path, &headers, &body)
    };
    assert_eq!(http::get(cloud.socket(), "/v2/droplets").expect("an answer").status, 401);
    let file = lab.folder("keys").join("operator");
    let key = json!({ "name": "operator", "public_key": make_key(&file) });
    let key = ask("POST", "/v2/account/keys", key).expect("an answer").json()["ssh_key"]["id"].clone();

    let wanted = json!({ "names": ["a", "b"], "size": "s-1vcpu-1gb", "image": "debian-12-x64", "region": "sgp1", "ssh_keys": [key], "tags": ["mine"] });
    cloud.inject("POST", "/v2/droplets", Fault::TooMany(1));
    let refused = ask("POST", "/v2/droplets", wanted.clone()).expect("an answer");
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("1")));
    cloud.inject("POST", "/v2/droplets", Fault::LostAnswer);
    ask("POST", "/v2/droplets", wanted).expect_err("the answer is lost");

    let page = ask("GET", "/v2/droplets?tag_name=mine&per_page=1", json!(null)).expect("an answer").json();
    assert_eq!(
        (page["meta"]["total"].as_u64(), page["droplets"].as_array().map(Vec::len)),
        (Some(2), Some(1)),
        "{page}"
    );
    assert!(page["links"]["pages"]["next"].as_str().is_some_and(|next| next.contains("page=2")), "{page}");

    // Not by requests: of those there may be so many in a minute.
    let addresses = until("both droplets to be active", Duration::from_secs(180), || {
        let droplets = cloud.droplets();
        let addresses: Vec<_> = droplets
            .iter()
            .filter_map(|one| one["networks"]["v4"][0]["ip_address"].as_str().map(str::to_owned))
            .collect();
        if addresses.len() == 2 { Ok(addresses) } else { Err(format!("{droplets:?}")) }
    });
    assert_ne!(addresses[0], addresses[1]);
    cloud.with_nodes(|nodes| {
        assert_eq!(ssh(nodes[0].1, &file, "hostname; cloud-init status --wait"), "a\nstatus: done\n")
    });

    let strange = json!({ "name": "c", "size": "s-1vcpu-1gb", "image": "debian-12-x64", "colour": "red" });
    assert_eq!(ask("POST", "/v2/droplets", strange).expect("an answer").status, 422);
    assert_eq!(cloud.complaints().len(), 1);
    assert_eq!(ask("DELETE", "/v2/droplets?tag_name=mine", json!(null)).expect("an answer").status, 204);
    assert_eq!(cloud.counts()[..3], [0, 1, 1]);
}
