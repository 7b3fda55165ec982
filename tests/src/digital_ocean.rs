//! A stand-in for DigitalOcean's API: it keeps an account, holds requests to the documented shapes, and its droplets are
//! machines that boot.

mod account;
mod catalogue;
mod reply;
mod request;
mod route;
mod shape;

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderName;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use self::account::{Account, Boot};
use self::reply::Reply;
use self::request::Request;
use self::route::{Errands, route};
use crate::lab::Lab;
use crate::node::Node;

/// Nothing of ours depends on when a thing was made.
const CREATED_AT: &str = "2026-01-01T00:00:00Z";

/// How many requests a minute are answered.
const A_MINUTE: usize = 250;

/// What happens to one request in place of the usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// 429: come back in so many seconds.
    TooMany(u64),
    /// 500.
    Broken,
    /// It is done, and the connection ends before the answer.
    LostAnswer,
}

/// The stand-in; it ends with this value, and all its machines do.
#[derive(Debug)]
pub struct DigitalOcean {
    shared: Arc<Shared>,
    socket: SocketAddr,
    // Ends with this value, and all connections with it.
    _runtime: Runtime,
}

#[derive(Debug)]
struct Shared {
    token: String,
    base: String,
    lab: Lab,
    account: Mutex<Account>,
    faults: Mutex<VecDeque<(String, String, Fault)>>,
    seen: Mutex<Vec<(Instant, String)>>,
    complaints: Mutex<Vec<String>>,
}

impl DigitalOcean {
    /// Starts one with an empty account.
    pub fn start(lab: &Lab) -> DigitalOcean {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a port on loopback");
        let socket = listener.local_addr().expect("a bound socket has an address");
        let shared = Arc::new(Shared {
            token: "dop_v1_0123456789abcdef".to_owned(),
            base: format!("http://{socket}"),
            lab: lab.clone(),
            account: Mutex::default(),
            faults: Mutex::default(),
            seen: Mutex::default(),
            complaints: Mutex::default(),
        });
        runtime.spawn(serve(listener, shared.clone()));
        DigitalOcean { shared, socket, _runtime: runtime }
    }

    /// `http://…`, without `/v2`.
    pub fn url(&self) -> &str {
        &self.shared.base
    }

    /// Where it answers.
    pub fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// The one that it knows.
    pub fn token(&self) -> &str {
        &self.shared.token
    }

    /// What happens to the next request of that method and path, once.
    pub fn inject(&self, method: &str, path: &str, fault: Fault) {
        lock(&self.shared.faults).push_back((method.to_owned(), path.to_owned(), fault));
    }

    /// Whether every fault has happened.
    pub fn faults_are_over(&self) -> bool {
        lock(&self.shared.faults).is_empty()
    }

    /// All droplets, as the API shows them.
    pub fn droplets(&self) -> Vec<Value> {
        lock(&self.shared.account).droplets_tagged(None, None)
    }

    /// How many droplets, keys, tags, own VPCs and firewalls there are.
    pub fn counts(&self) -> [usize; 5] {
        let account = lock(&self.shared.account);
        let vpcs = account.vpcs.values().filter(|vpc| vpc["default"] == false).count();
        [account.droplets.len(), account.keys.len(), account.tags.len(), vpcs, account.firewalls.len()]
    }

    /// Looks at the machines of all droplets that have booted, by name.
    pub fn with_nodes<T>(&self, look: impl FnOnce(&[(String, &Node)]) -> T) -> T {
        let account = lock(&self.shared.account);
        let droplets = account.droplets.values();
        let name = |document: &Value| document["name"].as_str().unwrap_or_default().to_owned();
        let nodes: Vec<_> =
            droplets.filter_map(|one| one.node.as_ref().map(|node| (name(&one.document), node))).collect();
        look(&nodes)
    }

    /// All requests so far: `POST /v2/droplets`.
    pub fn requests(&self) -> Vec<String> {
        lock(&self.shared.seen).iter().map(|(_, request)| request.clone()).collect()
    }

    /// Requests that didn't keep to the documentation, and why.
    pub fn complaints(&self) -> Vec<String> {
        lock(&self.shared.complaints).clone()
    }
}

