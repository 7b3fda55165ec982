//! An expression as it was written, with its place; what it refers to.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, Span};
use hcl_edit::expr::{Expression as Node, ObjectKey, Traversal, TraversalOperator};
use hcl_edit::template::{Directive, Element, Template};
use hcl_edit::{Decorated, Span as _};

use crate::evaluate::{ROOTS, shapeless};
use crate::module::SourceFile;
use crate::suggest::nearest;

/// An expression that was not evaluated.
#[derive(Clone)]
pub struct Expression {
    pub(crate) file: SourceFile,
    pub(crate) node: Arc<Node>,
    span: Span,
    references: Arc<[Reference]>,
    faults: Arc<[Diagnostic]>,
}

/// Something that an expression refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What.
    pub target: Target,
    /// Where it is written.
    pub span: Span,
}

/// What a reference leads to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// `var.name`
    Variable(String),
    /// `local.name`
    Local(String),
    /// A whole block: `machine.docker.here`, `docker_volume.data`
    Object(Address),
    /// `each.key`, `each.value`
    Each,
    /// `count.index`
    Count,
    /// `path.module`, `path.root`, `path.cwd`
    Path,
}

impl Expression {
    pub(crate) fn new(file: &SourceFile, node: Node) -> Self {
        let range = node.span().unwrap_or(0..0);
        let span = Span { file: file.name.clone(), range };
        let mut collector = Collector { file, bound: Vec::new(), found: Vec::new(), faults: Vec::new() };
        collector.expression(&node);
        let (references, faults) = (collector.found.into(), collector.faults.into());
        Expression { file: file.clone(), node: Arc::new(node), span, references, faults }
    }

    /// Where it is written.
    pub fn span(&self) -> &Span {
        &self.span
    }

    /// What it refers to, names bound by its own `for` expressions left out. References that lead nowhere are left out, too:
    /// evaluation reports them.
    pub fn references(&self) -> Vec<Reference> {
        self.references.to_vec()
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
    bound: Vec<String>,
    found: Vec<Reference>,
    faults: Diagnostics,
}

impl Collector<'_> {
    fn expression(&mut self, node: &Node) {
        match node {
            Node::Null(_) | Node::Bool(_) | Node::Number(_) => {}
            Node::String(_) => self.one_line(node.span()),
            Node::Variable(name) => self.name(name.as_str(), node.span()),
            Node::Array(items) => items.iter().for_each(|item| self.expression(item)),
            Node::Object(members) => members.iter().for_each(|(key, value)| {
                if let ObjectKey::Expression(key) = key {
                    self.expression(key);
                }
                self.expression(value.expr());
            }),
            Node::StringTemplate(template) => {
                let literals = template.iter().filter_map(Element::as_literal);
                literals.for_each(|literal| self.one_line(literal.span()));
                self.elements(template.iter());
            }
            Node::HeredocTemplate(heredoc) => self.template(&heredoc.template),
            Node::Parenthesis(inner) => self.expression(inner.inner()),
            Node::Conditional(conditional) => {
                self.expression(&conditional.cond_expr);
                self.expression(&conditional.true_expr);
                self.expression(&conditional.false_expr);
            }
            Node::FuncCall(call) => call.args.iter().for_each(|argument| self.expression(argument)),
            Node::Traversal(traversal) => self.traversal(traversal),
            Node::UnaryOp(operation) => self.expression(&operation.expr),
            Node::BinaryOp(operation) => {
                self.expression(&operation.lhs_expr);
                self.expression(&operation.rhs_expr);
            }
            Node::ForExpr(comprehension) => {
                self.expression(&comprehension.intro.collection_expr);
                let names = comprehension.intro.key_var.iter().chain([&comprehension.intro.value_var]);
                self.within(names.map(|name| name.to_string()).collect(), |this| {
                    comprehension.key_expr.iter().for_each(|key| this.expression(key));
                    this.expression(&comprehension.value_expr);
                    comprehension.cond.iter().for_each(|cond| this.expression(&cond.expr));
                });
            }
        }
    }

    /// Quoted text ends on the line that it begins on.
    fn one_line(&mut self, range: Option<Range<usize>>) {
        let written = range.clone().and_then(|range| self.file.text.get(range)).unwrap_or_default();
        if written.contains('\n') {
            let error = Diagnostic::error("quoted text can't go over several lines").at(&self.place(range));
            self.faults.push(error.hint("write `\\n` for a new line, or a heredoc: `<<EOT`"));
        }
    }

