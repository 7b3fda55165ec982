//! What was: the objects and outputs that a revision left, and who changed what last.

use std::collections::BTreeMap;

use bimetal_model::Address;
use bimetal_model::port::StateError;
use bimetal_model::snapshot::{Revision, Snapshot};

use super::{Opened, State};
use crate::document;
use crate::store::{Row, Select, Table};
use crate::words::{HISTORY_FROM, LAST_REVISION, history_parts, number_key};

impl State {
    /// What there was when this revision ended. What it left unfinished is not kept.
    pub async fn at(&self, revision: u64) -> Result<Snapshot, StateError> {
        let wanted = [
            Select::One(Table::Meta, HISTORY_FROM.to_owned()),
            Select::One(Table::Meta, LAST_REVISION.to_owned()),
            Select::Before(Table::History, number_key(revision.saturating_add(1))),
        ];
        let Some((opened, view)) = self.look(&wanted).await? else {
            return Err(StateError::NoRevision("the state is empty".to_owned()));
        };
        let mut answers = view.answers.into_iter().map(Vec::into_iter);
        let mut number = || answers.next()?.next()?.value.parse::<u64>().ok();
        let (first, last) = (number().unwrap_or(0), number().unwrap_or(0));
        if revision > last {
            return Err(StateError::NoRevision(format!(
                "the state has no revision {revision}: the last one is {last}"
            )));
        }
        if revision < first {
            let reason = format!("what revision {revision} left is not known: the history begins with {first}");
            return Err(StateError::NoRevision(reason));
        }
        snapshot(&opened, answers.next().into_iter().flatten()).map_err(|error| self.told(error))
    }

    /// The revision that wrote or removed an object last, as far as is known.
    pub async fn last_change(&self, address: &Address) -> Result<Option<Revision>, StateError> {
        let Some((_, view)) = self.look(&[Select::Keys(Table::History)]).await? else { return Ok(None) };
        let history = view.answers.concat();
        let name = address.to_string();
        let parts = history.iter().filter_map(|row| history_parts(&row.key));
        let of = parts.filter(|(_, table, key)| *table == "objects" && *key == name);
        match of.map(|(number, ..)| number).max() {
            Some(number) => self.find_revision(number).await,
            None => Ok(None),
        }
    }
}

/// The last word on each row is what was.
fn snapshot(opened: &Opened, rows: impl Iterator<Item = Row>) -> Result<Snapshot, StateError> {
    let (mut objects, mut outputs) = (BTreeMap::new(), BTreeMap::new());
    for row in rows {
        match history_parts(&row.key) {
            Some((_, "objects", key)) => drop(objects.insert(key.to_owned(), row.value)),
            Some((_, "outputs", key)) => drop(outputs.insert(key.to_owned(), row.value)),
            Some(_) | None => {}
        }
    }
    let mut snapshot = Snapshot { lineage: opened.lineage.clone(), ..Snapshot::default() };
    let sealer = &opened.sealer;
    for (key, text) in objects {
        if !document::is_gone(sealer, "objects", &key, &text)? {
            let (address, stored) = document::open_object(sealer, &key, &text)?;
            snapshot.objects.insert(address, stored.into());
        }
    }
    for (name, text) in outputs {
        if !document::is_gone(sealer, "outputs", &name, &text)? {
            let value = document::open_output(sealer, &name, &text)?;
            snapshot.outputs.insert(name, value);
        }
    }
    Ok(snapshot)
}
