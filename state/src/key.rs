//! The key that seals: from the environment's text, or a file of the user's own that is made on first use.
//!
//! Must not print it.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use bimetal_model::port::StateError;

/// Where the key comes from.
#[derive(Clone)]
pub enum KeySource {
    /// 32 bytes as base64 or hexadecimal digits.
    Text(String),
    /// A file with such a text that only its owner may read; made with a random key when first needed.
    File(PathBuf),
}

/// 32 secret bytes.
pub(crate) type Key = [u8; 32];

impl KeySource {
    /// The key; one that is in a file must be there.
    pub(crate) fn existing(&self) -> Result<Key, StateError> {
        match self {
            KeySource::Text(text) => parse(text).ok_or_else(|| malformed("`BIMETAL_STATE_KEY`")),
            KeySource::File(path) => match read(path) {
                Err(Missing) => Err(StateError::Sealed(format!(
                    "the key file `{}` is missing; bring it here, or set `BIMETAL_STATE_KEY`",
                    path.display()
                ))),
                Ok(key) => key,
            },
        }
    }

    /// The key; a file that is not there is made.
    pub(crate) fn existing_or_new(&self) -> Result<Key, StateError> {
        match self {
            KeySource::Text(_) => self.existing(),
            KeySource::File(path) => read(path).unwrap_or_else(|Missing| {
                make(path).map_err(|error| unusable(path, &error.to_string()))?;
                self.existing()
            }),
        }
    }
}

struct Missing;

fn read(path: &Path) -> Result<Result<Key, StateError>, Missing> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(Missing),
        Err(error) => return Ok(Err(unusable(path, &error.to_string()))),
        Ok(file) => file,
    };
    Ok(read_private(&file, path))
}

fn read_private(file: &File, path: &Path) -> Result<Key, StateError> {
    let metadata = file.metadata().map_err(|error| unusable(path, &error.to_string()))?;
    if metadata.mode() & 0o077 != 0 {
        let reason = format!("others may read it; make a new key, or `chmod 600 '{}'` if you are sure", path.display());
        return Err(unusable(path, &reason));
    }
    let text = std::io::read_to_string(file).map_err(|error| unusable(path, &error.to_string()))?;
    parse(&text).ok_or_else(|| malformed(&format!("the key file `{}`", path.display())))
}

/// The file appears whole or not at all, and the first of two processes wins.
fn make(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut random = [0; 40];
    getrandom::fill(&mut random).map_err(|error| std::io::Error::other(error.to_string()))?;
    let (key, suffix) = random.split_at(32);
    let draft = path.with_extension(format!("{}.new", URL_SAFE_NO_PAD.encode(suffix)));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = writeln!(file, "{}", STANDARD.encode(key)).and_then(|()| file.sync_all());
    let linked = written.and_then(|()| std::fs::hard_link(&draft, path));
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked.and_then(|()| sync_folder(path)),
    }
}

/// A new file's name survives a power cut only once its folder is on disk too.
pub(crate) fn sync_folder(path: &Path) -> std::io::Result<()> {
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

fn parse(text: &str) -> Option<Key> {
    let text = text.trim();
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let digits = |place: usize| u8::from_str_radix(text.get(place..place + 2)?, 16).ok();
        let bytes: Vec<u8> = (0..64).step_by(2).map(digits).collect::<Option<_>>()?;
        return bytes.try_into().ok();
    }
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD]
        .iter()
        .find_map(|engine| engine.decode(text).ok())
        .and_then(|bytes| bytes.try_into().ok())
}

fn malformed(what: &str) -> StateError {
    StateError::Sealed(format!("{what} is not a key: 32 bytes as base64 or 64 hexadecimal digits are"))
}

fn unusable(path: &Path, reason: &str) -> StateError {
    StateError::Sealed(format!("the key file `{}` can't be used: {reason}", path.display()))
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
            assert_eq!(KeySource::Text(text.to_owned()).existing().unwrap(), [15; 32]);
        }
    }

    #[test]
    fn a_text_that_is_no_key_is_refused_without_being_shown() {
        let error = KeySource::Text("hunter2".to_owned()).existing().unwrap_err().to_string();
        assert!(error.contains("BIMETAL_STATE_KEY") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_key_file_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let source = KeySource::File(folder.path().join("deep/state.key"));
        assert!(source.existing().unwrap_err().to_string().contains("missing"));
        let key = source.existing_or_new().unwrap();
        assert_eq!(source.existing_or_new().unwrap(), key);
        let files: Vec<_> = std::fs::read_dir(folder.path().join("deep")).unwrap().collect();
        assert_eq!(files.len(), 1, "the draft is gone");
        assert_eq!(std::fs::metadata(folder.path().join("deep/state.key")).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_key_file_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.key");
        std::fs::write(&path, "0f".repeat(32)).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = KeySource::File(path).existing().unwrap_err().to_string();
        assert!(error.contains("others may read it"), "{error}");
    }
}
