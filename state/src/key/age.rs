//! Keys of `age`: recipients that may open, identities that do.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use age::{Decryptor, Encryptor, Identity, IdentityFile, Recipient, x25519};
use bimetal_model::port::StateError;

use super::sealed;

/// A file of `age` that each of the recipients can open.
pub(super) fn encrypt(recipients: &[String], secret: &[u8]) -> Result<Vec<u8>, StateError> {
    let recipients: Vec<x25519::Recipient> = recipients.iter().map(|text| recipient(text)).collect::<Result<_, _>>()?;
    let encryptor = Encryptor::with_recipients(recipients.iter().map(|recipient| recipient as &dyn Recipient));
    let encryptor = encryptor.map_err(|error| sealed(format!("`age` can't seal: {error}")))?;
    let mut file = Vec::new();
    let written = encryptor.wrap_output(&mut file).and_then(|mut writer| {
        writer.write_all(secret)?;
        writer.finish().map(drop)
    });
    written.map_err(|error| sealed(format!("`age` can't seal: {error}")))?;
    Ok(file)
}

fn recipient(text: &str) -> Result<x25519::Recipient, StateError> {
    text.trim().parse().map_err(|reason| {
        let hint = "`age-keygen -y` prints one: `age1…`";
        sealed(format!("`{text}` is no recipient of `age` ({reason}); {hint}"))
    })
}

/// What is in a file of `age`.
pub(super) fn decrypt(identities: &[PathBuf], file: &[u8]) -> Result<Vec<u8>, StateError> {
    if identities.is_empty() {
        return Err(sealed("`encryption \"age\"` has no `identity` to open with".to_owned()));
    }
    let mut ours: Vec<Box<dyn Identity>> = Vec::new();
    for path in identities {
        ours.extend(read(path)?);
    }
    let opened =
        Decryptor::new_buffered(file).and_then(|decryptor| decryptor.decrypt(ours.iter().map(|identity| &**identity)));
    let mut secret = Vec::new();
    let mut reader = opened.map_err(|error| {
        let names: Vec<_> = identities.iter().map(|path| format!("`{}`", path.display())).collect();
        sealed(format!("no identity of `age` in {} opens it: {error}", names.join(", ")))
    })?;
    reader.read_to_end(&mut secret).map_err(|error| sealed(format!("`age` can't open it: {error}")))?;
    Ok(secret)
}

fn read(path: &PathBuf) -> Result<Vec<Box<dyn Identity>>, StateError> {
    let unusable =
        |reason: String| sealed(format!("the identity file `{}` of `age` can't be used: {reason}", path.display()));
    let text = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    // What it says could quote the file.
    let file = IdentityFile::from_buffer(&text[..]).map_err(|_| unusable("it is none".to_owned()))?;
    file.into_identities().map_err(|error| unusable(error.to_string()))
}
