//! What all names stand for as things are now, for whoever asks.

use bimetal_config::{Desired, Scope};
use bimetal_model::Diagnostics;
use bimetal_model::port::Predict;
use bimetal_model::snapshot::Objects;

use crate::needs;
use crate::values::Values;

/// Everything that can be named: variables, what state remembers, and what follows from these. What can't be worked out is
/// unknown, and said.
pub fn existing(desired: &Desired, objects: &Objects, predict: &dyn Predict) -> (Scope, Diagnostics) {
    let (mut values, mut diagnostics) = Values::of_existing(desired, objects, predict);
    let present = objects.iter().filter(|(address, _)| address.deposed.is_none());
    present.filter_map(|(_, stored)| stored.placement.as_deref()).for_each(|placement| values.place(placement));
    let (scope, said) = everything(desired, values);
    diagnostics.extend(said);
    (scope, diagnostics)
}

/// Everything that can be named, where objects have these values. What can't be worked out is unknown, and said.
pub fn everything(desired: &Desired, mut values: Values) -> (Scope, Diagnostics) {
    let mut diagnostics = Diagnostics::new();
    for node in desired.order.iter().filter(|node| needs::is_derived(node)) {
        if let Err(errors) = values.derive(desired, node) {
            diagnostics.extend(errors);
            values.put_unknown(node);
        }
    }
    (values.scope, diagnostics)
}
