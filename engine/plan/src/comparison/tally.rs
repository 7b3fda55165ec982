//! A difference in numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Comparison, Kind};
use crate::summary::Sort;

/// How many objects differ, and how. One that is moved and changed counts as both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Differing {
    /// Only the second version wants them.
    pub added: usize,
    /// In place.
    pub changed: usize,
    /// Not in place.
    pub replaced: usize,
    /// Only the first version wants them.
    pub removed: usize,
    /// They have another address.
    pub moved: usize,
}

/// A difference in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Differences {
    /// Of all objects.
    pub all: Differing,
    /// Of each sort with a difference.
    pub by_sort: BTreeMap<Sort, Differing>,
    /// Services with other images.
    pub images: usize,
    /// Outputs with other values.
    pub outputs: usize,
    /// Providers and modules that are locked otherwise.
    pub locked: usize,
}

/// Counts what differs.
pub fn differences(comparison: &Comparison) -> Differences {
    let Comparison { objects, images, outputs, locked } = comparison;
    let (images, outputs, locked) = (images.len(), outputs.len(), locked.len());
    let mut counted = Differences { images, outputs, locked, ..Differences::default() };
    for object in objects {
        let of_sort = counted.by_sort.entry(Sort::of(&object.address)).or_default();
        for tally in [&mut counted.all, of_sort] {
            tally.count(object.kind);
            tally.moved += usize::from(object.moved_from.is_some());
        }
    }
    counted
}

impl Differing {
    fn count(&mut self, kind: Kind) {
        match kind {
            Kind::Added => self.added += 1,
            Kind::Changed => self.changed += 1,
            Kind::Replaced => self.replaced += 1,
            Kind::Removed => self.removed += 1,
            Kind::Moved => {}
        }
    }
}
