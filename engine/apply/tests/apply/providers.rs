//! Providers whose blocks refer to objects: who makes, changes and removes something, and when it can.

use super::common::{Bench, Turn, told};

const SITE: &str = r#"
resource "fake_thing" "site" {
  name = "site"
  kind = "old"
}
provider "far" {
  endpoint = fake_thing.site.id
}
resource "far_thing" "a" {
  name = "a"
}
resource "far_thing" "b" {
  name = "b"
}
"#;

fn without_b(config: &str) -> String {
    config.replace("resource \"far_thing\" \"b\" {\n  name = \"b\"\n}\n", "")
}

#[tokio::test]
async fn a_provider_is_configured_with_what_was_made_meanwhile() {
    let bench = Bench::default();
    bench.apply(SITE).await;
    assert_eq!(
        bench.world.picture(),
        "fake_thing site kind=\"old\" zone=\"z\"\nfar_thing a zone=\"z\" at=site\nfar_thing b zone=\"z\" at=site"
    );
    let (plan, observed) = bench.plan(SITE).await;
    assert!(!bimetal_apply::has_work(&plan, &observed.resolved, &*bench.world));
}

#[tokio::test]
async fn what_is_removed_is_reached_where_it_is() {
    let bench = Bench::default();
    let site = SITE.replace("name = \"a\"", "name = \"a\"\n  kind = fake_thing.site.id");
    bench.apply(&site).await;
    // The site is made anew: `b` is removed where it was, and what its provider will be told is not known yet.
    let moved = without_b(&site).replace("\"old\"", "\"new\"");
    let (plan, observed) = bench.plan(&moved).await;
    bench.journal.take();
    let applied = bench.carry_out_saved(&plan, &observed).await;
    assert_eq!(told(&applied.diagnostics), "");
    let calls = ["delete far_thing.a", "delete far_thing.b", "delete fake_thing.site"];
    assert_eq!(bench.calls()[..3], calls);
    let picture = bench.world.picture();
    assert!(picture.starts_with("fake_thing site kind=\"new\" zone=\"z\"\nfar_thing a kind="), "{picture}");
    assert_eq!(picture.lines().count(), 2);
}

#[tokio::test]
async fn all_is_destroyed_through_a_provider_that_goes_too() {
    let bench = Bench::default();
    bench.apply(SITE).await;
    bench.destroy(SITE).await;
    assert_eq!(bench.calls(), ["delete far_thing.a", "delete far_thing.b", "delete fake_thing.site"]);
}

#[tokio::test]
async fn what_a_failed_removal_needs_can_still_be_reached() {
    let bench = Bench::default();
    bench.apply(SITE).await;
    bench.world.script("far_thing.a", [Turn::Fail]);
    bench.destroy(SITE).await;
    assert_eq!(bench.world.picture(), "fake_thing site kind=\"old\" zone=\"z\"\nfar_thing a zone=\"z\" at=site");
    bench.destroy(SITE).await;
    assert_eq!(bench.world.picture(), "");
}

#[tokio::test]
async fn without_its_provider_nothing_is_removed() {
    let bench = Bench::default();
    bench.apply(SITE).await;
    let gone = without_b(SITE)
        .replace("provider \"far\" {\n  endpoint = fake_thing.site.id\n}\n", "")
        .replace("resource \"far_thing\" \"a\" {\n  name = \"a\"\n}\n", "");
    let objects = bench.memory.snapshot().objects;
    let (configs, said) = bimetal_plan::provider_configs(
        &super::common::read(&gone),
        &objects,
        &objects,
        &std::collections::BTreeMap::new(),
        &*bench.world,
    );
    assert_eq!(configs.len(), 1);
    assert_eq!(told(&said), "provider `far` needs `endpoint` (`far_thing.a`, `far_thing.b` were made with it)");
}

#[tokio::test]
async fn who_is_moved_to_another_block_of_its_provider_is_remembered_there() {
    let bench = Bench::default();
    let with = |key: &str| {
        format!("{SITE}\nprovider \"far\" {{\n  alias = \"other\"\n  endpoint = fake_thing.site.id\n}}")
            .replace("name = \"a\"", &format!("provider = {key}\n  name = \"a\""))
    };
    bench.apply(&with("far")).await;
    let (plan, observed) = bench.plan(&with("far.other")).await;
    assert!(plan.is_empty(), "nothing changes in the world");
    assert!(bimetal_apply::has_work(&plan, &observed.resolved, &*bench.world));
    bench.carry_out(&plan, &observed).await;
    let stored = bench.memory.snapshot().objects[&"far_thing.a".parse().unwrap()].clone();
    assert_eq!(stored.provider.to_string(), "far.other");
    let (plan, observed) = bench.plan(&with("far.other")).await;
    assert!(!bimetal_apply::has_work(&plan, &observed.resolved, &*bench.world));
}
