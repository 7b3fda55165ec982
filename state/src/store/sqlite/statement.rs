//! The statements: all tables have the same columns.

use bimetal_model::Lineage;
use rusqlite::{Connection, OptionalExtension as _, Row as Columns, Transaction};

use crate::store::{Expect, Row, Select, Table, Write};
use crate::words::{CHANGED, KEY, LINEAGE, TIMELINE};

/// What makes all tables.
pub(super) fn tables() -> String {
    let head = "CREATE TABLE head (only INTEGER PRIMARY KEY CHECK (only = 1), serial INTEGER NOT NULL) STRICT;
        INSERT INTO head VALUES (1, 0);\n";
    let table = |table: Table| {
        let columns = "key TEXT PRIMARY KEY, value TEXT NOT NULL, version INTEGER NOT NULL";
        format!("CREATE TABLE {} ({columns}) STRICT, WITHOUT ROWID;\n", table.name())
    };
    Table::ALL.into_iter().fold(head.to_owned(), |text, name| text + &table(name))
}

/// Of the last commit.
pub(super) fn serial(connection: &Connection) -> rusqlite::Result<u64> {
    connection
        .prepare_cached("SELECT serial FROM head")?
        .query_row([], |row| row.get::<_, i64>(0))
        .map(i64::cast_unsigned)
}

/// Which state it is.
pub(super) fn lineage(connection: &Connection) -> rusqlite::Result<Lineage> {
    let text = |name: &str| {
        let query = "SELECT value FROM meta WHERE key = ?1";
        connection.query_row(query, [name], |row| row.get(0)).optional().map(Option::unwrap_or_default)
    };
    Ok(Lineage { state: text(LINEAGE)?, timeline: text(TIMELINE)? })
}

/// Of the commits that last changed the state, and its key.
pub(super) fn changed(connection: &Connection) -> rusqlite::Result<(u64, u64)> {
    let version = |name: &str| {
        let query = "SELECT version FROM meta WHERE key = ?1";
        let found = connection.query_row(query, [name], |row| row.get::<_, i64>(0)).optional();
        found.map(|version| version.map_or(0, i64::cast_unsigned))
    };
    Ok((version(CHANGED)?, version(KEY)?))
}

pub(super) fn set_serial(transaction: &Transaction<'_>, serial: u64) -> rusqlite::Result<()> {
    transaction.prepare_cached("UPDATE head SET serial = ?1")?.execute([serial.cast_signed()]).map(drop)
}

pub(super) fn select(connection: &Connection, wanted: &Select) -> rusqlite::Result<Vec<Row>> {
    let (query, bound) = wanted.query("");
    let mut statement = connection.prepare_cached(&query)?;
    statement.query_map(rusqlite::params_from_iter(bound), row)?.collect()
}

/// All keys of a table.
pub(super) fn keys<K: FromIterator<String>>(connection: &Connection, table: Table) -> rusqlite::Result<K> {
    let mut statement = connection.prepare(&format!("SELECT key FROM {}", table.name()))?;
    statement.query_map([], |row| row.get(0))?.collect()
}

fn row(columns: &Columns<'_>) -> rusqlite::Result<Row> {
    Ok(Row { key: columns.get(0)?, value: columns.get(1)?, version: columns.get::<_, i64>(2)?.cast_unsigned() })
}

/// Whether it is as expected.
pub(super) fn holds(connection: &Connection, expect: &Expect) -> rusqlite::Result<bool> {
    let version = |(table, key): (Table, &str)| {
        let query = format!("SELECT version FROM {} WHERE key = ?1", table.name());
        connection.prepare_cached(&query)?.query_row([key], |row| row.get::<_, i64>(0)).optional()
    };
    let version = expect.row().map(version).transpose()?.flatten();
    Ok(expect.holds(serial(connection)?, version.map(i64::cast_unsigned)))
}

/// Writes what the next commit writes, and gives its serial.
pub(super) fn append(transaction: &Transaction<'_>, writes: &[Write]) -> rusqlite::Result<u64> {
    let next = serial(transaction)? + 1;
    write(transaction, writes, next)?;
    set_serial(transaction, next)?;
    Ok(next)
}

pub(super) fn write(transaction: &Transaction<'_>, writes: &[Write], serial: u64) -> rusqlite::Result<()> {
    for Write { table, key, value, version } in writes {
        let (table, version) = (table.name(), version.unwrap_or(serial));
        match value {
            Some(value) => {
                let query = format!("INSERT OR REPLACE INTO {table} (key, value, version) VALUES (?1, ?2, ?3)");
                transaction.prepare_cached(&query)?.execute((key, value, version.cast_signed()))?
            }
            None => transaction.prepare_cached(&format!("DELETE FROM {table} WHERE key = ?1"))?.execute([key])?,
        };
    }
    Ok(())
}
