//! Commands, files and forwarded sockets on machines, over SSH.
//!
//! Connections are kept and shared: one `Sessions` serves a whole run, with a pool for each endpoint. Host keys are checked
//! here and private keys stay here. Must not know about providers: what may be run is decided before this is called.

mod connection;
mod endpoint;
mod exec;
mod files;
mod identity;
mod known_hosts;
mod pool;
mod quote;
mod shell;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::credentials::Credentials;
use crate::fault::Fault;

pub use endpoint::{Endpoint, HostKeyCheck};
pub use exec::Output;
pub use pool::Forward;
pub use quote::{quote, quote_all};

use pool::Pool;

/// How long a machine may take to accept a connection and shake hands.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// The SSH connections of a run.
pub struct Sessions {
    credentials: Arc<Credentials>,
    home: Option<PathBuf>,
    pools: Mutex<HashMap<Endpoint, Arc<Pool>>>,
}

impl Sessions {
    /// No connection yet. Default keys and the file of known hosts are those of the `HOME` folder.
    pub fn new(credentials: Arc<Credentials>) -> Arc<Self> {
        Self::with_home(credentials, std::env::home_dir())
    }

    /// As `new`, with another folder for `.ssh`.
    pub fn with_home(credentials: Arc<Credentials>, home: Option<PathBuf>) -> Arc<Self> {
        Arc::new(Sessions { credentials, home, pools: Mutex::default() })
    }

    /// Whether the machine's port accepts a connection; nothing is sent. Asks the bastion where there is one.
    pub async fn answers(self: &Arc<Self>, endpoint: &str) -> Result<bool, Fault> {
        let endpoint = Endpoint::parse(endpoint)?;
        match &endpoint.bastion {
            Some(bastion) => {
                let forward = self.pool(bastion).forward_port(&endpoint.host, endpoint.port()).await;
                match forward {
                    Ok(_) => Ok(true),
                    Err(fault) if fault.code == crate::fault::Code::Unreachable => Ok(false),
                    Err(fault) => Err(fault),
                }
            }
            None => {
                let connecting = TcpStream::connect((endpoint.host.as_str(), endpoint.port()));
                Ok(matches!(timeout(CONNECT_TIMEOUT, connecting).await, Ok(Ok(_))))
            }
        }
    }

    /// The key that the machine shows, as `ssh-ed25519 AAAA…`, after it was checked.
    pub async fn host_key(self: &Arc<Self>, endpoint: &str) -> Result<String, Fault> {
        self.pool(&Endpoint::parse(endpoint)?).host_key().await
    }

    /// Runs a command line as the endpoint's user. A status other than zero is an answer, not a fault.
    pub async fn run(self: &Arc<Self>, endpoint: &str, command: &str, input: Option<&[u8]>) -> Result<Output, Fault> {
        let endpoint = Endpoint::parse(endpoint)?;
        exec::run(&self.pool(&endpoint), command, input.unwrap_or_default()).await
    }

    /// As `run`, as root: with `sudo -n` where the endpoint's user is somebody else.
    pub async fn run_as_root(
        self: &Arc<Self>,
        endpoint: &str,
        command: &str,
        input: Option<&[u8]>,
    ) -> Result<Output, Fault> {
        let endpoint = Endpoint::parse(endpoint)?;
        let command = files::as_root(&endpoint, command);
        exec::run(&self.pool(&endpoint), &command, input.unwrap_or_default()).await
    }

    /// A file's content; `None`: there is none.
    pub async fn read_file(self: &Arc<Self>, endpoint: &str, path: &str) -> Result<Option<Vec<u8>>, Fault> {
        let endpoint = Endpoint::parse(endpoint)?;
        files::read(&self.pool(&endpoint), path).await
    }

    /// Writes a file whole or not at all, and makes the folders that lead to it.
    pub async fn write_file(
        self: &Arc<Self>,
        endpoint: &str,
        path: &str,
        mode: u32,
        content: &[u8],
    ) -> Result<(), Fault> {
        let endpoint = Endpoint::parse(endpoint)?;
        files::write(&self.pool(&endpoint), path, mode, content).await
    }

    /// Removes a file; one that is gone already counts as removed.
    pub async fn remove_file(self: &Arc<Self>, endpoint: &str, path: &str) -> Result<(), Fault> {
        let endpoint = Endpoint::parse(endpoint)?;
        files::remove(&self.pool(&endpoint), path).await
    }

    /// A stream to a unix socket of the machine's.
    pub async fn forward_socket(self: &Arc<Self>, endpoint: &Endpoint, socket: &str) -> Result<Forward, Fault> {
        self.pool(endpoint).forward_socket(socket).await
    }

    /// A stream to a TCP port that the machine can reach.
    pub async fn forward_port(self: &Arc<Self>, endpoint: &Endpoint, host: &str, port: u16) -> Result<Forward, Fault> {
        self.pool(endpoint).forward_port(host, port).await
    }

    /// A login shell, or a command, connected to a person's terminal. Answers its exit status.
    pub async fn shell(
        self: &Arc<Self>,
        endpoint: &str,
        command: Option<&str>,
        console: crate::console::Console,
    ) -> Result<i32, Fault> {
        let endpoint = Endpoint::parse(endpoint)?;
        shell::shell(&self.pool(&endpoint), command, console).await
    }

    fn pool(self: &Arc<Self>, endpoint: &Endpoint) -> Arc<Pool> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Pool::new(endpoint.clone(), Arc::downgrade(self));
        pools.entry(endpoint.clone()).or_insert_with(new).clone()
    }
}
