//! From format 1, which had tables of its own shape for each and no history, to the present one.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::lease::{Clash, Held, Holder, Lease, Scope};
use bimetal_model::port::{Edge, StateError};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};

use super::backup::{self, with_suffix};
use super::{Trouble, damage, statement};
use crate::key::sync_folder;
use crate::store::{FORMAT, Table, Write};
use crate::words;

/// Brings the file forward, once, whoever comes first; what it was is kept beside it.
///
/// Fails where somebody holds its lock: they write as it was.
pub(super) fn upgrade(
    connection: &mut Connection,
    path: &Path,
    edge: &dyn Edge,
    is_older: impl FnOnce(&Connection) -> Result<bool, Trouble>,
) -> Result<(), Trouble> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if !is_older(&transaction)? {
        return Ok(());
    }
    if let Some(held) = lock(&transaction)?.filter(|held| edge.now_ms() < held.expires_ms) {
        return Err(StateError::Locked(Box::new(Clash { held, both: Vec::new() })).into());
    }
    back_up(path)?;
    let (serial, rows) = rows(&transaction)?;
    transaction.execute_batch(OLD_TABLES_GO)?;
    transaction.execute_batch(&statement::tables())?;
    statement::write(&transaction, &rows, serial)?;
    statement::set_serial(&transaction, serial)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    Ok(transaction.commit()?)
}

const OLD_TABLES_GO: &str = "
DROP TABLE meta; DROP TABLE objects; DROP TABLE intents; DROP TABLE outputs; DROP TABLE revisions; DROP TABLE secrets;
DROP TABLE lock;
";

/// Another connection reads while nobody can write: the copy is whole.
fn back_up(path: &Path) -> Result<(), Trouble> {
    let name = free_name(path)?;
    let draft = backup::draft_of(&name)?;
    let copied = backup::copy(&super::file::connect(path)?, &draft).and_then(|()| Ok(std::fs::rename(&draft, &name)?));
    if let Err(trouble) = copied {
        let _ = std::fs::remove_file(&draft);
        return Err(damage::of_copy(&name, trouble));
    }
    Ok(sync_folder(&name)?)
}

/// An earlier backup is never overwritten.
fn free_name(path: &Path) -> std::io::Result<PathBuf> {
    let mut name = with_suffix(path, ".format-1.backup");
    for number in 2u32.. {
        if !name.try_exists()? {
            break;
        }
        name = with_suffix(path, &format!(".format-1.backup-{number}"));
    }
    Ok(name)
}

fn lock(transaction: &Transaction<'_>) -> Result<Option<Held>, Trouble> {
    let row = transaction.query_row("SELECT lease, holder, expires_ms FROM lock", [], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?))
    });
    let Some((lease, holder, expires_ms)) = row.optional()? else { return Ok(None) };
    let holder: Holder = serde_json::from_str(&holder)?;
    let expires_ms = expires_ms.max(0).cast_unsigned();
    Ok(Some(Held { lease: Lease(lease), holder, scope: Scope::Everything, expires_ms }))
}

/// All rows as they are now, and the serial that they get.
fn rows(transaction: &Transaction<'_>) -> Result<(u64, Vec<Write>), Trouble> {
    let (mut writes, mut serial) = (Vec::new(), 0);
    for (name, value) in pairs::<rusqlite::types::Value>(transaction, "SELECT name, value FROM meta")? {
        match (name.as_str(), value) {
            ("serial", rusqlite::types::Value::Text(text)) => serial = text.parse().unwrap_or(0),
            (_, rusqlite::types::Value::Blob(bytes)) => writes.push(put(Table::Meta, name, STANDARD.encode(bytes))),
            (_, rusqlite::types::Value::Text(text)) => writes.push(put(Table::Meta, name, text)),
            (
                _,
                rusqlite::types::Value::Null | rusqlite::types::Value::Integer(_) | rusqlite::types::Value::Real(_),
            ) => {}
        }
    }
    let last = revisions(transaction, &mut writes)?;
    let (objects, outputs) = ("SELECT address, json FROM objects", "SELECT name, json FROM outputs");
    for (table, query) in [(Table::Objects, objects), (Table::Outputs, outputs)] {
        for (key, text) in pairs::<String>(transaction, query)? {
            writes.push(put(Table::History, words::history_key(last, table, &key), text.clone()));
            writes.push(put(table, key, text));
        }
    }
    for (id, text) in pairs::<String>(transaction, "SELECT id, json FROM intents")? {
        writes.push(put(Table::Intents, id, text));
    }
    for (name, sealed) in pairs::<Vec<u8>>(transaction, "SELECT name, sealed FROM secrets")? {
        writes.push(put(Table::Secrets, name, STANDARD.encode(sealed)));
    }
    for (name, value) in [(words::LAST_REVISION, last.to_string()), (words::HISTORY_FROM, last.to_string())] {
        writes.push(put(Table::Meta, name.to_owned(), value));
    }
    writes.push(put(Table::Meta, words::CHANGED.to_owned(), String::new()));
    Ok((serial + 1, writes))
}

/// How they ended had a column of its own, and is signed on its own. Answers the number of the last one.
fn revisions(transaction: &Transaction<'_>, writes: &mut Vec<Write>) -> Result<u64, Trouble> {
    let mut statement = transaction.prepare("SELECT number, json, outcome FROM revisions ORDER BY number")?;
    let mut rows = statement.query([])?;
    let mut last = 0;
    while let Some(row) = rows.next()? {
        last = row.get::<_, i64>(0)?.cast_unsigned();
        writes.push(put(Table::Revisions, words::number_key(last), row.get(1)?));
        if let Some(outcome) = row.get(2)? {
            writes.push(put(Table::Outcomes, words::number_key(last), outcome));
        }
    }
    Ok(last)
}

fn put(table: Table, key: String, value: String) -> Write {
    Write { table, key, value: Some(value), version: None }
}

fn pairs<T: rusqlite::types::FromSql>(connection: &Connection, query: &str) -> rusqlite::Result<Vec<(String, T)>> {
    let mut statement = connection.prepare(query)?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
