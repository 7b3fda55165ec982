//! Blocks that are left out as a whole: they are what exists of them, and nobody asks what they should be.

use std::collections::BTreeSet;

use bimetal_config::Node;
use bimetal_config::module::{ObjectBlock, Repetition};
use bimetal_model::{Address, BlockKind, Data, Members, Type, Value};

use super::Planner;
use crate::evaluator::is_provided;
use crate::prior::current;
use crate::{needs, pool, service};

impl Planner<'_> {
    /// Whether a block is left out, or rests on one that is. A pool stays, with the machines that are left.
    pub(super) fn is_left_out(&self, address: &Address) -> bool {
        if self.options.excludes.is_empty() {
            return false;
        }
        let Some(block) = self.desired.module.objects.get(address) else { return false };
        if self.options.excludes_all_of(address) {
            return true;
        }
        let pool_is_out = |node: &Node| matches!(node, Node::Object(pool) if pool.block == BlockKind::Pool && self.options.excludes_all_of(pool));
        let mut needs = needs::of_arguments(&self.desired.module, block);
        needs.extend(needs::of_repetition(&self.desired.module, &block.repetition));
        let owner = is_provided(address.block).then(|| self.values.catalogue.owner(block).ok()).flatten();
        needs.extend(owner.map(|owner| Node::Provider(owner.provider)));
        let direct = self.desired.dependencies.get(&Node::Object(address.clone()));
        let rests_on_one = || !self.behind.of(&needs).is_disjoint(&self.excluded);
        match address.block {
            BlockKind::Pool => false,
            BlockKind::Service => {
                rests_on_one() || direct.into_iter().flatten().any(pool_is_out) || self.lost_all_machines(block)
            }
            BlockKind::Machine | BlockKind::Resource | BlockKind::Data | BlockKind::Ephemeral => rests_on_one(),
        }
    }

    /// Whether nothing is left of a service's pool because of what is left out.
    fn lost_all_machines(&self, block: &ObjectBlock) -> bool {
        let node = Node::Object(block.address.clone());
        let behind = self.behind.of(self.desired.dependencies.get(&node).into_iter().flatten());
        let pool = service::pool(block, &self.values.scope);
        let has_place = |pool: &Value| pool::members(pool).keys().any(|machine| !self.excluded.contains(machine));
        !behind.is_disjoint(&self.excluded) && pool.is_ok_and(|pool| !has_place(&pool))
    }

    /// Takes a block as what exists of it.
    pub(super) fn leave_out(&mut self, address: &Address) {
        let Some(block) = self.desired.module.objects.get(address) else { return };
        let observed = self.observed;
        let existing = observed.objects.iter().filter(|(other, _)| other.whole() == *address);
        let mut behind: BTreeSet<Address> = [address.clone()].into();
        self.values.put_unknown(&Node::Object(address.clone()));
        if is_provided(address.block) {
            self.values.put_nothing(block);
            if matches!(block.repetition, Repetition::Once) {
                self.values.put(address, self.unmade(block));
            }
        }
        for (other, stored) in existing {
            behind.insert(other.clone());
            if let Some(placement) = &stored.placement {
                self.claim_existing(placement, stored);
            }
            let schema = self.values.catalogue.managed(&stored.provider, &stored.ty);
            let present = schema.and_then(|schema| current(other, stored, schema, self.predict).ok());
            self.values.put(other, present.unwrap_or_else(|| stored.clone()).object.value.clone());
        }
        self.excluded.extend(behind.iter().cloned());
        self.behind.is(Node::Object(address.clone()), behind);
    }

    /// Something of which nothing is known, but of which type it is.
    fn unmade(&self, block: &ObjectBlock) -> Value {
        let Ok(owner) = self.values.catalogue.owner(block) else { return Value::unknown(Type::Any) };
        let attributes = owner.schema.block.attributes.iter();
        let attributes = attributes.map(|(name, attribute)| (name.clone(), Value::unknown(attribute.ty.clone())));
        let blocks = owner.schema.block.blocks.keys().map(|name| (name.clone(), Value::unknown(Type::Any)));
        Data::Object(attributes.chain(blocks).collect::<Members>()).into()
    }

    /// Whether nothing may be placed on a machine: its block is left out, or it is deferred, and it does not exist.
    pub(super) fn is_no_place(&self, machine: &Address) -> bool {
        let is_deferred = || self.changes.get(machine).is_some_and(|change| change.is_deferred());
        let is_out = self.excluded.contains(machine) || is_deferred();
        is_out && !self.observed.objects.contains_key(machine)
    }
}
