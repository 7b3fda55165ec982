//! A server that keeps notes, for the provider that is the SDK's example; and that component itself.
//!
//! Its world can be compared, and it can lose what it answers: nobody needs an engine, or root, to see what is left of an
//! interrupted apply.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::Request;

/// What it asks for.
pub const TOKEN: &str = "hunter2-is-not-to-be-seen";

/// What those are let in with who have a session.
pub const TICKET: &str = "ticket-is-not-to-be-kept";

/// No answer is held for longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// The example, compiled once for all tests.
pub fn component() -> &'static Path {
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

/// A server that keeps notes, and asks for the token.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    kept: Mutex<Kept>,
    /// Told when answers are not held any more.
    released: Condvar,
}

#[derive(Debug, Default)]
struct Kept {
    /// By id.
    notes: BTreeMap<String, Value>,
    /// Ids of those that are open.
    sessions: BTreeSet<String>,
    /// How long one lasts that nobody renews, as it says.
    session_ms: Option<u64>,
    /// `GET /notes`, …
    asked: Vec<String>,
    last: u32,
    /// The answer to so many changes from now is lost, though they are made.
    lost: Option<usize>,
    /// Notes are changed, and nobody is answered.
    is_held: bool,
}

impl Server {
    /// Starts one; it goes on as long as the process.
    pub fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let server = Server { address, shared: Arc::default() };
        let shared = server.shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        server
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Topics and texts, in the order in which they were made.
    pub fn notes(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        self.kept().notes.values().map(|note| (text(&note["topic"]), text(&note["text"]))).collect()
    }

    /// `GET /notes`, …
    pub fn asked(&self) -> Vec<String> {
        self.kept().asked.clone()
    }

    /// How many sessions are open.
    pub fn sessions(&self) -> usize {
        self.kept().sessions.len()
    }

    /// From now on sessions say that they last so long.
    pub fn sessions_last(&self, time: Duration) {
        self.kept().session_ms = Some(time.as_millis().try_into().expect("a short time"));
    }

    /// How often it was asked for this, as `GET /notes`.
    pub fn times(&self, asked: &str) -> usize {
        self.kept().asked.iter().filter(|one| *one == asked).count()
    }

    /// Behind everybody's back.
    pub fn rewrite(&self, topic: &str, text: &str) {
        let mut kept = self.kept();
        let note = kept.notes.values_mut().find(|note| note["topic"] == topic).expect("it is there");
        note["text"] = json!(text);
    }

    /// The nth change from now, from 1, is made, and its answer is lost.
    pub fn lose_answer(&self, nth: usize) {
        self.kept().lost = Some(nth);
    }

    /// Whether such an answer is still to be lost.
    pub fn will_lose(&self) -> bool {
        self.kept().lost.is_some()
    }

    /// From now on notes are changed, and nobody is answered.
    pub fn hold(&self) {
        self.kept().is_held = true;
    }

    /// All are answered.
    pub fn release(&self) {
        self.kept().is_held = false;
        self.shared.released.notify_all();
    }

    /// How many changes were asked for.
    pub fn changes(&self) -> usize {
        self.kept().asked.iter().filter(|asked| !asked.starts_with("GET ")).count()
    }

    /// What is kept, to be put back later.
    pub fn picture(&self) -> Vec<Value> {
        self.kept().notes.values().cloned().collect()
    }

    /// Keeps this and nothing else.
    pub fn restore(&self, picture: &[Value]) {
        let note = |note: &Value| (note["id"].as_str().expect("an id").to_owned(), note.clone());
        self.kept().notes = picture.iter().map(note).collect();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.shared.kept()
    }
}

impl Shared {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn serve(stream: TcpStream, shared: &Shared) -> Option<()> {
    let request = Request::read(&stream)?;
    let (method, path) = (request.method.as_str(), request.target.as_str());
    let (status, body) = match request.header("authorization") {
        Some(shown) if shared.kept().lets_in(shown) => {
            let mut kept = shared.kept();
            kept.asked.push(format!("{method} {path}"));
            let answer = kept.answer(method, path, serde_json::from_slice(&request.body).unwrap_or_default());
            if method != "GET" && kept.loses() {
                return None;
            }
            if method != "GET" && path.starts_with("/notes") {
                drop(shared.released.wait_timeout_while(kept, PATIENCE, |kept| kept.is_held));
            }
            answer.map_or((404, String::new()), |answer| (200, answer.to_string()))
        }
        _ => (401, String::new()),
    };
    let head = format!("HTTP/1.1 {status} .\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    (&stream).write_all(format!("{head}{body}").as_bytes()).ok()
}

impl Kept {
    /// Whoever has the token, or the ticket of a session that is open.
    fn lets_in(&self, shown: &str) -> bool {
        let shown = shown.strip_prefix("Bearer ").unwrap_or_default();
        shown == TOKEN || self.sessions.iter().any(|id| shown == format!("{TICKET}-{id}"))
    }

    /// Whether this change's answer is the one that is lost.
    fn loses(&mut self) -> bool {
        match self.lost {
            Some(0 | 1) => {
                self.lost = None;
                true
            }
            Some(nth) => {
                self.lost = Some(nth - 1);
                false
            }
            None => false,
        }
    }

    fn answer(&mut self, method: &str, path: &str, body: Value) -> Option<Value> {
        if let Some(tag) = path.strip_prefix("/notes?tag=") {
            return Some(self.notes.values().filter(|note| note["tag"] == tag).cloned().collect());
        }
        if path.starts_with("/sessions") {
            return self.answer_of_session(method, path);
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

    fn answer_of_session(&mut self, method: &str, path: &str) -> Option<Value> {
        let id = path.strip_prefix("/sessions/").map(str::to_owned);
        match method {
            "POST" => {
                self.last += 1;
                let id = format!("s{}", self.last);
                self.sessions.insert(id.clone());
                Some(json!({ "id": id, "ticket": format!("{TICKET}-{id}"), "lasts_ms": self.session_ms }))
            }
            "DELETE" => self.sessions.remove(&id?).then(|| json!({})),
            _ => self.sessions.contains(&id?).then(|| json!({ "lasts_ms": self.session_ms })),
        }
    }
}
