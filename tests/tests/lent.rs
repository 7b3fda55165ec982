//! What is ephemeral is opened in each plan and each apply, is nowhere, and is closed whatever happens.

use std::path::Path;
use std::time::Duration;

use bimetal_tests::notes::{Server, TICKET, TOKEN, component};
use bimetal_tests::wait::until_true;
use bimetal_tests::{Bimetal, Engine, Lab};
use insta::assert_snapshot;

const CONFIGURATION: &str = r#"
bimetal {
  required_providers {
    notes = { path = "./notes.wasm" }
  }
}

variable "url" {
  type = string
}

variable "token" {
  type      = string
  sensitive = true
}

variable "reader" {
  default = "ada"
}

provider "notes" {
  url   = var.url
  token = var.token
}

ephemeral "notes_session" "reader" {
  reader = var.reader

  lifecycle {
    postcondition {
      condition     = self.reader != "eve"
      error_message = "eve does not read"
    }
  }
}

locals {
  header = "Bearer ${ephemeral.notes_session.reader.ticket}"
}

resource "notes_note" "tea" {
  topic = "tea"
  text  = "green"

  lifecycle {
    precondition {
      condition     = length(local.header) > 10
      error_message = "there is no session"
    }
  }
}
"#;

const PATIENCE: Duration = Duration::from_secs(120);

fn operator(server: &Server, configuration: &str) -> Bimetal {
    let mut bimetal = Bimetal::new(configuration);
    std::fs::copy(component(), bimetal.folder().join("notes.wasm")).expect("our own folder");
    bimetal.set("url", server.url()).set("token", TOKEN);
    bimetal
}

/// Whether a text stands in any file below a folder, in clear.
fn stands_in(folder: &Path, text: &str) -> bool {
    std::fs::read_dir(folder).expect("a folder").flatten().any(|entry| match entry.path().is_dir() {
        true => stands_in(&entry.path(), text),
        false => std::fs::read(entry.path())
            .is_ok_and(|bytes| bytes.windows(text.len()).any(|window| window == text.as_bytes())),
    })
}

