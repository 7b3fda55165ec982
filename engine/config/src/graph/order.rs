//! In which order the parts of a configuration are worked out.

use std::collections::{BTreeMap, BTreeSet};

use crate::desired::Node;

/// Each after what it depends on; ties by name. Otherwise a circle.
pub(crate) fn order(dependencies: &BTreeMap<Node, BTreeSet<Node>>) -> Result<Vec<Node>, Vec<Node>> {
    let nodes: Vec<&Node> = dependencies.keys().collect();
    // What others depend on is declared, and has a place of its own.
    let places = |direct: &BTreeSet<Node>| direct.iter().filter_map(|node| nodes.binary_search(&node).ok()).collect();
    let direct: Vec<Vec<usize>> = dependencies.values().map(places).collect();
    let named = |places: Vec<usize>| places.into_iter().map(|place| nodes[place].clone()).collect();
    match places_in_order(&direct) {
        Ok(order) => Ok(named(order)),
        Err(circle) => Err(named(circle)),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// On the way to what is looked at.
    Open,
    Done,
}

/// Depth first, without recursion: a chain of references may be long.
fn places_in_order(direct: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    let (mut states, mut order) = (vec![State::New; direct.len()], Vec::with_capacity(direct.len()));
    let mut path = Vec::new();
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
                    return Err(circle.chain([next]).collect());
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
    Ok(order)
}
