//! The state as a document, and its way from one store to another.

use std::collections::BTreeMap;

use bimetal_model::Lineage;
use bimetal_model::lease::Lease;
use bimetal_model::port::StateError;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::changes::{Writing, changing};
use super::leases::still_held;
use super::{Opened, State};
use crate::document;
use crate::opening::{self, KeyRow};
use crate::seal::Sealer;
use crate::store::{Commit, Committed, Expect, FORMAT, Row, Select, Table, View, Write};
use crate::words::{CHANGED, LINEAGE, MOVED_TO, TIMELINE};

/// The whole state as a document that people can read. What is sensitive is sealed as it is in the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Document {
    format: u32,
    /// Of the state that it is from.
    pub lineage: Lineage,
    /// Of that state when it was read.
    pub serial: u64,
    /// What the state said of its key then: what is sealed in here opens with that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    objects: BTreeMap<String, Json>,
    outputs: BTreeMap<String, Json>,
    intents: BTreeMap<String, Json>,
}

/// Whether a document may be of another state, or of an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Push {
    /// It must be what the state was when it was pulled.
    Checked,
    /// It is taken whatever it is.
    Forced,
}

impl Document {
    /// What `pull` gave and somebody may have changed: whether it is a document, and one of a format that is known here.
    pub fn parse(text: &str) -> Result<Document, StateError> {
        let wrong = |error: serde_json::Error| StateError::Document(error.to_string());
        let json: Json = serde_json::from_str(text).map_err(wrong)?;
        match json["format"].as_u64() {
            Some(format) if format > u64::from(FORMAT) => {
                let reason = format!("it has a newer format ({format}; this Bimetal knows {FORMAT})");
                Err(StateError::Document(reason))
            }
            // Not from what was read: only the text has lines.
            Some(_) => serde_json::from_str(text).map_err(wrong),
            None => Err(StateError::Document("it does not say its `format`, a number".to_owned())),
        }
    }
}

impl State {
    /// The state as a document; `None`: there is none.
    pub async fn pull(&self) -> Result<Option<Document>, StateError> {
        let changed = Select::One(Table::Meta, CHANGED.to_owned());
        let tables = [Table::Objects, Table::Outputs, Table::Intents].map(Select::All);
        let wanted: Vec<Select> = [changed].into_iter().chain(tables).collect();
        let Some((opened, view)) = self.look(&wanted).await? else { return Ok(None) };
        let mut answers = view.answers.into_iter();
        let mut next = || answers.next().unwrap_or_default();
        let (changed, objects, outputs, intents) = (next(), next(), next(), next());
        let texts = |rows, table| texts(&opened.sealer, rows, table).map_err(|error| self.told(error));
        Ok(Some(Document {
            format: FORMAT,
            lineage: opened.lineage.clone(),
            serial: changed.first().map_or(0, |row| row.version),
            key: opened.row.to_text(),
            objects: texts(objects, Table::Objects)?,
            outputs: texts(outputs, Table::Outputs)?,
            intents: texts(intents, Table::Intents)?,
        }))
    }

    /// Where there is no state, makes the one that the document is of, still without anything in it.
    pub async fn adopt(&self, document: &Document) -> Result<(), StateError> {
        if self.look(&[]).await?.is_some() {
            return Ok(());
        }
        let lineage = Lineage { timeline: self.edge.new_id(), ..document.lineage.clone() };
        let commit = self.first_commit(&lineage, document.key.clone());
        self.store.commit(&commit).await.map(drop)
    }

