//! Rows: objects, intents, outputs and revisions as the text that is stored, with what is sensitive sealed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::port::{Record, StateError};
use bimetal_model::snapshot::{Intent, IntentId, Revision, RevisionOutcome, Snapshot, Stored};
use bimetal_model::{Address, Value};
use rusqlite::{Connection, OptionalExtension as _, Transaction};
use serde_json::{Value as Json, json};

use crate::seal::{Place, Sealer};
use crate::tables::{Trouble, meta, serial, set_meta};

/// The whole state.
pub(crate) fn load(connection: &Connection, sealer: &Sealer) -> Result<Snapshot, Trouble> {
    let objects = pairs(connection, "SELECT address, json FROM objects")?.into_iter();
    let intents = pairs(connection, "SELECT id, json FROM intents ORDER BY sequence")?.into_iter();
    let outputs = pairs(connection, "SELECT name, json FROM outputs")?.into_iter();
    Ok(Snapshot {
        lineage: meta(connection, "lineage")?.unwrap_or_default(),
        serial: serial(connection)?,
        objects: objects.map(|(address, text)| read_object(sealer, &address, &text)).collect::<Result<_, _>>()?,
        intents: intents.map(|(id, text)| read_intent(sealer, &id, &text)).collect::<Result<_, _>>()?,
        outputs: outputs.map(|(name, text)| read_output(sealer, name, &text)).collect::<Result<_, _>>()?,
    })
}

