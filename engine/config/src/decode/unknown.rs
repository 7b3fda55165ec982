//! What a body holds and its schema does not know.

use bimetal_model::schema::Block;
use bimetal_model::{Diagnostic, Diagnostics};

use crate::module::{Body, NestedBody};
use crate::shape::is_json;
use crate::suggest::nearest_or_all;

pub(super) fn report_unknown(body: &Body, block: &Block, diagnostics: &mut Diagnostics) {
    let names: Vec<&str> = block.attributes.keys().chain(block.blocks.keys()).map(String::as_str).collect();
    for (name, attribute) in &body.attributes {
        if block.blocks.contains_key(name) {
            if !is_json(&attribute.expression.file) {
                let error = Diagnostic::error(format!("`{name}` is a block")).at(&attribute.name_span);
                diagnostics.push(error.hint(format!("write `{name} {{ … }}`, without `=`")));
            }
        } else if !block.attributes.contains_key(name) {
            let error = Diagnostic::error(format!("no argument is called `{name}` here")).at(&attribute.name_span);
            diagnostics.push(error.hint(nearest_or_all(name, names.clone(), "argument")));
        }
    }
    for nested in &body.blocks {
        let Some(word) = word(nested, diagnostics).filter(|word| !block.blocks.contains_key(*word)) else { continue };
        let error = Diagnostic::error(format!("no block is called `{word}` here")).at(&nested.span);
        let hint = match block.attributes.contains_key(word) {
            true if nested.name == "dynamic" => {
                format!("`{word}` is an argument: write `{word} = [for value in … : …]`")
            }
            true => format!("`{word}` is an argument: write `{word} = …`"),
            false => nearest_or_all(word, names.clone(), "block"),
        };
        diagnostics.push(error.hint(hint));
    }
}

/// Which block it is, or which it makes.
fn word<'b>(nested: &'b NestedBody, diagnostics: &mut Diagnostics) -> Option<&'b str> {
    match (nested.name.as_str(), &nested.labels[..]) {
        ("dynamic", [label]) => Some(label),
        ("dynamic", labels) => {
            let error = Diagnostic::error(format!("`dynamic` takes one label, here are {}", labels.len()));
            diagnostics.push(error.at(&nested.span).hint("it says which blocks are made: `dynamic \"port\" { … }`"));
            None
        }
        (name, _) => Some(name),
    }
}
