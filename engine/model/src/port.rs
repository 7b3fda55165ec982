//! The ports to the world. `host` implements `Functions`, `Predict`, `Operate` and `Lend`, `state` implements `Remember`.
//!
//! Invariant: `Functions` and `Predict` are synchronous and can't reach the world; whoever holds nothing else can't either.

use std::sync::Arc;

use async_trait::async_trait;

use crate::address::{Address, ProviderKey, ProviderName};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::image::{ImageIndex, ImageSource};
use crate::lease::{Clash, Held, Holder, Lease, Scope};
use crate::path::Path;
use crate::schema::ProviderSchema;
use crate::snapshot::{Intent, IntentId, Object, Revision, RevisionOutcome, Snapshot, Source, Stored};
use crate::value::Value;

/// Functions that providers export.
pub trait Functions: Send + Sync {
    /// What a provider offers.
    fn functions(&self, provider: &ProviderName) -> Result<Arc<ProviderSchema>, Diagnostics>;
    /// What a function gives for an object of its arguments, which are wholly known and fit its schema.
    ///
    /// The value is of the schema's type. The path of a diagnostic begins with the parameter that is to blame.
    fn call(&self, provider: &ProviderName, function: &str, arguments: &Value) -> Result<Value, Diagnostics>;
}

/// One object that a plan is wanted for.
#[derive(Clone, Debug)]
pub struct PlanRequest {
    /// Of what.
    pub address: Address,
    /// The provider's name for its type.
    pub ty: String,
    /// What exists.
    pub prior: Option<Object>,
    /// What the user wrote, of the schema's type, `null` where nothing was written.
    pub config: Value,
    /// `config` with `prior` filled in where the schema says computed.
    pub proposed: Value,
}

/// What a provider says an object will be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// With unknowns where only the effect will tell.
    pub value: Value,
    /// Differences that can't be made in place.
    pub replace: Vec<Path>,
    /// For the effect call.
    pub private: Vec<u8>,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It failed.
    Failed(Diagnostics),
    /// Not yet, for this reason: the rest goes on without it.
    Deferred(String),
}

impl From<Diagnostics> for Refusal {
    fn from(diagnostics: Diagnostics) -> Self {
        Refusal::Failed(diagnostics)
    }
}

impl Refusal {
    /// What is said of it where the rest can't go on without an answer.
    pub fn diagnostics(self) -> Diagnostics {
        match self {
            Refusal::Failed(diagnostics) => diagnostics,
            Refusal::Deferred(reason) => vec![Diagnostic::error("this can't be said yet").because(reason)],
        }
    }

    /// With the object that it is about.
    #[must_use]
    pub fn of(self, address: &Address) -> Self {
        match self {
            Refusal::Failed(said) => Refusal::Failed(said.into_iter().map(|one| one.of(address)).collect()),
            Refusal::Deferred(reason) => Refusal::Deferred(reason),
        }
    }
}

/// An object of another type, which a `moved` block makes one of this.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// Whose it was.
    pub provider: ProviderName,
    /// That provider's name for its type.
    pub ty: String,
    /// Of the schema that it follows.
    pub version: u64,
    /// As it is.
    pub object: Object,
}

/// The arguments of an object, to be looked at.
#[derive(Clone, Debug)]
pub struct ValidateRequest {
    /// Of what.
    pub address: Address,
    /// The provider's name for its type.
    pub ty: String,
    /// The arguments, with what is unknown by now.
    pub config: Value,
}

/// Pure answers of providers.
pub trait Predict: Send + Sync {
    /// The providers that this run knows.
    fn providers(&self) -> Vec<ProviderName>;
    /// What a provider offers.
    fn schema(&self, provider: &ProviderName) -> Result<Arc<ProviderSchema>, Diagnostics>;
    /// What is wrong with each configuration, beyond its types; as many answers as requests, in their order.
    fn validate(&self, provider: &ProviderName, requests: &[ValidateRequest]) -> Vec<Diagnostics>;
    /// What each object will be; as many answers as requests, in their order.
    fn plan(&self, provider: &ProviderName, requests: &[PlanRequest]) -> Vec<Result<Planned, Refusal>>;
    /// A stored value brought to the schema's present version.
    fn upgrade(&self, provider: &ProviderName, ty: &str, version: u64, stored: &Value) -> Result<Value, Diagnostics>;
    /// An object of a type that the schema says this one adopts, as one of this type.
    fn adopt(&self, provider: &ProviderName, ty: &str, source: &Foreign) -> Result<Object, Diagnostics>;
}

