//! Leases: a row that says who has it and on what, and one that says until when.
//!
//! The rows are the authority: every write of a holder's expects to find the first. One that ran out still counts until
//! somebody else wants what it is on.

use std::sync::{Arc, PoisonError};

use bimetal_model::lease::{Clash, Held, Holder, Lease, Scope};
use bimetal_model::port::StateError;
use serde::{Deserialize, Serialize};

use super::{MOST_TRIES, Mine, State, wait};
use crate::document;
use crate::origin::Origin;
use crate::store::{Commit, Committed, Expect, Row, Select, Table, View};
use crate::words::LEASED;

/// How long a lease lasts unless it is renewed.
const LASTS_MS: u64 = 60_000;

/// The row of a lease.
#[derive(Serialize, Deserialize)]
struct Entry {
    holder: Holder,
    scope: Scope,
    origin: Option<Origin>,
}

/// All leases.
pub(super) struct Leases {
    pub(super) living: Vec<Held>,
    /// They ran out, or their holders are dead.
    pub(super) over: Vec<Held>,
}

/// A lease that was found.
struct Found {
    held: Held,
    /// Of the row that says until when.
    renewed: u64,
    /// Its holder is certainly dead.
    is_dead: bool,
}

impl Found {
    fn is_over(&self, now: u64) -> bool {
        self.is_dead || now >= self.held.expires_ms
    }
}

impl State {
    /// Takes a lease: when no other clashes with it, or those that do ran out, or their holders are dead.
    pub(super) async fn take_lease(&self, holder: &Holder, scope: &Scope) -> Result<Lease, StateError> {
        let lease = Lease(self.edge.new_id());
        for tries in 0..MOST_TRIES {
            let opened = self.opened_or_new().await?;
            let Some((found, guard)) = self.find_leases().await? else { continue };
            let mut commit = self.entry(&lease, holder, scope, guard)?;
            let now = self.edge.now_ms();
            for other in found {
                let both = other.held.scope.clash(scope);
                match (other.is_over(now), both) {
                    (false, Some(both)) => return Err(StateError::Locked(Box::new(Clash { held: other.held, both }))),
                    (true, Some(_)) => end(&mut commit, &other),
                    (_, None) if other.is_dead => end(&mut commit, &other),
                    (_, None) => {}
                }
            }
            if let Committed::Done(_) = self.commit(&opened, commit).await? {
                let mine = Mine { scope: Arc::new(scope.clone()), revision: None };
                self.mine.lock().unwrap_or_else(PoisonError::into_inner).insert(lease.0.clone(), mine);
                return Ok(lease);
            }
            wait(tries).await;
        }
        Err(self.too_busy())
    }

    fn entry(&self, lease: &Lease, holder: &Holder, scope: &Scope, guard: u64) -> Result<Commit, StateError> {
        let entry = Entry { holder: holder.clone(), scope: scope.clone(), origin: Origin::here() };
        let mut commit = Commit::default();
        commit.expect.push(Expect::Version(Table::Meta, LEASED.to_owned(), guard));
        commit.put(Table::Meta, LEASED, "");
        commit.put(Table::Leases, &lease.0, document::to_text(&entry)?);
        commit.put(Table::Renewals, &lease.0, self.expiry());
        Ok(commit)
    }

    fn expiry(&self) -> String {
        self.edge.now_ms().saturating_add(LASTS_MS).to_string()
    }

    /// All leases, and the version of what everyone writes who takes one. Needs no key.
    async fn find_leases(&self) -> Result<Option<(Vec<Found>, u64)>, StateError> {
        let guard = Select::One(Table::Meta, LEASED.to_owned());
        let wanted = [Select::All(Table::Leases), Select::All(Table::Renewals), guard];
        let Some(View { answers, .. }) = self.store.read(&wanted).await? else { return Ok(None) };
        let mut answers = answers.into_iter();
        let mut next = || answers.next().unwrap_or_default();
        let (leases, renewals, guard) = (next(), next(), next());
        let here = Origin::here();
        let found = leases.into_iter().map(|row| {
            let renewal = renewals.iter().find(|renewal| renewal.key == row.key);
            found(row, renewal, here.as_ref())
        });
        let found = found.collect::<Result<_, _>>().map_err(|error| self.told(error))?;
        Ok(Some((found, guard.first().map_or(0, |row| row.version))))
    }

