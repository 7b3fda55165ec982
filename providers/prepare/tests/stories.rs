//! What becomes of a machine, from the first look to the last, interruptions included.
#![allow(missing_docs)]

use bimetal_provider::Diagnostic;
use bimetal_provider_prepare::testing::{Board, State};
use bimetal_provider_prepare::{Access, DROP_IN, Ready, STAMP, Step, Undone, Wish, World as _, prepare, undo};

fn wish(user: &str) -> Wish<'_> {
    Wish { intent: "i-1", user, install: true, access: Access::Ssh }
}

fn mtls() -> Access {
    Access::Mtls { authority: "bimetal".to_owned(), names: vec!["10.0.0.5".to_owned()] }
}

/// As the host does it: call again until it is done. Answers the reasons for waiting too.
fn until_ready(board: &Board, wish: &Wish<'_>) -> (Result<Ready, Diagnostic>, Vec<String>) {
    let mut reasons = Vec::new();
    for _ in 0..200 {
        match prepare(board, wish, board.now_ms()) {
            Ok(Step::Ready(ready)) => return (Ok(*ready), reasons),
            Ok(Step::Wait { reason, .. }) if reasons.last() == Some(&reason) => {}
            Ok(Step::Wait { reason, .. }) => reasons.push(reason),
            Err(error) => return (Err(error), reasons),
        }
    }
    panic!("it never ends: {reasons:?}");
}

fn until_undone(board: &Board) -> Result<(), Diagnostic> {
    for _ in 0..200 {
        if undo(board, "i-1")? == Undone::All {
            return Ok(());
        }
    }
    panic!("it never ends");
}

fn stamp(board: &Board) -> String {
    String::from_utf8(board.0.borrow().files[STAMP].clone()).unwrap()
}

#[test]
fn docker_is_put_on_a_bare_machine_and_taken_off_again() {
    let bare = State::default();
    let board = Board::new(bare.clone());
    let (ready, reasons) = until_ready(&board, &wish("root"));
    assert_eq!(ready.unwrap().engine_version, "26.1.5");
    assert_eq!(
        reasons,
        [
            "bringing the list of packages up to date",
            "installing docker.io",
            "installing docker.io: Selecting previously unselected package",
        ]
    );
    assert!(
        stamp(&board).contains("\"packages\": [\n    \"containerd\",\n    \"docker.io\",\n    \"runc\"\n  ]"),
        "{}",
        stamp(&board)
    );
    until_undone(&board).unwrap();
    assert_eq!(board.0.borrow().at_rest(), bare.at_rest());
}

#[test]
fn what_was_there_stays() {
    let before = State::default().with_docker();
    let board = Board::new(before.clone());
    let (ready, reasons) = until_ready(&board, &wish("root"));
    assert!(ready.is_ok() && reasons.is_empty(), "{reasons:?}");
    assert_eq!(stamp(&board), "{\n  \"format\": 1,\n  \"intent\": \"i-1\"\n}\n");
    until_undone(&board).unwrap();
    assert_eq!(board.0.borrow().at_rest(), before.at_rest());
}

#[test]
fn an_engine_that_nothing_started_is_stopped_again() {
    let before = State { runs: false, enabled: false, ..State::default().with_docker() };
    let board = Board::new(before.clone());
    assert!(until_ready(&board, &wish("root")).0.is_ok());
    assert!(board.0.borrow().runs);
    until_undone(&board).unwrap();
    assert_eq!(board.0.borrow().at_rest(), before.at_rest());
}

#[test]
fn a_user_who_is_not_root_may_speak_to_the_engine_for_as_long_as_it_is_managed() {
    let before = State { user: "pi".to_owned(), ..State::default().with_docker() };
    let board = Board::new(before.clone());
    assert!(until_ready(&board, &wish("pi")).0.is_ok());
    assert!(board.0.borrow().members.contains("pi"));
    until_undone(&board).unwrap();
    assert_eq!(board.0.borrow().at_rest(), before.at_rest());
}

#[test]
fn a_member_stays_a_member() {
    let before = State { user: "pi".to_owned(), members: ["pi".to_owned()].into(), ..State::default().with_docker() };
    let board = Board::new(before.clone());
    assert!(until_ready(&board, &wish("pi")).0.is_ok());
    until_undone(&board).unwrap();
    assert_eq!(board.0.borrow().at_rest(), before.at_rest());
}

#[test]
fn a_lock_is_waited_for_by_the_name_of_its_holder() {
    let board = Board::new(State { locked: 2, ..State::default() });
    let (ready, reasons) = until_ready(&board, &wish("root"));
    assert!(ready.is_ok());
    assert!(
        reasons.contains(&"waiting for the lock of the packages, which is held by unattended-upgr".to_owned()),
        "{reasons:?}"
    );
}

