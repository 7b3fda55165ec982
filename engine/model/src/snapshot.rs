//! What state remembers: objects, unfinished intents, outputs, revisions.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::address::{Address, ProviderKey};
use crate::image::{ImageIndex, ImageSource};
use crate::lineage::Lineage;
use crate::placement::Placement;
use crate::value::Value;

/// Something that exists, as its provider sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// All attributes of its type.
    pub value: Value,
    /// Bytes that only the provider reads.
    #[serde(default)]
    pub private: Vec<u8>,
}

/// An object and what the engine knows about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// Whose it is.
    pub provider: ProviderKey,
    /// The provider's name for its type: the resource type, or the machine type, or the container runtime's.
    pub ty: String,
    /// Of the schema that `object.value` follows.
    pub schema_version: u64,
    /// The object.
    pub object: Object,
    /// What must outlive it.
    pub depends_on: Vec<Address>,
    /// For a replica: where it runs.
    pub placement: Option<Box<Placement>>,
    /// Half made: the next plan replaces it, or finishes it where `unfinished` says how.
    pub tainted: bool,
    /// The intent of a creation that has not ended, and the hash of what it was asked for.
    pub unfinished: Option<Box<Intent>>,
    /// The configuration wanted it protected when it was last planned: that holds though its block may be gone.
    #[serde(default)]
    pub prevent_destroy: bool,
}

/// Objects by address. They are shared: a snapshot, what is observed and a plan have the same ones.
pub type Objects = BTreeMap<Address, Arc<Stored>>;

/// The random id of an intent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IntentId(pub String);

/// What is about to be done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Make it.
    Create,
    /// Change it in place.
    Update,
    /// Remove it.
    Delete,
}

/// A promise, written before the effect: after a crash it says what may exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Stamped on what is made.
    pub id: IntentId,
    /// Of what.
    pub address: Address,
    /// By whom.
    pub provider: ProviderKey,
    /// The provider's name for its type.
    pub ty: String,
    /// What is to be done.
    pub effect: Effect,
    /// The arguments (`probe` gets them).
    pub config: Value,
    /// What must outlive the object.
    pub depends_on: Vec<Address>,
    /// For a replica: where it is to run.
    pub placement: Option<Box<Placement>>,
}

/// The whole state at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Which state it is of.
    pub lineage: Lineage,
    /// Of the commit that last changed any of it.
    pub serial: u64,
    /// What exists.
    pub objects: Objects,
    /// Serials of the commits that last wrote these objects; of one that does not exist it is 0.
    #[serde(default)]
    pub versions: BTreeMap<Address, u64>,
    /// Intents without an outcome.
    pub intents: Vec<Intent>,
    /// Of the last apply.
    pub outputs: BTreeMap<String, Value>,
}

impl Snapshot {
    /// Who made what exists, and what may exist.
    pub fn providers(&self) -> impl Iterator<Item = &ProviderKey> {
        let made = self.objects.values().map(|stored| &stored.provider);
        made.chain(self.intents.iter().map(|intent| &intent.provider))
    }
}

/// A version of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Where the repository comes from, without what might be a password.
    pub repository: Option<String>,
    /// The configuration's folder in it; empty for its root.
    pub folder: String,
    /// The commit: all of its digits.
    pub commit: String,
    /// The branch that was checked out.
    pub branch: Option<String>,
    /// The tag that the commit had then; that with the highest version, of several.
    pub tag: Option<String>,
    /// Whether there were changes that no commit has.
    pub dirty: bool,
}

/// A commit's id by as many digits as people tell it by.
pub fn short_commit(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

impl Origin {
    /// The commit, as people say it: `0123456789ab (v1.2.0, main), with changes that are not committed`.
    pub fn in_words(&self) -> String {
        let commit = short_commit(&self.commit);
        let names: Vec<&str> = [&self.tag, &self.branch].into_iter().flatten().map(String::as_str).collect();
        let names = if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        format!("{commit}{names}{}", if self.dirty { ", with changes that are not committed" } else { "" })
    }
}

/// Who changed the state, and what. `S` is its summary, or what somebody takes of that: it may be as large as the state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision<S = serde_json::Value> {
    /// Counts from 1.
    pub number: u64,
    /// `user@host`
    pub who: String,
    /// Milliseconds since 1970.
    pub started_ms: u64,
    /// Which version of the configuration it was made from, if that lies in a repository.
    #[serde(default)]
    pub origin: Option<Box<Origin>>,
    /// `bimetal apply`, `bimetal destroy`
    pub command: String,
    /// The evaluated changes, as the plan shows them, redacted.
    pub summary: S,
    /// The random id of the saved plan that it does: nobody does that plan again.
    #[serde(default)]
    pub plan: Option<String>,
    /// How it ended; absent while it runs, or when it was killed.
    pub outcome: Option<RevisionOutcome>,
}

/// What a revision was made from. It is kept sealed, and files once for all revisions that have them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// The configuration's text, by file.
    pub files: BTreeMap<String, String>,
    /// The variables' values, but for those that are ephemeral.
    pub variables: BTreeMap<String, Value>,
    /// What each image was resolved to.
    pub images: BTreeMap<ImageSource, ImageIndex>,
    /// The digests of providers that came from files.
    pub providers: BTreeMap<String, Option<String>>,
    /// When it was planned, in milliseconds since 1970.
    pub planned_ms: Option<u64>,
}

/// How an apply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RevisionOutcome {
    /// All done.
    Done,
    /// Nothing done.
    Failed,
    /// Some of it done.
    Partial,
    /// Stopped by a signal.
    Interrupted,
}
