//! What falls with a failure, and what is kept of it.

use bimetal_model::snapshot::RevisionOutcome;

use super::common::{Bench, Turn, told};

/// `b` and `c` need `a`, `d` needs `b`, and `e` needs nothing.
const TREE: &str = r#"
resource "fake_thing" "a" {
  name = "a"
}
resource "fake_thing" "b" {
  name  = "b"
  input = fake_thing.a.id
}
resource "fake_thing" "c" {
  name  = "c"
  input = fake_thing.a.id
}
resource "fake_thing" "d" {
  name  = "d"
  input = fake_thing.b.id
}
resource "fake_thing" "e" {
  name = "e"
}
"#;

#[tokio::test]
async fn who_needs_what_failed_is_skipped_and_the_rest_goes_on() {
    let bench = Bench::default();
    bench.world.script("fake_thing.b", [Turn::Fail]);
    let applied = bench.walk(TREE).await;
    assert_eq!((applied.done, applied.failed, applied.skipped), (3, 1, 1));
    assert_eq!(applied.outcome, RevisionOutcome::Partial);
    assert_eq!(told(&applied.diagnostics), "fake_thing.b: no");
    let heard = bench.events.take();
    assert!(heard.contains(&"fake_thing.d is skipped because of fake_thing.b".to_owned()), "{heard:?}");
    assert_eq!(bench.world.picture().lines().count(), 3);
    let applied = bench.apply(TREE).await;
    assert_eq!((applied.done, applied.outcome), (2, RevisionOutcome::Done));
}

#[tokio::test]
async fn where_nothing_was_done_the_revision_failed() {
    let bench = Bench::default();
    bench.world.script("fake_thing.a", [Turn::Fail]);
    bench.world.script("fake_thing.e", [Turn::Fail]);
    let applied = bench.walk(TREE).await;
    assert_eq!((applied.done, applied.failed, applied.skipped), (0, 2, 3));
    assert_eq!(applied.outcome, RevisionOutcome::Failed);
}

#[tokio::test]
async fn what_a_failed_creation_left_is_kept_and_finished() {
    let bench = Bench::default();
    bench.world.script("fake_thing.a", [Turn::FailHalf]);
    bench.walk(TREE).await;
    assert!(bench.world.picture().contains("fake_thing a half"));
    let snapshot = bench.memory.snapshot();
    assert!(snapshot.objects[&"fake_thing.a".parse().unwrap()].unfinished.is_some());
    assert_eq!(snapshot.intents, []);
    bench.apply(TREE).await;
    assert!(!bench.world.picture().contains("half"));
}

#[tokio::test]
async fn what_a_failed_update_left_is_kept() {
    let bench = Bench::default();
    let two = |size: &str, needed: &str| {
        format!(
            "resource \"fake_thing\" \"a\" {{\n  name = \"a\"\n}}\nresource \"fake_thing\" \"x\" {{\n  name = \"x\"\n}}\n\
             resource \"fake_thing\" \"b\" {{\n  name = \"b\"\n  size = {size}\n  input = fake_thing.{needed}.id\n}}"
        )
    };
    bench.apply(&two("1", "a")).await;
    bench.world.script("fake_thing.b", [Turn::FailHalf]);
    let applied = bench.walk(&two("2", "x")).await;
    assert_eq!((applied.done, applied.failed), (0, 1));
    let snapshot = bench.memory.snapshot();
    let stored = &snapshot.objects[&"fake_thing.b".parse().unwrap()];
    assert_eq!(stored.object.value.member("size"), Some(&2u64.into()));
    assert_eq!((stored.unfinished.as_ref(), snapshot.intents.len()), (None, 0));
    let needed: Vec<_> = stored.depends_on.iter().map(ToString::to_string).collect();
    assert_eq!(needed, ["fake_thing.a", "fake_thing.x"], "it may still need what it needed before");
    bench.apply(&two("2", "x")).await;
    assert!(bench.world.picture().contains("fake_thing b size=2 zone=\"z\" input=x"));
}

#[tokio::test]
async fn a_failed_removal_leaves_what_it_needs() {
    let bench = Bench::default();
    bench.apply(TREE).await;
    bench.world.script("fake_thing.d", [Turn::Fail]);
    let applied = bench.destroy(TREE).await;
    assert_eq!((applied.done, applied.failed, applied.skipped), (2, 1, 2));
    assert_eq!(bench.memory.snapshot().objects.len(), 3);
    assert_eq!(bench.memory.snapshot().intents, []);
    bench.destroy(TREE).await;
    assert_eq!(bench.world.picture(), "");
}

