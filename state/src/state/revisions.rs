//! Revisions: who changed the state, when, how it ended, and what it was made from.
//!
//! Who and what stays readable, as it is redacted; it is signed. What it was made from is sealed; a text that many revisions have is
//! kept once, under a name that tells nobody what it is. Without a key that is not kept: nobody knows what is sensitive in it.

use std::collections::BTreeMap;

use bimetal_model::Value;
use bimetal_model::image::{ImageIndex, ImageSource};
use bimetal_model::lease::Lease;
use bimetal_model::port::{Remember as _, StateError};
use bimetal_model::snapshot::{Origin, Revision, RevisionOutcome, Source};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::leases::still_held;
use super::{MOST_TRIES, Opened, State, wait};
use crate::document;
use crate::key::random;
use crate::seal::Sealer;
use crate::store::{Commit, Committed, Expect, Row, Select, Table};
use crate::words::{LAST_REVISION, number_key, number_of};

/// Revisions without an origin that are passed over to find one that has it.
const MOST_LOOKED_AT: usize = 16;
/// The secret that goes into the names of contents.
const NAMING: &str = "names of contents";

/// A source, with the names of its files' contents in place of their texts.
#[derive(Serialize, Deserialize)]
struct Named {
    files: BTreeMap<String, String>,
    variables: BTreeMap<String, Value>,
    images: BTreeMap<ImageSource, ImageIndex>,
    providers: BTreeMap<String, Option<String>>,
    planned_ms: Option<u64>,
}

/// A source that is to be kept.
#[derive(Clone, Copy)]
struct Kept<'s> {
    source: &'s Source,
    /// What goes into the names of its contents.
    naming: &'s [u8],
}

impl State {
    /// Opens a revision; answers its number.
    pub(super) async fn begin_revision(
        &self,
        lease: &Lease,
        revision: Revision,
        source: Option<&Source>,
    ) -> Result<u64, StateError> {
        let naming = match self.opened().await?.sealer.has_key() {
            true => Some(self.naming().await?),
            false => None,
        };
        let kept = source.zip(naming.as_deref()).map(|(source, naming)| Kept { source, naming });
        for tries in 0..MOST_TRIES {
            let Some((opened, view)) = self.look(&begin_needs(lease, &revision, kept)).await? else {
                return Err(StateError::LeaseLost);
            };
            let mut answers = view.answers.into_iter();
            let mut next = || answers.next().unwrap_or_default();
            let (last, mine, plan) = (next(), next(), next());
            if mine.is_empty() {
                return Err(StateError::LeaseLost);
            }
            if let Some(done) = plan.first() {
                return Err(StateError::Replayed { revision: document::parse(&done.key, &done.value)? });
            }
            let known: Vec<String> = answers.flatten().map(|row| row.key).collect();
            let number = last.first().and_then(|row| row.value.parse::<u64>().ok()).unwrap_or(0) + 1;
            let mut commit = opening(&opened, lease, last.first(), number, &revision)?;
            if let Some(kept) = kept {
                write_source(&mut commit, &opened, number, kept, &known)?;
            }
            if let Committed::Done(_) = self.commit(&opened, commit).await? {
                self.belongs_to(lease, number);
                return Ok(number);
            }
            wait(tries).await;
        }
        Err(self.too_busy())
    }

    async fn naming(&self) -> Result<Vec<u8>, StateError> {
        self.keep_secret(NAMING, &random::<32>()?[..]).await
    }

    /// Closes a revision.
    pub(super) async fn finish_revision(
        &self,
        lease: &Lease,
        number: u64,
        outcome: RevisionOutcome,
    ) -> Result<(), StateError> {
        self.commit_leased(lease, |opened| {
            let mut commit = Commit::default();
            commit.put(Table::Outcomes, number_key(number), document::sign_outcome(&opened.sealer, number, outcome)?);
            Ok(commit)
        })
        .await
    }

    /// All revisions, newest first.
    pub(super) async fn all_revisions(&self) -> Result<Vec<Revision>, StateError> {
        self.read_revisions([Table::Revisions, Table::Outcomes].map(Select::All)).await
    }

    /// Newest first; revisions and outcomes are wanted.
    async fn read_revisions<S: DeserializeOwned>(&self, wanted: [Select; 2]) -> Result<Vec<Revision<S>>, StateError> {
        let Some((opened, view)) = self.look(&wanted).await? else { return Ok(Vec::new()) };
        let mut answers = view.answers.into_iter();
        let (rows, outcomes) = (answers.next().unwrap_or_default(), answers.next().unwrap_or_default());
        let outcomes: BTreeMap<String, String> = outcomes.into_iter().map(|row| (row.key, row.value)).collect();
        let read = |row: &Row| read(&opened.sealer, row, outcomes.get(&row.key));
        rows.iter().rev().map(read).collect::<Result<_, _>>().map_err(|error| self.told(error))
    }

    pub(super) async fn find_revision(&self, number: u64) -> Result<Option<Revision>, StateError> {
        Ok(self.read_revisions(wanted_of(number)).await?.into_iter().next())
    }

    /// One revision.
    pub async fn revision(&self, number: u64) -> Result<Revision, StateError> {
        let none = || StateError::NoRevision(format!("the state has no revision {number}"));
        self.find_revision(number).await?.ok_or_else(none)
    }

