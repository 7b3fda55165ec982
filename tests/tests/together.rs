//! Who works on a state at the same time as others: side by side where they change different things, one after the other
//! where they change the same. And a database that goes away meanwhile.

use std::time::{Duration, Instant};

use bimetal_tests::bimetal::Running;
use bimetal_tests::stage::{FIRST, SECOND, Stage, postgres, stores, world};
use bimetal_tests::wait::until_true;
use bimetal_tests::{Bimetal, Postgres};

const PATIENCE: Duration = Duration::from_secs(60);

const TWO: &str = r#"
resource "notes_note" "left" {
  topic = "left"
  text  = "left"
}
resource "notes_note" "right" {
  topic = "right"
  text  = "right"
}
"#;

/// Starts an apply of one of the two.
fn start(bimetal: &Bimetal, name: &str, more: &[&str]) -> Running {
    let target = format!("notes_note.{name}");
    bimetal.start(&[&["apply", "--auto-approve", "--target", &target], more].concat())
}

#[test]
fn of_two_applies_at_once_both_are_right_or_one_is_refused() {
    for (store, most) in [(String::new(), 50)].into_iter().chain(stores().into_iter().map(|store| (store, 10))) {
        let (stage, end) = (Stage::at(&store), Instant::now() + Duration::from_secs(120));
        for round in (0..most).take_while(|round| *round < 10 || Instant::now() < end) {
            let is_first = round % 2 == 1;
            stage.want(if is_first { FIRST } else { SECOND });
            let both = [(); 2].map(|()| stage.bimetal.start(&["apply", "--auto-approve"]));
            let both = both.map(Running::wait);
            assert!(both.iter().any(|ran| ran.code == 0), "{store} {round}: {} {}", both[0], both[1]);
            for ran in both.iter().filter(|ran| ran.code != 0) {
                assert!(ran.code == 1 && ran.stderr.contains("locked"), "{store} {round}: {ran}");
            }
            assert_eq!(stage.kept(), world(is_first), "{store} {round}");
        }
        stage.bimetal.assert_settled();
    }
}

#[test]
fn who_changes_other_things_goes_on_and_who_changes_the_same_waits() {
    for store in std::iter::once(String::new()).chain(stores()) {
        let Stage { server, bimetal, .. } = &stage_of_two(&store);
        let before = server.changes();
        server.hold();
        let left = start(bimetal, "left", &[]);
        until_true("the left one to be made", PATIENCE, || server.changes() == before + 1);
        let right = start(bimetal, "right", &[]);
        until_true("the right one to be made meanwhile", PATIENCE, || server.changes() == before + 2);
        let refused = start(bimetal, "left", &[]).wait().failed();
        assert!(refused.contains("`notes_note.left` is locked by") && refused.contains("bimetal apply"), "{refused}");
        assert!(refused.contains(&format!("process {}", left.process())), "{refused}");
        let waiting = start(bimetal, "left", &["--lock-timeout", "1m"]);
        until_true("another to wait", PATIENCE, || waiting.said().contains("Waiting:"));
        server.release();
        for running in [left, right, waiting] {
            let ran = running.wait();
            assert_eq!(ran.code, 0, "{store}: {ran}");
        }
        assert_eq!(server.notes().len(), 2, "{store}: who waited saw that it was done");
        bimetal.assert_settled();
    }
}

/// The two are wanted, and nothing is there.
fn stage_of_two(store: &str) -> Stage {
    let stage = Stage::at(store);
    stage.want("");
    stage.bimetal.apply();
    stage.want(TWO);
    stage
}

#[test]
fn a_database_that_is_restarted_in_the_middle_is_waited_for() {
    let Some(mut database) = Postgres::start() else { return };
    let stage = Stage::at(&postgres(&database, "restarted"));
    stage.want(SECOND);
    let before = stage.server.changes();
    stage.server.hold();
    let running = stage.bimetal.start(&["apply", "--auto-approve"]);
    until_true("a change", PATIENCE, || stage.server.changes() > before);
    database.down();
    stage.server.release();
    database.up();
    let ran = running.wait();
    assert_eq!(ran.code, 0, "{ran}");
    stage.assert_second("a restart");
}
