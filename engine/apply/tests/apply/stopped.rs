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

/// Both ways to be in the middle of something.
const SLOW: &str = r#"
resource "fake_thing" "a" {
  name = "a"
}
resource "fake_thing" "b" {
  name = "b"
}
resource "fake_thing" "c" {
  name  = "c"
  input = fake_thing.b.id
}
"#;

async fn stopped_after(bench: &Bench, config: &str, seconds: u64, urges: usize) -> bimetal_apply::Applied {
    let (plan, observed) = bench.plan(config).await;
    let stopping = async {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
        bench.stop.stop();
        for _ in 1..urges {
            bench.stop.hurry();
        }
    };
    tokio::join!(bench.carry_out(&plan, &observed), stopping).0
}

#[tokio::test(start_paused = true)]
async fn who_is_in_a_hurry_gives_what_runs_a_short_grace() {
    let mut bench = Bench::default();
    bench.world.script("fake_thing.a", [Turn::Hang]);
    bench.world.effects_take(Duration::from_secs(65));
    let start = Instant::now();
    let applied = stopped_after(&bench, SLOW, 60, 2).await;
    assert_eq!(start.elapsed().as_secs(), 60 + bimetal_apply::Stop::GRACE.as_secs());
    assert_eq!((applied.done, applied.failed, applied.skipped), (1, 1, 1));
    assert_eq!(applied.outcome, RevisionOutcome::Interrupted);
    assert_eq!(super::common::told(&applied.diagnostics), "fake_thing.a: it was given up, as the run was to end");
    let snapshot = bench.memory.snapshot();
    assert!(snapshot.objects.contains_key(&"fake_thing.b".parse().unwrap()), "what ended within it is written down");
    assert_eq!(snapshot.intents.len(), 1, "what was given up stays promised");
    (bench.stop, bench.events) = Default::default();
    bench.world.effects_take(Duration::ZERO);
    bench.apply(SLOW).await;
    assert_eq!((bench.memory.snapshot().intents.len(), bench.world.picture().lines().count()), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn a_third_time_changes_nothing_more() {
    let bench = Bench::default();
    bench.world.effects_take(Duration::from_secs(65));
    let start = Instant::now();
    let applied = stopped_after(&bench, SLOW, 60, 5).await;
    assert_eq!((start.elapsed().as_secs(), applied.done, applied.failed, applied.skipped), (65, 2, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn what_was_half_changed_or_removed_when_it_was_given_up_stays_promised() {
    let removed = SLOW.replacen("resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}\n", "", 1);
    for changed in [SLOW.replace("name = \"a\"", "name = \"a\"\n  size = 2"), removed] {
        let mut bench = Bench::default();
        bench.apply(SLOW).await;
        bench.world.script("fake_thing.a", [Turn::Hang]);
        let applied = stopped_after(&bench, &changed, 1, 2).await;
        assert_eq!(applied.outcome, RevisionOutcome::Interrupted);
        assert!(!bench.memory.snapshot().intents.is_empty());
        (bench.stop, bench.events) = Default::default();
        bench.apply(&changed).await;
        assert_eq!(bench.memory.snapshot().intents, []);
    }
}
