//! What a file's providers, mocks and overrides come to in one run.

use std::collections::BTreeMap;

use bimetal_model::{Diagnostic, Diagnostics, ProviderKey};

use super::{Mock, Override, Run, Suite};
use crate::module::{Attributes, Body, ProviderBlock};

/// What stands for what in one run.
#[derive(Clone, Debug)]
pub struct InForce<'s> {
    /// By the names under test. Those of mocks have no arguments.
    pub providers: BTreeMap<ProviderKey, ProviderBlock>,
    /// By the names under test.
    pub mocks: BTreeMap<ProviderKey, &'s Mock>,
    /// A later one wins.
    pub overrides: Vec<&'s Override>,
}

impl Suite {
    /// What stands for what in a run. Where that does not choose, each name means itself.
    pub fn in_force<'s>(&'s self, run: &'s Run) -> Result<InForce<'s>, Diagnostics> {
        let chosen = match &run.providers {
            Some(chosen) => chosen.clone(),
            None => self.providers.keys().chain(self.mocks.keys()).map(|key| (key.clone(), key.clone())).collect(),
        };
        let (mut providers, mut mocks, mut unknown) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        for (inside, outside) in chosen {
            let block = match (self.providers.get(&outside), self.mocks.get(&outside)) {
                (Some(block), _) => block.clone(),
                (None, Some(mock)) => {
                    mocks.insert(inside.clone(), mock);
                    mock.as_block(&outside)
                }
                (None, None) => {
                    unknown.push(self.no_provider(run, &outside));
                    continue;
                }
            };
            providers.insert(inside.clone(), ProviderBlock { key: inside, ..block });
        }
        let of_mocks = mocks.values().flat_map(|mock| &mock.overrides);
        let overrides = of_mocks.chain(&self.overrides).chain(&run.overrides).collect();
        if unknown.is_empty() { Ok(InForce { providers, mocks, overrides }) } else { Err(unknown) }
    }

    fn no_provider(&self, run: &Run, key: &ProviderKey) -> Diagnostic {
        let known: Vec<String> = self.providers.keys().chain(self.mocks.keys()).map(ToString::to_string).collect();
        let hint = crate::nearest_or_all(&key.to_string(), known.iter().map(String::as_str), "provider in the file");
        Diagnostic::error(format!("the file has no provider `{key}`")).at(&run.span).hint(hint)
    }
}

impl Mock {
    /// Nothing is asked of it: its arguments don't matter.
    fn as_block(&self, key: &ProviderKey) -> ProviderBlock {
        let body = Body { attributes: Attributes::new(), blocks: Vec::new(), span: self.span.clone() };
        ProviderBlock { key: key.clone(), body, span: self.span.clone() }
    }
}
