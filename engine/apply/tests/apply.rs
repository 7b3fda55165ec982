//! What applying does, told from configurations, a world in memory and the real rooms before it.

mod apply {
    mod common;

    mod crash;
    mod failures;
    mod order;
    mod outputs;
    mod providers;
    mod retries;
    mod revalued;
    mod settled;
    mod stopped;
}
