//! Applies that are cut off, with the real process and the real state: the next one ends where the first would have.
//!
//! The world is the notes' server, which needs neither root nor an engine, and can be compared.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bimetal_tests::Bimetal;
use bimetal_tests::notes::{Server, TOKEN, component};
use bimetal_tests::wait::until_true;
use nix::sys::signal::Signal;

const PATIENCE: Duration = Duration::from_secs(60);

const HEAD: &str = r#"
bimetal {
  required_providers {
    notes = { path = "./notes.wasm" }
  }
}

variable "url" {}

variable "token" {
  sensitive = true
}

provider "notes" {
  url   = var.url
  token = var.token
}
"#;

/// Something to change, something to replace in both orders, something to remove.
const FIRST: &str = r#"
resource "notes_note" "changed" {
  topic = "changed"
  text  = "old"
}
resource "notes_note" "replaced" {
  topic = "replaced-old"
  text  = "needs ${notes_note.changed.topic}"
}
resource "notes_note" "first" {
  topic = "first-old"
  text  = "first"
  lifecycle {
    create_before_destroy = true
  }
}
resource "notes_note" "removed" {
  topic      = "removed"
  text       = "removed"
  depends_on = [notes_note.changed]
}
"#;

const SECOND: &str = r#"
resource "notes_note" "changed" {
  topic = "changed"
  text  = "new"
}
resource "notes_note" "replaced" {
  topic = "replaced-new"
  text  = "needs ${notes_note.changed.topic}"
}
resource "notes_note" "first" {
  topic = "first-new"
  text  = "first"
  lifecycle {
    create_before_destroy = true
  }
}
resource "notes_note" "new" {
  topic      = "new"
  text       = "new"
  depends_on = [notes_note.replaced]
}
"#;

/// A change, a removal, and five halves of others.
const EFFECTS: usize = 7;

fn world(first: bool) -> Vec<(String, String)> {
    let note = |topic: &str, text: &str| (topic.to_owned(), text.to_owned());
    let mut notes = match first {
        true => vec![note("changed", "old"), note("removed", "removed")],
        false => vec![note("changed", "new"), note("new", "new")],
    };
    let age = if first { "old" } else { "new" };
    notes.push(note(&format!("first-{age}"), "first"));
    notes.push(note(&format!("replaced-{age}"), "needs changed"));
    notes.sort();
    notes
}

fn kept(server: &Server) -> Vec<(String, String)> {
    let mut notes = server.notes();
    notes.sort();
    notes
}

/// Somebody who has applied the first configuration.
struct Stage {
    server: Server,
    bimetal: Bimetal,
    picture: Vec<serde_json::Value>,
    state: PathBuf,
}

impl Stage {
    fn new() -> Stage {
        let server = Server::start();
        let mut bimetal = Bimetal::new(&format!("{HEAD}{FIRST}"));
        std::fs::copy(component(), bimetal.folder().join("notes.wasm")).expect("our own folder");
        bimetal.set("url", server.url()).set("token", TOKEN);
        bimetal.ok(&["init"]);
        bimetal.apply();
        assert_eq!(kept(&server), world(true));
        let (picture, state) = (server.picture(), bimetal.folder().join("saved"));
        copy(&bimetal.folder().join(".bimetal"), &state);
        Stage { server, bimetal, picture, state }
    }

    /// World and state as they were after the first configuration; the second one is wanted.
    fn rewind(&self) {
        self.server.restore(&self.picture);
        let state = self.bimetal.folder().join(".bimetal");
        std::fs::remove_dir_all(&state).expect("our own folder");
        copy(&self.state, &state);
        self.want(SECOND);
    }

    fn want(&self, configuration: &str) {
        self.bimetal.write("main.bm.hcl", &format!("{HEAD}{configuration}"));
    }

    fn assert_second(&self, after: &str) {
        assert_eq!(kept(&self.server), world(false), "{after}");
        self.bimetal.assert_settled();
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("our own folder");
    for entry in std::fs::read_dir(from).expect("our own folder").flatten().filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("our own file");
    }
}

#[test]
fn a_process_killed_at_any_boundary_of_any_effect_is_finished_by_the_next_one() {
    let stage = Stage::new();
    for point in ["before-intent", "after-intent", "after-effect", "after-outcome"] {
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
        assert_eq!(kept(&stage.server), world(is_first), "round {round}");
        rounds += 1;
    }
    stage.bimetal.assert_settled();
    assert!(rounds >= 20, "only {rounds} rounds in time");
}

#[test]
fn of_two_applies_at_once_both_are_right_or_one_is_refused() {
    let stage = Stage::new();
    let end = Instant::now() + Duration::from_secs(180);
    let mut rounds = 0;
    for round in 0..50 {
        if Instant::now() > end {
            break;
        }
        let is_first = round % 2 == 1;
        stage.want(if is_first { FIRST } else { SECOND });
        let both = [(); 2].map(|()| stage.bimetal.start(&["apply", "--auto-approve"]));
        let both = both.map(bimetal_tests::bimetal::Running::wait);
        assert!(both.iter().any(|ran| ran.code == 0), "round {round}: {} {}", both[0], both[1]);
        for ran in both.iter().filter(|ran| ran.code != 0) {
            assert!(ran.code == 1 && ran.stderr.contains("locked"), "round {round}: {ran}");
        }
        assert_eq!(kept(&stage.server), world(is_first), "round {round}");
        rounds += 1;
    }
    stage.bimetal.assert_settled();
    assert!(rounds >= 10, "only {rounds} rounds in time");
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
