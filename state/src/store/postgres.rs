//! Rows in a PostgreSQL schema of our own: a table for each, and every commit one transaction.
//!
//! Commits follow each other by the lock on one row, `head`. A connection that is lost is made again: reading is repeated, and so
//! is a commit, which leaves its id behind so that nothing is written twice.

mod connection;
mod statement;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bimetal_model::port::StateError;
use tokio::sync::Mutex;
use tokio_postgres::Client;

use super::{Commit, Committed, Select, Store, View, joined};
use connection::{Asking, Connection, Server};

/// Rows in a PostgreSQL schema, which may not exist yet.
pub(crate) struct Postgres {
    server: Arc<Server>,
    connection: Arc<Mutex<Connection>>,
}

/// Why something went wrong, before the store's name is added.
#[derive(Debug)]
enum Trouble {
    /// In the database, or on the way to it.
    Database(tokio_postgres::Error),
    /// Anything that has its own words.
    Said(StateError),
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        Trouble::Database(error)
    }
}

impl Postgres {
    /// Fails where the address is none; connects when that is needed.
    pub(crate) fn new(url: &str, schema: &str) -> Result<Postgres, StateError> {
        Ok(Postgres { server: Arc::new(Server::new(url, schema)?), connection: Arc::default() })
    }

    /// The names of all schemas in the database that have a state.
    pub(crate) async fn schemas(&self) -> Result<Vec<String>, StateError> {
        self.ask(|client| Box::pin(statement::schemas(client))).await
    }

    /// Asks in a task of its own: what was begun is carried through even if nobody waits for the answer any more.
    async fn ask<T: Send + 'static>(
        &self,
        ask: impl for<'c> Fn(&'c Client) -> Asking<'c, T> + Send + Sync + 'static,
    ) -> Result<T, StateError> {
        let (server, connection) = (self.server.clone(), self.connection.clone());
        let asking = tokio::spawn(async move { connection.lock_owned().await.ask(&server, &ask).await });
        joined(&self.server.name, asking.await)?
    }
}

#[async_trait]
impl Store for Postgres {
    fn name(&self) -> String {
        self.server.name.clone()
    }

    async fn read(&self, wanted: &[Select]) -> Result<Option<View>, StateError> {
        let (wanted, schema): (Arc<[Select]>, Arc<str>) = (wanted.into(), self.server.schema.clone());
        self.ask(move |client| {
            let (wanted, schema) = (wanted.clone(), schema.clone());
            Box::pin(async move { statement::read(client, &schema, &wanted).await })
        })
        .await
    }

    async fn commit(&self, commit: &Commit) -> Result<Committed, StateError> {
        let (commit, schema) = (Arc::new(commit.clone()), self.server.schema.clone());
        self.ask(move |client| {
            let (commit, schema) = (commit.clone(), schema.clone());
            Box::pin(async move { statement::commit(client, &schema, &commit).await })
        })
        .await
    }

    /// The server looks after its own files.
    async fn check(&self) -> Result<Vec<String>, StateError> {
        Ok(Vec::new())
    }

    /// Backups are the server's.
    async fn back_up(&self) -> Result<Option<PathBuf>, StateError> {
        Ok(None)
    }

    fn copies(&self) -> String {
        "a copy of it is where the database's backups are".to_owned()
    }
}
