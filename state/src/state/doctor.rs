//! What is wrong with a state, and what to do about it.

use bimetal_model::port::StateError;
use bimetal_model::snapshot::{Revision, Stored};

use super::{Opened, State};
use crate::document;
use crate::store::{Row, Select, Table};
use crate::words::{history_parts, number_of};

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: String,
    /// Whether something is broken, and not only left over.
    pub is_broken: bool,
}

impl Finding {
    fn broken(what: impl Into<String>, hint: &str) -> Finding {
        Finding { what: what.into(), hint: hint.to_owned(), is_broken: true }
    }

    fn left_over(what: impl Into<String>, hint: &str) -> Finding {
        Finding { what: what.into(), hint: hint.to_owned(), is_broken: false }
    }
}

/// What brings back a row that can't be read.
const RESTORE: &str = "bring back a copy of the state: `bimetal state restore` does where it is a file; or push what `bimetal state \
                       pull` printed, with `state push --force`";

impl State {
    /// Looks at everything there is.
    pub async fn examine(&self) -> Result<Vec<Finding>, StateError> {
        let sound = self.store.check().await?;
        let mut findings: Vec<Finding> = sound.into_iter().map(|what| Finding::broken(what, RESTORE)).collect();
        let Some((opened, view)) = self.look(&Table::ALL.map(Select::All)).await? else { return Ok(findings) };
        let leases = self.all_leases().await?;
        for (table, rows) in Table::ALL.into_iter().zip(view.answers) {
            findings.extend(rows.iter().filter_map(|row| unreadable(&opened, table, row)));
            match table {
                Table::Objects => findings.extend(objects(&opened, &rows)),
                Table::Intents => findings.extend(intents(&opened, &rows, !leases.living.is_empty())),
                Table::Meta | Table::Outputs | Table::Sources | Table::Contents | Table::History => {}
                Table::Revisions | Table::Outcomes => {}
                Table::Leases | Table::Renewals | Table::Plans | Table::Secrets => {}
            }
        }
        findings.extend(self.killed(!leases.living.is_empty()).await);
        findings.extend(leases.over.iter().map(|held| {
            let what = format!("the lock of {} (`{}`) is over", held.holder.who, held.holder.command);
            Finding::left_over(what, "nothing: who needs what it is on takes it; `state force-unlock` ends it now")
        }));
        Ok(findings)
    }

    /// Revisions that nobody ended, and none since. Where some can't be read, that is found already.
    async fn killed(&self, somebody_works: bool) -> Vec<Finding> {
        let all = self.all_revisions().await.unwrap_or_default().into_iter();
        let mut killed: Vec<Revision> =
            all.take_while(|revision| revision.outcome.is_none() && !somebody_works).collect();
        killed.reverse();
        let what = |revision: Revision| format!("revision {} (`{}`) was killed", revision.number, revision.command);
        let hint = "`bimetal apply` goes on from there";
        killed.into_iter().map(|revision| Finding::left_over(what(revision), hint)).collect()
    }
}

/// A row that does not open or can't be read.
fn unreadable(opened: &Opened, table: Table, row: &Row) -> Option<Finding> {
    let Row { key, value, .. } = row;
    let sealer = &opened.sealer;
    let read = match table {
        Table::Objects => document::open_object(sealer, key, value).map(drop),
        Table::Intents => document::open_intent(sealer, key, value).map(drop),
        Table::Outputs => document::open_output(sealer, key, value).map(drop),
        Table::Sources | Table::Contents | Table::Secrets => {
            document::open_bytes(sealer, table.name(), key, value).map(drop)
        }
        Table::History => past(opened, key, value),
        Table::Revisions => document::open_revision::<Revision>(sealer, number_of(key).unwrap_or(0), value).map(drop),
        Table::Outcomes => document::open_outcome(sealer, number_of(key).unwrap_or(0), value).map(drop),
        Table::Meta | Table::Leases | Table::Renewals | Table::Plans => Ok(()),
    };
    let why = match read.err()? {
        StateError::Damaged(reason) => reason,
        error => error.to_string(),
    };
    Some(Finding::broken(format!("{}: {why}", table.name()), RESTORE))
}

fn past(opened: &Opened, key: &str, value: &str) -> Result<(), StateError> {
    let sealer = &opened.sealer;
    match history_parts(key) {
        Some((_, table @ ("objects" | "outputs"), key)) if document::is_gone(sealer, table, key, value)? => Ok(()),
        Some((_, "objects", key)) => document::open_object(sealer, key, value).map(drop),
        Some((_, "outputs", key)) => document::open_output(sealer, key, value).map(drop),
        Some(_) | None => Err(StateError::Damaged(format!("`{key}` is no row of a history"))),
    }
}

/// What is half made, or rests on what is not there.
fn objects(opened: &Opened, rows: &[Row]) -> Vec<Finding> {
    let known = |key: &str| rows.binary_search_by(|row| (*row.key).cmp(key)).is_ok();
    let mut findings = Vec::new();
    for Row { key, value, .. } in rows {
        let Ok((_, Stored { depends_on, tainted, unfinished, .. })) = document::open_object(&opened.sealer, key, value)
        else {
            continue;
        };
        if tainted || unfinished.is_some() {
            findings.push(Finding::left_over(format!("`{key}` is half made"), "`bimetal apply` mends it"));
        }
        for needed in depends_on.iter().filter(|needed| !known(&needed.to_string())) {
            let what = format!("`{key}` rests on `{needed}`, which the state does not know");
            findings.push(Finding::left_over(what, "the next apply of its configuration writes down what it rests on"));
        }
    }
    findings
}

fn intents(opened: &Opened, rows: &[Row], somebody_works: bool) -> Vec<Finding> {
    let hint = match somebody_works {
        true => "nothing, as somebody works just now",
        false => "`bimetal apply` finds out what became of it",
    };
    let open = rows.iter().filter_map(|row| document::open_intent(&opened.sealer, &row.key, &row.value).ok());
    open.map(|intent| Finding::left_over(format!("a promise about `{}` is open", intent.address), hint)).collect()
}
