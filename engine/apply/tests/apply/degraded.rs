//! Machines that fail, and how many may.

use bimetal_model::snapshot::RevisionOutcome;
use bimetal_plan::Mode;

use super::common::{Bench, Turn, told};

/// Four machines, and two things on each.
fn fleet(budget: &str, size: u8) -> String {
    format!(
        r#"
machine "fake" "m" {{
  for_each = toset(["a", "b", "c", "d"])
  name     = each.key
  platform = "linux/amd64"
}}
pool "all" {{
  machines       = [machine.fake.m]
  failure_budget = {budget}
}}
resource "fake_thing" "v" {{
  for_each = machine.fake.m
  name     = "v-${{each.key}}"
  size     = {size}
  engine   = each.value.engine
}}
resource "fake_thing" "w" {{
  for_each = machine.fake.m
  name     = "w-${{each.key}}"
  size     = {size}
  engine   = each.value.engine
}}
"#
    )
}

fn of_b(bench: &Bench) -> Vec<String> {
    bench.world.picture().lines().filter(|line| line.contains("-b ")).map(str::to_owned).collect()
}

#[tokio::test]
async fn one_that_fails_leaves_out_what_is_to_be_done_there() {
    let bench = Bench { parallelism: 1, ..Bench::default() };
    bench.world.script("fake_thing.v[\"b\"]", [Turn::Fail]);
    let applied = bench.walk(&fleet("1", 1)).await;
    assert_eq!((applied.done, applied.failed, applied.skipped), (10, 1, 1));
    assert_eq!(applied.outcome, RevisionOutcome::Partial);
    assert_eq!(
        told(&applied.diagnostics),
        "fake_thing.v[\"b\"]: no\n\
         machine.fake.m[\"b\"]: `machine.fake.m[\"b\"]` failed, and what was not begun there is left out"
    );
    assert!(!bimetal_model::diagnostic::has_errors(&applied.diagnostics), "these are warnings");
    assert!(bench.events.take().contains(&"machine.fake.m[\"b\"] is degraded: no".to_owned()));
    let applied = bench.apply(&fleet("1", 1)).await;
    assert_eq!((applied.done, of_b(&bench).len()), (2, 2));
}

#[tokio::test]
async fn where_too_many_fail_nothing_more_is_begun() {
    let bench = Bench { parallelism: 1, ..Bench::default() };
    for machine in ["a", "b"] {
        bench.world.script(&format!("fake_thing.v[\"{machine}\"]"), [Turn::Fail]);
    }
    let applied = bench.walk(&fleet("\"25%\"", 1)).await;
    assert_eq!((applied.done, applied.failed, applied.skipped), (4, 2, 6));
    assert_eq!(applied.outcome, RevisionOutcome::Partial);
    let said = told(&applied.diagnostics);
    assert!(said.contains("2 of the 4 machines of `pool.all` failed, and 1 may"), "{said}");
    assert!(bimetal_model::diagnostic::has_errors(&applied.diagnostics));
    let applied = bench.apply(&fleet("\"25%\"", 1)).await;
    assert_eq!(applied.done, 8);
}

#[tokio::test]
async fn without_a_budget_a_failure_holds_up_only_who_needs_what_failed() {
    let bench = Bench { parallelism: 1, ..Bench::default() };
    for machine in ["a", "b"] {
        bench.world.script(&format!("fake_thing.v[\"{machine}\"]"), [Turn::Fail]);
    }
    let applied = bench.walk(&fleet("null", 1)).await;
    assert_eq!((applied.done, applied.failed, applied.skipped), (10, 2, 0));
    assert_eq!(told(&applied.diagnostics), "fake_thing.v[\"a\"]: no\nfake_thing.v[\"b\"]: no");
}

