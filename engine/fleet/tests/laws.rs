//! What holds for every fleet.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_fleet::{Node, Offer, Port, Replicas, ServiceSpec, Strategy as Placing, place};
use bimetal_model::placement::Placement;
use bimetal_model::{Address, BlockKind};
use proptest::prelude::*;

const PLATFORMS: [&str; 3] = ["linux/amd64", "linux/arm/v7", "linux/arm64"];

fn machine(index: usize) -> Address {
    Address::new(BlockKind::Machine, "m", format!("n{index}"))
}

fn any_node(index: usize) -> impl Strategy<Value = Node> {
    (0..3usize, 0..4u64, any::<bool>()).prop_map(move |(platform, memory, taken)| Node {
        memory: Some(memory * 100),
        taken: if taken { [Port::tcp(81)].into() } else { BTreeSet::new() },
        ..Node::new(machine(index), PLATFORMS[platform].parse().unwrap())
    })
}

fn any_service(index: usize) -> impl Strategy<Value = ServiceSpec> {
    let ports = prop::collection::btree_set((80..83u16).prop_map(Port::tcp), 0..2);
    let pool = prop::collection::btree_set((0..6usize).prop_map(machine), 0..6);
    let prior = prop::collection::btree_map(0..6u64, 0..6usize, 0..6);
    (0..6u64, ports, pool, prior, 1..4usize, any::<bool>(), 0..2u64, any::<bool>()).prop_map(
        move |(count, ports, pool, prior, images, packed, memory, global)| {
            let address = Address::new(BlockKind::Service, "", format!("s{index}"));
            let offer = |text: &&str| Offer {
                platform: text.parse().unwrap(),
                built_for: text.parse().unwrap(),
                image: "image".into(),
            };
            let placement = |(replica, node)| Placement {
                replica: address.replica(bimetal_model::Key::Index(replica)),
                machine: machine(node),
                platform: PLATFORMS[0].parse().unwrap(),
                image: String::new(),
                reason: String::new(),
                generation: 0,
            };
            ServiceSpec {
                pool,
                replicas: if global && index == 0 { Replicas::Global } else { Replicas::Count(count) },
                offers: PLATFORMS[..images].iter().map(offer).collect(),
                ports,
                memory: memory * 100,
                labels: BTreeMap::new(),
                platforms: None,
                strategy: if packed { Placing::Binpack } else { Placing::Spread },
                prior: prior.into_iter().map(placement).collect(),
                address,
            }
        },
    )
}

prop_compose! {
    fn any_fleet()(
        nodes in (any_node(0), any_node(1), any_node(2), any_node(3), any_node(4)),
        services in (any_service(0), any_service(1), any_service(2)),
    ) -> (Vec<Node>, Vec<ServiceSpec>) {
        (vec![nodes.0, nodes.1, nodes.2, nodes.3, nodes.4], vec![services.0, services.1, services.2])
    }
}