#[test]
fn a_failed_installation_is_tried_once_more() {
    let bare = State::default();
    let board = Board::new(State { fails: 1, ..bare.clone() });
    let (ready, reasons) = until_ready(&board, &wish("root"));
    assert!(ready.is_ok());
    assert!(reasons.contains(&"installing docker.io failed; trying once more".to_owned()), "{reasons:?}");
    until_undone(&board).unwrap();
    assert_eq!(board.0.borrow().at_rest(), bare.at_rest());
}

#[test]
fn an_installation_that_fails_twice_says_why() {
    let board = Board::new(State { fails: 2, ..State::default() });
    let error = until_ready(&board, &wish("root")).0.unwrap_err();
    assert!(format!("{error:?}").contains("installing docker.io failed"), "{error:?}");
    assert!(format!("{error:?}").contains("Failed to fetch"), "{error:?}");
    assert!(until_ready(&board, &wish("root")).0.is_ok(), "the next run goes on");
}

#[test]
fn nothing_is_installed_where_nobody_wants_it() {
    let board = Board::default();
    let error = until_ready(&board, &Wish { install: false, ..wish("root") }).0.unwrap_err();
    assert!(format!("{error:?}").contains("there is no Docker on this machine"), "{error:?}");
    assert!(!board.0.borrow().ran.iter().any(|command| command.starts_with("apt")));
}

#[test]
fn a_machine_has_one_owner() {
    let board = Board::new(State::default().with_docker());
    assert!(until_ready(&board, &wish("root")).0.is_ok());
    let error = until_ready(&board, &Wish { intent: "i-2", ..wish("root") }).0.unwrap_err();
    assert!(format!("{error:?}").contains("managed already, as `i-1`"), "{error:?}");
    assert_eq!(undo(&board, "i-2").unwrap(), Undone::All);
    assert!(board.0.borrow().files.contains_key(STAMP), "it is not theirs to take off");
}

#[test]
fn somebody_elses_volumes_stay() {
    let board = Board::default();
    assert!(until_ready(&board, &wish("root")).0.is_ok());
    board.0.borrow_mut().data.insert("volumes".to_owned());
    until_undone(&board).unwrap();
    assert!(board.0.borrow().data.contains("volumes"));
}

#[test]
fn an_engine_listens_with_a_certificate_that_is_replaced_in_time() {
    let before = State::default().with_docker();
    let board = Board::new(before.clone());
    let wish = Wish { access: mtls(), ..wish("root") };
    let first = until_ready(&board, &wish).0.unwrap().certificate_not_after_ms.unwrap();
    assert!(board.0.borrow().files.contains_key(DROP_IN));
    let again = until_ready(&board, &wish).0.unwrap().certificate_not_after_ms.unwrap();
    assert_eq!(first, again);
    let restarts = |board: &Board| board.0.borrow().ran.iter().filter(|command| *command == "service-restart").count();
    assert_eq!(restarts(&board), 1, "nothing changed, so nothing is restarted");
    board.0.borrow_mut().now_ms = first - 1000;
    assert!(until_ready(&board, &wish).0.unwrap().certificate_not_after_ms.unwrap() > first);
    assert_eq!(restarts(&board), 2);
    until_undone(&board).unwrap();
    assert_eq!(board.0.borrow().at_rest(), before.at_rest());
}

#[test]
fn an_engine_stops_listening_when_that_is_no_longer_wished() {
    let board = Board::new(State::default().with_docker());
    assert!(until_ready(&board, &Wish { access: mtls(), ..wish("root") }).0.is_ok());
    let ready = until_ready(&board, &wish("root")).0.unwrap();
    assert_eq!(ready.certificate_not_after_ms, None);
    assert_eq!(board.0.borrow().files.keys().collect::<Vec<_>>(), [STAMP]);
}

/// Whichever answer is lost: going on ends well, and so does giving up.
#[test]
fn every_interruption_ends_well() {
    let bare = State { user: "pi".to_owned(), ..State::default() };
    let wish = Wish { access: mtls(), ..wish("pi") };
    for fuse in 0..200 {
        let board = Board::new(State { fuse: Some(fuse), ..bare.clone() });
        let interrupted = until_ready(&board, &wish).0.is_err();
        let left = board.0.borrow().clone();
        let gives_up = Board::new(State { fuse: None, ..left });
        until_undone(&gives_up).unwrap();
        assert_eq!(gives_up.0.borrow().at_rest(), bare.at_rest(), "given up after {fuse}");
        board.0.borrow_mut().fuse = None;
        assert!(until_ready(&board, &wish).0.is_ok(), "going on after {fuse}");
        until_undone(&board).unwrap();
        assert_eq!(board.0.borrow().at_rest(), bare.at_rest(), "gone on after {fuse}");
        if !interrupted {
            return;
        }
    }
    panic!("it was always interrupted");
}
