//! Container engines that answer at once: as much of Docker's API as machines and replicas need, in memory.
//!
//! Must not wait for anything: what is measured with them is Bimetal alone.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// The label that says which effect made a container.
const INTENT: &str = "bimetal.intent";

/// An engine; it answers as long as this process lives.
pub(crate) struct StandIn {
    host: String,
}

impl StandIn {
    /// At `127.90.0.<number>`, each number once.
    pub(crate) fn at_address(number: u8) -> Result<StandIn> {
        let address = Ipv4Addr::new(127, 90, 0, number);
        let listener = TcpListener::bind((address, 0)).with_context(|| format!("cannot listen at {address}"))?;
        let host = format!("tcp://{}", listener.local_addr()?);
        std::thread::spawn(move || serve(listener.incoming(), &mut Engine { number, containers: Vec::new() }));
        Ok(StandIn { host })
    }

    /// At a socket that is made for it.
    pub(crate) fn at_socket(path: &Path) -> Result<StandIn> {
        let listener = UnixListener::bind(path).with_context(|| format!("cannot listen at {}", path.display()))?;
        std::thread::spawn(move || serve(listener.incoming(), &mut Engine { number: 0, containers: Vec::new() }));
        Ok(StandIn { host: format!("unix://{}", path.display()) })
    }

    /// As machines are told.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }
}

/// One request after the other: each engine has one client, which sends few at once.
fn serve<S: Read + Write>(streams: impl Iterator<Item = io::Result<S>>, engine: &mut Engine) {
    for stream in streams.flatten() {
        // Who breaks off gets no answer.
        let _ = answer(stream, engine);
    }
}

fn answer(stream: impl Read + Write, engine: &mut Engine) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let request = Request::read(&mut reader)?;
    let (status, body) = engine.answer(&request);
    let body = if status == NO_CONTENT { String::new() } else { body.to_string() };
    let head = format!(
        "HTTP/1.1 {status} .\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    reader.into_inner().write_all((head + &body).as_bytes())
}

/// A status whose answers have no body.
const NO_CONTENT: u16 = 204;

struct Request {
    method: String,
    /// Without the version of the API.
    path: String,
    query: String,
    body: Value,
}

impl Request {
    fn read(reader: &mut impl BufRead) -> io::Result<Request> {
        let first = line(reader)?;
        let mut words = first.split(' ');
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut length = 0;
        loop {
            let line = line(reader)?;
            match line.to_ascii_lowercase().split_once(':') {
                Some(("content-length", value)) => length = value.trim().parse().unwrap_or_default(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Ok(Request { method: method.to_owned(), path: without_version(path).to_owned(), query: query.to_owned(), body })
    }

    fn argument(&self, name: &str) -> Option<&str> {
        self.query.split('&').find_map(|argument| argument.strip_prefix(name)?.strip_prefix('='))
    }
}

/// `/v1.41/info` is `/info`.
fn without_version(path: &str) -> &str {
    match path.strip_prefix("/v1.").and_then(|rest| rest.find('/').map(|slash| &rest[slash..])) {
        Some(rest) => rest,
        None => path,
    }
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

struct Engine {
    number: u8,
    containers: Vec<Container>,
}

struct Container {
    id: String,
    name: String,
    /// As it was asked for.
    body: Value,
    is_running: bool,
}

impl Engine {
    fn answer(&mut self, request: &Request) -> (u16, Value) {
        let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        match (request.method.as_str(), &parts[..]) {
            ("GET" | "HEAD", ["_ping"]) => (200, json!("OK")),
            ("GET", ["version"]) => (200, version()),
            ("GET", ["info"]) => (200, self.info()),
            ("GET", ["images", .., "json"]) => (200, json!({ "Id": format!("sha256:{}", "1".repeat(64)) })),
            ("GET", ["containers", "json"]) => (200, self.containers.iter().map(Container::listed).collect()),
            ("GET", ["containers", id, "json"]) => self.with(id, |one| (200, one.inspected())),
            ("POST", ["containers", "create"]) => (201, self.create(request)),
            ("POST", ["containers", id, "start"]) => self.with(id, |one| {
                one.is_running = true;
                (NO_CONTENT, Value::Null)
            }),
            _ => (404, json!({ "message": format!("{} {}: nobody needed that yet", request.method, request.path) })),
        }
    }

    fn with(&mut self, id: &str, act: impl FnOnce(&mut Container) -> (u16, Value)) -> (u16, Value) {
        let found = self.containers.iter_mut().find(|one| one.id == id);
        found.map_or_else(|| (404, json!({ "message": format!("No such container: {id}") })), act)
    }

    fn info(&self) -> Value {
        json!({
            "ID": self.number.to_string(),
            "Name": format!("stand-in-{}", self.number),
            "OSType": "linux",
            "Architecture": "x86_64",
            "NCPU": 4,
            "MemTotal": 8_u64 << 30,
            "ServerVersion": "20.10.24",
            "Containers": self.containers.len(),
            "ContainersRunning": self.containers.iter().filter(|one| one.is_running).count(),
        })
    }

    fn create(&mut self, request: &Request) -> Value {
        let id = format!("{:02x}{:062x}", self.number, self.containers.len());
        let name = request.argument("name").unwrap_or(&id).to_owned();
        self.containers.push(Container { id: id.clone(), name, body: request.body.clone(), is_running: false });
        json!({ "Id": id, "Warnings": [] })
    }
}

fn version() -> Value {
    json!({ "Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12", "Os": "linux", "Arch": "amd64" })
}

impl Container {
    fn listed(&self) -> Value {
        json!({
            "Id": self.id,
            "Names": [format!("/{}", self.name)],
            "Image": self.body["Image"],
            "ImageID": self.body["Image"],
            "Labels": { INTENT: self.body["Labels"][INTENT] },
            "State": if self.is_running { "running" } else { "created" },
            "NetworkSettings": networks(),
        })
    }

    fn inspected(&self) -> Value {
        json!({
            "Id": self.id,
            "Name": format!("/{}", self.name),
            "Image": self.body["Image"],
            "State": { "Running": self.is_running, "ExitCode": 0 },
            "NetworkSettings": networks(),
        })
    }
}

fn networks() -> Value {
    json!({ "Networks": { "bridge": { "IPAddress": "172.17.0.2" } } })
}
