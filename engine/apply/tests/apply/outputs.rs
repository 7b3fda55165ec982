//! Which outputs are kept.

use bimetal_model::snapshot::RevisionOutcome;
use bimetal_plan::Options;

use super::common::{Bench, Turn};

const CONFIG: &str = r#"
resource "fake_thing" "a" {
  name = "a"
}
resource "fake_thing" "b" {
  count = 2
  name  = "b${count.index}"
  size  = 1
}
output "a" {
  value = fake_thing.a.id
}
output "first" {
  value = fake_thing.b[0].name
}
output "sizes" {
  value = fake_thing.b[*].size
}
"#;

fn outputs(bench: &Bench) -> String {
    let outputs = bench.memory.snapshot().outputs;
    outputs.iter().map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn all_are_recorded_where_all_is_done() {
    let bench = Bench::default();
    let applied = bench.apply(CONFIG).await;
    assert_eq!(outputs(&bench), r#"a="id-1" first="b0" sizes=[1, 1]"#);
    assert_eq!(applied.outputs.len(), 3);
    bench.destroy(CONFIG).await;
    assert_eq!(outputs(&bench), "");
}

#[tokio::test]
async fn those_are_recorded_that_rest_on_nothing_that_failed() {
    let bench = Bench::default();
    bench.world.script("fake_thing.b[1]", [Turn::Fail]);
    let applied = bench.walk(CONFIG).await;
    assert_eq!(outputs(&bench), r#"a="id-1" first="b0""#);
    assert_eq!(applied.outputs, bench.memory.snapshot().outputs);
}

#[tokio::test]
async fn those_that_rest_on_what_is_left_out_stay_as_they_were() {
    let bench = Bench::default();
    bench.apply(CONFIG).await;
    let changed = CONFIG.replace("name = \"a\"", "name = \"z\"").replace("size  = 1", "size  = 2");
    let options = Options { targets: vec!["fake_thing.b".parse().unwrap()], ..Options::default() };
    let (plan, observed) = bench.try_plan(&changed, options).await.unwrap();
    let applied = bench.carry_out_saved(&plan, &observed).await;
    assert_eq!((applied.outcome, applied.done), (RevisionOutcome::Done, 2));
    assert_eq!(outputs(&bench), r#"a="id-1" first="b0" sizes=[2, 2]"#);
    assert!(bench.world.picture().contains("fake_thing a"), "it is left out");
}

#[tokio::test]
async fn the_others_stay_as_they_were() {
    let bench = Bench::default();
    bench.apply(CONFIG).await;
    bench.world.script("fake_thing.b[1]", [Turn::Fail]);
    let changed = CONFIG.replace("size  = 1", "size  = 2").replace("output \"first\"", "output \"one\"");
    bench.walk(&changed).await;
    assert_eq!(outputs(&bench), r#"a="id-1" one="b0" sizes=[1, 1]"#, "what is not asked for any more is gone");
    bench.apply(&changed).await;
    assert_eq!(outputs(&bench), r#"a="id-1" one="b0" sizes=[2, 2]"#);
}

#[tokio::test]
async fn what_is_half_destroyed_keeps_its_outputs() {
    let bench = Bench::default();
    bench.apply(CONFIG).await;
    bench.world.script("fake_thing.a", [Turn::Fail]);
    bench.destroy(CONFIG).await;
    assert_eq!(outputs(&bench), r#"a="id-1" first="b0" sizes=[1, 1]"#);
}