/// By machine: which services' replicas are there.
fn by_machine<'a>(
    placements: &'a [Placement],
    services: &'a [ServiceSpec],
) -> BTreeMap<&'a Address, Vec<&'a ServiceSpec>> {
    let mut on: BTreeMap<&Address, Vec<&ServiceSpec>> = BTreeMap::new();
    for placement in placements {
        let service = services.iter().find(|s| s.address == placement.replica.whole()).unwrap();
        on.entry(&placement.machine).or_default().push(service);
    }
    on
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_permutation_changes_nothing((nodes, services) in any_fleet()) {
        let there = place(&nodes, &services);
        let (mut nodes, mut services) = (nodes, services);
        nodes.reverse();
        services.rotate_left(1);
        prop_assert_eq!(there, place(&nodes, &services));
    }

    #[test]
    fn no_two_replicas_share_a_port_or_more_memory_than_there_is((nodes, services) in any_fleet()) {
        let (placements, _) = place(&nodes, &services);
        for (machine, there) in by_machine(&placements, &services) {
            let node = nodes.iter().find(|node| node.address == *machine).unwrap();
            let ports: Vec<_> = there.iter().flat_map(|service| &service.ports).chain(&node.taken).collect();
            let distinct: BTreeSet<_> = ports.iter().collect();
            prop_assert_eq!(ports.len(), distinct.len());
            prop_assert!(there.iter().map(|service| service.memory).sum::<u64>() <= node.memory.unwrap());
        }
    }

    #[test]
    fn all_replicas_are_placed_or_the_failure_is_told((nodes, services) in any_fleet()) {
        let (placements, diagnostics) = place(&nodes, &services);
        for service in &services {
            let Replicas::Count(count) = service.replicas else { continue };
            let placed = placements.iter().filter(|p| p.replica.whole() == service.address).count() as u64;
            let told = diagnostics.iter().any(|d| d.address.as_ref().unwrap().whole() == service.address);
            prop_assert!(placed == count || told);
        }
    }

    #[test]
    fn a_replica_stays_unless_something_is_in_the_way((nodes, services) in any_fleet()) {
        let (placements, diagnostics) = place(&nodes, &services);
        let on = by_machine(&placements, &services);
        for service in services.iter().filter(|s| s.replicas != Replicas::Global) {
            for prior in &service.prior {
                let Some(now) = placements.iter().find(|p| p.replica == prior.replica) else { continue };
                let Some(node) = nodes.iter().find(|n| n.address == prior.machine) else { continue };
                let runs = node.runs();
                let suits = service.pool.contains(&node.address)
                    && service.offers.iter().any(|offer| runs.contains(&offer.platform))
                    && service.ports.is_disjoint(&node.taken);
                let there = on.get(&node.address).cloned().unwrap_or_default();
                let ports_free = there.iter().all(|other| other.ports.is_disjoint(&service.ports));
                let used: u64 = there.iter().map(|other| other.memory).sum();
                let has_room = ports_free && used + service.memory <= node.memory.unwrap();
                // A chain of moves may leave a place behind that nobody returns to.
                let chain = placements.iter().any(|p| p.reason.contains("so that all"));
                prop_assert!(now.machine == prior.machine || !suits || !has_room || chain || !diagnostics.is_empty());
            }
        }
    }

    #[test]
    fn a_placement_is_its_own_successor((nodes, services) in any_fleet()) {
        let (placements, diagnostics) = place(&nodes, &services);
        if !diagnostics.is_empty() {
            return Ok(());
        }
        let again = |service: ServiceSpec| ServiceSpec {
            prior: placements.iter().filter(|p| p.replica.whole() == service.address).cloned().collect(),
            ..service
        };
        let services: Vec<_> = services.into_iter().map(again).collect();
        let (second, _) = place(&nodes, &services);
        let spots = |placements: &[Placement]| -> Vec<_> {
            placements.iter().map(|p| (p.replica.clone(), p.machine.clone())).collect()
        };
        prop_assert_eq!(spots(&placements), spots(&second));
    }
}

#[test]
fn a_thousand_replicas_on_a_hundred_nodes_take_no_time() {
    let nodes: Vec<Node> =
        (0..100).map(|index| Node::new(machine(index), PLATFORMS[index % 3].parse().unwrap())).collect();
    let offers = PLATFORMS.map(|text| Offer {
        platform: text.parse().unwrap(),
        built_for: text.parse().unwrap(),
        image: "image".into(),
    });
    let service = |index: u16| ServiceSpec {
        address: Address::new(BlockKind::Service, "", format!("s{index}")),
        pool: nodes.iter().map(|node| node.address.clone()).collect(),
        replicas: Replicas::Count(100),
        offers: offers.to_vec(),
        ports: [Port::tcp(8000 + index)].into(),
        memory: 0,
        labels: BTreeMap::new(),
        platforms: None,
        strategy: Placing::Spread,
        prior: Vec::new(),
    };
    let services: Vec<_> = (0..10).map(service).collect();
    let started = std::time::Instant::now();
    assert_eq!(place(&nodes, &services).0.len(), 1000);
    // Some 10 ms unoptimised; the limit leaves room for a busy machine.
    assert!(started.elapsed().as_millis() < 2000, "{:?}", started.elapsed());
}
