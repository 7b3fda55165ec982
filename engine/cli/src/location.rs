//! Where the state is: what a `state` block says, or an address.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bimetal_model::diagnostic::has_errors;
use bimetal_model::schema::{Attribute, Block};
use bimetal_model::{Diagnostic, Type, Value};
use bimetal_sources::checkout::resolved;
use bimetal_state::{Bucket, Location};
use percent_encoding::percent_decode_str;

use crate::configuration::from_root;
use crate::failure::Failure;
use crate::session::{Configuration, Session};

/// The file that the state is in, for what is done with files.
pub(crate) fn file(session: &Session, configuration: &Configuration) -> Result<PathBuf, Failure> {
    match of(session, configuration)? {
        Location::Sqlite(path) => Ok(path),
        Location::Postgres { .. } => Err(no_file(
            "the state is in PostgreSQL, which has backups of its own",
            "bring the database back as its server does it, as with `pg_restore`",
        )),
        Location::Objects(_) => Err(no_file(
            "the state is a log of objects: nothing of it is overwritten, so there are no backups",
            "`bimetal state at N` shows what there was, and `bimetal rollback N` brings it back",
        )),
    }
}

fn no_file(error: &str, hint: &str) -> Failure {
    Diagnostic::error(error).hint(hint).into()
}

/// Where it is unless somebody says otherwise.
const DEFAULT: &str = ".bimetal/state.db";

/// The schema in a database, unless somebody says otherwise.
const SCHEMA: &str = "bimetal";

/// The file that it is in unless somebody says otherwise; `None`: the place is that one.
pub(crate) fn usual(session: &Session, place: &Location) -> Option<PathBuf> {
    unless_there(Location::Sqlite(session.home.join(DEFAULT)).named(&session.state), place)
}

fn unless_there(usual: Location, place: &Location) -> Option<PathBuf> {
    let Location::Sqlite(usual) = usual else { return None };
    match place {
        Location::Sqlite(path) if *path == usual => None,
        Location::Sqlite(_) | Location::Postgres { .. } | Location::Objects(_) => Some(usual),
    }
}

/// Where the state of the session's name is.
pub(crate) fn of(session: &Session, configuration: &Configuration) -> Result<Location, Failure> {
    Ok(of_default(&session.home, configuration)?.named(&session.state))
}

/// Where the state called `default` is, which the others lie beside: what the configuration says.
pub(crate) fn of_default(root: &Path, configuration: &Configuration) -> Result<Location, Failure> {
    let Some(block) = &configuration.desired.module.settings.state else {
        return Ok(Location::Sqlite(root.join(DEFAULT)));
    };
    let Some(names) = arguments(&block.kind) else {
        let error = Diagnostic::error(format!("no state store is called `{}`", block.kind)).at(&block.body.span);
        let hint = "there are `sqlite`, `postgres`, `s3`, `gcs`, `azure` and `local`";
        return Err(Failure::new(vec![error.hint(hint)], &configuration.files));
    };
    let attribute = |name: &&str| ((*name).to_owned(), Attribute::optional(Type::String));
    let schema = Block { attributes: names.iter().map(attribute).collect(), blocks: Default::default() };
    let (values, diagnostics) = bimetal_config::constant(&configuration.desired, &block.body, &schema);
    if has_errors(&diagnostics) {
        return Err(Failure::new(diagnostics, &configuration.files));
    }
    let text = |name: &str| values.member(name).and_then(Value::as_str).map(str::to_owned);
    located(root, &block.kind, text)
        .map_err(|error| Failure::new(vec![error.at(&block.body.span)], &configuration.files))
}

/// What such a block may say; `None`: there is no such store.
fn arguments(kind: &str) -> Option<&'static [&'static str]> {
    match kind {
        "sqlite" | "local" => Some(&["path"]),
        "postgres" => Some(&["url", "schema"]),
        "s3" => {
            Some(&["bucket", "prefix", "region", "endpoint", "access_key_id", "secret_access_key", "session_token"])
        }
        "gcs" => Some(&["bucket", "prefix", "service_account_path", "service_account_key", "endpoint"]),
        "azure" => Some(&["container", "prefix", "account", "access_key", "endpoint"]),
        _ => None,
    }
}

