//! An envelope: a random data key, wrapped with each of several keys, and the proof that it is the right one.
//!
//! Invariant: an envelope that was made opens with the keys that it was made with (test: `each_key_opens_it`).

use bimetal_model::port::StateError;
use serde::{Deserialize, Serialize};

use crate::key::{Bytes, Key, Keys, Wrapped, random, sealed};
use crate::seal::{Place, Sealer};

/// Of the text.
const FORMAT: u32 = 1;

/// As it stands in front of what is sealed.
#[derive(Serialize, Deserialize)]
pub(crate) struct Envelope {
    format: u32,
    keys: Vec<Wrapped>,
    /// Says that the keys above are those that were put there by who knew the data key.
    check: String,
}

impl Envelope {
    /// With a new data key. `realm` must be the same to open it.
    pub(crate) fn new(keys: &Keys, realm: &str) -> Result<(Envelope, Bytes), StateError> {
        let data = random()?;
        Ok((Envelope::of(&data, keys, realm)?, data))
    }

    /// With this data key.
    pub(crate) fn of(data: &Bytes, keys: &Keys, realm: &str) -> Result<Envelope, StateError> {
        let wrapped: Vec<Wrapped> =
            keys.seal.iter().map(|key| key.wrap(data, realm)).collect::<Result<_, _>>().map_err(unable)?;
        if wrapped.is_empty() {
            return Err(StateError::NoKey("this".to_owned()));
        }
        let check = Sealer::new(data, realm).sign(&place(), &text(&wrapped)?)?;
        let check = check.rsplit_once('\n').map(|(_, check)| check.to_owned()).unwrap_or_default();
        let envelope = Envelope { format: FORMAT, keys: wrapped, check };
        // What others wrapped has to be seen to open, or nothing that is sealed ever would.
        if !keys.seal.iter().any(Key::is_ours) {
            envelope.open(&Keys::new(keys.seal.clone()), realm).map_err(unable)?;
        }
        Ok(envelope)
    }

    /// The data key, by the first key that opens it.
    pub(crate) fn open(&self, keys: &Keys, realm: &str) -> Result<Bytes, StateError> {
        if self.format != FORMAT {
            return Err(StateError::Newer { found: self.format, known: FORMAT });
        }
        let mut reasons = Vec::new();
        for key in keys.all() {
            for wrapped in &self.keys {
                match key.unwrap(wrapped, realm) {
                    Some(Ok(data)) if self.is_of(&data, realm)? => return Ok(data),
                    Some(Ok(_)) => reasons.push(key.is_another()),
                    Some(Err(error)) => reasons.push(error),
                    None => {}
                }
            }
        }
        Err(self.closed(&reasons))
    }

    fn is_of(&self, data: &Bytes, realm: &str) -> Result<bool, StateError> {
        let signed = format!("{}\n{}", text(&self.keys)?, self.check);
        Ok(Sealer::new(data, realm).verify(&place(), &signed).is_ok())
    }

    fn closed(&self, reasons: &[StateError]) -> StateError {
        let mut reasons: Vec<String> = reasons
            .iter()
            .map(|error| match error {
                StateError::Sealed(reason) => reason.clone(),
                other => other.to_string(),
            })
            .collect();
        reasons.dedup();
        let wanted: Vec<String> = self.keys.iter().map(Wrapped::wants).collect();
        let wanted = format!("they open with {}", wanted.join(", or "));
        match reasons.is_empty() {
            true => sealed(format!("{wanted}; there is none here")),
            false => sealed(format!("{}; {wanted}", reasons.join("; "))),
        }
    }

    /// Reads what `to_text` wrote.
    pub(crate) fn parse(text: &str) -> Result<Envelope, StateError> {
        serde_json::from_str(text)
            .map_err(|error| StateError::Damaged(format!("what tells its key can't be read: {error}")))
    }

    pub(crate) fn to_text(&self) -> Result<String, StateError> {
        text(self)
    }
}

/// Nothing is sealed yet: it is the sealing that does not go.
fn unable(error: StateError) -> StateError {
    match error {
        StateError::Sealed(reason) => StateError::Key(format!("sensitive values can't be sealed: {reason}")),
        other => other,
    }
}

fn place() -> Place {
    Place::row("key", "check")
}

