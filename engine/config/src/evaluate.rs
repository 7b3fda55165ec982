//! The evaluator: a function of (expression, scope).
//!
//! Values are borrowed from the scope as long as nothing changes them: a reference into a large object never copies the object.

mod bounds;
mod call;
mod choice;
mod collection;
mod operator;
mod place;
mod provided;
mod scope;
mod template;
mod traversal;

use std::borrow::Cow;

use bimetal_model::{Diagnostic, Diagnostics, Span, Value};
use bimetal_syntax::{Kind, Node, Place, SourceFile};

use crate::explain::explain;
use crate::expression::Expression;
use crate::module::Home;
use crate::suggest::nearest;

pub(crate) use operator::same;
pub use scope::{Acting, Moment, Outside, ReadFiles, Scope};
pub(crate) use scope::{Names, Template};
pub(crate) use traversal::shapeless;

/// The value of an expression.
///
/// Invariant: what is made from something sensitive is sensitive (test: `sensitivity_spreads`).
pub fn evaluate(expression: &Expression, scope: &Scope) -> Result<Value, Diagnostics> {
    let explained = |errors: Diagnostics| errors.into_iter().map(|error| explain(error, expression, scope)).collect();
    attempt(expression, scope).map_err(explained)
}

/// As [`evaluate`], and what the names stand for isn't said.
pub(crate) fn attempt(expression: &Expression, scope: &Scope) -> Result<Value, Diagnostics> {
    if !expression.faults().is_empty() {
        return Err(expression.faults().to_vec());
    }
    evaluated(expression, scope, &Names::Iterators(&scope.iterators))
}

/// The value of an expression in which nothing stands for anything, and no functions are called.
pub(crate) fn literal(expression: &Expression, scope: &Scope) -> Result<Value, Diagnostics> {
    evaluated(expression, scope, &Names::Nothing)
}

/// What is wrong with the names in an expression, whether it comes to them or not.
pub(crate) fn undeclared(expression: &Expression, scope: &Scope) -> Diagnostics {
    let names = Names::Iterators(&scope.iterators);
    let evaluator = Evaluator { file: &expression.file, home: expression.home(), scope, names: &names };
    let references = expression.references();
    references.into_iter().filter_map(|reference| evaluator.undeclared(&reference)).collect()
}

fn evaluated(expression: &Expression, scope: &Scope, names: &Names<'_>) -> Result<Value, Diagnostics> {
    let evaluator = Evaluator { file: &expression.file, home: expression.home(), scope, names };
    evaluator.value(&expression.node).map(Cow::into_owned)
}

/// Where an expression is, and what names stand for there.
#[derive(Clone, Copy)]
pub(crate) struct Evaluator<'a> {
    pub(crate) file: &'a SourceFile,
    pub(crate) home: &'a Home,
    pub(crate) scope: &'a Scope,
    pub(crate) names: &'a Names<'a>,
}

pub(crate) type Evaluated<'a> = Result<Cow<'a, Value>, Diagnostics>;

impl<'a> Evaluator<'a> {
    pub(crate) fn value(&self, node: &Node) -> Evaluated<'a> {
        match &node.kind {
            Kind::Null => Ok(Cow::Owned(Value::NULL)),
            Kind::Bool(value) => Ok(Cow::Owned(Value::from(*value))),
            Kind::Number(number) => Ok(Cow::Owned(Value::from((**number).clone()))),
            Kind::Text(text) => Ok(Cow::Owned(Value::from(&**text))),
            Kind::Name(name) => self.name(name, node),
            _ => bimetal_syntax::deeply(|| self.compound(node)),
        }
    }

    /// What has parts.
    fn compound(&self, node: &Node) -> Evaluated<'a> {
        let owned = |value: Value| Ok(Cow::Owned(value));
        // What puts values together may make more of them than there is memory for.
        let sized = |value: Value| match crate::size::check(&value) {
            Ok(()) => Ok(Cow::Owned(value)),
            Err(reason) => Err(vec![self.error(node, reason)]),
        };
        match &node.kind {
            Kind::Template(parts) => self.template(parts),
            Kind::Tuple(items) => sized(self.array(items.iter())?),
            Kind::Object(members) => sized(self.object(members)?),
            Kind::Parentheses(inner) => self.value(inner),
            Kind::Traversal(traversal) => self.traversal(traversal, node.place),
            Kind::Call(call) => sized(self.call(call, node)?),
            Kind::Conditional(conditional) => self.conditional(conditional),
            Kind::Unary(operation) => owned(self.unary(operation, node)?),
            Kind::Binary(operation) => owned(self.binary(operation, node)?),
            Kind::For(comprehension) => sized(self.comprehension(comprehension)?),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Name(_) => {
                unreachable!("these have no parts")
            }
        }
    }

    pub(crate) fn span(&self, node: &Node) -> Span {
        self.file.span(node.place)
    }

    pub(crate) fn error_at(&self, place: Place, summary: impl Into<String>) -> Diagnostic {
        Diagnostic::error(summary).at(&self.file.span(place))
    }

    pub(crate) fn error(&self, node: &Node, summary: impl Into<String>) -> Diagnostic {
        Diagnostic::error(summary).at(&self.span(node))
    }

    fn name(&self, name: &str, node: &Node) -> Evaluated<'a> {
        if let Some(value) = self.names.find(name) {
            return Ok(Cow::Borrowed(value));
        }
        if let Names::Nothing = self.names.outermost() {
            return Err(vec![traversal::nothing_stands_here().at(&self.span(node))]);
        }
        let mut known = self.names.all();
        if !self.names.is_closed() {
            known.extend(ROOTS);
        }
        let error = self.error(node, format!("`{name}` stands for nothing"));
        let hint = nearest(name, known).unwrap_or_else(|| format!("text stands between quotes: `\"{name}\"`"));
        Err(vec![error.hint(hint)])
    }
}

/// The words that references begin with.
pub(crate) const ROOTS: [&str; 13] = [
    "var",
    "local",
    "module",
    "machine",
    "pool",
    "service",
    "data",
    "ephemeral",
    "each",
    "count",
    "path",
    "bimetal",
    "self",
];

pub(crate) fn collect<T>(results: impl Iterator<Item = Result<T, Diagnostics>>) -> Result<Vec<T>, Diagnostics> {
    let (mut values, mut diagnostics) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(errors) => diagnostics.extend(errors),
        }
    }
    if diagnostics.is_empty() { Ok(values) } else { Err(diagnostics) }
}