impl Drop for DigitalOcean {
    fn drop(&mut self) {
        let droplets = std::mem::take(&mut lock(&self.shared.account).droplets);
        drop(droplets);
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, shared.clone()));
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let _ = connection.await;
        });
    }
}

/// An error ends the connection without an answer.
async fn answer(
    request: hyper::Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Full<Bytes>>, std::io::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes().to_vec();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let request = Request {
        method: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        query: request::query(parts.uri.query().unwrap_or_default()),
        authorization: header("authorization"),
        content_type: header("content-type"),
        body,
        base: shared.base.clone(),
    };
    let fault = shared.fault_for(&request);
    let reply = match fault {
        Some(Fault::TooMany(seconds)) => Reply::too_many(seconds),
        Some(Fault::Broken) => Reply::error(500, "server_error", "Unexpected server-side error"),
        Some(Fault::LostAnswer) | None => shared.handle(&request),
    };
    if fault == Some(Fault::LostAnswer) {
        return Err(std::io::Error::other("the answer is lost"));
    }
    Ok(response(reply, shared.remaining()))
}

impl Shared {
    fn fault_for(&self, request: &Request) -> Option<Fault> {
        lock(&self.seen).push((Instant::now(), format!("{} {}", request.method, request.path)));
        let mut faults = lock(&self.faults);
        let place = faults.iter().position(|(method, path, _)| *method == request.method && *path == request.path)?;
        faults.remove(place).map(|(_, _, fault)| fault)
    }

    /// Requests that are left in this minute.
    fn remaining(&self) -> usize {
        let recent = lock(&self.seen).iter().filter(|(at, _)| at.elapsed() < Duration::from_secs(60)).count();
        A_MINUTE.saturating_sub(recent)
    }

    fn handle(self: &Arc<Shared>, request: &Request) -> Reply {
        if request.authorization.as_deref() != Some(&format!("Bearer {}", self.token)) {
            return Reply::error(401, "unauthorized", "Unable to authenticate you");
        }
        if self.remaining() == 0 {
            return Reply::too_many(1);
        }
        let mut errands = Errands::default();
        let answer = route(&mut lock(&self.account), request, &mut errands);
        for boot in errands.boot {
            self.clone().switch_on(boot);
        }
        // Machines take a moment to go, which nobody waits for.
        std::thread::spawn(move || drop(errands.switch_off));
        let (Ok(reply) | Err(reply)) = answer;
        if [400, 415, 422].contains(&reply.status) {
            let body = reply.body.as_ref().map(Value::to_string).unwrap_or_default();
            lock(&self.complaints).push(format!("{} {}: {body}", request.method, request.path));
        }
        reply
    }

    fn switch_on(self: Arc<Shared>, boot: Boot) {
        std::thread::spawn(move || {
            // The number keeps machines of the same name apart; their own name is the one that was asked for.
            let node = Node::boot_as(&self.lab, &format!("droplet-{}", boot.droplet), &boot.name, &boot.setup);
            let unwanted = lock(&self.account).activate(boot.droplet, node);
            drop(unwanted);
        });
    }
}

fn response(reply: Reply, remaining: usize) -> Response<Full<Bytes>> {
    let body = reply.body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = StatusCode::from_u16(reply.status).expect("statuses are written above");
    let mut header = |name: &'static str, value: String| {
        response.headers_mut().insert(HeaderName::from_static(name), value.parse().expect("digits and letters"));
    };
    header("content-type", "application/json; charset=utf-8".to_owned());
    header("ratelimit-limit", "5000".to_owned());
    header("ratelimit-remaining", remaining.to_string());
    header("ratelimit-reset", "4102444800".to_owned());
    if let Some(seconds) = reply.retry_after {
        header("retry-after", seconds.to_string());
    }
    response
}

/// A public key's, as `aa:bb:…`.
fn fingerprint(public: &str) -> Option<String> {
    let file = tempfile::NamedTempFile::new().ok()?;
    std::fs::write(file.path(), format!("{}\n", public.trim())).ok()?;
    let output = Command::new("ssh-keygen").args(["-l", "-E", "md5", "-f"]).arg(file.path()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let hash = text.split_whitespace().nth(1)?;
    hash.strip_prefix("MD5:").map(str::to_owned)
}

/// A test that failed elsewhere is told by its own panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
