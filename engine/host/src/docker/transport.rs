//! Streams to an engine, and HTTP over them.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bollard::{BollardRequest, ClientVersion, Docker};
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use http_body_util::{BodyExt, Either, Full, StreamBody};
use hyper::body::Frame;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::{Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::Deserialize;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::handle::{Handle, Pem, Tcp};
use super::{GREETING_TIMEOUT, LONG_TIMEOUT, Parts, failure};
use crate::certificates::client_config;
use crate::credentials::{Credentials, Secret};
use crate::fault::{Code, Fault};
use crate::ssh::{Endpoint, Sessions};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// What this is written for: `bollard`'s models.
const NEWEST: ClientVersion = ClientVersion { major_version: 1, minor_version: 53 };

/// Makes streams to one engine.
#[derive(Clone)]
pub(super) struct Connector {
    name: Arc<str>,
    way: Way,
    trouble: Trouble,
}

/// Why a stream last broke. The HTTP client may hear of that only that a connection is no more.
#[derive(Clone, Default)]
struct Trouble(Arc<Mutex<Option<String>>>);

impl Trouble {
    fn note(&self, error: &std::io::Error) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
    }

    fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[derive(Clone)]
enum Way {
    Unix(PathBuf),
    Tcp { host: String, port: u16, tls: Option<(Arc<ClientConfig>, ServerName<'static>)> },
    Ssh { sessions: Arc<Sessions>, endpoint: Box<Endpoint>, socket: String },
}

/// What a connector for a handle needs: keys are read, certificates made.
pub(super) async fn connector(handle: &Handle, parts: &Parts) -> Result<Connector, Fault> {
    let way = match handle {
        Handle::Unix(unix) => Way::Unix(PathBuf::from(&unix.path)),
        Handle::Ssh(ssh) => Way::Ssh {
            sessions: parts.sessions.clone(),
            endpoint: Box::new(ssh.endpoint.clone()),
            socket: ssh.socket().to_owned(),
        },
        Handle::Tcp(tcp) => Way::Tcp { host: tcp.host.clone(), port: tcp.port(), tls: tls(tcp, parts).await? },
    };
    Ok(Connector { name: handle.to_string().into(), way, trouble: Trouble::default() })
}

async fn tls(tcp: &Tcp, parts: &Parts) -> Result<Option<(Arc<ClientConfig>, ServerName<'static>)>, Fault> {
    if !tcp.tls() {
        return Ok(None);
    }
    let config = match (&tcp.authority, &tcp.ca) {
        (Some(authority), _) => parts.authorities.client_config(authority).await?,
        (None, Some(ca)) => given(tcp, ca, &parts.credentials).await?,
        (None, None) => {
            let hint = "set `ca` with `certificate` and `key`";
            return Err(Fault::new(
                Code::Invalid,
                format!("the engine at {} has no authority to check it by\n{hint}", tcp.host),
            ));
        }
    };
    let name = ServerName::try_from(tcp.host.clone())
        .map_err(|_| Fault::new(Code::Invalid, format!("`{}` is not a host", tcp.host)))?;
    Ok(Some((Arc::new(config), name)))
}

async fn given(tcp: &Tcp, ca: &Pem, credentials: &Credentials) -> Result<ClientConfig, Fault> {
    let ca = pem(ca, credentials).await?;
    match (&tcp.certificate, &tcp.key) {
        (Some(certificate), Some(key)) => {
            let (certificate, key) = (pem(certificate, credentials).await?, pem(key, credentials).await?);
            client_config(ca.expose(), Some((certificate.expose(), &key)))
        }
        (None, None) => client_config(ca.expose(), None),
        _ => Err(Fault::new(Code::Invalid, "it needs both `certificate` and `key`")),
    }
    .map_err(|fault| fault.while_(format_args!("the engine at {}", tcp.host)))
}

async fn pem(pem: &Pem, credentials: &Credentials) -> Result<Secret, Fault> {
    match pem {
        Pem::Text(text) => Ok(Secret::new(text.clone())),
        Pem::Credential { id } => credentials.secret(id).await,
    }
}

impl Connector {
    async fn connect(self) -> Result<Stream, Unreached> {
        let stream: Box<dyn Duplex> = match self.way {
            // The session's own limits hold, and its faults say more.
            Way::Ssh { sessions, endpoint, socket } => {
                Box::new(sessions.forward_socket(&endpoint, &socket).await.map_err(Unreached)?)
            }
            way => match timeout(CONNECT_TIMEOUT, direct(way)).await {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => return Err(Unreached(failure::unreachable(&self.name, &error.to_string()))),
                Err(_) => return Err(Unreached(failure::late(&self.name, "connecting", CONNECT_TIMEOUT))),
            },
        };
        Ok(Stream { io: TokioIo::new(stream), trouble: self.trouble })
    }
}

async fn direct(way: Way) -> std::io::Result<Box<dyn Duplex>> {
    Ok(match way {
        Way::Unix(path) => Box::new(UnixStream::connect(path).await?),
        Way::Tcp { host, port, tls } => {
            let stream = TcpStream::connect((host, port)).await?;
            stream.set_nodelay(true)?;
            match tls {
                Some((config, name)) => Box::new(TlsConnector::from(config).connect(name, stream).await?),
                None => Box::new(stream),
            }
        }
        Way::Ssh { .. } => unreachable!("`connect` takes it out before"),
    })
}

/// Why there is no stream; it travels through the HTTP client's errors.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub(super) struct Unreached(pub(super) Fault);

impl tower_service::Service<Uri> for Connector {
    type Response = Stream;
    type Error = Unreached;
    type Future = BoxFuture<'static, Result<Stream, Unreached>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unreached>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        self.clone().connect().boxed()
    }
}

trait Duplex: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Duplex for T {}

/// A stream of any kind, as the HTTP client wants it.
pub(super) struct Stream {
    io: TokioIo<Box<dyn Duplex>>,
    trouble: Trouble,
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<std::io::Result<()>> {
        let read = Pin::new(&mut self.io).poll_read(cx, buffer);
        if let Poll::Ready(Err(error)) = &read {
            self.trouble.note(error);
        }
        read
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// As `bollard` has it, which doesn't name it.
type Body =
    Either<Full<Bytes>, StreamBody<Pin<Box<dyn futures::Stream<Item = Result<Frame<Bytes>, std::io::Error>> + Send>>>>;

/// The API over a connector, in the newest version that both sides know.
pub(super) async fn docker(connector: Connector, name: &str) -> Result<Docker, Fault> {
    let mut builder = Client::builder(TokioExecutor::new());
    // An idle stream may have been closed by the other side just when it is used again; a new one costs little.
    builder.pool_max_idle_per_host(0);
    let trouble = connector.trouble.clone();
    let client: Client<Connector, Body> = builder.build(connector);
    let version = timeout(GREETING_TIMEOUT, version(&client, name, &trouble)).await;
    let version = version.map_err(|_| failure::late(name, "asking for its version", GREETING_TIMEOUT))??;
    let transport = move |request: BollardRequest| {
        let client = client.clone();
        async move { client.request(request).await.map_err(bollard::errors::Error::from) }
    };
    Docker::connect_with_custom_transport(transport, Some("http://engine"), LONG_TIMEOUT.as_secs(), &version)
        .map_err(|error| failure::fault(name, "connecting", &error))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    api_version: String,
}

/// Asked without a version in the path: engines refuse one that is newer than they are.
async fn version(client: &Client<Connector, Body>, name: &str, trouble: &Trouble) -> Result<ClientVersion, Fault> {
    let odd =
        |why: String| Fault::new(Code::Protocol, format!("{name} does not answer as a container engine does: {why}"));
    let request = Request::get("http://engine/version").body(Either::Left(Full::default()));
    let request = request.map_err(|error| odd(error.to_string()))?;
    let response = client.request(request).await.map_err(|error| match trouble.take() {
        // An engine that does not take our certificate says so only after the handshake.
        Some(reason) => failure::unreachable(name, &reason),
        None => failure::fault(name, "connecting", &error.into()),
    })?;
    let status = response.status();
    let bytes = response.into_body().collect().await.map_err(|error| odd(error.to_string()))?.to_bytes();
    if String::from_utf8_lossy(&bytes).contains("HTTP request to an HTTPS server") {
        let hint = "set `ca`, `certificate` and `key` in place of `insecure`";
        return Err(Fault::new(Code::Invalid, format!("{name} wants TLS\n{hint}")));
    }
    let version: Version = serde_json::from_slice(&bytes).map_err(|_| odd(format!("it says {status}")))?;
    let parts = version.api_version.split_once('.').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    let (major_version, minor_version) = parts.ok_or_else(|| odd("its version is no number".to_owned()))?;
    let theirs = ClientVersion { major_version, minor_version };
    Ok(if (theirs.major_version, theirs.minor_version) < (NEWEST.major_version, NEWEST.minor_version) {
        theirs
    } else {
        NEWEST
    })
}