#[tokio::test]
async fn a_replacement_is_one_change_that_adds_one_and_destroys_one() {
    let bench = Bench::default();
    bench.apply(TREE).await;
    let changed = TREE
        .replace("name = \"e\"", "name = \"e\"\n  kind = \"k\"")
        .replace("name  = \"d\"", "name  = \"d\"\n  size = 2");
    let (plan, observed) = bench.plan(&changed).await;
    let applied = bench.carry_out(&plan, &observed).await;
    assert_eq!((applied.done, applied.failed, applied.skipped), (2, 0, 0));
    assert_eq!(applied.tally, bimetal_plan::summary(&plan).all, "what was done is what the plan said");
    assert_eq!((applied.tally.add, applied.tally.change, applied.tally.destroy), (1, 1, 1));
}

#[tokio::test]
async fn what_is_removed_and_can_not_be_made_again_counts_as_destroyed() {
    let bench = Bench::default();
    bench.apply(TREE).await;
    let changed = TREE.replace("name = \"e\"", "name = \"e\"\n  kind = \"k\"");
    let (plan, observed) = bench.plan(&changed).await;
    bench.world.whim("fake_thing.e", "kind", "another");
    let applied = bench.carry_out(&plan, &observed).await;
    assert_eq!((applied.done, applied.failed, applied.skipped), (0, 1, 0));
    assert_eq!((applied.tally.add, applied.tally.destroy), (0, 1));
    assert_eq!(applied.outcome, RevisionOutcome::Partial);
}

#[tokio::test]
async fn a_provider_that_lies_is_told_and_what_it_made_is_kept() {
    let bench = Bench::default();
    bench.world.script("fake_thing.e", [Turn::Lie]);
    let applied = bench.walk(TREE).await;
    assert_eq!(
        told(&applied.diagnostics),
        "fake_thing.e: provider `fake` has a bug: its `fake_thing` is not what was asked for \
         (`kind` became something else than it had planned)"
    );
    assert!(bench.memory.snapshot().objects.contains_key(&"fake_thing.e".parse().unwrap()));
}

#[tokio::test]
async fn where_the_state_can_not_be_written_nothing_more_is_begun() {
    let bench = Bench::default();
    // The intents of `a` and `e`, and then no outcome.
    bench.memory.fail_after(1);
    let applied = bench.walk(TREE).await;
    assert_eq!(told(&applied.diagnostics), "memory: the disk is full");
    assert_eq!(applied.outcome, RevisionOutcome::Partial);
    assert_eq!((applied.done, applied.skipped), (2, 3));
    assert_eq!(bench.calls(), ["create fake_thing.a", "create fake_thing.e"]);
    bench.memory.fail_after(usize::MAX);
    bench.apply(TREE).await;
    assert_eq!(bench.world.picture().lines().count(), 5, "what was made is found, and not made twice");
}

#[tokio::test]
async fn without_a_promise_nothing_is_done() {
    let bench = Bench::default();
    bench.memory.fail_after(0);
    let applied = bench.walk(TREE).await;
    assert_eq!((applied.done, applied.failed, applied.skipped), (0, 0, 5));
    assert_eq!((applied.outcome, bench.calls()), (RevisionOutcome::Failed, vec![]));
}

#[tokio::test]
async fn what_is_not_as_its_postcondition_wants_it_is_kept_and_holds_up_who_needs_it() {
    let config = r#"
resource "fake_thing" "a" {
  name = "a"
  lifecycle {
    postcondition {
      condition     = self.id == "b"
      error_message = "the id is ${self.id}"
    }
  }
}
resource "fake_thing" "c" {
  name  = "c"
  input = fake_thing.a.id
}
"#;
    let bench = Bench::default();
    let applied = bench.walk(config).await;
    assert_eq!(told(&applied.diagnostics), "fake_thing.a: a postcondition does not hold (the id is id-1)");
    assert_eq!((applied.failed, applied.skipped, bench.calls()), (1, 1, vec!["create fake_thing.a".to_owned()]));
    assert!(bench.memory.snapshot().objects.contains_key(&"fake_thing.a".parse().unwrap()));
}

#[tokio::test]
async fn what_a_check_finds_is_a_warning() {
    let config = r#"
resource "fake_thing" "a" {
  name = "a"
}
check "id" {
  assert {
    condition     = fake_thing.a.id == "b"
    error_message = "the id is ${fake_thing.a.id}"
  }
}
"#;
    let bench = Bench::default();
    let applied = bench.walk(config).await;
    assert_eq!(told(&applied.diagnostics), "check `id` fails (the id is id-1)");
    assert_eq!((applied.outcome, applied.done), (RevisionOutcome::Done, 1));
}
