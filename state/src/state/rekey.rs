//! The state's key: how it gets one, and how it gets another.

use bimetal_model::lease::Lease;
use bimetal_model::port::StateError;

use super::{MOST_TRIES, Opened, State, wait};
use crate::document;
use crate::opening::{self, Unlocked};
use crate::seal::Sealer;
use crate::store::{Commit, Committed, Expect, Row, Select, Table, Write};
use crate::words::{KEY, history_parts, number_of};

/// What becomes of a state's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rekey {
    /// The data key stays, and is wrapped with other keys.
    Wrap,
    /// Everything is sealed with another data key.
    New,
}

impl State {
    /// A state without a key gets one as soon as there is one here, and what was stored without is sealed. Where that fails, the
    /// lease is given back.
    pub(super) async fn give_key(&self, lease: &Lease) -> Result<(), StateError> {
        if self.keys.seal.is_empty() || self.opened().await?.sealer.has_key() {
            return Ok(());
        }
        let given = self.rekey(lease, Rekey::New).await;
        if given.is_err() {
            // Why there is no key is more than that nobody can give the lease back.
            let _ = self.give_back(lease).await;
        }
        given.map(drop)
    }

    /// Wraps the data key with the keys that seal now, or makes another one and seals everything with it; answers which of these
    /// was done. All of it is done, or nothing.
    pub async fn rekey(&self, lease: &Lease, how: Rekey) -> Result<Rekey, StateError> {
        for tries in 0..MOST_TRIES {
            let tables = Table::ALL.map(Select::All);
            let leased = Select::One(Table::Leases, lease.0.clone());
            let wanted: Vec<Select> = tables.into_iter().chain([leased]).collect();
            let Some((opened, mut view)) = self.look(&wanted).await? else { return Err(StateError::LeaseLost) };
            if view.answers.pop().is_none_or(|rows| rows.is_empty()) {
                return Err(StateError::LeaseLost);
            }
            let (how, new) = self.another_key(&opened, how).await?;
            let mut commit = Commit::default();
            // What others write meanwhile would be left as it was sealed before.
            commit.expect.push(Expect::Serial(view.serial));
            commit.set(Table::Meta, KEY, new.row.to_text());
            if how == Rekey::New {
                let (old, new) = (opened.sealer.clone(), new.sealer.clone());
                let sealed = self.apart(move || all_anew(&old, &new, view.answers)).await;
                commit.writes.extend(sealed.map_err(|error| self.told(error))?);
            }
            if let Committed::Done(key_version) = self.commit(&opened, commit).await? {
                let Unlocked { row, sealer, data } = new;
                self.remember(Opened { sealer, lineage: opened.lineage, row, key_version, data });
                return Ok(how);
            }
            wait(tries).await;
        }
        Err(self.too_busy())
    }

    async fn another_key(&self, opened: &Opened, how: Rekey) -> Result<(Rekey, Unlocked), StateError> {
        let (keys, realm, data) = (self.keys.clone(), opened.lineage.state.clone(), opened.data.clone());
        self.apart(move || match (how, data) {
            (Rekey::Wrap, Some(data)) => Ok((Rekey::Wrap, opening::wrapped_anew(&data, &keys, &realm)?)),
            // What has no data key of its own has to get one.
            (Rekey::Wrap | Rekey::New, _) => Ok((Rekey::New, opening::with_new_key(&keys, &realm)?)),
        })
        .await
    }
}

/// Every row, sealed and signed anew. It says what it said: its version stays.
fn all_anew(old: &Sealer, new: &Sealer, tables: Vec<Vec<Row>>) -> Result<Vec<Write>, StateError> {
    let mut writes = Vec::new();
    for (table, rows) in Table::ALL.into_iter().zip(tables) {
        for row in rows {
            if let Some(value) = anew(old, new, table, &row.key, &row.value)? {
                writes.push(Write { table, key: row.key, value: Some(value), version: Some(row.version) });
            }
        }
    }
    Ok(writes)
}

/// `None`: it is neither sealed nor signed.
fn anew(old: &Sealer, new: &Sealer, table: Table, key: &str, text: &str) -> Result<Option<String>, StateError> {
    let number = || number_of(key).ok_or_else(|| StateError::Damaged(format!("`{key}` is no number of a revision")));
    let text = match table {
        Table::Objects => document::seal_object(new, key, &document::open_object(old, key, text)?.1)?,
        Table::Outputs => document::seal_output(new, key, &document::open_output(old, key, text)?)?,
        Table::Intents => document::seal_intent(new, &document::open_intent(old, key, text)?)?,
        Table::Revisions => document::sign_revision(new, &document::open_revision(old, number()?, text)?)?,
        Table::Outcomes => {
            let number = number()?;
            document::sign_outcome(new, number, document::open_outcome(old, number, text)?)?
        }
        Table::Sources | Table::Contents | Table::Secrets => {
            let name = table.name();
            document::seal_bytes(new, name, key, &document::open_bytes(old, name, key, text)?)?
        }
        Table::History => past_anew(old, new, key, text)?,
        Table::Meta | Table::Leases | Table::Renewals | Table::Plans => return Ok(None),
    };
    Ok(Some(text))
}

fn past_anew(old: &Sealer, new: &Sealer, key: &str, text: &str) -> Result<String, StateError> {
    let (table, key) = match history_parts(key) {
        Some((_, "objects", key)) => (Table::Objects, key),
        Some((_, "outputs", key)) => (Table::Outputs, key),
        Some(_) | None => return Err(StateError::Damaged(format!("`{key}` is no row of a history"))),
    };
    if document::is_gone(old, table.name(), key, text)? {
        return document::sign_gone(new, table.name(), key);
    }
    Ok(anew(old, new, table, key, text)?.unwrap_or_default())
}
