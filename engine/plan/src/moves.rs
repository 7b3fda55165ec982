//! What is called otherwise than state remembers, and what is to be forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bimetal_config::Desired;
use bimetal_config::module::Moved;
use bimetal_model::question::Observed;
use bimetal_model::{Address, Diagnostic, Diagnostics};

use crate::options::Options;

/// What exists, by its present addresses.
#[derive(Default)]
pub(crate) struct Moves {
    /// Without what is forgotten.
    pub(crate) observed: Observed,
    /// New addresses and the old ones.
    pub(crate) moved: BTreeMap<Address, Address>,
    pub(crate) forgotten: BTreeSet<Address>,
    /// What can't be moved, as something has that address.
    pub(crate) said: Diagnostics,
}

/// Finds what exists under another name, and leaves out what is forgotten.
pub(crate) fn moves(desired: &Desired, observed: &Observed, options: &Options) -> Moves {
    let (moved, removed) = (&desired.module.moved, &desired.module.removed);
    let is_meant = |address: &Address| options.is_targeted(address) && !options.is_excluded(address);
    let forgotten = |address: &&Address| {
        is_meant(address) && removed.iter().any(|removed| !removed.destroy && removed.from.holds(address))
    };
    let mut moves = Moves {
        observed: observed.clone(),
        forgotten: observed.objects.keys().filter(forgotten).cloned().collect(),
        ..Moves::default()
    };
    for address in &moves.forgotten {
        moves.observed.objects.remove(address);
    }
    // The successor never came to be: what was to make place for it stays what it was. The last comes first.
    let deposed: Vec<Address> = observed.objects.keys().filter(|address| address.deposed.is_some()).cloned().collect();
    for address in deposed.iter().rev().filter(|address| !observed.objects.contains_key(&address.present())) {
        if !moves.observed.objects.contains_key(&address.present()) {
            moves.rename(address, address.present());
        }
    }
    for (old, new) in desired.renamed.iter() {
        moves.rename(old, new.clone());
    }
    let renamed = moves.observed.objects.keys().map(|old| (old.clone(), renamed(moved, old)));
    for (old, new) in renamed.filter(|(old, new)| old != new).collect::<Vec<_>>() {
        moves.rename(&old, new);
    }
    if !moves.moved.is_empty() {
        moves.rename_dependencies();
    }
    moves
}

/// What an address becomes, by as many moves as follow each other, each once.
pub(crate) fn renamed(moved: &[Moved], old: &Address) -> Address {
    let (mut address, mut open) = (old.clone(), moved.iter().collect::<Vec<_>>());
    loop {
        let step = |(at, moved): (usize, &&Moved)| Some((at, moved.from.moved_to(&moved.to, &address)?));
        let Some((at, next)) = open.iter().enumerate().find_map(step) else { return address };
        open.remove(at);
        address = next;
    }
}

impl Moves {
    /// Everything is called as state remembers it.
    pub(crate) fn none(observed: &Observed) -> Moves {
        Moves { observed: observed.clone(), ..Moves::default() }
    }

    fn rename(&mut self, old: &Address, new: Address) {
        if self.observed.objects.contains_key(&new) {
            let warning = Diagnostic::warning(format!("`{old}` is not moved to `{new}`"));
            let warning = warning.because("something has that address already");
            return self.said.push(warning.hint("remove one of them from the state with `state rm`").of(old));
        }
        if let Some(stored) = self.observed.objects.remove(old) {
            self.observed.objects.insert(new.clone(), stored);
            if let Some(said) = self.observed.silent.remove(old) {
                self.observed.silent.insert(new.clone(), said);
            }
            let old = self.moved.remove(old).unwrap_or_else(|| old.clone());
            self.moved.insert(new, old);
        }
    }

    fn rename_dependencies(&mut self) {
        let new_names: BTreeMap<&Address, &Address> = self.moved.iter().map(|(new, old)| (old, new)).collect();
        for stored in self.observed.objects.values_mut() {
            if !stored.depends_on.iter().any(|address| new_names.contains_key(address)) {
                continue;
            }
            let depends_on = &mut Arc::make_mut(stored).depends_on;
            for address in depends_on.iter_mut() {
                if let Some(new) = new_names.get(address) {
                    *address = (*new).clone();
                }
            }
            depends_on.sort();
        }
    }
}
