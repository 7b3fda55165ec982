//! What depends on what, and the order that follows.

mod moves;
mod order;

use std::collections::{BTreeMap, BTreeSet};

use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, ModulePath, ProviderKey, Span};

use crate::desired::Node;
use crate::evaluate::ROOTS;
use crate::expression::{Expression, Reference, Target};
use crate::module::{Body, Dependencies, Import, Module, ObjectBlock, Point, Repetition, Scoped, Variable};
use crate::suggest::{all_of, nearest, nearest_of_all, nearest_or_all};
pub(crate) use order::{Order, order};

/// Which name was meant is looked for no more often: there may be as many names as references.
const MOST_HINTS: usize = 100;

/// What everything directly depends on. What leads nowhere is reported, and everything that is wrong whatever names stand for.
pub(crate) fn dependencies(module: &Module, diagnostics: &mut Diagnostics) -> BTreeMap<Node, BTreeSet<Node>> {
    let mut collector = Collector { module, diagnostics, dependencies: BTreeMap::new(), unknown: 0 };
    for name in module.variables.keys() {
        collector.add(Node::Variable(Scoped::root(name)), []);
    }
    for (name, variable) in &module.variables {
        collector.validations(&Scoped::root(name), variable);
    }
    for (name, input) in &module.inputs {
        collector.validations(name, &input.variable);
    }
    for (name, condition) in module.far_conditions() {
        for expression in condition.expressions() {
            collector.found(&Node::Variable(Scoped::root(name)), [expression]);
        }
    }
    let locals = module.locals.keys().cloned().map(Node::Local);
    let inputs = module.inputs.keys().cloned().map(Node::Variable);
    let results = module.results.keys().cloned().map(Node::Output);
    for node in locals.chain(inputs).chain(results) {
        collector.derived(node);
    }
    for (key, block) in &module.providers {
        collector.add(Node::Provider(key.clone()), expressions(&block.body));
    }
    // There may be very many, and they are in order.
    let objects = module.objects.values().map(|block| (Node::Object(block.address.clone()), collector.object(block)));
    let mut objects: BTreeMap<Node, BTreeSet<Node>> = objects.collect();
    collector.dependencies.append(&mut objects);
    for moved in &module.moved {
        // One without a key may become one of its own block's instances.
        if !moved.from.is_block_of(&moved.to) {
            collector.gone(&moved.from, &moved.span, "moved");
        }
    }
    collector.diagnostics.extend(moves::contradictions(module));
    for removed in &module.removed {
        collector.gone(&removed.from, &removed.span, "removed");
    }
    for import in &module.imports {
        collector.import(import);
    }
    for (name, conditions) in &module.checks {
        for expression in conditions.iter().flat_map(|condition| condition.expressions()) {
            collector.check(name, expression);
        }
    }
    for (name, output) in &module.outputs {
        let node = Node::Output(Scoped::root(name));
        collector.derived(node.clone());
        collector.wait_for(node, &output.depends_on);
    }
    collector.dependencies
}

/// All that a node says.
pub(crate) fn expressions_of<'m>(module: &'m Module, node: &Node) -> Vec<&'m Expression> {
    match node {
        Node::Local(_) | Node::Variable(_) | Node::Output(_) => module.expressions_of(node),
        Node::Provider(key) => module.providers.get(key).map(|block| expressions(&block.body)).unwrap_or_default(),
        Node::Object(address) => {
            let block = module.objects.get(address);
            block
                .into_iter()
                .flat_map(|block| expressions(&block.body).into_iter().chain(block.repetition.expression()))
                .collect()
        }
    }
}

fn expressions(body: &Body) -> Vec<&Expression> {
    let own = body.attributes.values().map(|attribute| &attribute.expression);
    own.chain(body.blocks.iter().flat_map(|block| expressions(&block.body))).collect()
}

struct Collector<'a> {
    module: &'a Module,
    diagnostics: &'a mut Diagnostics,
    dependencies: BTreeMap<Node, BTreeSet<Node>>,
    /// References that lead nowhere, so far.
    unknown: usize,
}