fn pairs(connection: &Connection, query: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let mut statement = connection.prepare_cached(query)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Another commit.
pub(crate) fn count(transaction: &Transaction<'_>) -> Result<(), Trouble> {
    Ok(set_meta(transaction, "serial", (serial(transaction)? + 1).to_string())?)
}

/// Writes promises down. One that is open already, as a creation that is gone on with, is the same promise made again.
pub(crate) fn intend(transaction: &Transaction<'_>, sealer: &Sealer, intents: &[Intent]) -> Result<(), Trouble> {
    let query = "INSERT INTO intents (id, json) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET json = excluded.json";
    let mut statement = transaction.prepare_cached(query)?;
    for intent in intents {
        let json = intent_json(sealer, &Place::row("intents", &intent.id.0), intent)?;
        statement.execute((&intent.id.0, json.to_string()))?;
    }
    Ok(())
}

/// Writes one outcome down.
pub(crate) fn record(transaction: &Transaction<'_>, sealer: &Sealer, record: &Record) -> Result<(), Trouble> {
    match record {
        Record::Put { address, stored, closes } => {
            put(transaction, sealer, address, stored)?;
            close(transaction, closes.as_ref())
        }
        Record::Remove { address, closes } => {
            let mut statement = transaction.prepare_cached("DELETE FROM objects WHERE address = ?1")?;
            statement.execute([address.to_string()])?;
            close(transaction, closes.as_ref())
        }
        Record::Close(intent) => close(transaction, Some(intent)),
        Record::Outputs(outputs) => replace_outputs(transaction, sealer, outputs),
    }
}

fn put(transaction: &Transaction<'_>, sealer: &Sealer, address: &Address, stored: &Stored) -> Result<(), Trouble> {
    let address = address.to_string();
    let json = object_json(sealer, &address, stored)?.to_string();
    let mut statement = transaction.prepare_cached("INSERT OR REPLACE INTO objects (address, json) VALUES (?1, ?2)")?;
    statement.execute((address, json))?;
    Ok(())
}

fn close(transaction: &Transaction<'_>, intent: Option<&IntentId>) -> Result<(), Trouble> {
    let Some(intent) = intent else { return Ok(()) };
    transaction.prepare_cached("DELETE FROM intents WHERE id = ?1")?.execute([&intent.0])?;
    Ok(())
}

fn replace_outputs(
    transaction: &Transaction<'_>,
    sealer: &Sealer,
    outputs: &BTreeMap<String, Value>,
) -> Result<(), Trouble> {
    transaction.execute("DELETE FROM outputs", [])?;
    for (name, value) in outputs {
        let json = sealer.seal_marked(&Place::row("outputs", name), serde_json::to_value(value)?)?;
        transaction.execute("INSERT INTO outputs (name, json) VALUES (?1, ?2)", (name, json.to_string()))?;
    }
    Ok(())
}

fn object_json(sealer: &Sealer, address: &str, stored: &Stored) -> Result<Json, Trouble> {
    let place = Place::row("objects", address);
    let mut json = serde_json::to_value(stored)?;
    let private = json!(STANDARD.encode(&stored.object.private));
    let value = json["object"]["value"].take();
    json["object"] = json!({
        "value": sealer.seal_marked(&place, value)?,
        "private": sealer.seal_whole(&Place::row("private", address), &private)?,
    });
    if let Some(intent) = &stored.unfinished {
        json["unfinished"] = intent_json(sealer, &Place::row("unfinished", address), intent)?;
    }
    Ok(json)
}

fn read_object(sealer: &Sealer, address: &str, text: &str) -> Result<(Address, Stored), Trouble> {
    let place = Place::row("objects", address);
    let mut json: Json = serde_json::from_str(text)?;
    let private = sealer.open_whole(&Place::row("private", address), &json["object"]["private"])?;
    let private = STANDARD.decode(private.as_str().unwrap_or_default());
    let private = private.map_err(|error| StateError::Sealed(error.to_string()))?;
    let value = json["object"]["value"].take();
    json["object"] = json!({ "value": sealer.open_marked(&place, value)?, "private": private });
    if json["unfinished"].is_object() {
        let config = json["unfinished"]["config"].take();
        json["unfinished"]["config"] = sealer.open_whole(&Place::row("unfinished", address), &config)?;
    }
    let address = serde_json::from_value(json!(address))?;
    Ok((address, serde_json::from_value(json)?))
}

/// All of the arguments are sealed: marks on them may be lost on the way to a provider and back.
fn intent_json(sealer: &Sealer, place: &Place, intent: &Intent) -> Result<Json, Trouble> {
    let mut json = serde_json::to_value(intent)?;
    json["config"] = sealer.seal_whole(place, &json["config"])?;
    Ok(json)
}

fn read_intent(sealer: &Sealer, id: &str, text: &str) -> Result<Intent, Trouble> {
    let mut json: Json = serde_json::from_str(text)?;
    json["config"] = sealer.open_whole(&Place::row("intents", id), &json["config"])?;
    Ok(serde_json::from_value(json)?)
}

fn read_output(sealer: &Sealer, name: String, text: &str) -> Result<(String, Value), Trouble> {
    let json = sealer.open_marked(&Place::row("outputs", &name), serde_json::from_str(text)?)?;
    Ok((name, serde_json::from_value(json)?))
}

/// Opens a revision; answers its number.
pub(crate) fn begin(transaction: &Transaction<'_>, revision: Revision) -> Result<u64, Trouble> {
    let query = "SELECT coalesce(max(number), 0) + 1 FROM revisions";
    let row: i64 = transaction.query_row(query, [], |row| row.get(0))?;
    let number = row.cast_unsigned();
    let text = serde_json::to_string(&Revision { number, outcome: None, ..revision })?;
    transaction.execute("INSERT INTO revisions (number, json) VALUES (?1, ?2)", (row, text))?;
    Ok(number)
}

/// Closes a revision.
pub(crate) fn finish(transaction: &Transaction<'_>, number: u64, outcome: RevisionOutcome) -> Result<(), Trouble> {
    let outcome = serde_json::to_string(&outcome)?;
    transaction.execute("UPDATE revisions SET outcome = ?2 WHERE number = ?1", (number.cast_signed(), outcome))?;
    Ok(())
}

/// All revisions, newest first.
pub(crate) fn revisions(connection: &Connection) -> Result<Vec<Revision>, Trouble> {
    let mut statement = connection.prepare("SELECT json, outcome FROM revisions ORDER BY number DESC")?;
    let mut rows = statement.query([])?;
    let mut revisions = Vec::new();
    while let Some(row) = rows.next()? {
        let revision: Revision = serde_json::from_str(&row.get::<_, String>(0)?)?;
        let outcome = row.get::<_, Option<String>>(1)?.map(|text| serde_json::from_str(&text)).transpose()?;
        revisions.push(Revision { outcome, ..revision });
    }
    Ok(revisions)
}

/// A named secret.
pub(crate) fn secret(connection: &Connection, sealer: &Sealer, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
    let query = "SELECT sealed FROM secrets WHERE name = ?1";
    let sealed: Option<Vec<u8>> = connection.query_row(query, [name], |row| row.get(0)).optional()?;
    Ok(sealed.map(|sealed| sealer.open(&Place::row("secrets", name), &sealed)).transpose()?)
}

/// Keeps a named secret, unless there is one.
pub(crate) fn keep_secret(
    transaction: &Transaction<'_>,
    sealer: &Sealer,
    name: &str,
    secret: &[u8],
) -> Result<Vec<u8>, Trouble> {
    if let Some(kept) = self::secret(transaction, sealer, name)? {
        return Ok(kept);
    }
    let sealed = sealer.seal(&Place::row("secrets", name), secret)?;
    transaction.execute("INSERT INTO secrets (name, sealed) VALUES (?1, ?2)", (name, sealed))?;
    Ok(secret.to_vec())
}
