//! What providers can't say yet while a plan is done.

use bimetal_model::snapshot::RevisionOutcome;

use super::common::{Bench, told};

const CONFIG: &str = r#"
resource "fake_thing" "a" {
  name = "a"
}
data "fake_lookup" "sun" {
  name       = "sun"
  depends_on = [fake_thing.a]
}
resource "fake_thing" "b" {
  name  = "b"
  input = data.fake_lookup.sun.id
}
resource "fake_thing" "c" {
  name  = "c"
  input = fake_thing.b.id
}
resource "fake_thing" "d" {
  name = "d"
}
"#;

#[tokio::test]
async fn what_is_deferred_is_done_by_the_next_apply() {
    let bench = Bench::default();
    let applied = bench.walk(CONFIG).await;
    assert_eq!(bench.calls(), ["create fake_thing.a", "create fake_thing.d", "read data.fake_lookup.sun"]);
    assert_eq!((told(&applied.diagnostics), applied.outcome), (String::new(), RevisionOutcome::Partial));
    assert_eq!((applied.done, applied.failed, applied.skipped, applied.deferred), (2, 0, 0, 3));

    // Planned once more it is deferred from the start, and so is what needs it.
    let (plan, observed) = bench.plan(CONFIG).await;
    let left: Vec<String> =
        plan.left().map(|change| format!("{}: {}", change.address, change.reason.as_ref().unwrap())).collect();
    assert_eq!(
        left,
        [
            "fake_thing.b: deferred, as it needs `data.fake_lookup.sun`",
            "fake_thing.c: deferred, as it needs `fake_thing.b`",
            "data.fake_lookup.sun: deferred: the sun is not up",
        ]
    );
    assert_eq!(bench.carry_out(&plan, &observed).await.deferred, 3);

    let risen = CONFIG.to_owned() + "resource \"fake_thing\" \"sun\" {\n  name = \"sun\"\n}\n";
    bench.walk(&risen).await;
    let applied = bench.apply(&risen).await;
    assert_eq!((applied.done, applied.deferred), (2, 0));
    assert!(bench.plan(&risen).await.0.is_empty());
}

#[tokio::test]
async fn what_is_put_off_for_a_check_is_said_and_nothing_waits() {
    let config = r#"
resource "fake_thing" "a" {
  name = "a"
}
check "c" {
  data "fake_lookup" "sun" {
    name       = "sun"
    depends_on = [fake_thing.a]
  }
  assert {
    condition     = data.fake_lookup.sun.id == "x"
    error_message = "unseen"
  }
}
"#;
    let bench = Bench::default();
    let applied = bench.walk(config).await;
    assert_eq!(applied.outcome, RevisionOutcome::Done);
    let said = told(&applied.diagnostics);
    assert!(said.contains("`data.fake_lookup.sun` can't be read yet") && said.contains("the sun is not up"), "{said}");
}
