//! Secrets, kept where no guest comes: a table from an id to a secret.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::fault::{Code, Fault};

/// Text that can't be printed by accident: it has neither `Debug` nor `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// From now on a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text, for who really needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[derive(Clone, PartialEq, Eq)]
enum Entry {
    Value(Secret),
    File(PathBuf),
}

/// All credentials of a run, by ids that stay the same from run to run: `machine.baremetal.rack["a"]#private_key`.
#[derive(Default)]
pub struct Credentials(Mutex<HashMap<String, Entry>>);

impl Credentials {
    /// The secret itself.
    pub fn put(&self, id: &str, secret: Secret) {
        self.table().insert(id.to_owned(), Entry::Value(secret));
    }

    /// A file that holds it, read when it is needed. `~/` is the user's home.
    pub fn put_file(&self, id: &str, path: &str) {
        let home = path.strip_prefix("~/").and_then(|rest| Some(std::env::home_dir()?.join(rest)));
        self.table().insert(id.to_owned(), Entry::File(home.unwrap_or_else(|| PathBuf::from(path))));
    }

    /// The secret of an id.
    pub async fn secret(&self, id: &str) -> Result<Secret, Fault> {
        let entry = self.table().get(id).cloned();
        match entry {
            Some(Entry::Value(secret)) => Ok(secret),
            Some(Entry::File(path)) => match tokio::fs::read_to_string(&path).await {
                Ok(text) => Ok(Secret::new(text)),
                Err(error) => Err(Fault::new(
                    Code::NotFound,
                    format!("the file of credential `{id}`, `{}`, can't be read: {error}", path.display()),
                )),
            },
            None => Err(Fault::new(
                Code::NotFound,
                format!("the credential `{id}` is not known in this run; is its block still in the configuration?"),
            )),
        }
    }

    fn table(&self) -> std::sync::MutexGuard<'_, HashMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
