//! How a state is opened: what it says of its key, and the keys that are at hand.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::port::StateError;

use crate::envelope::Envelope;
use crate::key::{Bytes, Key, Keys, sealed};
use crate::seal::{Place, Sealer};
use crate::words::KEY;

/// What a state says of its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyRow {
    /// It has none.
    None,
    /// It is sealed with the operator's key itself, as states were once.
    Direct(Vec<u8>),
    /// It has a data key, in an envelope.
    Envelope(String),
}

impl KeyRow {
    /// Reads the row, if there is one.
    pub(crate) fn parse(row: Option<&str>) -> Result<KeyRow, StateError> {
        match row {
            None => Ok(KeyRow::None),
            Some(text) if text.starts_with('{') => Ok(KeyRow::Envelope(text.to_owned())),
            Some(text) => STANDARD
                .decode(text)
                .map(KeyRow::Direct)
                .map_err(|_| StateError::Damaged("what tells its key can't be read".to_owned())),
        }
    }

    /// The row that says so.
    pub(crate) fn to_text(&self) -> Option<String> {
        match self {
            KeyRow::None => None,
            KeyRow::Direct(check) => Some(STANDARD.encode(check)),
            KeyRow::Envelope(text) => Some(text.clone()),
        }
    }
}

/// What a state is opened with.
#[derive(Clone)]
pub(crate) struct Unlocked {
    /// What it was opened by: with another row there, it must be opened anew.
    pub(crate) row: KeyRow,
    pub(crate) sealer: Sealer,
    /// Where it has an envelope.
    pub(crate) data: Option<Bytes>,
}

/// Opens a state, or says which key is missing or wrong.
pub(crate) fn open(row: KeyRow, keys: &Keys, lineage: &str) -> Result<Unlocked, StateError> {
    let (sealer, data) = match &row {
        KeyRow::None => (Sealer::without_key(lineage), None),
        KeyRow::Direct(check) => (direct(check, keys, lineage)?, None),
        KeyRow::Envelope(text) => {
            let data = Envelope::parse(text)?.open(keys, lineage)?;
            (Sealer::new(&data, lineage), Some(data))
        }
    };
    Ok(Unlocked { row, sealer, data })
}

/// A new data key for a state that has none, or is to have another one.
pub(crate) fn with_new_key(keys: &Keys, lineage: &str) -> Result<Unlocked, StateError> {
    let (envelope, data) = Envelope::new(keys, lineage)?;
    Ok(Unlocked { row: KeyRow::Envelope(envelope.to_text()?), sealer: Sealer::new(&data, lineage), data: Some(data) })
}

/// The same data key, for the keys that seal now.
pub(crate) fn wrapped_anew(data: &Bytes, keys: &Keys, lineage: &str) -> Result<Unlocked, StateError> {
    let envelope = Envelope::of(data, keys, lineage)?;
    let sealer = Sealer::new(data, lineage);
    Ok(Unlocked { row: KeyRow::Envelope(envelope.to_text()?), sealer, data: Some(data.clone()) })
}

fn direct(check: &[u8], keys: &Keys, lineage: &str) -> Result<Sealer, StateError> {
    let mut reasons = Vec::new();
    for (key, bytes) in keys.all().into_iter().filter_map(|key: &Key| Some((key, key.plain()?))) {
        match bytes.map(|bytes| Sealer::direct(&bytes, lineage)) {
            Ok(sealer) if sealer.open(&Place::row("meta", KEY), check).is_ok() => return Ok(sealer),
            Ok(_) => reasons.push(key.is_another()),
            Err(error) => reasons.push(error),
        }
    }
    let wanted = "they open with the key that the state was made with (a key file, or `BIMETAL_STATE_KEY`)";
    let mut said = String::new();
    for reason in reasons {
        if let StateError::Sealed(reason) = reason {
            said += &format!("{reason}; ");
        }
    }
    let said = if said.is_empty() { format!("{wanted}; there is none here") } else { said + wanted };
    Err(sealed(said))
}
