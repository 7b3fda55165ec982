//! Somebody wants to stop.

use std::time::Duration;

use bimetal_model::snapshot::RevisionOutcome;
use tokio::time::Instant;

use super::common::{Bench, Turn};

const CHAIN: &str = r#"
resource "fake_thing" "a" {
  name = "a"
}
resource "fake_thing" "b" {
  name  = "b"
  input = fake_thing.a.id
}
"#;

#[tokio::test(start_paused = true)]
async fn what_runs_may_end_and_nothing_new_begins() {
    let bench = Bench::default();
    bench.world.effects_take(Duration::from_secs(9));
    bench.stop_at("create fake_thing.a begins");
    let applied = bench.walk(CHAIN).await;
    assert_eq!(applied.outcome, RevisionOutcome::Interrupted);
    assert_eq!((applied.done, applied.failed, applied.skipped), (1, 0, 1));
    let snapshot = bench.memory.snapshot();
    assert_eq!((snapshot.objects.len(), snapshot.intents.len()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_left_for_the_next_run() {
    let mut bench = Bench::default();
    bench.world.script("fake_thing.a", [Turn::RetryHalf(600_000)]);
    bench.stop_at("warming up");
    let start = Instant::now();
    let applied = bench.walk(CHAIN).await;
    assert_eq!(start.elapsed().as_secs(), 0, "nobody waits for it");
    assert_eq!(applied.outcome, RevisionOutcome::Interrupted);
    assert_eq!((applied.done, applied.failed, applied.skipped), (0, 0, 2));
    assert_eq!(bench.memory.snapshot().intents.len(), 1);
    (bench.stop, bench.events) = Default::default();
    bench.apply(CHAIN).await;
    assert_eq!(bench.world.picture(), "fake_thing a zone=\"z\"\nfake_thing b zone=\"z\" input=a");
    assert_eq!(bench.memory.snapshot().intents, []);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_began_before_is_cut_short() {
    let bench = Bench::default();
    bench.world.script("fake_thing.a", [Turn::Retry(600_000)]);
    let (plan, observed) = bench.plan(CHAIN).await;
    let start = Instant::now();
    let stopping = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        bench.stop.stop();
    };
    let (applied, ()) = tokio::join!(bench.carry_out(&plan, &observed), stopping);
    assert_eq!((applied.outcome, start.elapsed().as_secs()), (RevisionOutcome::Interrupted, 60));
}

#[tokio::test]
async fn who_stops_before_it_begins_does_nothing() {
    let bench = Bench::default();
    bench.stop.stop();
    let applied = bench.walk(CHAIN).await;
    assert_eq!((applied.done, applied.skipped, bench.calls()), (0, 2, vec![]));
    assert_eq!(applied.outcome, RevisionOutcome::Interrupted);
}
