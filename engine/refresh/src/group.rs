//! Which objects one call is about: of one provider and type, and on one machine, so that a dead one fails alone.

use std::collections::BTreeMap;

use bimetal_model::placement::Placement;
use bimetal_model::port::Predict;
use bimetal_model::question::{Drift, Observed};
use bimetal_model::schema::Role;
use bimetal_model::snapshot::Stored;
use bimetal_model::{Address, Diagnostic, Diagnostics, ProviderKey};

/// How many objects one call is about, at most.
const MOST: usize = 50;

/// What the objects of one call have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group {
    pub(crate) provider: ProviderKey,
    pub(crate) ty: String,
    /// Where they are, if they are placed.
    pub(crate) machine: Option<Address>,
    /// The one object that it is about, where each speaks for itself.
    alone: Option<Address>,
}

impl Group {
    pub(crate) fn new(provider: &ProviderKey, ty: &str, placement: Option<&Placement>) -> Group {
        let machine = placement.map(|placement| placement.machine.clone());
        Group { provider: provider.clone(), ty: ty.to_owned(), machine, alone: None }
    }

    /// Of what is remembered. Machines that are made one by one are asked themselves: one that is slow or dead must not
    /// hold up the others. Where many are made in one call there is an API that knows all of them.
    pub(crate) fn of(address: &Address, stored: &Stored, predict: &dyn Predict) -> Group {
        let group = Group::new(&stored.provider, &stored.ty, stored.placement.as_ref());
        let schema = predict.schema(&stored.provider.name).ok();
        let ty = schema.as_ref().and_then(|schema| schema.managed.get(&stored.ty));
        let speaks_for_itself = ty.is_some_and(|ty| ty.role == Some(Role::Machine) && ty.batch == 1);
        Group { alone: speaks_for_itself.then(|| address.clone()), ..group }
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

fn unreachable(machine: &Address, said: &[Diagnostic], count: usize) -> Diagnostic {
    let what = if count == 1 { "a container there".to_owned() } else { format!("{count} containers there") };
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
pub(crate) fn all_answered<T>(
    mut answers: Vec<Result<T, Diagnostics>>,
    group: &Group,
    asked: usize,
) -> Vec<Result<T, Diagnostics>> {
    let bug = || format!("provider `{}` has a bug: it did not answer for every `{}`", group.provider, group.ty);
    answers.resize_with(asked, || Err(vec![Diagnostic::error(bug())]));
    answers
}
