//! What placement does, told in text.

use std::collections::BTreeMap;

use bimetal_fleet::{Node, Offer, Port, Replicas, ServiceSpec, Strategy, place};
use bimetal_model::placement::Placement;
use bimetal_model::{Address, BlockKind};
use insta::assert_snapshot;

fn node(name: &str, platform: &str) -> Node {
    Node::new(Address::new(BlockKind::Machine, "m", name), platform.parse().unwrap())
}

fn nodes(names: &str, platform: &str) -> Vec<Node> {
    names.split(' ').map(|name| node(name, platform)).collect()
}

fn service(name: &str, nodes: &[Node], count: u64) -> ServiceSpec {
    ServiceSpec {
        address: Address::new(BlockKind::Service, "", name),
        pool: nodes.iter().map(|node| node.address.clone()).collect(),
        replicas: Replicas::Count(count),
        offers: offers("linux/amd64 linux/arm64 linux/arm/v7"),
        ports: Default::default(),
        memory: 0,
        labels: BTreeMap::new(),
        platforms: None,
        strategy: Strategy::Spread,
        prior: Vec::new(),
    }
}

fn offers(platforms: &str) -> Vec<Offer> {
    let offer = |text: &str| {
        let platform: bimetal_model::Platform = text.parse().unwrap();
        Offer { built_for: platform.clone(), platform, image: format!("{text}@") }
    };
    platforms.split(' ').map(offer).collect()
}

fn check_place(nodes: &[Node], services: &[ServiceSpec]) -> String {
    let (placements, diagnostics) = place(nodes, services);
    let placed = placements.iter().map(|p| format!("{} on {} ({}): {}", p.replica, p.machine, p.platform, p.reason));
    let said = diagnostics.iter().map(|d| format!("{}\n{}\n{}", d.summary, d.detail, d.hint.as_deref().unwrap_or("")));
    placed.chain(said).collect::<Vec<_>>().join("\n")
}

fn prior(nodes: &[Node], services: &[ServiceSpec]) -> Vec<Placement> {
    place(nodes, services).0
}

