//! Sealing: bytes, and what is marked sensitive in a JSON document. Signing: text that is not secret.
//!
//! Invariant: what is sealed or signed opens only with the same key and in the same place (test:
//! `what_is_sealed_can_not_be_moved`); without a key nothing sensitive is given back to be written (test:
//! `without_a_key_nothing_sensitive_is_stored`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::port::StateError;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use crate::key::random;

const NONCE: usize = 24;
const TAG: usize = 16;
const SENSITIVE: &str = "$sensitive";
const SEALED: &str = "$sealed";
const SIGNED: &str = "signed";

/// Seals for one state.
#[derive(Clone)]
pub(crate) struct Sealer {
    way: Way,
    realm: String,
}

#[derive(Clone)]
enum Way {
    /// With a data key.
    Key(XChaCha20Poly1305),
    /// As states were once, that are sealed with the operator's key itself: their rows are not signed.
    Direct(XChaCha20Poly1305),
    /// What is sensitive can't be stored, and what is not stands as it is.
    NoKey,
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

    /// For people: the row's key.
    fn name(&self) -> String {
        format!("`{}`", self.0.split('\0').nth(1).unwrap_or_default())
    }
}

impl Sealer {
    /// With a data key; `realm` is the state's lineage.
    pub(crate) fn new(key: &[u8; 32], realm: &str) -> Sealer {
        Sealer { way: Way::Key(XChaCha20Poly1305::new(key.into())), realm: realm.to_owned() }
    }

    /// With the operator's key itself.
    pub(crate) fn direct(key: &[u8; 32], realm: &str) -> Sealer {
        Sealer { way: Way::Direct(XChaCha20Poly1305::new(key.into())), realm: realm.to_owned() }
    }

    /// Of a state that has no key.
    pub(crate) fn without_key(realm: &str) -> Sealer {
        Sealer { way: Way::NoKey, realm: realm.to_owned() }
    }

    /// Whether it can seal.
    pub(crate) fn has_key(&self) -> bool {
        self.cipher().is_some()
    }

    fn cipher(&self) -> Option<&XChaCha20Poly1305> {
        match &self.way {
            Way::Key(cipher) | Way::Direct(cipher) => Some(cipher),
            Way::NoKey => None,
        }
    }

    /// A random nonce, and the bytes encrypted.
    pub(crate) fn seal(&self, place: &Place, bytes: &[u8]) -> Result<Vec<u8>, StateError> {
        let Some(cipher) = self.cipher() else { return Err(StateError::NoKey(place.name())) };
        let nonce = random::<NONCE>()?;
        let aad = self.associated(place);
        let payload = Payload { msg: bytes, aad: aad.as_bytes() };
        let sealed = cipher.encrypt(XNonce::from_slice(&nonce[..]), payload);
        let sealed = sealed.map_err(|_| failed("the cipher refused them"))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// What `seal` was given.
    pub(crate) fn open(&self, place: &Place, sealed: &[u8]) -> Result<Vec<u8>, StateError> {
        let Some(cipher) = self.cipher() else { return Err(failed("the state has no key")) };
        let Some((nonce, sealed)) = sealed.split_at_checked(NONCE) else { return Err(altered(place)) };
        let aad = self.associated(place);
        let payload = Payload { msg: sealed, aad: aad.as_bytes() };
        cipher.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| altered(place))
    }

    /// The text with a line behind it that says that it was written here, and so.
    pub(crate) fn sign(&self, place: &Place, text: &str) -> Result<String, StateError> {
        let signature = match &self.way {
            Way::Key(_) => self.seal(&signed(place, text), &[])?,
            Way::Direct(_) => return Ok(text.to_owned()),
            Way::NoKey => self.digest(place, text),
        };
        Ok(format!("{text}\n{}", STANDARD.encode(signature)))
    }

