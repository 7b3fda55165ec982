//! What comes before what, and what may happen at the same time.

use std::time::Duration;

use tokio::time::Instant;

use super::common::{Bench, Turn, told};

/// `c` needs `b`, which needs `a`.
const CHAIN: &str = r#"
resource "fake_thing" "c" {
  name  = "c"
  input = fake_thing.b.id
}
resource "fake_thing" "b" {
  name  = "b"
  input = fake_thing.a.id
}
resource "fake_thing" "a" {
  name = "a"
}
"#;

#[tokio::test]
async fn what_is_needed_is_made_first_and_removed_last() {
    let bench = Bench::default();
    bench.apply(CHAIN).await;
    assert_eq!(bench.calls(), ["create fake_thing.a", "create fake_thing.b", "create fake_thing.c"]);
    assert_eq!(
        bench.world.picture(),
        "fake_thing a zone=\"z\"\nfake_thing b zone=\"z\" input=a\nfake_thing c zone=\"z\" input=b"
    );
    bench.destroy(CHAIN).await;
    assert_eq!(bench.calls(), ["delete fake_thing.c", "delete fake_thing.b", "delete fake_thing.a"]);
    assert_eq!(bench.world.picture(), "");
    assert!(bench.memory.snapshot().objects.is_empty());
}

#[tokio::test]
async fn updates_come_in_the_order_of_what_they_need() {
    let bench = Bench::default();
    bench.apply(CHAIN).await;
    bench.apply(&CHAIN.replace("name ", "size = 2\n  name ")).await;
    assert_eq!(bench.calls(), ["update fake_thing.a", "update fake_thing.b", "update fake_thing.c"]);
}

#[tokio::test]
async fn a_replacement_is_removed_before_it_is_made_and_so_is_who_needs_it() {
    let bench = Bench::default();
    // Who is replaced along with what it needs: `kind` can't be changed in place.
    let config = |kind: &str| {
        CHAIN
            .replace("name = \"a\"", &format!("name = \"a\"\n  kind = \"{kind}\""))
            .replace("name  = \"b\"", "name = \"b\"\n  kind = fake_thing.a.id")
    };
    bench.apply(&config("old")).await;
    let applied = bench.walk(&config("new")).await;
    // `c` is only changed, and `b` can't go while `c` has its id: the world says so.
    assert_eq!(
        (applied.done, applied.failed, applied.skipped, bench.calls()),
        (0, 1, 2, vec!["delete fake_thing.b".to_owned()])
    );
    let without_c = config("new").replace("input = fake_thing.b.id", "");
    bench.apply(&without_c.replace("\"new\"", "\"old\"")).await;
    bench.apply(&without_c).await;
    assert_eq!(
        bench.calls(),
        ["delete fake_thing.b", "delete fake_thing.a", "create fake_thing.a", "create fake_thing.b"]
    );
}

/// `a` and what it needs take the place of what is there; `c` is changed, `d` made anew, both as `a` has another id.
const FIRST: &str = r#"
resource "fake_thing" "base" {
  name = "base-old"
  kind = "old"
}
resource "fake_thing" "a" {
  name = "a-old"
  kind = fake_thing.base.id
  lifecycle {
    create_before_destroy = true
  }
}
resource "fake_thing" "c" {
  name  = "c"
  input = fake_thing.a.id
}
resource "fake_thing" "d" {
  name = "d"
  kind = fake_thing.a.id
}
"#;

#[tokio::test]
async fn what_is_made_first_is_removed_once_all_have_turned() {
    let bench = Bench::default();
    bench.apply(FIRST).await;
    bench.apply(&FIRST.replace("old\"", "new\"")).await;
    let calls = bench.calls();
    let at = |call: &str| calls.iter().position(|one| one == call).unwrap_or_else(|| panic!("{call}: {calls:?}"));
    assert!(at("create fake_thing.base") < at("create fake_thing.a"), "{calls:?}");
    assert!(at("create fake_thing.a") < at("update fake_thing.c"), "{calls:?}");
    assert!(at("delete fake_thing.d") < at("create fake_thing.d"), "{calls:?}");
    assert!(at("update fake_thing.c") < at("delete fake_thing.a.deposed[0]"), "{calls:?}");
    assert!(at("create fake_thing.d") < at("delete fake_thing.a.deposed[0]"), "{calls:?}");
    assert!(at("delete fake_thing.a.deposed[0]") < at("delete fake_thing.base.deposed[0]"), "{calls:?}");
    assert_eq!(bench.memory.snapshot().objects.len(), 4);
}

