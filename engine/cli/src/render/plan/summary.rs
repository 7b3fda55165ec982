//! A plan in one line.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_model::Address;
use bimetal_plan::{Action, Mode, Plan, Sort};

use crate::render::style::{BOLD, paint};

/// `Plan: 12 to add (4 machines, 8 replicas of 2 services), 0 to change, 1 to destroy.`
pub(crate) fn summary(plan: &Plan) -> String {
    if plan.mode == Mode::RefreshOnly {
        return format!(
            "{} {} to take into the state; nothing else is done.\n",
            paint(BOLD, "Plan:"),
            drift_count(plan)
        );
    }
    let part = |verb: &str, is_meant: fn(Action) -> bool| {
        let meant: Vec<&Address> =
            plan.effects().filter(|change| is_meant(change.action)).map(|change| &change.address).collect();
        format!("{} to {verb}{}", meant.len(), sorts_text(&meant))
    };
    let imported: Vec<&Address> = plan.imported.keys().collect();
    let imported = (!imported.is_empty()).then(|| format!("{} to import{}", imported.len(), sorts_text(&imported)));
    // A replacement is one added and one destroyed.
    let parts = [
        part("add", |action| matches!(action, Action::Create | Action::Replace)),
        part("change", |action| action == Action::Update),
        part("destroy", |action| matches!(action, Action::Delete | Action::Replace)),
    ];
    let parts: Vec<String> = imported.into_iter().chain(parts).collect();
    format!("{} {}{}.\n", paint(BOLD, "Plan:"), parts.join(", "), state_alone(plan))
}

/// How much had changed outside: `2 changes`.
pub(crate) fn drift_count(plan: &Plan) -> String {
    match plan.drift.len() {
        1 => "1 change".to_owned(),
        count => format!("{count} changes"),
    }
}

/// What becomes of the state while nothing becomes of the objects: `; 1 moved, 1 forgotten`.
pub(crate) fn state_alone(plan: &Plan) -> String {
    let count = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let parts = [count(plan.moved.len(), "moved"), count(plan.forgotten.len(), "forgotten")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!("; {}", parts.join(", ")) }
}

/// ` (4 machines, 8 replicas of 2 services)`
pub(super) fn sorts_text(addresses: &[&Address]) -> String {
    let mut sorts: BTreeMap<Sort, usize> = BTreeMap::new();
    addresses.iter().for_each(|address| *sorts.entry(Sort::of(address)).or_default() += 1);
    let services: BTreeSet<Address> = addresses
        .iter()
        .filter(|address| address.replica.is_some())
        .map(|address| address.present().service())
        .collect();
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let part = |(sort, number): (&Sort, &usize)| match sort {
        Sort::Machine => count(*number, "machine"),
        Sort::Replica => format!("{} of {}", count(*number, "replica"), count(services.len(), "service")),
        Sort::Service => count(*number, "service"),
        Sort::Resource => count(*number, "resource"),
    };
    let parts: Vec<String> = sorts.iter().map(part).collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) }
}
