//! The statements: all tables have the same columns.

use bimetal_model::port::StateError;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row as Columns};

use super::Trouble;
use crate::store::{Commit, Committed, Expect, FORMAT, Row, Select, Table, View, Write};

/// How many ids of commits are kept, to know them again.
const REMEMBERED: i64 = 1_000;

/// Keeps two who make the same schema apart.
const MAKING: &str = "SELECT pg_advisory_xact_lock(20250419)";

pub(super) async fn read(client: &Client, schema: &str, wanted: &[Select]) -> Result<Option<View>, Trouble> {
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let view = match serial(client, schema, "").await? {
        None | Some(0) => None,
        Some(serial) => {
            let mut answers = Vec::with_capacity(wanted.len());
            for wanted in wanted {
                answers.push(select(client, schema, wanted).await?);
            }
            Some(View { serial, answers })
        }
    };
    client.batch_execute("COMMIT").await?;
    Ok(view)
}

/// The schemas that somebody has made for a state, as far as they may be seen.
pub(super) async fn schemas(client: &Client) -> Result<Vec<String>, Trouble> {
    let query = "SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                 WHERE c.relname = 'head' AND c.relkind = 'r'";
    let rows = client.query_typed(query, &[]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Of the last commit; `None`: there are no tables.
async fn serial(client: &Client, schema: &str, lock: &str) -> Result<Option<u64>, Trouble> {
    let head = format!("{schema}.head");
    let found = client.query_typed_one("SELECT to_regclass($1) IS NOT NULL", &[(&head, Type::TEXT)]).await?;
    if !found.try_get::<_, bool>(0)? {
        return Ok(None);
    }
    let row = client.query_typed_one(&format!("SELECT format, serial FROM {head} {lock}"), &[]).await?;
    match row.try_get::<_, i32>(0)?.cast_unsigned() {
        found if found > FORMAT => Err(Trouble::Said(StateError::Newer { found, known: FORMAT })),
        _ => Ok(Some(row.try_get::<_, i64>(1)?.cast_unsigned())),
    }
}

async fn select(client: &Client, schema: &str, wanted: &Select) -> Result<Vec<Row>, Trouble> {
    let (query, bound) = wanted.query(&format!("{schema}."));
    let bound: Vec<(&(dyn ToSql + Sync), Type)> =
        bound.iter().map(|bound| (bound as &(dyn ToSql + Sync), Type::TEXT)).collect();
    client.query_typed(&query, &bound).await?.iter().map(row).collect()
}

fn row(columns: &Columns) -> Result<Row, Trouble> {
    let version: i64 = columns.try_get(2)?;
    Ok(Row { key: columns.try_get(0)?, value: columns.try_get(1)?, version: version.cast_unsigned() })
}

pub(super) async fn commit(client: &Client, schema: &str, commit: &Commit) -> Result<Committed, Trouble> {
    client.batch_execute("BEGIN").await?;
    let last = match serial(client, schema, "FOR UPDATE").await? {
        Some(serial) => serial,
        None => create(client, schema).await?,
    };
    let known = format!("SELECT serial FROM {schema}.commits WHERE id = $1");
    let known = client.query_typed_opt(&known, &[(&commit.id, Type::TEXT)]).await?;
    if let Some(row) = known {
        client.batch_execute("ROLLBACK").await?;
        return Ok(Committed::Done(row.try_get::<_, i64>(0)?.cast_unsigned()));
    }
    for expect in &commit.expect {
        if !holds(client, schema, expect, last).await? {
            client.batch_execute("ROLLBACK").await?;
            return Ok(Committed::Refused);
        }
    }
    let serial = last + 1;
    write(client, schema, &commit.writes, serial.cast_signed()).await?;
    end(client, schema, &commit.id, serial.cast_signed()).await?;
    client.batch_execute("COMMIT").await?;
    Ok(Committed::Done(serial))
}

/// Makes what somebody else may just have made.
async fn create(client: &Client, schema: &str) -> Result<u64, Trouble> {
    let table = |table: Table| {
        let key = "key text COLLATE \"C\" PRIMARY KEY";
        let name = table.name();
        format!("CREATE TABLE IF NOT EXISTS {schema}.{name} ({key}, value text NOT NULL, version bigint NOT NULL);\n")
    };
    let own = format!(
        "CREATE SCHEMA IF NOT EXISTS {schema};
        CREATE TABLE IF NOT EXISTS {schema}.commits (id text PRIMARY KEY, serial bigint NOT NULL);
        CREATE TABLE IF NOT EXISTS {schema}.head
            (only_one int PRIMARY KEY CHECK (only_one = 1), format int NOT NULL, serial bigint NOT NULL);
        INSERT INTO {schema}.head VALUES (1, {FORMAT}, 0) ON CONFLICT DO NOTHING;\n"
    );
    client.batch_execute(MAKING).await?;
    client.batch_execute(&Table::ALL.into_iter().fold(own, |text, each| text + &table(each))).await?;
    Ok(serial(client, schema, "FOR UPDATE").await?.unwrap_or(0))
}

async fn holds(client: &Client, schema: &str, expect: &Expect, last: u64) -> Result<bool, Trouble> {
    let Some((table, key)) = expect.row() else { return Ok(expect.holds(last, None)) };
    let query = format!("SELECT version FROM {schema}.{} WHERE key = $1", table.name());
    let found = client.query_typed_opt(&query, &[(&key, Type::TEXT)]).await?;
    let version: Option<i64> = found.map(|row| row.try_get(0)).transpose()?;
    Ok(expect.holds(last, version.map(i64::cast_unsigned)))
}

/// All rows of a table at once.
async fn write(client: &Client, schema: &str, writes: &[Write], serial: i64) -> Result<(), Trouble> {
    for table in Table::ALL {
        let of = || writes.iter().filter(|write| write.table == table);
        let put = of().filter_map(|write| {
            let version = write.version.map_or(serial, u64::cast_signed);
            Some((&*write.key, write.value.as_deref()?, version))
        });
        let (keys, values, versions): (Vec<&str>, Vec<&str>, Vec<i64>) = put.collect();
        let gone: Vec<&str> = of().filter(|write| write.value.is_none()).map(|write| &*write.key).collect();
        let table = format!("{schema}.{}", table.name());
        if !gone.is_empty() {
            let query = format!("DELETE FROM {table} WHERE key = ANY($1)");
            client.query_typed(&query, &[(&gone, Type::TEXT_ARRAY)]).await?;
        }
        if !keys.is_empty() {
            let query = format!(
                "INSERT INTO {table} SELECT key, value, version FROM unnest($1, $2, $3) AS new (key, value, version)
                ON CONFLICT (key) DO UPDATE SET value = excluded.value, version = excluded.version"
            );
            let (texts, numbers) = (Type::TEXT_ARRAY, Type::INT8_ARRAY);
            client.query_typed(&query, &[(&keys, texts.clone()), (&values, texts), (&versions, numbers)]).await?;
        }
    }
    Ok(())
}

async fn end(client: &Client, schema: &str, id: &str, serial: i64) -> Result<(), Trouble> {
    let head = format!("UPDATE {schema}.head SET serial = $1");
    client.query_typed(&head, &[(&serial, Type::INT8)]).await?;
    let known = format!("INSERT INTO {schema}.commits VALUES ($1, $2)");
    client.query_typed(&known, &[(&id, Type::TEXT), (&serial, Type::INT8)]).await?;
    let forgotten = format!("DELETE FROM {schema}.commits WHERE serial < $1");
    client.query_typed(&forgotten, &[(&(serial - REMEMBERED), Type::INT8)]).await?;
    Ok(())
}
