//! What a plan wants to know of the world, and what the world answered.
//!
//! `plan` can't ask: it returns questions, `refresh` answers them all at once, and `plan` runs again with the answers.

use std::collections::BTreeMap;

use crate::address::{Address, ProviderKey};
use crate::diagnostic::Diagnostics;
use crate::image::{ImageIndex, ImageSource};
use crate::lineage::Lineage;
use crate::port::Refusal;
use crate::snapshot::{Intent, Object, Objects};
use crate::value::Value;

/// Something that a plan wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The facts of a machine that is not managed yet.
    Facts(Inquiry),
    /// What a data source answers.
    Data(Inquiry),
    /// What an image's source offers for each platform.
    Image(ImageSource),
    /// What exists that the provider knows by this id.
    Import(Inquiry, String),
    /// A value that is opened, and never stored.
    Open(Inquiry),
}

/// An object that a provider is asked about; its configuration is wholly known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inquiry {
    /// Which.
    pub address: Address,
    /// Whose.
    pub provider: ProviderKey,
    /// The provider's name for its type.
    pub ty: String,
    /// Its arguments.
    pub config: Value,
}

/// What the world answered so far.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// Facts of machines.
    pub facts: BTreeMap<Address, Result<Value, Diagnostics>>,
    /// Of data sources.
    pub data: BTreeMap<Address, Result<Value, Refusal>>,
    /// Of what is ephemeral.
    pub opened: BTreeMap<Address, Result<Value, Refusal>>,
    /// Of images, from the lock file or the world.
    pub images: BTreeMap<ImageSource, Result<ImageIndex, Diagnostics>>,
    /// What is to be imported, by the addresses that it gets.
    pub imports: BTreeMap<Address, Result<Object, Diagnostics>>,
}

/// What exists, as state remembers it and providers see it now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observed {
    /// Of the snapshot that was refreshed.
    pub lineage: Lineage,
    /// What exists now. An object that an interrupted creation left has `unfinished` set.
    pub objects: Objects,
    /// What differs from what state remembers.
    pub drift: Vec<Drift>,
    /// Unfinished intents and what became of them; `apply` records this first.
    pub resolved: Vec<(Intent, Option<Object>)>,
    /// Outputs of the last apply.
    pub outputs: BTreeMap<String, Value>,
    /// Machines that did not say what exists, and what is said of that. They, and what is on them, are as state remembers.
    pub silent: BTreeMap<Address, Diagnostics>,
    /// What could not be read yet, and why. It is as state remembers.
    pub deferred: BTreeMap<Address, String>,
    /// Unfinished intents that only these machines could tell about.
    pub open: Vec<Intent>,
}

/// A difference between what state remembers and what exists.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Drift {
    /// Of what.
    pub address: Address,
    /// As state remembers it.
    pub before: Value,
    /// As it is; `None`: it is gone.
    pub after: Option<Value>,
}
