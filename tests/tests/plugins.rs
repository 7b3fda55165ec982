//! Providers that don't come with Bimetal: the example of the SDK, against a server of its own.
//!
//! Needs neither root nor an engine.

use std::path::{Path, PathBuf};

use bimetal_tests::Bimetal;
use bimetal_tests::notes::{Server, TOKEN, component};

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

variable "text" {
  type    = string
  default = "green"
}

provider "notes" {
  url   = var.url
  token = var.token
}

resource "notes_note" "tea" {
  topic = "tea"
  text  = var.text
}

output "revision" {
  value = notes_note.tea.revision
}
"#;

fn operator(server: &Server) -> Bimetal {
    let mut bimetal = Bimetal::new(CONFIGURATION);
    std::fs::copy(component(), bimetal.folder().join("notes.wasm")).expect("our own folder");
    bimetal.set("url", server.url()).set("token", TOKEN);
    bimetal
}

#[test]
fn a_provider_from_a_file_lives_like_any_other() {
    let server = Server::start();
    let mut bimetal = operator(&server);
    let shown = bimetal.ok(&["init"]);
    let grant = "send GET, POST, PUT, DELETE requests to https://notes.example.org or what `url` of its provider block \
                 says (the API of the notes)";
    assert!(shown.contains("notes 0.1.0") && shown.contains(grant), "{shown}");
    let lock = lock(&bimetal);
    assert!(lock.contains("provider \"notes\"") && lock.contains("sha256:") && lock.contains(grant), "{lock}");

    bimetal.apply();
    assert_eq!(server.notes(), [("tea".to_owned(), "green".to_owned())]);
    assert_eq!(bimetal.output("revision"), 1);
    bimetal.assert_settled();

    bimetal.set("text", "black").apply();
    assert_eq!(server.notes(), [("tea".to_owned(), "black".to_owned())]);
    assert_eq!(bimetal.output("revision"), 2);
    bimetal.assert_settled();

    // Somebody else rewrote it: that is seen, and put right.
    server.rewrite("tea", "rum");
    let (plan, changes) = bimetal.plan();
    assert!(changes && plan["drift"][0]["after"]["text"] == "rum", "{plan}");
    let taken = bimetal.run(&["apply", "--refresh-only", "--auto-approve"]);
    assert!(taken.stderr.contains("Applied: 1 change taken into the state"), "{taken}");
    assert!(bimetal.ok(&["history"]).contains("1 refresh"));
    bimetal.apply();
    assert_eq!(server.notes(), [("tea".to_owned(), "black".to_owned())]);

    bimetal.ok(&["destroy", "--auto-approve"]);
    assert!(server.notes().is_empty());
    assert!(!everything_below(bimetal.folder()).contains(TOKEN));
}

#[test]
fn its_functions_are_called_once_it_is_locked() {
    let server = Server::start();
    let bimetal = operator(&server);
    let told = "\nvariable \"words\" {\n  type = list(string)\n  validation {\n    condition     = \
                provider::notes::topic(var.words...) != \"tea\"\n    error_message = \"say which\"\n  }\n}\n";
    let named = CONFIGURATION.replace("\"tea\"\n", "provider::notes::topic(var.words...)\n") + told;
    bimetal.write("main.bm.hcl", &named);
    let error = bimetal.run(&["plan", "--var", "words=[\"Green\"]"]).failed();
    assert!(error.contains("provider `notes` is not locked yet") && error.contains("`bimetal init`"), "{error}");

    // Nothing of it runs before it is locked, and no variable needs a value for that.
    bimetal.ok(&["init"]);
    let applied = |words: &str| bimetal.run(&["apply", "--auto-approve", "--var", &format!("words={words}")]);
    applied("[\"Green\", \"tea\"]").ok();
    assert_eq!(server.notes(), [("green-tea".to_owned(), "green".to_owned())]);

    let error = applied("[\"tea\"]").failed();
    assert!(error.contains("say which"), "{error}");
    let error = applied("[\"green\", \" \"]").failed();
    assert!(error.contains("a word has letters") && error.contains("provider `notes` 0.1.0 says so"), "{error}");
    bimetal.write("bimetal.lock.hcl", &lock(&bimetal).replace("sha256:", "sha256:0"));
    let error = applied("[\"green\"]").failed();
    assert!(error.contains("provider `notes` is not the one that is locked"), "{error}");
}

#[test]
fn the_plugin_folder_needs_no_path() {
    let server = Server::start();
    let bimetal = operator(&server);
    let folder = bimetal.folder().join(".bimetal/plugins");
    std::fs::create_dir_all(&folder).expect("our own folder");
    std::fs::rename(bimetal.folder().join("notes.wasm"), folder.join("notes.wasm")).expect("our own file");
    bimetal.write("main.bm.hcl", &CONFIGURATION.replace("{ path = \"./notes.wasm\" }", "{ version = \"~> 0.1\" }"));
    bimetal.ok(&["init"]);
    bimetal.apply();
    assert_eq!(server.notes().len(), 1);
    bimetal.assert_settled();

    bimetal.write("main.bm.hcl", &CONFIGURATION.replace("{ path = \"./notes.wasm\" }", "{ version = \">= 2\" }"));
    let error = bimetal.run(&["plan"]).failed();
    assert!(error.contains("is version 0.1.0") && error.contains("wants `>= 2`"), "{error}");

    std::fs::remove_file(folder.join("notes.wasm")).expect("our own file");
    let error = bimetal.run(&["plan"]).failed();
    assert!(error.contains("there is no provider `notes`") && error.contains("required_providers"), "{error}");
}

