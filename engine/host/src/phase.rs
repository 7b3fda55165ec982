//! What a call may do to the world.

/// The kind of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Nothing: no capability at all.
    Pure,
    /// Look.
    Look,
    /// Change.
    Operate,
}
