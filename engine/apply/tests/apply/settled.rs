//! What is written down, and when: promises before, outcomes after, and what was found out before anything begins.

use bimetal_model::Value;
use bimetal_plan::Mode;

use super::common::Bench;

const TWO: &str = r#"
resource "fake_thing" "a" {
  name = "a"
}
resource "fake_thing" "b" {
  name  = "b"
  input = fake_thing.a.id
}
"#;

#[tokio::test]
async fn a_promise_comes_before_each_effect_and_its_outcome_after() {
    let bench = Bench::default();
    bench.apply(TWO).await;
    assert_eq!(
        bench.journal.take(),
        [
            "intend create fake_thing.a",
            "create fake_thing.a",
            "put fake_thing.a, closing",
            "intend create fake_thing.b",
            "create fake_thing.b",
            "put fake_thing.b, closing",
        ]
    );
    bench.destroy(TWO).await;
    assert_eq!(
        bench.journal.take(),
        [
            "intend delete fake_thing.b",
            "delete fake_thing.b",
            "forget fake_thing.b",
            "intend delete fake_thing.a",
            "delete fake_thing.a",
            "forget fake_thing.a",
        ]
    );
}

#[tokio::test]
async fn what_begins_together_is_promised_together() {
    let bench = Bench::default();
    bench.apply(&TWO.replace("fake_thing.a.id", "null")).await;
    let journal = bench.journal.take();
    assert_eq!(
        journal[..4],
        ["intend create fake_thing.a", "intend create fake_thing.b", "create fake_thing.a", "create fake_thing.b"]
    );
}

#[tokio::test]
async fn where_only_the_state_is_meant_nothing_is_done() {
    let bench = Bench::default();
    bench.apply(TWO).await;
    bench.world.tamper("a", |thing| thing.set("size", Value::from(7u64)));
    bench.world.lose("b");
    let (plan, observed) = bench.try_plan(TWO, Mode::RefreshOnly).await.unwrap();
    bench.journal.take();
    bench.carry_out(&plan, &observed).await;
    assert_eq!(bench.calls(), Vec::<String>::new());
    let objects = bench.memory.snapshot().objects;
    let sizes: Vec<_> = objects.values().map(|stored| stored.object.value.member("size").cloned()).collect();
    assert_eq!(sizes, [Some(Value::from(7u64))]);
    let (plan, _) = bench.try_plan(TWO, Mode::RefreshOnly).await.unwrap();
    assert!(plan.is_empty());
}

#[tokio::test]
async fn protection_outlives_its_block() {
    let bench = Bench::default();
    bench.apply(TWO).await;
    let protecting =
        TWO.replace("  name = \"a\"\n", "  name = \"a\"\n  lifecycle {\n    prevent_destroy = true\n  }\n");
    bench.apply(&protecting).await;
    let refused = bench.try_plan("", Mode::Apply).await.unwrap_err();
    assert!(refused.contains("fake_thing.a"), "{refused}");
    bench.apply(TWO).await;
    bench.apply("").await;
    assert_eq!(bench.world.picture(), "");
}

#[tokio::test]
async fn drift_is_recorded_before_anything_else() {
    let bench = Bench::default();
    bench.apply(TWO).await;
    bench.world.tamper("a", |thing| thing.set("zone", "elsewhere".into()));
    bench.world.lose("b");
    bench.apply(TWO).await;
    assert_eq!(bench.journal.take()[..3], ["forget fake_thing.b", "put fake_thing.a", "intend create fake_thing.b"]);
}

#[tokio::test]
async fn other_dependencies_are_remembered_though_nothing_changes() {
    let bench = Bench::default();
    let config = TWO.replace("input = fake_thing.a.id", "");
    bench.apply(&config).await;
    let after = config.replace("name  = \"b\"", "name  = \"b\"\n  depends_on = [fake_thing.a]");
    let (plan, observed) = bench.plan(&after).await;
    assert!(plan.is_empty() && bimetal_apply::has_work(&plan, &observed.resolved, &*bench.world));
    bench.apply(&after).await;
    bench.destroy(&after).await;
    assert_eq!(bench.calls(), ["delete fake_thing.b", "delete fake_thing.a"]);
}

/// A run whose promise was kept, and then nothing could be written any more.
async fn interrupted() -> Bench {
    let bench = Bench::default();
    bench.memory.fail_after(1);
    bench.walk(TWO).await;
    bench.memory.fail_after(usize::MAX);
    bench.stop.stop();
    bench
}

#[tokio::test]
async fn what_an_interrupted_run_left_is_remembered_as_it_was_read() {
    let bench = interrupted().await;
    let (plan, mut observed) = bench.plan(TWO).await;
    // Probing has told less than reading.
    let [(_, Some(found))] = observed.resolved.as_mut_slice() else { panic!("{:?}", observed.resolved) };
    found.value = Value::NULL;
    bench.carry_out(&plan, &observed).await;
    let snapshot = bench.memory.snapshot();
    let stored = &snapshot.objects[&"fake_thing.a".parse().unwrap()];
    assert_eq!(stored.object.value.member("name"), Some(&"a".into()));
    assert!(stored.unfinished.is_some() && snapshot.intents.is_empty());
}

#[tokio::test]
async fn what_was_only_probed_is_remembered_in_the_present_version() {
    let bench = interrupted().await;
    let (mut plan, observed) = bench.plan(TWO).await;
    plan.changes.clear();
    bench.carry_out(&plan, &observed).await;
    let snapshot = bench.memory.snapshot();
    assert_eq!(snapshot.objects[&"fake_thing.a".parse().unwrap()].schema_version, 3);
}

#[tokio::test]
async fn what_is_called_otherwise_has_its_new_address_in_state_and_is_not_touched() {
    let thing = |name: &str, rest: &str| format!("resource \"fake_thing\" \"{name}\" {{\n  name = \"x\"\n{rest}}}\n");
    let bench = Bench::default();
    bench
        .apply(
            &(thing("a", "") + "resource \"fake_thing\" \"user\" {\n  name  = \"u\"\n  input = fake_thing.a.id\n}\n"),
        )
        .await;
    let moved = thing("b", "") + "moved {\n  from = fake_thing.a\n  to   = fake_thing.b\n}\n";
    let user = "removed {\n  from = fake_thing.user\n  lifecycle {\n    destroy = false\n  }\n}\n";
    bench.apply(&(moved + user)).await;
    assert_eq!(bench.calls(), Vec::<String>::new());
    let addresses: Vec<String> = bench.memory.snapshot().objects.keys().map(ToString::to_string).collect();
    assert_eq!(addresses, ["fake_thing.b"]);
    assert_eq!(bench.world.picture().lines().count(), 2, "what is forgotten goes on existing");
}
