//! Whether a host key is to be believed, by the rules and files of OpenSSH.
//!
//! Invariant: a key that differs from the known one is never accepted and never written over (test:
//! `a_changed_key_is_refused_with_its_line`).

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use russh::keys::{Algorithm, HashAlg, PublicKey};

use super::endpoint::{Endpoint, HostKeyCheck};
use crate::fault::{Code, Fault};

/// What a connection checks its machine's key against.
pub(crate) struct HostKeys {
    name: String,
    check: HostKeyCheck,
    pinned: Option<PublicKey>,
    path: Option<PathBuf>,
    entries: Vec<Entry>,
}

/// One line that is about this machine.
#[derive(Debug, PartialEq)]
struct Entry {
    line: usize,
    revoked: bool,
    key: PublicKey,
}

/// Two connections that meet their machines first at the same time write one after the other.
static LEARNING: Mutex<()> = Mutex::new(());

impl HostKeys {
    /// Reads the file of known hosts, if the endpoint's check needs it.
    pub(crate) fn of(endpoint: &Endpoint, home: Option<&Path>) -> Result<HostKeys, Fault> {
        let name = name_of(&endpoint.host, endpoint.port());
        let check = endpoint.host_key_check();
        if let Some(text) = &endpoint.host_key {
            return Ok(HostKeys { name, check, pinned: Some(pinned(text)?), path: None, entries: Vec::new() });
        }
        let path = known_hosts_path(endpoint, home);
        let entries = match (&path, check) {
            (_, HostKeyCheck::Off) | (None, _) => Vec::new(),
            (Some(path), _) => entries(&read(path)?, &name),
        };
        Ok(HostKeys { name, check, pinned: None, path, entries })
    }

    /// The algorithms of the keys that are known, to be asked for first: a server shows one of its keys only.
    pub(crate) fn algorithms(&self) -> Vec<Algorithm> {
        let known = self.entries.iter().filter(|entry| !entry.revoked).map(|entry| &entry.key);
        known.chain(&self.pinned).flat_map(|key| with_hashes(key.algorithm())).collect()
    }

    /// Believes the key or says why not; learns it where that is wanted.
    pub(crate) fn verify(&self, key: &PublicKey) -> Result<(), Fault> {
        let same = |known: &PublicKey| known.key_data() == key.key_data();
        if let Some(pinned) = &self.pinned {
            return if same(pinned) { Ok(()) } else { Err(self.not_the_pinned(key)) };
        }
        if self.check == HostKeyCheck::Off {
            return Ok(());
        }
        if let Some(entry) = self.entries.iter().find(|entry| entry.revoked && same(&entry.key)) {
            return Err(self.revoked(entry));
        }
        let known: Vec<&Entry> = self.entries.iter().filter(|entry| !entry.revoked).collect();
        match (known.first(), self.check) {
            _ if known.iter().any(|entry| same(&entry.key)) => Ok(()),
            (Some(first), _) => {
                let same_kind = known.iter().find(|entry| entry.key.algorithm() == key.algorithm());
                Err(self.changed(same_kind.unwrap_or(first), key))
            }
            (None, HostKeyCheck::AcceptNew) => self.learn(key),
            (None, HostKeyCheck::Strict | HostKeyCheck::Off) => Err(self.unknown(key)),
        }
    }

    fn learn(&self, key: &PublicKey) -> Result<(), Fault> {
        let Some(path) = &self.path else {
            return Err(Fault::new(
                Code::Invalid,
                "there is no home folder to keep a known host in; set `known_hosts`",
            ));
        };
        let _one = LEARNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let text = read(path)?;
        if entries(&text, &self.name).iter().any(|entry| entry.key.key_data() == key.key_data()) {
            return Ok(());
        }
        let line = format!("{} {}\n", self.name, openssh(key));
        let line = if text.is_empty() || text.ends_with('\n') { line } else { format!("\n{line}") };
        append(path, &line).map_err(|error| {
            let message = format!("the host key of `{}` can't be kept in {}: {error}", self.name, path.display());
            Fault::new(Code::Invalid, message)
        })
    }

    fn file(&self) -> String {
        self.path.as_ref().map_or_else(|| "~/.ssh/known_hosts".to_owned(), |path| path.display().to_string())
    }

