//! `dynamic "block" { for_each, iterator, content { … } }`: a block for each of something.

use std::sync::Arc;

use bimetal_model::schema::NestedBlock;
use bimetal_model::{Data, Diagnostic, Diagnostics, Type, Value};
use bimetal_syntax::Kind;

use super::decode_body;
use crate::evaluate::{Scope, evaluate};
use crate::expression::Expression;
use crate::module::NestedBody;
use crate::suggest::nearest;

/// A block; none stands for all that there may be, as long as that is not known.
pub(super) type Made = Option<Value>;

/// The blocks that a `dynamic` block with one label makes. What is wrong in all of them is said once.
pub(super) fn made(
    block: &NestedBody,
    nested: &NestedBlock,
    scope: &Scope,
    diagnostics: &mut Diagnostics,
) -> Vec<Made> {
    let before = diagnostics.len();
    report_unknown(block, diagnostics);
    let content = content(block, diagnostics);
    let iterator = iterator(block, diagnostics);
    let pairs = pairs(block, scope, diagnostics);
    let (Some(content), Some(pairs)) = (content, pairs) else { return Vec::new() };
    let decode = |key: Value, value: Value, diagnostics: &mut Diagnostics| {
        let mut scope = scope.clone();
        let pair = [("key", key), ("value", value)].into_iter().collect();
        Arc::make_mut(&mut scope.iterators).insert(iterator.clone(), pair);
        let mut said = Vec::new();
        let value = decode_body(&content.body, &nested.block, &scope, &mut said);
        said.retain(|diagnostic| !diagnostics[before..].contains(diagnostic));
        diagnostics.extend(said);
        value
    };
    match pairs {
        Pairs::Known(pairs) => pairs.into_iter().map(|(key, value)| Some(decode(key, value, diagnostics))).collect(),
        Pairs::Unknown => {
            decode(Value::unknown(Type::Any), Value::unknown(Type::Any), diagnostics);
            vec![None]
        }
    }
}

/// What is gone through.
enum Pairs {
    Known(Vec<(Value, Value)>),
    Unknown,
}

fn pairs(block: &NestedBody, scope: &Scope, diagnostics: &mut Diagnostics) -> Option<Pairs> {
    let Some(written) = block.body.attributes.get("for_each") else {
        let error = Diagnostic::error("the argument `for_each` is missing").at(&block.span);
        diagnostics.push(error.hint("add `for_each = …`: a block is made for each of its elements"));
        return None;
    };
    match evaluate(&written.expression, scope).and_then(|value| elements(value, &written.expression)) {
        Ok(pairs) => Some(pairs),
        Err(errors) => {
            diagnostics.extend(errors);
            None
        }
    }
}

fn elements(value: Value, expression: &Expression) -> Result<Pairs, Diagnostics> {
    let error = |summary: String| Diagnostic::error(summary).at(expression.span());
    let (ty, keyed) = (value.ty(), |(key, value): (String, Value)| (Value::from(key), value));
    match value.data {
        _ if value.marks.hide() => {
            let hint = "a plan shows how many blocks there are: `nonsensitive(…)` says that it may";
            Err(vec![error("`for_each` is sensitive".to_owned()).hint(hint)])
        }
        Data::Null(_) => Err(vec![error("`for_each` can't be `null`".to_owned()).hint("use `[]` for none")]),
        Data::Unknown(
            Type::Any | Type::List(_) | Type::Set(_) | Type::Map(_) | Type::Tuple(_) | Type::Object(_),
            _,
        ) => Ok(Pairs::Unknown),
        Data::Set(_) if value.has_open_length() => Ok(Pairs::Unknown),
        Data::List(items) | Data::Tuple(items) => {
            let indices = (0_u64..).map(Value::from);
            Ok(Pairs::Known(indices.zip(items).collect()))
        }
        Data::Set(items) => Ok(Pairs::Known(items.into_iter().map(|item| (item.clone(), item)).collect())),
        Data::Map(members) | Data::Object(members) => Ok(Pairs::Known(members.into_iter().map(keyed).collect())),
        Data::Unknown(..) | Data::Bool(_) | Data::Number(_) | Data::String(_) | Data::Handle(_) => {
            let error = error(format!("`for_each` takes a list, a set, a map or an object, not a {ty}"));
            Err(vec![error.hint("`[…]` makes a list of a single value")])
        }
    }
}

/// The name that stands for what is gone through: the block's own, unless another is written.
fn iterator(block: &NestedBody, diagnostics: &mut Diagnostics) -> String {
    let own = block.labels.first().cloned().unwrap_or_default();
    let Some(written) = block.body.attributes.get("iterator") else { return own };
    match &written.expression.node.kind {
        Kind::Name(name) => name.to_string(),
        _ => {
            let error = Diagnostic::error("`iterator` is a name").at(written.expression.span());
            diagnostics.push(error.hint(format!("write `iterator = {own}`, without quotes")));
            own
        }
    }
}

fn content<'b>(block: &'b NestedBody, diagnostics: &mut Diagnostics) -> Option<&'b NestedBody> {
    let mut contents = block.body.blocks.iter().filter(|inner| inner.name == "content");
    let first = contents.next();
    if first.is_none() {
        let error = Diagnostic::error("a `content` block is missing").at(&block.span);
        diagnostics.push(error.hint("add `content { … }`: what is in each of the blocks"));
    }
    if let Some(second) = contents.next() {
        diagnostics.push(Diagnostic::error("there can be one `content` block only").at(&second.span));
    }
    if let Some(labelled) = first.filter(|content| !content.labels.is_empty()) {
        diagnostics.push(Diagnostic::error("`content` takes no labels").at(&labelled.span));
    }
    first
}

fn report_unknown(block: &NestedBody, diagnostics: &mut Diagnostics) {
    let word = block.labels.first().map_or("", String::as_str);
    for (name, attribute) in &block.body.attributes {
        let error = match name.as_str() {
            "for_each" | "iterator" => continue,
            "labels" => Diagnostic::error(format!("`{word}` takes no labels")).hint("remove it"),
            _ => {
                let hint = nearest(name, ["for_each", "iterator"]);
                let hint = hint.unwrap_or_else(|| "what the blocks hold belongs into `content { … }`".to_owned());
                Diagnostic::error(format!("no argument is called `{name}` here")).hint(hint)
            }
        };
        diagnostics.push(error.at(&attribute.name_span));
    }
    for inner in block.body.blocks.iter().filter(|inner| inner.name != "content") {
        let error = Diagnostic::error(format!("`{}` does not belong into `dynamic`", inner.name)).at(&inner.span);
        diagnostics.push(error.hint("put it into `content { … }`"));
    }
}
