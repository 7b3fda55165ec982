//! What a store is: rows of named tables, read as of one moment, and written only where a condition holds.
//!
//! A store must not know what rows mean. Everything that has a meaning is written once, above this.

pub(crate) mod log;
pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::path::PathBuf;

use async_trait::async_trait;
use bimetal_model::port::StateError;
use serde::{Deserialize, Serialize};
use tokio::task::JoinError;

/// The format of tables and rows that is written here: what is older is brought forward, what is newer is refused.
pub(crate) const FORMAT: u32 = 2;

/// A named table. Its rows are texts under texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Table {
    /// What the state is itself: its lineage, its key, its counters.
    Meta,
    /// What exists, by address.
    Objects,
    /// Promises that are open, by id.
    Intents,
    /// By name.
    Outputs,
    /// By number, with zeros in front.
    Revisions,
    /// How each revision ended, by its number.
    Outcomes,
    /// What each revision was made from, by its number.
    Sources,
    /// Texts that sources name, by a name that follows from the text.
    Contents,
    /// What each revision left, by its number and what it is of.
    History,
    /// Who holds a lease on what, by id.
    Leases,
    /// Until when a lease lasts, by its id.
    Renewals,
    /// Saved plans that were done, by id.
    Plans,
    /// The engine's own, by name.
    Secrets,
}

impl Table {
    /// All of them.
    pub(crate) const ALL: [Table; 13] = [
        Table::Meta,
        Table::Objects,
        Table::Intents,
        Table::Outputs,
        Table::Revisions,
        Table::Outcomes,
        Table::Sources,
        Table::Contents,
        Table::History,
        Table::Leases,
        Table::Renewals,
        Table::Plans,
        Table::Secrets,
    ];

    /// As databases call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Table::Meta => "meta",
            Table::Objects => "objects",
            Table::Intents => "intents",
            Table::Outputs => "outputs",
            Table::Revisions => "revisions",
            Table::Outcomes => "outcomes",
            Table::Sources => "sources",
            Table::Contents => "contents",
            Table::History => "history",
            Table::Leases => "leases",
            Table::Renewals => "renewals",
            Table::Plans => "plans",
            Table::Secrets => "secrets",
        }
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: String,
    pub(crate) value: String,
    /// The serial of the commit that last wrote it.
    pub(crate) version: u64,
}

/// Rows that are wanted.
#[derive(Clone, Debug)]
pub(crate) enum Select {
    /// The whole table.
    All(Table),
    /// The whole table without its values.
    Keys(Table),
    /// The row of this key, if there is one.
    One(Table, String),
    /// Rows whose keys come before this one in the order of their bytes.
    Before(Table, String),
}

impl Select {
    /// What a database is asked with, whose tables' names stand behind this; and what `$1` stands for.
    pub(crate) fn query(&self, schema: &str) -> (String, Option<&str>) {
        let (table, columns, condition, bound) = match self {
            Select::All(table) => (table, "key, value, version", "", None),
            Select::Keys(table) => (table, "key, '', version", "", None),
            Select::One(table, key) => (table, "key, value, version", "WHERE key = $1", Some(&**key)),
            Select::Before(table, key) => (table, "key, value, version", "WHERE key < $1", Some(&**key)),
        };
        (format!("SELECT {columns} FROM {schema}{} {condition} ORDER BY key", table.name()), bound)
    }
}

/// What was read, all of it as of one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// Of the last commit by then.
    pub(crate) serial: u64,
    /// As many as selections, in their order; rows in the order of their keys' bytes.
    pub(crate) answers: Vec<Vec<Row>>,
}

/// What must be so for a commit to happen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Expect {
    /// The row was last written by this commit; 0: there is no such row.
    Version(Table, String, u64),
    /// There is such a row.
    There(Table, String),
    /// This was the last commit: nothing at all was written since.
    Serial(u64),
}

impl Expect {
    /// The row that has to be looked at.
    pub(crate) fn row(&self) -> Option<(Table, &str)> {
        match self {
            Expect::Version(table, key, _) | Expect::There(table, key) => Some((*table, key)),
            Expect::Serial(_) => None,
        }
    }

    /// Whether it is so: after this commit, and where the row has this version, if there is one.
    pub(crate) fn holds(&self, last: u64, version: Option<u64>) -> bool {
        match self {
            Expect::Version(_, _, expected) => version.unwrap_or(0) == *expected,
            Expect::There(..) => version.is_some(),
            Expect::Serial(serial) => last == *serial,
        }
    }
}

/// A row that is to be this; without a value it is removed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Write {
    pub(crate) table: Table,
    pub(crate) key: String,
    pub(crate) value: Option<String>,
    /// The version that it keeps, where it is the same in other words; else it gets the commit's serial.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<u64>,
}

/// Rows that are written together, or not at all.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Commit {
    /// Random: a store that does not know whether it was written finds out by this.
    pub(crate) id: String,
    pub(crate) expect: Vec<Expect>,
    /// Each row at most once.
    pub(crate) writes: Vec<Write>,
}

impl Commit {
    pub(crate) fn put(&mut self, table: Table, key: impl Into<String>, value: impl Into<String>) {
        self.set(table, key, Some(value.into()));
    }

    pub(crate) fn remove(&mut self, table: Table, key: impl Into<String>) {
        self.set(table, key, None);
    }

    pub(crate) fn set(&mut self, table: Table, key: impl Into<String>, value: Option<String>) {
        self.writes.push(Write { table, key: key.into(), value, version: None });
    }
}

/// What became of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Committed {
    /// It is on disk, as the commit of this serial.
    Done(u64),
    /// Something was not as expected, and nothing was written.
    Refused,
}

/// What a task of ours came to; its panic is ours.
pub(crate) fn joined<T>(store: &str, ended: Result<T, JoinError>) -> Result<T, StateError> {
    let error = match ended {
        Ok(answer) => return Ok(answer),
        Err(error) => error,
    };
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => Err(StateError::Store { store: store.to_owned(), reason: error.to_string() }),
    }
}

/// Where rows are kept.
///
/// Invariant: commits are one after the other, each with the next serial; what a call has answered survives a power cut
/// (tests: `state/tests/stores`).
#[async_trait]
pub(crate) trait Store: Send + Sync {
    /// Its path or address, without what is secret of it.
    fn name(&self) -> String;
    /// What is wanted; `None`: nothing was ever written here. Creates nothing.
    async fn read(&self, wanted: &[Select]) -> Result<Option<View>, StateError>;
    /// Writes, and makes what there must be to write into.
    async fn commit(&self, commit: &Commit) -> Result<Committed, StateError>;
    /// What the store can say of its own soundness: a line for each thing that is wrong.
    async fn check(&self) -> Result<Vec<String>, StateError>;
    /// Copies everything as it is now beside it, unless that was done already. `None`: there is nothing to copy, or what keeps
    /// this store is whose business copies are.
    async fn back_up(&self) -> Result<Option<PathBuf>, StateError>;
    /// For people: where a row is from that was read before it was damaged.
    fn copies(&self) -> String;
}