    fn unknown(&self, key: &PublicKey) -> Fault {
        let message = format!(
            "the host key of `{name}` is not known: it shows {print}\n\
             if that is the machine's key, add the line `{name} {key}` to {file}, or set `host_key` or `host_key_check = \"accept-new\"`",
            name = self.name,
            print = fingerprint(key),
            key = openssh(key),
            file = self.file(),
        );
        Fault::new(Code::Unauthorized, message)
    }

    fn changed(&self, entry: &Entry, key: &PublicKey) -> Fault {
        let message = format!(
            "the host key of `{}` has changed: {}:{} has {}, but the machine shows {}\n\
             somebody may be listening in; if the machine was made anew, remove that line and connect again",
            self.name,
            self.file(),
            entry.line,
            fingerprint(&entry.key),
            fingerprint(key),
        );
        Fault::new(Code::Unauthorized, message)
    }

    fn revoked(&self, entry: &Entry) -> Fault {
        let message = format!(
            "the host key of `{}` is marked as revoked in {}:{}\ngive the machine a new key",
            self.name,
            self.file(),
            entry.line
        );
        Fault::new(Code::Unauthorized, message)
    }

    fn not_the_pinned(&self, key: &PublicKey) -> Fault {
        let message = format!(
            "`{}` shows the host key {}, which is not its `host_key`\n\
             somebody may be listening in; if the machine was made anew, set `host_key` to `{}`",
            self.name,
            fingerprint(key),
            openssh(key),
        );
        Fault::new(Code::Unauthorized, message)
    }
}

/// `ssh-ed25519 AAAA…`, without a comment.
pub(crate) fn openssh(key: &PublicKey) -> String {
    let mut key = key.clone();
    key.set_comment("");
    key.to_openssh().map(|text| text.trim_end().to_owned()).unwrap_or_default()
}

fn fingerprint(key: &PublicKey) -> String {
    format!("{} {}", key.algorithm(), key.fingerprint(HashAlg::Sha256))
}

fn with_hashes(algorithm: Algorithm) -> Vec<Algorithm> {
    match algorithm {
        Algorithm::Rsa { .. } => {
            [Some(HashAlg::Sha512), Some(HashAlg::Sha256)].map(|hash| Algorithm::Rsa { hash }).to_vec()
        }
        other => vec![other],
    }
}

fn pinned(text: &str) -> Result<PublicKey, Fault> {
    PublicKey::from_openssh(text.trim())
        .map_err(|error| Fault::new(Code::Invalid, format!("`host_key` is not an OpenSSH public key: {error}")))
}

fn name_of(host: &str, port: u16) -> String {
    let host = host.to_lowercase();
    if port == 22 { host } else { format!("[{host}]:{port}") }
}

fn known_hosts_path(endpoint: &Endpoint, home: Option<&Path>) -> Option<PathBuf> {
    match &endpoint.known_hosts {
        Some(path) => Some(super::identity::expand_home(path, home)),
        None => home.map(|home| home.join(".ssh/known_hosts")),
    }
}

/// No file is an empty one.
fn read(path: &Path) -> Result<String, Fault> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Fault::new(Code::Invalid, format!("{} can't be read: {error}", path.display()))),
    }
}

#[cfg(unix)]
fn append(path: &Path, line: &str) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let mut file = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    file.write_all(line.as_bytes())
}

#[cfg(not(unix))]
fn append(path: &Path, line: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::OpenOptions::new().append(true).create(true).open(path)?.write_all(line.as_bytes())
}

/// The lines about a machine. Lines that can't be read are passed over, as OpenSSH does; so are those of authorities.
fn entries(text: &str, name: &str) -> Vec<Entry> {
    text.lines().enumerate().filter_map(|(index, line)| entry(index + 1, line, name)).collect()
}

fn entry(line: usize, text: &str, name: &str) -> Option<Entry> {
    let mut words = text.split_whitespace().peekable();
    let marker = words.next_if(|word| word.starts_with('@'));
    let hosts = words.next().filter(|word| !word.starts_with('#'))?;
    let revoked = match marker {
        None => false,
        Some("@revoked") => true,
        Some(_) => return None,
    };
    if !matches(hosts, name) {
        return None;
    }
    let key = PublicKey::from_openssh(&format!("{} {}", words.next()?, words.next()?)).ok()?;
    Some(Entry { line, revoked, key })
}

