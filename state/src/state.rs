//! The state: what rows mean, whatever store they are in.

mod changes;
mod doctor;
mod leases;
mod past;
mod rekey;
mod revisions;
mod secrets;
mod snapshot;
mod transfer;

pub use doctor::Finding;
pub use rekey::Rekey;
pub use transfer::{Document, Push};

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bimetal_model::Lineage;
use bimetal_model::lease::{Held, Holder, Lease, Scope};
use bimetal_model::port::{Edge, Record, Remember, StateError};
use bimetal_model::snapshot::{Intent, Revision, RevisionOutcome, Snapshot, Source};

use crate::key::{Bytes, Keys};
use crate::opening::{self, KeyRow, Unlocked};
use crate::seal::Sealer;
use crate::store::{Commit, Committed, Expect, Row, Select, Store, Table, View, joined};
use crate::words::{CHANGED, HISTORY_FROM, KEY, LAST_REVISION, LINEAGE, MOVED_TO, TIMELINE};
use leases::still_held;

/// How often a commit is tried again because somebody else was faster.
const MOST_TRIES: u32 = 100;

/// A state in a store.
pub struct State {
    pub(crate) store: Box<dyn Store>,
    keys: Keys,
    pub(crate) edge: Arc<dyn Edge>,
    opened: Mutex<Option<Opened>>,
    /// The leases that were taken here, and are not given back.
    mine: Mutex<BTreeMap<String, Mine>>,
}

/// A state that is open.
#[derive(Clone)]
pub(crate) struct Opened {
    pub(crate) sealer: Sealer,
    pub(crate) lineage: Lineage,
    /// What the state said of its key.
    row: KeyRow,
    /// Of that row, 0 where there is none: what is sealed is written only while that is the state's key.
    key_version: u64,
    /// Where it has an envelope.
    data: Option<Bytes>,
}

/// A lease of one's own.
#[derive(Clone)]
struct Mine {
    scope: Arc<Scope>,
    revision: Option<u64>,
}

/// What a place has to do with what exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No state is here, or one that knows of nothing.
    Unused,
    /// The state is here.
    InUse,
    /// It went to this place.
    MovedTo(String),
}

impl State {
    pub(crate) fn new(store: Box<dyn Store>, keys: Keys, edge: Arc<dyn Edge>) -> State {
        State { store, keys, edge, opened: Mutex::default(), mine: Mutex::default() }
    }

    /// Where it is, for people.
    pub fn place(&self) -> String {
        self.store.name()
    }

    /// Of the state that is here, whatever key it has; `None`: there is none.
    pub async fn lineage(&self) -> Result<Option<Lineage>, StateError> {
        let wanted = [LINEAGE, TIMELINE].map(|name| Select::One(Table::Meta, name.to_owned()));
        let answers = self.store.read(&wanted).await?.unwrap_or_default().answers;
        let mut values = answers.into_iter().map(|rows| rows.into_iter().next().map(|row| row.value));
        let (state, timeline) = (values.next().flatten(), values.next().flatten());
        Ok(state.map(|state| Lineage { state, timeline: timeline.unwrap_or_default() }))
    }

    /// Whether something is known here to exist, whatever key it is sealed with.
    pub async fn standing(&self) -> Result<Standing, StateError> {
        let wanted = [Select::Keys(Table::Objects), Select::One(Table::Meta, MOVED_TO.to_owned())];
        let mut answers = self.store.read(&wanted).await?.unwrap_or_default().answers.into_iter();
        let (objects, moved) = (answers.next().unwrap_or_default(), answers.next().unwrap_or_default());
        Ok(match moved.into_iter().next() {
            _ if objects.is_empty() => Standing::Unused,
            Some(moved) => Standing::MovedTo(moved.value),
            None => Standing::InUse,
        })
    }

    /// Whether what is sensitive can be stored: the state has a key, or gets one with the next lease.
    pub async fn can_seal(&self) -> Result<bool, StateError> {
        let has_key = self.look(&[]).await?.is_some_and(|(opened, _)| opened.sealer.has_key());
        Ok(has_key || !self.keys.seal.is_empty())
    }

