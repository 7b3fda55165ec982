//! A block's body to a value of its schema's type.

mod dynamic;
mod json;
mod nested;
mod unknown;

use std::collections::BTreeMap;

use bimetal_model::convert::convert;
use bimetal_model::schema::{Attribute, Block};
use bimetal_model::{Data, Diagnostic, Diagnostics, Span, Value};

use crate::evaluate::{Scope, evaluate};
use crate::explain::explain;
use crate::expression::Expression;
use crate::module::Body;
use nested::nested_value;
use unknown::report_unknown;

/// The body as a value of the schema's type: every attribute there, `null` where unset.
///
/// What is wrong is reported, all of it; the value then has `null` in that place.
pub fn decode(body: &Body, block: &Block, scope: &Scope) -> (Value, Diagnostics) {
    let mut diagnostics = Vec::new();
    let value = decode_body(body, block, scope, &mut diagnostics);
    (value, diagnostics)
}

/// As [`decode`], of what is stored: nothing in it may be ephemeral, but for what is write-only.
pub fn decode_stored(body: &Body, block: &Block, scope: &Scope) -> (Value, Diagnostics) {
    let (value, mut diagnostics) = decode(body, block, scope);
    let stored = block.without_write_only(value.clone());
    for (name, member) in stored.as_members().into_iter().flat_map(|members| members.iter()) {
        if member.has_ephemeral() {
            let nested = body.blocks.iter().find(|nested| nested.name == *name).map(|nested| &nested.span);
            let span = body.attributes.get(name).map(|attribute| attribute.expression.span()).or(nested);
            let error = Diagnostic::error(format!("`{name}` is stored, and this is ephemeral"));
            let error = error.hint(
                "what is ephemeral may stand in provider blocks, in what is write-only, and in what is not stored",
            );
            diagnostics.push(error.at(span.unwrap_or(&body.span)));
        }
    }
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
            diagnostics.push(explain(error.at(expression.span()), expression, scope));
            Value::NULL
        }
    }
}

/// A path behind a name: `[0].host`.
fn index_text(path: &bimetal_model::Path) -> String {
    let text = path.to_string();
    if text.starts_with('[') { text } else { format!(".{text}") }
}

fn described(attribute: &Attribute) -> String {
    match attribute.description.is_empty() {
        true => String::new(),
        false => format!(" ({})", attribute.description.trim_end_matches('.')),
    }
}
