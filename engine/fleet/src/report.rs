//! How an impossible placement is told.

use std::collections::BTreeMap;

use bimetal_model::{Address, Diagnostic};

use crate::obstacle::Obstacle;

/// Nodes that share a reason are named up to here, then counted.
const NAMED: usize = 3;

/// The replica, and every node with its reason.
pub(crate) fn infeasible(replica: &Address, more: usize, obstacles: &[(&Address, Obstacle)]) -> Diagnostic {
    let summary = match more {
        0 => format!("`{replica}` fits on no node"),
        1 => format!("`{replica}` and 1 more replica fit on no node"),
        more => format!("`{replica}` and {more} more replicas fit on no node"),
    };
    Diagnostic::error(summary).because(reasons(obstacles)).hint(hint(obstacles)).of(replica)
}

fn reasons(obstacles: &[(&Address, Obstacle)]) -> String {
    if obstacles.is_empty() {
        return "its pool has no machines".to_owned();
    }
    let mut groups: BTreeMap<String, Vec<&Address>> = BTreeMap::new();
    for (node, obstacle) in obstacles {
        groups.entry(obstacle.to_string()).or_default().push(node);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, nodes)| std::cmp::Reverse(nodes.len()));
    let lines: Vec<_> = groups.iter().map(|(reason, nodes)| format!("{}: {reason}", nodes_text(nodes))).collect();
    lines.join("\n")
}

fn nodes_text(nodes: &[&Address]) -> String {
    match nodes.len() {
        0..=NAMED => nodes.iter().map(|node| node.to_string()).collect::<Vec<_>>().join(", "),
        count => format!("{count} nodes"),
    }
}

fn hint(obstacles: &[(&Address, Obstacle)]) -> &'static str {
    let any = |is: fn(&Obstacle) -> bool| obstacles.iter().any(|(_, obstacle)| is(obstacle));
    if any(|obstacle| matches!(obstacle, Obstacle::Port(_))) {
        "a host port can be used once a node: add machines, or ask for fewer replicas"
    } else if any(|obstacle| matches!(obstacle, Obstacle::Platform { .. })) {
        "use an image that is built for these platforms, or give one for each: `image = { \"linux/arm/v7\" = … }`"
    } else {
        "add machines to the pool, or ask for less"
    }
}