    /// Copies the state as it is now beside it, unless that was done already. `None`: there is nothing to copy, or copies are the
    /// business of what keeps it, as of a database server.
    pub async fn back_up(&self) -> Result<Option<PathBuf>, StateError> {
        self.store.back_up().await
    }

    /// Reads, if there is a state, everything as of one moment.
    pub(crate) async fn look(&self, wanted: &[Select]) -> Result<Option<(Opened, View)>, StateError> {
        let own = [LINEAGE, TIMELINE, KEY, MOVED_TO].map(|name| Select::One(Table::Meta, name.to_owned()));
        let all: Vec<Select> = wanted.iter().cloned().chain(own).collect();
        let Some(mut view) = self.store.read(&all).await? else { return Ok(None) };
        let mut own = view.answers.split_off(wanted.len()).into_iter().map(|rows| rows.into_iter().next());
        let mut next = || own.next().flatten();
        let (state, timeline, key, moved) = (next(), next(), next(), next());
        if let Some(Row { value, .. }) = moved {
            let reason = format!("the state that was here is in {value} now");
            return Err(StateError::Store { store: self.place(), reason });
        }
        // The first commit writes it, and nothing removes it.
        let Some(Row { value: state, .. }) = state else {
            return Err(self.told(StateError::Damaged("it does not say any more which state it is".to_owned())));
        };
        let lineage = Lineage { state, timeline: timeline.map(|row| row.value).unwrap_or_default() };
        let opened = self.open_with(lineage, key).await.map_err(|error| self.told(error))?;
        Ok(Some((opened, view)))
    }

    /// The state, opened with what it says of its key, or with what is known of that already.
    async fn open_with(&self, lineage: Lineage, key: Option<Row>) -> Result<Opened, StateError> {
        let key_version = key.as_ref().map_or(0, |row| row.version);
        let row = KeyRow::parse(key.as_ref().map(|row| &*row.value))?;
        let is_same = |opened: &Opened| opened.key_version == key_version && opened.row == row;
        let known = self.known().filter(|opened| is_same(opened) && opened.lineage == lineage);
        if let Some(opened) = known {
            return Ok(opened);
        }
        let (keys, realm) = (self.keys.clone(), lineage.state.clone());
        let Unlocked { row, sealer, data } = self.apart(move || opening::open(row, &keys, &realm)).await?;
        let new = Opened { sealer, lineage, row, key_version, data };
        self.remember(new.clone());
        Ok(new)
    }

    fn known(&self) -> Option<Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remember(&self, opened: Opened) {
        *self.opened.lock().unwrap_or_else(PoisonError::into_inner) = Some(opened);
    }

