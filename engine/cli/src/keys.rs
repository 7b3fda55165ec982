//! The keys of state and saved plans: those that `encryption` blocks name, those of the environment, and the key file.

use std::path::{Path, PathBuf};

use bimetal_config::module::Encryption;
use bimetal_config::{constant, missing_variables, nearest_or_all};
use bimetal_model::diagnostic::has_errors;
use bimetal_model::schema::{Attribute, Block};
use bimetal_model::{Diagnostic, Type, Value};
use bimetal_state::{Key, Keys, Secret};

use crate::configuration::from_root;
use crate::failure::Failure;
use crate::session::{Configuration, directory};

const KINDS: [&str; 4] = ["passphrase", "key_file", "age", "command"];

/// The keys that are at hand for a configuration's state. What no block names seals only where there is no block.
pub(crate) fn keys(root: &Path, configuration: &Configuration) -> Result<Keys, Failure> {
    let (mut seal, mut open) = (Vec::new(), Vec::new());
    for block in &configuration.desired.module.settings.encryption {
        let Written { key, is_old } = written(root, configuration, block)?;
        if is_old { open.push(key) } else { seal.push(key) }
    }
    let around = of_environment("BIMETAL_STATE_KEY", "BIMETAL_STATE_PASSPHRASE");
    let file: Vec<Key> = Some(default_file()?).filter(|path| path.exists()).map(Key::File).into_iter().collect();
    match (seal.is_empty(), around.is_empty()) {
        (true, true) => seal = file,
        (true, false) => {
            seal = around;
            open.extend(file);
        }
        (false, _) => open.extend(around.into_iter().chain(file)),
    }
    Ok(Keys { seal, open })
}

/// The keys that opened a state before it got others.
pub(crate) fn old_keys(file: Option<&Path>) -> Vec<Key> {
    let around = of_environment("BIMETAL_STATE_OLD_KEY", "BIMETAL_STATE_OLD_PASSPHRASE");
    file.map(|file| Key::File(file.to_owned())).into_iter().chain(around).collect()
}

/// Where the key file is kept unless somebody says otherwise.
pub(crate) fn default_file() -> Result<PathBuf, Failure> {
    Ok(directory("XDG_CONFIG_HOME", ".config")?.join("state.key"))
}

fn of_environment(key: &str, passphrase: &str) -> Vec<Key> {
    let text = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty()).map(Secret::new);
    let key = text(key).map(|text| Key::Text { name: format!("`{key}`"), text });
    let passphrase =
        text(passphrase).map(|secret| Key::Passphrase { name: format!("`{passphrase}`"), passphrase: secret });
    key.into_iter().chain(passphrase).collect()
}

/// A key as a block writes it.
struct Written {
    key: Key,
    /// It opens what it sealed, and seals nothing more.
    is_old: bool,
}

fn written(root: &Path, configuration: &Configuration, block: &Encryption) -> Result<Written, Failure> {
    let name = format!("`encryption \"{}\"`", block.kind);
    let Some(schema) = schema(&block.kind) else {
        let error = Diagnostic::error(format!("there is no encryption `{}`", block.kind)).at(&block.body.span);
        let hint = nearest_or_all(&block.kind, KINDS, "kind");
        return Err(Failure::new(vec![error.hint(hint)], &configuration.files));
    };
    let (arguments, diagnostics) = constant(&configuration.desired, &block.body, &schema);
    if has_errors(&diagnostics) {
        return Err(Failure::new(diagnostics, &configuration.files));
    }
    let is_old = arguments.member("old").and_then(Value::as_bool).unwrap_or(false);
    let missing: Vec<String> =
        missing_variables(&configuration.desired, &block.body).iter().map(|name| format!("`{name}`")).collect();
    if !missing.is_empty() || !arguments.is_wholly_known() {
        let reason = match &missing[..] {
            [] => "it does not follow from variables and locals alone".to_owned(),
            names => format!(
                "{} has no value here: set `BIMETAL_VAR_…`, or write it into a file of variables",
                names.join(", ")
            ),
        };
        return Ok(Written { key: Key::Unavailable { name, reason }, is_old });
    }
    Ok(Written { key: key(root, &block.kind, name, &arguments), is_old })
}

fn key(root: &Path, kind: &str, name: String, arguments: &Value) -> Key {
    let text = |name: &str| arguments.member(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let texts = |name: &str| {
        let items = arguments.member(name).and_then(Value::as_items).unwrap_or_default();
        items.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>()
    };
    match kind {
        "passphrase" => Key::Passphrase { name, passphrase: Secret::new(text("passphrase")) },
        "key_file" => Key::File(from_root(root, &text("path"))),
        "age" => {
            let identity = arguments.member("identity").and_then(Value::as_str);
            let identities = identity.map(|path| from_root(root, path)).into_iter().collect();
            Key::Age { recipients: texts("recipients"), identities }
        }
        "command" => Key::Command { wrap: texts("wrap"), unwrap: texts("unwrap") },
        _ => unreachable!("kinds without a schema are refused"),
    }
}

fn schema(kind: &str) -> Option<Block> {
    let texts = || Type::list(Type::String);
    let attributes = match kind {
        "passphrase" => {
            vec![("passphrase", Attribute { sensitive: true, ..Attribute::required(Type::String) })]
        }
        "key_file" => vec![("path", Attribute::required(Type::String))],
        "age" => {
            vec![("recipients", Attribute::required(texts())), ("identity", Attribute::optional(Type::String))]
        }
        "command" => vec![("wrap", Attribute::required(texts())), ("unwrap", Attribute::required(texts()))],
        _ => return None,
    };
    let old = ("old", Attribute::optional(Type::Bool));
    let attributes = attributes.into_iter().chain([old]).map(|(name, attribute)| (name.to_owned(), attribute));
    Some(Block { attributes: attributes.collect(), ..Block::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_schema_and_a_key() {
        for kind in KINDS {
            let schema = schema(kind).unwrap();
            assert!(schema.attributes.contains_key("old"), "{kind}");
            key(Path::new("/"), kind, kind.to_owned(), &std::iter::empty::<(String, Value)>().collect());
        }
    }
}
