//! Asks providers what exists now.
//!
//! Changes nothing, neither in the world nor in state: what became of intents is answered, and `apply` records it.

mod answer;
mod drift;
mod group;
mod marks;
mod probe;
mod read;
mod upgrade;

use bimetal_model::Diagnostics;
use bimetal_model::event::Notify;
use bimetal_model::port::{Operate, Predict};
use bimetal_model::question::Observed;
use bimetal_model::snapshot::Snapshot;

pub use answer::answer;

/// How many calls of providers run at the same time.
const CALLS: usize = 32;

/// What exists: everything in the snapshot is read, and unfinished creations are probed.
///
/// What is remembered is brought to its schema's present version first. What could not be read stays as state remembers
/// it, and there is an error that says so, or its machine is among `Observed::silent`.
pub async fn refresh(
    snapshot: &Snapshot,
    predict: &dyn Predict,
    operate: &dyn Operate,
    notify: &dyn Notify,
) -> (Observed, Diagnostics) {
    let mut observed = remembered(snapshot);
    let outdated = upgrade::all(&mut observed, predict);
    let unreadable = outdated.iter().map(|(address, _)| address.clone()).collect();
    let mut diagnostics: Diagnostics = outdated.into_iter().flat_map(|(_, said)| said).collect();
    diagnostics.extend(read::read_all(&mut observed, &unreadable, predict, operate, notify).await);
    diagnostics.extend(probe::resolve(&snapshot.intents, &mut observed, predict, operate).await);
    (observed, diagnostics)
}

/// What exists as far as state remembers; only unfinished creations are probed.
pub async fn believe(snapshot: &Snapshot, predict: &dyn Predict, operate: &dyn Operate) -> (Observed, Diagnostics) {
    let mut observed = remembered(snapshot);
    let outdated = upgrade::all(&mut observed, predict);
    let mut diagnostics: Diagnostics = outdated.into_iter().flat_map(|(_, said)| said).collect();
    diagnostics.extend(probe::resolve(&snapshot.intents, &mut observed, predict, operate).await);
    (observed, diagnostics)
}

fn remembered(snapshot: &Snapshot) -> Observed {
    Observed {
        lineage: snapshot.lineage.clone(),
        serial: snapshot.serial,
        objects: snapshot.objects.clone(),
        outputs: snapshot.outputs.clone(),
        ..Observed::default()
    }
}
