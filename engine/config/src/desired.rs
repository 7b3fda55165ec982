//! What is wanted: a module, its variables' values, and the order in which its parts depend on each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bimetal_model::schema::Block;
use bimetal_model::{Address, Diagnostic, Diagnostics, ProviderKey, Span, Value};

use crate::evaluate::{ReadFiles, Scope, evaluate};
use crate::expression::{Expression, Reference, Target};
use crate::module::{Body, Module, Repetition, SourceFile};
use crate::suggest::nearest_or_all;
use crate::variables::{Given, values};

/// What is wanted.
#[derive(Clone)]
pub struct Desired {
    /// As it was parsed.
    pub module: Module,
    /// Of all variables, converted and checked.
    pub variables: BTreeMap<String, Value>,
    /// Everything, each after what it depends on.
    pub order: Vec<Node>,
    /// What each directly depends on.
    pub dependencies: BTreeMap<Node, BTreeSet<Node>>,
    /// For functions that read files.
    pub read: Arc<dyn ReadFiles>,
}

/// A part of a configuration that others can depend on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Node {
    /// `variable`
    Variable(String),
    /// One of `locals`
    Local(String),
    /// `provider`
    Provider(ProviderKey),
    /// A whole block
    Object(Address),
    /// `output`
    Output(String),
}

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Node::Variable(name) => write!(f, "var.{name}"),
            Node::Local(name) => write!(f, "local.{name}"),
            Node::Provider(key) => write!(f, "provider.{key}"),
            Node::Object(address) => address.fmt(f),
            Node::Output(name) => write!(f, "output.{name}"),
        }
    }
}

/// Parses, checks references, works out variables and the order. `None` where nothing useful can be said beyond the errors.
pub fn desired(files: Vec<SourceFile>, given: Given, read: Arc<dyn ReadFiles>) -> (Option<Desired>, Diagnostics) {
    let (module, mut diagnostics) = crate::parse(files);
    let (variables, errors) = values(&module, given, &read);
    diagnostics.extend(errors);
    let dependencies = dependencies(&module, &mut diagnostics);
    let order = match order(&dependencies) {
        Ok(order) => order,
        Err(cycle) => {
            diagnostics.push(cycle_error(&module, &cycle));
            return (None, diagnostics);
        }
    };
    (Some(Desired { module, variables, order, dependencies, read }), diagnostics)
}

/// A body that only variables and locals may appear in, as that of `state`, worked out before anything else.
pub fn constant(desired: &Desired, body: &Body, block: &Block) -> (Value, Diagnostics) {
    let mut scope = Scope { variables: Arc::new(desired.variables.clone()), ..Scope::new(desired.read.clone()) };
    for node in &desired.order {
        if let Node::Local(name) = node
            && let Some(expression) = desired.module.locals.get(name)
            && let Ok(value) = evaluate(expression, &scope)
        {
            Arc::make_mut(&mut scope.locals).insert(name.clone(), value);
        }
    }
    crate::decode(body, block, &scope)
}

fn dependencies(module: &Module, diagnostics: &mut Diagnostics) -> BTreeMap<Node, BTreeSet<Node>> {
    let mut collector = Collector { module, diagnostics, dependencies: BTreeMap::new() };
    for name in module.variables.keys() {
        collector.add(Node::Variable(name.clone()), []);
    }
    for (name, expression) in &module.locals {
        collector.add(Node::Local(name.clone()), expression.references());
    }
    for (key, block) in &module.providers {
        collector.add(Node::Provider(key.clone()), body_references(&block.body));
    }
    for (address, block) in &module.objects {
        let repetition = match &block.repetition {
            Repetition::Once => Vec::new(),
            Repetition::Count(expression) | Repetition::ForEach(expression) => expression.references(),
        };
        let node = Node::Object(address.clone());
        collector.add(node.clone(), repetition.into_iter().chain(body_references(&block.body)));
        collector.wait_for(&node, &block.depends_on, &block.span);
        if let Some(key) = &block.provider {
            collector.provider(&node, key, &block.span);
        }
    }
    for (name, output) in &module.outputs {
        let node = Node::Output(name.clone());
        collector.add(node.clone(), output.value.references());
        collector.wait_for(&node, &output.depends_on, &output.span);
    }
    collector.dependencies
}

fn body_references(body: &Body) -> Vec<Reference> {
    let own = body.attributes.values().flat_map(|attribute| attribute.expression.references());
    own.chain(body.blocks.iter().flat_map(|block| body_references(&block.body))).collect()
}

struct Collector<'a> {
    module: &'a Module,
    diagnostics: &'a mut Diagnostics,
    dependencies: BTreeMap<Node, BTreeSet<Node>>,
}

impl Collector<'_> {
    fn add(&mut self, node: Node, references: impl IntoIterator<Item = Reference>) {
        let found: Vec<Node> = references.into_iter().filter_map(|reference| self.resolve(&reference)).collect();
        self.dependencies.entry(node).or_default().extend(found);
    }

    fn wait_for(&mut self, node: &Node, addresses: &[Address], span: &Span) {
        let reference = |address: &Address| Reference { target: Target::Object(address.clone()), span: span.clone() };
        self.add(node.clone(), addresses.iter().map(reference));
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
        let (node, found, known, what): (_, _, Vec<String>, _) = match &reference.target {
            Target::Variable(name) => (
                Node::Variable(name.clone()),
                module.variables.contains_key(name),
                module.variables.keys().map(|n| format!("var.{n}")).collect(),
                "variable",
            ),
            Target::Local(name) => (
                Node::Local(name.clone()),
                module.locals.contains_key(name),
                module.locals.keys().map(|n| format!("local.{n}")).collect(),
                "local",
            ),
            Target::Object(address) => (
                Node::Object(address.clone()),
                module.objects.contains_key(address),
                module.objects.keys().map(ToString::to_string).collect(),
                "block",
            ),
            Target::Each | Target::Count | Target::Path => return None,
        };
        if !found {
            let text = node.to_string();
            let hint = nearest_or_all(&text, known.iter().map(String::as_str), what);
            self.diagnostics
                .push(Diagnostic::error(format!("`{text}` is not declared")).at(&reference.span).hint(hint));
            return None;
        }
        Some(node)
    }
}

/// Each after what it depends on; ties by name. Otherwise a cycle.
fn order(dependencies: &BTreeMap<Node, BTreeSet<Node>>) -> Result<Vec<Node>, Vec<Node>> {
    let mut walk = Walk { dependencies, order: Vec::new(), done: BTreeSet::new(), path: Vec::new() };
    for node in dependencies.keys() {
        walk.visit(node)?;
    }
    Ok(walk.order)
}

struct Walk<'a> {
    dependencies: &'a BTreeMap<Node, BTreeSet<Node>>,
    order: Vec<Node>,
    done: BTreeSet<&'a Node>,
    path: Vec<&'a Node>,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, node: &'a Node) -> Result<(), Vec<Node>> {
        if self.done.contains(node) {
            return Ok(());
        }
        if let Some(start) = self.path.iter().position(|visited| *visited == node) {
            return Err(self.path[start..].iter().chain([&node]).map(|node| (*node).clone()).collect());
        }
        self.path.push(node);
        for dependency in self.dependencies.get(node).into_iter().flatten() {
            self.visit(dependency)?;
        }
        self.path.pop();
        self.done.insert(node);
        self.order.push(node.clone());
        Ok(())
    }
}

fn cycle_error(module: &Module, cycle: &[Node]) -> Diagnostic {
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
