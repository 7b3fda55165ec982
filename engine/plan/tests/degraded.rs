//! Machines that do not answer: what a plan leaves as it is.

mod world;

use bimetal_model::Diagnostic;
use bimetal_plan::Mode;
use insta::assert_snapshot;
use world::{World, check_plan, settled};

const CONFIG: &str = r#"
machine "docker" "m" {
  for_each = toset(["a", "b", "c"])
  host     = each.key
  platform = "linux/amd64"
}
pool "all" {
  machines       = [machine.docker.m]
  failure_budget = 1
}
service "web" {
  pool     = pool.all
  image    = "nginx:1.27"
  replicas = 3
  env      = { MOOD = "calm" }
}
"#;

/// As the configuration wants it, with machines that do not answer.
fn silent(config: &str, names: &[&str]) -> World {
    let mut world = settled(config);
    for name in names {
        let said = vec![Diagnostic::error("it does not answer").because("connection refused")];
        world.observed.silent.insert(format!("machine.docker.m[\"{name}\"]").parse().unwrap(), said);
    }
    world
}

#[test]
fn replicas_of_a_silent_machine_stay_as_they_are() {
    assert_snapshot!(check_plan(CONFIG, &silent(CONFIG, &["b"])), @"");
    assert_snapshot!(check_plan(&CONFIG.replace("calm", "wild"), &silent(CONFIG, &["b"])), @"");
}

#[test]
fn nothing_new_comes_there_and_nothing_is_taken_away() {
    assert_snapshot!(check_plan(&CONFIG.replace("= 3", "= 5"), &silent(CONFIG, &["b"])), @"");
    assert_snapshot!(check_plan(&CONFIG.replace("= 3", "= 1"), &silent(CONFIG, &["b"])), @"");
}

#[test]
fn more_than_the_budget_allows_is_an_error() {
    assert_snapshot!(check_plan(CONFIG, &silent(CONFIG, &["a", "b"])), @"");
    assert_snapshot!(check_plan(&CONFIG.replace("= 1\n", "= \"70%\"\n"), &silent(CONFIG, &["a", "b"])), @"");
    let without = CONFIG.replace("  failure_budget = 1\n", "");
    assert_snapshot!(check_plan(&without, &silent(&without, &["a"])), @"");
}

#[test]
fn destroying_goes_around_a_silent_machine() {
    let (plan, _) = silent(CONFIG, &["b"]).plan(CONFIG, Mode::Destroy).unwrap();
    assert_snapshot!(world::shown(&plan), @"");
}

#[test]
fn a_budget_is_a_number_or_a_share() {
    for wrong in ["-1", "1.5", "\"x\"", "\"101%\"", "[1]"] {
        let said = check_plan(&CONFIG.replace("= 1\n", &format!("= {wrong}\n")), &World::default());
        assert!(said.contains("this is no failure budget"), "{wrong}: {said}");
    }
}
