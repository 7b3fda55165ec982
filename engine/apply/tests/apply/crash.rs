//! A run that is cut off at any moment is finished by the next one, and nothing is left over.

use bimetal_model::snapshot::Snapshot;
use proptest::prelude::*;

use super::common::Bench;

/// Everything that counts once all is done: what exists, and what is remembered of it.
async fn end_of(bench: &Bench, config: &str) -> String {
    let Snapshot { objects, intents, outputs, .. } = bench.memory.snapshot();
    assert_eq!(intents, [], "no promise is open");
    let remembered = objects.iter().map(|(address, stored)| {
        assert_eq!((stored.tainted, &stored.unfinished), (false, &None), "{address}");
        let needs: Vec<_> = stored.depends_on.iter().map(ToString::to_string).collect();
        format!("{address} {:?} needs {}", stored.object.value.member("name"), needs.join(", "))
    });
    let mut lines: Vec<String> = remembered.collect();
    lines.extend(outputs.keys().cloned());
    let (plan, observed) = bench.plan(config).await;
    assert!(!bimetal_apply::has_work(&plan, &observed.resolved, &*bench.world), "there is nothing more to do");
    format!("{}\n---\n{}", bench.world.picture(), lines.join("\n"))
}

/// Applies, cut off at this moment; `false`: it was over before.
async fn cut_off(bench: &Bench, config: &str, last: usize) -> bool {
    bench.fuse.set(Some(last));
    let run = async {
        let (plan, observed) = bench.plan(config).await;
        bench.carry_out(&plan, &observed).await
    };
    let is_over = bench.fuse.burn_down(run).await.is_some();
    bench.fuse.set(None);
    !is_over
}

/// The second configuration after the first, in one go.
async fn uninterrupted(first: &str, second: &str) -> String {
    let bench = Bench::default();
    bench.apply(first).await;
    bench.apply(second).await;
    end_of(&bench, second).await
}

/// The same, cut off at these moments on the way from the first to the second; `None`: it was over before.
async fn interrupted(first: &str, second: &str, moments: &[usize]) -> Option<String> {
    let bench = Bench::default();
    bench.apply(first).await;
    let mut was_cut_off = false;
    for &last in moments {
        was_cut_off |= cut_off(&bench, second, last).await;
    }
    bench.apply(second).await;
    let end = end_of(&bench, second).await;
    was_cut_off.then_some(end)
}

const FIRST: &str = r#"
resource "fake_thing" "base" {
  name = "base"
}
resource "fake_thing" "changed" {
  name  = "changed"
  size  = 1
  input = fake_thing.base.id
}
resource "fake_thing" "replaced" {
  name = "replaced"
  kind = "old"
}
resource "fake_thing" "along" {
  name  = "along"
  kind  = fake_thing.replaced.id
  input = fake_thing.replaced.id
}
resource "fake_thing" "gone" {
  name  = "gone"
  input = fake_thing.base.id
}
provider "far" {
  endpoint = fake_thing.base.id
}
resource "far_thing" "gone" {
  name = "gone too"
}
"#;

const SECOND: &str = r#"
resource "fake_thing" "base" {
  name = "base"
  size = 3
}
resource "fake_thing" "changed" {
  name  = "changed"
  size  = 2
  input = fake_thing.new.id
}
resource "fake_thing" "replaced" {
  name = "replaced"
  kind = "new"
}
resource "fake_thing" "along" {
  name  = "along"
  kind  = fake_thing.replaced.id
  input = fake_thing.replaced.id
}
resource "fake_thing" "new" {
  name = "new"
  slow = true
}
resource "fake_many" "many" {
  count = 4
  name  = "many${count.index}"
  input = fake_thing.base.id
  slow  = count.index == 2
}
provider "far" {
  endpoint = fake_thing.base.id
}
resource "far_thing" "new" {
  name = "far"
  slow = true
}
output "id" {
  value = fake_thing.new.id
}
"#;

