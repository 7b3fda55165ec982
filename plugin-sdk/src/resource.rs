//! What a provider's author writes: a provider, its resources, data sources, ephemeral values and functions.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::diagnostic::{Diagnostic, Result};
use crate::dispatch;
use crate::planning::Plan;
use crate::schema::{HasType, Schema};

/// A contract between the engine and a type; see `docs/writing-a-provider.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Has `platform`, `cpus`, `memory`, `labels`, `address` and `engine`.
    Machine,
    /// Takes what a replica of a service becomes.
    ContainerRuntime,
}

/// A configured provider.
pub trait Provider: Sized + 'static {
    /// The arguments of its block.
    type Config: Schema + DeserializeOwned;
    /// Ready to work; dials nobody.
    fn configure(config: Self::Config) -> Result<Self>;
    /// Its managed types: `Type::of::<Droplet>()`.
    fn types() -> Vec<Type<Self>>;
    /// Its data sources: `DataType::of::<Sizes>()`.
    fn data() -> Vec<DataType<Self>> {
        Vec::new()
    }
    /// Its ephemeral types: `EphemeralType::of::<Token>()`.
    fn ephemeral() -> Vec<EphemeralType<Self>> {
        Vec::new()
    }
    /// Its functions: `FunctionType::of::<Slug>()`.
    fn functions() -> Vec<FunctionType> {
        Vec::new()
    }
}

/// A managed type; the struct is its value.
pub trait Resource: Schema + Serialize + DeserializeOwned + Sized + 'static {
    /// Whose.
    type Provider: Provider;
    /// `<provider>_<type>`
    const NAME: &'static str;
    /// Of what is stored.
    const VERSION: u64 = 0;
    /// What the engine may expect of it.
    const ROLE: Option<Role> = None;
    /// How many objects one `create` call takes.
    const BATCH: u32 = 1;
    /// Types whose objects can become one of this: `(provider, type)`.
    const ADOPTS: &'static [(&'static str, &'static str)] = &[];

    /// What is wrong with a configuration, beyond its types; asked only where all of it but handles
    /// is known. Pure.
    fn validate(&self) -> Vec<Diagnostic> {
        Vec::new()
    }
    /// A value that an older `VERSION` stored, as this one would have stored it. Pure.
    fn upgrade(_version: u64, stored: Json) -> Result<Json> {
        Ok(stored)
    }
    /// An object of one of the types in `ADOPTS`, as one of this type. Answer the whole of it: it is not read again before it is
    /// planned. Pure.
    fn adopt(source: Foreign) -> Result<Self> {
        Err(Diagnostic::error(format!("a `{}` can't become a `{}`", source.ty, Self::NAME)))
    }
    /// Amends what the schema alone says. Pure.
    fn plan(_: &mut Plan) -> Result<()> {
        Ok(())
    }
    /// The facts of a machine that may not be managed yet.
    fn discover(_: &Self::Provider, _: Self) -> Result<Json> {
        Err(Diagnostic::error(format!("`{}` is no machine", Self::NAME)))
    }
    /// What exists now; `None`: it is gone. As many answers as objects.
    fn read(provider: &Self::Provider, objects: Vec<Self>) -> Vec<Result<Option<Self>>>;
    /// What carries this intent.
    fn probe(provider: &Self::Provider, intent: &str, config: Self) -> Result<Option<Self>>;
    /// Makes objects; one that carries the intent already is taken on. As many answers as requests.
    fn create(provider: &Self::Provider, requests: Vec<Create<Self>>) -> Vec<Outcome<Self>>;
    /// Changes an object in place.
    fn update(_: &Self::Provider, _: Self, _: Self) -> Outcome<Self> {
        Outcome::failed(Diagnostic::error(format!("`{}` can't be changed in place", Self::NAME)))
    }
    /// Removes an object; one that is gone counts as removed.
    fn delete(provider: &Self::Provider, object: Self) -> Deletion;
    /// What exists that is known by this id, as the arguments would describe it: what they leave open and is as by default stays open.
    fn import(_: &Self::Provider, _: &str, _: Self) -> Result<Self> {
        Err(Diagnostic::error(format!("`{}` can't be imported", Self::NAME)))
    }
}

/// A data source; the struct is its arguments and its answer.
pub trait DataSource: Schema + Serialize + DeserializeOwned + Sized + 'static {
    /// Whose.
    type Provider: Provider;
    /// `<provider>_<type>`
    const NAME: &'static str;
    /// The arguments with everything filled in.
    fn read(provider: &Self::Provider, config: Self) -> Result<Self>;
}