impl<'a> Collector<'a> {
    fn add<'e>(&mut self, node: Node, expressions: impl IntoIterator<Item = &'e Expression>) {
        let found = self.found(&node, expressions);
        self.dependencies.entry(node).or_default().extend(found);
    }

    /// What expressions of a node refer to.
    fn found<'e>(&mut self, node: &Node, expressions: impl IntoIterator<Item = &'e Expression>) -> BTreeSet<Node> {
        let mut found = BTreeSet::new();
        for expression in expressions {
            self.diagnostics.extend_from_slice(expression.faults());
            for reference in expression.references() {
                self.repetition(node, &reference);
                self.is_of_nobody(&reference);
                found.extend(self.resolve(&reference));
            }
        }
        found
    }

    /// What has another name now, or none, is not declared any more.
    fn gone(&mut self, from: &Point, span: &Span, word: &str) {
        let is_declared = match from {
            Point::Object(address) if address.key.is_none() => self.module.objects.contains_key(address),
            Point::Module(path) => path.split_last().is_some_and(|(outer, last)| {
                let name = Scoped { module: outer, name: last.name.clone() };
                last.key.is_none() && self.module.calls.contains_key(&name)
            }),
            Point::Object(_) => false,
        };
        if is_declared {
            let error = Diagnostic::error(format!("`{from}` is declared, and can't be {word}")).at(span);
            self.diagnostics.push(error.hint("take out its block, or this one"));
        }
    }

    /// What is taken over must be declared, and waits for what tells which it is.
    fn import(&mut self, import: &Import) {
        let mut found = BTreeSet::new();
        for expression in import.expressions() {
            self.diagnostics.extend_from_slice(expression.faults());
            for reference in expression.references() {
                if matches!(reference.target, Target::Each) && !matches!(import.repetition, Repetition::ForEach(_)) {
                    let error = Diagnostic::error("`each` is known only in a block with `for_each`");
                    self.diagnostics.push(error.at(&reference.span));
                }
                found.extend(self.resolve(&reference));
            }
        }
        let named: Vec<&Address> = self.module.objects.keys().filter(|block| import.names(block)).collect();
        if named.is_empty() && import.check().is_none() {
            let error = Diagnostic::error("what is to be imported is not declared").at(import.to.span());
            self.diagnostics.push(error.hint("write the block of the machine or resource that it becomes"));
        }
        for block in named {
            self.dependencies.entry(Node::Object(block.clone())).or_default().extend(found.iter().cloned());
        }
    }

    /// Says what leads nowhere in an expression that nobody waits for.
    fn check(&mut self, name: &Scoped, expression: &Expression) {
        self.diagnostics.extend_from_slice(expression.faults());
        for reference in expression.references() {
            if self.check_of(&reference) != Some(name) {
                self.is_of_nobody(&reference);
            }
            self.resolve(&reference);
        }
    }

    /// The check that alone may name what is referred to.
    fn check_of(&self, reference: &Reference) -> Option<&'a Scoped> {
        match &reference.target {
            Target::Object(address) if !self.module.checks.is_empty() => {
                self.module.objects.get(address)?.check.as_ref()
            }
            _ => None,
        }
    }

    /// Says where something is named that is read for a check alone.
    fn is_of_nobody(&mut self, reference: &Reference) {
        if let Some(check) = self.check_of(reference) {
            let error =
                Diagnostic::error(format!("`{}` is read for the check `{}` alone", reference.target, check.name));
            self.diagnostics.push(error.hint("write its block outside of the check").at(&reference.span));
        }
    }

    /// A condition that does not look at the variable's value says nothing of it. A misspelt name may have been meant as its own.
    fn validations(&mut self, name: &Scoped, variable: &Variable) {
        for condition in &variable.validations {
            let may_be_own = |reference: &Reference| match &reference.target {
                Target::Variable(other) => other == name || !self.is_variable(other),
                Target::Local(_) | Target::Module(..) | Target::Object(_) | Target::This => false,
                Target::Each | Target::Count | Target::Path | Target::Workspace => false,
            };
            if !condition.condition.references().iter().any(may_be_own) {
                let error = Diagnostic::error(format!("this condition does not look at `var.{}`", name.name));
                let error = error.at(condition.condition.span());
                let error = error.hint("a condition of a variable says which values it may have");
                // A module has as many of it as it has instances.
                if !self.diagnostics.contains(&error) {
                    self.diagnostics.push(error);
                }
            }
        }
    }

    /// What follows from expressions alone. A variable's conditions may name it: it does not wait for itself.
    fn derived(&mut self, node: Node) {
        let module = self.module;
        let mut found = self.found(&node, module.expressions_of(&node));
        if matches!(node, Node::Variable(_)) {
            found.remove(&node);
        }
        self.dependencies.entry(node.clone()).or_default().extend(found);
        if let Node::Output(name) = &node
            && let Some(output) = self.module.results.get(name)
        {
            self.wait_for(node, &output.depends_on);
        }
    }

    /// What a block waits for.
    fn object(&mut self, block: &ObjectBlock) -> BTreeSet<Node> {
        let own = expressions(&block.body).into_iter().chain(block.repetition.expression());
        let mut found = self.found(&Node::Object(block.address.clone()), own.chain(block.lifecycle.expressions()));
        found.extend(self.named(&block.depends_on));
        if let Some(key) = &block.provider {
            found.extend(self.provider(&block.in_root(key.clone()), &block.span));
        }
        found
    }

    /// `each` and `count` stand for something only in blocks that have them.
    fn repetition(&mut self, node: &Node, reference: &Reference) {
        let (word, needs) = match &reference.target {
            Target::Each => ("each", "for_each"),
            Target::Count => ("count", "count"),
            Target::Variable(_)
            | Target::Local(_)
            | Target::Module(..)
            | Target::Object(_)
            | Target::Path
            | Target::Workspace
            | Target::This => return,
        };
        let block = match node {
            Node::Object(address) => self.module.objects.get(address).map(|block| &block.repetition),
            // A module's arguments are written in its call.
            Node::Variable(name) => self.module.inputs.get(name).map(|input| &input.repetition),
            Node::Local(_) | Node::Provider(_) | Node::Output(_) => None,
        };
        let has = match block {
            Some(Repetition::ForEach(_)) => "for_each",
            Some(Repetition::Count(_)) => "count",
            Some(Repetition::Once | Repetition::Enabled(_)) | None => "",
        };
        if has == needs {
            return;
        }
        let error = Diagnostic::error(format!("`{word}` is known only in a block with `{needs}`")).at(&reference.span);
        self.diagnostics.push(match block {
            Some(_) => error.hint(format!("add `{needs} = …` to the block")),
            None => error,
        });
    }

    fn wait_for(&mut self, node: Node, dependencies: &Dependencies) {
        let named = self.named(dependencies);
        self.dependencies.entry(node).or_default().extend(named);
    }

    /// What is waited for though no value of it is needed.
    fn named(&mut self, dependencies: &Dependencies) -> Vec<Node> {
        for written in &dependencies.written {
            self.resolve(written);
        }
        let there = dependencies.objects.iter().filter(|address| self.module.objects.contains_key(address));
        there.cloned().map(Node::Object).collect()
    }

    fn provider(&mut self, key: &ProviderKey, span: &Span) -> Option<Node> {
        if self.module.providers.contains_key(key) {
            return Some(Node::Provider(key.clone()));
        }
        if key.alias.is_some() {
            let known: Vec<String> = self.module.providers.keys().map(ToString::to_string).collect();
            let hint = nearest_or_all(&key.to_string(), known.iter().map(String::as_str), "provider block");
            self.diagnostics.push(Diagnostic::error(format!("no provider `{key}` is declared")).at(span).hint(hint));
        }
        None
    }

    /// What a reference leads to; says so where it leads nowhere.
    fn resolve(&mut self, reference: &Reference) -> Vec<Node> {
        let module = self.module;
        let (is_there, what) = match &reference.target {
            Target::Variable(name) => (self.is_variable(name), "variable"),
            Target::Local(name) => (module.locals.contains_key(name), "local"),
            Target::Module(name, None) => (module.calls.contains_key(name), "module"),
            Target::Module(name, Some(_)) => {
                let has_instances = module.calls.get(name).is_none_or(|call| !call.keys.is_empty());
                (!has_instances || !module.nodes_of(&reference.target).is_empty(), "output")
            }
            Target::Object(address) => (module.objects.contains_key(address), "block"),
            Target::Each | Target::Count | Target::Path | Target::Workspace | Target::This => return Vec::new(),
        };
        if is_there {
            return module.nodes_of(&reference.target);
        }
        if module.has_gaps && matches!(reference.target, Target::Local(_)) {
            return Vec::new();
        }
        let text = reference.target.to_string();
        let error = Diagnostic::error(format!("`{text}` is not declared")).at(&reference.span);
        self.unknown += 1;
        if self.unknown > MOST_HINTS {
            self.diagnostics.push(error);
            return Vec::new();
        }
        let known = self.names_like(&reference.target);
        let known = known.iter().map(String::as_str);
        let hint = mistyped_root(&reference.target).or_else(|| self.missing_block(&reference.target));
        let hint = hint.or_else(|| nearest_of_all(&text, known.clone()));
        let hint = hint.unwrap_or_else(|| all_of(known, what));
        self.diagnostics.push(error.hint(hint));
        Vec::new()
    }

    fn is_variable(&self, name: &Scoped) -> bool {
        match name.module.is_root() {
            true => self.module.variables.contains_key(&name.name),
            false => self.module.inputs.contains_key(name),
        }
    }

    /// What could have been meant, in the words of the same module.
    fn names_like(&self, target: &Target) -> Vec<String> {
        let module = self.module;
        let of = |names: &mut dyn Iterator<Item = &Scoped>, home: &ModulePath, word: &str| {
            names.filter(|name| name.module == *home).map(|name| format!("{word}.{}", name.name)).collect()
        };
        match target {
            Target::Variable(name) if name.module.is_root() => {
                module.variables.keys().map(|name| format!("var.{name}")).collect()
            }
            Target::Variable(name) => of(&mut module.inputs.keys(), &name.module, "var"),
            Target::Local(name) => of(&mut module.locals.keys(), &name.module, "local"),
            Target::Module(name, Some(_)) if module.calls.contains_key(name) => {
                let names = module.outputs_of(name, None).into_iter().filter_map(|node| match node {
                    Node::Output(output) => Some(format!("module.{}.{}", name.name, output.name)),
                    _ => None,
                });
                names.collect::<BTreeSet<_>>().into_iter().collect()
            }
            Target::Module(name, _) => of(&mut module.calls.keys(), &name.module, "module"),
            Target::Object(address) => {
                let is_alike = |known: &&Address| known.block == address.block && known.module == address.module;
                let alike = module.objects.keys().filter(is_alike);
                alike.map(|known| known.within(&ModulePath::ROOT).to_string()).collect()
            }
            Target::Each | Target::Count | Target::Path | Target::Workspace | Target::This => Vec::new(),
        }
    }

    /// Where there is no block of that kind at all.
    fn missing_block(&self, target: &Target) -> Option<String> {
        let Target::Object(address) = target else { return None };
        let is_alike = |known: &Address| known.block == address.block && known.module == address.module;
        if self.module.objects.keys().any(is_alike) {
            return None;
        }
        let labels = if address.block.has_type() { vec![&address.ty, &address.name] } else { vec![&address.name] };
        let labels: String = labels.into_iter().map(|label| format!(" \"{label}\"")).collect();
        Some(format!("declare it: `{}{labels} {{ … }}`", address.block.word()))
    }
}

/// `vra.x` reads as a resource of the type `vra`.
fn mistyped_root(target: &Target) -> Option<String> {
    match target {
        Target::Object(address) if address.block == BlockKind::Resource => nearest(&address.ty, ROOTS),
        Target::Object(_) | Target::Variable(_) | Target::Local(_) | Target::Module(..) => None,
        Target::Each | Target::Count | Target::Path | Target::Workspace | Target::This => None,
    }
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
        Node::Variable(name) if name.module.is_root() => {
            module.variables.get(&name.name).map(|variable| &variable.span)
        }
        Node::Variable(name) => module.inputs.get(name).map(|input| &input.call_span),
        Node::Local(name) => module.locals.get(name).map(Expression::span),
        Node::Provider(key) => module.providers.get(key).map(|block| &block.span),
        Node::Object(address) => module.objects.get(address).map(|block| &block.span),
        Node::Output(name) if name.module.is_root() => module.outputs.get(&name.name).map(|output| &output.span),
        Node::Output(name) => module.results.get(name).map(|output| &output.span),
    }
}
