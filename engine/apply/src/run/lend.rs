//! What is ephemeral is opened when the first step needs it. Whoever began the run closes it.

use std::collections::BTreeSet;

use bimetal_config::Desired;
use bimetal_model::port::Refusal;
use bimetal_model::question::Inquiry;
use bimetal_model::{Address, BlockKind, Diagnostic, Value};

use super::Run;
use crate::graph::Step;

/// Where the configuration has nothing ephemeral nobody need look for it.
pub(super) fn none_open(desired: &Desired) -> Option<BTreeSet<Address>> {
    let is_any = desired.module.objects.keys().any(|address| address.block == BlockKind::Ephemeral);
    is_any.then(BTreeSet::new)
}

impl Run<'_> {
    /// Opens what a step, or its provider, is worked out of.
    pub(super) async fn open(&mut self, step: Step) -> Result<(), Refusal> {
        let Some(opened) = self.opened.clone() else { return Ok(()) };
        let change = &self.plan.changes[step.change];
        let makers = change.before.iter().map(|before| &before.provider);
        let providers: Vec<_> = makers.chain([&change.provider]).collect();
        let needed = bimetal_plan::ephemerals_of(self.desired, &change.address, &providers, &self.values);
        for block in needed.into_iter().filter(|block| !opened.contains(block)) {
            let values = self.open_block(&block).await?;
            self.existing.put_opened(self.desired, &block, values.clone());
            self.values.put_opened(self.desired, &block, values);
            self.opened.get_or_insert_default().insert(block);
        }
        Ok(())
    }

    async fn open_block(&self, block: &Address) -> Result<Vec<(Address, Value)>, Refusal> {
        let mut values = Vec::new();
        for Inquiry { address, provider, ty, config } in bimetal_plan::to_open(self.desired, block, &self.values)? {
            if !config.is_wholly_known() {
                let error = Diagnostic::error(format!("`{address}` can't be opened"));
                return Err(vec![error.because("some of its arguments are not known").of(&address)].into());
            }
            self.preparing().configure(&provider, &self.values)?;
            let opened = self.ports.lend.open(&provider, &ty, &address, &config).await?;
            bimetal_plan::after(self.desired, &address, &opened.value, &self.values)?;
            values.push((address, opened.value));
        }
        Ok(values)
    }
}
