//! The keys that a state, or a saved plan, is opened with.
//!
//! Must not print one. What is sealed is sealed with a random data key; that is wrapped with each of these (`envelope`).

mod age;
mod command;
mod file;
mod passphrase;
mod wrapped;

use std::path::PathBuf;

use bimetal_model::port::StateError;
use zeroize::Zeroizing;

pub use file::make as make_key_file;
pub(crate) use file::sync_folder;
pub(crate) use wrapped::Wrapped;

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

/// Fresh random bytes.
pub(crate) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, StateError> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(&mut bytes[..]).map_err(|error| sealed(format!("there is no randomness: {error}")))?;
    Ok(bytes)
}

pub(crate) fn sealed(reason: String) -> StateError {
    StateError::Sealed(reason)
}
