//! What is wanted: a module, its variables' values, and the order in which its parts depend on each other.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bimetal_model::diagnostic::has_errors;
use bimetal_model::schema::Block;
use bimetal_model::{Address, Diagnostic, Diagnostics, ProviderKey, ProviderName, Value};

use crate::altered::Alterations;
use crate::derive::derive;
use crate::evaluate::{Acting, Moment, Outside, Scope};
use crate::expression::Target;
use crate::flatten::flatten;
use crate::graph::{Order, cycle_error, dependencies, expressions_of, order};
use crate::module::{Body, Call, Module, Scoped, SourceFile};
use crate::variables::{Given, values};

/// What is wanted. To clone it costs little, whatever is in it.
#[derive(Clone)]
pub struct Desired {
    /// As it was parsed.
    pub module: Arc<Module>,
    /// Of all variables, converted and checked.
    pub variables: BTreeMap<String, Value>,
    /// Everything, each after what it depends on.
    pub order: Arc<Vec<Node>>,
    /// What depends on itself, which is an error that was said. Its values are unknown.
    pub circular: Arc<BTreeSet<Node>>,
    /// What each directly depends on.
    pub dependencies: Arc<BTreeMap<Node, BTreeSet<Node>>>,
    /// What exists by these names is called otherwise: the names that it has, and those that it gets, before any `moved` block is looked at.
    pub renamed: Arc<BTreeMap<Address, Address>>,
    /// For functions that need more than their arguments.
    pub outside: Outside,
    /// For functions of time and chance.
    pub moment: Moment,
    /// What it is made from, where modules wait for values of blocks to know how many instances they have.
    open: Option<Arc<Open>>,
}

/// What modules are assembled from.
struct Open {
    files: Vec<SourceFile>,
    alterations: Alterations,
    /// The values that were known.
    known: BTreeMap<Address, Value>,
}

impl Desired {
    /// The same, as it is done.
    #[must_use]
    pub fn acting(&self, acting: Acting) -> Desired {
        Desired { moment: Moment { acting: Some(acting), ..self.moment.clone() }, ..self.clone() }
    }

    /// The blocks that modules wait for to know how many instances they have, as far as these can be planned now.
    pub fn waits_for(&self) -> BTreeSet<Address> {
        let calls = self.module.calls.values().flat_map(|call| &call.waits_for);
        calls.filter(|block| !self.rests_on_open(block)).cloned().collect()
    }

    fn rests_on_open(&self, block: &Address) -> bool {
        let (mut open, mut seen) = (vec![Node::Object(block.clone())], BTreeSet::new());
        while let Some(node) = open.pop() {
            let is_open = |target: &Target| match target {
                Target::Module(name, _) => self.module.calls.get(name).is_some_and(|call| !call.waits_for.is_empty()),
                _ => false,
            };
            if expressions_of(&self.module, &node)
                .iter()
                .flat_map(|one| one.references())
                .any(|one| is_open(&one.target))
            {
                return true;
            }
            let next = self.dependencies.get(&node).into_iter().flatten();
            open.extend(next.filter(|next| !seen.contains(*next)).cloned().collect::<Vec<_>>());
            seen.insert(node);
        }
        false
    }

    /// The same once these blocks have values, too.
    pub fn knowing(&self, values: BTreeMap<Address, Value>) -> (Desired, Diagnostics) {
        let Some(open) = &self.open else { return (self.clone(), Diagnostics::new()) };
        let Open { files, alterations, known } = &**open;
        // What is wrong with what is written was said the first time.
        let (root, _) = crate::parse(files, &alterations.folder);
        let root = alterations.root(root);
        let known = known.clone().into_iter().chain(values).collect();
        let open = Open { files: files.clone(), alterations: alterations.clone(), known };
        let (desired, said) = assembled(root, open, self.variables.clone(), self.outside.clone(), self.moment.clone());
        (Desired { renamed: self.renamed.clone(), ..desired }, said)
    }

    /// Variables and files, and nothing that follows from them.
    pub fn scope(&self) -> Scope {
        Scope {
            variables: Arc::new(self.variables.clone()),
            calls: Arc::new(self.module.calls.clone()),
            moment: self.moment.clone(),
            ..Scope::new(self.outside.clone())
        }
    }
}

/// A part of a configuration that others can depend on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Node {
    /// `variable`
    Variable(Scoped),
    /// One of `locals`
    Local(Scoped),
    /// `provider`
    Provider(ProviderKey),
    /// A whole block
    Object(Address),
    /// `output`
    Output(Scoped),
}

impl std::fmt::Display for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Node::Variable(Scoped { module, name }) => write!(f, "{module}var.{name}"),
            Node::Local(Scoped { module, name }) => write!(f, "{module}local.{name}"),
            Node::Provider(key) => write!(f, "provider.{key}"),
            Node::Object(address) => address.fmt(f),
            Node::Output(Scoped { module, name }) => write!(f, "{module}output.{name}"),
        }
    }
}

