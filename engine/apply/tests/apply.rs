//! What applying does, told from configurations, a world in memory and the real rooms before it.

mod apply {
    mod common;

    mod commits;
    mod crash;
    mod deferred;
    mod degraded;
    mod failures;
    mod laws;
    mod lent;
    mod order;
    mod outputs;
    mod places;
    mod providers;
    mod retries;
    mod revalued;
    mod settled;
    mod stopped;
    mod write_only;
}