#[test]
fn a_component_that_nobody_has_agreed_to_is_refused() {
    let server = Server::start();
    let bimetal = operator(&server);
    for command in [&["validate"][..], &["plan"], &["apply", "--auto-approve"]] {
        let error = bimetal.run(command).failed();
        assert!(error.contains("provider `notes` is not locked yet") && error.contains("bimetal init"), "{error}");
    }
    assert!(server.asked().is_empty());
}

#[test]
fn a_component_that_changed_is_refused() {
    let server = Server::start();
    let bimetal = operator(&server);
    bimetal.ok(&["init"]);
    bimetal.apply();
    let asked = server.asked().len();
    let file = bimetal.folder().join("notes.wasm");
    let other = [std::fs::read(&file).expect("our own file"), custom_section("other", b"another build")].concat();
    std::fs::write(&file, other).expect("our own file");

    for command in [&["plan"][..], &["apply", "--auto-approve"], &["destroy", "--auto-approve"], &["init"]] {
        let error = bimetal.run(command).failed();
        assert!(error.contains("provider `notes` is not the one that is locked"), "{error}");
        assert!(error.contains("bimetal init --upgrade"), "{error}");
    }
    assert_eq!(server.asked().len(), asked);

    bimetal.ok(&["init", "--upgrade"]);
    bimetal.assert_settled();
}

#[test]
fn what_was_not_agreed_to_is_refused() {
    let server = Server::start();
    let bimetal = operator(&server);
    bimetal.ok(&["init"]);
    // Somebody looks at the lock file, and doesn't want that.
    let without: String =
        lock(&bimetal).lines().filter(|line| !line.contains("requests to")).collect::<Vec<_>>().join("\n");
    bimetal.write("bimetal.lock.hcl", &without);
    // Nothing gives it back unasked.
    bimetal.ok(&["init"]);
    assert!(!lock(&bimetal).contains("requests to"), "{}", lock(&bimetal));
    let error = bimetal.run(&["apply", "--auto-approve"]).failed();
    assert!(error.contains("`bimetal.lock.hcl` grants it less than it asks for"), "{error}");
    assert!(server.asked().is_empty());
}

#[test]
fn what_the_manifest_does_not_ask_for_is_not_had() {
    let server = Server::start();
    let bimetal = operator(&server);
    // The same code; its manifest asks for less than it does.
    let file = bimetal.folder().join("notes.wasm");
    let bytes = std::fs::read(&file).expect("our own file");
    std::fs::write(&file, replaced(bytes, b"\"DELETE\"", b"\"OPTION\"")).expect("our own file");
    bimetal.ok(&["init"]);
    bimetal.apply();
    let failed = bimetal.run(&["destroy", "--auto-approve"]);
    assert_eq!(failed.code, 1, "{failed}");
    let wanted = format!("not granted: DELETE requests to {}", server.url());
    assert!(failed.stderr.contains("notes_note.tea") && failed.stderr.contains(&wanted), "{failed}");
    assert_eq!(server.notes().len(), 1);
    assert_eq!(bimetal.ok(&["state", "list"]), "notes_note.tea\n");
}

#[test]
fn what_is_no_provider_is_said() {
    let server = Server::start();
    let bimetal = operator(&server);
    bimetal.write("notes.wasm", "not a component");
    let error = bimetal.run(&["init"]).failed();
    assert!(error.contains("`notes`: this is no provider") && error.contains("WebAssembly"), "{error}");
    std::fs::remove_file(bimetal.folder().join("notes.wasm")).expect("our own file");
    let error = bimetal.run(&["init"]).failed();
    assert!(error.contains("notes.wasm") && error.contains("No such file"), "{error}");
}

fn lock(bimetal: &Bimetal) -> String {
    std::fs::read_to_string(bimetal.folder().join("bimetal.lock.hcl")).expect("a lock file")
}

/// A section that changes a component's digest, and nothing else.
fn custom_section(name: &str, data: &[u8]) -> Vec<u8> {
    let length = |length: usize| u8::try_from(length).expect("small enough for one byte") & 0x7f;
    let head = [0, length(1 + name.len() + data.len()), length(name.len())];
    [&head, name.as_bytes(), data].concat()
}

/// With other words of the same length, wherever they stand.
fn replaced(mut bytes: Vec<u8>, old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let places: Vec<_> = (0..=bytes.len() - old.len()).filter(|&at| bytes[at..].starts_with(old)).collect();
    assert!(!places.is_empty(), "the manifest says it");
    for at in places {
        bytes[at..at + old.len()].copy_from_slice(new);
    }
    bytes
}

/// All files below a folder, one after the other.
fn everything_below(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).expect("our own folder").flatten().map(|entry| entry.path());
    let text = |path: PathBuf| match path.is_dir() {
        true => everything_below(&path),
        false => String::from_utf8_lossy(&std::fs::read(path).expect("our own file")).into_owned(),
    };
    entries.map(text).collect()
}
