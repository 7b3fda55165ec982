//! Revisions, signed: who applied, what, and how it ended.

use bimetal_model::snapshot::{Revision, RevisionOutcome};
use rusqlite::{Connection, Transaction};

use crate::seal::{Place, Sealer};
use crate::tables::Trouble;

/// Opens a revision; answers its number.
pub(crate) fn begin(transaction: &Transaction<'_>, sealer: &Sealer, revision: Revision) -> Result<u64, Trouble> {
    let query = "SELECT coalesce(max(number), 0) + 1 FROM revisions";
    let row: i64 = transaction.query_row(query, [], |row| row.get(0))?;
    let number = row.cast_unsigned();
    let text = serde_json::to_string(&Revision { number, outcome: None, ..revision })?;
    let text = sealer.sign(&place(row), &text)?;
    transaction.execute("INSERT INTO revisions (number, json) VALUES (?1, ?2)", (row, text))?;
    Ok(number)
}

/// Closes a revision.
pub(crate) fn finish(
    transaction: &Transaction<'_>,
    sealer: &Sealer,
    number: u64,
    outcome: RevisionOutcome,
) -> Result<(), Trouble> {
    let row = number.cast_signed();
    let outcome = sealer.sign(&place_of_outcome(row), &serde_json::to_string(&outcome)?)?;
    transaction.execute("UPDATE revisions SET outcome = ?2 WHERE number = ?1", (row, outcome))?;
    Ok(())
}

/// All revisions, newest first.
pub(crate) fn revisions(connection: &Connection, sealer: &Sealer) -> Result<Vec<Revision>, Trouble> {
    let read = |(row, text, outcome): (i64, String, Option<String>)| {
        let revision: Revision = serde_json::from_str(sealer.verify(&place(row), &text)?)?;
        let outcome = outcome.as_deref().map(|text| sealer.verify(&place_of_outcome(row), text)).transpose()?;
        Ok(Revision { outcome: outcome.map(serde_json::from_str).transpose()?, ..revision })
    };
    rows(connection)?.into_iter().rev().map(read).collect()
}

/// All of them signed by another key.
pub(crate) fn sign_anew(transaction: &Transaction<'_>, old: &Sealer, new: &Sealer) -> Result<(), Trouble> {
    for (row, text, outcome) in rows(transaction)? {
        let again = |place: Place, text: &str| new.sign(&place, old.verify(&place, text)?);
        let text = again(place(row), &text)?;
        let outcome = outcome.map(|text| again(place_of_outcome(row), &text)).transpose()?;
        let query = "UPDATE revisions SET json = ?2, outcome = ?3 WHERE number = ?1";
        transaction.execute(query, (row, text, outcome))?;
    }
    Ok(())
}

fn rows(connection: &Connection) -> rusqlite::Result<Vec<(i64, String, Option<String>)>> {
    let mut statement = connection.prepare("SELECT number, json, outcome FROM revisions ORDER BY number")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    rows.collect()
}

fn place(row: i64) -> Place {
    Place::row("revisions", &row.to_string())
}

fn place_of_outcome(row: i64) -> Place {
    Place::row("outcomes", &row.to_string())
}