fn text<T: Serialize + ?Sized>(value: &T) -> Result<String, StateError> {
    serde_json::to_string(value).map_err(|error| sealed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::Secret;

    const REALM: &str = "lineage";

    fn text_key(digit: char) -> Key {
        Key::Text { name: "`BIMETAL_STATE_KEY`".to_owned(), text: Secret::new(digit.to_string().repeat(64)) }
    }

    fn passphrase(text: &str) -> Key {
        Key::Passphrase { name: "`BIMETAL_STATE_PASSPHRASE`".to_owned(), passphrase: Secret::new(text) }
    }

    fn command(wrap: &str, unwrap: &str) -> Key {
        let shell = |line: &str| ["sh", "-c", line].map(str::to_owned).to_vec();
        Key::Command { wrap: shell(wrap), unwrap: shell(unwrap) }
    }

    struct Ages {
        folder: tempfile::TempDir,
    }

    impl Ages {
        fn key(&self, name: &str) -> (Key, String) {
            let identity = age::x25519::Identity::generate();
            let path = self.folder.path().join(name);
            std::fs::write(&path, age::secrecy::ExposeSecret::expose_secret(&identity.to_string())).unwrap();
            let recipient = identity.to_public().to_string();
            (Key::Age { recipients: vec![recipient.clone()], identities: vec![path] }, recipient)
        }
    }

    fn opens(envelope: &Envelope, key: Key) -> Result<Bytes, String> {
        envelope.open(&Keys::new(vec![key]), REALM).map_err(|error| error.to_string())
    }

    #[test]
    fn each_key_opens_it() {
        let ages = Ages { folder: tempfile::tempdir().unwrap() };
        let (age, _) = ages.key("one");
        let all = vec![text_key('a'), passphrase("correct horse"), age, command("rev", "rev")];
        let (envelope, data) = Envelope::new(&Keys::new(all.clone()), REALM).unwrap();
        let envelope = Envelope::parse(&envelope.to_text().unwrap()).unwrap();
        for key in all {
            assert_eq!(opens(&envelope, key).unwrap(), data);
        }
        assert!(envelope.open(&Keys::default(), "another").is_err());
    }

    #[test]
    fn another_key_is_told_and_what_would_open_it() {
        let (envelope, _) = Envelope::new(&Keys::new(vec![text_key('a'), passphrase("correct horse")]), REALM).unwrap();
        let error = opens(&envelope, text_key('b')).unwrap_err();
        assert!(error.contains("`BIMETAL_STATE_KEY` is not the one") && error.contains("or a passphrase"), "{error}");
        let error = opens(&envelope, passphrase("battery staple")).unwrap_err();
        assert!(error.contains("`BIMETAL_STATE_PASSPHRASE` is not the one") && !error.contains("staple"), "{error}");
        let error = envelope.open(&Keys::default(), REALM).err().unwrap().to_string();
        assert!(error.contains("there is none here"), "{error}");
        let missing =
            Key::Unavailable { name: "`encryption \"passphrase\"`".to_owned(), reason: "no value".to_owned() };
        let error = opens(&envelope, missing).unwrap_err();
        assert!(error.contains("`encryption \"passphrase\"` can't be used: no value"), "{error}");
    }

    #[test]
    fn an_identity_of_age_opens_what_is_for_it_alone() {
        let ages = Ages { folder: tempfile::tempdir().unwrap() };
        let ((one, recipient), (other, _)) = (ages.key("one"), ages.key("other"));
        let (envelope, _) = Envelope::new(&Keys::new(vec![one]), REALM).unwrap();
        let error = opens(&envelope, other.clone()).unwrap_err();
        assert!(error.contains("other` opens it") && error.contains(&recipient), "{error}");
        // Who could not open it again is told so before anything is sealed.
        let Key::Age { identities, .. } = other else { unreachable!("made so") };
        let both = Key::Age { recipients: vec![recipient], identities };
        assert!(Envelope::new(&Keys::new(vec![both]), REALM).is_err());
        let wrong = Key::Age { recipients: vec!["age1nobody".to_owned()], identities: Vec::new() };
        let error = Envelope::new(&Keys::new(vec![wrong]), REALM).err().unwrap().to_string();
        assert!(error.contains("`age1nobody` is no recipient"), "{error}");
    }

    #[test]
    fn a_program_that_forgets_what_it_wrapped_is_found_out_before_anything_is_sealed() {
        let keys = Keys::new(vec![command("cat > /dev/null; echo wrapped", "cat > /dev/null; echo nothing")]);
        let error = Envelope::new(&keys, REALM).err().unwrap().to_string();
        assert!(error.contains("printed no key"), "{error}");
        let another = format!("cat > /dev/null; echo {}", "ab".repeat(32));
        let error = Envelope::new(&Keys::new(vec![command("rev", &another)]), REALM).err().unwrap().to_string();
        assert!(error.contains("is not the one"), "{error}");
    }

    #[test]
    fn keys_that_somebody_else_put_there_or_took_away_are_found_out() {
        let (mine, _) = Envelope::new(&Keys::new(vec![text_key('a'), text_key('b')]), REALM).unwrap();
        let (other, _) = Envelope::new(&Keys::new(vec![text_key('c')]), REALM).unwrap();
        let Envelope { keys, check, .. } = mine;
        let fewer = Envelope { format: FORMAT, keys: keys.into_iter().take(1).collect(), check: check.clone() };
        assert!(opens(&fewer, text_key('a')).is_err());
        let mixed = Envelope { format: FORMAT, keys: other.keys, check };
        assert!(opens(&mixed, text_key('c')).is_err());
    }
}
