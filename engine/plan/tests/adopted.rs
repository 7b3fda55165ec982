//! What a `moved` block turns into something of another type.

mod world;

use insta::assert_snapshot;
use world::{check_plan, settled};

const BEFORE: &str = "resource \"docker_volume\" \"a\" {\n  name = \"n\"\n}\n";
const AFTER: &str = r#"
resource "late_thing" "b" {
  name = "n"
}
moved {
  from = docker_volume.a
  to   = late_thing.b
}
"#;

#[test]
fn what_another_type_takes_over_stays_as_it_is() {
    let mut world = settled(BEFORE);
    assert_snapshot!(check_plan(AFTER, &world), @"");
    assert_snapshot!(check_plan(&AFTER.replace("\"n\"", "\"m\""), &world), @"");
    world.apply(AFTER);
    let stored = world.object("late_thing.b");
    assert_eq!((stored.provider.to_string(), &*stored.ty), ("late".to_owned(), "late_thing"));
    assert_eq!(stored.object.private, [7]);
    assert_snapshot!(check_plan(AFTER, &world), @"");
}

#[test]
fn whoever_rests_on_it_rests_on_what_it_became() {
    let needs = |name: &str| format!("resource \"docker_volume\" \"c\" {{\n  name = {name}.name\n}}\n");
    let mut world = settled(&(BEFORE.to_owned() + &needs("docker_volume.a")));
    let after = AFTER.to_owned() + &needs("late_thing.b");
    world.apply(&after);
    assert_eq!(world::list(&world.object("docker_volume.c").depends_on), "late_thing.b");
    assert_snapshot!(check_plan(&after, &world), @"");
}

#[test]
fn what_its_provider_does_not_take_over_is_refused_where_it_is_moved() {
    let back = "resource \"docker_volume\" \"a\" {\n  name = \"n\"\n}\nmoved {\n  from = late_thing.b\n  to = docker_volume.a\n}\n";
    let world = settled("resource \"late_thing\" \"b\" {\n  name = \"n\"\n}\n");
    assert_snapshot!(check_plan(back, &world), @"");
    let board = "resource \"odd_liar\" \"a\" {\n  name = \"something else\"\n}\nprovider \"odd\" {\n  key = \"k\"\n}\n";
    let world = settled(board);
    let after = AFTER.replace("docker_volume.a", "odd_liar.a") + "provider \"odd\" {\n  key = \"k\"\n}\n";
    assert_snapshot!(check_plan(&after, &world), @"");
}

#[test]
fn what_a_provider_says_of_it_stands_at_the_move() {
    let world = settled(&BEFORE.replace("\"n\"", "\"old\""));
    let (_, said) = world.said(AFTER);
    let at = said[0].span.as_ref().map(|span| AFTER.get(span.range.clone()).unwrap_or_default());
    assert!(at.is_some_and(|text| text.starts_with("moved")), "{at:?}");
    assert_snapshot!(world::told(&said), @"");
}

#[test]
fn what_is_half_made_becomes_nothing_else() {
    let mut world = settled(BEFORE);
    let stored = world.object("docker_volume.a");
    stored.unfinished = Some(world::intent("docker_volume.a", &stored.clone()).into());
    assert_snapshot!(check_plan(AFTER, &world), @"");
}

#[test]
fn what_is_gone_by_then_is_removed_by_who_made_it() {
    let world = settled(BEFORE);
    let moved = &AFTER[AFTER.find("moved").unwrap()..];
    assert_snapshot!(check_plan(moved, &world), @"");
}
