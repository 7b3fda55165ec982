//! Files that change what other files declare: `override.bm.hcl`, `production_override.bm.hcl`.

use bimetal_model::Diagnostic;

use super::{Parser, example};
use crate::module::*;

/// Whether a file's blocks change those of other files.
pub(super) fn is_one(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or_default();
    let stem = file.strip_suffix(".bm.hcl").or_else(|| file.strip_suffix(".bm.json")).unwrap_or_default();
    stem == "override" || stem.ends_with("_override")
}

impl Parser<'_> {
    /// Puts what a block says into the one of the same name.
    pub(super) fn override_with(&mut self, blocks: &mut [NestedBody], by: NestedBody) {
        if let Some(depends_on) = by.body.attributes.get("depends_on") {
            let error = Diagnostic::error("`depends_on` can't be overridden").at(&depends_on.name_span);
            return self.diagnostics.push(error.hint("write it in the block itself"));
        }
        match by.name.as_str() {
            "locals" => self.override_locals(blocks, by),
            "moved" | "removed" | "import" => {
                self.not_there(&by, &format!("`{}` has no name to be overridden by", by.name))
            }
            "bimetal" => match blocks.iter_mut().find(|block| block.name == "bimetal") {
                Some(block) => override_settings(&mut block.body, by.body),
                None => self.not_there(&by, "there is no `bimetal` block to override"),
            },
            _ => match blocks.iter_mut().find(|block| is_same(block, &by)) {
                Some(block) => override_body(&mut block.body, by.body),
                None => {
                    let labels: String = by.labels.iter().map(|label| format!(" \"{label}\"")).collect();
                    self.not_there(&by, &format!("there is no `{}{labels}` to override", by.name));
                }
            },
        }
    }

    fn override_locals(&mut self, blocks: &mut [NestedBody], by: NestedBody) {
        for (name, attribute) in by.body.attributes {
            let locals = blocks.iter_mut().filter(|block| block.name == "locals");
            match locals.flat_map(|block| block.body.attributes.get_mut(&name)).next() {
                Some(overridden) => *overridden = attribute,
                None => {
                    let error = Diagnostic::error(format!("there is no local `{name}` to override"));
                    self.diagnostics
                        .push(error.at(&attribute.name_span).hint("declare it in a file that overrides nothing"));
                }
            }
        }
    }

    fn not_there(&mut self, by: &NestedBody, summary: &str) {
        let error = Diagnostic::error(summary).at(&by.span);
        self.diagnostics.push(error.hint(format!("{} in a file that overrides nothing", example(&by.name))));
    }
}

/// Provider blocks are told apart by their `alias`, too.
fn is_same(block: &NestedBody, by: &NestedBody) -> bool {
    let alias = |block: &NestedBody| block.body.attributes.get("alias").map(|alias| format!("{:?}", alias.expression));
    block.name == by.name && block.labels == by.labels && (by.name != "provider" || alias(block) == alias(by))
}

/// Arguments take the place of those of the same name, nested blocks that of all of their word; what `lifecycle` holds is put into the
/// one that is there.
fn override_body(body: &mut Body, by: Body) {
    // JSON leaves blocks among the arguments.
    body.attributes.retain(|name, _| !by.blocks.iter().any(|by| word(by) == name));
    body.blocks.retain(|block| !by.attributes.contains_key(word(block)));
    body.attributes.extend(by.attributes);
    let (lifecycle, others): (Vec<_>, Vec<_>) = by.blocks.into_iter().partition(|block| block.name == "lifecycle");
    body.blocks.retain(|block| !others.iter().any(|by| word(by) == word(block)));
    for by in lifecycle {
        match body.blocks.iter_mut().find(|block| block.name == "lifecycle") {
            Some(block) => override_body(&mut block.body, by.body),
            None => body.blocks.push(by),
        }
    }
    body.blocks.extend(others);
}

/// The word of the blocks that this is one of, or makes.
fn word(block: &NestedBody) -> &str {
    match (block.name.as_str(), block.labels.first()) {
        ("dynamic", Some(word)) => word,
        (name, _) => name,
    }
}

/// `required_providers` one by one, all else as it is.
fn override_settings(body: &mut Body, by: Body) {
    let (providers, others): (Vec<_>, Vec<_>) =
        by.blocks.into_iter().partition(|block| block.name == "required_providers");
    for by in providers {
        match body.blocks.iter_mut().find(|block| block.name == "required_providers") {
            Some(block) => block.body.attributes.extend(by.body.attributes),
            None => body.blocks.push(by),
        }
    }
    override_body(body, Body { blocks: others, ..by });
}
