//! What rows are called.

use crate::store::Table;

/// The random id that a state gets when it is made.
pub(crate) const LINEAGE: &str = "lineage";
/// A random id, new whenever the state begins anew from a copy of itself; there is none where it never did.
pub(crate) const TIMELINE: &str = "timeline";
/// What the state says of its key; there is none where it has no key. Whoever writes expects it to be as it was.
pub(crate) const KEY: &str = "key_check";
/// The number of the last revision.
pub(crate) const LAST_REVISION: &str = "last_revision";
/// The first revision that left its objects in the history.
pub(crate) const HISTORY_FROM: &str = "history_from";
/// Written with every change of objects, intents or outputs: its version is the state's serial.
pub(crate) const CHANGED: &str = "changed";
/// Written by everyone who takes a lease, so that two can't do so at the same time.
pub(crate) const LEASED: &str = "leased";
/// Where the state went, if it did.
pub(crate) const MOVED_TO: &str = "moved_to";

/// Numbers as keys, in their order.
pub(crate) fn number_key(number: u64) -> String {
    format!("{number:010}")
}

/// The number of such a key.
pub(crate) fn number_of(key: &str) -> Option<u64> {
    key.parse().ok()
}

/// What a revision left of a row.
pub(crate) fn history_key(revision: u64, table: Table, key: &str) -> String {
    format!("{} {} {key}", number_key(revision), table.name())
}

/// The parts of a history key: revision, table, key.
pub(crate) fn history_parts(text: &str) -> Option<(u64, &str, &str)> {
    let (number, rest) = text.split_once(' ')?;
    let (table, key) = rest.split_once(' ')?;
    Some((number.parse().ok()?, table, key))
}
