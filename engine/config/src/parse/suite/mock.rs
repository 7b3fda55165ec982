//! Providers that only say what they would do, and values that stand for what would be made.

use std::collections::BTreeMap;

use bimetal_model::{BlockKind, Diagnostic, Span};

use super::Parser;
use crate::module::*;
use crate::suggest::nearest_or_all;
use crate::suite::*;

/// What stands in `mock_provider`.
const BLOCKS: [&str; 6] =
    ["mock_machine", "mock_resource", "mock_data", "override_resource", "override_data", "override_module"];

impl Parser<'_> {
    pub(super) fn mock(&mut self, mut body: Body, span: Span) -> Mock {
        let during = self.phase(&mut body, "override_during").unwrap_or(Phase::Apply);
        self.unsupported(&body, &["alias", "override_during"]);
        let (resources, data) = (BTreeMap::new(), BTreeMap::new());
        let mut mock = Mock { machine: None, resources, data, overrides: Vec::new(), span };
        for block in std::mem::take(&mut body.blocks) {
            let labels = usize::from(matches!(block.name.as_str(), "mock_resource" | "mock_data"));
            match (block.name.as_str(), &block.labels[..]) {
                (word, found) if BLOCKS.contains(&word) && found.len() != labels => {
                    let error = format!("`{word}` takes {labels} labels, here are {}", found.len());
                    let hint = if labels == 1 { "the label is the type" } else { "take them out" };
                    self.diagnostics.push(Diagnostic::error(error).at(&block.span).hint(hint));
                }
                ("mock_machine", _) => self.mock_machine(block, during, &mut mock.machine),
                ("mock_resource", _) => self.mock_type(block, during, &mut mock.resources),
                ("mock_data", _) => self.mock_type(block, during, &mut mock.data),
                (word, _) if BLOCKS.contains(&word) => {
                    mock.overrides.extend(self.overriding(&block.name, block.body, block.span));
                }
                (word, _) => {
                    let error = Diagnostic::error(format!("`{word}` does not belong into `mock_provider`"));
                    self.diagnostics.push(error.at(&block.span).hint(nearest_or_all(word, BLOCKS, "block")));
                }
            }
        }
        mock
    }

    fn mock_machine(&mut self, block: NestedBody, during: Phase, place: &mut Option<Defaults>) {
        match place {
            Some(_) => self.twice("`mock_machine`", &block.span),
            None => *place = Some(self.defaults(block, during)),
        }
    }

    fn mock_type(&mut self, block: NestedBody, during: Phase, types: &mut BTreeMap<String, Defaults>) {
        let (ty, word) = (block.labels[0].clone(), block.name.clone());
        match types.contains_key(&ty) {
            true => self.twice(&format!("`{word} \"{ty}\"`"), &block.span),
            false => drop(types.insert(ty, self.defaults(block, during))),
        }
    }

    fn twice(&mut self, what: &str, span: &Span) {
        self.diagnostics.push(Diagnostic::error(format!("{what} is there twice")).at(span).hint("remove one of them"));
    }

    fn defaults(&mut self, block: NestedBody, during: Phase) -> Defaults {
        let NestedBody { name, mut body, span, .. } = block;
        let during = self.phase(&mut body, "override_during").unwrap_or(during);
        self.unsupported(&body, &["defaults", "override_during"]);
        self.no_blocks(&body, &name);
        let values = body.attributes.remove("defaults").map(|attribute| attribute.expression);
        Defaults { values, during, span }
    }

    /// `override_resource`, `override_data` or `override_module`.
    pub(super) fn overriding(&mut self, word: &str, mut body: Body, span: Span) -> Option<Override> {
        let during = self.phase(&mut body, "override_during").unwrap_or(Phase::Apply);
        self.no_blocks(&body, word);
        let values = if word == "override_module" { "outputs" } else { "values" };
        self.unsupported(&body, &["target", "override_during", values]);
        let target = self.point(&body, "target")?;
        let example = match (word, &target) {
            ("override_module", Point::Module(_)) => None,
            ("override_module", Point::Object(_)) => Some("module.net"),
            ("override_data", Point::Object(address)) if address.block == BlockKind::Data => None,
            ("override_data", _) => Some("data.docker_engine.here"),
            (_, Point::Object(address)) if !matches!(address.block, BlockKind::Data | BlockKind::Pool) => None,
            _ => Some("docker_volume.data"),
        };
        if let Some(example) = example {
            let error = Diagnostic::error(format!("`{target}` is nothing that `{word}` could stand for")).at(&span);
            self.diagnostics.push(error.hint(format!("write `target = {example}`")));
            return None;
        }
        let values = body.attributes.remove(values).map(|attribute| attribute.expression);
        Some(Override { target, values, during, span })
    }
}
