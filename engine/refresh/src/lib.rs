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

use std::collections::BTreeSet;

use bimetal_model::event::Notify;
use bimetal_model::port::{Lend, Operate, Predict};
use bimetal_model::question::Observed;
use bimetal_model::snapshot::{Intent, Snapshot};
use bimetal_model::{Address, Diagnostic, Diagnostics};

pub use answer::{answer, answer_offline, answer_open};

/// How providers are asked.
pub struct Calls<'a> {
    /// What they say of themselves.
    pub predict: &'a dyn Predict,
    /// What they say of the world.
    pub operate: &'a dyn Operate,
    /// Hears of each call.
    pub notify: &'a dyn Notify,
    /// Opens what is ephemeral.
    pub lend: &'a dyn Lend,
    /// How many calls run at the same time, at most.
    pub parallelism: usize,
}

impl Calls<'_> {
    /// As many as there are when nobody says otherwise.
    pub const PARALLELISM: usize = 32;

    fn at_once(&self) -> usize {
        self.parallelism.max(1)
    }
}

/// What exists: what the snapshot has of `only` is read (all of it, where there is no `only`), and unfinished creations are probed.
///
/// What is remembered is brought to its schema's present version first. What was not or could not be read stays as state
/// remembers it; of what could not be, there is an error that says so, or its machine is among `Observed::silent`.
pub async fn refresh(
    snapshot: &Snapshot,
    only: Option<&BTreeSet<Address>>,
    calls: &Calls<'_>,
) -> (Observed, Diagnostics) {
    let mut observed = remembered(snapshot);
    let outdated = upgrade::all(&mut observed, calls.predict);
    let unreadable: BTreeSet<Address> = outdated.iter().map(|(address, _)| address.clone()).collect();
    let is_read = |address: &Address| only.is_none_or(|only| only.contains(address)) && !unreadable.contains(address);
    let mut diagnostics: Diagnostics = outdated.into_iter().flat_map(|(_, said)| said).collect();
    diagnostics.extend(read::read_all(&mut observed, is_read, calls).await);
    diagnostics.extend(probe::resolve(&intents(snapshot, only), &mut observed, calls).await);
    (observed, diagnostics)
}

/// What exists as far as state remembers; only unfinished creations are probed.
pub async fn believe(
    snapshot: &Snapshot,
    only: Option<&BTreeSet<Address>>,
    calls: &Calls<'_>,
) -> (Observed, Diagnostics) {
    let (mut observed, mut diagnostics) = recall(snapshot, calls.predict);
    diagnostics.extend(probe::resolve(&intents(snapshot, only), &mut observed, calls).await);
    (observed, diagnostics)
}

/// What exists as far as state remembers, where nobody may be asked: what an interrupted run left is an error.
pub fn remember(snapshot: &Snapshot, predict: &dyn Predict) -> (Observed, Diagnostics) {
    let (observed, mut diagnostics) = recall(snapshot, predict);
    diagnostics.extend(snapshot.intents.iter().map(|intent| {
        Diagnostic::error(format!("what became of `{}` is not known offline", intent.address))
            .because("an interrupted run began to change it")
            .hint("plan without `-offline`, or apply, once: then it is known")
            .of(&intent.address)
    }));
    (observed, diagnostics)
}

/// Those that are not about something that is left out, nor on a machine that is: that one might not answer.
fn intents(snapshot: &Snapshot, only: Option<&BTreeSet<Address>>) -> Vec<Intent> {
    let is_out =
        |address: &Address| only.is_some_and(|only| snapshot.objects.contains_key(address) && !only.contains(address));
    let on_one = |intent: &Intent| intent.placement.as_ref().is_some_and(|placement| is_out(&placement.machine));
    snapshot.intents.iter().filter(|intent| !is_out(&intent.address) && !on_one(intent)).cloned().collect()
}

fn recall(snapshot: &Snapshot, predict: &dyn Predict) -> (Observed, Diagnostics) {
    let mut observed = remembered(snapshot);
    let outdated = upgrade::all(&mut observed, predict);
    (observed, outdated.into_iter().flat_map(|(_, said)| said).collect())
}

fn remembered(snapshot: &Snapshot) -> Observed {
    Observed {
        lineage: snapshot.lineage.clone(),
        objects: snapshot.objects.clone(),
        outputs: snapshot.outputs.clone(),
        ..Observed::default()
    }
}
