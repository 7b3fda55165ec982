//! What is ephemeral is opened in each plan and each apply, is nowhere, and is closed whatever happens.

use std::path::Path;

use bimetal_tests::Bimetal;
use bimetal_tests::notes::{Server, TICKET, TOKEN, component};
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
    let opened = server.asked().iter().filter(|asked| *asked == "POST /sessions").count();
    assert_eq!(opened, 3, "in each plan and each apply");
    bimetal.apply();
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