    /// Those that count, and those that are over and still there.
    pub(super) async fn all_leases(&self) -> Result<Leases, StateError> {
        let (found, now) = (self.find_leases().await?, self.edge.now_ms());
        let found = found.map(|(found, _)| found).unwrap_or_default();
        let (over, living): (Vec<Found>, Vec<Found>) = found.into_iter().partition(|found| found.is_over(now));
        let held = |found: Vec<Found>| found.into_iter().map(|found| found.held).collect();
        Ok(Leases { living: held(living), over: held(over) })
    }

    pub(super) async fn living_leases(&self) -> Result<Vec<Held>, StateError> {
        Ok(self.all_leases().await?.living)
    }

    /// Makes the lease last longer.
    pub(super) async fn renew_lease(&self, lease: &Lease) -> Result<(), StateError> {
        self.commit_leased(lease, |_| {
            let mut commit = Commit::default();
            commit.put(Table::Renewals, &lease.0, self.expiry());
            Ok(commit)
        })
        .await
    }

    /// Gives the lease back.
    pub(super) async fn give_back(&self, lease: &Lease) -> Result<(), StateError> {
        let given = self.commit_leased(lease, |_| {
            let mut commit = Commit::default();
            commit.remove(Table::Leases, &lease.0);
            commit.remove(Table::Renewals, &lease.0);
            Ok(commit)
        });
        let given = given.await;
        if let Ok(()) | Err(StateError::LeaseLost) = given {
            self.mine.lock().unwrap_or_else(PoisonError::into_inner).remove(&lease.0);
        }
        given
    }

    /// Takes leases from whoever has them; what they write from then on is refused. Needs no key.
    pub async fn force_unlock(&self, leases: &[Lease]) -> Result<(), StateError> {
        if leases.is_empty() {
            return Ok(());
        }
        let mut commit = Commit { id: self.edge.new_id(), ..Commit::default() };
        for lease in leases {
            commit.remove(Table::Leases, &lease.0);
            commit.remove(Table::Renewals, &lease.0);
        }
        self.store.commit(&commit).await.map(drop)
    }

    /// What is known here of a lease that was taken here.
    pub(super) fn mine(&self, lease: &Lease) -> Result<Mine, StateError> {
        let mine = self.mine.lock().unwrap_or_else(PoisonError::into_inner);
        mine.get(&lease.0).cloned().ok_or(StateError::LeaseLost)
    }

    /// What its holder writes from now on is this revision's.
    pub(super) fn belongs_to(&self, lease: &Lease, revision: u64) {
        if let Some(mine) = self.mine.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&lease.0) {
            mine.revision = Some(revision);
        }
    }
}

fn found(row: Row, renewal: Option<&Row>, here: Option<&Origin>) -> Result<Found, StateError> {
    let entry: Entry = document::parse(&row.key, &row.value)?;
    let expires_ms = renewal.and_then(|row| row.value.parse().ok()).unwrap_or(0);
    let held = Held { lease: Lease(row.key), holder: entry.holder, scope: entry.scope, expires_ms };
    let is_dead = entry.origin.is_some_and(|origin| origin.is_gone(here));
    Ok(Found { held, renewed: renewal.map_or(0, |row| row.version), is_dead })
}

/// Nobody has taken the lease over. Its entry is gone with its renewal, and may name 100 000 objects: SQLite reads a row whole to compare
/// its key, and each commit asks this.
pub(super) fn still_held(lease: &Lease) -> Expect {
    Expect::There(Table::Renewals, lease.0.clone())
}

/// A lease is taken over, unless it was renewed meanwhile.
fn end(commit: &mut Commit, other: &Found) {
    let id = &other.held.lease.0;
    commit.expect.push(Expect::Version(Table::Renewals, id.clone(), other.renewed));
    commit.remove(Table::Leases, id);
    commit.remove(Table::Renewals, id);
}