    /// The text that `sign` was given.
    pub(crate) fn verify<'t>(&self, place: &Place, text: &'t str) -> Result<&'t str, StateError> {
        if let Way::Direct(_) = self.way {
            return Ok(text);
        }
        let Some((text, signature)) = text.rsplit_once('\n') else { return Err(altered(place)) };
        let signature = STANDARD.decode(signature).map_err(|_| altered(place))?;
        let is_right = match &self.way {
            Way::NoKey => signature == self.digest(place, text),
            Way::Key(_) | Way::Direct(_) => self.open(&signed(place, text), &signature).is_ok(),
        };
        if is_right { Ok(text) } else { Err(altered(place)) }
    }

    /// Against accidents alone: who can write the state can write this.
    fn digest(&self, place: &Place, text: &str) -> Vec<u8> {
        let parts = [&self.associated(&place.inside(SIGNED)), "\0", text];
        let digest = parts.into_iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize();
        digest.iter().take(TAG).copied().collect()
    }

    fn associated(&self, place: &Place) -> String {
        format!("bimetal\0{}\0{}", self.realm, place.0)
    }

    /// The whole document sealed: `{"$sealed": …}`. Without a key it stays as it is, and must have nothing sensitive in it.
    pub(crate) fn seal_whole(&self, place: &Place, json: &Json) -> Result<Json, StateError> {
        if let Way::NoKey = self.way {
            return self.seal_marked(place, json.clone());
        }
        let sealed = self.seal(place, json.to_string().as_bytes())?;
        Ok(json!({ SEALED: STANDARD.encode(sealed) }))
    }

    /// What `seal_whole` was given.
    pub(crate) fn open_whole(&self, place: &Place, json: Json) -> Result<Json, StateError> {
        if let Way::NoKey = self.way {
            return self.open_marked(place, json);
        }
        let text = sole_member(&json, SEALED).and_then(Json::as_str).ok_or_else(|| altered(place))?;
        let sealed = STANDARD.decode(text).map_err(|_| altered(place))?;
        serde_json::from_slice(&self.open(place, &sealed)?).map_err(|_| altered(place))
    }

    /// The document with everything in it that is marked sensitive sealed.
    pub(crate) fn seal_marked(&self, place: &Place, json: Json) -> Result<Json, StateError> {
        if has_member(&json, SENSITIVE) { self.seal_parts(place, json) } else { Ok(json) }
    }

    fn seal_parts(&self, place: &Place, json: Json) -> Result<Json, StateError> {
        match sole_member(&json, SENSITIVE) {
            Some(_) if !self.has_key() => Err(StateError::NoKey(place.name())),
            Some(inner) => self.seal_whole(place, inner),
            None => walk(place, json, &|place, json| self.seal_parts(place, json)),
        }
    }

    /// The document that `seal_marked` was given.
    pub(crate) fn open_marked(&self, place: &Place, json: Json) -> Result<Json, StateError> {
        if has_member(&json, SEALED) { self.open_parts(place, json) } else { Ok(json) }
    }

    fn open_parts(&self, place: &Place, json: Json) -> Result<Json, StateError> {
        match sole_member(&json, SEALED) {
            Some(_) if !self.has_key() => Err(failed("the state has no key")),
            Some(_) => Ok(json!({ SENSITIVE: self.open_whole(place, json)? })),
            None => walk(place, json, &|place, json| self.open_parts(place, json)),
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

/// Whether anything in it has such a member. Most has not, and stays as it is.
fn has_member(json: &Json, name: &str) -> bool {
    match json {
        Json::Array(items) => items.iter().any(|item| has_member(item, name)),
        Json::Object(members) => members.contains_key(name) || members.values().any(|inner| has_member(inner, name)),
        _ => false,
    }
}

fn sole_member<'a>(json: &'a Json, name: &str) -> Option<&'a Json> {
    json.as_object().filter(|members| members.len() == 1)?.get(name)
}

fn signed(place: &Place, text: &str) -> Place {
    place.inside(SIGNED).inside(text)
}

fn failed(reason: &str) -> StateError {
    StateError::Sealed(reason.to_owned())
}

/// The key was proven to be right before.
fn altered(place: &Place) -> StateError {
    StateError::Damaged(format!("{} is not as it was written", place.name()))
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
    fn what_is_signed_can_be_neither_changed_nor_moved() {
        for sealer in [sealer(), Sealer::without_key("lineage")] {
            let signed = sealer.sign(&place(), "{\"a\":1}").unwrap();
            assert_eq!(sealer.verify(&place(), &signed).unwrap(), "{\"a\":1}");
            assert!(sealer.verify(&Place::row("objects", "docker_volume.b"), &signed).is_err());
            for place_of_it in 0..signed.len() {
                let mut bytes = signed.clone().into_bytes();
                bytes[place_of_it] ^= 1;
                let Ok(text) = String::from_utf8(bytes) else { continue };
                assert!(sealer.verify(&place(), &text).is_err(), "{text}");
                assert!(sealer.verify(&place(), &signed[..place_of_it]).is_err());
            }
        }
        let direct = Sealer::direct(&[7; 32], "lineage");
        assert_eq!(direct.sign(&place(), "{}").unwrap(), "{}");
    }

    #[test]
    fn without_a_key_nothing_sensitive_is_stored() {
        let sealer = Sealer::without_key("lineage");
        let plain = json!({ "a": [{ "$handle": { "$sensitive": "a provider's own" } }, 1.50] });
        assert_eq!(sealer.seal_marked(&place(), plain.clone()).unwrap(), plain);
        assert_eq!(sealer.seal_whole(&place(), &plain).unwrap(), plain);
        assert_eq!(sealer.open_whole(&place(), plain.clone()).unwrap(), plain);
        let secret = json!({ "a": [{ "$sensitive": "hunter2" }] });
        let refused = [
            sealer.seal(&place(), b"hunter2").unwrap_err(),
            sealer.seal_marked(&place(), secret.clone()).unwrap_err(),
            sealer.seal_whole(&place(), &secret).unwrap_err(),
        ];
        for error in refused {
            assert!(matches!(&error, StateError::NoKey(what) if what == "`docker_volume.a`"), "{error}");
        }
        assert!(sealer.open_whole(&place(), json!({ "$sealed": "x" })).is_err());
        assert!(self::sealer().open_whole(&place(), plain).is_err(), "with a key nothing stands open");
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
