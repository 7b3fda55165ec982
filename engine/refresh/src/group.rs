//! Which objects one call is about: of one provider and type, and on one machine, so that a dead one fails alone.

use std::collections::BTreeMap;
use std::sync::Arc;

use bimetal_model::placement::{Placement, engine_of};
use bimetal_model::port::Predict;
use bimetal_model::question::{Drift, Observed};
use bimetal_model::schema::Role;
use bimetal_model::snapshot::{Intent, Stored};
use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, ProviderKey, Value};

/// How many objects one call is about, at most.
const MOST: usize = 50;

/// What the objects of one call have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group {
    pub(crate) provider: ProviderKey,
    pub(crate) ty: String,
    /// Where they are, if they are on a machine's engine.
    machine: Option<Address>,
    /// The one object that it is about, where each speaks for itself.
    alone: Option<Address>,
}

impl Group {
    /// Of what an interrupted creation may have left.
    pub(crate) fn of_intent(intent: &Intent, engines: &Engines) -> Group {
        let machine = engines.machine_of(intent.placement.as_deref(), &intent.config);
        Group { provider: intent.provider.clone(), ty: intent.ty.clone(), machine, alone: None }
    }

    /// Of what is remembered. Machines that are made one by one are asked themselves: one that is slow or dead must not
    /// hold up the others. Where many are made in one call there is an API that knows all of them.
    pub(crate) fn of(address: &Address, stored: &Stored, engines: &Engines, predict: &dyn Predict) -> Group {
        let schema = predict.schema(&stored.provider.name).ok();
        let ty = schema.as_ref().and_then(|schema| schema.managed.get(&stored.ty));
        let speaks_for_itself = ty.is_some_and(|ty| ty.role == Some(Role::Machine) && ty.batch == 1);
        let machine = match is_machine(address) {
            true => None,
            false => engines.machine_of(stored.placement.as_deref(), &stored.object.value),
        };
        let alone = speaks_for_itself.then(|| address.clone());
        Group { provider: stored.provider.clone(), ty: stored.ty.clone(), machine, alone }
    }

    /// The machine that is silent where so many of so many calls failed: one that speaks for itself, or that none of what
    /// is on it could be read of.
    pub(crate) fn silent(&self, failed: usize, asked: usize) -> Option<&Address> {
        self.alone.as_ref().or(self.machine.as_ref()).filter(|_| failed == asked)
    }

    /// The machine that they are on.
    pub(crate) fn machine(&self) -> Option<&Address> {
        self.machine.as_ref()
    }

    /// Whether reading has told that the machine does not exist any more.
    pub(crate) fn is_gone(&self, observed: &Observed) -> bool {
        let gone = |machine: &Address| {
            let tells = |drift: &Drift| drift.address == *machine && drift.after.is_none();
            observed.drift.iter().any(tells)
        };
        self.machine.as_ref().is_some_and(gone)
    }

    /// What to say where the calls of these objects failed: once if it was the machine's fault.
    pub(crate) fn failure(&self, failed: Vec<(Address, Diagnostics)>, asked: usize) -> Diagnostics {
        match (&self.machine, failed.first()) {
            (Some(machine), Some((_, said))) if failed.len() == asked => {
                vec![unreachable(machine, said, asked)]
            }
            _ => {
                let of = |(address, said): (Address, Diagnostics)| said.into_iter().map(move |d| d.of(&address));
                failed.into_iter().flat_map(of).collect()
            }
        }
    }
}

fn is_machine(address: &Address) -> bool {
    address.block == BlockKind::Machine
}

/// Which machine has an engine, by the engine's handle.
pub(crate) struct Engines(BTreeMap<String, Address>);

impl Engines {
    /// Of what is remembered. Of several machines with one engine the first one counts.
    pub(crate) fn of(observed: &Observed) -> Engines {
        let machines = observed.objects.iter().rev().filter(|(address, _)| is_machine(address));
        let engine = |(address, stored): (&Address, &Arc<Stored>)| {
            Some((engine_of(&stored.object.value)?.to_owned(), address.clone()))
        };
        Engines(machines.filter_map(engine).collect())
    }

    fn machine_of(&self, placement: Option<&Placement>, value: &Value) -> Option<Address> {
        let placed = placement.map(|placement| placement.machine.clone());
        placed.or_else(|| self.0.get(engine_of(value)?).cloned())
    }
}

fn unreachable(machine: &Address, said: &[Diagnostic], count: usize) -> Diagnostic {
    let what = if count == 1 { "what is there".to_owned() } else { format!("{count} things there") };
    let why = said.first().map(|said| match said.detail.is_empty() {
        true => said.summary.clone(),
        false => format!("{}: {}", said.summary, said.detail),
    });
    Diagnostic::error(format!("the engine of `{machine}` does not say what became of {what}"))
        .because(why.unwrap_or_default())
        .hint(format!("bring the machine back and try again; or leave it out: `-exclude={machine}`"))
        .of(machine)
}

/// The items in groups of at most fifty.
pub(crate) fn grouped<T>(items: impl IntoIterator<Item = (Group, T)>) -> Vec<(Group, Vec<T>)> {
    let mut groups: BTreeMap<Group, Vec<T>> = BTreeMap::new();
    for (group, item) in items {
        groups.entry(group).or_default().push(item);
    }
    let mut parts = Vec::new();
    for (group, items) in groups {
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            parts.push((group.clone(), items.by_ref().take(MOST).collect()));
        }
    }
    parts
}

/// As many answers as questions: one that is missing is a failure.
pub(crate) fn all_answered<T, E: From<Diagnostics>>(
    mut answers: Vec<Result<T, E>>,
    group: &Group,
    asked: usize,
) -> Vec<Result<T, E>> {
    let bug = || format!("provider `{}` has a bug: it did not answer for every `{}`", group.provider, group.ty);
    answers.resize_with(asked, || Err(vec![Diagnostic::error(bug())].into()));
    answers
}
