//! What all names stand for as things are now, for whoever asks.

use std::collections::BTreeSet;

use bimetal_config::module::Repetition;
use bimetal_config::{Desired, Node, Scope};
use bimetal_model::port::Predict;
use bimetal_model::snapshot::Objects;
use bimetal_model::{Address, Diagnostics};

use crate::evaluator::is_provided;
use crate::needs;
use crate::values::Values;

/// Everything that can be named: variables, what state remembers, and what follows from these. What can't be worked out is
/// unknown, and said.
pub fn existing(desired: &Desired, objects: &Objects, predict: &dyn Predict) -> (Scope, Diagnostics) {
    let (mut values, mut diagnostics) = Values::of_existing(desired, objects, predict);
    let present = objects.iter().filter(|(address, _)| address.deposed.is_none());
    present.filter_map(|(_, stored)| stored.placement.as_deref()).for_each(|placement| values.place(placement));
    let there: BTreeSet<Address> = objects.keys().map(Address::whole).collect();
    let absent = desired.module.objects.values().filter(|block| {
        is_provided(block.address.block)
            && !matches!(block.repetition, Repetition::Once)
            && !there.contains(&block.address)
    });
    let absent = absent.map(|block| &block.address).collect();
    let (scope, said) = with_unknown(desired, values, &absent);
    diagnostics.extend(said);
    (scope, diagnostics)
}

/// Everything that can be named, where objects have these values. What can't be worked out is unknown, and said.
pub fn everything(desired: &Desired, values: Values) -> (Scope, Diagnostics) {
    with_unknown(desired, values, &BTreeSet::new())
}

/// Blocks of which nothing exists are unknown, unless they have no instances at all.
fn with_unknown(desired: &Desired, mut values: Values, absent: &BTreeSet<&Address>) -> (Scope, Diagnostics) {
    let (mut diagnostics, mut unknown) = (Diagnostics::new(), BTreeSet::new());
    for node in desired.order.iter() {
        if let Node::Object(address) = node
            && absent.contains(address)
            && let Some(block) = desired.module.objects.get(address)
        {
            let instances = bimetal_config::expand(&block.repetition, &values.scope);
            if !instances.is_ok_and(|instances| instances.is_empty()) {
                values.put_unknown(node);
                unknown.insert(node);
            }
            continue;
        }
        if !needs::is_derived(node) {
            continue;
        }
        if let Err(errors) = values.derive(desired, node) {
            let mut direct = desired.dependencies.get(node).into_iter().flatten();
            // What does not exist yet is no mistake.
            if direct.any(|other| unknown.contains(other)) {
                unknown.insert(node);
            } else {
                diagnostics.extend(errors);
            }
            values.put_unknown(node);
        }
    }
    (values.scope, diagnostics)
}