#[tokio::test]
async fn who_can_t_be_made_leaves_what_is_there() {
    let bench = Bench::default();
    let first = FIRST.split("resource \"fake_thing\" \"d\"").next().unwrap();
    bench.apply(first).await;
    let picture = bench.world.picture();
    bench.world.script("fake_thing.base", [Turn::Fail]);
    let applied = bench.walk(&first.replace("old\"", "new\"")).await;
    assert_eq!((applied.done, applied.failed, bench.calls()), (0, 1, vec!["create fake_thing.base".to_owned()]));
    assert_eq!(bench.world.picture(), picture);
    // It is what it was, and whoever asks for what was there has nothing to do.
    let (plan, _) = bench.plan(first).await;
    assert_eq!(plan.effects().count(), 0);
    assert_eq!(plan.moved.len(), 1);
    bench.apply(first).await;
    assert_eq!(bench.calls(), [] as [&str; 0]);
    assert_eq!(bench.memory.snapshot().objects.len(), 3);
}

#[tokio::test]
async fn who_needs_it_no_more_is_changed_before_something_goes() {
    let bench = Bench::default();
    bench.apply(CHAIN).await;
    let without_a =
        CHAIN.replace("input = fake_thing.a.id", "").replace("resource \"fake_thing\" \"a\" {\n  name = \"a\"\n}", "");
    bench.apply(&without_a).await;
    assert_eq!(bench.calls(), ["update fake_thing.b", "delete fake_thing.a"]);
}

fn many(ty: &str, count: usize) -> String {
    format!("resource \"{ty}\" \"m\" {{\n  count = {count}\n  name  = \"m${{count.index}}\"\n}}")
}

#[tokio::test(start_paused = true)]
async fn what_does_not_wait_for_each_other_happens_at_the_same_time() {
    let bench = Bench { parallelism: 4, ..Bench::default() };
    bench.world.effects_take(Duration::from_secs(1));
    let start = Instant::now();
    bench.apply(&many("fake_thing", 10)).await;
    assert_eq!(start.elapsed().as_secs(), 3, "four, four and two");
    assert_eq!(bench.world.effects_take(Duration::ZERO), 4);
}

#[tokio::test(start_paused = true)]
async fn objects_are_counted_and_not_calls() {
    let bench = Bench { parallelism: 4, ..Bench::default() };
    bench.world.effects_take(Duration::from_secs(1));
    let start = Instant::now();
    bench.apply(&many("fake_many", 10)).await;
    assert_eq!(start.elapsed().as_secs(), 3, "four, four and two");
    assert_eq!(bench.world.effects_take(Duration::ZERO), 4);
}

#[tokio::test]
async fn a_call_makes_as_many_as_its_type_takes() {
    let bench = Bench::default();
    bench
        .apply(&format!(
            "{}\nresource \"fake_thing\" \"t\" {{\n  count = 2\n  name = \"t${{count.index}}\"\n}}",
            many("fake_many", 7)
        ))
        .await;
    assert_eq!(
        bench.calls(),
        [
            "create fake_many.m[0], fake_many.m[1], fake_many.m[2]",
            "create fake_many.m[3], fake_many.m[4], fake_many.m[5]",
            "create fake_many.m[6]",
            "create fake_thing.t[0]",
            "create fake_thing.t[1]",
        ]
    );
}

#[tokio::test]
async fn only_creations_share_a_call() {
    let bench = Bench::default();
    bench.apply(&many("fake_many", 2)).await;
    bench.apply(&many("fake_many", 2).replace("name ", "size = 2\n  name ")).await;
    assert_eq!(bench.calls(), ["update fake_many.m[0]", "update fake_many.m[1]"]);
    bench.apply("").await;
    assert_eq!(bench.calls(), ["delete fake_many.m[0]", "delete fake_many.m[1]"]);
}

#[tokio::test]
async fn what_waits_for_itself_is_told() {
    let bench = Bench::default();
    let (mut plan, observed) = bench.plan(CHAIN).await;
    let first = plan.changes.iter_mut().find(|change| change.address.name == "a").unwrap();
    first.depends_on.push("fake_thing.c".parse().unwrap());
    let applied = bench.carry_out(&plan, &observed).await;
    let circle = "these wait for each other: `fake_thing.a`, `fake_thing.b`, `fake_thing.c`";
    assert_eq!(told(&applied.diagnostics), format!("fake_thing.a: {circle}"));
    assert_eq!((applied.done, applied.failed, applied.skipped), (0, 0, 3));
}

/// `c` ceases to need `b`, which goes, and needs `a` instead, which is made anew: `b` would have to go before `a`, and `c` be changed after
/// it.
#[tokio::test]
async fn who_ceases_to_need_something_does_not_hold_up_what_it_needs_now() {
    let thing =
        |name: &str, rest: &str| format!("resource \"fake_thing\" \"{name}\" {{\n  name = \"{name}\"\n  {rest}\n}}\n");
    let needs = |other: &str| format!("depends_on = [fake_thing.{other}]");
    let bench = Bench::default();
    bench.apply(&[thing("a", "kind = \"0\""), thing("b", &needs("a")), thing("c", &needs("b"))].concat()).await;
    bench.apply(&[thing("a", "kind = \"1\""), thing("c", &format!("size = 1\n  {}", needs("a")))].concat()).await;
    assert_eq!(
        bench.calls(),
        ["delete fake_thing.b", "delete fake_thing.a", "create fake_thing.a", "update fake_thing.c"]
    );
}
