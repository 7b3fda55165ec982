//! Who works on which part of the state.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::Address;

/// Who holds a lease, since when, for what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// `user@host`
    pub who: String,
    /// On that host.
    pub process: u32,
    /// `bimetal apply`
    pub command: String,
    /// Milliseconds since 1970.
    pub since_ms: u64,
}

/// Proof of holding a lease: its random id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease(pub String);

/// What a lease is on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// All that there is, and whatever will be.
    Everything,
    /// Some objects, whether they exist or not.
    Objects {
        /// Nobody else may rest on these.
        writes: BTreeSet<Address>,
        /// Nobody else may write these.
        reads: BTreeSet<Address>,
    },
}

/// A lease that somebody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub lease: Lease,
    /// Who, since when, for what.
    pub holder: Holder,
    /// On what.
    pub scope: Scope,
    /// When it ends unless it is renewed, in milliseconds since 1970.
    pub expires_ms: u64,
}

/// Why a lease can't be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// What is in the way.
    pub held: Held,
    /// What both want, and one of them to write it. Where it is none, one of them wants everything.
    pub both: Vec<Address>,
}

impl Scope {
    /// To write these, and to rely on those.
    pub fn of(writes: BTreeSet<Address>, reads: BTreeSet<Address>) -> Scope {
        let reads = reads.difference(&writes).cloned().collect();
        Scope::Objects { writes, reads }
    }

    /// Whether its holder may write this. What is deposed is its successor's business.
    pub fn may_write(&self, address: &Address) -> bool {
        match self {
            Scope::Everything => true,
            Scope::Objects { writes, .. } => writes.contains(address) || writes.contains(&address.present()),
        }
    }

    /// What stands against both scopes at one time; `None`: nothing.
    pub fn clash(&self, other: &Scope) -> Option<Vec<Address>> {
        let (Scope::Objects { writes, reads }, Scope::Objects { writes: theirs, reads: their_reads }) = (self, other)
        else {
            return Some(Vec::new());
        };
        let both =
            writes.intersection(theirs).chain(writes.intersection(their_reads)).chain(reads.intersection(theirs));
        let both: BTreeSet<&Address> = both.collect();
        (!both.is_empty()).then(|| both.into_iter().cloned().collect())
    }
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Holder { who, process, command, .. } = &self.held.holder;
        match &self.both[..] {
            [] => write!(f, "the state is locked")?,
            [only] => write!(f, "`{only}` is locked")?,
            [first, rest @ ..] => write!(f, "`{first}` and {} more are locked", rest.len())?,
        }
        write!(f, " by {who} (process {process}), running `{command}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(writes: &[&str], reads: &[&str]) -> Scope {
        let all = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect();
        Scope::of(all(writes), all(reads))
    }

    #[test]
    fn two_may_read_but_nobody_else_what_is_written() {
        let one = scope(&["a.a"], &["m.m"]);
        assert_eq!(one.clash(&scope(&["b.b"], &["m.m"])), None);
        assert_eq!(one.clash(&scope(&["m.m"], &[])).unwrap().len(), 1);
        assert_eq!(one.clash(&scope(&[], &["a.a"])).unwrap().len(), 1);
        assert_eq!(one.clash(&one).unwrap().len(), 1);
        assert_eq!(one.clash(&Scope::Everything), Some(vec![]));
    }

    #[test]
    fn what_is_only_read_must_not_be_written() {
        let scope = scope(&["a.a"], &["m.m"]);
        let may = |name: &str| scope.may_write(&name.parse().unwrap());
        assert!(may("a.a") && may("a.a.deposed[0]") && !may("m.m") && !may("x.x"));
    }
}
