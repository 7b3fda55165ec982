//! What each key makes of a data key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::port::StateError;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::passphrase::Cost;
use super::{Bytes, Key, age, command, random, sealed};
use crate::seal::{Place, Sealer};

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

/// Bytes that were opened, if they can be a key.
fn bytes(opened: Vec<u8>) -> Result<Bytes, StateError> {
    let opened = Zeroizing::new(opened);
    let bytes: [u8; 32] = opened[..].try_into().map_err(|_| sealed("what was opened is no key".to_owned()))?;
    Ok(Zeroizing::new(bytes))
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
