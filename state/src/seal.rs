//! Sealing: bytes, and what is marked sensitive in a JSON document.
//!
//! Invariant: what is sealed opens only with the same key and in the same place (test: `what_is_sealed_can_not_be_moved`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::port::StateError;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde_json::{Value as Json, json};

use crate::key::Key;

const NONCE: usize = 24;
const SENSITIVE: &str = "$sensitive";
const SEALED: &str = "$sealed";

/// Seals for one state.
#[derive(Clone)]
pub(crate) struct Sealer {
    cipher: XChaCha20Poly1305,
    realm: String,
}

/// Where something sealed stands: it opens nowhere else.
#[derive(Clone, Debug)]
pub(crate) struct Place(String);

impl Place {
    /// A row of a table.
    pub(crate) fn row(table: &str, key: &str) -> Place {
        Place(format!("{table}\0{key}"))
    }

    fn inside(&self, step: &str) -> Place {
        Place(format!("{}\0{step}", self.0))
    }
}

impl Sealer {
    /// `realm` is the state's lineage.
    pub(crate) fn new(key: &Key, realm: &str) -> Sealer {
        Sealer { cipher: XChaCha20Poly1305::new(key.into()), realm: realm.to_owned() }
    }

    /// A random nonce, and the bytes encrypted.
    pub(crate) fn seal(&self, place: &Place, bytes: &[u8]) -> Result<Vec<u8>, StateError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|error| failed(&error.to_string()))?;
        let aad = self.associated(place);
        let payload = Payload { msg: bytes, aad: aad.as_bytes() };
        let sealed = self.cipher.encrypt(XNonce::from_slice(&nonce), payload);
        let sealed = sealed.map_err(|_| failed("the cipher refused them"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// What `seal` was given.
    pub(crate) fn open(&self, place: &Place, sealed: &[u8]) -> Result<Vec<u8>, StateError> {
        let Some((nonce, sealed)) = sealed.split_at_checked(NONCE) else {
            return Err(failed("they are cut short"));
        };
        let aad = self.associated(place);
        let payload = Payload { msg: sealed, aad: aad.as_bytes() };
        self.cipher
            .decrypt(XNonce::from_slice(nonce), payload)
            .map_err(|_| failed("the key is another one, or they were tampered with"))
    }

    fn associated(&self, place: &Place) -> String {
        format!("bimetal\0{}\0{}", self.realm, place.0)
    }

    /// The whole document sealed: `{"$sealed": …}`.
    pub(crate) fn seal_whole(&self, place: &Place, json: &Json) -> Result<Json, StateError> {
        let sealed = self.seal(place, json.to_string().as_bytes())?;
        Ok(json!({ SEALED: STANDARD.encode(sealed) }))
    }

    /// What `seal_whole` was given.
    pub(crate) fn open_whole(&self, place: &Place, json: &Json) -> Result<Json, StateError> {
        let text = sole_member(json, SEALED).and_then(Json::as_str).ok_or_else(|| failed("they are malformed"))?;
        let sealed = STANDARD.decode(text).map_err(|error| failed(&error.to_string()))?;
        serde_json::from_slice(&self.open(place, &sealed)?).map_err(|error| failed(&error.to_string()))
    }

    /// The document with everything in it that is marked sensitive sealed.
    pub(crate) fn seal_marked(&self, place: &Place, json: Json) -> Result<Json, StateError> {
        match sole_member(&json, SENSITIVE) {
            Some(inner) => self.seal_whole(place, inner),
            None => walk(place, json, &|place, json| self.seal_marked(place, json)),
        }
    }

    /// The document that `seal_marked` was given.
    pub(crate) fn open_marked(&self, place: &Place, json: Json) -> Result<Json, StateError> {
        match sole_member(&json, SEALED) {
            Some(_) => Ok(json!({ SENSITIVE: self.open_whole(place, &json)? })),
            None => walk(place, json, &|place, json| self.open_marked(place, json)),
        }
    }
}

type Change<'a> = &'a dyn Fn(&Place, Json) -> Result<Json, StateError>;

fn walk(place: &Place, json: Json, change: Change<'_>) -> Result<Json, StateError> {
    // What is inside a handle is a provider's own: there `$sealed` would mean nothing.
    if sole_member(&json, "$handle").is_some() {
        return Ok(json);
    }
    match json {
        Json::Array(items) => {
            let item = |(index, item): (usize, Json)| change(&place.inside(&index.to_string()), item);
            items.into_iter().enumerate().map(item).collect()
        }
        Json::Object(members) => {
            let member = |(name, json): (String, Json)| {
                let json = change(&place.inside(&name), json)?;
                Ok((name, json))
            };
            Ok(Json::Object(members.into_iter().map(member).collect::<Result<_, StateError>>()?))
        }
        leaf => Ok(leaf),
    }
}

fn sole_member<'a>(json: &'a Json, name: &str) -> Option<&'a Json> {
    json.as_object().filter(|members| members.len() == 1)?.get(name)
}

fn failed(reason: &str) -> StateError {
    StateError::Sealed(reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer() -> Sealer {
        Sealer::new(&[7; 32], "lineage")
    }

    fn place() -> Place {
        Place::row("objects", "docker_volume.a")
    }

    #[test]
    fn only_what_is_marked_is_sealed() {
        let json = json!({ "a": [{ "$sensitive": { "b": "hunter2" } }, 1.50], "c": "plain" });
        let sealed = sealer().seal_marked(&place(), json.clone()).unwrap();
        let text = sealed.to_string();
        assert!(text.contains("plain") && !text.contains("hunter2"), "{text}");
        assert_eq!(sealer().open_marked(&place(), sealed).unwrap(), json);
    }

    #[test]
    fn what_is_sealed_can_not_be_moved() {
        let sealed = sealer().seal(&place(), b"x").unwrap();
        assert!(sealer().open(&Place::row("objects", "docker_volume.b"), &sealed).is_err());
        assert!(Sealer::new(&[7; 32], "another").open(&place(), &sealed).is_err());
        assert!(Sealer::new(&[8; 32], "lineage").open(&place(), &sealed).is_err());
        let json = json!({ "a": { "$sensitive": 1 }, "b": { "$sensitive": 2 } });
        let mut sealed = sealer().seal_marked(&place(), json).unwrap();
        sealed["a"] = sealed["b"].clone();
        assert!(sealer().open_marked(&place(), sealed).is_err());
    }

    #[test]
    fn a_handle_that_looks_sealed_is_left_alone() {
        let json = json!({ "engine": { "$handle": { "$sealed": "not base64" } } });
        let sealed = sealer().seal_marked(&place(), json.clone()).unwrap();
        assert_eq!(sealer().open_marked(&place(), sealed).unwrap(), json);
    }

    #[test]
    fn what_is_cut_short_is_an_error() {
        let sealed = sealer().seal(&place(), b"x").unwrap();
        for end in 0..sealed.len() {
            assert!(sealer().open(&place(), &sealed[..end]).is_err());
        }
    }
}
