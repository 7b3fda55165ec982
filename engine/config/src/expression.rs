//! An expression as it was written, with its place; what it refers to.

use std::fmt;
use std::sync::Arc;

use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, ModulePath, Span};
use bimetal_syntax::{Intro, Kind, Node, Part, Place, SourceFile, Step, StepKind, Traversal};

use crate::evaluate::{ROOTS, shapeless};
use crate::module::{Home, Scoped};
use crate::suggest::nearest;

/// An expression that was not evaluated.
#[derive(Clone)]
pub struct Expression {
    pub(crate) file: SourceFile,
    pub(crate) node: Arc<Node>,
    span: Span,
    references: Arc<[Reference]>,
    faults: Arc<[Diagnostic]>,
    home: Home,
}

/// Something that an expression refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What.
    pub target: Target,
    /// Where it is written.
    pub span: Span,
}

impl Reference {
    /// The same words in another module.
    pub(crate) fn within(&self, module: &ModulePath) -> Reference {
        Reference { target: self.target.within(module), span: self.span.clone() }
    }
}

/// What a reference leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// `var.name`
    Variable(Scoped),
    /// `local.name`
    Local(Scoped),
    /// `module.name`, and which of its outputs where only one is looked at.
    Module(Scoped, Option<String>),
    /// A whole block: `machine.docker.here`, `docker_volume.data`
    Object(Address),
    /// `each.key`, `each.value`
    Each,
    /// `count.index`
    Count,
    /// `path.module`, `path.root`, `path.cwd`
    Path,
    /// `bimetal.workspace`
    Workspace,
    /// `self`: the instance that a condition is about
    This,
}

impl fmt::Display for Target {
    /// As it is written where it means something.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Variable(name) => write!(f, "var.{}", name.name),
            Target::Local(name) => write!(f, "local.{}", name.name),
            Target::Module(name, None) => write!(f, "module.{}", name.name),
            Target::Module(name, Some(output)) => write!(f, "module.{}.{output}", name.name),
            Target::Object(address) => address.within(&ModulePath::ROOT).fmt(f),
            Target::Each => f.write_str("each"),
            Target::Count => f.write_str("count"),
            Target::Path => f.write_str("path"),
            Target::Workspace => f.write_str("bimetal"),
            Target::This => f.write_str("self"),
        }
    }
}

impl Target {
    /// Where its name means something.
    pub(crate) fn module(&self) -> &ModulePath {
        match self {
            Target::Variable(name) | Target::Local(name) | Target::Module(name, _) => &name.module,
            Target::Object(address) => &address.module,
            Target::Each | Target::Count | Target::Path | Target::Workspace | Target::This => &ModulePath::ROOT,
        }
    }

    /// What the same words lead to in another module.
    pub(crate) fn within(&self, module: &ModulePath) -> Target {
        match self {
            Target::Variable(name) => Target::Variable(name.within(module)),
            Target::Local(name) => Target::Local(name.within(module)),
            Target::Module(name, output) => Target::Module(name.within(module), output.clone()),
            Target::Object(address) => Target::Object(address.within(module)),
            Target::Each => Target::Each,
            Target::Count => Target::Count,
            Target::Path => Target::Path,
            Target::Workspace => Target::Workspace,
            Target::This => Target::This,
        }
    }
}

impl Expression {
    pub(crate) fn new(file: &SourceFile, node: Node) -> Self {
        Expression::within(file, node, &[])
    }

    /// Where these names stand for something.
    pub(crate) fn within(file: &SourceFile, node: Node, bound: &[Box<str>]) -> Self {
        let span = file.span(node.place);
        let mut collector = Collector::new(file, bound);
        collector.expression(&node);
        let (references, faults) = (collector.found.into(), collector.faults.into());
        Expression { file: file.clone(), node: Arc::new(node), span, references, faults, home: Home::default() }
    }

    /// Where it is written.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// What it refers to, names bound by its own `for` expressions left out. References that lead nowhere are left out, too:
    /// evaluation reports them.
    pub fn references(&self) -> Vec<Reference> {
        self.references.iter().map(|reference| reference.within(&self.home.path)).collect()
    }

    /// As [`Expression::references`], with targets as they are written.
    pub(crate) fn written(&self) -> &[Reference] {
        &self.references
    }

    /// The same words in a module.
    #[must_use]
    pub(crate) fn at_home(&self, home: &Home) -> Expression {
        Expression { home: home.clone(), ..self.clone() }
    }

    /// The module that it was written in.
    pub(crate) fn home(&self) -> &Home {
        &self.home
    }

    /// What is wrong with it whatever its names stand for. Such an expression is never evaluated, not even by `try`.
    pub(crate) fn faults(&self) -> &[Diagnostic] {
        &self.faults
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.file.text.get(self.span.range.clone()).unwrap_or_default())
    }
}

struct Collector<'a> {
    file: &'a SourceFile,
    bound: Vec<Box<str>>,
    found: Vec<Reference>,
    faults: Diagnostics,
    /// Whatever is not bound, and where.
    free: Vec<(Box<str>, Place)>,
}

/// The names in a template that it does not bind by itself, and where they are.
pub(crate) fn free_names(file: &SourceFile, node: &Node) -> Vec<(Box<str>, Place)> {
    let mut collector = Collector::new(file, &[]);
    collector.expression(node);
    collector.free
}

impl<'a> Collector<'a> {
    fn new(file: &'a SourceFile, bound: &[Box<str>]) -> Self {
        Collector { file, bound: bound.to_vec(), found: Vec::new(), faults: Vec::new(), free: Vec::new() }
    }
    fn expression(&mut self, node: &Node) {
        bimetal_syntax::deeply(|| self.node(node));
    }

