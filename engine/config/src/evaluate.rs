//! The evaluator: a function of (expression, scope).
//!
//! Values are borrowed from the scope as long as nothing changes them: a reference into a large object never copies the object.

mod call;
mod choice;
mod collection;
mod operator;
mod scope;
mod template;
mod traversal;

use std::borrow::Cow;
use std::sync::Arc;

use bimetal_model::{Diagnostic, Diagnostics, Number, Span, Value};
use hcl_edit::Span as _;
use hcl_edit::expr::Expression as Node;

use crate::expression::Expression;
use crate::suggest::nearest;

pub(crate) use operator::same;
pub(crate) use scope::Names;
pub use scope::{NoFiles, ReadFiles, Scope};
pub(crate) use traversal::shapeless;

/// The value of an expression.
///
/// Invariant: what is made from something sensitive is sensitive (test: `sensitivity_spreads`).
pub fn evaluate(expression: &Expression, scope: &Scope) -> Result<Value, Diagnostics> {
    if !expression.faults().is_empty() {
        return Err(expression.faults().to_vec());
    }
    let evaluator = Evaluator { file: &expression.file.name, scope, names: &Names::None };
    evaluator.value(&expression.node).map(Cow::into_owned)
}

/// Where an expression is, and what names stand for there.
#[derive(Clone, Copy)]
pub(crate) struct Evaluator<'a> {
    pub(crate) file: &'a Arc<str>,
    pub(crate) scope: &'a Scope,
    pub(crate) names: &'a Names<'a>,
}

pub(crate) type Evaluated<'a> = Result<Cow<'a, Value>, Diagnostics>;

impl<'a> Evaluator<'a> {
    pub(crate) fn value(&self, node: &Node) -> Evaluated<'a> {
        let owned = |value: Value| Ok(Cow::Owned(value));
        match node {
            Node::Null(_) => owned(Value::NULL),
            Node::Bool(value) => owned(Value::from(*value.value())),
            Node::Number(_) => owned(self.number(node)?),
            Node::String(text) => owned(Value::from(text.as_str())),
            Node::Array(items) => owned(self.array(items.iter())?),
            Node::Object(members) => owned(self.object(members)?),
            Node::StringTemplate(template) => self.quoted(template),
            Node::HeredocTemplate(heredoc) => owned(self.heredoc(&heredoc.template)?),
            Node::Parenthesis(inner) => self.value(inner.inner()),
            Node::Variable(name) => self.name(name.as_str(), node),
            Node::Conditional(conditional) => self.conditional(conditional),
            Node::FuncCall(call) => owned(self.call(call, node)?),
            Node::Traversal(traversal) => self.traversal(traversal),
            Node::UnaryOp(operation) => owned(self.unary(operation)?),
            Node::BinaryOp(operation) => owned(self.binary(operation)?),
            Node::ForExpr(comprehension) => owned(self.comprehension(comprehension)?),
        }
    }

    pub(crate) fn span(&self, node: &Node) -> Span {
        Span { file: self.file.clone(), range: node.span().unwrap_or(0..0) }
    }

    pub(crate) fn error(&self, node: &Node, summary: impl Into<String>) -> Diagnostic {
        Diagnostic::error(summary).at(&self.span(node))
    }

    /// The literal digit by digit: no detour over a double.
    fn number(&self, node: &Node) -> Result<Value, Diagnostics> {
        let Node::Number(literal) = node else { unreachable!("called for numbers only") };
        let written = literal.as_repr().map(|repr| repr.to_string());
        let text = written.unwrap_or_else(|| literal.value().to_string()).replace(char::is_whitespace, "");
        text.parse::<Number>().map(Value::from).map_err(|reason| vec![self.error(node, reason)])
    }

    fn name(&self, name: &str, node: &Node) -> Evaluated<'a> {
        if let Some(value) = self.names.find(name) {
            return Ok(Cow::Borrowed(value));
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
pub(crate) const ROOTS: [&str; 9] = ["var", "local", "machine", "pool", "service", "data", "each", "count", "path"];

fn collect<T>(results: impl Iterator<Item = Result<T, Diagnostics>>) -> Result<Vec<T>, Diagnostics> {
    let (mut values, mut diagnostics) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(errors) => diagnostics.extend(errors),
        }
    }
    if diagnostics.is_empty() { Ok(values) } else { Err(diagnostics) }
}
