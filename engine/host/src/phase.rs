//! What a call may do to the world.

/// The kind of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Nothing: no capability at all.
    Pure,
    /// Look.
    Look,
    /// Look, and send what the manifest names for that: while values are opened, renewed and closed.
    Open,
    /// Change.
    Operate,
}
