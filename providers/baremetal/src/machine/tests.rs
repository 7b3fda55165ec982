use bimetal_provider::bindings::bimetal::provider::types::{Object, PlanRequest};
use bimetal_provider_prepare::testing::{Board, State};
use bimetal_provider_prepare::{STAMP, World as _, is_due, parse_instant};

use super::*;
use crate::login::Config;

pub(crate) fn machine(config: Json) -> Machine {
    serde_json::from_value(config).unwrap()
}

fn provider(board: &Board) -> Baremetal {
    Baremetal { defaults: Config::default(), world: Box::new(board.clone()) }
}

/// As the engine does it.
fn create(board: &Board, config: &Json) -> std::result::Result<Machine, (Vec<Diagnostic>, Option<Machine>)> {
    let mut so_far = None;
    for _ in 0..100 {
        let request =
            Create { index: 0, intent: "i-1".to_owned(), config: machine(config.clone()), so_far: so_far.take() };
        match Machine::create(&provider(board), vec![request]).remove(0) {
            Outcome::Done(machine) => return Ok(machine),
            Outcome::Retry { so_far: reported, .. } => so_far = reported,
            Outcome::Failed { diagnostics, so_far } => return Err((diagnostics, so_far)),
        }
    }
    panic!("it never ends");
}

/// The planned value.
fn plan(prior: Option<Json>, config: Json) -> (Json, Vec<String>) {
    let request = PlanRequest {
        type_name: Machine::NAME.to_owned(),
        prior: prior.as_ref().map(|prior| Object { value: prior.to_string(), private: Vec::new() }),
        proposed: proposed(prior.as_ref(), &config).to_string(),
        config: config.to_string(),
    };
    let planned = bimetal_provider::export::plan::<Baremetal>(vec![request]).remove(0).unwrap();
    let replace = planned.replace.iter().map(|path| format!("{path:?}")).collect();
    (serde_json::from_str(&planned.value).unwrap(), replace)
}

/// What was not written is as it was where the provider computes it.
fn proposed(prior: Option<&Json>, config: &Json) -> Json {
    let mut proposed = config.clone();
    let computed = [
        "platform",
        "labels",
        "cpus",
        "memory",
        "distribution",
        "kernel",
        "address",
        "engine",
        "engine_version",
        "intent",
    ];
    for name in computed.iter().chain(&["certificate_not_after"]).filter(|name| config[**name].is_null()) {
        proposed[*name] = prior.map_or(Json::Null, |prior| prior[*name].clone());
    }
    proposed
}

fn unknown() -> Json {
    json!({ "$unknown": {} })
}

#[test]
fn a_new_machine_is_asked_for_what_is_not_said() {
    let (planned, _) = plan(None, json!({ "host": "10.0.0.5" }));
    assert_eq!(
        (&planned["platform"], &planned["engine"], &planned["address"]),
        (&unknown(), &unknown(), &json!("10.0.0.5"))
    );
    assert_eq!((&planned["labels"], &planned["certificate_not_after"]), (&unknown(), &Json::Null));
    let (planned, _) = plan(None, json!({ "host": "10.0.0.5", "platform": "linux/arm/v7" }));
    assert_eq!((&planned["platform"], &planned["labels"]), (&json!("linux/arm/v7"), &json!({})));
}

#[test]
fn a_plan_holds() {
    let board = Board::new(State::default().with_docker());
    let config = json!({ "host": "10.0.0.5", "labels": { "rack": "1" } });
    let (planned, _) = plan(None, config.clone());
    let facts = Machine::discover(&provider(&board), machine(config.clone())).unwrap();
    let made = serde_json::to_value(create(&board, &config).unwrap()).unwrap();
    for (name, value) in planned.as_object().unwrap() {
        let promised = if *value == unknown() { facts.get(name) } else { Some(value) };
        assert!(promised.is_none_or(|promised| *promised == made[name]), "{name}: {promised:?} became {}", made[name]);
    }
    let (again, replace) = plan(Some(made.clone()), config);
    let kept = again.as_object().unwrap().iter().filter(|(name, value)| **value != made[name.as_str()]).count();
    assert_eq!((kept, replace.len()), (0, 0), "{again}");
}

#[test]
fn another_host_is_another_machine() {
    let board = Board::new(State::default().with_docker());
    let made = serde_json::to_value(create(&board, &json!({ "host": "10.0.0.5" })).unwrap()).unwrap();
    let (_, replace) = plan(Some(made.clone()), json!({ "host": "10.0.0.6" }));
    assert_eq!(replace.len(), 1);
    let (planned, replace) = plan(Some(made.clone()), json!({ "host": "10.0.0.5", "user": "pi" }));
    assert_eq!((replace.len(), &planned["engine"], &planned["cpus"]), (0, &unknown(), &made["cpus"]));
}

