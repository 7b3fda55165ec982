//! The connection, which is made when it is needed and made again when it is lost.

use std::pin::Pin;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use bimetal_model::port::StateError;
use rustls::ClientConfig;
use rustls_platform_verifier::BuilderVerifierExt as _;
use tokio::time::Instant;
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Error};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Trouble;

/// How long a server may be away before that is an error; a lease outlives it.
const PATIENCE: Duration = Duration::from_secs(40);

/// How long it is waited before a lost connection is made again.
const PAUSE: Duration = Duration::from_millis(200);

/// A question to the database on its way.
pub(super) type Asking<'c, T> = Pin<Box<dyn Future<Output = Result<T, Trouble>> + Send + 'c>>;

/// Where the database is.
pub(super) struct Server {
    config: Config,
    tls: MakeRustlsConnect,
    /// In quotes.
    pub(super) schema: Arc<str>,
    /// Without the password.
    pub(super) name: String,
}

impl Server {
    pub(super) fn new(url: &str, schema: &str) -> Result<Server, StateError> {
        let failed = |reason: String| StateError::Store { store: "postgres".to_owned(), reason };
        let mut config = Config::from_str(url).map_err(|error| failed(words(&error)))?;
        config.application_name("bimetal").connect_timeout(Duration::from_secs(10));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let tls = tls.and_then(|builder| builder.with_platform_verifier());
        let tls = tls.map_err(|error| failed(error.to_string()))?.with_no_client_auth();
        let name = name(&config, schema);
        let schema = format!("\"{}\"", schema.replace('"', "\"\"")).into();
        Ok(Server { config, tls: MakeRustlsConnect::new(tls), schema, name })
    }

    async fn connect(&self) -> Result<Client, Error> {
        let (client, connection) = self.config.connect(self.tls.clone()).await?;
        // What goes wrong with it is told to who asks next.
        tokio::spawn(async move { drop(connection.await) });
        Ok(client)
    }
}

fn name(config: &Config, schema: &str) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        Some(Host::Unix(path)) => path.display().to_string(),
        None => "localhost".to_owned(),
    };
    let database = config.get_dbname().or(config.get_user()).unwrap_or("postgres");
    let port = config.get_ports().first().copied().unwrap_or(5432);
    format!("postgres at {host}:{port}, database `{database}`, schema `{schema}`")
}

/// The connection, once there was one.
#[derive(Default)]
pub(super) struct Connection {
    client: Option<Client>,
    /// A server that was never there is not waited for.
    was_there: bool,
}

impl Connection {
    /// Asks, and asks again where the connection is lost on the way: what is asked must bear that.
    pub(super) async fn ask<T>(
        &mut self,
        server: &Server,
        ask: &(impl for<'c> Fn(&'c Client) -> Asking<'c, T> + Sync),
    ) -> Result<T, StateError> {
        let end = Instant::now() + PATIENCE;
        loop {
            let error = match self.try_to_ask(server, ask).await {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Said(error)) => return Err(error),
                Err(Trouble::Database(error)) => error,
            };
            // Whatever happened, a transaction may be left open.
            self.client = None;
            if !is_passing(&error) || Instant::now() > end || !self.was_there {
                return Err(StateError::Store { store: server.name.clone(), reason: words(&error) });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn try_to_ask<T>(
        &mut self,
        server: &Server,
        ask: &(impl for<'c> Fn(&'c Client) -> Asking<'c, T> + Sync),
    ) -> Result<T, Trouble> {
        let client = match self.client.take().filter(|client| !client.is_closed()) {
            Some(client) => client,
            None => server.connect().await?,
        };
        self.was_there = true;
        let client = self.client.insert(client);
        ask(client).await
    }
}

/// Whether it may go well the next time: the server is not there, or made place for somebody else.
fn is_passing(error: &Error) -> bool {
    match error.code() {
        Some(code) => {
            let passing = [
                SqlState::ADMIN_SHUTDOWN,
                SqlState::CRASH_SHUTDOWN,
                SqlState::CANNOT_CONNECT_NOW,
                SqlState::T_R_SERIALIZATION_FAILURE,
                SqlState::T_R_DEADLOCK_DETECTED,
            ];
            passing.contains(code)
        }
        None => true,
    }
}

/// What the server said, where it said something.
fn words(error: &Error) -> String {
    match error.as_db_error() {
        Some(said) => said.message().to_owned(),
        None => match std::error::Error::source(error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    }
}
