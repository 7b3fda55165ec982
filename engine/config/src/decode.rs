//! A block's body to a value of its schema's type.

use std::collections::BTreeMap;

use bimetal_model::convert::convert;
use bimetal_model::schema::{Attribute, Block, NestedBlock};
use bimetal_model::{Data, Diagnostic, Diagnostics, Span, Value};

use crate::evaluate::{Scope, evaluate};
use crate::expression::Expression;
use crate::module::{Body, NestedBody};
use crate::suggest::nearest_or_all;

/// The body as a value of the schema's type: every attribute there, `null` where unset.
///
/// What is wrong is reported, all of it; the value then has `null` in that place.
pub fn decode(body: &Body, block: &Block, scope: &Scope) -> (Value, Diagnostics) {
    let mut diagnostics = Vec::new();
    let value = decode_body(body, block, scope, &mut diagnostics);
    (value, diagnostics)
}

fn decode_body(body: &Body, block: &Block, scope: &Scope, diagnostics: &mut Diagnostics) -> Value {
    report_unknown(body, block, diagnostics);
    let mut object = BTreeMap::new();
    for (name, attribute) in &block.attributes {
        let value = match body.attributes.get(name) {
            Some(written) => {
                attribute_value(name, attribute, &written.expression, &written.name_span, scope, diagnostics)
            }
            None => {
                if attribute.required {
                    let error = Diagnostic::error(format!("the argument `{name}` is missing")).at(&body.span);
                    diagnostics.push(error.hint(format!("add `{name} = …`{}", described(attribute))));
                }
                Value::NULL
            }
        };
        object.insert(name.clone(), value);
    }
    for (name, nested) in &block.blocks {
        object.insert(name.clone(), nested_value(name, nested, body, scope, diagnostics));
    }
    Data::Object(object.into()).into()
}

fn attribute_value(
    name: &str,
    attribute: &Attribute,
    expression: &Expression,
    name_span: &Span,
    scope: &Scope,
    diagnostics: &mut Diagnostics,
) -> Value {
    if attribute.read_only {
        let error = Diagnostic::error(format!("`{name}` is the provider's to fill in")).at(name_span);
        diagnostics.push(error.hint("remove it"));
        return Value::NULL;
    }
    let value = match evaluate(expression, scope) {
        Ok(value) => value,
        Err(errors) => {
            diagnostics.extend(errors);
            return Value::NULL;
        }
    };
    if value.is_null() && attribute.required {
        let error = Diagnostic::error(format!("`{name}` must have a value, and this is `null`"));
        diagnostics.push(error.at(expression.span()));
    }
    match convert(value, &attribute.ty) {
        Ok(value) => {
            let hidden = (attribute.sensitive
                || attribute.credential == Some(bimetal_model::schema::Credential::Value))
                && !value.is_null();
            value.with_sensitivity(hidden)
        }
        Err(mismatch) => {
            let place = if mismatch.path.0.is_empty() {
                String::new()
            } else {
                format!(" (at `{name}{}`)", index_text(&mismatch.path))
            };
            let error = Diagnostic::error(format!("`{name}` does not take this{place}")).because(mismatch.reason);
            diagnostics.push(error.at(expression.span()));
            Value::NULL
        }
    }
}

/// A path behind a name: `[0].host`.
fn index_text(path: &bimetal_model::Path) -> String {
    let text = path.to_string();
    if text.starts_with('[') { text } else { format!(".{text}") }
}

fn nested_value(name: &str, nested: &NestedBlock, body: &Body, scope: &Scope, diagnostics: &mut Diagnostics) -> Value {
    let written: Vec<&NestedBody> = body.blocks.iter().filter(|block| block.name == name).collect();
    for labelled in written.iter().filter(|block| !block.labels.is_empty()) {
        diagnostics.push(Diagnostic::error(format!("`{name}` takes no labels")).at(&labelled.span));
    }
    if written.is_empty() && nested.required {
        let error = Diagnostic::error(format!("a `{name}` block is missing")).at(&body.span);
        diagnostics.push(error.hint(format!("add `{name} {{ … }}`")));
    }
    let mut values =
        written.iter().map(|block| decode_body(&block.body, &nested.block, scope, diagnostics)).collect::<Vec<_>>();
    match nested.single {
        false => Data::List(values.into()).into(),
        true => {
            if let Some(second) = written.get(1) {
                diagnostics.push(Diagnostic::error(format!("there can be one `{name}` block only")).at(&second.span));
            }
            values.drain(..).next().unwrap_or(Value::NULL)
        }
    }
}

fn report_unknown(body: &Body, block: &Block, diagnostics: &mut Diagnostics) {
    let names: Vec<&str> = block.attributes.keys().chain(block.blocks.keys()).map(String::as_str).collect();
    for (name, attribute) in &body.attributes {
        if block.blocks.contains_key(name) {
            let error = Diagnostic::error(format!("`{name}` is a block")).at(&attribute.name_span);
            diagnostics.push(error.hint(format!("write `{name} {{ … }}`, without `=`")));
        } else if !block.attributes.contains_key(name) {
            let error = Diagnostic::error(format!("no argument is called `{name}` here")).at(&attribute.name_span);
            diagnostics.push(error.hint(nearest_or_all(name, names.clone(), "argument")));
        }
    }
    for nested in body.blocks.iter().filter(|nested| !block.blocks.contains_key(&nested.name)) {
        let name = &nested.name;
        let error = Diagnostic::error(format!("no block is called `{name}` here")).at(&nested.span);
        let hint = match block.attributes.contains_key(name) {
            true => format!("`{name}` is an argument: write `{name} = …`"),
            false => nearest_or_all(name, names.clone(), "block"),
        };
        diagnostics.push(error.hint(hint));
    }
}

fn described(attribute: &Attribute) -> String {
    match attribute.description.is_empty() {
        true => String::new(),
        false => format!(" ({})", attribute.description.trim_end_matches('.')),
    }
}