    /// Writes the document over the state, for who has a lease on everything and began a revision for it.
    ///
    /// Everything in it is read before and written anew, so that nothing gets in that could not be read later.
    pub async fn push(&self, lease: &Lease, document: &Document, how: Push) -> Result<(), StateError> {
        let tables = [Table::Objects, Table::Outputs, Table::Intents].map(Select::Keys);
        let changed = Select::One(Table::Meta, CHANGED.to_owned());
        let wanted: Vec<Select> = tables.into_iter().chain([changed]).collect();
        let Some((opened, mut view)) = self.look(&wanted).await? else { return Err(StateError::LeaseLost) };
        let changed = view.answers.pop().unwrap_or_default();
        let serial = changed.first().map_or(0, |row| row.version);
        let is_empty = view.answers.iter().all(Vec::is_empty);
        if how == Push::Checked {
            check(document, &opened, serial, is_empty)?;
        }
        let Some(revision) = self.mine(lease)?.revision else { return Err(StateError::LeaseLost) };
        let mut writing = Writing { opened: &opened, revision, commit: changing() };
        write(&mut writing, &self.sealer_of(document, &opened).await?, document, view)?;
        let mut commit = writing.commit;
        commit.expect.push(Expect::Version(Table::Meta, CHANGED.to_owned(), serial));
        commit.expect.push(still_held(lease));
        match self.commit(&opened, commit).await? {
            Committed::Done(_) => Ok(()),
            Committed::Refused => Err(StateError::LeaseLost),
        }
    }

    /// Opens what is sealed in the document.
    async fn sealer_of(&self, document: &Document, opened: &Opened) -> Result<Sealer, StateError> {
        let row = KeyRow::parse(document.key.as_deref())?;
        if document.lineage.state == opened.lineage.state && row == opened.row {
            return Ok(opened.sealer.clone());
        }
        let (keys, realm) = (self.keys.clone(), document.lineage.state.clone());
        self.apart(move || Ok(opening::open(row, &keys, &realm)?.sealer)).await
    }

    /// Copies everything, its history and its key too, to a store that has no state, or what is left of this one; then leaves word
    /// where it went. The caller has a lease on everything.
    pub async fn move_to(&self, lease: &Lease, other: &State) -> Result<(), StateError> {
        let Some((opened, view)) = self.look(&Table::ALL.map(Select::All)).await? else {
            return Err(StateError::LeaseLost);
        };
        let expect = other.room_for(&opened.lineage).await?;
        let theirs = other.store.read(&Table::ALL.map(Select::Keys)).await?.unwrap_or_default();
        let id = self.edge.new_id();
        let commit = Commit { id, expect: expect.into(), writes: copies(view, theirs, self.edge.new_id()) };
        if other.store.commit(&commit).await? == Committed::Refused {
            return Err(other.refuses("somebody else writes there"));
        }
        self.commit_leased(lease, |_| {
            let mut commit = Commit::default();
            commit.put(Table::Meta, MOVED_TO, other.place());
            Ok(commit)
        })
        .await
    }

    /// Whether this state may be copied here, and what has to stay so for that.
    async fn room_for(&self, lineage: &Lineage) -> Result<[Expect; 2], StateError> {
        let wanted = [LINEAGE, TIMELINE, CHANGED, MOVED_TO].map(|name| Select::One(Table::Meta, name.to_owned()));
        let answers = self.store.read(&wanted).await?.unwrap_or_default().answers;
        let mut rows = answers.into_iter().map(|rows| rows.into_iter().next());
        let mut next = || rows.next().flatten();
        let (state, timeline, changed, moved) = (next(), next(), next(), next());
        if state.as_ref().is_some_and(|row| row.value != lineage.state) {
            return Err(self.refuses("another state is there"));
        }
        let version = |row: Option<&Row>| row.map_or(0, |row| row.version);
        // One that was copied here by somebody who was killed then is as one commit wrote it.
        let is_untouched = timeline.is_some() && version(timeline.as_ref()) == version(changed.as_ref());
        if state.is_some() && moved.is_none() && !is_untouched {
            let reason = "the same state is there, and in use: see which of the two is right, and move the other away";
            return Err(self.refuses(reason));
        }
        Ok([(LINEAGE, state), (CHANGED, changed)]
            .map(|(name, row)| Expect::Version(Table::Meta, name.to_owned(), version(row.as_ref()))))
    }

    fn refuses(&self, reason: &str) -> StateError {
        StateError::Store { store: self.place(), reason: reason.to_owned() }
    }
}