#[test]
fn a_machine_is_prepared_read_and_taken_back() {
    let board = Board::default();
    let made = create(&board, &json!({ "host": "10.0.0.5" })).unwrap();
    assert_eq!(made.platform.as_deref(), Some("linux/amd64"));
    let Some(Handle(engine)) = &made.engine else { panic!("no engine") };
    assert_eq!((&engine["transport"], &engine["endpoint"]["host_key"]), (&json!("ssh"), &json!("ssh-ed25519 AAAA")));
    let read = Machine::read(&provider(&board), vec![made.clone()]).remove(0).unwrap().unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), serde_json::to_value(&made).unwrap());
    let imported = Machine::import(&provider(&board), "10.0.0.5", machine(json!({ "host": "10.0.0.5" }))).unwrap();
    assert_eq!(imported.intent, made.intent);
    for _ in 0..10 {
        if let Deletion::Done = Machine::delete(&provider(&board), made.clone()) {
            assert_eq!(board.0.borrow().at_rest(), State::default().at_rest());
            assert!(Machine::read(&provider(&board), vec![made]).remove(0).unwrap().is_none());
            return;
        }
    }
    panic!("it never ends");
}

#[test]
fn a_machine_that_can_not_be_reached_is_not_gone() {
    let board = Board::new(State::default().with_docker());
    let made = create(&board, &json!({ "host": "10.0.0.5" })).unwrap();
    board.0.borrow_mut().refuses = 100;
    assert!(Machine::read(&provider(&board), vec![made.clone()]).remove(0).is_err());
    assert!(matches!(Machine::delete(&provider(&board), made), Deletion::Failed(_)));
}

#[test]
fn an_engine_that_does_not_answer_is_an_error() {
    let board = Board::new(State::default().with_docker());
    let made = create(&board, &json!({ "host": "10.0.0.5" })).unwrap();
    board.0.borrow_mut().runs = false;
    let error = Machine::read(&provider(&board), vec![made]).remove(0).unwrap_err();
    assert!(format!("{error:?}").contains("does not answer"), "{error:?}");
}

#[test]
fn an_engine_that_was_taken_off_is_put_there_again() {
    let board = Board::default();
    let config = json!({ "host": "10.0.0.5" });
    let made = create(&board, &config).unwrap();
    (board.0.borrow_mut().packages, board.0.borrow_mut().runs) = (State::default().packages, false);
    let read = Machine::read(&provider(&board), vec![made.clone()]).remove(0).unwrap().unwrap();
    assert!(read.engine.is_none() && read.engine_version.is_none() && read.platform == made.platform);
    let (planned, replace) = plan(Some(serde_json::to_value(&read).unwrap()), config.clone());
    assert_eq!((replace.len(), &planned["engine"], &planned["engine_version"]), (0, &unknown(), &unknown()));
    for _ in 0..100 {
        match Machine::update(&provider(&board), read.clone(), machine(config.clone())) {
            Outcome::Done(updated) => {
                assert_eq!(serde_json::to_value(updated).unwrap(), serde_json::to_value(&made).unwrap());
                return;
            }
            Outcome::Retry { .. } => {}
            Outcome::Failed { diagnostics, .. } => panic!("{diagnostics:?}"),
        }
    }
    panic!("it never ends");
}

#[test]
fn a_platform_that_is_not_the_machines_is_refused_before_anything_is_done() {
    let board = Board::default();
    let (said, so_far) = create(&board, &json!({ "host": "a", "platform": "linux/arm64" })).unwrap_err();
    assert!(format!("{said:?}").contains("this machine is `linux/amd64`, not `linux/arm64`"), "{said:?}");
    assert!(so_far.is_none() && board.0.borrow().files.is_empty());
}

#[test]
fn a_probe_finds_what_carries_the_intent() {
    let board = Board::new(State { fuse: Some(8), ..State::default() });
    assert!(create(&board, &json!({ "host": "a" })).is_err());
    board.0.borrow_mut().fuse = None;
    assert!(board.0.borrow().files.contains_key(STAMP));
    let probe = |intent| Machine::probe(&provider(&board), intent, machine(json!({ "host": "a" }))).unwrap();
    let half = probe("i-1").unwrap();
    assert_eq!((half.intent.as_deref(), half.engine_version), (Some("i-1"), None));
    assert!(probe("i-2").is_none());

    let made = create(&board, &json!({ "host": "a" })).unwrap();
    assert!(made.engine_version.is_some());
    let found = serde_json::to_value(probe("i-1").unwrap()).unwrap();
    assert_eq!(found, serde_json::to_value(made).unwrap(), "all of what was made");
}

#[test]
fn an_engine_over_tcp_has_a_certificate() {
    let board = Board::new(State::default().with_docker());
    let config = json!({ "host": "10.0.0.5", "engine_access": "mtls" });
    let made = create(&board, &config).unwrap();
    let expected = json!({ "transport": "tcp", "host": "10.0.0.5", "port": 2376, "authority": "bimetal" });
    assert_eq!(made.engine, Some(Handle(expected)));
    let not_after_ms = parse_instant(made.certificate_not_after.as_deref().unwrap()).unwrap();
    assert!(!is_due(not_after_ms, board.now_ms()));
    let (planned, _) = plan(Some(serde_json::to_value(&made).unwrap()), json!({ "host": "10.0.0.5" }));
    assert_eq!((&planned["engine"], &planned["certificate_not_after"]), (&unknown(), &Json::Null));
    let Outcome::Done(updated) = Machine::update(&provider(&board), made, machine(json!({ "host": "10.0.0.5" })))
    else {
        panic!("not updated")
    };
    assert_eq!((updated.certificate_not_after, updated.engine.unwrap().0["transport"].clone()), (None, json!("ssh")));
}