    fn node(&mut self, node: &Node) {
        match &node.kind {
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
            Kind::Name(name) => self.name(name, node.place),
            Kind::Template(parts) => self.parts(parts),
            Kind::Tuple(items) => items.iter().for_each(|item| self.expression(item)),
            Kind::Object(members) => members.iter().for_each(|member| {
                if !matches!(member.key.kind, Kind::Name(_)) {
                    self.expression(&member.key);
                }
                self.expression(&member.value);
            }),
            Kind::Parentheses(inner) => self.expression(inner),
            Kind::Traversal(traversal) => self.traversal(traversal, node.place),
            Kind::Call(call) => call.arguments.iter().for_each(|argument| self.expression(argument)),
            Kind::Conditional(conditional) => {
                self.expression(&conditional.condition);
                self.expression(&conditional.yes);
                self.expression(&conditional.no);
            }
            Kind::Unary(operation) => self.expression(&operation.operand),
            Kind::Binary(operation) => {
                self.expression(&operation.left);
                self.expression(&operation.right);
            }
            Kind::For(comprehension) => self.within(&comprehension.intro, |this| {
                comprehension.key.iter().for_each(|key| this.expression(key));
                this.expression(&comprehension.value);
                comprehension.condition.iter().for_each(|condition| this.expression(condition));
            }),
        }
    }

    fn parts(&mut self, parts: &[Part]) {
        for part in parts {
            match part {
                Part::Literal(_) => {}
                Part::Value(node) => self.expression(node),
                Part::If(choice) => {
                    self.expression(&choice.condition);
                    self.parts(&choice.yes);
                    self.parts(&choice.no);
                }
                Part::For(repeat) => self.within(&repeat.intro, |this| this.parts(&repeat.parts)),
            }
        }
    }

    fn name(&mut self, name: &str, place: Place) {
        if self.is_bound(name) {
            return;
        }
        self.free.push((name.into(), place));
        let roots = self.bound.iter().map(|name| &**name).chain(ROOTS);
        let error = Diagnostic::error(format!("`{name}` stands for nothing")).at(&self.file.span(place));
        let hint = match ROOTS.contains(&name) {
            true => format!("write what stands behind it, as in `{name}.…`"),
            false => nearest(name, roots).unwrap_or_else(|| format!("text stands between quotes: `\"{name}\"`")),
        };
        self.faults.push(error.hint(hint));
    }

    fn is_bound(&self, name: &str) -> bool {
        self.bound.iter().any(|bound| &**bound == name)
    }

    /// What is gone through, then what is done with the names that this binds.
    fn within(&mut self, intro: &Intro, visit: impl FnOnce(&mut Self)) {
        self.expression(&intro.collection);
        let depth = self.bound.len();
        self.bound.extend(intro.key.iter().chain([&intro.value]).map(|name| name.text.clone()));
        visit(self);
        self.bound.truncate(depth);
    }

    fn traversal(&mut self, traversal: &Traversal, place: Place) {
        for step in &traversal.steps {
            if let StepKind::Index(index) = &step.kind {
                self.expression(index);
            }
        }
        let Kind::Name(root) = &traversal.root.kind else { return self.expression(&traversal.root) };
        if self.is_bound(root) {
            return;
        }
        self.free.push((root.clone(), traversal.root.place));
        let span = self.file.span(place);
        match target(root, &traversal.steps) {
            Some((target, _)) => self.found.push(Reference { target, span }),
            None => {
                // What stands where a name should.
                let wrong = traversal.steps.first().filter(|step| !matches!(step.kind, StepKind::Attribute(_)));
                let span = wrong.map_or(span, |step| self.file.span(step.place));
                self.faults.push(shapeless(root).at(&span));
            }
        }
    }
}

/// What a root name and the attributes behind it lead to, and how many of the steps that takes.
pub(crate) fn target(root: &str, steps: &[Step]) -> Option<(Target, usize)> {
    let name = |place: usize| match steps.get(place).map(|step| &step.kind) {
        Some(StepKind::Attribute(name)) => Some(name.to_string()),
        _ => None,
    };
    let object = |block, ty: String, label: String| Target::Object(Address::new(block, ty, label));
    Some(match root {
        "var" => (Target::Variable(Scoped::root(name(0)?)), 1),
        "local" => (Target::Local(Scoped::root(name(0)?)), 1),
        "module" => (Target::Module(Scoped::root(name(0)?), output(&steps[1..])), 1),
        "each" => (Target::Each, 0),
        "count" => (Target::Count, 0),
        "path" => (Target::Path, 0),
        // What others wrote for Terraform means the same here.
        "bimetal" | "terraform" => (Target::Workspace, 0),
        "self" => (Target::This, 0),
        "machine" => (object(BlockKind::Machine, name(0)?, name(1)?), 2),
        "data" => (object(BlockKind::Data, name(0)?, name(1)?), 2),
        "ephemeral" => (object(BlockKind::Ephemeral, name(0)?, name(1)?), 2),
        "pool" => (object(BlockKind::Pool, String::new(), name(0)?), 1),
        "service" => (object(BlockKind::Service, String::new(), name(0)?), 1),
        ty => (object(BlockKind::Resource, ty.to_owned(), name(0)?), 1),
    })
}

/// The output that is taken of a module, or of each of its instances.
fn output(steps: &[Step]) -> Option<String> {
    let instance = |step: &Step| !matches!(step.kind, StepKind::Attribute(_));
    let behind = if steps.first().is_some_and(instance) { steps.get(1) } else { steps.first() };
    match &behind?.kind {
        StepKind::Attribute(name) => Some(name.to_string()),
        StepKind::LegacyIndex(_) | StepKind::Index(_) | StepKind::AttributeSplat | StepKind::FullSplat => None,
    }
}