/// Without what had to be compiled.
fn settled(said: &str) -> String {
    said.lines().filter(|line| !line.starts_with("compiling ")).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_session_is_open_as_long_as_a_command() {
    let server = Server::start();
    let bimetal = operator(&server, CONFIGURATION);
    assert!(bimetal.ok(&["init"]).contains("to open ephemeral values, in every plan (sessions of readers)"));
    let planned = bimetal.ok(&["plan", "--out", "plan"]);
    assert!(planned.contains("notes_note.tea") && !planned.contains("notes_session"), "{planned}");
    assert_eq!(server.sessions(), 0, "what a plan opened is closed");
    bimetal.ok(&["apply", "plan"]);
    bimetal.assert_settled();
    assert_eq!(server.sessions(), 0);
    assert_eq!(server.times("POST /sessions"), 3, "in each plan and each apply");
    bimetal.apply();
    assert!(!stands_in(bimetal.folder(), TICKET));
}

#[test]
fn a_provider_that_needs_it_has_it_in_every_command() {
    let server = Server::start();
    let let_in = CONFIGURATION.replace(
        "resource \"notes_note\" \"tea\" {",
        "provider \"notes\" {\n  alias = \"let_in\"\n  url = var.url\n  token = ephemeral.notes_session.reader.ticket\n}\n\nresource \"notes_note\" \"tea\" {\n  provider = notes.let_in",
    );
    let bimetal = operator(&server, &let_in);
    bimetal.ok(&["init"]);
    bimetal.apply();
    bimetal.assert_settled();
    bimetal.ok(&["apply", "--refresh-only", "--auto-approve"]);
    bimetal.ok(&["destroy", "--auto-approve"]);
    assert_eq!((server.notes().len(), server.sessions()), (0, 0));
    bimetal.apply();
    bimetal.ok(&["plan", "--destroy", "--out", "plan"]);
    bimetal.ok(&["apply", "plan"]);
    assert_eq!((server.notes().len(), server.sessions()), (0, 0));
    assert!(!stands_in(bimetal.folder(), TICKET));
}

#[test]
fn it_is_closed_after_a_failure_too() {
    let server = Server::start();
    let mut bimetal = operator(&server, CONFIGURATION);
    bimetal.ok(&["init"]);
    let said = bimetal.set("reader", "eve").run(&["plan"]).failed();
    assert_snapshot!(settled(&said), @r#"
    error: ephemeral.notes_session.reader: a postcondition does not hold
      --> main.bm.hcl:31:23
       |
    31 |       condition     = self.reader != "eve"
       |                       ^^^^^^^^^^^^^^^^^^^^ eve does not read
       |
       = value: self.reader has an ephemeral value
    "#);
    assert_eq!(server.sessions(), 0);
}

#[test]
fn it_is_renewed_as_long_as_something_runs() {
    let server = Server::start();
    let bimetal = operator(&server, CONFIGURATION);
    bimetal.ok(&["init"]);
    server.sessions_last(Duration::from_millis(20));
    server.hold();
    let applying = bimetal.start(&["apply", "--auto-approve"]);
    // The note is not answered: meanwhile the session would have ended many times.
    until_true("the session is renewed", PATIENCE, || server.times("POST /notes") == 1);
    let before = server.times("PUT /sessions/s1");
    until_true("and again", PATIENCE, || server.times("PUT /sessions/s1") > before + 2);
    server.release();
    applying.wait().ok();
    assert_eq!(server.sessions(), 0);
}

#[test]
fn what_ends_at_a_question_closes_it() {
    let server = Server::start();
    let bimetal = operator(&server, CONFIGURATION);
    bimetal.ok(&["init"]);
    let mut asking = bimetal.start_at_terminal(&["apply"]);
    until_true("it asks", PATIENCE, || asking.printed().contains("yes: "));
    assert_eq!(server.sessions(), 1);
    // As a terminal sends Ctrl-C.
    asking.type_in("\u{3}");
    until_true("it ends by that alone", PATIENCE, || asking.has_ended());
    let ran = asking.wait();
    assert_eq!(ran.code, 130, "{ran}");
    let end = ran.stdout.rsplit("Do this?").next().expect("it asked").replace('\r', "");
    assert_snapshot!(end, @"
     Only `yes` is taken for yes: ^C
    error: interrupted: nothing was done, and what was open is closed
    ");
    assert_eq!((server.sessions(), server.notes().len()), (0, 0));
}

#[test]
fn what_is_ephemeral_can_not_be_kept() {
    let server = Server::start();
    let kept = CONFIGURATION.replace("\"green\"", "local.header");
    let bimetal = operator(&server, &kept);
    bimetal.ok(&["init"]);
    assert_snapshot!(settled(&bimetal.run(&["plan"]).failed()), @r"
    error: notes_note.tea: `text` is stored, and this is ephemeral
      --> main.bm.hcl:43:11
       |
    43 |   text  = local.header
       |           ^^^^^^^^^^^^
       |
       = hint: what is ephemeral may stand in provider blocks, in what is write-only, and in what is not stored
    ");
    assert_eq!(server.sessions(), 0);
}

/// Where its token comes from, its data source alone knows: in every command that is looked at before anything else.
#[test]
fn a_provider_that_a_data_source_configures_has_it_in_every_command() {
    let Some(lab) = Lab::start() else { return };
    let engine = Engine::start(&lab, "engine");
    let data =
        format!("data \"docker_engine\" \"here\" {{\n  host     = \"{}\"\n  insecure = true\n}}\n", engine.host());
    let server = Server::start();
    let told =
        CONFIGURATION.replace("= var.token\n", "= data.docker_engine.here.cpus > 0 ? var.token : \"nobody's\"\n");
    let bimetal = operator(&server, &(data + &told));
    bimetal.ok(&["init"]);
    bimetal.apply();
    bimetal.assert_settled();
    bimetal.ok(&["apply", "--refresh-only", "--auto-approve"]);
    bimetal.ok(&["destroy", "--auto-approve"]);
    assert_eq!(server.notes().len(), 0);
    bimetal.apply();
    bimetal.ok(&["plan", "--destroy", "--out", "plan"]);
    bimetal.ok(&["apply", "plan"]);
    assert_eq!(server.notes().len(), 0);
}