/// Parses, checks references, works out variables and the order. Where there are errors, it is there for what else may be wrong to be found.
pub fn desired(files: Vec<SourceFile>, given: Given, outside: Outside) -> (Desired, Diagnostics) {
    altered(files, given, outside, &Alterations::default())
}

/// As [`desired`], of something else than what is written.
pub fn altered(files: Vec<SourceFile>, given: Given, outside: Outside, by: &Alterations) -> (Desired, Diagnostics) {
    let (module, mut diagnostics) = crate::parse(&files, &by.folder);
    let module = by.root(module);
    let moment = Moment { planned_ms: given.planned_ms, acting: None };
    let (variables, refused) = values(&module, given, &outside);
    let open = Open { files, alterations: by.clone(), known: BTreeMap::new() };
    let (desired, said) = assembled(module, open, variables, outside, moment);
    diagnostics.extend(said);
    let is_sound = !has_errors(&diagnostics);
    diagnostics.extend(refused);
    if is_sound && has_errors(&diagnostics) {
        // Nobody plans with values that are refused: what else is wrong is said here.
        diagnostics.extend(early(&desired).diagnostics);
    }
    (desired, diagnostics)
}

/// With the instances of all modules, as far as it is known how many there are.
fn assembled(
    root: Module,
    open: Open,
    variables: BTreeMap<String, Value>,
    outside: Outside,
    moment: Moment,
) -> (Desired, Diagnostics) {
    let (mut module, mut diagnostics) = flatten(root, open.files.clone(), &variables, open.known.clone(), &outside);
    diagnostics.extend(open.alterations.empty_modules(&mut module));
    let dependencies = dependencies(&module, &mut diagnostics);
    let Order { nodes: order, circles, circular } = order(&dependencies);
    diagnostics.extend(circles.iter().map(|circle| cycle_error(&module, circle)));
    let is_open = module.calls.values().any(|call| !call.waits_for.is_empty());
    let open = is_open.then(|| Arc::new(open));
    let (module, order, dependencies) = (Arc::new(module), Arc::new(order), Arc::new(dependencies));
    let (circular, renamed) = (Arc::new(circular), Arc::default());
    let desired = Desired { module, variables, order, circular, dependencies, renamed, outside, moment, open };
    if is_open && desired.waits_for().is_empty() {
        diagnostics.extend(desired.module.calls.iter().filter(|(_, call)| !call.waits_for.is_empty()).map(circle));
    }
    (desired, diagnostics)
}

/// What a module's number of instances rests on rests on the module.
fn circle((name, call): (&Scoped, &Call)) -> Diagnostic {
    let waits_for: Vec<String> = call.waits_for.iter().map(|block| format!("`{block}`")).collect();
    Diagnostic::error(format!("how many instances `{}module.{}` has depends on itself", name.module, name.name))
        .because(format!("it depends on {}", waits_for.join(", ")))
        .at(&call.span)
}

/// A body that only variables and locals may appear in, as that of `state`, worked out before anything else.
pub fn constant(desired: &Desired, body: &Body, block: &Block) -> (Value, Diagnostics) {
    crate::decode(body, block, &early(desired).scope)
}

/// The `provider` blocks that follow from variables and locals alone, by their providers' schemas. Those of providers without a schema,
/// and those that need something that is made first, are left out.
pub fn providers<'s>(
    desired: &Desired,
    schema_of: impl Fn(&ProviderName) -> Option<&'s Block>,
) -> (BTreeMap<ProviderKey, Value>, Diagnostics) {
    let (mut found, mut diagnostics) = (BTreeMap::new(), Vec::new());
    // What is wrong with what follows from them is said when it is planned.
    let Early { scope, nodes, .. } = early(desired);
    let is_early = |key: &ProviderKey| nodes.contains(&Node::Provider(key.clone()));
    for (key, block) in desired.module.providers.iter().filter(|(key, _)| is_early(key)) {
        let Some(schema) = schema_of(&key.name) else { continue };
        let (value, errors) = crate::decode(&block.body, schema, &scope);
        diagnostics.extend(errors);
        found.insert(key.clone(), value);
    }
    (found, diagnostics)
}

/// What no object is behind.
struct Early<'d> {
    nodes: BTreeSet<&'d Node>,
    /// Variables, and the locals that follow from them.
    scope: Scope,
    /// What is wrong with these.
    diagnostics: Diagnostics,
}

fn early(desired: &Desired) -> Early<'_> {
    let (mut scope, mut diagnostics, mut failed) = (desired.scope(), Vec::new(), BTreeSet::new());
    let mut nodes = BTreeSet::new();
    for node in desired.order.iter() {
        let needs = || desired.dependencies.get(node).into_iter().flatten();
        if needs().any(|other| matches!(other, Node::Object(_)) || !nodes.contains(other)) {
            continue;
        }
        nodes.insert(node);
        if needs().any(|other| failed.contains(other)) {
            failed.insert(node);
        } else if let Err(errors) = derive(&desired.module, node, &mut scope) {
            failed.insert(node);
            diagnostics.extend(errors);
        }
    }
    Early { nodes, scope, diagnostics }
}
