//! Applies that are cut off, with the real process and the real state: the next one ends where the first would have.

use std::time::{Duration, Instant};

use bimetal_tests::Disk;
use bimetal_tests::stage::{EFFECTS, FIRST, SECOND, Stage, stores, world};
use bimetal_tests::wait::until_true;
use nix::sys::signal::Signal;

const PATIENCE: Duration = Duration::from_secs(60);

/// Where a process can be cut off: around the promise, the effect, and what came of it.
const POINTS: [&str; 4] = ["before-intent", "after-intent", "after-effect", "after-outcome"];

#[test]
fn a_process_killed_at_any_boundary_of_any_effect_is_finished_by_the_next_one() {
    let stage = Stage::new();
    for point in POINTS {
        for nth in 1..=EFFECTS + 1 {
            let at = format!("{point}:{nth}");
            stage.rewind();
            let ran = stage.bimetal.run_with(&[("BIMETAL_CRASH_AT", &at)], &["apply", "--auto-approve"]);
            assert_eq!(ran.code == 0, nth > EFFECTS, "{at}: {ran}");
            stage.bimetal.apply();
            stage.assert_second(&at);
        }
    }
}

#[test]
fn wherever_the_state_is_a_killed_process_is_finished() {
    for store in stores() {
        let (stage, mut is_first) = (Stage::at(&store), true);
        for at in POINTS.iter().flat_map(|point| [1, 4, EFFECTS].map(|nth| format!("{point}:{nth}"))) {
            is_first = !is_first;
            stage.want(if is_first { FIRST } else { SECOND });
            let ran = stage.bimetal.run_with(&[("BIMETAL_CRASH_AT", &at)], &["apply", "--auto-approve"]);
            assert!(ran.code != 0, "{store}, {at}: {ran}");
            stage.bimetal.apply();
            assert_eq!(stage.kept(), world(is_first), "{store}, {at}");
        }
        stage.bimetal.assert_settled();
    }
}

#[test]
fn what_was_done_though_the_answer_was_lost_is_found() {
    let stage = Stage::new();
    for nth in 1..=EFFECTS {
        stage.rewind();
        stage.server.lose_answer(nth);
        let ran = stage.bimetal.run(&["apply", "--auto-approve"]);
        assert!(!stage.server.will_lose(), "there are {nth} changes: {ran}");
        assert!([1, 3].contains(&ran.code), "{nth}: {ran}");
        stage.bimetal.apply();
        stage.assert_second(&format!("the answer to change {nth} was lost"));
    }
}

/// Chance that is the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        limit.mul_f64((self.0 >> 33) as f64 / f64::from(1u32 << 31))
    }
}

#[test]
fn a_process_killed_at_any_instant_is_finished_by_the_next_one() {
    let stage = Stage::new();
    let (mut chance, end) = (Chance(20_261_128), Instant::now() + Duration::from_secs(240));
    let started = Instant::now();
    stage.want(SECOND);
    stage.bimetal.apply();
    let whole = started.elapsed();
    let mut rounds = 0;
    for round in 0..200 {
        if Instant::now() > end {
            break;
        }
        let is_first = round % 2 == 0;
        stage.want(if is_first { FIRST } else { SECOND });
        let running = stage.bimetal.start(&["apply", "--auto-approve"]);
        std::thread::sleep(chance.below(whole));
        running.kill();
        stage.bimetal.apply();
        assert_eq!(stage.kept(), world(is_first), "round {round}");
        rounds += 1;
    }
    stage.bimetal.assert_settled();
    assert!(rounds >= 20, "only {rounds} rounds in time");
}