#[tokio::test]
async fn one_that_does_not_answer_is_left_as_it_is() {
    let bench = Bench::default();
    bench.apply(&fleet("1", 1)).await;
    let before = of_b(&bench);
    bench.world.silence(&["machine.fake.m[\"b\"]", "fake_thing.v[\"b\"]", "fake_thing.w[\"b\"]"]);
    let applied = bench.walk(&fleet("1", 2)).await;
    assert_eq!((applied.done, applied.failed, applied.skipped), (6, 0, 2));
    assert_eq!((applied.outcome, told(&applied.diagnostics)), (RevisionOutcome::Partial, String::new()));
    assert_eq!(of_b(&bench), before);
    let calls = bench.calls();
    assert!(!calls.iter().any(|call| call.contains("[\"b\"]")), "{calls:?}");

    // Nothing is wanted of it any more than there is.
    let (plan, observed) =
        bench.plan(&fleet("1", 1).replace("size     = 1", "size     = each.key == \"b\" ? 1 : 2")).await;
    assert_eq!((plan.is_empty(), plan.left().count(), plan.degraded.len()), (true, 0, 1));
    assert!(!bimetal_apply::has_work(&plan, &observed.resolved, &*bench.world));

    bench.world.silence(&[]);
    bench.apply(&fleet("1", 2)).await;
    assert!(of_b(&bench).iter().all(|line| line.contains("size=2")));
}

#[tokio::test]
async fn more_than_may_be_silent_end_the_run_before_it_begins() {
    let bench = Bench::default();
    bench.apply(&fleet("1", 1)).await;
    bench.world.silence(&["machine.fake.m[\"b\"]", "machine.fake.m[\"c\"]"]);
    let said = bench.try_plan(&fleet("1", 2), Mode::Apply).await.unwrap_err();
    assert!(said.contains("2 of the 4 machines of `pool.all` do not answer, and 1 may"), "{said}");
    for budget in ["0", "null"] {
        let said = bench.try_plan(&fleet(budget, 2), Mode::Apply).await.unwrap_err();
        assert!(said.starts_with("machine.fake.m[\"b\"]: nobody answers"), "{said}");
    }
    let said = bench.try_plan(&fleet("\"many\"", 2), Mode::Apply).await.unwrap_err();
    assert!(said.contains("this is no failure budget"), "{said}");
}

#[tokio::test]
async fn destroying_leaves_what_does_not_answer() {
    let bench = Bench::default();
    bench.apply(&fleet("1", 1)).await;
    bench.world.silence(&["machine.fake.m[\"b\"]", "fake_thing.v[\"b\"]", "fake_thing.w[\"b\"]"]);
    let applied = bench.destroy(&fleet("1", 1)).await;
    assert_eq!((applied.done, applied.skipped, applied.outcome), (9, 3, RevisionOutcome::Partial));
    assert_eq!(bench.memory.snapshot().objects.len(), 3);
    bench.world.silence(&[]);
    bench.destroy(&fleet("1", 1)).await;
    assert_eq!(bench.world.picture(), "");
}

/// Without the things that came last.
fn smaller(config: &str) -> &str {
    config.split("resource \"fake_thing\" \"w\"").next().unwrap()
}

#[tokio::test]
async fn what_a_silent_machine_may_have_is_not_made_elsewhere_nor_twice() {
    let config = fleet("1", 1);
    let silent = ["machine.fake.m[\"b\"]", "fake_thing.v[\"b\"]", "fake_thing.w[\"b\"]"];
    let mut met = 0;
    for last in 1..60 {
        let bench = Bench::default();
        bench.apply(smaller(&config)).await;
        bench.fuse.set(Some(last));
        let run = async {
            let (plan, observed) = bench.plan(&config).await;
            bench.carry_out(&plan, &observed).await
        };
        bench.fuse.burn_down(run).await;
        bench.fuse.set(None);
        let mut open = bench.memory.snapshot().intents;
        open.retain(|intent| silent.contains(&&*intent.address.to_string()));
        if open.is_empty() {
            continue;
        }
        met += 1;
        bench.world.silence(&silent);
        let applied = bench.walk(&config).await;
        assert_eq!((told(&applied.diagnostics), applied.skipped), (String::new(), 1), "cut off at {last}");
        assert_eq!(bench.memory.snapshot().intents, open, "whoever can tell is asked later");
        bench.world.silence(&[]);
        bench.apply(&config).await;
        assert_eq!(bench.memory.snapshot().intents, []);
        assert_eq!(of_b(&bench).len(), 2);
    }
    assert!(met > 5, "{met} times");
}
