//! What programs hear of a run: events in a file, and spans at a collector.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use bimetal_tests::Bimetal;
use bimetal_tests::notes::{Server, TOKEN, component};
use serde_json::Value;

const CONFIGURATION: &str = r#"
bimetal {
  required_providers {
    notes = { path = "./notes.wasm" }
  }
}

variable "url" {}

variable "token" {
  sensitive = true
}

variable "text" {
  sensitive = true
}

provider "notes" {
  url   = var.url
  token = var.token
}

resource "notes_note" "tea" {
  topic = "tea"
  text  = var.text
}
"#;

const SECRET: &str = "oolong-is-not-to-be-seen";

fn operator(server: &Server) -> Bimetal {
    let mut bimetal = Bimetal::new(CONFIGURATION);
    std::fs::copy(component(), bimetal.folder().join("notes.wasm")).expect("our own folder");
    bimetal.set("url", server.url()).set("token", TOKEN).set("text", SECRET);
    bimetal.ok(&["init"]);
    bimetal
}

#[test]
fn events_are_written_into_a_file_as_they_happen() {
    let server = Server::start();
    let bimetal = operator(&server);
    bimetal.ok(&["apply", "-auto-approve", "-json-into=events.jsonl"]);
    let text = std::fs::read_to_string(bimetal.folder().join("events.jsonl")).expect("it was written");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect();
    let run = lines[0]["run"].as_str().expect("which run");
    for line in &lines {
        assert_eq!((line["format"].as_u64(), line["run"].as_str()), (Some(1), Some(run)), "{line}");
        assert!(line["at"].as_str().is_some_and(|at| at.ends_with('Z')), "{line}");
    }
    let names: Vec<&str> =
        lines.iter().filter_map(|line| line["event"].as_str()).filter(|name| *name != "busy").collect();
    assert_eq!(names, ["plan", "begun", "started", "finished", "result"], "{text}");
    let result = &lines.last().expect("a last line")["document"];
    assert_eq!((result["outcome"].as_str(), result["done"].as_u64()), (Some("done"), Some(1)), "{result}");
    assert!(!text.contains(SECRET) && !text.contains(TOKEN), "{text}");

    let failed = bimetal.run(&["plan", "-json-into=events.jsonl", "-var", "nobody=1"]);
    assert_ne!(failed.code, 0);
    let text = std::fs::read_to_string(bimetal.folder().join("events.jsonl")).expect("it was written");
    assert!(text.contains(r#""event":"failure""#), "{text}");
}

#[test]
fn with_json_each_stream_is_for_programs_alone() {
    let server = Server::start();
    let bimetal = operator(&server);
    server.lose_answer(1);
    let failed = bimetal.run(&["apply", "-auto-approve", "-json"]);
    assert_ne!(failed.code, 0, "{failed}");
    let document: Value = serde_json::from_str(&failed.stdout).unwrap_or_else(|error| panic!("{error}: {failed}"));
    assert_eq!(document["diagnostics"].as_array().map(Vec::len), Some(1), "one document: {failed}");
    for line in failed.stderr.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(line["event"].is_string(), "{line}");
    }
}

/// The head of a request, and its body.
type Request = (String, Vec<u8>);

/// A collector that keeps what it is sent.
struct Collector {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Collector {
    fn start() -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let kept = requests.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = kept.clone();
                std::thread::spawn(move || keep(stream, &kept));
            }
        });
        Collector { address, requests }
    }

    /// What came.
    fn taken(&self) -> Vec<Request> {
        std::mem::take(&mut self.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn keep(stream: TcpStream, kept: &Mutex<Vec<Request>>) -> Option<()> {
    let mut reader = BufReader::new(&stream);
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).ok()? > 2 {
        head += &std::mem::take(&mut line);
    }
    let lower = head.to_lowercase();
    let length =
        lower.lines().find_map(|line| line.strip_prefix("content-length: ")).and_then(|l| l.trim().parse().ok());
    let mut body = vec![0; length?];
    reader.read_exact(&mut body).ok()?;
    kept.lock().unwrap_or_else(PoisonError::into_inner).push((head, body));
    (&stream).write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").ok()
}

#[test]
fn spans_are_sent_to_a_collector_and_say_nothing_sensitive() {
    let (server, collector) = (Server::start(), Collector::start());
    let bimetal = operator(&server);
    let endpoint = format!("http://{}", collector.address);
    let applied = bimetal.run_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)], &["apply", "--auto-approve"]);
    assert_eq!(applied.code, 0, "{applied}");
    let sent = collector.taken();
    let (head, _) = sent.first().expect("something was sent");
    assert!(head.starts_with("POST /v1/traces ") && head.contains("application/x-protobuf"), "{head}");
    let all: Vec<u8> = sent.into_iter().flat_map(|(_, body)| body).collect();
    let has = |text: &str| all.windows(text.len()).any(|window| window == text.as_bytes());
    // Texts stand in protobuf as they are.
    for name in
        ["command", "refresh", "plan", "apply", "effect", "commit", "notes_note.tea", "create", "outcome", "done"]
    {
        assert!(has(name), "no `{name}`");
    }
    assert!(
        !has(SECRET) && !has(TOKEN) && !has("tea\"") && !has(&server.url()),
        "nothing of the configuration's values"
    );

    // A collector that is not there holds up nothing, and fails nothing.
    let nobody = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address");
    let endpoint = format!("http://{nobody}");
    let planned = bimetal.run_with(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)], &["plan"]);
    assert_eq!(planned.code, 0, "{planned}");
}
