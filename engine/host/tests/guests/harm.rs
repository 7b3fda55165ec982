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
    let error = crate::rig::text(&Rig::new().read("garbage").await.unwrap_err().diagnostics());
    assert!(error.contains("does not fit its own schema at `name`") || error.contains("attribute `code`"), "{error}");
}

#[tokio::test]
async fn a_guest_may_talk_as_much_as_it_likes() {
    let rig = Rig::new();
    assert!(matches!(rig.create("chatty", "a").await, Outcome::Done(_)));
    assert!(rig.plan("chatty").is_ok());
}

/// An instance that was used again and again has its whole time each time.
#[tokio::test]
async fn who_says_too_much_is_not_heard_any_more() {
    let rig = Rig::new();
    assert!(matches!(rig.create("hurry", "a").await, Outcome::Done(_)));
    let heard = rig.events.progress();
    assert_eq!(heard.len(), 9_999);
    assert_eq!(heard[1], format!("{}:  [2Jnearly", address("hurry")), "nothing moves the cursor");
    assert!(matches!(rig.create("good", "a").await, Outcome::Done(_)));
    assert_eq!(rig.events.progress().len(), 10_000, "the next call is heard again");
}

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

/// What harm is done to a plan, and what is said of it.
#[test]
fn whatever_a_guest_does_the_user_reads_what_it_was() {
    let rig = Rig::new();
    let mut said = String::new();
    for ty in [
        "spin",
        "allocate",
        "recurse",
        "trap",
        "exit",
        "shout",
        "hurry",
        "files",
        "folders",
        "environment",
        "dial",
        "listen",
        "resolve",
        "process",
        "thread",
        "complain",
        "garbage",
        "nothing",
        "null",
        "list",
        "dishonest",
        "huge",
        "large",
        "deep",
        "nan",
        "exponent",
        "surrogate",
        "other",
        "part",
        "twice",
        "changed",
        "word",
        "handle",
        "steal",
        "bytes",
    ] {
        let answer = match rig.plan(ty) {
            Ok(planned) => format!("{:?}", planned.value),
            Err(diagnostics) => text(&diagnostics),
        };
        let (lines, line) = (answer.lines().count(), answer.lines().next().unwrap_or_default());
        let line: String = line.chars().take(240).collect();
        let line = line.trim_start_matches(&format!("{}: provider `rogue` 0.1.0 ", address(ty)));
        said +=
            &format!("{ty}: {line}{}\n", if lines > 1 { format!(" (and {} lines)", lines - 1) } else { String::new() });
        assert!(rig.plan("good").is_ok(), "{ty}");
    }
    insta::assert_snapshot!(said, @r#"
    spin: failed: it computed for more than 5 s
    allocate: failed: it wanted more than 128 MiB of memory
    recurse: failed: it crashed: wasm trap: call stack exhausted
    trap: failed: it crashed (wasm trap: wasm `unreachable` instruction executed): the sky is falling
    exit: failed: it crashed: Exited with i32 exit status 1
    shout: {"code": (sensitive), "id": (unknown string), "key": (sensitive), "name": "a", "note": (unknown string)}
    hurry: {"code": (sensitive), "id": (unknown string), "key": (sensitive), "name": "a", "note": (unknown string)}
    files: failed: it crashed (wasm trap: wasm `unreachable` instruction executed): Err(Os { code: 44, kind: NotFound, message: "No such file or directory" })
    folders: failed: it crashed (wasm trap: wasm `unreachable` instruction executed): Err(Os { code: 44, kind: NotFound, message: "No such file or directory" })
    environment: failed: it crashed (wasm trap: wasm `unreachable` instruction executed): [] []
    dial: failed: it crashed (wasm trap: wasm `unreachable` instruction executed): Err(Os { code: 2, kind: PermissionDenied, message: "Permission denied" })
    listen: failed: it crashed (wasm trap: wasm `unreachable` instruction executed): Err(Os { code: 2, kind: PermissionDenied, message: "Permission denied" })
    resolve: failed: it crashed (wasm trap: wasm `unreachable` instruction executed): Err(Custom { kind: Uncategorized, error: "failed to lookup address information: Non-recoverable error" })
    process: failed: it crashed (wasm trap: wasm `unreachable` instruction executed): Err(Error { kind: Unsupported, message: "operation not supported on this platform" })
    thread: failed: it crashed (wasm trap: wasm `unreachable` instruction executed): Err(Os { code: 58, kind: Unsupported, message: "Not supported" })
    complain: complain.x:  [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred   [31mred (and 999 lines)
    garbage: failed: its answer is no JSON: EOF while parsing an object at line 1 column 1
    nothing: failed: its answer is no JSON: EOF while parsing a value at line 1 column 0
    null: null
    list: failed: its answer does not fit its own schema: object required, but have tuple
    dishonest: failed: it was asked about 1 objects and answered about 0
    huge: failed: it handed over more than 32 MiB in one call
    large: failed: it wanted more than 128 MiB of memory
    deep: failed: its answer is no JSON: recursion limit exceeded at line 1 column 191
    nan: failed: its answer is no JSON: expected value at line 1 column 65
    exponent: failed: its answer can't be read: `1e+999999999999` is not a number
    surrogate: failed: its answer is no JSON: unexpected end of hex escape at line 1 column 72
    other: {"code": null, "id": null, "key": null, "name": "a", "note": null}
    part: failed: its answer does not fit its own schema: attribute `code` is required
    twice: {"code": null, "id": null, "key": null, "name": "b", "note": null}
    changed: {"code": null, "id": null, "key": null, "name": "somebody else", "note": null}
    word: failed: its answer can't be read: `$what` is no key of the contract's
    handle: failed: its answer does not fit its own schema at `note`: string required, but have handle
    steal: failed: its answer can't be read: `$credential` is no key of the contract's
    bytes: failed: it crashed: invalid utf-8 sequence of 1 bytes from index 1
    "#);
}
