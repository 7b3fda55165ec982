//! What of a plan is done, where somebody wants a part of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use bimetal_config::{Node, nearest};
use bimetal_model::snapshot::Stored;
use bimetal_model::{Address, BlockKind, Diagnostic, Selector};

use super::Planner;
use crate::data::{Action, Change};
use crate::options::{Mode, Partial};
use crate::selection::{Requirements, unplanned};

impl Planner<'_> {
    /// Says which of the options name nothing: neither a block nor something that exists.
    pub(super) fn refuse_unknown_names(&mut self) {
        for (option, selectors) in self.options.named() {
            for selector in selectors {
                let is_declared = self.desired.module.objects.keys().any(|block| selector.touches(block));
                if !is_declared && !self.observed.objects.keys().any(|address| selector.holds(address)) {
                    let blocks = self.desired.module.objects.keys().map(Address::to_string);
                    let names: BTreeSet<String> = blocks.chain(self.existing_names()).chain(self.modules()).collect();
                    self.note([nothing_named(option, selector, &names)]);
                }
            }
        }
    }

    fn existing_names(&self) -> impl Iterator<Item = String> {
        self.observed.objects.keys().map(Address::to_string)
    }

    fn modules(&self) -> impl Iterator<Item = String> {
        self.desired.module.calls.keys().map(|name| format!("{}module.{}", name.module, name.name))
    }

    /// Says which of the options name an instance that is not there, now that all of them are known.
    pub(super) fn refuse_unknown_instances(&mut self) {
        let options = self.options;
        for (option, selectors) in options.named() {
            for selector in selectors {
                if let Some(names) = self.missing(option, selector) {
                    self.note([nothing_named(option, selector, &names)]);
                }
            }
        }
        for selector in &options.replace {
            let several = self.desired_of(selector).find(|address| is_one_of_several(selector, address)).cloned();
            self.note(several.map(|one| {
                Diagnostic::error(format!("`{selector}` has several instances, and `-replace` makes one anew"))
                    .hint(format!("name the instance, as `{one}`; the option may be given several times"))
            }));
        }
    }

    /// What there is instead of what is named, if that is not there.
    fn missing(&self, option: &str, selector: &Selector) -> Option<BTreeSet<String>> {
        let Selector::Object(named) = selector else { return None };
        let mut here = self.changes.values().filter(|change| change.address.whole() == named.whole());
        let is_there = match option {
            "replace" => self.desired_of(selector).next().is_some(),
            _ if named.key.is_none() && named.replica.is_none() => true,
            _ if self.observed.objects.keys().any(|address| selector.holds(address)) => true,
            _ if named.block == BlockKind::Data => self.values.get(named).is_some(),
            _ => here.any(|change| selector.holds(&change.address)) || !self.extent.plans(&Node::Object(named.whole())),
        };
        let is_left_out = self.excluded.iter().any(|address| address.whole() == named.whole());
        let names = || self.changes.keys().filter(|address| address.whole() == named.whole());
        (!is_there && !is_left_out).then(|| names().map(Address::to_string).collect())
    }

    /// The objects that the configuration wants, of those that are named.
    fn desired_of(&self, selector: &Selector) -> impl Iterator<Item = &Address> {
        let wanted = self.changes.values().filter(|change| change.config.is_some());
        wanted.map(|change| &change.address).filter(|address| selector.holds(address))
    }

    /// Leaves out what is not asked for. What exists of it stays as it is.
    pub(super) fn select(&mut self) -> Option<Partial> {
        if !self.options.is_partial() {
            return None;
        }
        let requirements = Requirements::new(&self.changes, &self.observed.objects);
        let asked_for = self.changes.keys().filter(|address| self.options.is_targeted(address)).cloned();
        let mut kept = requirements.with_required(asked_for.chain(self.behind_targets()));
        let excluded = self.changes.keys().filter(|address| self.options.is_excluded(address)).cloned();
        let excluded = excluded.chain(self.excluded.iter().cloned()).chain(self.extent.excluded.iter().cloned());
        let excluded = requirements.with_requiring(excluded);
        kept.retain(|address| !excluded.contains(address));
        let all = std::mem::take(&mut self.changes);
        let (done, left): (Vec<_>, Vec<_>) = all.into_iter().partition(|(address, _)| kept.contains(address));
        self.changes = done.into_iter().collect();
        let done: BTreeSet<Address> = self.changes.keys().cloned().collect();
        let undone = left.iter().filter(|(_, change)| change.action != Action::Keep);
        let mut left_out: BTreeSet<Address> = undone.map(|(address, _)| address.whole()).collect();
        left_out.extend(self.excluded.iter().map(Address::whole));
        if self.options.mode == Mode::Apply {
            left_out.extend(unplanned(self.desired, &self.extent));
        }
        for (address, stored) in &self.observed.objects {
            self.changes.entry(address.clone()).or_insert_with(|| Change::keep(address, stored).into());
        }
        self.imported.ids.retain(|address, _| done.contains(address));
        self.refuse_removals_of_what_is_needed(&done);
        let (targets, excludes) = (self.options.targets.clone(), self.options.excludes.clone());
        Some(Partial { targets, excludes, left_out, outputs: BTreeSet::new() })
    }

    /// Pools and data sources have no changes of their own where they are named.
    fn behind_targets(&self) -> BTreeSet<Address> {
        let nodes = self.desired.module.objects.keys().filter(|block| !block.block.has_objects());
        let nodes = nodes.filter(|block| self.options.targets.iter().any(|target| target.touches(block)));
        let nodes: Vec<Node> = nodes.cloned().map(Node::Object).collect();
        self.behind.of(&nodes)
    }

    /// What goes must not be needed by something that is left out.
    fn refuse_removals_of_what_is_needed(&mut self, done: &BTreeSet<Address>) {
        let is_removed = |address: &Address| self.changes.get(address).is_some_and(|c| c.action == Action::Delete);
        let needs = |(user, stored): (&Address, &Arc<Stored>)| {
            let needed = stored.depends_on.iter().find(|needed| is_removed(needed))?.clone();
            (!done.contains(user)).then(|| (user.clone(), needed))
        };
        let alone: Vec<(Address, Address)> = self.observed.objects.iter().filter_map(needs).collect();
        self.note(alone.into_iter().map(|(user, needed)| {
            Diagnostic::error(format!("`{needed}` can't be removed while `{user}` stays"))
                .because("it needs it, and is left out of this plan")
                .hint(format!("add `-target={}`, or plan everything", user.whole()))
                .of(&needed)
        }));
    }

    /// Says that not everything is planned.
    pub(super) fn warn_of_part(&mut self, partial: &Partial) {
        let list = |option: &str, selectors: &[Selector]| {
            selectors.iter().map(|selector| format!("`-{option}={selector}`")).collect::<Vec<_>>()
        };
        let by = [list("target", &partial.targets), list("exclude", &partial.excludes)].concat().join(", ");
        let outputs: Vec<String> = partial.outputs.iter().map(|name| format!("`{name}`")).collect();
        let stay = match &outputs[..] {
            [] => String::new(),
            [one] => format!("; the output {one} rests on what is left out, and stays as it is"),
            _ => format!("; outputs that rest on what is left out stay as they are: {}", outputs.join(", ")),
        };
        self.note([Diagnostic::warning(format!("this plan is a part of what the configuration asks for: {by}"))
            .because(format!("what is left out stays as it is, whatever the configuration says{stay}"))
            .hint("plan everything again when this is done")]);
    }
}

/// Whether the address has a key that the selector does not name.
fn is_one_of_several(selector: &Selector, address: &Address) -> bool {
    match selector {
        Selector::Module(_) => true,
        Selector::Object(named) => named.key.is_none() && address.key.is_some(),
    }
}

fn nothing_named(option: &str, selector: &Selector, names: &BTreeSet<String>) -> Diagnostic {
    let error = Diagnostic::error(format!("`-{option}={selector}` names nothing"));
    let error = match selector {
        Selector::Object(named) if named.key.is_some() || named.replica.is_some() => {
            error.because(format!("`{}` has no such instance", named.whole()))
        }
        Selector::Object(_) if option == "replace" => error.because("it is nothing that the configuration makes"),
        Selector::Module(_) | Selector::Object(_) => error.because("neither the configuration nor the state knows it"),
    };
    let hint = nearest(&selector.to_string(), names.iter().map(String::as_str));
    error.hint(hint.unwrap_or_else(|| "`bimetal state list` shows what exists".to_owned()))
}