#[test]
fn replicas_spread_over_the_least_loaded_nodes() {
    let nodes = nodes("a b c", "linux/amd64");
    assert_snapshot!(check_place(&nodes, &[service("api", &nodes, 1), service("web", &nodes, 4)]), @r"
    service.api.replica[0] on machine.m.a (linux/amd64): least loaded of 3 nodes
    service.web.replica[0] on machine.m.b (linux/amd64): least loaded of 3 nodes
    service.web.replica[1] on machine.m.c (linux/amd64): least loaded of 3 nodes
    service.web.replica[2] on machine.m.a (linux/amd64): least loaded of 3 nodes
    service.web.replica[3] on machine.m.b (linux/amd64): least loaded of 3 nodes
    ");
}

#[test]
fn binpack_fills_one_node_first() {
    let nodes: Vec<Node> =
        nodes("a b", "linux/amd64").into_iter().map(|node| Node { memory: Some(200), ..node }).collect();
    let web = ServiceSpec { strategy: Strategy::Binpack, memory: 100, ..service("web", &nodes, 3) };
    assert_snapshot!(check_place(&nodes, &[web]), @r"
    service.web.replica[0] on machine.m.a (linux/amd64): fullest of 2 nodes
    service.web.replica[1] on machine.m.a (linux/amd64): fullest of 2 nodes
    service.web.replica[2] on machine.m.b (linux/amd64): the only node with room
    ");
}

#[test]
fn each_node_gets_the_image_that_it_runs() {
    let mut nodes = vec![node("arm7", "linux/arm/v7"), node("arm64", "linux/arm64"), node("intel", "linux/amd64")];
    nodes[1].labels.insert("bimetal.arm32".into(), "true".into());
    let web = ServiceSpec { offers: offers("linux/arm/v5 linux/arm/v6 linux/386"), ..service("web", &nodes, 3) };
    assert_snapshot!(check_place(&nodes, &[web]), @r"
    service.web.replica[0] on machine.m.arm64 (linux/arm/v6): least loaded of 3 nodes
    service.web.replica[1] on machine.m.arm7 (linux/arm/v6): least loaded of 3 nodes
    service.web.replica[2] on machine.m.intel (linux/386): least loaded of 3 nodes
    ");
}

#[test]
fn growing_adds_and_shrinking_removes_the_highest() {
    let nodes = nodes("a b c", "linux/amd64");
    let two = prior(&nodes[1..], &[service("web", &nodes, 2)]);
    let grown = ServiceSpec { prior: two, ..service("web", &nodes, 3) };
    assert_snapshot!(check_place(&nodes, std::slice::from_ref(&grown)), @r"
    service.web.replica[0] on machine.m.b (linux/amd64): stays
    service.web.replica[1] on machine.m.c (linux/amd64): stays
    service.web.replica[2] on machine.m.a (linux/amd64): least loaded of 3 nodes
    ");
    let shrunk = ServiceSpec { prior: prior(&nodes, &[grown]), ..service("web", &nodes, 1) };
    assert_snapshot!(check_place(&nodes, &[shrunk]), @"service.web.replica[0] on machine.m.b (linux/amd64): stays");
}

#[test]
fn a_replica_moves_only_when_its_node_is_gone() {
    let nodes = nodes("a b c", "linux/amd64");
    let before = prior(&nodes, &[service("web", &nodes, 3)]);
    let after = ServiceSpec { prior: before, ..service("web", &nodes[1..], 3) };
    assert_snapshot!(check_place(&nodes, &[after]), @r"
    service.web.replica[0] on machine.m.b (linux/amd64): moves from machine.m.a, which left the pool: least loaded of 2 nodes
    service.web.replica[1] on machine.m.b (linux/amd64): stays
    service.web.replica[2] on machine.m.c (linux/amd64): stays
    ");
}

#[test]
fn what_fits_nowhere_is_told_with_every_node() {
    let mut nodes = nodes("a b c d e", "linux/amd64");
    nodes.push(node("arm", "linux/arm/v5"));
    let web = ServiceSpec { ports: [Port::tcp(80)].into(), ..service("web", &nodes, 7) };
    assert_snapshot!(check_place(&nodes, &[web]).lines().skip(5).collect::<Vec<_>>().join("\n"), @r"
    `service.web.replica[5]` and 1 more replica fit on no node
    5 nodes: port 80 is taken
    machine.m.arm: no image for linux/arm/v5 (there is linux/amd64, linux/arm64, linux/arm/v7)
    a host port can be used once a node: add machines, or ask for fewer replicas
    ");
}

#[test]
fn constraints_and_memory_are_reasons_too() {
    let mut nodes = nodes("a b c", "linux/amd64");
    nodes[0].labels.insert("zone".into(), "eu".into());
    nodes[2].labels.insert("zone".into(), "us".into());
    nodes[2].memory = Some(1 << 20);
    let web =
        ServiceSpec { labels: [("zone".into(), "us".into())].into(), memory: 2 << 20, ..service("web", &nodes, 1) };
    assert_snapshot!(check_place(&nodes, &[web]), @r"
    `service.web.replica[0]` fits on no node
    machine.m.a: label `zone` is `eu`, not `us`
    machine.m.c: less memory is left than 2 MiB
    machine.m.b: no label `zone` (`us` is wanted)
    add machines to the pool, or ask for less
    ");
}

#[test]
fn a_global_service_is_on_every_node_that_it_fits() {
    let mut nodes = nodes("a b", "linux/amd64");
    nodes.push(node("old", "linux/arm/v5"));
    let agent = ServiceSpec { replicas: Replicas::Global, ..service("agent", &nodes, 0) };
    assert_snapshot!(check_place(&nodes, &[agent]), @r#"
    service.agent.replica["machine.m.a"] on machine.m.a (linux/amd64): one on every node
    service.agent.replica["machine.m.b"] on machine.m.b (linux/amd64): one on every node
    "#);
}

#[test]
fn two_services_share_a_port_by_sharing_the_nodes() {
    let nodes = nodes("a b", "linux/amd64");
    let with_port = |spec| ServiceSpec { ports: [Port::tcp(80)].into(), ..spec };
    let picky = ServiceSpec { pool: [nodes[0].address.clone()].into(), ..with_port(service("web", &nodes, 1)) };
    assert_snapshot!(check_place(&nodes, &[with_port(service("api", &nodes, 1)), picky]), @r"
    service.api.replica[0] on machine.m.b (linux/amd64): the only node with room
    service.web.replica[0] on machine.m.a (linux/amd64): the only node with room
    ");
}

#[test]
fn a_replica_makes_room_where_that_is_the_only_way() {
    let nodes = nodes("a b", "linux/amd64");
    let with_port = |spec| ServiceSpec { ports: [Port::tcp(80)].into(), ..spec };
    let api = with_port(service("api", &nodes, 1));
    let api = ServiceSpec { prior: prior(&nodes, std::slice::from_ref(&api)), ..api };
    let picky = ServiceSpec { pool: [nodes[0].address.clone()].into(), ..with_port(service("web", &nodes, 1)) };
    assert_snapshot!(check_place(&nodes, &[api, picky]), @r"
    service.api.replica[0] on machine.m.b (linux/amd64): moves from machine.m.a (port 80 is taken): so that all replicas have room
    service.web.replica[0] on machine.m.a (linux/amd64): so that all replicas have room
    ");
}

#[test]
fn a_pool_without_machines_is_told() {
    assert_snapshot!(check_place(&[], &[service("web", &[], 1)]), @r"
    `service.web.replica[0]` fits on no node
    its pool has no machines
    add machines to the pool, or ask for less
    ");
}

#[test]
fn nothing_comes_to_a_node_that_does_not_answer_and_nothing_leaves_it() {
    let mut nodes = nodes("a b c", "linux/amd64");
    let four = service("web", &nodes, 4);
    let prior = prior(&nodes, std::slice::from_ref(&four));
    nodes[1].silent = true;
    // Something that does not suit it any more stays there, too.
    let platforms = Some(["linux/arm64".parse().unwrap(), "linux/amd64".parse().unwrap()].into());
    let labels = [("disk".to_owned(), "ssd".to_owned())].into();
    nodes[0].labels.insert("disk".to_owned(), "ssd".to_owned());
    nodes[2].labels.insert("disk".to_owned(), "ssd".to_owned());
    let six = ServiceSpec { prior, labels, platforms, ..service("web", &nodes, 6) };
    assert_snapshot!(check_place(&nodes, &[six]), @r"
    service.web.replica[0] on machine.m.a (linux/amd64): stays
    service.web.replica[1] on machine.m.b (linux/amd64): stays
    service.web.replica[2] on machine.m.c (linux/amd64): stays
    service.web.replica[3] on machine.m.a (linux/amd64): stays
    service.web.replica[4] on machine.m.c (linux/amd64): least loaded of 2 nodes
    service.web.replica[5] on machine.m.a (linux/amd64): least loaded of 2 nodes
    ");
}

#[test]
fn a_global_replica_is_wanted_on_a_node_that_does_not_answer() {
    let mut nodes = nodes("a b", "linux/amd64");
    nodes[1].silent = true;
    let everywhere = ServiceSpec { replicas: Replicas::Global, ..service("agent", &nodes, 0) };
    assert_snapshot!(check_place(&nodes, &[everywhere]), @r#"
    service.agent.replica["machine.m.a"] on machine.m.a (linux/amd64): one on every node
    service.agent.replica["machine.m.b"] on machine.m.b (linux/amd64): one on every node
    "#);
}