fn located(root: &Path, kind: &str, text: impl Fn(&str) -> Option<String>) -> Result<Location, Diagnostic> {
    if let Some(name) =
        arguments(kind).into_iter().flatten().find(|name| text(name).is_some_and(|text| text.is_empty()))
    {
        return Err(Diagnostic::error(format!("`{name}` of `state \"{kind}\"` is empty")));
    }
    let needed = |name: &str| text(name).ok_or_else(|| Diagnostic::error(format!("`state \"{kind}\"` needs `{name}`")));
    let bucket = |scheme: &str, bucket: String| {
        let options = text_options(root, kind, &text);
        let prefix = text("prefix").unwrap_or_default();
        let parts = [&*bucket].into_iter().chain(prefix.split('/').filter(|part| !part.is_empty()));
        Location::Objects(Bucket { url: format!("{scheme}://{}", parts.collect::<Vec<_>>().join("/")), options })
    };
    match kind {
        "sqlite" => Ok(Location::Sqlite(from_root(root, &text("path").unwrap_or_else(|| DEFAULT.to_owned())))),
        "local" => Ok(folder(&from_root(root, &needed("path")?))),
        "postgres" => {
            let (url, schema) = (needed("url")?, text("schema").unwrap_or_else(|| SCHEMA.to_owned()));
            match url.split_once("://") {
                Some(("postgres" | "postgresql", _)) => Ok(Location::Postgres { url, schema }),
                _ => {
                    let error = Diagnostic::error("`url` of `state \"postgres\"` is no address of a PostgreSQL server");
                    Err(error.hint("such an address is `postgres://user:password@host/database`"))
                }
            }
        }
        "s3" => Ok(bucket("s3", needed("bucket")?)),
        "gcs" => Ok(bucket("gs", needed("bucket")?)),
        "azure" => Ok(bucket("az", needed("container")?)),
        other => Err(Diagnostic::error(format!("no state store is called `{other}`"))),
    }
}

/// What may be said of a bucket beside where it is.
fn options(kind: &str) -> impl Iterator<Item = &'static str> {
    let placed = ["bucket", "container", "prefix"];
    arguments(kind).into_iter().flatten().copied().filter(move |name| !placed.contains(name))
}

/// What the store's library is told, by the names that it has for it.
fn text_options(root: &Path, kind: &str, text: &impl Fn(&str) -> Option<String>) -> BTreeMap<String, String> {
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in options(kind).filter_map(|name| Some((name, text(name)?))) {
        let theirs = match (kind, name) {
            ("azure", "account") => "account_name",
            ("azure", "access_key") => "account_key",
            ("gcs", "endpoint") => "base_url",
            (_, name) => name,
        };
        let value = match name {
            "service_account_path" => from_root(root, &value).display().to_string(),
            _ => value,
        };
        if name == "endpoint" && value.starts_with("http://") && kind != "gcs" {
            told.insert("allow_http".to_owned(), "true".to_owned());
        }
        told.insert(theirs.to_owned(), value);
    }
    told
}

fn folder(path: &Path) -> Location {
    let url = format!("file://{}", resolved(Path::new("/"), path).display());
    Location::Objects(Bucket { url, options: BTreeMap::new() })
}

/// A place in one word: the path of a file or of a folder, or an address.
pub(crate) fn parse(root: &Path, text: &str) -> Result<Location, Failure> {
    let Some((scheme, rest)) = text.split_once("://") else {
        let path = root.join(text);
        return Ok(if path.is_dir() { folder(&path) } else { Location::Sqlite(path) });
    };
    let kind = match scheme {
        "postgres" | "postgresql" => return Ok(database(text)),
        "file" => return Ok(folder(&root.join(rest))),
        "s3" => "s3",
        "gs" => "gcs",
        "az" => "azure",
        other => {
            let error = Diagnostic::error(format!("no state store has addresses that begin with `{other}://`"));
            return Err(error.hint("there are `postgres://`, `s3://`, `gs://`, `az://`, `file://`, and paths").into());
        }
    };
    let (url, query) = text.split_once('?').unwrap_or((text, ""));
    let mut given = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        if !options(kind).any(|known| known == name) {
            let known: Vec<String> = options(kind).map(|known| format!("`{known}`")).collect();
            let error = Diagnostic::error(format!("an address that begins with `{scheme}://` has no option `{name}`"));
            return Err(error.hint(format!("there are {}", known.join(", "))).into());
        }
        if value.is_empty() {
            return Err(Diagnostic::error(format!("`{name}` of the address is empty")).into());
        }
        given.insert(name, percent_decode_str(value).decode_utf8_lossy().into_owned());
    }
    let options = text_options(root, kind, &|name| given.get(name).cloned());
    Ok(Location::Objects(Bucket { url: url.to_owned(), options }))
}

