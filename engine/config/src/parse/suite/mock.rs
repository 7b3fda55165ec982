//! Providers that only say what they would do, and values that stand for what would be made.

use std::collections::BTreeMap;

use bimetal_model::{BlockKind, Diagnostic, Diagnostics, Span};
use bimetal_syntax::Item;

use super::Parser;
use crate::module::*;
use crate::shape::parse_mock_tree;
use crate::suggest::nearest_or_all;
use crate::suite::*;

/// What stands in `mock_provider`.
const BLOCKS: [&str; 6] =
    ["mock_machine", "mock_resource", "mock_data", "override_resource", "override_data", "override_module"];

impl Mock {
    /// Takes in what the files of its source say. What it says itself is stronger.
    pub fn read(&mut self, files: &[SourceFile]) -> Diagnostics {
        let mut parser = Parser::new(Module { files: files.to_vec(), ..Module::default() }, "");
        let mut other = Mock {
            source: None,
            machine: None,
            resources: BTreeMap::new(),
            data: BTreeMap::new(),
            overrides: Vec::new(),
            ..self.clone()
        };
        let blocks = files.iter().flat_map(|file| parser.mock_file(file, &self.span)).collect();
        parser.mock_blocks(blocks, &mut other);
        self.machine = self.machine.take().or(other.machine);
        for (types, others) in [(&mut self.resources, other.resources), (&mut self.data, other.data)] {
            for (ty, defaults) in others {
                types.entry(ty).or_insert(defaults);
            }
        }
        // Of several that are about the same object the first one counts.
        self.overrides.extend(other.overrides);
        parser.diagnostics
    }
}

impl Parser<'_> {
    fn mock_file(&mut self, file: &SourceFile, span: &Span) -> Vec<NestedBody> {
        let (mut tree, errors) = parse_mock_tree(file);
        self.diagnostics.extend(errors);
        let hint = "put it into a block, as `mock_resource \"<type>\" { … }`";
        for item in tree.items.extract_if(.., |item| matches!(item, Item::Attribute(_))) {
            if let Item::Attribute(attribute) = item {
                self.outside(file, &attribute, hint);
            }
        }
        let body = self.body(file, tree, span, &[]);
        self.faults(&body);
        body.blocks
    }

    pub(super) fn mock(&mut self, mut body: Body, span: Span) -> Mock {
        let during = self.phase(&mut body, "override_during").unwrap_or(Phase::Apply);
        self.unsupported(&body, &["alias", "override_during", "source"]);
        let source = body.attributes.remove("source").and_then(|source| self.folder(&source.expression));
        let (resources, data) = (BTreeMap::new(), BTreeMap::new());
        let mut mock = Mock { source, during, machine: None, resources, data, overrides: Vec::new(), span };
        self.mock_blocks(body.blocks, &mut mock);
        mock
    }

    /// What stands between its braces, or in files.
    fn mock_blocks(&mut self, blocks: Vec<NestedBody>, mock: &mut Mock) {
        let during = mock.during;
        for block in blocks {
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
            (_, Point::Object(address))
                if !matches!(address.block, BlockKind::Data | BlockKind::Pool | BlockKind::Ephemeral) =>
            {
                None
            }
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
