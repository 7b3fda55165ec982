//! Providers that don't come with Bimetal: the example of the SDK, against a server of its own.
//!
//! Needs neither root nor an engine.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use bimetal_tests::Bimetal;
use serde_json::{Value, json};

const TOKEN: &str = "hunter2-is-not-to-be-seen";

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
    for command in [&["plan"][..], &["init"]] {
        let error = bimetal.run(command).failed();
        assert!(error.contains("asks for more than the lock file grants it"), "{error}");
        assert!(error.contains("send GET, POST, PUT, DELETE requests"), "{error}");
    }
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

/// The example, compiled once for all tests.
fn component() -> &'static Path {
    static COMPONENT: OnceLock<PathBuf> = OnceLock::new();
    COMPONENT.get_or_init(|| {
        let target = xtask::target().join("plugins");
        let mut build = xtask::process::cargo();
        build.args(["build", "--quiet", "--profile", "provider", "--target", "wasm32-wasip2"]);
        build.args(["--package", "bimetal-provider", "--example", "notes", "--target-dir"]).arg(&target);
        build.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS");
        xtask::process::run(&mut build).unwrap_or_else(|error| panic!("the example can't be built: {error:#}"));
        target.join("wasm32-wasip2/provider/examples/notes.wasm")
    })
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

/// A server that keeps notes, and asks for the token.
struct Server {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
}

#[derive(Default)]
struct Kept {
    /// By id.
    notes: BTreeMap<String, Value>,
    /// `GET /notes`, …
    asked: Vec<String>,
    last: u32,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let kept = Arc::<Mutex<Kept>>::default();
        let server = Server { address, kept: kept.clone() };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = kept.clone();
                std::thread::spawn(move || serve(stream, &kept));
            }
        });
        server
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Topics and texts.
    fn notes(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let kept = self.kept.lock().expect("nobody panics with it");
        kept.notes.values().map(|note| (text(&note["topic"]), text(&note["text"]))).collect()
    }

    fn asked(&self) -> Vec<String> {
        self.kept.lock().expect("nobody panics with it").asked.clone()
    }

    /// Behind everybody's back.
    fn rewrite(&self, topic: &str, text: &str) {
        let mut kept = self.kept.lock().expect("nobody panics with it");
        let note = kept.notes.values_mut().find(|note| note["topic"] == topic).expect("it is there");
        note["text"] = json!(text);
    }
}

fn serve(stream: TcpStream, kept: &Mutex<Kept>) -> Option<()> {
    let mut reader = BufReader::new(&stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        let fields = lines.iter().filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (method, path) = lines.first()?.split_once(' ')?;
    let path = path.split(' ').next()?;
    let (status, body) = match header("authorization") {
        Some(shown) if shown == format!("Bearer {TOKEN}") => {
            let mut kept = kept.lock().expect("nobody panics with it");
            kept.asked.push(format!("{method} {path}"));
            let answer = kept.answer(method, path, serde_json::from_slice(&body).unwrap_or_default());
            answer.map_or((404, String::new()), |answer| (200, answer.to_string()))
        }
        _ => (401, String::new()),
    };
    let head = format!("HTTP/1.1 {status} .\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    (&stream).write_all(format!("{head}{body}").as_bytes()).ok()
}

impl Kept {
    fn answer(&mut self, method: &str, path: &str, body: Value) -> Option<Value> {
        if let Some(tag) = path.strip_prefix("/notes?tag=") {
            return Some(self.notes.values().filter(|note| note["tag"] == tag).cloned().collect());
        }
        let id = path.strip_prefix("/notes/").map(str::to_owned);
        match method {
            "POST" => {
                self.last += 1;
                let id = format!("n{}", self.last);
                let mut note = body;
                (note["id"], note["revision"]) = (json!(id), json!(1));
                self.notes.insert(id, note.clone());
                Some(note)
            }
            "PUT" => {
                let note = self.notes.get_mut(&id?)?;
                note["text"] = body["text"].clone();
                note["revision"] = json!(note["revision"].as_u64()? + 1);
                Some(note.clone())
            }
            "DELETE" => self.notes.remove(&id?),
            _ => self.notes.get(&id?).cloned(),
        }
    }
}