    /// The newest revision that knows which version of a configuration it was made from, and that version; those of long ago don't count.
    pub async fn last_with_origin<S: DeserializeOwned>(
        &self,
    ) -> Result<Option<(Box<Origin>, Revision<Option<S>>)>, StateError> {
        let found = self.look(&[Select::One(Table::Meta, LAST_REVISION.to_owned())]).await?;
        let rows = found.map(|(_, view)| view.answers.concat()).unwrap_or_default();
        let last = rows.first().and_then(|row| row.value.parse::<u64>().ok()).unwrap_or(0);
        for number in (1..=last).rev().take(MOST_LOOKED_AT) {
            let found = self.read_revisions(wanted_of(number)).await?.into_iter().next();
            if let Some((origin, revision)) = found.and_then(|found| Some((found.origin.clone()?, found))) {
                return Ok(Some((origin, revision)));
            }
        }
        Ok(None)
    }

    /// The revision that did a saved plan.
    pub async fn done(&self, plan: &str) -> Result<Option<u64>, StateError> {
        let found = self.look(&[Select::One(Table::Plans, plan.to_owned())]).await?;
        let rows = found.map(|(_, view)| view.answers.concat()).unwrap_or_default();
        rows.first().map(|row| document::parse(&row.key, &row.value)).transpose()
    }

    /// What a revision was made from; not all were made from a configuration, and where there was no key, it was not kept.
    pub async fn source(&self, number: u64) -> Result<Option<Source>, StateError> {
        self.read_source(number).await.map_err(|error| self.told(error))
    }

    async fn read_source(&self, number: u64) -> Result<Option<Source>, StateError> {
        let key = number_key(number);
        let Some((opened, view)) = self.look(&[Select::One(Table::Sources, key.clone())]).await? else {
            return Ok(None);
        };
        let rows = view.answers.concat();
        let Some(row) = rows.first() else { return Ok(None) };
        let text = document::open_bytes(&opened.sealer, "sources", &key, &row.value)?;
        let named: Named = document::parse(&key, &String::from_utf8_lossy(&text))?;
        let wanted = named.files.values().map(|name| Select::One(Table::Contents, name.clone()));
        let found = self.look(&wanted.collect::<Vec<_>>()).await?;
        let Some((opened, view)) = found else { return Ok(None) };
        let mut files = BTreeMap::new();
        for (file, rows) in named.files.into_keys().zip(view.answers) {
            let Some(Row { key, value, .. }) = rows.into_iter().next() else { continue };
            let text = document::open_bytes(&opened.sealer, "contents", &key, &value)?;
            files.insert(file, String::from_utf8_lossy(&text).into_owned());
        }
        let Named { variables, images, providers, planned_ms, .. } = named;
        Ok(Some(Source { files, variables, images, providers, planned_ms }))
    }
}

/// What is read of one revision.
fn wanted_of(number: u64) -> [Select; 2] {
    [Table::Revisions, Table::Outcomes].map(|table| Select::One(table, number_key(number)))
}

/// A revision, with how it ended, if it did.
fn read<S: DeserializeOwned>(sealer: &Sealer, row: &Row, outcome: Option<&String>) -> Result<Revision<S>, StateError> {
    let unknown = || StateError::Damaged(format!("`{}` is no number of a revision", row.key));
    let number = number_of(&row.key).ok_or_else(unknown)?;
    let outcome = outcome.map(|text| document::open_outcome(sealer, number, text)).transpose()?;
    Ok(Revision { outcome, ..document::open_revision(sealer, number, &row.value)? })
}

fn begin_needs(lease: &Lease, revision: &Revision, kept: Option<Kept<'_>>) -> Vec<Select> {
    let contents = kept.into_iter().flat_map(|kept| {
        let texts = kept.source.files.values();
        texts.map(move |text| Select::One(Table::Contents, content_name(kept.naming, text)))
    });
    let own = [
        Select::One(Table::Meta, LAST_REVISION.to_owned()),
        Select::One(Table::Leases, lease.0.clone()),
        Select::One(Table::Plans, revision.plan.clone().unwrap_or_default()),
    ];
    own.into_iter().chain(contents).collect()
}

fn opening(
    opened: &Opened,
    lease: &Lease,
    last: Option<&Row>,
    number: u64,
    revision: &Revision,
) -> Result<Commit, StateError> {
    let mut commit = Commit::default();
    let version = last.map_or(0, |row| row.version);
    commit.expect.push(Expect::Version(Table::Meta, LAST_REVISION.to_owned(), version));
    commit.expect.push(still_held(lease));
    commit.put(Table::Meta, LAST_REVISION, number.to_string());
    let revision = Revision { number, outcome: None, ..revision.clone() };
    commit.put(Table::Revisions, number_key(number), document::sign_revision(&opened.sealer, &revision)?);
    if let Some(plan) = revision.plan {
        commit.expect.push(Expect::Version(Table::Plans, plan.clone(), 0));
        commit.put(Table::Plans, plan, number.to_string());
    }
    Ok(commit)
}

fn write_source(
    commit: &mut Commit,
    opened: &Opened,
    number: u64,
    Kept { source, naming }: Kept<'_>,
    known: &[String],
) -> Result<(), StateError> {
    let mut named = BTreeMap::new();
    for (file, text) in &source.files {
        let name = content_name(naming, text);
        if !known.contains(&name) && !named.values().any(|other| *other == name) {
            let sealed = document::seal_bytes(&opened.sealer, "contents", &name, text.as_bytes())?;
            commit.put(Table::Contents, &name, sealed);
        }
        named.insert(file.clone(), name);
    }
    let Source { variables, images, providers, planned_ms, .. } = source.clone();
    let text = document::to_text(&Named { files: named, variables, images, providers, planned_ms })?;
    let key = number_key(number);
    let sealed = document::seal_bytes(&opened.sealer, "sources", &key, text.as_bytes())?;
    commit.put(Table::Sources, key, sealed);
    Ok(())
}

fn content_name(naming: &[u8], text: &str) -> String {
    let digest = Sha256::new().chain_update(naming).chain_update(text).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
