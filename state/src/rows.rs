//! Rows: objects, intents, outputs and revisions as the text that is stored, with what is sensitive sealed.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::port::{Record, StateError};
use bimetal_model::snapshot::{Intent, IntentId, Snapshot, Stored};
use bimetal_model::{Address, Value};
use rusqlite::{Connection, OptionalExtension as _, Transaction};
use serde_json::{Value as Json, json};
use zeroize::Zeroizing;

use crate::revisions;
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
        statement.execute((&intent.id.0, intent_text(sealer, intent)?))?;
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
    let text = object_text(sealer, &address, stored)?;
    let mut statement = transaction.prepare_cached("INSERT OR REPLACE INTO objects (address, json) VALUES (?1, ?2)")?;
    statement.execute((address, text))?;
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
        let text = output_text(sealer, name, value)?;
        transaction.execute("INSERT INTO outputs (name, json) VALUES (?1, ?2)", (name, text))?;
    }
    Ok(())
}

/// Everything sealed and signed anew.
pub(crate) fn reseal(transaction: &Transaction<'_>, old: &Sealer, new: &Sealer) -> Result<(), Trouble> {
    for (key, text) in pairs(transaction, "SELECT address, json FROM objects")? {
        let text = object_text(new, &key, &read_object(old, &key, &text)?.1)?;
        transaction.execute("UPDATE objects SET json = ?2 WHERE address = ?1", (key, text))?;
    }
    for (key, text) in pairs(transaction, "SELECT id, json FROM intents")? {
        let text = intent_text(new, &read_intent(old, &key, &text)?)?;
        transaction.execute("UPDATE intents SET json = ?2 WHERE id = ?1", (key, text))?;
    }
    for (key, text) in pairs(transaction, "SELECT name, json FROM outputs")? {
        let text = output_text(new, &key, &read_output(old, key.clone(), &text)?.1)?;
        transaction.execute("UPDATE outputs SET json = ?2 WHERE name = ?1", (key, text))?;
    }
    reseal_secrets(transaction, old, new)?;
    revisions::sign_anew(transaction, old, new)
}

fn reseal_secrets(transaction: &Transaction<'_>, old: &Sealer, new: &Sealer) -> Result<(), Trouble> {
    let mut statement = transaction.prepare("SELECT name, sealed FROM secrets")?;
    let secrets = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (name, sealed) in secrets.collect::<rusqlite::Result<Vec<(String, Vec<u8>)>>>()? {
        let place = Place::row("secrets", &name);
        let sealed = new.seal(&place, &Zeroizing::new(old.open(&place, &sealed)?))?;
        transaction.execute("UPDATE secrets SET sealed = ?2 WHERE name = ?1", (name, sealed))?;
    }
    Ok(())
}

fn object_text(sealer: &Sealer, address: &str, stored: &Stored) -> Result<String, Trouble> {
    Ok(sealer.sign(&Place::row("objects", address), &object_json(sealer, address, stored)?.to_string())?)
}

fn intent_text(sealer: &Sealer, intent: &Intent) -> Result<String, Trouble> {
    let place = Place::row("intents", &intent.id.0);
    Ok(sealer.sign(&place, &intent_json(sealer, &place, intent)?.to_string())?)
}

fn output_text(sealer: &Sealer, name: &str, value: &Value) -> Result<String, Trouble> {
    let place = Place::row("outputs", name);
    Ok(sealer.sign(&place, &sealer.seal_marked(&place, serde_json::to_value(value)?)?.to_string())?)
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
    let mut json: Json = serde_json::from_str(sealer.verify(&place, text)?)?;
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
    let place = Place::row("intents", id);
    let mut json: Json = serde_json::from_str(sealer.verify(&place, text)?)?;
    json["config"] = sealer.open_whole(&place, &json["config"])?;
    Ok(serde_json::from_value(json)?)
}

fn read_output(sealer: &Sealer, name: String, text: &str) -> Result<(String, Value), Trouble> {
    let place = Place::row("outputs", &name);
    let json = sealer.open_marked(&place, serde_json::from_str(sealer.verify(&place, text)?)?)?;
    Ok((name, serde_json::from_value(json)?))
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
