//! Machines that do not answer: what a plan leaves as it is.

mod world;

use bimetal_model::Diagnostic;
use bimetal_plan::{Mode, Options};
use insta::assert_snapshot;
use world::{World, check_plan, check_plan_with, settled};

const CONFIG: &str = r#"
machine "docker" "m" {
  for_each = toset(["a", "b", "c"])
  socket   = each.key
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
    assert_snapshot!(check_plan(CONFIG, &silent(CONFIG, &["b"])), @r#"
    ? image nginx:1.27
    machine.docker.m["b"]: `machine.docker.m["b"]` does not answer, and what is there is left as it is
      it does not answer: connection refused
      hint: the failure budget of `pool.all` is 1, and 1 of it used
    nothing to do
    "#);
    assert_snapshot!(check_plan(&CONFIG.replace("calm", "wild"), &silent(CONFIG, &["b"])), @r#"
    ? image nginx:1.27
    machine.docker.m["b"]: `machine.docker.m["b"]` does not answer, and what is there is left as it is
      it does not answer: connection refused
      hint: the failure budget of `pool.all` is 1, and 1 of it used
    -/+ service.web.replica[0] on machine.docker.m["a"] (nginx@sha256:1.27/amd64); env
    -/+ service.web.replica[2] on machine.docker.m["c"] (nginx@sha256:1.27/amd64); env
    ! service.web.replica[1] on machine.docker.m["b"] (nginx@sha256:1.27/amd64); `machine.docker.m["b"]` does not answer
    "#);
}

#[test]
fn nothing_new_comes_there_and_nothing_is_taken_away() {
    assert_snapshot!(check_plan(&CONFIG.replace("= 3", "= 5"), &silent(CONFIG, &["b"])), @r#"
    ? image nginx:1.27
    machine.docker.m["b"]: `machine.docker.m["b"]` does not answer, and what is there is left as it is
      it does not answer: connection refused
      hint: the failure budget of `pool.all` is 1, and 1 of it used
    + service.web.replica[3] on machine.docker.m["a"] (nginx@sha256:1.27/amd64)
    + service.web.replica[4] on machine.docker.m["c"] (nginx@sha256:1.27/amd64)
    "#);
    assert_snapshot!(check_plan(&CONFIG.replace("= 3", "= 1"), &silent(CONFIG, &["b"])), @r#"
    ? image nginx:1.27
    machine.docker.m["b"]: `machine.docker.m["b"]` does not answer, and what is there is left as it is
      it does not answer: connection refused
      hint: the failure budget of `pool.all` is 1, and 1 of it used
    - service.web.replica[2]; `service.web` has 1 replica now
    ! service.web.replica[1] on machine.docker.m["b"] (nginx@sha256:1.27/amd64); `machine.docker.m["b"]` does not answer
    "#);
}

#[test]
fn more_than_the_budget_allows_is_an_error() {
    assert_snapshot!(check_plan(CONFIG, &silent(CONFIG, &["a", "b"])), @r"
    ? image nginx:1.27
    it does not answer
      connection refused
    pool.all: 2 of the 3 machines of `pool.all` do not answer, and 1 may
      hint: bring machines back, or raise `failure_budget`; nothing was done
    ");
    assert_snapshot!(check_plan(&CONFIG.replace("= 1\n", "= \"70%\"\n"), &silent(CONFIG, &["a", "b"])), @r#"
    ? image nginx:1.27
    machine.docker.m["a"]: `machine.docker.m["a"]` does not answer, and what is there is left as it is
      it does not answer: connection refused
      hint: the failure budget of `pool.all` is 2, and 2 of it used
    machine.docker.m["b"]: `machine.docker.m["b"]` does not answer, and what is there is left as it is
      it does not answer: connection refused
      hint: the failure budget of `pool.all` is 2, and 2 of it used
    nothing to do
    "#);
    let without = CONFIG.replace("  failure_budget = 1\n", "");
    assert_snapshot!(check_plan(&without, &silent(&without, &["a"])), @r"
    it does not answer
      connection refused
    ");
}

#[test]
fn destroying_goes_around_a_silent_machine() {
    let (plan, _) = silent(CONFIG, &["b"]).plan(CONFIG, Mode::Destroy).unwrap();
    assert_snapshot!(world::shown(&plan), @r#"
    - machine.docker.m["a"]
    - machine.docker.m["c"]
    - service.web.replica[0]
    - service.web.replica[2]
    ! machine.docker.m["b"]; `machine.docker.m["b"]` does not answer
    ! service.web.replica[1] on machine.docker.m["b"] (nginx@sha256:1.27/amd64); `machine.docker.m["b"]` does not answer
    "#);
}

#[test]
fn a_part_may_be_planned_around_a_silent_machine() {
    let wild = CONFIG.replace("calm", "wild");
    let targets = |name: &str| Options { targets: vec![name.parse().unwrap()], ..Options::default() };
    assert_snapshot!(check_plan_with(&wild, &silent(CONFIG, &["b"]), targets("service.web.replica[0]")), @r#"
    ? image nginx:1.27
    machine.docker.m["b"]: `machine.docker.m["b"]` does not answer, and what is there is left as it is
      it does not answer: connection refused
      hint: the failure budget of `pool.all` is 1, and 1 of it used
    this plan is a part of what the configuration asks for: `-target=service.web.replica[0]`
      what is left out stays as it is, whatever the configuration says
      hint: plan everything again when this is done
    -/+ service.web.replica[0] on machine.docker.m["a"] (nginx@sha256:1.27/amd64); env
    "#);
    assert_snapshot!(check_plan_with(&wild, &silent(CONFIG, &["b"]), targets("service.web.replica[1]")), @r#"
    ? image nginx:1.27
    machine.docker.m["b"]: `machine.docker.m["b"]` does not answer, and what is there is left as it is
      it does not answer: connection refused
      hint: the failure budget of `pool.all` is 1, and 1 of it used
    this plan is a part of what the configuration asks for: `-target=service.web.replica[1]`
      what is left out stays as it is, whatever the configuration says
      hint: plan everything again when this is done
    ! service.web.replica[1] on machine.docker.m["b"] (nginx@sha256:1.27/amd64); `machine.docker.m["b"]` does not answer
    "#);
}

#[test]
fn the_state_is_brought_to_the_world_without_a_silent_machine() {
    let (plan, _) = silent(CONFIG, &["b"]).plan(CONFIG, Mode::RefreshOnly).unwrap();
    assert_eq!((plan.is_empty(), plan.degraded.len()), (true, 1));
}

#[test]
fn a_budget_is_a_number_or_a_share() {
    for wrong in ["-1", "1.5", "\"x\"", "\"101%\"", "[1]"] {
        let said = check_plan(&CONFIG.replace("= 1\n", &format!("= {wrong}\n")), &World::default());
        assert!(said.contains("this is no failure budget"), "{wrong}: {said}");
    }
}
