//! All rows as this process knows them, and the texts of entries and snapshots.

use std::collections::BTreeMap;

use bimetal_model::port::StateError;
use object_store::path::Path;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::store::{Expect, FORMAT, Row, Select, Table, View, Write};

/// A commit in the log. What it expected is nobody's business afterwards.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    format: u32,
    pub(super) id: String,
    writes: Vec<Write>,
}

/// All rows, as a snapshot has them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Picture {
    format: u32,
    serial: u64,
    rows: Vec<(Table, String, String, u64)>,
}

/// All rows as they are after a commit.
#[derive(Debug, Default)]
pub(super) struct Image {
    /// Of the last commit that is in it.
    pub(super) serial: u64,
    tables: BTreeMap<Table, BTreeMap<String, (String, u64)>>,
}

impl Image {
    /// The next commit.
    pub(super) fn apply(&mut self, entry: Entry) {
        self.serial += 1;
        for Write { table, key, value, version } in entry.writes {
            let rows = self.tables.entry(table).or_default();
            match value {
                Some(value) => drop(rows.insert(key, (value, version.unwrap_or(self.serial)))),
                None => drop(rows.remove(&key)),
            }
        }
    }

    pub(super) fn holds(&self, expect: &Expect) -> bool {
        let version = |(table, key): (Table, &str)| self.tables.get(&table)?.get(key).map(|(_, version)| *version);
        expect.holds(self.serial, expect.row().and_then(version))
    }

    pub(super) fn view(&self, wanted: &[Select]) -> View {
        View { serial: self.serial, answers: wanted.iter().map(|wanted| self.select(wanted)).collect() }
    }

    fn select(&self, wanted: &Select) -> Vec<Row> {
        let table = |table: &Table| self.tables.get(table).into_iter().flatten();
        match wanted {
            Select::All(name) => table(name).map(row).collect(),
            Select::Keys(name) => {
                table(name).map(|(key, (_, version))| row((key, &(String::new(), *version)))).collect()
            }
            Select::One(name, key) => {
                let found = self.tables.get(name).and_then(|rows| rows.get_key_value(key));
                found.into_iter().map(row).collect()
            }
            Select::Before(name, bound) => table(name).take_while(|(key, _)| *key < bound).map(row).collect(),
        }
    }
}

fn row((key, (value, version)): (&String, &(String, u64))) -> Row {
    Row { key: key.clone(), value: value.clone(), version: *version }
}

impl Entry {
    pub(super) fn new(id: String, writes: Vec<Write>) -> Entry {
        Entry { format: FORMAT, id, writes }
    }

    pub(super) fn read(store: &str, path: &Path, bytes: &[u8]) -> Result<Entry, StateError> {
        read(store, path, bytes)
    }

    pub(super) fn to_bytes(&self, store: &str) -> Result<Vec<u8>, StateError> {
        serde_json::to_vec(self).map_err(|error| failed(store, format!("an object can't be written: {error}")))
    }
}

impl Picture {
    pub(super) fn of(image: &Image) -> Picture {
        let rows = image.tables.iter().flat_map(|(table, rows)| {
            rows.iter().map(|(key, (value, version))| (*table, key.clone(), value.clone(), *version))
        });
        Picture { format: FORMAT, serial: image.serial, rows: rows.collect() }
    }

    pub(super) fn read(store: &str, path: &Path, bytes: &[u8]) -> Result<Image, StateError> {
        let picture: Picture = read(store, path, bytes)?;
        let mut image = Image { serial: picture.serial, ..Image::default() };
        for (table, key, value, version) in picture.rows {
            image.tables.entry(table).or_default().insert(key, (value, version));
        }
        Ok(image)
    }

    pub(super) fn to_bytes(&self, store: &str) -> Result<Vec<u8>, StateError> {
        serde_json::to_vec(self).map_err(|error| failed(store, format!("an object can't be written: {error}")))
    }
}

/// The format is read first: of a newer one nothing else may make sense.
fn read<T: DeserializeOwned>(store: &str, path: &Path, bytes: &[u8]) -> Result<T, StateError> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let wrong =
        |error: serde_json::Error| failed(store, format!("the object `{path}` is not what it should be: {error}"));
    let Format { format } = serde_json::from_slice(bytes).map_err(wrong)?;
    if format > FORMAT {
        return Err(StateError::Newer { found: format, known: FORMAT });
    }
    serde_json::from_slice(bytes).map_err(wrong)
}

fn failed(store: &str, reason: String) -> StateError {
    StateError::Store { store: store.to_owned(), reason }
}
