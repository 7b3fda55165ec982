//! `moved` blocks that can't all be true.

use std::collections::btree_map::{BTreeMap, Entry};

use bimetal_model::{Diagnostic, Diagnostics};

use crate::module::{Module, Moved};

/// One thing goes to one place, two things don't go to the same, and nothing comes back to where it was.
pub(super) fn contradictions(module: &Module) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    let (mut by_source, mut by_target) = (BTreeMap::new(), BTreeMap::new());
    for moved in &module.moved {
        let (from, to) = (moved.from.to_string(), moved.to.to_string());
        if from == to {
            let error = Diagnostic::error(format!("`{from}` is moved to where it is")).at(&moved.span);
            diagnostics.push(error.hint("take this block out"));
            continue;
        }
        match by_source.entry(from.clone()) {
            Entry::Vacant(place) => _ = place.insert(moved),
            Entry::Occupied(first) if first.get().to.to_string() == to => continue,
            Entry::Occupied(first) => {
                let error = Diagnostic::error(format!("`{from}` can't be moved to two places")).at(&moved.span);
                let other = &first.get().to;
                diagnostics.push(
                    error.because(format!(
                        "another block moves it to `{other}`, in {}",
                        module.place(&first.get().span)
                    )),
                );
                continue;
            }
        }
        match by_target.entry(to.clone()) {
            Entry::Vacant(place) => _ = place.insert(moved),
            Entry::Occupied(first) => {
                let error = Diagnostic::error(format!("two things can't be moved to `{to}`")).at(&moved.span);
                let other = &first.get().from;
                diagnostics.push(
                    error.because(format!(
                        "another block moves `{other}` there, in {}",
                        module.place(&first.get().span)
                    )),
                );
            }
        }
    }
    diagnostics.extend(circles(&by_source));
    diagnostics
}

/// Each is told once, where its first block stands.
fn circles(by_source: &BTreeMap<String, &Moved>) -> Diagnostics {
    let mut seen = std::collections::BTreeSet::new();
    let mut diagnostics = Diagnostics::new();
    for (start, first) in by_source {
        let (mut names, mut next) = (vec![start.clone()], first.to.to_string());
        while seen.insert(names[names.len() - 1].clone()) {
            let Some(moved) = by_source.get(&next) else { break };
            if next == *start {
                let circle =
                    names.iter().chain([start]).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" → ");
                diagnostics.push(
                    Diagnostic::error("these moves lead in a circle")
                        .because(circle)
                        .hint("take one of them out; two names are swapped by way of a third one, in two applies")
                        .at(&first.span),
                );
                break;
            }
            names.push(std::mem::replace(&mut next, moved.to.to_string()));
        }
    }
    diagnostics
}
