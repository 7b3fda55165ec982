//! What the keys of a state follow from: such a variable is stored nowhere, or it would open what it is stored in.

use std::collections::BTreeSet;

use bimetal_model::Value;

use crate::desired::{Desired, Node};
use crate::module::{Body, Encryption};

/// The root's variables that the keys of `encryption` blocks follow from.
pub fn key_variables(desired: &Desired) -> BTreeSet<String> {
    desired.module.settings.encryption.iter().flat_map(|Encryption { body, .. }| variables_of(desired, body)).collect()
}

/// The root's variables that a body needs and that have no value.
pub fn missing_variables(desired: &Desired, body: &Body) -> BTreeSet<String> {
    let is_missing = |name: &String| desired.variables.get(name).is_none_or(Value::is_unknown);
    variables_of(desired, body).into_iter().filter(is_missing).collect()
}

fn variables_of(desired: &Desired, body: &Body) -> BTreeSet<String> {
    let references = body.attributes.values().flat_map(|attribute| attribute.expression.references());
    let mut open: Vec<Node> = references.flat_map(|reference| desired.module.nodes_of(&reference.target)).collect();
    let mut seen = BTreeSet::new();
    while let Some(node) = open.pop() {
        if seen.insert(node.clone()) {
            open.extend(desired.dependencies.get(&node).into_iter().flatten().cloned());
        }
    }
    let variable = |node: Node| match node {
        Node::Variable(name) if name.module.is_root() => Some(name.name),
        Node::Variable(_) | Node::Local(_) | Node::Provider(_) | Node::Object(_) | Node::Output(_) => None,
    };
    seen.into_iter().filter_map(variable).collect()
}