/// The address of a database, which may say the schema, too: the server knows no such option.
fn database(text: &str) -> Location {
    let (url, query) = text.split_once('?').unwrap_or((text, ""));
    let (schema, others): (Vec<&str>, Vec<&str>) =
        query.split('&').filter(|pair| !pair.is_empty()).partition(|pair| pair.starts_with("schema="));
    let schema = schema.last().and_then(|pair| pair.split_once('=')).map_or(SCHEMA, |(_, schema)| schema);
    let query = if others.is_empty() { String::new() } else { format!("?{}", others.join("&")) };
    Location::Postgres { url: format!("{url}{query}"), schema: schema.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(location: &Location) -> String {
        match location {
            Location::Sqlite(path) => path.display().to_string(),
            Location::Postgres { url, schema } => format!("{url} {schema}"),
            Location::Objects(bucket) => format!("{} {:?}", bucket.url, bucket.options),
        }
    }

    #[test]
    fn the_usual_place_is_known_however_it_is_written() {
        let at = |path: &str| Location::Sqlite(Path::new("/r").join(path));
        let usual = |path: &str| unless_there(at(DEFAULT), &at(path));
        assert_eq!(usual("./.bimetal/state.db"), None);
        assert_eq!(usual("else.db"), Some("/r/.bimetal/state.db".into()));
    }

    #[test]
    fn places_have_addresses() {
        let place = |text: &str| told(&parse(Path::new("/r"), text).unwrap());
        assert_eq!(place("old/state.db"), "/r/old/state.db");
        assert_eq!(place("postgres://u@h/d?sslmode=require"), "postgres://u@h/d?sslmode=require bimetal");
        assert_eq!(place("postgres://u@h/d?schema=s&sslmode=require"), "postgres://u@h/d?sslmode=require s");
        assert_eq!(place("postgres://u@h/d?schema=s"), "postgres://u@h/d s");
        assert_eq!(place("s3://b/p?region=x"), r#"s3://b/p {"region": "x"}"#);
        let options = r#"{"account_key": "a+b/==", "allow_http": "true", "endpoint": "http://h/a"}"#;
        assert_eq!(place("az://b/p?endpoint=http://h/a&access_key=a%2Bb/=="), format!("az://b/p {options}"));
        assert_eq!(place("file:///srv/./a/../state"), "file:///srv/state {}");
        assert!(parse(Path::new("/r"), "ftp://x").is_err());
        for wrong in ["s3://b?regoin=x", "s3://b?region", "s3://b?region="] {
            assert!(parse(Path::new("/r"), wrong).is_err(), "{wrong}");
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display().to_string();
        assert_eq!(place(&path), format!("file://{path} {{}}"));
    }

    #[test]
    fn blocks_name_places() {
        let place = |kind: &str, given: &[(&str, &str)]| {
            let text =
                |name: &str| given.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
            located(Path::new("/r"), kind, text).map(|location| told(&location)).map_err(|error| error.summary)
        };
        assert_eq!(place("sqlite", &[]).unwrap(), "/r/.bimetal/state.db");
        assert_eq!(place("local", &[("path", "s")]).unwrap(), "file:///r/s {}");
        assert_eq!(place("local", &[("path", "./a/../s")]).unwrap(), "file:///r/s {}");
        assert_eq!(place("postgres", &[]).unwrap_err(), "`state \"postgres\"` needs `url`");
        let empty = place("local", &[("path", "")]).unwrap_err();
        assert_eq!(empty, "`path` of `state \"local\"` is empty");
        assert!(
            place("postgres", &[("url", "mysql://h/d")]).unwrap_err().contains("no address of a PostgreSQL server")
        );
        let s3 = [("bucket", "b"), ("prefix", "/p//q/"), ("endpoint", "http://h:1")];
        let options = r#"{"allow_http": "true", "endpoint": "http://h:1"}"#;
        assert_eq!(place("s3", &s3).unwrap(), format!("s3://b/p/q {options}"));
        let gcs = [("bucket", "b"), ("service_account_path", "keys/robot.json")];
        assert_eq!(place("gcs", &gcs).unwrap(), r#"gs://b {"service_account_path": "/r/keys/robot.json"}"#);
        assert_eq!(place("azure", &[("container", "c"), ("account", "a")]).unwrap(), r#"az://c {"account_name": "a"}"#);
    }
}
