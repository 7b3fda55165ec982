//! Calls that answer "not yet".

use tokio::time::Instant;

use super::common::{Bench, Turn, told};

const ONE: &str = "resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}";

fn many(count: usize) -> String {
    format!("resource \"fake_many\" \"m\" {{\n  count = {count}\n  name  = \"m${{count.index}}\"\n}}")
}

#[tokio::test(start_paused = true)]
async fn it_is_asked_again_when_it_said() {
    let bench = Bench::default();
    bench.world.script("fake_thing.a", [Turn::Retry(10_000), Turn::Retry(5_000)]);
    let start = Instant::now();
    let applied = bench.apply(ONE).await;
    assert_eq!((start.elapsed().as_secs(), applied.done), (15, 1));
    assert_eq!(bench.calls(), ["create fake_thing.a"; 3]);
    let heard = bench.events.take();
    let warming = "fake_thing.a: it is warming up";
    assert_eq!(heard, ["create fake_thing.a begins", warming, warming, "create fake_thing.a ends"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_half_made_is_recorded_as_unfinished() {
    let bench = Bench::default();
    bench.world.script("fake_thing.a", [Turn::RetryHalf(1_000)]);
    bench.apply(ONE).await;
    assert_eq!(
        bench.journal.take(),
        [
            "intend create fake_thing.a",
            "create fake_thing.a",
            "put unfinished fake_thing.a",
            "create fake_thing.a",
            "put fake_thing.a, closing",
        ]
    );
    assert_eq!(bench.world.picture(), "fake_thing a zone=\"z\"");
}

#[tokio::test(start_paused = true)]
async fn removals_and_changes_can_take_their_time_too() {
    let bench = Bench::default();
    bench.apply(ONE).await;
    bench.world.script("fake_thing.a", [Turn::RetryHalf(1_000)]);
    bench.apply(&ONE.replace("name ", "size = 2\n  name ")).await;
    assert_eq!(
        bench.journal.take(),
        [
            "intend update fake_thing.a",
            "update fake_thing.a",
            "put fake_thing.a",
            "update fake_thing.a",
            "put fake_thing.a, closing",
        ],
        "what is half changed is recorded, and is no unfinished creation"
    );
    bench.world.script("fake_thing.a", [Turn::Retry(1_000)]);
    bench.apply("").await;
    assert_eq!(bench.calls(), ["delete fake_thing.a"; 2]);
    assert_eq!(bench.world.picture(), "");
}

#[tokio::test(start_paused = true)]
async fn patience_ends() {
    let bench = Bench::default();
    bench.world.script("fake_thing.a", [Turn::RetryHalf(7 * 60_000); 9]);
    let start = Instant::now();
    let applied = bench.walk(ONE).await;
    assert_eq!(told(&applied.diagnostics), "fake_thing.a: it was not ready after 20 minutes (it is warming up)");
    assert!(start.elapsed().as_secs() < 20 * 60 + 1);
    let stored = bench.memory.snapshot().objects[&"fake_thing.a".parse().unwrap()].clone();
    assert!(stored.unfinished.is_some(), "the next run goes on with it");
}

#[tokio::test(start_paused = true)]
async fn a_moment_that_never_comes_is_not_waited_for() {
    let bench = Bench::default();
    bench.world.script("fake_thing.a", [Turn::Retry(u64::MAX)]);
    let start = Instant::now();
    let applied = bench.walk(ONE).await;
    assert_eq!((applied.failed, start.elapsed().as_secs()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_ends_is_given_up_and_its_intent_stays() {
    let bench = Bench::default();
    bench.world.script("fake_thing.a", [Turn::Hang]);
    let applied = bench.walk(ONE).await;
    assert_eq!(told(&applied.diagnostics), "fake_thing.a: the provider did not answer in time");
    assert_eq!(bench.memory.snapshot().intents.len(), 1);
    bench.apply(ONE).await;
    assert_eq!(bench.memory.snapshot().intents, []);
}

#[tokio::test(start_paused = true)]
async fn waiting_takes_no_place() {
    let bench = Bench { parallelism: 1, ..Bench::default() };
    bench.world.script("fake_many.m[0]", [Turn::Retry(60_000)]);
    let start = Instant::now();
    bench.apply(&many(2)).await;
    assert_eq!(bench.calls(), ["create fake_many.m[0]", "create fake_many.m[1]", "create fake_many.m[0]"]);
    assert_eq!(start.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn those_of_several_calls_that_are_due_together_share_one() {
    let bench = Bench::default();
    for place in [0, 3, 4, 6] {
        // Not quite the same moment, as with real clocks.
        bench.world.script(&format!("fake_many.m[{place}]"), [Turn::Retry(1_000 - place)]);
    }
    bench.apply(&many(7)).await;
    assert_eq!(bench.calls()[3..], ["create fake_many.m[0], fake_many.m[3], fake_many.m[4]", "create fake_many.m[6]"]);
}
