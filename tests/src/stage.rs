//! A configuration that becomes another one: something to change, to replace in both orders, to remove and to make. Whatever
//! happens to the applies between the two, the world must come to be what one of them says.
//!
//! The world is the notes' server, which needs neither root nor an engine, and can be compared.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::disk::{Disk, PLACE};
use crate::notes::{Server, TOKEN, component};
use crate::{Bimetal, Postgres};

const HEAD: &str = r#"
bimetal {
  STORE
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

/// The first configuration.
pub const FIRST: &str = r#"
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

/// The second one.
pub const SECOND: &str = r#"
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

/// From one to the other: a change, a removal, and five halves of others.
pub const EFFECTS: usize = 7;

/// Topics and texts, as the first or the second configuration says.
pub fn world(first: bool) -> Vec<(String, String)> {
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

/// `state` blocks for every kind of store that is at hand, beside the file that is the default.
pub fn stores() -> Vec<String> {
    let shared = Postgres::shared().map(|server| postgres(server, "stage"));
    shared.into_iter().chain(["state \"local\" {\n  path = \"shared\"\n}".to_owned()]).collect()
}

/// A `state` block for this server, and a schema that no other stage has.
pub fn postgres(server: &Postgres, name: &str) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let schema = format!("{name}{}", COUNT.fetch_add(1, Ordering::SeqCst));
    format!("state \"postgres\" {{\n  url    = \"{}\"\n  schema = \"{schema}\"\n}}", server.url())
}

/// Somebody who has applied the first configuration.
#[derive(Debug)]
pub struct Stage {
    /// The world.
    pub server: Server,
    /// Who works in it.
    pub bimetal: Bimetal,
    /// A `state` block, or nothing.
    store: String,
    picture: Vec<serde_json::Value>,
    state: PathBuf,
}

impl Default for Stage {
    fn default() -> Stage {
        Stage::new()
    }
}

impl Stage {
    /// With the state in its file.
    pub fn new() -> Stage {
        Stage::at("")
    }

    /// With the state where this `state` block says.
    pub fn at(store: &str) -> Stage {
        Stage::of(Bimetal::new(""), store)
    }

    /// With the state on this disk.
    pub fn on(disk: &Disk) -> Stage {
        let mut bimetal = Bimetal::new("");
        bimetal.with_mounts_of(disk.process());
        Stage::of(bimetal, &format!("state \"sqlite\" {{\n  path = \"{PLACE}/state.db\"\n}}"))
    }

    fn of(mut bimetal: Bimetal, store: &str) -> Stage {
        let server = Server::start();
        bimetal.write("main.bm.hcl", &written(store, FIRST));
        std::fs::copy(component(), bimetal.folder().join("notes.wasm")).expect("our own folder");
        bimetal.set("url", server.url()).set("token", TOKEN);
        bimetal.ok(&["init"]);
        bimetal.apply();
        let (picture, state) = (server.picture(), bimetal.folder().join("saved"));
        if store.is_empty() {
            copy(&bimetal.folder().join(".bimetal"), &state);
        }
        let stage = Stage { server, bimetal, store: store.to_owned(), picture, state };
        assert_eq!(stage.kept(), world(true));
        stage
    }

    /// World and state as they were after the first configuration; the second one is wanted. Only for a state in its file.
    pub fn rewind(&self) {
        self.server.restore(&self.picture);
        let state = self.bimetal.folder().join(".bimetal");
        std::fs::remove_dir_all(&state).expect("our own folder");
        copy(&self.state, &state);
        self.want(SECOND);
    }

    /// From now on this is wanted.
    pub fn want(&self, configuration: &str) {
        self.bimetal.write("main.bm.hcl", &written(&self.store, configuration));
    }

    /// What is in the world, to be compared with [`world`].
    pub fn kept(&self) -> Vec<(String, String)> {
        let mut notes = self.server.notes();
        notes.sort();
        notes
    }

    /// The world is what the second configuration says, and nothing is left to be done.
    pub fn assert_second(&self, after: &str) {
        assert_eq!(self.kept(), world(false), "{after}");
        self.bimetal.assert_settled();
    }
}

fn written(store: &str, configuration: &str) -> String {
    format!("{}{configuration}", HEAD.replace("STORE", store))
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("our own folder");
    for entry in std::fs::read_dir(from).expect("our own folder").flatten().filter(|entry| entry.path().is_file()) {
        std::fs::copy(entry.path(), to.join(entry.file_name())).expect("our own file");
    }
}
