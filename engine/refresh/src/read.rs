//! Reads what state remembers: many objects a call, many calls at the same time.

use std::sync::Arc;

use bimetal_model::event::{Event, Notify};
use bimetal_model::port::{Operate, Refusal};
use bimetal_model::question::Observed;
use bimetal_model::snapshot::Object;
use bimetal_model::{Address, Diagnostics};
use futures::StreamExt as _;

use crate::group::{Engines, Group, all_answered, grouped};
use crate::{Calls, drift, marks};

const ACTION: &str = "read";

type Answer = (Address, Result<Option<Object>, Refusal>);

/// Replaces what is remembered by what exists, except for what is not or can't be read.
pub(crate) async fn read_all(
    observed: &mut Observed,
    is_read: impl Fn(&Address) -> bool,
    calls: &Calls<'_>,
) -> Diagnostics {
    let engines = Engines::of(observed);
    let readable = observed.objects.iter().filter(|(address, _)| is_read(address));
    let objects = readable.map(|(address, stored)| {
        let group = Group::of(address, stored, &engines, calls.predict);
        (group, (address.clone(), stored.object.clone()))
    });
    let reads = grouped(objects).into_iter();
    let reads = reads.map(|(group, objects)| read_group(group, objects, calls.operate, calls.notify));
    let mut answers = futures::stream::iter(reads).buffer_unordered(calls.at_once());
    let mut failures = Vec::new();
    while let Some((group, answers)) = answers.next().await {
        let asked = answers.len();
        failures.push((take(observed, answers), group, asked));
    }
    // Who is silent is told by those of whom nothing could be read.
    failures.sort_by_key(|(failed, group, asked)| group.silent(failed.len(), *asked).is_none());
    let failures = failures.into_iter().flat_map(|(failed, group, asked)| settle(observed, &group, failed, asked));
    let diagnostics = failures.collect();
    observed.drift.sort_by(|one, other| one.address.cmp(&other.address));
    diagnostics
}

/// What was on a machine that is gone is gone with it; what is on a silent one stays as it is remembered; anything else is
/// a failure.
fn settle(observed: &mut Observed, group: &Group, failed: Vec<(Address, Diagnostics)>, asked: usize) -> Diagnostics {
    if failed.is_empty() {
        return Diagnostics::new();
    }
    if group.is_gone(observed) {
        failed.into_iter().for_each(|(address, _)| update(observed, address, None));
        return Diagnostics::new();
    }
    let silent = silent(observed, group, failed.len(), asked);
    let said = group.failure(failed, asked);
    match silent {
        Some(machine) => {
            observed.silent.entry(machine).or_default().extend(said);
            Diagnostics::new()
        }
        None => said,
    }
}

/// The machine whose silence explains a failure. One that state does not know explains nothing: nobody knows what it is.
pub(crate) fn silent(observed: &Observed, group: &Group, failed: usize, asked: usize) -> Option<Address> {
    let known = group.machine().filter(|machine| observed.silent.contains_key(machine));
    let machine = known.or_else(|| group.silent(failed, asked));
    machine.filter(|machine| observed.objects.contains_key(machine)).cloned()
}

async fn read_group(
    group: Group,
    objects: Vec<(Address, Object)>,
    operate: &dyn Operate,
    notify: &dyn Notify,
) -> (Group, Vec<Answer>) {
    for (address, _) in &objects {
        notify.notify(Event::Started { address: address.clone(), action: ACTION });
    }
    let answers = operate.read(&group.provider, &group.ty, &objects).await;
    let answers = all_answered(answers, &group, objects.len());
    let addresses = objects.into_iter().map(|(address, _)| address);
    let answers: Vec<Answer> = addresses.zip(answers).collect();
    for (address, answer) in &answers {
        notify.notify(ended(address, answer));
    }
    (group, answers)
}

fn ended(address: &Address, answer: &Result<Option<Object>, Refusal>) -> Event {
    let address = address.clone();
    match answer {
        Ok(_) => Event::Finished { address, action: ACTION },
        Err(Refusal::Failed(said)) => Event::Failed { address, action: ACTION, diagnostics: said.clone() },
        Err(Refusal::Deferred(why)) => Event::Deferred { address, action: ACTION, because: why.clone() },
    }
}

/// Answers what could not be read.
fn take(observed: &mut Observed, answers: Vec<Answer>) -> Vec<(Address, Diagnostics)> {
    let mut failed = Vec::new();
    for (address, answer) in answers {
        match answer {
            Ok(object) => update(observed, address, object),
            Err(Refusal::Failed(said)) => failed.push((address, said)),
            Err(Refusal::Deferred(why)) => drop(observed.deferred.insert(address, why)),
        }
    }
    failed
}

fn update(observed: &mut Observed, address: Address, object: Option<Object>) {
    let Some(stored) = observed.objects.get_mut(&address) else {
        return;
    };
    let object = object.map(|object| Object { value: marks::carry(object.value, &stored.object.value), ..object });
    let difference = drift::between(&address, stored, object.as_ref());
    observed.drift.extend(difference);
    match object {
        Some(object) => Arc::make_mut(stored).object = object,
        None => drop(observed.objects.remove(&address)),
    }
}
