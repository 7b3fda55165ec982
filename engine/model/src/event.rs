//! What happens while something runs. Only `cli` draws it.

use serde::Serialize;

use crate::address::Address;
use crate::diagnostic::Diagnostic;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// So many effects will be done, unless something fails.
    Begun {
        /// A replacement is two.
        effects: usize,
    },
    /// Work on an object begins: `creating`, `reading`, ….
    Started {
        /// The object.
        address: Address,
        /// What is done: `create`, `update`, `delete`, `read`.
        action: &'static str,
    },
    /// The provider says how far it is.
    Progress {
        /// The object.
        address: Address,
        /// For people.
        message: String,
        /// Of `total`.
        done: Option<u64>,
        /// In the unit that `message` speaks of.
        total: Option<u64>,
    },
    /// Work on an object ended well.
    Finished {
        /// The object.
        address: Address,
        /// As in `Started`.
        action: &'static str,
    },
    /// Work on an object failed.
    Failed {
        /// The object.
        address: Address,
        /// As in `Started`.
        action: &'static str,
        /// Why.
        diagnostics: Vec<Diagnostic>,
    },
    /// Work on an object ended without an answer: the provider can't say yet, and the next apply asks again.
    Deferred {
        /// The object.
        address: Address,
        /// As in `Started`.
        action: &'static str,
        /// Why.
        because: String,
    },
    /// Nothing was done because something else failed, or was deferred.
    Skipped {
        /// The object.
        address: Address,
        /// What failed.
        because: Address,
    },
    /// A machine failed, as its pool allows: what is to be done there is left out.
    Degraded {
        /// The machine.
        machine: Address,
        /// Why.
        because: String,
    },
    /// The host is busy with something that is no object's: compiling a provider, resolving an image.
    Busy {
        /// For people.
        message: String,
    },
}

/// Where events go. Called from many tasks at once; must not block.
pub trait Notify: Send + Sync {
    /// Takes one.
    fn notify(&self, event: Event);
}

/// Events go nowhere.
pub struct Silent;

impl Notify for Silent {
    fn notify(&self, _: Event) {}
}
