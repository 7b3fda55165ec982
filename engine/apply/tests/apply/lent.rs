//! What is ephemeral is opened when it is needed, and kept nowhere.

use bimetal_model::snapshot::RevisionOutcome;

use super::common::Bench;

const CONFIG: &str = r#"
resource "fake_thing" "a" {
  name = "a"
}
ephemeral "fake_token" "t" {
  name = fake_thing.a.id
}
resource "fake_vault" "v" {
  name     = "v"
  password = ephemeral.fake_token.t.id
}
resource "fake_vault" "w" {
  name     = "w"
  password = "of ${ephemeral.fake_token.t.id}"
}
"#;

fn told(bench: &Bench) -> Vec<String> {
    bench.journal.take().into_iter().filter(|line| line.contains(" is told ") || line.starts_with("open ")).collect()
}

#[tokio::test]
async fn it_is_opened_once_what_it_needs_is_there() {
    let bench = Bench::default();
    let applied = bench.apply(CONFIG).await;
    assert_eq!((applied.done, applied.tally.add), (3, 3), "to open is no change");
    let told = told(&bench);
    assert_eq!(told[0], "open ephemeral.fake_token.t", "{told:?}");
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.contains(&"fake_vault.w is told of hush id-1".to_owned()), "{told:?}");
    let snapshot = serde_json::to_string(&bench.memory.snapshot()).unwrap();
    assert!(!snapshot.contains("hush"), "{snapshot}");
    assert!(bench.plan(CONFIG).await.0.is_empty());
}

#[tokio::test]
async fn what_can_not_be_opened_yet_puts_off_who_needs_it() {
    let config = CONFIG.replace("fake_thing.a.id", "\"sun\"");
    let bench = Bench::default();
    let applied = bench.walk(&config).await;
    assert_eq!((applied.done, applied.deferred, applied.outcome), (1, 2, RevisionOutcome::Partial));
}

#[tokio::test]
async fn a_provider_is_configured_with_what_was_opened() {
    let config = r#"
resource "fake_thing" "there" {
  name = "there"
}
ephemeral "fake_token" "t" {
  name = fake_thing.there.id
}
provider "far" {
  endpoint = ephemeral.fake_token.t.name
}
resource "far_thing" "f" {
  name = "f"
}
"#;
    let bench = Bench::default();
    bench.apply(config).await;
    assert!(bench.world.picture().contains("far_thing f"), "{}", bench.world.picture());
}
