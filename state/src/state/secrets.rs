//! Secrets of the engine's own.

use bimetal_model::port::StateError;

use super::{MOST_TRIES, State, wait};
use crate::document;
use crate::store::{Commit, Committed, Expect, Select, Table};

impl State {
    pub(super) async fn read_secret(&self, name: &str) -> Result<Option<Vec<u8>>, StateError> {
        let found = self.look(&[Select::One(Table::Secrets, name.to_owned())]).await?;
        let Some((opened, view)) = found else { return Ok(None) };
        let rows = view.answers.concat();
        let opened =
            rows.first().map(|row| document::open_bytes(&opened.sealer, "secrets", name, &row.value)).transpose();
        Ok(opened.map_err(|error| self.told(error))?.map(|secret| secret.to_vec()))
    }

    /// Keeps a secret, unless there is one of that name.
    pub(super) async fn keep_first_secret(&self, name: &str, secret: &[u8]) -> Result<Vec<u8>, StateError> {
        for tries in 0..MOST_TRIES {
            if let Some(kept) = self.read_secret(name).await? {
                return Ok(kept);
            }
            let opened = self.opened_or_new().await?;
            let mut commit = Commit::default();
            commit.expect.push(Expect::Version(Table::Secrets, name.to_owned(), 0));
            commit.put(Table::Secrets, name, document::seal_bytes(&opened.sealer, "secrets", name, secret)?);
            if let Committed::Done(_) = self.commit(&opened, commit).await? {
                return Ok(secret.to_vec());
            }
            wait(tries).await;
        }
        Err(self.too_busy())
    }
}
