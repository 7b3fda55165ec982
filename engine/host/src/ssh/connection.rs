//! One connection: reaching the machine, checking its key, logging in, opening channels.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use russh::client::{Config, Handle, Handler, Msg};
use russh::keys::{PublicKey, PublicKeyOrCertificate};
use russh::{Channel, Preferred};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::CONNECT_TIMEOUT;
use super::endpoint::Endpoint;
use super::identity;
use super::known_hosts::{HostKeys, openssh};
use crate::credentials::Credentials;
use crate::fault::{Code, Fault};

/// Sessions on one connection: sshd allows ten, and one may hang in closing.
const SESSIONS: usize = 8;
/// Forwarded streams on one connection; sshd sets no limit.
const FORWARDS: usize = 64;
/// An agent may ask a person.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(60);

/// A connection that is logged in.
pub(crate) struct Connection {
    handle: Handle<Guard>,
    pub(crate) host_key: String,
    pub(crate) sessions: Slots,
    pub(crate) forwards: Slots,
}

/// How many channels of a kind there may be.
pub(crate) struct Slots {
    pub(crate) free: Arc<Semaphore>,
    limit: AtomicUsize,
}

impl Slots {
    fn new(limit: usize) -> Self {
        Slots { free: Arc::new(Semaphore::new(limit)), limit: AtomicUsize::new(limit) }
    }

    /// The server has said that it gives no more than are open now. `false`: none is open but the one that it refused.
    pub(crate) fn shrink(&self, refused: OwnedSemaphorePermit) -> bool {
        if self.limit.load(Ordering::Relaxed) <= self.free.available_permits() + 1 {
            return false;
        }
        self.limit.fetch_sub(1, Ordering::Relaxed);
        refused.forget();
        true
    }
}

/// A stream of any kind to a machine.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Connection {
    /// Shakes hands over a stream and logs in.
    pub(crate) async fn over(
        stream: Box<dyn Stream>,
        endpoint: &Endpoint,
        credentials: &Credentials,
        home: Option<&Path>,
    ) -> Result<Connection, Fault> {
        let host_keys = HostKeys::of(endpoint, home)?;
        let config = Arc::new(config(&host_keys));
        let shown = Arc::new(OnceCell::new());
        let guard = Guard { host_keys, shown: shown.clone() };
        let handshake = timeout(CONNECT_TIMEOUT, russh::client::connect_stream(config, stream, guard));
        let mut handle = match handshake.await {
            Ok(handle) => handle.map_err(|broken| broken.into_fault(endpoint))?,
            Err(_) => return Err(silent(endpoint)),
        };
        let login = timeout(LOGIN_TIMEOUT, identity::authenticate(&mut handle, endpoint, credentials, home));
        login.await.map_err(|_| silent(endpoint))??;
        let host_key = shown.get().map(openssh).unwrap_or_default();
        Ok(Connection { handle, host_key, sessions: Slots::new(SESSIONS), forwards: Slots::new(FORWARDS) })
    }

    /// Whether it broke, or the server closed it.
    pub(crate) fn is_closed(&self) -> bool {
        self.handle.is_closed()
    }

    /// A channel of the kind that is wanted.
    pub(crate) async fn open(&self, target: &Target<'_>) -> Result<Channel<Msg>, russh::Error> {
        match target {
            Target::Session => self.handle.channel_open_session().await,
            Target::Socket(path) => self.handle.channel_open_direct_streamlocal(*path).await,
            Target::Port(host, port) => {
                self.handle.channel_open_direct_tcpip(*host, u32::from(*port), "127.0.0.1", 0).await
            }
        }
    }
}

/// What a channel leads to.
pub(crate) enum Target<'a> {
    /// A command or shell.
    Session,
    /// A unix socket.
    Socket(&'a str),
    /// A TCP port.
    Port(&'a str, u16),
}

/// Connects to the endpoint's port.
pub(crate) async fn reach(endpoint: &Endpoint) -> Result<TcpStream, Fault> {
    let connecting = TcpStream::connect((endpoint.host.as_str(), endpoint.port()));
    match timeout(CONNECT_TIMEOUT, connecting).await {
        Ok(Ok(stream)) => {
            // Requests are small and wait for their answers.
            let _ = stream.set_nodelay(true);
            Ok(stream)
        }
        Ok(Err(error)) => Err(Fault::new(Code::Unreachable, format!("{endpoint} can't be reached: {error}"))),
        Err(_) => Err(silent(endpoint)),
    }
}

fn silent(endpoint: &Endpoint) -> Fault {
    Fault::new(Code::Timeout, format!("{endpoint} does not answer"))
}

fn config(host_keys: &HostKeys) -> Config {
    let mut preferred = Preferred::default();
    let known = host_keys.algorithms();
    if !known.is_empty() {
        let others = preferred.key.iter().filter(|algorithm| !known.contains(algorithm)).cloned();
        preferred.key = known.iter().cloned().chain(others).collect::<Vec<_>>().into();
    }
    Config {
        preferred,
        keepalive_interval: Some(Duration::from_secs(15)),
        keepalive_max: 3,
        nodelay: true,
        ..Config::default()
    }
}

/// Checks the machine's key when it is shown.
struct Guard {
    host_keys: HostKeys,
    shown: Arc<OnceCell<PublicKey>>,
}

/// Why there is no connection.
#[derive(Debug)]
enum Broken {
    Protocol(russh::Error),
    Refused(Fault),
}

impl From<russh::Error> for Broken {
    fn from(error: russh::Error) -> Self {
        Broken::Protocol(error)
    }
}

impl Broken {
    fn into_fault(self, endpoint: &Endpoint) -> Fault {
        match self {
            Broken::Refused(fault) => fault,
            Broken::Protocol(error @ (russh::Error::NoCommonAlgo { .. } | russh::Error::Version)) => {
                Fault::new(Code::Protocol, format!("{endpoint} speaks no SSH that is understood here: {error}"))
            }
            Broken::Protocol(error) => {
                Fault::new(Code::Unreachable, format!("{endpoint} broke off the connection: {error}"))
            }
        }
    }
}

impl Handler for Guard {
    type Error = Broken;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, Broken> {
        // Certificates are never asked for (`host_key_certificates` is empty), so their key is judged as a bare one.
        let key = match key {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.clone(),
            PublicKeyOrCertificate::Certificate(certificate) => PublicKey::from(certificate.public_key().clone()),
        };
        self.host_keys.verify(&key).map_err(Broken::Refused)?;
        let _ = self.shown.set(key);
        Ok(true)
    }
}
