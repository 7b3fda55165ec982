//! Guests that do harm. Each test ends with a good guest that goes on working.

use std::time::{Duration, Instant};

use bimetal_model::port::Outcome;

use crate::rig::{Rig, address, create, key, text};

fn check_plan(ty: &str, said: &str) {
    let rig = Rig::new();
    let error = rig.plan_error(ty);
    assert!(error.starts_with(&format!("{}: provider `rogue` 0.1.0 failed: ", address(ty))), "{error}");
    assert!(error.contains(said), "{error}");
    assert!(rig.plan("good").is_ok());
}

async fn check_create(ty: &str, said: &str) {
    let rig = Rig::new();
    let error = rig.create_error(ty, "a").await;
    assert!(error.starts_with(&format!("{}: provider `rogue` 0.1.0 failed: ", address(ty))), "{error}");
    assert!(error.contains(said), "{error}");
    assert!(matches!(rig.create("good", "a").await, Outcome::Done(_)));
}

#[test]
fn a_plan_that_computes_for_ever_is_stopped() {
    check_plan("spin", "it computed for more than 5 s");
}

#[test]
fn a_plan_that_takes_all_memory_is_stopped() {
    check_plan("allocate", "it wanted more than 128 MiB of memory");
}

#[test]
fn a_plan_that_panics_says_why() {
    check_plan("trap", "the sky is falling");
}

#[test]
fn a_plan_that_exits_is_a_failure() {
    check_plan("exit", "it crashed");
}

#[test]
fn a_plan_that_is_no_json_is_a_failure() {
    check_plan("garbage", "its answer is no JSON");
}

#[test]
fn a_plan_for_nothing_is_a_failure() {
    check_plan("dishonest", "it was asked about 1 objects and answered about 0");
}

#[test]
fn of_many_that_are_planned_at_once_only_who_does_harm_is_to_blame() {
    let rig = Rig::new();
    let answers = rig.plan_all(&["good", "trap", "good", "trap"]);
    assert!(answers[0].is_ok());
    let said = text(answers[1].as_ref().unwrap_err());
    assert!(said.starts_with(&format!("{}: provider `rogue`", address("trap"))), "{said}");
    assert!(said.contains("the sky is falling"), "{said}");
    // Nobody asks a second time for the same trouble.
    assert_eq!(answers[2..].iter().filter_map(|answer| answer.as_ref().err()).flatten().count(), 0);
    assert!(rig.plan("good").is_ok());
}

#[tokio::test]
async fn an_effect_that_takes_all_memory_is_stopped() {
    check_create("allocate", "it wanted more than 128 MiB of memory").await;
}

#[tokio::test]
async fn an_effect_that_panics_says_why() {
    check_create("trap", "the sky is falling").await;
}

#[tokio::test]
async fn an_effect_that_answers_garbage_is_a_failure() {
    check_create("garbage", "its answer is no JSON").await;
}

#[tokio::test]
async fn an_object_with_unknowns_is_a_failure() {
    let rig = Rig::new();
    let mut request = crate::rig::create_request("dishonest", "a");
    request.planned.value = rig.plan("good").unwrap().value;
    let outcomes = bimetal_model::port::Operate::create(&*rig.host, &key(), "dishonest", vec![request]).await;
    let [Outcome::Failed { diagnostics, .. }] = &outcomes[..] else { panic!("{outcomes:?}") };
    assert!(crate::rig::text(diagnostics).contains("unknown values, and only a plan may"));
}

#[tokio::test]
async fn an_answer_outside_the_schema_names_the_place() {
    let error = crate::rig::text(&Rig::new().read("garbage").await.unwrap_err());
    assert!(error.contains("does not fit its own schema at `name`") || error.contains("attribute `code`"), "{error}");
}

#[tokio::test]
async fn a_guest_may_talk_as_much_as_it_likes() {
    let rig = Rig::new();
    assert!(matches!(rig.create("chatty", "a").await, Outcome::Done(_)));
    assert!(rig.plan("chatty").is_ok());
}

/// An instance that was used again and again has its whole time each time.
#[test]
fn many_small_calls_are_not_one_long_one() {
    let rig = Rig::new();
    for _ in 0..600 {
        assert!(rig.plan("good").is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn spinning_guests_do_not_starve_others() {
    let rig = Rig::new();
    assert!(matches!(rig.create("good", "a").await, Outcome::Done(_)));
    let spin = || {
        let host = rig.host.clone();
        tokio::spawn(async move { create(&host, "spin", "a").await })
    };
    let spinning: Vec<_> = (0..8).map(|_| spin()).collect();
    let begun = Instant::now();
    assert!(matches!(rig.create("good", "a").await, Outcome::Done(_)));
    assert!(rig.plan("good").is_ok());
    assert!(rig.validate("good").is_empty());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    // Given up, they end at their next tick.
    spinning.iter().for_each(tokio::task::JoinHandle::abort);
    for task in spinning {
        assert!(task.await.unwrap_err().is_cancelled());
    }
}
