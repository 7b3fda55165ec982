//! The keys that a state, or a saved plan, is opened with: what they are, and what each makes of a data key.
//!
//! Must not print one. What is sealed is sealed with a random data key; that is wrapped with each of these
//! (`envelope`).

mod age;
mod command;
mod file;
mod passphrase;

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::port::StateError;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::seal::{Place, Sealer};
pub use file::make as make_key_file;
pub(crate) use file::sync_folder;
pub(crate) use passphrase::Cost;

/// 32 secret bytes, wiped where they are dropped.
pub(crate) type Bytes = Zeroizing<[u8; 32]>;

/// Text that can't be printed.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(Zeroizing::new(text.into()))
    }

    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// One key.
#[derive(Clone)]
pub enum Key {
    /// 32 bytes as base64 or hexadecimal digits.
    Text {
        /// Where it was said, for people.
        name: String,
        /// The key.
        text: Secret,
    },
    /// A file with such a text, that only its owner may read.
    File(PathBuf),
    /// What a person can remember.
    Passphrase {
        /// Where it was said, for people.
        name: String,
        /// The passphrase.
        passphrase: Secret,
    },
    /// Keys of `age`.
    Age {
        /// `age1…`: who may open it.
        recipients: Vec<String>,
        /// The files with our own.
        identities: Vec<PathBuf>,
    },
    /// Another program.
    Command {
        /// Reads a data key, as base64, and prints it wrapped.
        wrap: Vec<String>,
        /// Reads what `wrap` printed, and prints the data key.
        unwrap: Vec<String>,
    },
    /// One that can't be had here.
    Unavailable {
        /// What it is called.
        name: String,
        /// Why.
        reason: String,
    },
}

/// The keys that are at hand.
#[derive(Clone, Default)]
pub struct Keys {
    /// What is sealed from now on opens with each of these. None: what is sensitive can't be stored.
    pub seal: Vec<Key>,
    /// What is sealed already may open with one of these, too.
    pub open: Vec<Key>,
}

/// A data key as one key wraps it. It opens with the same kind of key alone.
#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Wrapped {
    /// Sealed with a key of 32 bytes.
    Key {
        #[serde(with = "base64_text")]
        sealed: Vec<u8>,
    },
    /// Sealed with what follows from a passphrase.
    Passphrase {
        #[serde(flatten)]
        cost: Cost,
        #[serde(with = "base64_text")]
        salt: Vec<u8>,
        #[serde(with = "base64_text")]
        sealed: Vec<u8>,
    },
    /// A file of `age`.
    Age {
        recipients: Vec<String>,
        #[serde(with = "base64_text")]
        file: Vec<u8>,
    },
    /// What a program printed.
    Command {
        #[serde(with = "base64_text")]
        printed: Vec<u8>,
    },
}

impl Wrapped {
    /// What opens it, for people.
    pub(crate) fn wants(&self) -> String {
        match self {
            Wrapped::Key { .. } => "a key of 32 bytes (a key file, or `BIMETAL_STATE_KEY`)".to_owned(),
            Wrapped::Passphrase { .. } => "a passphrase".to_owned(),
            Wrapped::Age { recipients, .. } => format!("the identity of `age` for {}", recipients.join(" or ")),
            Wrapped::Command { .. } => "the program that wrapped it".to_owned(),
        }
    }
}

impl Keys {
    /// Those that seal what is new, and open it.
    pub fn new(seal: Vec<Key>) -> Keys {
        Keys { seal, open: Vec::new() }
    }

    /// All of them; those that cost nothing to try come first.
    pub(crate) fn all(&self) -> Vec<&Key> {
        let mut all: Vec<&Key> = self.seal.iter().chain(&self.open).collect();
        all.sort_by_key(|key| match key {
            Key::Text { .. } | Key::File(_) | Key::Unavailable { .. } => 0,
            Key::Age { .. } => 1,
            Key::Passphrase { .. } => 2,
            Key::Command { .. } => 3,
        });
        all
    }
}

impl Key {
    /// The data key, wrapped.
    pub(crate) fn wrap(&self, data: &Bytes, realm: &str) -> Result<Wrapped, StateError> {
        match self {
            Key::Text { .. } | Key::File(_) => {
                Ok(Wrapped::Key { sealed: seal_with(&self.bytes()?, realm, &data[..])? })
            }
            Key::Passphrase { name, passphrase } => {
                let (cost, salt) = (Cost::PRESENT, random::<16>()?.to_vec());
                let key = cost.stretch(name, passphrase, &salt)?;
                Ok(Wrapped::Passphrase { cost, salt, sealed: seal_with(&key, realm, &data[..])? })
            }
            Key::Age { recipients, .. } => {
                Ok(Wrapped::Age { recipients: recipients.clone(), file: age::encrypt(recipients, &data[..])? })
            }
            Key::Command { wrap, .. } => Ok(Wrapped::Command { printed: command::wrap(wrap, data)? }),
            Key::Unavailable { name, reason } => Err(sealed(format!("{name} can't be used: {reason}"))),
        }
    }

