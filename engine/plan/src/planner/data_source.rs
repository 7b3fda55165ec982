//! Data sources: read while planning where that is possible.

use std::collections::BTreeSet;

use bimetal_config::Node;
use bimetal_config::module::ObjectBlock;
use bimetal_model::port::Refusal;
use bimetal_model::question::{Inquiry, Question};
use bimetal_model::{Address, Diagnostic, Severity, Type, Value};

use super::Planner;
use crate::catalogue::Owner;
use crate::data::{Action, Change};
use crate::ephemeral::read_value;
use crate::place::placed;
use crate::reason::Reason;
use crate::untold::untold;

/// After what it is read, and why.
pub(super) struct Later {
    pub(super) depends_on: BTreeSet<Address>,
    pub(super) reason: Reason,
}

impl Planner<'_> {
    /// Reads all instances of a data source, or plans to.
    pub(super) fn plan_data(&mut self, address: &Address) -> Option<()> {
        let block = self.desired.module.objects.get(address)?;
        let owner = self.owner_of(block)?;
        // Whoever needs what it says needs what it needs, also when it is removed, and there is nothing of it to remove.
        let (mut behind, mut is_complete) = (BTreeSet::new(), true);
        for (instance, config) in self.configs(block, &owner)? {
            let address = block.address.instance(instance.key.clone());
            let depends_on = self.depends_on(block, &instance, &owner);
            behind.extend(depends_on.iter().cloned());
            let Some(reason) = self.why_later(block, &owner, &config) else {
                if let Some(why) = self.why_deferred_data(block, &address) {
                    behind.insert(address.clone());
                    self.put_off(address, &owner, config, Later { depends_on, reason: Reason::Deferred { why } });
                    continue;
                }
                match self.read_now(&address, block, &owner, config) {
                    Some(value) => {
                        self.values.put(&address, value.clone());
                        self.check_after(&address, &value);
                    }
                    None => is_complete = false,
                }
                continue;
            };
            behind.insert(address.clone());
            self.read_later(address, &owner, config, Later { depends_on, reason });
        }
        self.behind.is(Node::Object(address.clone()), behind);
        is_complete.then_some(())
    }

    /// Why it can't be read while planning, if it can't. `depends_on` something that changes: what is read now would
    /// be old news.
    pub(super) fn why_later(&self, block: &ObjectBlock, owner: &Owner, config: &Value) -> Option<Reason> {
        if !config.is_wholly_known() {
            return Some(Reason::ArgumentsUnknown);
        }
        if !self.is_configured(&owner.provider) {
            return Some(Reason::ProviderUnknown);
        }
        let nodes: Vec<Node> = block.depends_on.objects.iter().cloned().map(Node::Object).collect();
        let behind = self.behind.of(&nodes);
        let stays = |change: &Change| matches!(change.action, Action::Keep | Action::Leave);
        let changes = |address| self.changes.get(address).is_some_and(|change| !stays(change));
        behind.iter().any(changes).then_some(Reason::DependencyChanges)
    }

    /// Why its provider can't answer yet, where it said so. Nothing waits for what is read for a check.
    fn why_deferred_data(&self, block: &ObjectBlock, address: &Address) -> Option<String> {
        match self.answers.data.get(address) {
            Some(Err(Refusal::Deferred(why))) if block.check.is_none() => Some(why.clone()),
            Some(Err(Refusal::Deferred(_) | Refusal::Failed(_)) | Ok(_)) | None => None,
        }
    }

    /// What can't be read for a check is a warning, and unknown.
    fn read_now(&mut self, address: &Address, block: &ObjectBlock, owner: &Owner, config: Value) -> Option<Value> {
        let (provider, ty) = (owner.provider.clone(), owner.ty.clone());
        let inquiry = Inquiry { address: address.clone(), provider, ty, config };
        let Some(answer) = self.answers.data.get(address) else {
            self.questions.push(Question::Data(inquiry));
            return None;
        };
        let answer = answer.clone().map_err(Refusal::diagnostics);
        let answer = answer.and_then(|value| read_value(&inquiry, &owner.schema.block, value));
        if let (Err(said), Some(_)) = (&answer, &block.check) {
            let warning = |said: &Diagnostic| Diagnostic { severity: Severity::Warning, ..said.clone() }.of(address);
            self.note(said.iter().map(warning));
            return Some(Value::unknown(Type::Any));
        }
        let answer = answer.map_err(|said| said.into_iter().map(|error| placed(error, block)).collect());
        let value = self.noted(answer)?;
        self.facts.insert(address.clone(), value.clone());
        Some(value)
    }

    fn read_later(&mut self, address: Address, owner: &Owner, config: Value, later: Later) {
        let change = Planner::reading(address, owner, config, later);
        self.take_reading(self.leave(change));
    }

    pub(super) fn put_off(&mut self, address: Address, owner: &Owner, config: Value, later: Later) {
        let change = Planner::reading(address, owner, config, later);
        self.take_reading(Change { action: Action::Leave, ..change });
    }

    fn take_reading(&mut self, change: Change) {
        self.defers |= change.is_deferred();
        self.values.put(&change.address, change.after.clone().unwrap_or(Value::NULL));
        self.changes.insert(change.address.clone(), Box::new(change));
    }

    fn reading(address: Address, owner: &Owner, config: Value, later: Later) -> Change {
        let after = untold(&owner.schema.block, &config);
        Change {
            deposed: None,
            address,
            provider: owner.provider.clone(),
            ty: owner.ty.clone(),
            action: Action::Read,
            before: None,
            after: Some(after),
            config: Some(config),
            private: Vec::new(),
            replace_because: Vec::new(),
            reason: Some(later.reason),
            resume: None,
            depends_on: later.depends_on.into_iter().collect(),
            after_removal_of: Vec::new(),
            placement: None,
            prevent_destroy: false,
        }
    }
}
