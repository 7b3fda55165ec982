//! The plan itself, once every object is decided.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_config::Node;
use bimetal_config::module::Scoped;
use bimetal_fleet::Port;
use bimetal_model::diagnostic::has_errors;
use bimetal_model::{Address, Diagnostic, Diagnostics, ProviderKey, Value};

use super::{Planner, degraded, first};
use crate::compare::plain;
use crate::data::{Action, Change, OutputChange, Plan, Planning};
use crate::options::{Mode, Partial};
use crate::{evaluator, service};

impl Planner<'_> {
    pub(super) fn finish(mut self) -> (Option<Planning>, Diagnostics) {
        degraded::keep_what_is_needed(&mut self.changes);
        self.create_first();
        wait_for_removals(&mut self.changes);
        first::without_circles(&mut self.changes);
        self.refuse_unknown_instances();
        let mut partial = self.select();
        let outputs = self.outputs(partial.as_mut());
        match self.options.mode {
            Mode::Destroy => self.refuse_unknown_providers(),
            Mode::Apply => {
                let left_out = partial.as_ref().map(|partial| partial.left_out.clone()).unwrap_or_default();
                self.note(evaluator::refused_values(self.desired, &self.values, &left_out));
                self.note(evaluator::checks(self.desired, &self.values, &left_out));
            }
            Mode::RefreshOnly => {}
        }
        if has_errors(&self.diagnostics) {
            return (None, self.diagnostics.into_iter().collect());
        }
        let considered = self.considered();
        if let Some(partial) = &partial {
            self.warn_of_part(partial);
        }
        let keys = bimetal_config::key_variables(self.desired);
        let plan = Plan {
            mode: self.options.mode,
            lineage: self.observed.lineage.clone(),
            files: self.desired.module.files.clone(),
            origin: None,
            planned_ms: self.desired.moment.planned_ms,
            variables: lasting(&self.desired.variables).into_iter().filter(|(name, _)| !keys.contains(name)).collect(),
            providers: lasting(&self.providers),
            images: self.images,
            facts: self.facts,
            known: BTreeMap::new(),
            changes: self.changes.into_values().map(|change| *change).collect(),
            moved: BTreeMap::new(),
            imported: self.imported.ids,
            forgotten: BTreeSet::new(),
            outputs,
            drift: self.observed.drift.clone(),
            considered,
            reads: BTreeMap::new(),
            users: BTreeMap::new(),
            partial,
            degraded: self.degraded,
            budgets: self.budgets,
        };
        (Some(Planning::Ready(Box::new(plan))), self.diagnostics.into_iter().collect())
    }

    /// Those that rest on what is left out are as they were.
    fn outputs(&mut self, partial: Option<&mut Partial>) -> BTreeMap<String, OutputChange> {
        let before = &self.observed.outputs;
        let (after, kept) = match self.options.mode {
            Mode::Destroy if partial.is_none() => (BTreeMap::new(), BTreeSet::new()),
            Mode::Destroy => {
                let gone = self.changes.values().filter(|change| change.action == Action::Delete);
                let gone: BTreeSet<Address> = gone.map(|change| change.address.whole()).collect();
                let stays = |name: &&String| !evaluator::rests_on(self.desired, name, &gone);
                (BTreeMap::new(), before.keys().filter(stays).cloned().collect())
            }
            Mode::RefreshOnly => {
                let known = evaluator::outputs_without(self.desired, &self.values, &BTreeSet::new(), &BTreeSet::new());
                let open = before.keys().filter(|name| !known.contains_key(*name)).cloned().collect();
                (known, open)
            }
            Mode::Apply => {
                let mut left_out = partial.as_ref().map(|partial| partial.left_out.clone()).unwrap_or_default();
                left_out.extend(self.put_off_blocks());
                let (outputs, said) = evaluator::outputs(self.desired, &self.values, &left_out);
                self.note(said);
                let rest = self.desired.module.outputs.keys();
                let rest = rest.filter(|name| evaluator::rests_on(self.desired, name, &left_out));
                (outputs, rest.cloned().collect())
            }
        };
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let change = |name: &String| {
            let before = before.get(name).map(plain);
            let after = if kept.contains(name) { before.clone() } else { after.get(name).map(plain) };
            let depends_on = self.behind.of([&Node::Output(Scoped::root(name))]);
            OutputChange { before, after, depends_on }
        };
        let outputs = names.into_iter().map(|name| (name.clone(), change(name))).collect();
        if let Some(partial) = partial {
            partial.outputs = kept;
        }
        outputs
    }

    /// Blocks of what is deferred and not there: what rests on it is as it was.
    fn put_off_blocks(&self) -> impl Iterator<Item = Address> {
        let unmade = self.changes.values().filter(|change| change.is_deferred() && change.before.is_none());
        unmade.map(|change| change.address.whole())
    }

    /// The machines of the pools in which something gets a new place.
    fn considered(&self) -> BTreeSet<Address> {
        let placed = self.changes.values().filter(|change| change.new_place().is_some());
        let services: BTreeSet<Address> = placed.map(|change| change.address.service()).collect();
        services.iter().filter_map(|service| self.pools.get(service)).flatten().cloned().collect()
    }

    /// Nothing is made that would tell what is unknown.
    fn refuse_unknown_providers(&mut self) {
        let unknown: Vec<ProviderKey> =
            self.providers.iter().filter(|(_, config)| !config.is_wholly_known()).map(|(key, _)| key.clone()).collect();
        self.note(unknown.into_iter().map(|key| {
            Diagnostic::error(format!("the configuration of provider `{key}` depends on something that is not known"))
                .hint("give it what it needs to destroy as a variable")
        }));
    }
}

/// Without what must not be stored: whoever does the plan gets it anew.
fn lasting<K: Ord + Clone>(values: &BTreeMap<K, Value>) -> BTreeMap<K, Value> {
    values.iter().filter(|(_, value)| !value.has_ephemeral()).map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Who takes a host port of a machine, or a container's name, from someone who goes, comes after that.
fn wait_for_removals(changes: &mut BTreeMap<Address, Box<Change>>) {
    let mut leaving: BTreeMap<Claim, Vec<Address>> = BTreeMap::new();
    for change in changes.values().filter(|change| matches!(change.action, Action::Delete | Action::Replace)) {
        let Some(before) = &change.before else {
            continue;
        };
        let Some(placement) = &before.placement else {
            continue;
        };
        for claim in claims(&placement.machine, &before.object.value) {
            leaving.entry(claim).or_default().push(change.address.clone());
        }
    }
    for change in changes.values_mut().filter(|change| matches!(change.action, Action::Create | Action::Replace)) {
        let (Some(after), Some(placement)) = (&change.after, &change.placement) else {
            continue;
        };
        let claims = claims(&placement.machine, after);
        let before: BTreeSet<Address> =
            claims.iter().filter_map(|claim| leaving.get(claim)).flatten().cloned().collect();
        change.after_removal_of = before.into_iter().filter(|address| *address != change.address).collect();
    }
}

/// What one container at a time can have.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Claim {
    Port(Address, Port),
    Name(Address, String),
}

pub(super) fn claims(machine: &Address, container: &Value) -> Vec<Claim> {
    let ports = service::host_ports(container).unwrap_or_default();
    let ports = ports.into_iter().map(|port| Claim::Port(machine.clone(), port));
    let name = container.member("name").and_then(Value::as_str);
    ports.chain(name.map(|name| Claim::Name(machine.clone(), name.to_owned()))).collect()
}
