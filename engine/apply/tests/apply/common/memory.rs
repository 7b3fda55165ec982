//! A state in memory that keeps the port's promises.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bimetal_model::Address;
use bimetal_model::lease::{Held, Holder, Lease, Scope};
use bimetal_model::port::{Record, Remember, StateError};
use bimetal_model::snapshot::{Effect, Intent, IntentId, Revision, RevisionOutcome, Snapshot, Source};

use super::fuse::Fuse;
use super::world::Journal;

/// A state in memory.
pub struct Memory {
    snapshot: Mutex<Snapshot>,
    fuse: Arc<Fuse>,
    journal: Arc<Journal>,
    /// So many writes are left before the store fails.
    writes_left: Mutex<Option<usize>>,
    /// What may be written, once somebody took a lease.
    scope: Mutex<Option<Scope>>,
    /// How long a write takes.
    takes: Mutex<Duration>,
    commits: AtomicUsize,
}

impl Memory {
    pub fn new(fuse: Arc<Fuse>, journal: Arc<Journal>) -> Memory {
        let snapshot = Snapshot { lineage: "l".to_owned().into(), ..Snapshot::default() };
        Memory {
            snapshot: Mutex::new(snapshot),
            fuse,
            journal,
            writes_left: Mutex::new(None),
            scope: Mutex::new(None),
            takes: Mutex::default(),
            commits: AtomicUsize::new(0),
        }
    }

    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.lock().unwrap().clone()
    }

    /// Changes what is remembered behind everybody's back.
    pub fn tamper<T>(&self, act: impl FnOnce(&mut Snapshot) -> T) -> T {
        act(&mut self.snapshot.lock().unwrap())
    }

    /// After so many writes the store fails.
    pub fn fail_after(&self, writes: usize) {
        *self.writes_left.lock().unwrap() = Some(writes);
    }

    /// Each write takes so long.
    pub fn writes_take(&self, takes: Duration) {
        *self.takes.lock().unwrap() = takes;
    }

    /// How many transactions there were.
    pub fn commits(&self) -> usize {
        self.commits.load(Ordering::Relaxed)
    }

    /// Whether this was promised and is still open.
    pub fn is_promised(&self, address: &Address, effect: Effect, id: Option<&IntentId>) -> bool {
        let is_it = |intent: &Intent| {
            &intent.address == address && intent.effect == effect && id.is_none_or(|id| intent.id == *id)
        };
        self.snapshot.lock().unwrap().intents.iter().any(is_it)
    }

    fn check_leased(&self, address: &Address) {
        let scope = self.scope.lock().unwrap();
        assert!(scope.as_ref().is_some_and(|scope| scope.may_write(address)), "{address} is written without a lease");
    }

    async fn write(&self, act: impl FnOnce(&mut Snapshot)) -> Result<(), StateError> {
        let takes = *self.takes.lock().unwrap();
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.fuse.moment().await;
        if let Some(left) = &mut *self.writes_left.lock().unwrap() {
            let Some(fewer) = left.checked_sub(1) else {
                return Err(StateError::Store { store: "memory".to_owned(), reason: "the disk is full".to_owned() });
            };
            *left = fewer;
        }
        self.tamper(|snapshot| {
            act(snapshot);
            snapshot.serial += 1;
            // As text and back, as a store does.
            *snapshot = serde_json::from_str(&serde_json::to_string(snapshot).unwrap()).unwrap();
        });
        self.fuse.moment().await;
        Ok(())
    }
}

fn promise(snapshot: &mut Snapshot, intent: &Intent) {
    match snapshot.intents.iter_mut().find(|open| open.id == intent.id) {
        Some(open) => *open = intent.clone(),
        None => snapshot.intents.push(intent.clone()),
    }
}

fn write_down(snapshot: &mut Snapshot, record: Record) {
    let mut close = |id: Option<IntentId>| snapshot.intents.retain(|intent| Some(&intent.id) != id.as_ref());
    match record {
        Record::Put { address, stored, closes } => {
            close(closes);
            snapshot.versions.insert(address.clone(), snapshot.serial + 1);
            snapshot.objects.insert(address, stored);
        }
        Record::Remove { address, closes } => {
            close(closes);
            snapshot.versions.remove(&address);
            snapshot.objects.remove(&address);
        }
        Record::Close(id) => close(Some(id)),
        Record::Output { name, value: Some(value) } => drop(snapshot.outputs.insert(name, value)),
        Record::Output { name, value: None } => drop(snapshot.outputs.remove(&name)),
    }
}

fn written(record: &Record) -> Option<&Address> {
    match record {
        Record::Put { address, .. } | Record::Remove { address, .. } => Some(address),
        Record::Close(_) | Record::Output { .. } => None,
    }
}

fn line(record: &Record) -> String {
    match record {
        Record::Put { address, stored, closes } => {
            let word = if stored.unfinished.is_some() { "put unfinished" } else { "put" };
            format!("{word} {address}{}", if closes.is_some() { ", closing" } else { "" })
        }
        Record::Remove { address, .. } => format!("forget {address}"),
        Record::Close(_) => "close".to_owned(),
        Record::Output { name, .. } => format!("put output {name}"),
    }
}

#[async_trait]
impl Remember for Memory {
    async fn load(&self) -> Result<Snapshot, StateError> {
        Ok(self.snapshot())
    }
    async fn serial(&self) -> Result<u64, StateError> {
        Ok(self.snapshot().serial)
    }
    async fn leases(&self) -> Result<Vec<Held>, StateError> {
        Ok(Vec::new())
    }
    async fn lock(&self, _: &Holder, scope: &Scope) -> Result<Lease, StateError> {
        *self.scope.lock().unwrap() = Some(scope.clone());
        Ok(Lease("lease".to_owned()))
    }
    async fn renew(&self, _: &Lease) -> Result<(), StateError> {
        Ok(())
    }
    async fn unlock(&self, _: Lease) -> Result<(), StateError> {
        Ok(())
    }
    async fn begin(&self, _: &Lease, _: Revision, _: Option<&Source>) -> Result<u64, StateError> {
        Ok(1)
    }
    async fn intend(&self, _: &Lease, intents: &[Intent]) -> Result<(), StateError> {
        intents.iter().for_each(|intent| self.check_leased(&intent.address));
        let lines = || intents.iter().map(|intent| format!("intend {:?} {}", intent.effect, intent.address));
        let written = self.write(|snapshot| intents.iter().for_each(|intent| promise(snapshot, intent))).await;
        lines().for_each(|line| self.journal.write(line.to_lowercase()));
        written
    }
    async fn record(&self, _: &Lease, records: Vec<Record>) -> Result<(), StateError> {
        records.iter().filter_map(written).for_each(|address| self.check_leased(address));
        let lines: Vec<String> = records.iter().map(line).collect();
        let act = |snapshot: &mut Snapshot| records.into_iter().for_each(|record| write_down(snapshot, record));
        self.write(act).await?;
        lines.into_iter().for_each(|line| self.journal.write(line));
        Ok(())
    }
    async fn finish(&self, _: &Lease, _: u64, _: RevisionOutcome) -> Result<(), StateError> {
        Ok(())
    }
    async fn revisions(&self) -> Result<Vec<Revision>, StateError> {
        Ok(Vec::new())
    }
    async fn secret(&self, _: &str) -> Result<Option<Vec<u8>>, StateError> {
        Ok(None)
    }
    async fn keep_secret(&self, _: &str, secret: &[u8]) -> Result<Vec<u8>, StateError> {
        Ok(secret.to_vec())
    }
}
