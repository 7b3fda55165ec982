//! Whose calls have the places.

use std::time::Duration;

use tokio::time::Instant;

use super::common::Bench;

/// `far` is slow, and has more to do than there are places; its addresses come first.
const TWO: &str = r#"
provider "far" {
  endpoint = ""
}
resource "far_thing" "a" {
  count = 20
  name  = "a${count.index}"
}
resource "fake_thing" "z" {
  name = "z0"
}
resource "fake_thing" "zz" {
  name  = "z1"
  input = fake_thing.z.id
}
"#;

#[tokio::test(start_paused = true)]
async fn a_slow_provider_leaves_places_to_others() {
    let bench = Bench { parallelism: 8, ..Bench::default() };
    bench.world.effects_of_take("far", Duration::from_secs(60));
    bench.world.effects_take(Duration::from_secs(1));
    let start = Instant::now();
    bench.apply(TWO).await;
    let calls = bench.calls();
    let place = |name: &str| calls.iter().position(|call| call.contains(name)).unwrap();
    assert!(place("fake_thing.zz") < 8, "{calls:?}");
    // Six at first, as long as somebody else has something to do; then eight.
    assert_eq!(start.elapsed().as_secs(), 180, "the others' places are not left empty once they are done");
}

#[tokio::test(start_paused = true)]
async fn one_place_is_enough_for_two_providers() {
    let bench = Bench { parallelism: 1, ..Bench::default() };
    bench.world.effects_take(Duration::from_secs(1));
    bench.apply(TWO).await;
    assert_eq!(bench.world.effects_take(Duration::ZERO), 1);
}

#[tokio::test(start_paused = true)]
async fn who_is_due_waits_for_a_place() {
    let bench = Bench { parallelism: 1, ..Bench::default() };
    bench.world.effects_take(Duration::from_secs(30));
    bench.world.script("fake_many.m[0]", [super::common::Turn::Retry(1_000)]);
    bench.apply("resource \"fake_many\" \"m\" {\n  count = 3\n  name  = \"m${count.index}\"\n}").await;
    assert_eq!(bench.world.effects_take(Duration::ZERO), 1, "one at a time");
}

#[tokio::test]
async fn a_replacement_is_finished_before_another_one_is_begun() {
    let bench = Bench { parallelism: 1, ..Bench::default() };
    let config = |kind: &str, first: bool| {
        format!(
            "resource \"fake_thing\" \"m\" {{\n  count = 3\n  name = \"{kind}${{count.index}}\"\n  kind = \"{kind}\"\n  \
             lifecycle {{\n    create_before_destroy = {first}\n  }}\n}}"
        )
    };
    bench.apply(&config("a", false)).await;
    bench.apply(&config("b", false)).await;
    let each = |first: &str, then: &str| -> Vec<String> {
        (0..3).flat_map(|n| [first, then].map(|call| call.replace('N', &n.to_string()))).collect()
    };
    assert_eq!(bench.calls(), each("delete fake_thing.m[N]", "create fake_thing.m[N]"));
    bench.apply(&config("c", true)).await;
    assert_eq!(bench.calls(), each("create fake_thing.m[N]", "delete fake_thing.m[N].deposed[0]"));
}