#[test]
fn a_signal_lets_what_runs_end_and_begins_nothing_more() {
    let stage = Stage::new();
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        stage.rewind();
        let before = stage.server.changes();
        stage.server.hold();
        let running = stage.bimetal.start(&["apply", "--auto-approve", "--parallelism", "1"]);
        until_true("a change", PATIENCE, || stage.server.changes() > before);
        running.signal(signal);
        until_true("the signal to be heard", PATIENCE, || running.said().contains("Stopping: nothing new is begun"));
        stage.server.release();
        let ran = running.wait();
        assert_eq!(ran.code, 3, "{ran}");
        assert!(ran.stderr.contains("Interrupted:") && ran.stderr.contains("Apply again to go on."), "{ran}");
        assert_eq!(stage.server.changes(), before + 1, "{ran}");
        stage.bimetal.apply();
        stage.assert_second("a signal");
    }
}

/// What moves is taken away from where it was drawn: a `^C` beside it would move that.
#[test]
fn ctrl_c_does_not_show_where_it_is_typed() {
    let stage = Stage::new();
    stage.rewind();
    stage.server.hold();
    let mut running = stage.bimetal.start_at_terminal(&["apply", "--auto-approve"]);
    until_true("something to move", PATIENCE, || running.printed().contains(": creating"));
    running.type_in("\u{3}");
    until_true("it to be heard", PATIENCE, || running.printed().contains("Stopping:"));
    stage.server.release();
    let ran = running.wait();
    assert!(ran.stdout.contains("Interrupted:") && !ran.stdout.contains("^C"), "{ran}");
    stage.bimetal.apply();
    stage.assert_second("Ctrl-C");
}

#[test]
fn a_second_signal_gives_up_what_runs_and_the_next_apply_finds_it() {
    let stage = Stage::new();
    stage.rewind();
    let before = stage.server.changes();
    stage.server.hold();
    let running = stage.bimetal.start(&["apply", "--auto-approve"]);
    until_true("a change", PATIENCE, || stage.server.changes() > before);
    running.signal(Signal::SIGTERM);
    until_true("the signal to be heard", PATIENCE, || running.said().contains("Stopping:"));
    let hurried = Instant::now();
    running.signal(Signal::SIGTERM);
    until_true("the second to be heard", PATIENCE, || running.said().contains("Hurrying: what runs has 10 s more"));
    // Changes nothing more.
    running.signal(Signal::SIGTERM);
    let ran = running.wait();
    assert!(hurried.elapsed() > Duration::from_secs(9), "it has its grace: {ran}");
    assert_eq!(ran.code, 3, "{ran}");
    assert!(ran.stderr.contains("it was given up, as the run was to end"), "{ran}");
    stage.server.release();
    stage.bimetal.apply();
    stage.assert_second("two signals");
}

#[test]
fn a_full_disk_is_said_and_there_is_nothing_lost_once_there_is_room() {
    let Some(disk) = Disk::start(4096) else { return };
    let (stage, mut is_first, mut failures) = (Stage::on(&disk), true, 0);
    for room in [0, 4, 8, 16, 32, 48, 64, 96, 128, 192, 256, 384] {
        is_first = !is_first;
        stage.want(if is_first { FIRST } else { SECOND });
        disk.leave(room);
        let ran = stage.bimetal.run(&["apply", "--auto-approve"]);
        disk.empty();
        if ran.code != 0 {
            failures += 1;
            assert!(ran.stderr.contains("state.db") && ran.stderr.contains("disk is full"), "{room} KiB: {ran}");
            stage.bimetal.apply();
        }
        assert_eq!(stage.kept(), world(is_first), "{room} KiB: {ran}");
    }
    stage.bimetal.assert_settled();
    assert!(failures > 3, "the disk was full {failures} times");
}

#[test]
fn a_state_that_can_not_be_written_is_said_before_anything_is_done() {
    let Some(disk) = Disk::start(4096) else { return };
    let stage = Stage::on(&disk);
    stage.want(SECOND);
    disk.set_writable(false);
    let refused = stage.bimetal.run(&["apply", "--auto-approve"]).failed();
    assert!(refused.contains("state.db") && refused.contains("read-only"), "{refused}");
    assert_eq!(stage.kept(), world(true), "{refused}");
    disk.set_writable(true);
    stage.bimetal.apply();
    stage.assert_second("a read-only state");
}