    fn name(&mut self, name: &str, range: Option<Range<usize>>) {
        if self.bound.iter().any(|bound| bound == name) {
            return;
        }
        let roots = self.bound.iter().map(String::as_str).chain(ROOTS);
        let error = Diagnostic::error(format!("`{name}` stands for nothing")).at(&self.place(range));
        let hint = match ROOTS.contains(&name) {
            true => format!("write what stands behind it, as in `{name}.…`"),
            false => nearest(name, roots).unwrap_or_else(|| format!("text stands between quotes: `\"{name}\"`")),
        };
        self.faults.push(error.hint(hint));
    }

    fn place(&self, range: Option<Range<usize>>) -> Span {
        Span { file: self.file.name.clone(), range: range.unwrap_or(0..0) }
    }

    fn within(&mut self, names: Vec<String>, visit: impl FnOnce(&mut Self)) {
        let depth = self.bound.len();
        self.bound.extend(names);
        visit(self);
        self.bound.truncate(depth);
    }

    fn template(&mut self, template: &Template) {
        self.elements(template.iter());
    }

    fn elements<'e>(&mut self, elements: impl Iterator<Item = &'e Element>) {
        for element in elements {
            match element {
                Element::Literal(_) => {}
                Element::Interpolation(interpolation) => self.expression(&interpolation.expr),
                Element::Directive(directive) => self.directive(directive),
            }
        }
    }

    fn directive(&mut self, directive: &Directive) {
        match directive {
            Directive::If(choice) => {
                self.expression(&choice.if_expr.cond_expr);
                self.template(&choice.if_expr.template);
                choice.else_expr.iter().for_each(|other| self.template(&other.template));
            }
            Directive::For(repeat) => {
                self.expression(&repeat.for_expr.collection_expr);
                let names = repeat.for_expr.key_var.iter().chain([&repeat.for_expr.value_var]);
                self.within(names.map(|name| name.to_string()).collect(), |this| {
                    this.template(&repeat.for_expr.template)
                });
            }
        }
    }

    fn traversal(&mut self, traversal: &Traversal) {
        for operator in &traversal.operators {
            if let TraversalOperator::Index(index) = operator.value() {
                self.expression(index);
            }
        }
        self.legacy_indices(&traversal.operators);
        let Node::Variable(root) = &traversal.expr else { return self.expression(&traversal.expr) };
        if self.bound.iter().any(|name| name == root.as_str()) {
            return;
        }
        let span = self.place(traversal.span());
        match target(root.as_str(), &traversal.operators) {
            Some((target, _)) => self.found.push(Reference { target, span }),
            None => self.faults.push(shapeless(root.as_str()).at(&span)),
        }
    }

    /// `list.0.1` reads as a number.
    fn legacy_indices(&mut self, operators: &[Decorated<TraversalOperator>]) {
        let is_legacy =
            |operator: &Decorated<TraversalOperator>| matches!(operator.value(), TraversalOperator::LegacyIndex(_));
        if let Some(pair) = operators.windows(2).find(|pair| pair.iter().all(is_legacy)) {
            let error = Diagnostic::error("two indices can't follow each other so").at(&self.place(pair[1].span()));
            self.faults.push(error.hint("write them in brackets: `[0][1]`"));
        }
    }
}

/// What a root name and the attributes behind it lead to, and how many of the operators that takes.
pub(crate) fn target(root: &str, operators: &[Decorated<TraversalOperator>]) -> Option<(Target, usize)> {
    let name = |place: usize| match operators.get(place).map(|operator| operator.value()) {
        Some(TraversalOperator::GetAttr(name)) => Some(name.to_string()),
        _ => None,
    };
    let object = |block, ty: String, label: String| Target::Object(Address::new(block, ty, label));
    Some(match root {
        "var" => (Target::Variable(name(0)?), 1),
        "local" => (Target::Local(name(0)?), 1),
        "each" => (Target::Each, 0),
        "count" => (Target::Count, 0),
        "path" => (Target::Path, 0),
        "machine" => (object(BlockKind::Machine, name(0)?, name(1)?), 2),
        "data" => (object(BlockKind::Data, name(0)?, name(1)?), 2),
        "pool" => (object(BlockKind::Pool, String::new(), name(0)?), 1),
        "service" => (object(BlockKind::Service, String::new(), name(0)?), 1),
        ty => (object(BlockKind::Resource, ty.to_owned(), name(0)?), 1),
    })
}
