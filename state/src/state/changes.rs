//! Promises and outcomes, written for the holder of a lease on what they are about.

use bimetal_model::Address;
use bimetal_model::lease::Lease;
use bimetal_model::port::{Record, StateError};
use bimetal_model::snapshot::{Intent, IntentId};

use super::{Mine, Opened, State};
use crate::document;
use crate::store::{Commit, Table};
use crate::words::{CHANGED, history_key};

impl State {
    /// Writes promises down. One that is open already, as a creation that is gone on with, is the same promise made again.
    pub(super) async fn promise(&self, lease: &Lease, intents: &[Intent]) -> Result<(), StateError> {
        let mine = self.mine(lease)?;
        intents.iter().try_for_each(|intent| mine.covers(&intent.address))?;
        self.commit_leased(lease, |opened| {
            let mut commit = changing();
            for intent in intents {
                commit.put(Table::Intents, &intent.id.0, document::seal_intent(&opened.sealer, intent)?);
            }
            Ok(commit)
        })
        .await
    }

    /// Writes outcomes down, each in the history of the holder's revision, too.
    pub(super) async fn write_down(&self, lease: &Lease, records: &[Record]) -> Result<(), StateError> {
        let mine = self.mine(lease)?;
        records.iter().filter_map(address).try_for_each(|address| mine.covers(address))?;
        let Some(revision) = mine.revision else { return Err(self.not_begun()) };
        self.commit_leased(lease, |opened| {
            let mut writing = Writing { opened, revision, commit: changing() };
            records.iter().try_for_each(|record| writing.record(record))?;
            Ok(writing.commit)
        })
        .await
    }

    fn not_begun(&self) -> StateError {
        StateError::Store { store: self.place(), reason: "no revision was begun".to_owned() }
    }
}

fn address(record: &Record) -> Option<&Address> {
    match record {
        Record::Put { address, .. } | Record::Remove { address, .. } => Some(address),
        Record::Close(_) | Record::Output { .. } => None,
    }
}

impl Mine {
    fn covers(&self, address: &Address) -> Result<(), StateError> {
        match self.scope.may_write(address) {
            true => Ok(()),
            false => Err(StateError::NotLeased(address.clone())),
        }
    }
}

/// A commit that gives the state another serial.
pub(super) fn changing() -> Commit {
    let mut commit = Commit::default();
    commit.put(Table::Meta, CHANGED, "");
    commit
}

/// A commit that is being made.
pub(super) struct Writing<'a> {
    pub(super) opened: &'a Opened,
    pub(super) revision: u64,
    pub(super) commit: Commit,
}

impl Writing<'_> {
    pub(super) fn record(&mut self, record: &Record) -> Result<(), StateError> {
        match record {
            Record::Put { address, stored, closes } => {
                let key = address.to_string();
                let text = document::seal_object(&self.opened.sealer, &key, stored)?;
                self.put(Table::Objects, &key, Some(text))?;
                self.close(closes.as_ref());
            }
            Record::Remove { address, closes } => {
                self.put(Table::Objects, &address.to_string(), None)?;
                self.close(closes.as_ref());
            }
            Record::Close(intent) => self.close(Some(intent)),
            Record::Output { name, value } => {
                let text = value.as_ref().map(|value| document::seal_output(&self.opened.sealer, name, value));
                self.put(Table::Outputs, name, text.transpose()?)?;
            }
        }
        Ok(())
    }

    /// The last word on a row is what counts, and what the revision leaves.
    pub(super) fn put(&mut self, table: Table, key: &str, text: Option<String>) -> Result<(), StateError> {
        let left = match &text {
            Some(text) => text.clone(),
            None => document::sign_gone(&self.opened.sealer, table.name(), key)?,
        };
        self.commit.put(Table::History, history_key(self.revision, table, key), left);
        self.commit.set(table, key, text);
        Ok(())
    }

    fn close(&mut self, intent: Option<&IntentId>) {
        if let Some(intent) = intent {
            self.commit.remove(Table::Intents, &intent.0);
        }
    }
}