/// One object to be made.
#[derive(Clone, Debug)]
pub struct CreateRequest {
    /// Of what.
    pub address: Address,
    /// Stamped on what is made.
    pub intent: IntentId,
    /// Wholly known.
    pub config: Value,
    /// As planned, with unknowns where only the effect will tell.
    pub planned: Planned,
    /// What an earlier call with this intent reported.
    pub so_far: Option<Object>,
}

/// One object to be changed in place.
#[derive(Clone, Debug)]
pub struct UpdateRequest {
    /// Of what.
    pub address: Address,
    /// What exists.
    pub prior: Object,
    /// Wholly known.
    pub config: Value,
    /// As planned.
    pub planned: Planned,
}

/// How a create or update call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is there.
    Done(Object),
    /// Not yet: call again.
    Retry {
        /// In how many milliseconds.
        after_ms: u64,
        /// For people: `waiting for cloud-init`.
        reason: String,
        /// What exists by now.
        so_far: Option<Object>,
    },
    /// It failed; what exists counts all the same.
    Failed {
        /// Why.
        diagnostics: Diagnostics,
        /// What exists by now.
        so_far: Option<Object>,
    },
}

/// How a delete call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// It is gone.
    Done,
    /// Not yet: call again.
    Retry {
        /// In how many milliseconds.
        after_ms: u64,
        /// For people.
        reason: String,
    },
    /// It failed.
    Failed(Diagnostics),
}

/// Calls of providers that look at the world or change it, and the registries.
///
/// Every failure names provider, version and object.
#[async_trait]
pub trait Operate: Send + Sync {
    /// The arguments of a provider block, wholly known; must come before any other call for that key.
    fn configure(&self, provider: &ProviderKey, config: &Value);
    /// What exists now; `None`: it is gone. As many answers as objects, in their order.
    async fn read(
        &self,
        provider: &ProviderKey,
        ty: &str,
        objects: &[(Address, Object)],
    ) -> Vec<Result<Option<Object>, Refusal>>;
    /// What became of these intents.
    async fn probe(
        &self,
        provider: &ProviderKey,
        ty: &str,
        intents: &[Intent],
    ) -> Vec<Result<Option<Object>, Diagnostics>>;
    /// The facts of a machine: an object with `platform` and, where known, `cpus`, `memory`, `labels`.
    async fn discover(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        config: &Value,
    ) -> Result<Value, Diagnostics>;
    /// What a data source answers.
    async fn read_data(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        config: &Value,
    ) -> Result<Value, Refusal>;
    /// What exists that the provider knows by this id, as these arguments would describe it.
    async fn import(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        id: &str,
        config: &Value,
    ) -> Result<Object, Diagnostics>;
    /// Makes objects; as many answers as requests, in their order.
    async fn create(&self, provider: &ProviderKey, ty: &str, requests: Vec<CreateRequest>) -> Vec<Outcome>;
    /// Changes an object in place.
    async fn update(&self, provider: &ProviderKey, ty: &str, request: UpdateRequest) -> Outcome;
    /// Removes an object; one that is gone already counts as removed.
    async fn delete(&self, provider: &ProviderKey, ty: &str, address: &Address, object: Object) -> Deletion;
    /// What an image's source offers for each platform.
    async fn image(&self, source: &ImageSource) -> Result<ImageIndex, Diagnostics>;
    /// Lets providers use these images: a source that was never named here is refused.
    fn allow_images(&self, sources: &[ImageSource]);
}

/// Something ephemeral that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The arguments with what the provider fills in, all of it ephemeral.
    pub value: Value,
    /// How it is renewed and closed.
    pub lent: Lent,
}

/// What a provider needs to renew and to close what it opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lent {
    /// Only the provider reads it.
    pub private: Vec<u8>,
    /// In how many milliseconds it has to be renewed; absent: it outlasts every run.
    pub renew_after_ms: Option<u64>,
}

/// Calls of providers about values that are never stored.
#[async_trait]
pub trait Lend: Send + Sync {
    /// Opens a value; whoever calls closes it, whatever happens.
    async fn open(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        config: &Value,
    ) -> Result<Opened, Refusal>;
    /// Lets it last longer.
    async fn renew(
        &self,
        provider: &ProviderKey,
        ty: &str,
        address: &Address,
        private: Vec<u8>,
    ) -> Result<Lent, Diagnostics>;
    /// Nobody uses it any more.
    async fn close(&self, provider: &ProviderKey, ty: &str, address: &Address, private: Vec<u8>) -> Diagnostics;
}

