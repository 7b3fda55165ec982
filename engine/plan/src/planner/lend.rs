//! What is ephemeral: opened while planning where that is possible, unknown until apply where it is not.

use std::collections::BTreeSet;

use bimetal_config::Node;
use bimetal_config::module::ObjectBlock;
use bimetal_model::port::Refusal;
use bimetal_model::question::{Inquiry, Question};
use bimetal_model::{Address, Diagnostic, Severity, Value};

use super::Planner;
use crate::catalogue::Owner;
use crate::ephemeral::closed;
use crate::place::placed;

impl Planner<'_> {
    /// Opens all instances of something ephemeral. Whoever refers to it needs what it needs.
    pub(super) fn open_all(&mut self, address: &Address) -> Option<()> {
        let block = self.desired.module.objects.get(address)?;
        let owner = self.owner_of(block)?;
        let (mut behind, mut is_complete) = (BTreeSet::new(), true);
        self.values.put_nothing(block);
        for (instance, config) in self.configs(block, &owner)? {
            let address = block.address.instance(instance.key.clone());
            behind.extend(self.depends_on(block, &instance, &owner));
            match self.opened(&address, block, &owner, config) {
                Some(value) => {
                    self.values.put(&address, value.clone());
                    self.check_after(&address, &value);
                }
                None => is_complete = false,
            }
        }
        self.behind.is(Node::Object(address.clone()), behind);
        is_complete.then_some(())
    }

    /// `None`: there are errors, or it has to be opened first.
    fn opened(&mut self, address: &Address, block: &ObjectBlock, owner: &Owner, config: Value) -> Option<Value> {
        let unknown = || Some(closed(&owner.schema.block));
        if self.why_later(block, owner, &config).is_some() {
            return unknown();
        }
        match self.answers.opened.get(address).cloned() {
            Some(Ok(value)) => Some(value),
            Some(Err(Refusal::Deferred(why))) => {
                let warning = Diagnostic::warning(format!("`{address}` can't be opened yet")).because(why);
                self.note([placed(Diagnostic { severity: Severity::Warning, ..warning.of(address) }, block)]);
                unknown()
            }
            Some(Err(Refusal::Failed(said))) => {
                self.note(said.into_iter().map(|one| placed(one.of(address), block)));
                None
            }
            None => {
                let (address, provider, ty) = (address.clone(), owner.provider.clone(), owner.ty.clone());
                self.questions.push(Question::Open(Inquiry { address, provider, ty, config }));
                None
            }
        }
    }
}
