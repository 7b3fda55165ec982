//! What a block has to wait for: the nodes it refers to, and the objects behind them.

use std::collections::{BTreeSet, HashMap};

use bimetal_config::module::{Body, Module, ObjectBlock, Repetition};
use bimetal_config::{Desired, Expression, Node};
use bimetal_model::{Address, BlockKind};

/// The argument of a service that its replicas need only for their placement.
pub(crate) const POOL: &str = "pool";

/// What one instance's arguments refer to. Of a service's replica: without the pool, as its machine stands for that.
pub(crate) fn of_arguments(module: &Module, block: &ObjectBlock) -> BTreeSet<Node> {
    let mut nodes = BTreeSet::new();
    let skipped = if block.address.block == BlockKind::Service { Some(POOL) } else { None };
    collect_body(module, &block.body, skipped, &mut nodes);
    nodes.extend(block.lifecycle.expressions().flat_map(|expression| of_expression(module, expression)));
    nodes.extend(block.depends_on.objects.iter().cloned().map(Node::Object));
    nodes
}

/// What the number of instances depends on.
pub(crate) fn of_repetition(module: &Module, repetition: &Repetition) -> BTreeSet<Node> {
    repetition.expression().map(|expression| of_expression(module, expression)).unwrap_or_default()
}

/// What a provider block refers to.
pub(crate) fn of_body(module: &Module, body: &Body) -> BTreeSet<Node> {
    let mut nodes = BTreeSet::new();
    collect_body(module, body, None, &mut nodes);
    nodes
}

/// What an expression refers to.
pub(crate) fn of_expression(module: &Module, expression: &Expression) -> BTreeSet<Node> {
    expression.references().iter().flat_map(|reference| module.nodes_of(&reference.target)).collect()
}

fn collect_body(module: &Module, body: &Body, skipped: Option<&str>, nodes: &mut BTreeSet<Node>) {
    for (name, attribute) in &body.attributes {
        if Some(name.as_str()) != skipped {
            nodes.extend(of_expression(module, &attribute.expression));
        }
    }
    for nested in &body.blocks {
        collect_body(module, &nested.body, None, nodes);
    }
}

/// Whether a node has no value of its own, but one that follows from others.
pub(crate) fn is_derived(node: &Node) -> bool {
    match node {
        Node::Object(address) => matches!(address.block, BlockKind::Pool | BlockKind::Service),
        Node::Local(_) | Node::Variable(_) | Node::Output(_) | Node::Provider(_) => bimetal_config::is_derived(node),
    }
}

/// These nodes and all that their values follow from, each after what it follows from.
pub(crate) fn closure(desired: &Desired, start: BTreeSet<Node>) -> Vec<Node> {
    let (mut seen, mut closed) = (BTreeSet::new(), Vec::new());
    let mut open: Vec<(Node, Visit)> = start.into_iter().map(|node| (node, Visit::Enter)).collect();
    while let Some((node, visit)) = open.pop() {
        match visit {
            Visit::Leave => closed.push(node),
            Visit::Enter if !seen.insert(node.clone()) => {}
            Visit::Enter => {
                let behind = desired.dependencies.get(&node).into_iter().flatten().filter(|_| is_derived(&node));
                let behind: Vec<_> = behind.map(|other| (other.clone(), Visit::Enter)).collect();
                open.push((node, Visit::Leave));
                open.extend(behind);
            }
        }
    }
    closed
}

enum Visit {
    Enter,
    Leave,
}

/// The objects of the plan that stand behind each node: whoever refers to the node waits for them.
#[derive(Default)]
pub(crate) struct Behind {
    /// Of most nodes it is one: a tree would take ten times as much.
    objects: HashMap<Node, Box<[Address]>>,
}

impl Behind {
    /// The node is these objects.
    pub(crate) fn is(&mut self, node: Node, objects: impl IntoIterator<Item = Address>) {
        self.objects.insert(node, objects.into_iter().collect());
    }

    /// The node's value follows from others.
    pub(crate) fn follows<'n>(&mut self, node: Node, from: impl IntoIterator<Item = &'n Node>) {
        let objects = self.of(from);
        self.is(node, objects);
    }

    /// What is behind all of these.
    pub(crate) fn of<'n>(&self, nodes: impl IntoIterator<Item = &'n Node>) -> BTreeSet<Address> {
        nodes.into_iter().filter_map(|node| self.objects.get(node)).flatten().cloned().collect()
    }
}
