//! The whole state, read.

use std::sync::Arc;

use bimetal_model::port::StateError;
use bimetal_model::snapshot::Snapshot;

use super::{Opened, State};
use crate::document;
use crate::store::{Row, Select, Table, View};
use crate::words::CHANGED;

impl State {
    /// As of one moment.
    pub(super) async fn load_snapshot(&self) -> Result<Snapshot, StateError> {
        let changed = Select::One(Table::Meta, CHANGED.to_owned());
        let wanted = [Select::All(Table::Objects), Select::All(Table::Intents), Select::All(Table::Outputs), changed];
        let Some((opened, view)) = self.look(&wanted).await? else { return Ok(Snapshot::default()) };
        // Much text takes its time, which others need.
        self.apart(move || snapshot(&opened, view)).await.map_err(|error| self.told(error))
    }
}

fn snapshot(opened: &Opened, view: View) -> Result<Snapshot, StateError> {
    let mut answers = view.answers.into_iter();
    let mut next = || answers.next().unwrap_or_default();
    let (objects, mut intents, outputs, changed) = (next(), next(), next(), next());
    let mut snapshot = Snapshot {
        lineage: opened.lineage.clone(),
        serial: changed.first().map_or(0, |row| row.version),
        ..Snapshot::default()
    };
    let objects = objects.into_iter().map(|Row { key, value, version }| {
        let (address, stored) = document::open_object(&opened.sealer, &key, &value)?;
        Ok(((address.clone(), version), (address, Arc::new(stored))))
    });
    let (versions, objects): (Vec<_>, Vec<_>) = objects.collect::<Result<_, StateError>>()?;
    // All at once, they take half the memory that they take one by one.
    (snapshot.versions, snapshot.objects) = (versions.into_iter().collect(), objects.into_iter().collect());
    // In the order in which they were promised.
    intents.sort_by(|one, other| (one.version, &one.key).cmp(&(other.version, &other.key)));
    for Row { key, value, .. } in intents {
        snapshot.intents.push(document::open_intent(&opened.sealer, &key, &value)?);
    }
    for Row { key, value, .. } in outputs {
        let value = document::open_output(&opened.sealer, &key, &value)?;
        snapshot.outputs.insert(key, value);
    }
    Ok(snapshot)
}
