//! Files of tests.

mod mock;
mod options;
mod run;

use std::collections::BTreeMap;

use bimetal_model::{Diagnostic, Diagnostics, ProviderKey, ProviderName, Span};
use bimetal_syntax::{self as syntax, Item};

use super::Parser;
use crate::expression::Expression;
use crate::module::*;
use crate::shape::parse_suite_tree;
use crate::suggest::nearest_or_all;
use crate::suite::*;

/// The words that blocks begin with; `shape` says how each is written in JSON.
pub(crate) const WORDS: [&str; 7] =
    ["variables", "run", "provider", "mock_provider", "override_resource", "override_data", "override_module"];

/// Parses a file of tests. What is wrong is reported, the rest is there all the same.
pub fn parse_suite(file: &SourceFile) -> (Suite, Diagnostics) {
    let module = Module { files: vec![file.clone()], ..Module::default() };
    let mut parser = Parser::new(module, "");
    let mut suite = Suite {
        file: file.clone(),
        mock_files: Vec::new(),
        variables: Attributes::new(),
        providers: BTreeMap::new(),
        mocks: BTreeMap::new(),
        overrides: Vec::new(),
        runs: Vec::new(),
    };
    let (body, errors) = parse_suite_tree(file);
    parser.diagnostics.extend(errors);
    for item in body.items {
        match item {
            Item::Attribute(attribute) => parser.outside(file, &attribute, "put it into a block, as `variables { … }`"),
            Item::Block(block) => {
                if let Some(block) = parser.suite_block(file, block) {
                    parser.declare_test(block, &mut suite);
                }
            }
        }
    }
    suite.providers = std::mem::take(&mut parser.module.providers);
    (suite, parser.diagnostics)
}

impl Parser<'_> {
    fn outside(&mut self, file: &SourceFile, attribute: &syntax::Attribute, hint: &str) {
        let name = &attribute.name;
        let error = Diagnostic::error(format!("`{}` stands outside of any block", name.text));
        self.diagnostics.push(error.at(&file.span(name.place)).hint(hint));
    }

    fn suite_block(&mut self, file: &SourceFile, block: syntax::Block) -> Option<NestedBody> {
        let word = block.word.text.to_string();
        let (wanted, example) = match word.as_str() {
            "run" => (1, "write `run \"<name>\" { … }`"),
            "provider" | "mock_provider" => (1, "the label is the name of the provider"),
            word if WORDS.contains(&word) => (0, "there is nothing between the word and its `{`"),
            other => {
                let hint = nearest_or_all(other, WORDS, "block");
                let error = Diagnostic::error(format!("no block of tests is called `{other}`"));
                self.diagnostics.push(error.at(&file.span(block.header())).hint(hint));
                return None;
            }
        };
        let block = self.labelled(file, block, wanted, || example.to_owned())?;
        self.faults(&block.body);
        Some(block)
    }

    /// What is wrong with expressions whatever their names stand for.
    fn faults(&mut self, body: &Body) {
        let faults = body.attributes.iter().filter(|(name, _)| !is_word(name)).map(|(_, attribute)| attribute);
        self.diagnostics.extend(faults.flat_map(|attribute| attribute.expression.faults()).cloned());
        body.blocks.iter().for_each(|block| self.faults(&block.body));
    }

    fn declare_test(&mut self, block: NestedBody, suite: &mut Suite) {
        let NestedBody { name: word, labels, mut body, span } = block;
        match word.as_str() {
            "variables" if self.first("the block `variables`".to_owned(), &span) => {
                self.no_blocks(&body, "variables");
                suite.variables = body.attributes;
            }
            "variables" => {}
            "run" if self.first(format!("run `{}`", labels[0]), &span) => {
                let run = self.run(&labels[0], body, span);
                suite.runs.push(run);
            }
            "run" => {}
            "provider" => self.provider(&labels[0], &mut body, span),
            "mock_provider" => self.mock_provider(&labels[0], body, span, suite),
            _ => suite.overrides.extend(self.overriding(&word, body, span)),
        }
    }

    fn mock_provider(&mut self, name: &str, mut body: Body, span: Span, suite: &mut Suite) {
        let alias = body.attributes.remove("alias").and_then(|attribute| self.literal(&attribute.expression));
        let key = ProviderKey { name: ProviderName(name.to_owned()), alias };
        if self.first(format!("provider `{key}`"), &span) {
            let mock = self.mock(body, span);
            suite.mocks.insert(key, mock);
        }
    }

    /// `plan` or `apply`, which stand for nothing else.
    fn phase(&mut self, body: &mut Body, name: &str) -> Option<Phase> {
        let expression = body.attributes.remove(name)?.expression;
        match word(&expression) {
            Some("plan") => Some(Phase::Plan),
            Some("apply") => Some(Phase::Apply),
            _ => {
                let error = Diagnostic::error(format!("`{name}` is `plan` or `apply`")).at(expression.span());
                self.diagnostics.push(error);
                None
            }
        }
    }
}

/// Arguments that are words or addresses, and are never evaluated.
fn is_word(name: &str) -> bool {
    matches!(name, "command" | "mode" | "override_during" | "target" | "replace" | "providers" | "expect_failures")
}

/// A name that stands alone.
fn word(expression: &Expression) -> Option<&str> {
    match &expression.node.kind {
        syntax::Kind::Name(name) => Some(name),
        _ => None,
    }
}