/// Without their signatures: who pushes it answers for what it says.
fn texts(sealer: &Sealer, rows: Vec<Row>, table: Table) -> Result<BTreeMap<String, Json>, StateError> {
    let json = |row: &Row| document::verified(sealer, table.name(), &row.key, &row.value);
    rows.into_iter().map(|row| Ok((row.key.clone(), json(&row)?))).collect()
}

fn check(document: &Document, opened: &Opened, serial: u64, is_empty: bool) -> Result<(), StateError> {
    let Document { lineage, serial: known, .. } = document;
    if lineage.state != opened.lineage.state {
        return Err(StateError::Foreign("the document is of another state".to_owned()));
    }
    if is_empty {
        return Ok(());
    }
    if lineage.timeline != opened.lineage.timeline {
        let reason = "the state went to another place, or back to a backup, after the document was pulled";
        return Err(StateError::Foreign(reason.to_owned()));
    }
    if *known != serial {
        let reason = format!("the state has changed since: it has serial {serial}, and the document {known}");
        return Err(StateError::Foreign(reason));
    }
    Ok(())
}

/// The document is wrong, not the state; and where.
fn wrong(part: &str, error: StateError) -> StateError {
    match error {
        StateError::Damaged(reason) => StateError::Document(format!("in its `{part}`: {reason}")),
        other => other,
    }
}

/// What is in the document is put, and what is not there any more is removed.
fn write(writing: &mut Writing<'_>, from: &Sealer, document: &Document, present: View) -> Result<(), StateError> {
    let to = &writing.opened.sealer.clone();
    let (mut objects, mut outputs, mut intents) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (key, json) in &document.objects {
        let read = document::read_object(from, key, json.clone());
        let (_, stored) = read.map_err(|error| wrong("objects", error))?;
        if stored.object.value.as_members().is_none() {
            return Err(StateError::Document(format!("in its `objects`: the value of `{key}` has no members")));
        }
        objects.insert(key.clone(), Some(document::seal_object(to, key, &stored)?));
    }
    for (key, json) in &document.outputs {
        let value = document::read_output(from, key, json.clone()).map_err(|error| wrong("outputs", error))?;
        outputs.insert(key.clone(), Some(document::seal_output(to, key, &value)?));
    }
    for (key, json) in &document.intents {
        let intent = document::read_intent(from, key, json.clone()).map_err(|error| wrong("intents", error))?;
        intents.insert(key.clone(), Some(document::seal_intent(to, &intent)?));
    }
    for (rows, table) in present.answers.into_iter().zip([&mut objects, &mut outputs, &mut intents]) {
        for row in rows {
            table.entry(row.key).or_insert(None);
        }
    }
    intents.into_iter().for_each(|(key, text)| writing.commit.set(Table::Intents, key, text));
    objects.into_iter().try_for_each(|(key, text)| writing.put(Table::Objects, &key, text))?;
    outputs.into_iter().try_for_each(|(key, text)| writing.put(Table::Outputs, &key, text))
}

/// Everything but leases, in place of all that is there. Versions begin anew; promises keep theirs, and with that their order.
fn copies(view: View, theirs: View, timeline: String) -> Vec<Write> {
    let write = |table: Table, key: String, value: Option<String>| Write { table, key, value, version: None };
    let mut rows: BTreeMap<(Table, String), Write> = BTreeMap::new();
    for (table, keys) in Table::ALL.into_iter().zip(theirs.answers) {
        rows.extend(keys.into_iter().map(|row| ((table, row.key.clone()), write(table, row.key, None))));
    }
    for (table, all) in Table::ALL.into_iter().zip(view.answers) {
        if matches!(table, Table::Leases | Table::Renewals) {
            continue;
        }
        for Row { key, value, version } in all {
            let version = (table == Table::Intents).then_some(version);
            rows.insert((table, key.clone()), Write { version, ..write(table, key, Some(value)) });
        }
    }
    let named = write(Table::Meta, TIMELINE.to_owned(), Some(timeline));
    rows.insert((Table::Meta, TIMELINE.to_owned()), named);
    rows.into_values().collect()
}
