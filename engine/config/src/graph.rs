//! What depends on what, and the order that follows.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, ProviderKey, Span};

use crate::desired::Node;
use crate::evaluate::ROOTS;
use crate::expression::{Expression, Reference, Target};
use crate::module::{Body, Module, ObjectBlock, Repetition};
use crate::suggest::{nearest, nearest_or_all};

/// What everything directly depends on. What leads nowhere is reported, and everything that is wrong whatever names stand for.
pub(crate) fn dependencies(module: &Module, diagnostics: &mut Diagnostics) -> BTreeMap<Node, BTreeSet<Node>> {
    let mut collector = Collector { module, diagnostics, dependencies: BTreeMap::new() };
    for name in module.variables.keys() {
        collector.add(Node::Variable(name.clone()), []);
    }
    for (name, expression) in &module.locals {
        collector.add(Node::Local(name.clone()), [expression]);
    }
    for (key, block) in &module.providers {
        collector.add(Node::Provider(key.clone()), expressions(&block.body));
    }
    for block in module.objects.values() {
        collector.object(block);
    }
    for (name, output) in &module.outputs {
        let node = Node::Output(name.clone());
        collector.add(node.clone(), [&output.value]);
        collector.wait_for(&node, &output.depends_on, &output.span);
    }
    collector.dependencies
}

fn expressions(body: &Body) -> Vec<&Expression> {
    let own = body.attributes.values().map(|attribute| &attribute.expression);
    own.chain(body.blocks.iter().flat_map(|block| expressions(&block.body))).collect()
}

struct Collector<'a> {
    module: &'a Module,
    diagnostics: &'a mut Diagnostics,
    dependencies: BTreeMap<Node, BTreeSet<Node>>,
}

impl<'a> Collector<'a> {
    fn add(&mut self, node: Node, expressions: impl IntoIterator<Item = &'a Expression>) {
        let mut found = BTreeSet::new();
        for expression in expressions {
            self.diagnostics.extend_from_slice(expression.faults());
            for reference in expression.references() {
                self.repetition(&node, &reference);
                found.extend(self.resolve(&reference));
            }
        }
        self.dependencies.entry(node).or_default().extend(found);
    }

    fn object(&mut self, block: &'a ObjectBlock) {
        let node = Node::Object(block.address.clone());
        self.add(node.clone(), expressions(&block.body));
        if let Repetition::Count(expression) | Repetition::ForEach(expression) = &block.repetition {
            self.add(node.clone(), [expression]);
        }
        self.wait_for(&node, &block.depends_on, &block.span);
        if let Some(key) = &block.provider {
            self.provider(&node, key, &block.span);
        }
    }

    /// `each` and `count` stand for something only in blocks that have them.
    fn repetition(&mut self, node: &Node, reference: &Reference) {
        let block = match node {
            Node::Object(address) => self.module.objects.get(address).map(|block| &block.repetition),
            Node::Variable(_) | Node::Local(_) | Node::Provider(_) | Node::Output(_) => None,
        };
        let (word, needs) = match (&reference.target, block) {
            (Target::Each, Some(Repetition::ForEach(_))) | (Target::Count, Some(Repetition::Count(_))) => return,
            (Target::Each, _) => ("each", "for_each"),
            (Target::Count, _) => ("count", "count"),
            (Target::Variable(_) | Target::Local(_) | Target::Object(_) | Target::Path, _) => return,
        };
        let error = Diagnostic::error(format!("`{word}` is known only in a block with `{needs}`")).at(&reference.span);
        self.diagnostics.push(match block {
            Some(_) => error.hint(format!("add `{needs} = …` to the block")),
            None => error,
        });
    }

    fn wait_for(&mut self, node: &Node, addresses: &[Address], span: &Span) {
        let reference = |address: &Address| Reference { target: Target::Object(address.clone()), span: span.clone() };
        let found: Vec<Node> = addresses.iter().filter_map(|address| self.resolve(&reference(address))).collect();
        self.dependencies.entry(node.clone()).or_default().extend(found);
    }

    fn provider(&mut self, node: &Node, key: &ProviderKey, span: &Span) {
        if self.module.providers.contains_key(key) {
            self.dependencies.entry(node.clone()).or_default().insert(Node::Provider(key.clone()));
        } else if key.alias.is_some() {
            let known: Vec<String> = self.module.providers.keys().map(ToString::to_string).collect();
            let hint = nearest_or_all(&key.to_string(), known.iter().map(String::as_str), "provider block");
            self.diagnostics.push(Diagnostic::error(format!("no provider `{key}` is declared")).at(span).hint(hint));
        }
    }

