//! The connections to one endpoint, and channels on them.
//!
//! Invariant: a server's limit of sessions on a connection never fails a command while another connection can be had
//! (test: `more_commands_than_a_connection_takes`).

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{BoxFuture, select_all};
use russh::client::Msg;
use russh::{Channel, ChannelOpenFailure, ChannelStream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::OwnedSemaphorePermit;

use super::Sessions;
use super::connection::{Connection, Slots, Stream, Target, reach};
use super::endpoint::Endpoint;
use crate::credentials::Credentials;
use crate::fault::{Code, Fault};

/// Connections to one endpoint.
const CONNECTIONS: usize = 8;
/// How often opening a channel is tried, on this connection or that.
const ATTEMPTS: usize = 80;
/// How often a server is asked again that opens no session though none is open: it may still be closing one.
const PATIENCE: u32 = 5;

/// The connections to one endpoint.
pub(crate) struct Pool {
    pub(crate) endpoint: Endpoint,
    sessions: Weak<Sessions>,
    connections: Mutex<Vec<Arc<Connection>>>,
    opening: tokio::sync::Mutex<()>,
    failed: Mutex<Option<(Instant, Fault)>>,
}

/// A channel's place on a connection; the connection lives as long.
pub(crate) struct Lease {
    connection: Arc<Connection>,
    permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(crate) fn new(endpoint: Endpoint, sessions: Weak<Sessions>) -> Arc<Self> {
        Arc::new(Pool {
            endpoint,
            sessions,
            connections: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
            failed: Mutex::default(),
        })
    }

    /// The key that the machine shows.
    pub(crate) async fn host_key(&self) -> Result<String, Fault> {
        Ok(self.lease(Kind::Session).await?.connection.host_key.clone())
    }

    /// A channel for a command.
    pub(crate) async fn session(&self) -> Result<(Channel<Msg>, Lease), Fault> {
        self.open(Target::Session).await
    }

    /// A stream to a unix socket of the machine's.
    pub(crate) async fn forward_socket(&self, path: &str) -> Result<Forward, Fault> {
        let (channel, lease) = self.open(Target::Socket(path)).await?;
        Ok(Forward { stream: channel.into_stream(), _lease: lease })
    }

    /// A stream to a TCP port that the machine can reach.
    pub(crate) async fn forward_port(&self, host: &str, port: u16) -> Result<Forward, Fault> {
        let (channel, lease) = self.open(Target::Port(host, port)).await?;
        Ok(Forward { stream: channel.into_stream(), _lease: lease })
    }

    async fn open(&self, target: Target<'_>) -> Result<(Channel<Msg>, Lease), Fault> {
        let kind = Kind::of(&target);
        let (mut last, mut refused) = (None, 0);
        for _ in 0..ATTEMPTS {
            let lease = self.lease(kind).await?;
            match lease.connection.open(&target).await {
                Ok(channel) => return Ok((channel, lease)),
                Err(russh::Error::ChannelOpenFailure(failure)) if kind == Kind::Session => {
                    let Lease { connection, permit } = lease;
                    if kind.slots(&connection).shrink(permit) {
                        continue;
                    }
                    refused += 1;
                    if refused > PATIENCE {
                        return Err(self.no_channel(&target, &failure));
                    }
                    tokio::time::sleep(Duration::from_millis(50) * refused).await;
                }
                Err(russh::Error::ChannelOpenFailure(failure)) => {
                    return Err(self.no_channel(&target, &failure));
                }
                // The connection broke before anything was done on it: the next lease is on another.
                Err(error) => {
                    self.forget(&lease.connection);
                    last = Some(error);
                }
            }
        }
        let reason = last.map_or_else(|| "it opens no more sessions".to_owned(), |error| error.to_string());
        Err(Fault::new(Code::Unreachable, format!("{} gives no channel: {reason}", self.endpoint)))
    }

    fn no_channel(&self, target: &Target<'_>, failure: &ChannelOpenFailure) -> Fault {
        let endpoint = &self.endpoint;
        let (code, message) = match (target, failure) {
            (Target::Session, _) => (Code::Denied, format!("{endpoint} opens no session ({failure:?})")),
            (_, ChannelOpenFailure::AdministrativelyProhibited | ChannelOpenFailure::UnknownChannelType) => (
                Code::Denied,
                format!(
                    "{endpoint} forbids forwarding\nset `AllowTcpForwarding yes` and `AllowStreamLocalForwarding yes` in its `sshd_config`"
                ),
            ),
            (Target::Socket(path), _) => (
                Code::Unreachable,
                format!(
                    "`{path}` on {endpoint} takes no connection\nsee that the service behind it runs and that `{}` may use it",
                    endpoint.user()
                ),
            ),
            (Target::Port(host, port), _) => {
                (Code::Unreachable, format!("{host}:{port} can't be reached from {endpoint}"))
            }
        };
        Fault::new(code, message)
    }

    /// A place on a connection that is there, on a new one, or the first that gets free.
    async fn lease(&self, kind: Kind) -> Result<Lease, Fault> {
        if let Some(lease) = self.free(kind) {
            return Ok(lease);
        }
        let began = Instant::now();
        let opening = self.opening.lock().await;
        if let Some(lease) = self.free(kind) {
            return Ok(lease);
        }
        if self.live().len() < CONNECTIONS {
            match self.connect_unless_failed_since(began).await {
                Ok(connection) => self.live().push(connection),
                // A server that takes no more connections is still of use through those that it took.
                Err(fault) if self.live().is_empty() => return Err(fault),
                Err(fault) => {
                    tracing::debug!(%fault, endpoint = %self.endpoint, "no further connection")
                }
            }
            if let Some(lease) = self.free(kind) {
                return Ok(lease);
            }
        }
        drop(opening);
        self.wait(kind).await
    }

    fn free(&self, kind: Kind) -> Option<Lease> {
        self.live().iter().find_map(|connection| {
            let permit = kind.slots(connection).free.clone().try_acquire_owned().ok()?;
            Some(Lease { connection: connection.clone(), permit })
        })
    }

    async fn wait(&self, kind: Kind) -> Result<Lease, Fault> {
        let connections = self.live().clone();
        let waiting = connections.into_iter().map(|connection| {
            async move {
                let permit = kind.slots(&connection).free.clone().acquire_owned().await.ok()?;
                Some(Lease { connection, permit })
            }
            .boxed()
        });
        let waiting: Vec<_> = waiting.collect();
        let lease = if waiting.is_empty() { None } else { select_all(waiting).await.0 };
        let closed = || Fault::new(Code::Unreachable, format!("{} closed its connections", self.endpoint));
        lease.ok_or_else(closed)
    }

    /// Those who waited for an attempt that failed don't all try again, each for as long.
    async fn connect_unless_failed_since(&self, began: Instant) -> Result<Arc<Connection>, Fault> {
        let failed = || self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, fault)) = failed().as_ref().filter(|(at, _)| *at >= began) {
            return Err(fault.clone());
        }
        let connected = self.connect().await;
        if let Err(fault) = &connected {
            *failed() = Some((Instant::now(), fault.clone()));
        }
        connected.map(Arc::new)
    }

    fn connect(&self) -> BoxFuture<'_, Result<Connection, Fault>> {
        async move {
            let sessions = self.sessions.upgrade().ok_or_else(ended)?;
            let stream: Box<dyn Stream> = match &self.endpoint.bastion {
                Some(bastion) => {
                    let pool = sessions.pool(bastion);
                    Box::new(pool.forward_port(&self.endpoint.host, self.endpoint.port()).await?)
                }
                None => Box::new(reach(&self.endpoint).await?),
            };
            let (credentials, home): (Arc<Credentials>, Option<PathBuf>) =
                (sessions.credentials.clone(), sessions.home.clone());
            Connection::over(stream, &self.endpoint, &credentials, home.as_deref()).await
        }
        .boxed()
    }

    fn live(&self) -> MutexGuard<'_, Vec<Arc<Connection>>> {
        let mut connections = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        connections.retain(|connection| !connection.is_closed());
        connections
    }

    fn forget(&self, broken: &Arc<Connection>) {
        self.live().retain(|connection| !Arc::ptr_eq(connection, broken));
    }
}

fn ended() -> Fault {
    Fault::new(Code::Cancelled, "the run has ended")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Session,
    Forward,
}

impl Kind {
    fn of(target: &Target<'_>) -> Kind {
        match target {
            Target::Session => Kind::Session,
            Target::Socket(_) | Target::Port(..) => Kind::Forward,
        }
    }

    fn slots(self, connection: &Connection) -> &Slots {
        match self {
            Kind::Session => &connection.sessions,
            Kind::Forward => &connection.forwards,
        }
    }
}

/// A forwarded stream. Dropping it closes the channel.
pub struct Forward {
    stream: ChannelStream<Msg>,
    _lease: Lease,
}

impl AsyncRead for Forward {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Forward {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