/// An engine may do what it was asked for when whoever asked is dead, and has asked already what became of it.
#[tokio::test]
async fn what_is_made_of_a_call_only_later_is_found_by_its_stamp() {
    const ONE: &str = "resource \"fake_thing\" \"late\" {\n  name = \"late\"\n}\n";
    let bench = Bench::default();
    let promised = |bench: &Bench| bench.memory.snapshot().intents.first().cloned();
    let mut last = 0;
    while promised(&bench).is_none() {
        assert!(cut_off(&bench, ONE, last).await, "a promise comes before the end");
        last += 1;
    }
    let intent = promised(&bench).unwrap();
    assert_eq!(bench.world.things(), 0, "nothing is made yet");
    let (plan, observed) = bench.plan(ONE).await;
    bench.world.arrives(&intent);
    bench.carry_out(&plan, &observed).await;
    end_of(&bench, ONE).await;
    assert_eq!(bench.world.things(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_crash_at_any_point_converges() {
    for (first, second) in [("", SECOND), (FIRST, SECOND), (FIRST, "")] {
        // Without a provider block nothing that it made could be removed.
        let second = if second.is_empty() { FIRST.split("resource \"far_thing\"").next().unwrap() } else { second };
        let expected = normal(&uninterrupted(first, second).await);
        let mut last = 1;
        while let Some(end) = interrupted(first, second, &[last]).await {
            assert_eq!(normal(&end), expected, "cut off at moment {last}");
            last += 1;
        }
        assert!(last > 10, "there are {last} moments");
    }
}

/// What is made first depends on something that is, too, and others turn to it before the old one goes.
const FIRST_IN_PLACE: &str = r#"
resource "fake_thing" "base" {
  name = "base-old"
  kind = "old"
}
resource "fake_thing" "front" {
  name  = "front-old"
  kind  = fake_thing.base.id
  input = fake_thing.base.id
  lifecycle {
    create_before_destroy = true
  }
}
resource "fake_thing" "turns" {
  name  = "turns"
  input = fake_thing.front.id
}
resource "fake_thing" "along" {
  name  = "along"
  kind  = fake_thing.front.id
  slow  = true
}
"#;

#[tokio::test(start_paused = true)]
async fn a_crash_while_something_takes_the_place_of_another_converges() {
    let second = FIRST_IN_PLACE.replace("old\"", "new\"");
    // Their names stay, and no two of a name can be.
    let named = FIRST_IN_PLACE.replace("base-old", "base").replace("front-old", "front");
    let anew = named.replace("old\"", "new\"");
    for (first, second) in [(FIRST_IN_PLACE, &*second), (FIRST_IN_PLACE, ""), (&named, &anew)] {
        let expected = normal(&uninterrupted(first, second).await);
        let mut last = 1;
        while let Some(end) = interrupted(first, second, &[last]).await {
            assert_eq!(normal(&end), expected, "cut off at moment {last}");
            last += 1;
        }
        assert!(last > 10, "there are {last} moments");
        for other in 1..last {
            if let Some(end) = interrupted(first, second, &[other, last - other]).await {
                assert_eq!(normal(&end), expected, "cut off at moments {other} and {}", last - other);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn who_changes_their_mind_after_a_crash_has_what_they_want() {
    let named = |kind: &str| FIRST_IN_PLACE.replace("old\"", &format!("{kind}\""));
    let expected = normal(&uninterrupted(FIRST_IN_PLACE, &named("third")).await);
    for last in 1.. {
        let bench = Bench::default();
        bench.apply(FIRST_IN_PLACE).await;
        let was_cut_off = cut_off(&bench, &named("new"), last).await;
        bench.apply(&named("third")).await;
        assert_eq!(normal(&end_of(&bench, &named("third")).await), expected, "cut off at moment {last}");
        if !was_cut_off {
            break;
        }
    }
}

/// Ids are given in the order of creations, which differs.
fn normal(end: &str) -> String {
    let mut words = Vec::new();
    for line in end.lines() {
        let known = |word: &&str| !word.contains("id-");
        words.push(line.split(' ').filter(known).collect::<Vec<_>>().join(" "));
    }
    words.join("\n")
}

/// One of the things of a random configuration.
#[derive(Clone, Debug)]
struct Node {
    is_there: bool,
    kind: u8,
    size: u8,
    is_slow: bool,
    is_many: bool,
    /// It needs the one so far before it, if there is one.
    needs: usize,
}

fn node() -> impl Strategy<Value = Node> {
    (prop::bool::weighted(0.8), 0..2u8, 0..3u8, any::<bool>(), any::<bool>(), 0..4usize).prop_map(
        |(is_there, kind, size, is_slow, is_many, needs)| Node { is_there, kind, size, is_slow, is_many, needs },
    )
}

/// The types stay, so that both configurations are about the same objects.
fn text(nodes: &[Node], types: &[Node]) -> String {
    let address = |place: usize| format!("{}.n{place}", if types[place].is_many { "fake_many" } else { "fake_thing" });
    let mut text = String::new();
    for (place, node) in nodes.iter().enumerate().filter(|(_, node)| node.is_there) {
        let (ty, name) = (address(place), format!("n{place}"));
        let ty = ty.split('.').next().unwrap();
        text += &format!(
            "resource \"{ty}\" \"{name}\" {{\n  name = \"{name}\"\n  kind = \"{}\"\n  size = {}\n",
            node.kind, node.size
        );
        text += &format!("  slow = {}\n", node.is_slow && types[place].is_slow);
        let needed = place.checked_sub(node.needs.max(1)).filter(|needed| node.needs > 0 && nodes[*needed].is_there);
        // `depends_on` alone, as replacing what somebody has the id of would need a change of that first.
        if let Some(needed) = needed {
            text += &format!("  depends_on = [{}]\n", address(needed));
        }
        text += "}\n";
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn crashes_of_random_configurations_converge(
        (first, second) in (prop::collection::vec(node(), 5), prop::collection::vec(node(), 5)),
        moments in prop::collection::vec(1..60usize, 1..4),
    ) {
        let (first, second) = (text(&first, &first), text(&second, &first));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let expected = uninterrupted(&first, &second).await;
            if let Some(end) = interrupted(&first, &second, &moments).await {
                assert_eq!(normal(&end), normal(&expected));
            }
        });
    }
}