    /// The data key, if this opens it. `None`: it is wrapped with another kind of key.
    pub(crate) fn unwrap(&self, wrapped: &Wrapped, realm: &str) -> Option<Result<Bytes, StateError>> {
        match (self, wrapped) {
            (Key::Text { .. } | Key::File(_), Wrapped::Key { sealed }) => Some(self.bytes().and_then(|key| {
                let data = open_with(&key, realm, sealed).map_err(|_| self.is_another())?;
                bytes(data)
            })),
            (Key::Passphrase { name, passphrase }, Wrapped::Passphrase { cost, salt, sealed }) => {
                Some(cost.stretch(name, passphrase, salt).and_then(|key| {
                    let data = open_with(&key, realm, sealed).map_err(|_| self.is_another())?;
                    bytes(data)
                }))
            }
            (Key::Age { identities, .. }, Wrapped::Age { file, .. }) => {
                Some(age::decrypt(identities, file).and_then(bytes))
            }
            (Key::Command { unwrap, .. }, Wrapped::Command { printed }) => Some(command::unwrap(unwrap, printed)),
            (Key::Unavailable { name, reason }, _) => Some(Err(sealed(format!("{name} can't be used: {reason}")))),
            (Key::Text { .. } | Key::File(_) | Key::Passphrase { .. } | Key::Age { .. } | Key::Command { .. }, _) => {
                None
            }
        }
    }

    /// Whether what it wraps is certain to open with it.
    pub(crate) fn is_ours(&self) -> bool {
        match self {
            Key::Text { .. } | Key::File(_) | Key::Passphrase { .. } => true,
            Key::Age { .. } | Key::Command { .. } | Key::Unavailable { .. } => false,
        }
    }

    /// The bytes of a key that is nothing but bytes, to which states were sealed directly once.
    pub(crate) fn plain(&self) -> Option<Result<Bytes, StateError>> {
        match self {
            Key::Text { .. } | Key::File(_) => Some(self.bytes()),
            Key::Unavailable { name, reason } => Some(Err(sealed(format!("{name} can't be used: {reason}")))),
            Key::Passphrase { .. } | Key::Age { .. } | Key::Command { .. } => None,
        }
    }

    fn bytes(&self) -> Result<Bytes, StateError> {
        match self {
            Key::Text { name, text } => file::parse(text.expose()).ok_or_else(|| file::malformed(name)),
            Key::File(path) => file::read(path),
            Key::Passphrase { .. } | Key::Age { .. } | Key::Command { .. } | Key::Unavailable { .. } => {
                unreachable!("only keys of bytes are asked for them")
            }
        }
    }

    pub(crate) fn is_another(&self) -> StateError {
        sealed(format!("{} is not the one they were sealed with", self.name()))
    }

    /// For people.
    pub(crate) fn name(&self) -> String {
        match self {
            Key::Text { name, .. } => format!("the key in {name}"),
            Key::Passphrase { name, .. } => format!("the passphrase in {name}"),
            Key::File(path) => format!("the key in `{}`", path.display()),
            Key::Age { .. } => "the identity of `age`".to_owned(),
            Key::Command { unwrap, .. } => format!("the program `{}`", unwrap.first().map_or("", |word| word)),
            Key::Unavailable { name, .. } => name.clone(),
        }
    }
}

/// Where wrapped keys stand.
fn place() -> Place {
    Place::row("key", "wrapped")
}

fn seal_with(key: &Bytes, realm: &str, secret: &[u8]) -> Result<Vec<u8>, StateError> {
    Sealer::new(key, realm).seal(&place(), secret)
}

fn open_with(key: &Bytes, realm: &str, sealed: &[u8]) -> Result<Vec<u8>, StateError> {
    Sealer::new(key, realm).open(&place(), sealed)
}

/// Fresh random bytes.
pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, StateError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut bytes[..]).map_err(|error| sealed(format!("there is no randomness: {error}")))?;
    Ok(bytes)
}

/// Bytes that were opened, if they can be a key.
fn bytes(opened: Vec<u8>) -> Result<Bytes, StateError> {
    let opened = Zeroizing::new(opened);
    let bytes: [u8; 32] = opened[..].try_into().map_err(|_| sealed("what was opened is no key".to_owned()))?;
    Ok(Zeroizing::new(bytes))
}

pub(crate) fn sealed(reason: String) -> StateError {
    StateError::Sealed(reason)
}

/// Bytes in JSON.
mod base64_text {
    use super::*;

    pub(super) fn serialize<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(serde::de::Error::custom)
    }
}
