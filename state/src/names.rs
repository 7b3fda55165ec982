//! Several states beside each other in one store, each under a name.
//!
//! The one called `default` is where the store's location says; the others lie beside it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use bimetal_model::port::StateError;

use crate::Location;
use crate::store::log::{Bucket, Log};
use crate::store::postgres::Postgres;

/// So that a schema's name with it is still one to PostgreSQL, which cuts off what is longer than 63 bytes.
const LONGEST: usize = 32;

/// Where in a bucket the other states are.
const FOLDER: &str = "states";

/// What a state is called: lower-case letters, digits, `-` and `_`, and no more than 32 of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StateName(String);

impl StateName {
    /// The state of who names none.
    pub const DEFAULT: &'static str = "default";

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the state of who names none.
    pub fn is_default(&self) -> bool {
        self.0 == StateName::DEFAULT
    }
}

impl Default for StateName {
    fn default() -> Self {
        StateName(StateName::DEFAULT.to_owned())
    }
}

impl FromStr for StateName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
        let begins = text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
        match begins && text.len() <= LONGEST && text.bytes().all(is_plain) {
            true => Ok(StateName(text.to_owned())),
            false => Err(format!(
                "a state's name is lower-case letters, digits, `-` and `_`, begins with a letter or a digit, and has no more \
                 than {LONGEST} of them"
            )),
        }
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Location {
    /// Where the state of this name is, where this is that of the one called `default`.
    ///
    /// Invariant: [`names`] finds what was made there (test: `states_by_name_lie_beside_each_other_in_every_store`).
    #[must_use]
    pub fn named(&self, name: &StateName) -> Location {
        match self {
            here if name.is_default() => here.clone(),
            Location::Sqlite(path) => {
                let (stem, ending) = parts(path);
                Location::Sqlite(path.with_file_name(format!("{stem}.{name}{ending}")))
            }
            Location::Postgres { url, schema } => {
                Location::Postgres { url: url.clone(), schema: format!("{schema}_{name}") }
            }
            Location::Objects(Bucket { url, options }) => {
                let url = format!("{}/{FOLDER}/{name}", url.trim_end_matches('/'));
                Location::Objects(Bucket { url, options: options.clone() })
            }
        }
    }
}

/// The names of the states that were made beside a place, with the one called `default`, which may not exist yet; sorted.
pub async fn names(location: &Location) -> Result<Vec<StateName>, StateError> {
    let found = match location {
        Location::Sqlite(path) => files(path)?,
        Location::Postgres { url, schema } => {
            let schemas = Postgres::new(url, schema)?.schemas().await?;
            let prefix = format!("{schema}_");
            schemas.iter().filter_map(|other| Some(other.strip_prefix(&prefix)?.to_owned())).collect()
        }
        Location::Objects(bucket) => Log::new(bucket)?.folders(FOLDER).await?,
    };
    let mut names: Vec<StateName> = found.iter().filter_map(|name| name.parse().ok()).collect();
    names.push(StateName::default());
    names.sort();
    names.dedup();
    Ok(names)
}

/// What stands between the beginning and the end of the names of files beside this one, but for SQLite's own and backups.
fn files(path: &Path) -> Result<Vec<String>, StateError> {
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(StateError::Store { store: folder.display().to_string(), reason: error.to_string() });
        }
    };
    let (stem, ending) = parts(path);
    let name = |file: String| Some(file.strip_prefix(&format!("{stem}."))?.strip_suffix(&ending)?.to_owned());
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).filter_map(name);
    let is_beside = |name: &str| ["-wal", "-shm", "-journal"].iter().any(|end| name.ends_with(end));
    Ok(names.filter(|name| !name.starts_with("backup-") && !is_beside(name)).collect())
}

/// A file's name, cut where another state's has its name: before the last dot.
fn parts(path: &Path) -> (String, String) {
    let text = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let ending = text(path.extension()).map(|ending| format!(".{ending}"));
    (text(path.file_stem()).unwrap_or_default(), ending.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_plain() {
        for name in ["prod", "eu-west_1", "2"] {
            assert_eq!(name.parse::<StateName>().unwrap().to_string(), name);
        }
        for name in ["", "Prod", "a.b", "a/b", "-a", "ä", "..", &"x".repeat(33)] {
            assert!(name.parse::<StateName>().is_err(), "{name}");
        }
    }

    #[test]
    fn other_states_lie_beside_the_one_called_default() {
        let at = |location: Location, name: &str| match location.named(&name.parse().unwrap()) {
            Location::Sqlite(path) => path.display().to_string(),
            Location::Postgres { schema, .. } => schema,
            Location::Objects(bucket) => bucket.url,
        };
        let sqlite = |path: &str| Location::Sqlite(path.into());
        assert_eq!(at(sqlite("/r/.bimetal/state.db"), "prod"), "/r/.bimetal/state.prod.db");
        assert_eq!(at(sqlite("/r/.bimetal/state.db"), "default"), "/r/.bimetal/state.db");
        assert_eq!(at(sqlite("fleet"), "prod"), "fleet.prod");
        let postgres = Location::Postgres { url: "postgres://h".into(), schema: "bimetal".into() };
        assert_eq!(at(postgres, "prod"), "bimetal_prod");
        let bucket = |url: &str| Location::Objects(Bucket { url: url.into(), options: Default::default() });
        assert_eq!(at(bucket("s3://b/p/"), "prod"), "s3://b/p/states/prod");
        assert_eq!(at(bucket("file:///srv/s"), "prod"), "file:///srv/s/states/prod");
    }
}
