//! How often the state is written.

use std::time::Duration;

use super::common::Bench;

const THOUSAND: &str = "resource \"fake_thing\" \"a\" {\n  count = 1000\n  name  = \"a${count.index}\"\n}";

#[tokio::test]
async fn what_ends_together_is_written_together() {
    let bench = Bench::default();
    let applied = bench.apply(THOUSAND).await;
    assert_eq!(applied.done, 1000);
    // Sixteen times 64: each with its intents and its outcomes, and the outputs.
    assert!(bench.memory.commits() <= 40, "{} commits", bench.memory.commits());
}

#[tokio::test(start_paused = true)]
async fn what_ends_while_the_state_is_written_shares_the_next_transaction() {
    let bench = Bench::default();
    bench.world.effects_take(Duration::from_millis(7));
    bench.memory.writes_take(Duration::from_millis(5));
    bench.apply(THOUSAND).await;
    assert!(bench.memory.commits() <= 100, "{} commits", bench.memory.commits());
}
