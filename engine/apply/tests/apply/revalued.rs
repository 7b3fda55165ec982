//! Arguments that are known only while applying, and plans that are made again with them.

use bimetal_model::snapshot::RevisionOutcome;

use super::common::{Bench, told};

const CHAIN: &str = r#"
resource "fake_thing" "a" {
  name = "a"
}
resource "fake_thing" "b" {
  name  = "b"
  kind  = "of ${fake_thing.a.id}"
  input = fake_thing.a.id
}
"#;

#[tokio::test]
async fn what_was_unknown_is_real_when_it_is_used() {
    let bench = Bench::default();
    bench.apply(CHAIN).await;
    assert_eq!(bench.world.picture().lines().last(), Some("fake_thing b kind=\"of id-1\" zone=\"z\" input=a"));
    let (plan, _) = bench.plan(CHAIN).await;
    assert!(plan.is_empty());
}

#[tokio::test]
async fn a_data_source_that_waits_is_read_while_applying() {
    let config = r#"
resource "fake_thing" "a" {
  name = "a"
}
data "fake_lookup" "l" {
  name       = "a"
  depends_on = [fake_thing.a]
}
resource "fake_thing" "b" {
  name  = "b"
  input = data.fake_lookup.l.id
}
"#;
    let bench = Bench::default();
    let applied = bench.apply(config).await;
    assert_eq!(bench.calls(), ["create fake_thing.a", "read data.fake_lookup.l", "create fake_thing.b"]);
    assert_eq!((applied.done, applied.tally.add), (3, 2), "reading adds nothing");
    let (plan, observed) = bench.plan(config).await;
    assert!(!bimetal_apply::has_work(&plan, &observed.resolved, &*bench.world));
    bench.destroy(config).await;
    assert_eq!(bench.calls(), ["delete fake_thing.b", "delete fake_thing.a"]);
}

#[tokio::test]
async fn what_is_read_for_a_check_fails_without_harm() {
    let config = r#"
resource "fake_thing" "a" {
  name = "a"
}
check "c" {
  data "fake_lookup" "l" {
    name = "not ${fake_thing.a.id}"
  }
  assert {
    condition     = data.fake_lookup.l.id == ""
    error_message = "unseen"
  }
}
"#;
    let bench = Bench::default();
    let (plan, observed) = bench.plan(config).await;
    let applied = bench.carry_out(&plan, &observed).await;
    assert_eq!(told(&applied.diagnostics), "data.fake_lookup.l: there is no `not id-1`");
    assert_eq!((applied.failed, applied.outcome), (0, RevisionOutcome::Done));
}

#[tokio::test]
async fn a_provider_that_changes_its_mind_is_refused() {
    let bench = Bench::default();
    bench.world.whim("fake_thing.b", "zone", "north");
    let (plan, observed) = bench.plan(CHAIN).await;
    bench.world.whim("fake_thing.b", "zone", "south");
    let applied = bench.carry_out(&plan, &observed).await;
    assert_eq!(told(&applied.diagnostics), "fake_thing.b: `zone` is not what was approved any more");
    assert_eq!((applied.done, applied.failed, applied.outcome), (1, 1, RevisionOutcome::Partial));
    assert_eq!(bench.world.picture(), "fake_thing a zone=\"z\"");
}

#[tokio::test]
async fn what_was_approved_as_a_change_in_place_stays_one() {
    let bench = Bench::default();
    bench.apply(CHAIN).await;
    let (plan, observed) = bench.plan(&CHAIN.replace("name = \"a\"", "name = \"a\"\n  size = 2")).await;
    bench.world.stubborn("fake_thing.a", "size");
    let applied = bench.carry_out(&plan, &observed).await;
    assert_eq!(told(&applied.diagnostics), "fake_thing.a: `size` is not what was approved any more");
}

#[tokio::test]
async fn a_provider_may_not_decide_what_its_schema_leaves_to_the_user() {
    let bench = Bench::default();
    let (plan, observed) = bench.plan(CHAIN).await;
    bench.world.whim("fake_thing.b", "kind", "what it likes");
    let applied = bench.carry_out(&plan, &observed).await;
    assert_eq!(
        told(&applied.diagnostics),
        "fake_thing.b: provider `fake` has a bug: its plan for `fake_thing` is not what was asked for \
         (`kind` may not differ from the configuration, as the schema does not say computed)"
    );
}

#[tokio::test]
async fn what_is_ignored_is_ignored_too_when_it_is_evaluated_again() {
    let config = |size: u64, kind: &str| {
        format!(
            "resource \"fake_thing\" \"a\" {{\n  name = \"a\"\n  kind = \"{kind}\"\n}}\n\
             resource \"fake_thing\" \"b\" {{\n  name = \"b\"\n  size = {size}\n  input = fake_thing.a.id\n  \
             lifecycle {{\n    ignore_changes = [size]\n  }}\n}}"
        )
    };
    let bench = Bench::default();
    bench.apply(&config(1, "x")).await;
    bench.world.tamper("b", |thing| thing.set("size", 7u64.into()));
    // `b` is changed with an argument that only applying tells, as `a` is made anew beside it.
    let moved = config(2, "x").replace("fake_thing.a.id", "fake_thing.n.id")
        + "\nresource \"fake_thing\" \"n\" {\n  name = \"n\"\n}";
    bench.apply(&moved).await;
    assert!(bench.world.picture().contains("fake_thing b size=7 zone=\"z\" input=n"), "{}", bench.world.picture());
    let (plan, _) = bench.plan(&moved).await;
    assert!(plan.is_empty());
}
