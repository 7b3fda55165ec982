//! Git's own `http-backend` behind a small server, with a password if need be. It counts what it is asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use crate::world::{World, settings};

/// `alice:secret`
const AUTHORIZATION: &str = "authorization: basic ywxpy2u6c2vjcmv0";

pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Open,
    Password,
    Dumb,
}

struct Backend {
    served: PathBuf,
    settings: Vec<(String, String)>,
    kind: Kind,
    requests: Arc<Mutex<Vec<String>>>,
}

struct Request {
    line: String,
    headers: Vec<String>,
    body: Vec<u8>,
}

impl Server {
    pub(crate) fn open(world: &World) -> Server {
        Server::start(world, Kind::Open)
    }

    /// That knows nothing of git's protocol, and has only files.
    pub(crate) fn dumb(world: &World) -> Server {
        Server::start(world, Kind::Dumb)
    }

    /// That lets in nobody but Alice.
    pub(crate) fn with_password(world: &World) -> Server {
        Server::start(world, Kind::Password)
    }

    fn start(world: &World, kind: Kind) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, stopped) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let settings = settings(&world.path("home"));
        let backend =
            Arc::new(Backend { served: world.path("served"), settings, kind, requests: Arc::clone(&requests) });
        let stop = Arc::clone(&stopped);
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (stream, backend) = (stream.unwrap(), Arc::clone(&backend));
                thread::spawn(move || backend.answer(&stream));
            }
        });
        world.show(&address.to_string(), "SERVER");
        Server { address, requests, stopped, thread: Some(thread) }
    }

    pub(crate) fn url(&self, name: &str) -> String {
        format!("git::http://{}/{name}/.git", self.address)
    }

    /// What it was asked, and forgets it.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        self.thread.take().map(JoinHandle::join);
    }
}

impl Backend {
    fn answer(&self, stream: &TcpStream) -> Option<()> {
        let request = read(stream)?;
        let mut words = request.line.split(' ');
        let (method, target) = (words.next()?, words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        self.requests.lock().unwrap().push(format!("{method} {path}"));
        let knows = request.headers.iter().any(|header| header.to_ascii_lowercase() == AUTHORIZATION);
        let mut stream = stream;
        if self.kind == Kind::Password && !knows {
            let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            return stream.write_all(refusal.as_bytes()).ok();
        }
        let query = if self.kind == Kind::Dumb { "" } else { query };
        let answer = self.run(method, path, query, &request);
        let end = answer.windows(4).position(|end| end == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let status = head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200 OK");
        stream.write_all(format!("HTTP/1.1 {status}\r\nConnection: close\r\n").as_bytes()).ok()?;
        stream.write_all(&answer).ok()
    }

    fn run(&self, method: &str, path: &str, query: &str, request: &Request) -> Vec<u8> {
        let header = |name: &str| {
            let named = |line: &String| line.to_ascii_lowercase().starts_with(&format!("{name}: "));
            request
                .headers
                .iter()
                .find(|line| named(line))
                .map(|line| line[name.len() + 2..].to_owned())
                .unwrap_or_default()
        };
        let mut command = Command::new("git");
        command.arg("http-backend").envs(self.settings.iter().cloned());
        command.env("GIT_PROJECT_ROOT", &self.served).env("GIT_HTTP_EXPORT_ALL", "1").env("REMOTE_ADDR", "127.0.0.1");
        command.env("REQUEST_METHOD", method).env("PATH_INFO", path).env("QUERY_STRING", query);
        command.env("CONTENT_TYPE", header("content-type")).env("CONTENT_LENGTH", request.body.len().to_string());
        command.env("HTTP_CONTENT_ENCODING", header("content-encoding")).env("GIT_PROTOCOL", header("git-protocol"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(&request.body);
        child.wait_with_output().unwrap().stdout
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let length =
        |line: &String| line.to_ascii_lowercase().strip_prefix("content-length: ").and_then(|n| n.parse().ok());
    let mut body = vec![0; lines.iter().find_map(length).unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let line = (!lines.is_empty()).then(|| lines.remove(0))?;
    Some(Request { line, headers: lines, body })
}