    fn resolve(&mut self, reference: &Reference) -> Option<Node> {
        let module = self.module;
        let (node, is_there, what) = match &reference.target {
            Target::Variable(name) => (Node::Variable(name.clone()), module.variables.contains_key(name), "variable"),
            Target::Local(name) => (Node::Local(name.clone()), module.locals.contains_key(name), "local"),
            Target::Object(address) => (Node::Object(address.clone()), module.objects.contains_key(address), "block"),
            Target::Each | Target::Count | Target::Path => return None,
        };
        if is_there {
            return Some(node);
        }
        let text = node.to_string();
        let known = self.names_like(&node);
        let known = known.iter().map(String::as_str);
        let hint = mistyped_root(&node).or_else(|| self.missing_block(&node));
        let hint = hint.unwrap_or_else(|| nearest_or_all(&text, known, what));
        self.diagnostics.push(Diagnostic::error(format!("`{text}` is not declared")).at(&reference.span).hint(hint));
        None
    }

    /// What could have been meant.
    fn names_like(&self, node: &Node) -> Vec<String> {
        let module = self.module;
        match node {
            Node::Variable(_) => module.variables.keys().map(|name| format!("var.{name}")).collect(),
            Node::Local(_) => module.locals.keys().map(|name| format!("local.{name}")).collect(),
            Node::Object(address) => {
                let alike = module.objects.keys().filter(|known| known.block == address.block);
                alike.map(ToString::to_string).collect()
            }
            Node::Provider(_) | Node::Output(_) => module.objects.keys().map(ToString::to_string).collect(),
        }
    }

    /// Where there is no block of that kind at all.
    fn missing_block(&self, node: &Node) -> Option<String> {
        let Node::Object(address) = node else { return None };
        if self.module.objects.keys().any(|known| known.block == address.block) {
            return None;
        }
        let labels = if address.block.has_type() { vec![&address.ty, &address.name] } else { vec![&address.name] };
        let labels: String = labels.into_iter().map(|label| format!(" \"{label}\"")).collect();
        Some(format!("declare it: `{}{labels} {{ … }}`", address.block.word()))
    }
}

/// `vra.x` reads as a resource of the type `vra`.
fn mistyped_root(node: &Node) -> Option<String> {
    match node {
        Node::Object(address) if address.block == BlockKind::Resource => nearest(&address.ty, ROOTS),
        Node::Object(_) | Node::Variable(_) | Node::Local(_) | Node::Provider(_) | Node::Output(_) => None,
    }
}

/// Each after what it depends on; ties by name. Otherwise a cycle.
pub(crate) fn order(dependencies: &BTreeMap<Node, BTreeSet<Node>>) -> Result<Vec<Node>, Vec<Node>> {
    let (mut order, mut done) = (Vec::new(), BTreeSet::new());
    for start in dependencies.keys() {
        visit(start, dependencies, &mut order, &mut done)?;
    }
    Ok(order)
}

/// Depth first, without recursion: a chain of references may be long.
fn visit<'g>(
    start: &'g Node,
    dependencies: &'g BTreeMap<Node, BTreeSet<Node>>,
    order: &mut Vec<Node>,
    done: &mut BTreeSet<&'g Node>,
) -> Result<(), Vec<Node>> {
    static NONE: BTreeSet<Node> = BTreeSet::new();
    let direct = |node| dependencies.get(node).unwrap_or(&NONE).iter();
    if done.contains(start) {
        return Ok(());
    }
    let mut path = vec![(start, direct(start))];
    let mut open = BTreeSet::from([start]);
    while let Some((node, rest)) = path.last_mut() {
        match rest.next() {
            Some(next) if open.contains(next) => {
                let cycle = path.iter().map(|(node, _)| *node).skip_while(|node| *node != next);
                return Err(cycle.chain([next]).cloned().collect());
            }
            Some(next) if done.contains(next) => {}
            Some(next) => {
                open.insert(next);
                path.push((next, direct(next)));
            }
            None => {
                open.remove(node);
                done.insert(node);
                order.push((*node).clone());
                path.pop();
            }
        }
    }
    Ok(())
}

pub(crate) fn cycle_error(module: &Module, cycle: &[Node]) -> Diagnostic {
    let chain: Vec<String> = cycle.iter().map(ToString::to_string).collect();
    let error = Diagnostic::error("these depend on each other in a circle")
        .because(chain.join(" → "))
        .hint("take out one of these references");
    match cycle.first().and_then(|node| node_span(module, node)) {
        Some(span) => error.at(span),
        None => error,
    }
}

fn node_span<'a>(module: &'a Module, node: &Node) -> Option<&'a Span> {
    match node {
        Node::Variable(name) => module.variables.get(name).map(|variable| &variable.span),
        Node::Local(name) => module.locals.get(name).map(Expression::span),
        Node::Provider(key) => module.providers.get(key).map(|block| &block.span),
        Node::Object(address) => module.objects.get(address).map(|block| &block.span),
        Node::Output(name) => module.outputs.get(name).map(|output| &output.span),
    }
}
