//! The blocks in a body, written out, made by `dynamic`, or left as arguments by JSON.

use bimetal_model::schema::NestedBlock;
use bimetal_model::{Bounds, Data, Diagnostic, Diagnostics, Refinement, Span, Value};

use super::decode_body;
use super::dynamic::{Made, made};
use super::json::in_json;
use crate::evaluate::Scope;
use crate::module::{Body, NestedBody};

/// The blocks of one word: a list, or one where there can be one only. Unknown where it is not known how many there are.
pub(super) fn nested_value(
    name: &str,
    nested: &NestedBlock,
    body: &Body,
    scope: &Scope,
    diagnostics: &mut Diagnostics,
) -> Value {
    let written = written(name, nested, body, scope, diagnostics);
    let is_known = written.iter().all(|found| found.value.is_some());
    if written.is_empty() && nested.required {
        let error = Diagnostic::error(format!("a `{name}` block is missing")).at(&body.span);
        diagnostics.push(error.hint(format!("add `{name} {{ … }}`")));
    }
    if nested.single
        && let Some(second) = written.get(1)
    {
        diagnostics.push(Diagnostic::error(format!("there can be one `{name}` block only")).at(&second.span));
    }
    let mut values = written.into_iter().filter_map(|found| found.value);
    match (is_known, nested.single) {
        (false, true) => Value::unknown(nested.ty()),
        (false, false) => {
            let least = Some(values.count() as u64);
            Value::refined(nested.ty(), Refinement::of_lengths(Bounds { least, most: None }))
        }
        (true, false) => Data::List(values.collect::<Vec<_>>().into()).into(),
        (true, true) => values.next().unwrap_or(Value::NULL),
    }
}

/// A block, or several of which it is not known how many they are.
struct Found {
    value: Option<Value>,
    span: Span,
}

/// All of one word, in their order.
fn written(name: &str, nested: &NestedBlock, body: &Body, scope: &Scope, diagnostics: &mut Diagnostics) -> Vec<Found> {
    let mut written = Vec::new();
    for block in in_json(name, body, scope, diagnostics).iter().chain(&body.blocks) {
        if block.name == name {
            written.push(one(block, nested, scope, diagnostics));
        } else if is_dynamic(block, name) {
            let span = &block.span;
            let found = |made: Made| Found { value: made, span: span.clone() };
            written.extend(made(block, nested, scope, diagnostics).into_iter().map(found));
        }
    }
    written
}

fn one(block: &NestedBody, nested: &NestedBlock, scope: &Scope, diagnostics: &mut Diagnostics) -> Found {
    if !block.labels.is_empty() {
        diagnostics.push(Diagnostic::error(format!("`{}` takes no labels", block.name)).at(&block.span));
    }
    let value = decode_body(&block.body, &nested.block, scope, diagnostics);
    Found { value: Some(value), span: block.span.clone() }
}

/// Whether it makes blocks of this word.
pub(super) fn is_dynamic(block: &NestedBody, word: &str) -> bool {
    block.name == "dynamic" && matches!(&block.labels[..], [label] if label == word)
}
