//! An engine that passes for an arm64 machine: a proxy says so in its name, and its arm64 containers really run, emulated.

use std::net::SocketAddr;

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_LENGTH;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::engine::Engine;
use crate::lab::Lab;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Answer = Response<BoxBody<Bytes, hyper::Error>>;

/// The engine and its proxy.
#[derive(Debug)]
pub struct ArmEngine {
    engine: Engine,
    socket: SocketAddr,
    // Ends with this value, and all connections with it.
    _runtime: Runtime,
}

impl ArmEngine {
    /// Starts both.
    pub fn start(lab: &Lab, name: &str) -> ArmEngine {
        xtask::slot::emulate_arm64().unwrap_or_else(|error| panic!("arm64 programs can't run here: {error:#}"));
        let engine = Engine::start(lab, name);
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let listener =
            runtime.block_on(TcpListener::bind((lab.gateway(), 0))).expect("a port on the laboratory's address");
        let socket = listener.local_addr().expect("a bound socket has an address");
        runtime.spawn(serve(listener, engine.socket()));
        ArmEngine { engine, socket, _runtime: runtime }
    }

    /// Where it answers, as machines are told: `tcp://…`.
    pub fn host(&self) -> String {
        format!("tcp://{}", self.socket)
    }

    /// Where the proxy listens.
    pub fn socket(&self) -> SocketAddr {
        self.socket
    }

    /// The engine behind it.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }
}

async fn serve(listener: TcpListener, engine: SocketAddr) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(async move {
            let service = service_fn(move |request| forward(request, engine));
            let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            let _ = connection.with_upgrades().await;
        });
    }
}

/// Passes one request on, over a connection of its own.
async fn forward(mut request: Request<Incoming>, engine: SocketAddr) -> Result<Answer, Failure> {
    let stream = TcpStream::connect(engine).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection.with_upgrades());
    let path = request.uri().path().to_owned();
    pull_for_arm(&mut request)?;
    let asking = hyper::upgrade::on(&mut request);
    let mut response = sender.send_request(request).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let answering = hyper::upgrade::on(&mut response);
        tokio::spawn(async move {
            let (asking, answering) = (asking.await?, answering.await?);
            tokio::io::copy_bidirectional(&mut TokioIo::new(asking), &mut TokioIo::new(answering)).await?;
            Ok::<_, Failure>(())
        });
    }
    if path.ends_with("/info") || path.ends_with("/version") {
        disguise(response).await
    } else {
        Ok(response.map(BodyExt::boxed))
    }
}

/// An arm64 engine pulls arm64 images where nothing else is asked for.
fn pull_for_arm(request: &mut Request<Incoming>) -> Result<(), Failure> {
    let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
    if path.ends_with("/images/create") && !query.contains("platform=") {
        *request.uri_mut() = format!("{path}?{query}&platform=linux/arm64").parse()?;
    }
    Ok(())
}

/// What an arm64 machine would say in place of this one.
async fn disguise(response: Response<Incoming>) -> Result<Answer, Failure> {
    let (mut parts, body) = response.into_parts();
    let mut document: Value = serde_json::from_slice(&body.collect().await?.to_bytes())?;
    replace(&mut document);
    parts.headers.remove(CONTENT_LENGTH);
    let body = Full::new(Bytes::from(document.to_string())).map_err(|never| match never {}).boxed();
    Ok(Response::from_parts(parts, body))
}

fn replace(document: &mut Value) {
    match document {
        Value::Object(members) => {
            for (name, value) in members {
                match name.as_str() {
                    "Architecture" => *value = "aarch64".into(),
                    "Arch" => *value = "arm64".into(),
                    _ => replace(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(replace),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
