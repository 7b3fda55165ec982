//! What providers are told and nobody keeps.

use super::common::Bench;

const CONFIG: &str = r#"
resource "fake_vault" "v" {
  name     = "v"
  size     = 1
  password = "hush"
}
"#;

fn is_nowhere(bench: &Bench) {
    let snapshot = serde_json::to_string(&bench.memory.snapshot()).unwrap();
    assert!(!snapshot.contains("hush"), "{snapshot}");
}

#[tokio::test]
async fn it_is_told_when_something_is_made_or_changed_and_kept_nowhere() {
    let bench = Bench::default();
    let (plan, observed) = bench.plan(CONFIG).await;
    let saved = serde_json::to_string(&plan.changes).unwrap();
    assert!(!saved.contains("hush"), "{saved}");
    bench.journal.take();
    bench.carry_out_saved(&plan, &observed).await;
    assert_eq!(heard(&bench), ["fake_vault.v is told hush"]);
    is_nowhere(&bench);
    assert!(bench.plan(CONFIG).await.0.is_empty());
    assert!(bench.plan(&CONFIG.replace("hush", "hushed")).await.0.is_empty(), "a change of it alone is none");

    bench.apply(&CONFIG.replace("1", "2").replace("hush", "hushed")).await;
    assert_eq!(heard(&bench), ["fake_vault.v is told hushed"]);
    is_nowhere(&bench);
}

#[tokio::test]
async fn a_promise_does_not_hold_it_and_is_kept_all_the_same() {
    let bench = Bench::default();
    bench.world.script("fake_vault.v", [super::common::Turn::Fail]);
    bench.walk(CONFIG).await;
    let promised = bench.memory.snapshot().intents;
    assert_eq!(promised.len(), 1);
    is_nowhere(&bench);
    let (plan, observed) = bench.plan(CONFIG).await;
    bench.carry_out(&plan, &observed).await;
    let made = bench.world.intents();
    assert_eq!(made, [promised[0].id.0.clone()], "it is promised once more under its id");
}

fn heard(bench: &Bench) -> Vec<String> {
    bench.journal.take().into_iter().filter(|line| line.contains(" is told ")).collect()
}