/// One change of what state knows. Those of one `record` call are one transaction.
#[derive(Clone, Debug)]
pub enum Record {
    /// An object exists (anew, changed, or as far as it got).
    Put {
        /// Which.
        address: Address,
        /// As it is.
        stored: Arc<Stored>,
        /// The intent that this ends, if it does.
        closes: Option<IntentId>,
    },
    /// An object is gone.
    Remove {
        /// Which.
        address: Address,
        /// The intent that this ends, if it does.
        closes: Option<IntentId>,
    },
    /// An intent came to nothing.
    Close(IntentId),
    /// An output is this now.
    Output {
        /// Its name.
        name: String,
        /// `None`: it is gone.
        value: Option<Value>,
    },
}

/// Why the state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Somebody else works on some of it.
    #[error("{0}")]
    Locked(Box<Clash>),
    /// The lease ran out, or somebody forced it.
    #[error("the lease on the state was lost: somebody else may have changed it")]
    LeaseLost,
    /// A write to what the lease is not on: a bug.
    #[error("`{0}` was to be written without a lease on it")]
    NotLeased(Address),
    /// A saved plan was done already.
    #[error("this plan was done already, by revision {revision}")]
    Replayed {
        /// That did it.
        revision: u64,
    },
    /// What is to be written over the state is not of this state, or older.
    #[error("{0}")]
    Foreign(String),
    /// A document that is to be written over the state is not one.
    #[error("the document can't be taken: {0}")]
    Document(String),
    /// A key can't be made, or can't seal.
    #[error("{0}")]
    Key(String),
    /// No revision has this number, or what it was is not kept.
    #[error("{0}")]
    NoRevision(String),
    /// What is sealed can't be opened.
    #[error("sensitive values in the state can't be opened: {0}")]
    Sealed(String),
    /// What is sensitive can't be stored.
    #[error("{0} is sensitive, and the state has no key")]
    NoKey(String),
    /// It is not as it was written.
    #[error("the state is damaged: {0}")]
    Damaged(String),
    /// Written by a newer Bimetal.
    #[error("the state was written by a newer Bimetal (format {found}, this one knows {known})")]
    Newer {
        /// In the store.
        found: u32,
        /// Here.
        known: u32,
    },
    /// The store itself failed.
    #[error("{store}: {reason}")]
    Store {
        /// Its path or address.
        store: String,
        /// What it said.
        reason: String,
    },
}

/// Where snapshots, intents and revisions are kept.
///
/// Invariant: what a call has answered survives a power cut.
#[async_trait]
pub trait Remember: Send + Sync {
    /// The whole state as it is now; takes no lease.
    async fn load(&self) -> Result<Snapshot, StateError>;
    /// `Snapshot::serial` of the state as it is now: another one means that it changed since.
    async fn serial(&self) -> Result<u64, StateError>;
    /// Takes a lease, or says who has one that it clashes with. It lasts 60 s unless renewed.
    async fn lock(&self, holder: &Holder, scope: &Scope) -> Result<Lease, StateError>;
    /// Makes the lease last another 60 s.
    async fn renew(&self, lease: &Lease) -> Result<(), StateError>;
    /// Gives the lease back.
    async fn unlock(&self, lease: Lease) -> Result<(), StateError>;
    /// The leases of those who are believed to live.
    async fn leases(&self) -> Result<Vec<Held>, StateError>;
    /// Opens a revision; its `number` is given here. What the lease's holder writes from now on is that revision's.
    async fn begin(&self, lease: &Lease, revision: Revision, source: Option<&Source>) -> Result<u64, StateError>;
    /// Promises, before the effects. An intent that is open already is promised again: there is one of its id.
    async fn intend(&self, lease: &Lease, intents: &[Intent]) -> Result<(), StateError>;
    /// Outcomes, after the effects; one transaction.
    async fn record(&self, lease: &Lease, records: Vec<Record>) -> Result<(), StateError>;
    /// Closes the revision.
    async fn finish(&self, lease: &Lease, revision: u64, outcome: RevisionOutcome) -> Result<(), StateError>;
    /// All revisions, newest first.
    async fn revisions(&self) -> Result<Vec<Revision>, StateError>;
    /// A named secret of the engine's own, as the key of a certificate authority; kept sealed.
    async fn secret(&self, name: &str) -> Result<Option<Vec<u8>>, StateError>;
    /// Keeps one, unless there is one of that name: answers the one that is kept.
    async fn keep_secret(&self, name: &str, secret: &[u8]) -> Result<Vec<u8>, StateError>;
}

/// Time and chance, which come in from the edge.
pub trait Edge: Send + Sync {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;
    /// A random id: letters and digits, at most 32.
    fn new_id(&self) -> String;
}