    /// What takes its time, away from those who wait for other things: a key may.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, StateError> + Send + 'static,
    ) -> Result<T, StateError> {
        joined(&self.place(), tokio::task::spawn_blocking(work).await)?
    }

    /// The error with what is damaged, and where a sound copy of it is.
    fn told(&self, error: StateError) -> StateError {
        match error {
            StateError::Damaged(reason) => {
                StateError::Damaged(format!("`{}`: {reason}; {}", self.place(), self.store.copies()))
            }
            other => other,
        }
    }

    /// The state, which is made if there is none yet.
    pub(crate) async fn opened_or_new(&self) -> Result<Opened, StateError> {
        loop {
            if let Some((opened, _)) = self.look(&[]).await? {
                return Ok(opened);
            }
            let lineage = Lineage { state: self.edge.new_id(), timeline: String::new() };
            let key = match self.keys.seal.is_empty() {
                true => None,
                false => {
                    let (keys, realm) = (self.keys.clone(), lineage.state.clone());
                    self.apart(move || opening::with_new_key(&keys, &realm)).await?.row.to_text()
                }
            };
            self.store.commit(&self.first_commit(&lineage, key)).await?;
        }
    }

    /// What makes a state, where there is none.
    fn first_commit(&self, lineage: &Lineage, key: Option<String>) -> Commit {
        let mut commit = Commit { id: self.edge.new_id(), ..Commit::default() };
        commit.expect.push(Expect::Version(Table::Meta, LINEAGE.to_owned(), 0));
        let rows = [(LINEAGE, &*lineage.state), (CHANGED, ""), (LAST_REVISION, "0"), (HISTORY_FROM, "0")];
        rows.into_iter().for_each(|(name, value)| commit.put(Table::Meta, name, value));
        let timeline = Some(lineage.timeline.clone()).filter(|timeline| !timeline.is_empty());
        for (name, value) in [(TIMELINE, timeline), (KEY, key)] {
            if let Some(value) = value {
                commit.put(Table::Meta, name, value);
            }
        }
        commit
    }

    /// As it was opened last, without looking whether that is so still.
    async fn opened(&self) -> Result<Opened, StateError> {
        match self.known() {
            Some(opened) => Ok(opened),
            None => self.opened_or_new().await,
        }
    }

    /// Writes with the key that it was opened with, or not at all.
    pub(crate) async fn commit(&self, opened: &Opened, mut commit: Commit) -> Result<Committed, StateError> {
        commit.id = self.edge.new_id();
        commit.expect.push(Expect::Version(Table::Meta, KEY.to_owned(), opened.key_version));
        self.store.commit(&commit).await
    }

    /// Writes for the holder of a lease. What `build` expects is about what nobody else writes.
    async fn commit_leased(
        &self,
        lease: &Lease,
        build: impl Fn(&Opened) -> Result<Commit, StateError>,
    ) -> Result<(), StateError> {
        for tries in 0..MOST_TRIES {
            let opened = self.opened().await?;
            let mut commit = build(&opened)?;
            commit.expect.push(still_held(lease));
            if let Committed::Done(_) = self.commit(&opened, commit).await? {
                return Ok(());
            }
            // Where somebody gave it another key, it is opened with that here.
            let found = self.look(&[Select::One(Table::Leases, lease.0.clone())]).await?;
            if found.is_none_or(|(_, view)| view.answers.concat().is_empty()) {
                return Err(StateError::LeaseLost);
            }
            wait(tries).await;
        }
        Err(self.too_busy())
    }

    fn too_busy(&self) -> StateError {
        StateError::Store { store: self.place(), reason: "others write all the time".to_owned() }
    }
}

/// Who was slower waits a little, each time longer.
pub(crate) async fn wait(tries: u32) {
    tokio::time::sleep(Duration::from_millis(u64::from(tries.min(20)) * 5)).await;
}

#[async_trait]
impl Remember for State {
    async fn load(&self) -> Result<Snapshot, StateError> {
        self.load_snapshot().await
    }

    async fn serial(&self) -> Result<u64, StateError> {
        let changed = self.look(&[Select::One(Table::Meta, CHANGED.to_owned())]).await?;
        Ok(changed.and_then(|(_, view)| view.answers.concat().first().map(|row| row.version)).unwrap_or(0))
    }

    async fn lock(&self, holder: &Holder, scope: &Scope) -> Result<Lease, StateError> {
        let lease = self.take_lease(holder, scope).await?;
        self.give_key(&lease).await?;
        Ok(lease)
    }

    async fn renew(&self, lease: &Lease) -> Result<(), StateError> {
        self.renew_lease(lease).await
    }

    async fn unlock(&self, lease: Lease) -> Result<(), StateError> {
        self.give_back(&lease).await
    }

    async fn leases(&self) -> Result<Vec<Held>, StateError> {
        self.living_leases().await
    }

    async fn begin(&self, lease: &Lease, revision: Revision, source: Option<&Source>) -> Result<u64, StateError> {
        self.begin_revision(lease, revision, source).await
    }

    async fn intend(&self, lease: &Lease, intents: &[Intent]) -> Result<(), StateError> {
        self.promise(lease, intents).await
    }

    async fn record(&self, lease: &Lease, records: Vec<Record>) -> Result<(), StateError> {
        self.write_down(lease, &records).await
    }

    async fn finish(&self, lease: &Lease, revision: u64, outcome: RevisionOutcome) -> Result<(), StateError> {
        self.finish_revision(lease, revision, outcome).await
    }

    async fn revisions(&self) -> Result<Vec<Revision>, StateError> {
        self.all_revisions().await
    }

    async fn secret(&self, name: &str) -> Result<Option<Vec<u8>>, StateError> {
        self.read_secret(name).await
    }

    async fn keep_secret(&self, name: &str, secret: &[u8]) -> Result<Vec<u8>, StateError> {
        self.keep_first_secret(name, secret).await
    }
}