/// Values that are opened in each plan and in each apply, and never stored; the struct is the arguments and the answer.
pub trait Ephemeral: Schema + Serialize + DeserializeOwned + Sized + 'static {
    /// Whose.
    type Provider: Provider;
    /// `<provider>_<type>`
    const NAME: &'static str;
    /// The arguments with everything filled in.
    ///
    /// It may look, and send what the manifest names for `open`.
    fn open(provider: &Self::Provider, config: Self) -> Result<Opened<Self>>;
    /// Lets it last longer; the value stays what it is.
    fn renew(_: &Self::Provider, _: Vec<u8>) -> Result<Lease> {
        Err(Diagnostic::error(format!("`{}` can't be renewed", Self::NAME)))
    }
    /// Nobody uses it any more.
    fn close(_: &Self::Provider, _: Vec<u8>) -> Result<()> {
        Ok(())
    }
}

/// A function; the struct is its parameters, in their order.
///
/// A field that is an `Option` takes `null`, and may be left out where all that follow may be. One with `#[attr(variadic)]`, a
/// `Vec`, comes last and takes all arguments that remain.
pub trait Function: Schema + DeserializeOwned + 'static {
    /// `slug`, where `provider::<name>::slug` calls it.
    const NAME: &'static str;
    /// What it gives.
    type Answer: HasType + Serialize;
    /// The answer. Pure: the provider is not configured, and there are no capabilities.
    fn call(self) -> Result<Self::Answer>;
}

/// An object of another type, as its provider stored it.
pub struct Foreign {
    /// Its provider's name.
    pub provider: String,
    /// The name of its type.
    pub ty: String,
    /// Of the schema that it follows.
    pub version: u64,
    /// All attributes.
    pub value: Json,
}

/// Something that was opened.
pub struct Opened<T> {
    /// The arguments with everything filled in.
    pub value: T,
    /// How it is renewed and closed.
    pub lease: Lease,
}

/// What is needed to renew and to close what was opened, and when it has to be renewed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    /// Only the provider reads it.
    pub private: Vec<u8>,
    /// Absent: it outlasts every run.
    pub renew_after_ms: Option<u64>,
}

/// One object to be made.
pub struct Create<T> {
    /// Which of the batch, for `progress`.
    pub index: u32,
    /// To be stamped on what is made.
    pub intent: String,
    /// What the user wrote.
    pub config: T,
    /// What an earlier call with this intent reported.
    pub so_far: Option<T>,
}

/// How a create or update call ended.
pub enum Outcome<T> {
    /// It is there.
    Done(T),
    /// Not yet: the host calls again.
    Retry {
        /// In how many milliseconds.
        after_ms: u64,
        /// For people.
        reason: String,
        /// What exists by now.
        so_far: Option<T>,
    },
    /// It failed; what exists counts all the same.
    Failed {
        /// Why.
        diagnostics: Vec<Diagnostic>,
        /// What exists by now.
        so_far: Option<T>,
    },
}

impl<T> Outcome<T> {
    /// It failed, and nothing exists.
    pub fn failed(diagnostic: impl Into<Diagnostic>) -> Self {
        Outcome::Failed { diagnostics: vec![diagnostic.into()], so_far: None }
    }
}

impl<T> From<Result<T>> for Outcome<T> {
    fn from(result: Result<T>) -> Self {
        match result {
            Ok(value) => Outcome::Done(value),
            Err(diagnostic) => Outcome::failed(diagnostic),
        }
    }
}

/// How a delete call ended.
pub enum Deletion {
    /// It is gone.
    Done,
    /// Not yet: the host calls again.
    Retry {
        /// In how many milliseconds.
        after_ms: u64,
        /// For people.
        reason: String,
    },
    /// It failed.
    Failed(Vec<Diagnostic>),
}

impl From<Result<()>> for Deletion {
    fn from(result: Result<()>) -> Self {
        match result {
            Ok(()) => Deletion::Done,
            Err(diagnostic) => Deletion::Failed(vec![diagnostic]),
        }
    }
}

/// A managed type as the dispatcher sees it.
pub struct Type<P>(pub(crate) Box<dyn dispatch::Managed<P>>);

impl<P: Provider> Type<P> {
    /// The type of a resource.
    pub fn of<T: Resource<Provider = P>>() -> Self {
        Type(Box::new(dispatch::Of::<T>::default()))
    }
}

/// A data source as the dispatcher sees it.
pub struct DataType<P>(pub(crate) Box<dyn dispatch::Data<P>>);

impl<P: Provider> DataType<P> {
    /// The type of a data source.
    pub fn of<T: DataSource<Provider = P>>() -> Self {
        DataType(Box::new(dispatch::Of::<T>::default()))
    }
}

/// An ephemeral type as the dispatcher sees it.
pub struct EphemeralType<P>(pub(crate) Box<dyn dispatch::Lending<P>>);

impl<P: Provider> EphemeralType<P> {
    /// The type of an ephemeral value.
    pub fn of<T: Ephemeral<Provider = P>>() -> Self {
        EphemeralType(Box::new(dispatch::Of::<T>::default()))
    }
}

/// A function as the dispatcher sees it.
pub struct FunctionType(pub(crate) Box<dyn dispatch::Callable>);

impl FunctionType {
    /// The type of a function.
    pub fn of<T: Function>() -> Self {
        FunctionType(Box::new(dispatch::Of::<T>::default()))
    }
}
