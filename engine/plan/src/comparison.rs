//! Two versions of a configuration beside each other: where what they want of the same state differs.
//!
//! Must not know where versions come from, how a difference is shown, or what would be done about it.

mod images;
mod locked;
mod objects;
mod tally;

use std::collections::BTreeMap;

use bimetal_config::Desired;
use bimetal_config::lock::Lock;
use bimetal_model::placement::Placement;
use bimetal_model::port::Predict;
use bimetal_model::{Address, Path, ProviderKey, Value};

pub use images::{Image, ImageChange};
pub use locked::{LockChange, LockedName, LockedVersion};
pub use tally::{Differences, Differing, differences};

use crate::compare::{Difference, diff, plain, same};
use crate::data::{OutputChange, Plan};

/// One version: what it wants, what that comes to, and what it is made with.
pub struct Version<'v> {
    /// With all modules.
    pub desired: &'v Desired,
    /// To bring the state there; made against the same state as the other one's.
    pub plan: &'v Plan,
    /// Its own.
    pub lock: &'v Lock,
    /// What its providers say.
    pub predict: &'v dyn Predict,
}

/// Where two versions differ. What is the same in both is not in it, whatever the state has.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Machines, resources and replicas, by address.
    pub objects: Vec<Compared>,
    /// By the addresses of services' instances.
    pub images: BTreeMap<Address, ImageChange>,
    /// By name.
    pub outputs: BTreeMap<String, OutputChange>,
    /// Providers and modules, by name.
    pub locked: Vec<LockChange>,
}

/// How an object differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Only the second version wants it.
    Added,
    /// Both want it, with other attributes.
    Changed,
    /// As `Changed`, and what exists can't be made so in place.
    Replaced,
    /// Only its address is another one.
    Moved,
    /// Only the first version wants it.
    Removed,
}

/// One object that differs.
#[derive(Clone, Debug)]
pub struct Compared {
    /// In the second version, where that has it.
    pub address: Address,
    /// In the first version, where `moved` blocks of the second one say so.
    pub moved_from: Option<Address>,
    /// How.
    pub kind: Kind,
    /// Whose.
    pub provider: ProviderKey,
    /// The provider's name for its type.
    pub ty: String,
    /// As the first version wants it, with unknowns.
    pub before: Option<Value>,
    /// As the second version wants it, with unknowns.
    pub after: Option<Value>,
    /// What can't be changed in place.
    pub replace_because: Vec<Path>,
    /// Of a replica: where the first version has it.
    pub placed_before: Option<Box<Placement>>,
    /// Of a replica: where the second version has it.
    pub placed_after: Option<Box<Placement>>,
}

impl Compared {
    /// Where its attributes differ; of what only one version wants: all that are set.
    pub fn differences(&self) -> Vec<Difference> {
        diff(self.before.as_ref().unwrap_or(&Value::NULL), self.after.as_ref().unwrap_or(&Value::NULL))
    }
}

impl Comparison {
    /// Whether both versions want the same, with the same.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.images.is_empty() && self.outputs.is_empty() && self.locked.is_empty()
    }
}

/// Where two versions differ, both planned against the same state.
///
/// Deterministic, and without a difference where both are the same version.
pub fn compare(before: &Version<'_>, after: &Version<'_>) -> Comparison {
    Comparison {
        objects: objects::compared(before, after),
        images: images::compared(before, after),
        outputs: outputs(before.plan, after.plan),
        locked: locked::compared(before.lock, after.lock),
    }
}

fn outputs(before: &Plan, after: &Plan) -> BTreeMap<String, OutputChange> {
    let value = |plan: &Plan, name: &String| plan.outputs.get(name).and_then(|output| output.after.as_ref()).map(plain);
    let change = |name: &String| {
        let (before, after) = (value(before, name), value(after, name));
        let is_same = match (&before, &after) {
            (Some(before), Some(after)) => same(before, after),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        (!is_same).then(|| (name.clone(), OutputChange { before, after, depends_on: Default::default() }))
    };
    before.outputs.keys().chain(after.outputs.keys()).filter_map(change).collect()
}
