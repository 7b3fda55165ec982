//! What a `moved` block turns into something of another type.

mod world;

use bimetal_plan::{Change, Mode};
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
    assert_snapshot!(check_plan(AFTER, &world), @"docker_volume.a is now late_thing.b");
    assert_snapshot!(check_plan(&AFTER.replace("\"n\"", "\"m\""), &world), @r"
    docker_volume.a is now late_thing.b
    ~ late_thing.b
    ");
    world.apply(AFTER);
    let stored = world.object("late_thing.b");
    assert_eq!((stored.provider.to_string(), &*stored.ty), ("late".to_owned(), "late_thing"));
    assert_eq!(stored.object.private, [7]);
    assert_snapshot!(check_plan(AFTER, &world), @"nothing to do");
}

#[test]
fn whoever_rests_on_it_rests_on_what_it_became() {
    let needs = |name: &str| format!("resource \"docker_volume\" \"c\" {{\n  name = {name}.name\n}}\n");
    let world = settled(&(BEFORE.to_owned() + &needs("docker_volume.a")));
    let after = AFTER.to_owned() + &needs("late_thing.b");
    let (plan, _) = world.plan(&after, Mode::Apply).unwrap();
    let kept = plan.changes.iter().find(|change| change.address.name == "c").and_then(Change::kept).unwrap();
    assert_eq!(world::list(&kept.depends_on), "late_thing.b");
    assert_snapshot!(check_plan(&after, &world), @"docker_volume.a is now late_thing.b");
}

#[test]
fn what_its_provider_does_not_take_over_is_refused_where_it_is_moved() {
    let back = "resource \"docker_volume\" \"a\" {\n  name = \"n\"\n}\nmoved {\n  from = late_thing.b\n  to = docker_volume.a\n}\n";
    let world = settled("resource \"late_thing\" \"b\" {\n  name = \"n\"\n}\n");
    assert_snapshot!(check_plan(back, &world), @r"
    docker_volume.a: `late_thing` can't become `docker_volume.a`
      the provider `docker` takes over no `late_thing` of the provider `late` as `docker_volume`
      hint: forget it with `removed` and `destroy = false`, and take it over with `import`
    ");
    let board = "resource \"odd_liar\" \"a\" {\n  name = \"something else\"\n}\nprovider \"odd\" {\n  key = \"k\"\n}\n";
    let world = settled(board);
    let after = AFTER.replace("docker_volume.a", "odd_liar.a") + "provider \"odd\" {\n  key = \"k\"\n}\n";
    assert_snapshot!(check_plan(&after, &world), @r"
    late_thing.b: `odd_liar` can't become `late_thing.b`
      the provider `late` takes over no `odd_liar` of the provider `odd` as `late_thing`
      hint: it takes over `docker_volume`
    ");
}

#[test]
fn what_a_provider_says_of_it_stands_at_the_move() {
    let world = settled(&BEFORE.replace("\"n\"", "\"old\""));
    let (_, said) = world.said(AFTER);
    let at = said[0].span.as_ref().map(|span| AFTER.get(span.range.clone()).unwrap_or_default());
    assert!(at.is_some_and(|text| text.starts_with("moved")), "{at:?}");
    assert_snapshot!(world::told(&said), @"late_thing.b: an old `docker_volume` is no `late_thing`");
}

#[test]
fn what_is_half_made_becomes_nothing_else() {
    let mut world = settled(BEFORE);
    let stored = world.object("docker_volume.a");
    stored.unfinished = Some(world::intent("docker_volume.a", &stored.clone()).into());
    assert_snapshot!(check_plan(AFTER, &world), @r"
    late_thing.b: `late_thing.b` can't become another type while it is half made
      hint: take the `moved` block out, apply, and put it back then
    ");
}

#[test]
fn what_is_gone_by_then_is_removed_by_who_made_it() {
    let world = settled(BEFORE);
    let moved = &AFTER[AFTER.find("moved").unwrap()..];
    assert_snapshot!(check_plan(moved, &world), @r"
    docker_volume.a is now late_thing.b
    - late_thing.b; `late_thing.b` is not in the configuration any more
    ");
}
