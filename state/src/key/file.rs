//! Keys as text: how one is read, and how a file with a new one is made.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use bimetal_model::port::StateError;
use zeroize::Zeroizing;

use super::{Bytes, random, sealed};

/// The key in a file.
pub(super) fn read(path: &Path) -> Result<Bytes, StateError> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(sealed(format!("the key file `{}` is missing", path.display())));
        }
        Err(error) => return Err(unusable(path, &error.to_string())),
        Ok(file) => file,
    };
    let metadata = file.metadata().map_err(|error| unusable(path, &error.to_string()))?;
    if metadata.mode() & 0o077 != 0 {
        let reason = format!("others may read it; make a new key, or `chmod 600 '{}'` if you are sure", path.display());
        return Err(unusable(path, &reason));
    }
    let text = std::io::read_to_string(file).map_err(|error| unusable(path, &error.to_string()))?;
    parse(&Zeroizing::new(text)).ok_or_else(|| malformed(&format!("the key file `{}`", path.display())))
}

/// Makes a file with a new key, that only its owner may read. It appears whole or not at all; one that is there is an error.
pub fn make(path: &Path) -> Result<(), StateError> {
    let key = random::<32>()?;
    let name = URL_SAFE_NO_PAD.encode(&random::<8>()?[..]);
    write(path, &key, &name).map_err(|error| {
        let reason = match error.kind() {
            ErrorKind::AlreadyExists => "it is there already, and something may be sealed with it".to_owned(),
            _ => error.to_string(),
        };
        StateError::Key(format!("the key file `{}` can't be made: {reason}", path.display()))
    })
}

fn write(path: &Path, key: &Bytes, name: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let draft = path.with_extension(format!("{name}.new"));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let text = Zeroizing::new(STANDARD.encode(&key[..]));
    let written = writeln!(file, "{}", *text).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| std::fs::hard_link(&draft, path));
    std::fs::remove_file(&draft)?;
    linked.and_then(|()| sync_folder(path))
}

/// A new file's name survives a power cut only once its folder is on disk too.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

/// 32 bytes as base64 or 64 hexadecimal digits.
pub(super) fn parse(text: &str) -> Option<Bytes> {
    let text = text.trim();
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let digits = |place: usize| u8::from_str_radix(text.get(place..place + 2)?, 16).ok();
        let bytes: Zeroizing<Vec<u8>> = Zeroizing::new((0..64).step_by(2).map(digits).collect::<Option<_>>()?);
        return bytes[..].try_into().ok().map(Zeroizing::new);
    }
    let engines = [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD];
    let bytes = Zeroizing::new(engines.iter().find_map(|engine| engine.decode(text).ok())?);
    bytes[..].try_into().ok().map(Zeroizing::new)
}

pub(super) fn malformed(what: &str) -> StateError {
    sealed(format!(
        "{what} is not a key: 32 bytes as base64 or 64 hexadecimal digits are, as `openssl rand -base64 32` makes them"
    ))
}

fn unusable(path: &Path, reason: &str) -> StateError {
    sealed(format!("the key file `{}` can't be used: {reason}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_base64_or_hexadecimal() {
        let hexadecimal = "0f".repeat(32);
        for text in
            [hexadecimal.as_str(), &STANDARD.encode([15; 32]), &format!("{}\n", URL_SAFE_NO_PAD.encode([15; 32]))]
        {
            assert_eq!(parse(text).unwrap()[..], [15; 32]);
        }
        assert!(parse("hunter2").is_none() && parse("").is_none());
    }

    #[test]
    fn a_key_file_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/state.key");
        assert!(read(&path).unwrap_err().to_string().contains("missing"));
        make(&path).unwrap();
        let key = read(&path).unwrap();
        let again = make(&path).unwrap_err().to_string();
        let said = "can't be made: it is there already, and something may be sealed with it";
        assert!(again.starts_with("the key file `") && again.ends_with(said), "{again}");
        assert_eq!(read(&path).unwrap(), key);
        let files: Vec<_> = std::fs::read_dir(folder.path().join("deep")).unwrap().collect();
        assert_eq!(files.len(), 1, "the drafts are gone");
        assert_eq!(std::fs::metadata(path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.key");
        std::fs::write(&path, "0f".repeat(32)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains("others may read it"), "{error}");
    }
}
