//! What holds for all configurations, states and failures: the end is what the plan says, in an order that may be.

use std::collections::BTreeSet;

use bimetal_model::diagnostic::has_errors;
use proptest::prelude::*;

use super::common::{Bench, Turn, told};

/// One of the things of a random configuration.
#[derive(Clone, Debug)]
struct Node {
    is_there: bool,
    /// Another one can't be had in place.
    kind: u8,
    size: u8,
    is_first: bool,
    /// It needs the one so far before it, if there is one.
    needs: usize,
}

fn node() -> impl Strategy<Value = Node> {
    let parts = (prop::bool::weighted(0.8), 0..2u8, 0..3u8, prop::bool::weighted(0.3), 0..4usize);
    parts.prop_map(|(is_there, kind, size, is_first, needs)| Node { is_there, kind, size, is_first, needs })
}

fn nodes() -> impl Strategy<Value = Vec<Node>> {
    prop::collection::vec(node(), 6)
}

/// What a node needs.
fn needed(nodes: &[Node], place: usize) -> Option<usize> {
    let node = &nodes[place];
    place.checked_sub(node.needs).filter(|needed| node.needs > 0 && nodes[*needed].is_there)
}

fn text(nodes: &[Node]) -> String {
    let mut text = String::new();
    for (place, node) in nodes.iter().enumerate().filter(|(_, node)| node.is_there) {
        // No two things of one name can be.
        text += &format!(
            "resource \"fake_thing\" \"n{place}\" {{\n  name = \"n{place}\"\n  kind = \"{}\"\n  size = {}\n",
            node.kind, node.size
        );
        if let Some(needed) = needed(nodes, place) {
            text += &format!("  depends_on = [fake_thing.n{needed}]\n");
        }
        if node.is_first {
            text += "  lifecycle {\n    create_before_destroy = true\n  }\n";
        }
        text += "}\n";
    }
    text
}

/// How the next calls for a thing go wrong.
fn turn() -> impl Strategy<Value = (usize, Turn)> {
    let turns = [Turn::Fail, Turn::FailHalf, Turn::Retry(1_000), Turn::RetryHalf(1_000), Turn::Hang];
    (0..6usize, prop::sample::select(turns.to_vec()))
}

fn is_begun(line: &str) -> Option<(&str, &str)> {
    let (action, address) = line.split_once(' ')?;
    ["create", "update", "delete"].contains(&action).then_some((action, address))
}

/// What was made or changed must have all that it needs by then; what is removed must not be needed any more.
fn assert_order(journal: &[String], before: &[Node], after: &[Node], undone: &BTreeSet<String>) {
    let address = |place: usize| format!("fake_thing.n{place}");
    let ended = |until: usize, word: &str, address: &str| {
        journal[..until].iter().any(|line| line.starts_with(&format!("{word} {address}")))
    };
    for (at, line) in journal.iter().enumerate() {
        let Some((action, begun)) = is_begun(line) else { continue };
        if begun.contains("deposed") {
            continue;
        }
        let Some(place) = (0..before.len().max(after.len())).find(|place| address(*place) == begun) else { continue };
        match action {
            "create" | "update" => {
                let Some(needed) = needed(after, place).map(address) else { continue };
                let is_worked_on = journal
                    .iter()
                    .any(|line| matches!(is_begun(line), Some(("create" | "update", other)) if other == needed));
                assert!(!is_worked_on || ended(at, "put", &needed), "{begun} before {needed}:\n{}", journal.join("\n"));
                assert!(!undone.contains(&needed), "{begun} in spite of {needed}:\n{}", journal.join("\n"));
            }
            _ => {
                let users = (0..before.len()).filter(|user| before[*user].is_there);
                for user in users.filter(|user| needed(before, *user) == Some(place)).map(address) {
                    let is_removed = journal.iter().any(|line| *line == format!("delete {user}"));
                    assert!(
                        !is_removed || ended(at, "forget", &user),
                        "{begun} before {user}:\n{}",
                        journal.join("\n")
                    );
                }
            }
        }
    }
}

/// What failed for good, by the events.
fn failed(bench: &Bench) -> BTreeSet<String> {
    let lines = bench.events.take();
    let failed = lines.iter().filter_map(|line| line.strip_suffix(" fails")?.split_once(' '));
    failed.filter(|(action, _)| *action != "delete").map(|(_, address)| address.to_owned()).collect()
}

/// What takes the place of something that is there has a name of its own.
fn without_generations(picture: &str) -> String {
    let line = |line: &str| {
        let words = line.split(' ').map(|word| word.split_once("-g").map_or(word, |(name, _)| name));
        words.collect::<Vec<_>>().join(" ")
    };
    picture.lines().map(line).collect::<Vec<_>>().join("\n")
}

async fn assert_end(bench: &Bench, config: &str, nodes: &[Node]) {
    let wanted: Vec<String> = nodes
        .iter()
        .enumerate()
        .filter(|(_, node)| node.is_there)
        .map(|(place, node)| format!("fake_thing n{place} size={1} kind=\"{0}\" zone=\"z\"", node.kind, node.size))
        .collect();
    assert_eq!(without_generations(&bench.world.picture()), wanted.join("\n"));
    let (plan, observed) = bench.plan(config).await;
    assert!(plan.is_empty() && !bimetal_apply::has_work(&plan, &observed.resolved, &*bench.world));
    assert_eq!(bench.memory.snapshot().intents, []);
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(test);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_apply_ends_where_its_plan_says_and_destroying_leaves_nothing(
        (first, second) in (nodes(), nodes()),
        parallelism in 1..8usize,
    ) {
        run(async {
            let bench = Bench { parallelism, ..Bench::default() };
            bench.apply(&text(&first)).await;
            assert_end(&bench, &text(&first), &first).await;
            bench.apply(&text(&second)).await;
            assert_order(&bench.journal.take(), &first, &second, &BTreeSet::new());
            assert_end(&bench, &text(&second), &second).await;
            bench.destroy(&text(&second)).await;
            assert_order(&bench.journal.take(), &second, &[], &BTreeSet::new());
            assert_eq!(bench.world.picture(), "");
            assert!(bench.memory.snapshot().objects.is_empty());
        });
    }

    #[test]
    fn whatever_fails_the_applies_after_it_end_where_the_plan_says(
        (first, second) in (nodes(), nodes()),
        turns in prop::collection::vec(turn(), 1..6),
        parallelism in 1..8usize,
    ) {
        run(async {
            let bench = Bench { parallelism, ..Bench::default() };
            bench.apply(&text(&first)).await;
            for (place, turn) in &turns {
                bench.world.script(&format!("fake_thing.n{place}"), [*turn]);
            }
            // Each failing apply uses up at least one of the turns.
            for _ in 0..=turns.len() {
                bench.events.take();
                let before = bench.memory.snapshot();
                let applied = bench.walk(&text(&second)).await;
                let undone = failed(&bench);
                if before.intents.is_empty() && before.objects.values().all(|stored| stored.unfinished.is_none()) {
                    assert_order(&bench.journal.take(), &first, &second, &undone);
                }
                if !has_errors(&applied.diagnostics) {
                    break;
                }
                assert!(applied.failed > 0, "{}", told(&applied.diagnostics));
            }
            bench.apply(&text(&second)).await;
            assert_end(&bench, &text(&second), &second).await;
        });
    }
}
