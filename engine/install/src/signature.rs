//! Signatures of components: minisign's, over the component's bytes.
//!
//! Name and version stand in the component, so that what is signed can't be passed off as something else.

use std::fmt;
use std::io::Cursor;

use bimetal_model::{Diagnostic, ProviderName};
use minisign::{KeyPair, PublicKey, PublicKeyBox, SecretKeyBox, SignatureBox};

/// What is put behind a component's file name for that of its signature.
pub const SUFFIX: &str = ".minisig";

/// A public key: `RW…`, 56 characters.
#[derive(Clone, Debug)]
pub struct Key(PublicKey);

/// A pair of keys, as minisign keeps them in files.
pub struct Pair {
    /// Everybody may have it.
    pub public: String,
    /// Nobody may.
    pub secret: String,
}

impl Key {
    /// Reads `RW…`, or all of the file that minisign writes.
    pub fn parse(text: &str) -> Result<Key, String> {
        let text = text.trim();
        let key = match text.contains('\n') {
            true => PublicKeyBox::from_string(text).and_then(PublicKeyBox::into_public_key),
            false => PublicKey::from_base64(text),
        };
        // The library takes keys of other algorithms for its own.
        let key = key.ok().filter(|key| key.to_base64().starts_with("RW"));
        key.map(Key).ok_or_else(|| "it is no public key of minisign's, which begin with `RW`".to_owned())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_base64())
    }
}

/// The one of the keys that a component was signed with. A provider that nobody asks a signature of has no signer.
pub fn signer(
    name: &ProviderName,
    wasm: &[u8],
    signature: Option<&str>,
    keys: &[Key],
) -> Result<Option<String>, Diagnostic> {
    if keys.is_empty() {
        return Ok(None);
    }
    let wanted = match keys {
        [only] => format!("the configuration wants it signed by {only}"),
        keys => format!("the configuration wants it signed by one of {} keys", keys.len()),
    };
    let Some(signature) = signature else {
        return Err(Diagnostic::error(format!("provider `{name}` is not signed"))
            .because(wanted)
            .hint("get it from who makes it, or leave `signed_by` out to take it unsigned"));
    };
    let broken = |why: String| {
        Diagnostic::error(format!("the signature of provider `{name}` is wrong"))
            .because(why)
            .hint("it was changed after it was signed, or the signature is another one's: don't use it")
    };
    let signature =
        SignatureBox::from_string(signature).map_err(|error| broken(format!("it can't be read: {error}")))?;
    let Some(key) = keys.iter().find(|key| key.0.keynum() == signature.keynum()) else {
        return Err(Diagnostic::error(format!("provider `{name}` is signed with another key"))
            .because(format!("with {}; {wanted}", id(signature.keynum())))
            .hint("if its makers have a new key, add that to `signed_by`: ask them, and not the registry"));
    };
    minisign::verify(&key.0, &signature, Cursor::new(wasm), true, false, false)
        .map_err(|_| broken(format!("the component is not what {} signed", id(signature.keynum()))))?;
    Ok(Some(key.to_string()))
}

/// Signs a component; the comment is signed, too.
pub fn sign(wasm: &[u8], secret: &str, password: Option<String>, comment: &str) -> Result<String, Diagnostic> {
    let wrong = |error: minisign::PError| {
        Diagnostic::error("the secret key can't be used").because(error.to_string()).hint(
            "it is a file that `bimetal plugin keygen` or `minisign -G` made; `BIMETAL_SIGNING_PASSWORD` opens it",
        )
    };
    let secret = SecretKeyBox::from_string(secret).map_err(wrong)?;
    let key = match password {
        Some(password) => secret.into_secret_key(Some(password)),
        None => secret.into_unencrypted_secret_key(),
    };
    let untrusted = Some("signature of a Bimetal provider");
    let signature = minisign::sign(None, &key.map_err(wrong)?, Cursor::new(wasm), Some(comment), untrusted);
    Ok(signature.map_err(wrong)?.into_string())
}

/// Makes a pair of keys; the secret one is sealed with the password, where there is one.
pub fn generate(password: Option<String>) -> Result<Pair, Diagnostic> {
    let wrong = |error: minisign::PError| Diagnostic::error("no keys can be made").because(error.to_string());
    let pair = match password {
        Some(password) => KeyPair::generate_encrypted_keypair(Some(password)),
        None => KeyPair::generate_unencrypted_keypair(),
    };
    let KeyPair { pk, sk } = pair.map_err(wrong)?;
    Ok(Pair {
        public: pk.to_box().map_err(wrong)?.into_string(),
        secret: sk.to_box(Some("key that signs Bimetal providers")).map_err(wrong)?.into_string(),
    })
}

/// As minisign shows it.
fn id(number: &[u8]) -> String {
    let digits: String = number.iter().rev().map(|byte| format!("{byte:02X}")).collect();
    format!("the key with the id {digits}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(wasm: &[u8], signature: Option<&str>, keys: &[Key]) -> String {
        signer(&ProviderName("notes".into()), wasm, signature, keys).unwrap_err().summary
    }

    #[test]
    fn who_signed_is_told_and_whatever_else_refused() {
        let pair = generate(None).unwrap();
        let key = Key::parse(&pair.public).unwrap();
        let keys = [Key::parse(&generate(None).unwrap().public).unwrap(), key.clone()];
        let signature = sign(b"wasm", &pair.secret, None, "notes 1.0.0").unwrap();
        let name = ProviderName("notes".into());
        assert_eq!(signer(&name, b"wasm", Some(&signature), &keys).unwrap(), Some(key.to_string()));
        assert_eq!(signer(&name, b"wasm", None, &[]).unwrap(), None);

        assert_eq!(said(b"wasm", None, &keys), "provider `notes` is not signed");
        assert_eq!(said(b"other", Some(&signature), &keys), "the signature of provider `notes` is wrong");
        assert_eq!(said(b"wasm", Some("garbage"), &keys), "the signature of provider `notes` is wrong");
        assert_eq!(said(b"wasm", Some(&signature), &keys[..1]), "provider `notes` is signed with another key");
        // The comment is signed, too.
        let forged = signature.replace("notes 1.0.0", "notes 2.0.0");
        assert_eq!(said(b"wasm", Some(&forged), &keys), "the signature of provider `notes` is wrong");
    }

    #[test]
    fn a_key_with_a_password_needs_it() {
        let pair = generate(Some("open".to_owned())).unwrap();
        assert!(sign(b"wasm", &pair.secret, None, "x").is_err());
        assert!(sign(b"wasm", &pair.secret, Some("shut".to_owned()), "x").is_err());
        assert!(sign(b"wasm", &pair.secret, Some("open".to_owned()), "x").is_ok());
    }

    #[test]
    fn what_is_no_key_is_said() {
        for text in ["", "RW", "banana", "a\nb"] {
            assert!(Key::parse(text).is_err(), "{text}");
        }
        // All that differs is the name of the algorithm.
        let other = generate(None).unwrap().public.replacen("RW", "XW", 1);
        assert!(Key::parse(&other).is_err(), "{other}");
    }
}