/// Whether a list of patterns, or a hash, is about a machine. One negated pattern that fits is enough for a no.
fn matches(patterns: &str, name: &str) -> bool {
    let mut found = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(negated) if fits(negated, name) => return false,
            Some(_) => {}
            None => found |= hashed(pattern, name).unwrap_or_else(|| fits(pattern, name)),
        }
    }
    found
}

/// `|1|salt|hash`: HMAC-SHA1 of the name. `None`: not of that form.
fn hashed(pattern: &str, name: &str) -> Option<bool> {
    let (salt, hash) = pattern.strip_prefix("|1|")?.split_once('|')?;
    let (Ok(salt), Ok(hash)) = (STANDARD.decode(salt), STANDARD.decode(hash)) else {
        return Some(false);
    };
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt);
    Some(ring::hmac::verify(&key, name.as_bytes(), &hash).is_ok())
}

/// `*` and `?`, without regard to case.
fn fits(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.to_lowercase().into_bytes(), name.as_bytes());
    let (mut p, mut n, mut star) = (0, 0, None);
    while n < name.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&c) if c == b'?' || c == name[n] => (p, n) = (p + 1, n + 1),
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    (p, n) = (at + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";
    const B: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA6rWI3G1sz07DnfFlrouTcysQlj2P+jpNSOEWD9OJ3X";

    fn key(text: &str) -> PublicKey {
        PublicKey::from_openssh(text).unwrap()
    }

    fn host_keys(text: &str, host: &str, port: u16, check: HostKeyCheck) -> HostKeys {
        let name = name_of(host, port);
        HostKeys { entries: entries(text, &name), name, check, pinned: None, path: Some("/known".into()) }
    }

    #[test]
    fn a_known_key_is_believed() {
        for (text, host, port) in [
            (format!("a,b {A}"), "b", 22),
            (format!("# x\n\n[b]:2222 {A} comment here"), "b", 2222),
            (format!("*.example.org,!bad.example.org {A}"), "a.Example.org", 22),
            (format!("b {B}\nb {A}"), "b", 22),
            // `ssh-keygen -H` of `example.org`.
            (format!("|1|O33ESRMWPVkMYIwJ1Uw+n877jTo=|nuuC5vEqXlEZ/8BXQR7m619W6Ak= {A}"), "example.com", 22),
        ] {
            let keys = host_keys(&text, host, port, HostKeyCheck::Strict);
            assert_eq!(keys.verify(&key(A)), Ok(()), "{text}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_line_to_add() {
        for text in [String::new(), format!("b {A}"), format!("!a,* {A}"), format!("@cert-authority a {A}")] {
            let fault = host_keys(&text, "a", 22, HostKeyCheck::Strict).verify(&key(A)).unwrap_err();
            assert_eq!(fault.code, Code::Unauthorized);
            assert!(fault.message.contains(&format!("add the line `a {A}` to /known")), "{}", fault.message);
        }
    }

    #[test]
    fn a_changed_key_is_refused_with_its_line() {
        for check in [HostKeyCheck::Strict, HostKeyCheck::AcceptNew] {
            let fault = host_keys(&format!("# first\na {B}"), "a", 22, check).verify(&key(A)).unwrap_err();
            assert!(fault.message.contains("/known:2 has ssh-ed25519 SHA256:"), "{}", fault.message);
        }
    }

    #[test]
    fn a_revoked_key_is_refused() {
        let fault = host_keys(&format!("a {A}\n@revoked * {A}"), "a", 22, HostKeyCheck::AcceptNew);
        assert!(fault.verify(&key(A)).unwrap_err().message.contains("/known:2"));
    }

    #[test]
    fn a_new_key_is_kept_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/known_hosts");
        let keys =
            |text: &str| HostKeys { path: Some(path.clone()), ..host_keys(text, "a", 2222, HostKeyCheck::AcceptNew) };
        keys("").verify(&key(A)).unwrap();
        keys("").verify(&key(A)).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("[a]:2222 {A}\n"));
    }
}
