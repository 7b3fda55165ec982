//! Files of the operator's, as saved plans: sealed with a data key of their own, which stands wrapped in their first lines.
//!
//! Without a key such a file is readable, and has a digest against accidents. Who puts it there must see that nothing
//! sensitive is in it.

use bimetal_model::port::StateError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::envelope::Envelope;
use crate::key::{Keys, sealed};
use crate::seal::{Place, Sealer};

/// What a file begins with.
const MAGIC: &str = "bimetal file 2";

/// Its second line.
#[derive(Serialize, Deserialize)]
struct Header {
    /// What it is.
    purpose: String,
    /// Of the state that it belongs to.
    lineage: String,
    /// What opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<Envelope>,
    /// Of what follows, where nothing is sealed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

/// A file with these bytes, sealed where there is a key. `purpose` must be the same to open it.
pub fn seal_file(keys: &Keys, purpose: &str, lineage: &str, bytes: &[u8]) -> Result<Vec<u8>, StateError> {
    let (purpose, lineage) = (purpose.to_owned(), lineage.to_owned());
    if keys.seal.is_empty() {
        let sha256 = Some(digest(&purpose, &lineage, bytes));
        let header = text(&Header { purpose, lineage, key: None, sha256 })?;
        return Ok(whole(&header, bytes));
    }
    let realm = realm(&purpose, &lineage);
    let (key, data) = Envelope::new(keys, &realm)?;
    let header = text(&Header { purpose, lineage, key: Some(key), sha256: None })?;
    let body = Sealer::new(&data, &realm).seal(&below(&header), bytes)?;
    Ok(whole(&header, &body))
}

/// The bytes that `seal_file` was given, and the lineage. Where there is a key, a file that is not sealed is refused: anybody could
/// have written it.
pub fn open_file(keys: &Keys, purpose: &str, file: &[u8]) -> Result<(Vec<u8>, String), StateError> {
    let (line, body) = parts(file).ok_or_else(|| sealed("it is no file of Bimetal's, or cut short".to_owned()))?;
    let header: Header = serde_json::from_str(line).map_err(|_| altered())?;
    if header.purpose != purpose {
        return Err(sealed(format!("it is not a {purpose}, but a {}", header.purpose)));
    }
    let bytes = match (header.key, header.sha256) {
        (Some(key), _) => {
            let realm = realm(purpose, &header.lineage);
            let data = key.open(keys, &realm)?;
            Sealer::new(&data, &realm).open(&below(line), body).map_err(|_| altered())?
        }
        (None, Some(_)) if !keys.seal.is_empty() => {
            return Err(sealed("it is not sealed, and there is a key: anybody could have written it".to_owned()));
        }
        (None, Some(found)) if found == digest(purpose, &header.lineage, body) => body.to_vec(),
        (None, _) => return Err(altered()),
    };
    Ok((bytes, header.lineage))
}

fn text(header: &Header) -> Result<String, StateError> {
    serde_json::to_string(header).map_err(|error| sealed(error.to_string()))
}

fn whole(header: &str, body: &[u8]) -> Vec<u8> {
    [format!("{MAGIC}\n{header}\n").as_bytes(), body].concat()
}

fn parts(file: &[u8]) -> Option<(&str, &[u8])> {
    let rest = file.strip_prefix(MAGIC.as_bytes())?.strip_prefix(b"\n")?;
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(rest.get(..end)?).ok()?, rest.get(end + 1..)?))
}

fn altered() -> StateError {
    sealed("it is not as it was written: it was altered, or cut short".to_owned())
}

fn realm(purpose: &str, lineage: &str) -> String {
    format!("{purpose} of {lineage}")
}

/// What is sealed opens only below the very line that it was written below.
fn below(header: &str) -> Place {
    Place::row("file", header)
}

fn digest(purpose: &str, lineage: &str, bytes: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(format!("{purpose}\n{lineage}\n"));
    digest.update(bytes);
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::{Key, Secret};

    const TEXT: &[u8] = b"hunter2 is what it says";

    fn keys(digit: &str) -> Keys {
        let text = Secret::new(digit.repeat(64));
        Keys::new(vec![Key::Text { name: "`BIMETAL_STATE_KEY`".to_owned(), text }])
    }

    #[test]
    fn a_file_opens_with_its_key_and_for_its_purpose() {
        let file = seal_file(&keys("a"), "plan", "lineage", TEXT).unwrap();
        assert!(!file.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(open_file(&keys("a"), "plan", &file).unwrap(), (TEXT.to_vec(), "lineage".to_owned()));
        let error = open_file(&keys("b"), "plan", &file).unwrap_err().to_string();
        assert!(error.contains("`BIMETAL_STATE_KEY` is not the one"), "{error}");
        let error = open_file(&Keys::default(), "plan", &file).unwrap_err().to_string();
        assert!(error.contains("there is none here"), "{error}");
        assert!(open_file(&keys("a"), "other", &file).unwrap_err().to_string().contains("but a plan"));
    }

    #[test]
    fn without_a_key_it_is_readable_and_with_one_not_believed() {
        let file = seal_file(&Keys::default(), "plan", "lineage", TEXT).unwrap();
        assert!(file.windows(7).any(|window| window == b"hunter2"));
        assert_eq!(open_file(&Keys::default(), "plan", &file).unwrap().0, TEXT);
        let error = open_file(&keys("a"), "plan", &file).unwrap_err().to_string();
        assert!(error.contains("anybody could have written it"), "{error}");
    }

    #[test]
    fn one_that_was_cut_short_or_altered_is_an_error() {
        for keys in [keys("a"), Keys::default()] {
            let file = seal_file(&keys, "plan", "lineage", TEXT).unwrap();
            for place in 0..file.len() {
                assert!(open_file(&keys, "plan", &file[..place]).is_err(), "cut at {place}");
                for bit in [1, 0x80] {
                    let mut altered = file.clone();
                    altered[place] ^= bit;
                    assert!(open_file(&keys, "plan", &altered).is_err(), "bit {bit} of {place} flipped");
                }
            }
        }
    }
}
