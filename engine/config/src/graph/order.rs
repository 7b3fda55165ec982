//! In which order the parts of a configuration are worked out.

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::Node;

/// The nodes of a graph in the order in which they can be worked out.
pub(crate) struct Order {
    /// Each after what it depends on, ties by name; those that are in circles somewhere.
    pub(crate) nodes: Vec<Node>,
    /// Each from a node to itself; of those that share a node, the first.
    pub(crate) circles: Vec<Vec<Node>>,
    /// What is in any circle.
    pub(crate) circular: BTreeSet<Node>,
}

pub(crate) fn order(dependencies: &BTreeMap<Node, BTreeSet<Node>>) -> Order {
    let nodes: Vec<&Node> = dependencies.keys().collect();
    // What others depend on is declared, and has a place of its own.
    let places = |direct: &BTreeSet<Node>| direct.iter().filter_map(|node| nodes.binary_search(&node).ok()).collect();
    let direct: Vec<Vec<usize>> = dependencies.values().map(places).collect();
    let (order, found) = places_in_order(&direct);
    let (mut circles, mut circular) = (Vec::new(), BTreeSet::new());
    for circle in found {
        let circle: Vec<Node> = circle.into_iter().map(|place| nodes[place].clone()).collect();
        if !circle.iter().any(|node| circular.contains(node)) {
            circles.push(circle.clone());
        }
        circular.extend(circle);
    }
    Order { nodes: order.into_iter().map(|place| nodes[place].clone()).collect(), circles, circular }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// On the way to what is looked at.
    Open,
    Done,
}

/// Depth first, without recursion: a chain of references may be long.
/// What leads back is left out, and is a circle.
fn places_in_order(direct: &[Vec<usize>]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let (mut states, mut order) = (vec![State::New; direct.len()], Vec::with_capacity(direct.len()));
    let (mut path, mut circles) = (Vec::new(), Vec::new());
    let open = |place: usize, states: &mut [State]| {
        states[place] = State::Open;
        (place, direct[place].iter())
    };
    for start in 0..direct.len() {
        if states[start] == State::New {
            path.push(open(start, &mut states));
        }
        while let Some((place, rest)) = path.last_mut() {
            match rest.next().map(|next| (*next, states[*next])) {
                Some((next, State::New)) => path.push(open(next, &mut states)),
                Some((next, State::Open)) => {
                    let circle = path.iter().map(|(place, _)| *place).skip_while(|place| *place != next);
                    circles.push(circle.chain([next]).collect());
                }
                Some((_, State::Done)) => {}
                None => {
                    states[*place] = State::Done;
                    order.push(*place);
                    path.pop();
                }
            }
        }
    }
    (order, circles)
}
