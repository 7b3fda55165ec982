//! Values on their way to guests and back. What is a credential stays here: a guest gets an id for it.

use std::fmt;

use bimetal_model::convert::convert;
use bimetal_model::json::{self, Marks, decode, encode};
use bimetal_model::schema::{Block, Credential};
use bimetal_model::{Address, Data, Path, ProviderKey, Step, Type, Value};
use serde_json::{Value as Json, json};

use crate::credentials::{Credentials, Secret};
use crate::form::Form;

/// What a value belongs to: its form, and the name that its credentials go by.
pub(crate) struct Codec<'a> {
    pub(crate) form: &'a Form,
    pub(crate) owner: Owner<'a>,
    pub(crate) credentials: &'a Credentials,
}

/// Whose credentials they are.
pub(crate) enum Owner<'a> {
    Object(&'a Address),
    Provider(&'a ProviderKey),
}

impl fmt::Display for Owner<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Owner::Object(address) => address.fmt(f),
            Owner::Provider(key) => write!(f, "provider.{key}"),
        }
    }
}

impl Codec<'_> {
    /// The value as JSON text for a guest; its credentials are registered.
    pub(crate) fn to_guest(&self, value: &Value) -> String {
        match self.form.has_credentials {
            false => json::to_text(value, Marks::Drop),
            true => self.replace(encode(value, Marks::Drop), value, &self.form.block, &Path::root()).to_string(),
        }
    }

    /// Registers the credentials of a value.
    pub(crate) fn learn(&self, value: &Value) {
        // Writing is what registers them.
        if self.form.has_credentials {
            self.to_guest(value);
        }
    }

    fn replace(&self, mut json: Json, value: &Value, block: &Block, path: &Path) -> Json {
        let Some(members) = json.as_object_mut() else { return json };
        for (name, attribute) in &block.attributes {
            let at = path.then(Step::Attribute(name.clone()));
            if let (Some(kind), Some(Data::String(text))) =
                (attribute.credential, value.member(name).map(|value| &value.data))
            {
                members.insert(name.clone(), json!({ "$credential": self.register(kind, text, &at) }));
            }
        }
        for (name, nested) in &block.blocks {
            let (Some(inner), Some(value)) = (members.remove(name), value.as_members().and_then(|m| m.get(name)))
            else {
                continue;
            };
            let at = path.then(Step::Attribute(name.clone()));
            let inner = match (inner, value.as_items()) {
                (Json::Array(items), Some(values)) => {
                    let one = |(index, (item, value))| {
                        self.replace(item, value, &nested.block, &at.then(Step::Index(index as u32)))
                    };
                    Json::Array(items.into_iter().zip(values).enumerate().map(one).collect())
                }
                (inner, _) => self.replace(inner, value, &nested.block, &at),
            };
            members.insert(name.clone(), inner);
        }
        json
    }

    fn register(&self, kind: Credential, text: &str, path: &Path) -> String {
        let id = format!("{}#{path}", self.owner);
        match kind {
            Credential::Value => self.credentials.put(&id, Secret::new(text)),
            Credential::File => self.credentials.put_file(&id, text),
        }
        id
    }

    /// What a guest answered, of the schema's type, with the credentials of `known` put back.
    ///
    /// Unknown values are for plans only; and what is write-only is in no answer. Otherwise: what is wrong with the answer.
    pub(crate) fn accept(&self, text: &str, known: &[&Value], unknowns: Unknowns) -> Result<Value, String> {
        let value = match self.echo(text, known) {
            Some(value) => value,
            None => self.read(text, known, unknowns)?,
        };
        let value = if self.form.has_secrets { self.form.block.marking_secrets(value) } else { value };
        match (self.form.block.write_only_in(&value).first(), unknowns) {
            (None, _) => Ok(value),
            (Some(path), Unknowns::Allowed) => Err(format!("its answer has `{path}`, which is write-only")),
            // It is done: what must not be kept is left out.
            (Some(_), Unknowns::Refused) => Ok(self.form.block.without_write_only(value)),
        }
    }

    pub(crate) fn read(&self, text: &str, known: &[&Value], unknowns: Unknowns) -> Result<Value, String> {
        let mut json = parse(text)?;
        if self.form.has_credentials {
            restore(&mut json, known, &self.form.block);
        }
        fitting(json, &self.form.ty, unknowns)
    }

    /// What is known already, where the answer is word for word what was told: mostly nothing is different, and there is nothing to read.
    ///
    /// Of `any` type a value is not what its text says.
    pub(crate) fn echo(&self, text: &str, known: &[&Value]) -> Option<Value> {
        if self.form.has_credentials || self.form.ty.has_any() {
            return None;
        }
        let is_echo = |value: &&&Value| value.is_wholly_known() && json::is_text_of(text, value, Marks::Drop);
        let value = json::as_written(known.iter().find(is_echo).copied()?);
        convert(value, &self.form.ty).ok()
    }
}

/// What a function answered, of its type. Otherwise: what is wrong with it.
pub(crate) fn accept_answer(text: &str, ty: &Type) -> Result<Value, String> {
    fitting(parse(text)?, ty, Unknowns::Refused)
}

fn parse(text: &str) -> Result<Json, String> {
    serde_json::from_str(text).map_err(|error| format!("its answer is no JSON: {error}"))
}

fn fitting(json: Json, ty: &Type, unknowns: Unknowns) -> Result<Value, String> {
    let value = decode(json).map_err(|error| format!("its answer can't be read: {error}"))?;
    if unknowns == Unknowns::Refused && !value.is_wholly_known() {
        return Err("its answer has unknown values, and only a plan may".to_owned());
    }
    convert(value, ty).map_err(|mismatch| {
        let place = if mismatch.path.0.is_empty() { String::new() } else { format!(" at `{}`", mismatch.path) };
        format!("its answer does not fit its own schema{place}: {}", mismatch.reason)
    })
}

/// Whether an answer may hold unknown values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknowns {
    Allowed,
    Refused,
}

/// Puts credentials back in the place of their ids.
fn restore(json: &mut Json, known: &[&Value], block: &Block) {
    let Some(members) = json.as_object_mut() else { return };
    for (name, attribute) in &block.attributes {
        if attribute.credential.is_some() && members.get(name).is_some_and(|value| value.get("$credential").is_some()) {
            let original = known.iter().find_map(|value| value.member(name)).cloned().unwrap_or(Value::NULL);
            members.insert(name.clone(), encode(&original, Marks::Keep));
        }
    }
    for (name, nested) in &block.blocks {
        match members.get_mut(name) {
            Some(Json::Array(items)) => {
                for (index, item) in items.iter_mut().enumerate() {
                    let inner: Vec<&Value> =
                        known.iter().filter_map(|value| value.member(name)?.as_items()?.get(index)).collect();
                    restore(item, &inner, &nested.block);
                }
            }
            Some(inner) => {
                let known: Vec<&Value> = known.iter().filter_map(|value| value.member(name)).collect();
                restore(inner, &known, &nested.block);
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use bimetal_model::BlockKind;
    use bimetal_model::convert::is_of;
    use bimetal_model::number::Number;
    use bimetal_model::schema::Attribute;

    use super::*;

    fn form() -> Form {
        let key = Attribute { credential: Some(Credential::Value), ..Attribute::optional(Type::String) };
        let host = Attribute::required(Type::String);
        Form::new(Block { attributes: [("key".to_owned(), key), ("host".to_owned(), host)].into(), ..Block::default() })
    }

    #[tokio::test]
    async fn a_credential_stays_here_and_comes_back() {
        let (form, credentials) = (form(), Credentials::default());
        let address = Address::new(BlockKind::Machine, "x", "a");
        let codec = Codec { form: &form, owner: Owner::Object(&address), credentials: &credentials };
        let value: Value =
            [("host", Value::from("h")), ("key", Value::from("hunter2").into_sensitive())].into_iter().collect();
        let text = codec.to_guest(&value);
        assert_eq!(text, r#"{"host":"h","key":{"$credential":"machine.x.a#key"}}"#);
        assert_eq!(credentials.secret("machine.x.a#key").await.unwrap().expose(), "hunter2");
        assert_eq!(codec.accept(&text, &[&value], Unknowns::Refused).unwrap(), value);
    }

    #[test]
    fn garbage_is_the_providers_bug() {
        let (form, credentials) = (form(), Credentials::default());
        let key = ProviderKey::default_of("x");
        let codec = Codec { form: &form, owner: Owner::Provider(&key), credentials: &credentials };
        for text in ["{", "[]", r#"{"host":[]}"#, r#"{"host":{"$unknown":{}}}"#, r#"{"$what":1}"#] {
            assert!(codec.accept(text, &[], Unknowns::Refused).is_err(), "{text}");
        }
    }

    /// Whether it is read or known already: the same, down to how much its numbers have behind the point.
    #[test]
    fn an_echo_is_what_was_told() {
        let attributes = [
            ("list", Attribute::optional(Type::list(Type::Number))),
            ("map", Attribute::optional(Type::map(Type::String))),
            ("none", Attribute::optional(Type::set(Type::String))),
            ("size", Attribute::optional(Type::Number)),
            ("token", Attribute { sensitive: true, ..Attribute::optional(Type::String) }),
        ];
        let attributes = attributes.map(|(name, attribute)| (name.to_owned(), attribute)).into();
        let (form, credentials) = (Form::new(Block { attributes, ..Block::default() }), Credentials::default());
        let key = ProviderKey::default_of("x");
        let codec = Codec { form: &form, owner: Owner::Provider(&key), credentials: &credentials };
        let third = |number: &Value| {
            let number = number.as_number().unwrap().clone();
            number.divided_by(&3.into()).unwrap().to_string()
        };
        let value: Value = [
            ("list", Value::list(Type::Number, [1_u64.into(), 0_u64.into()])),
            ("map", Value::map(Type::String, [("$a".to_owned(), Value::from("b").into_ephemeral())])),
            ("none", Value::null(Type::set(Type::String))),
            ("size", Number::from(7).into()),
            ("token", "hunter2".into()),
        ]
        .into_iter()
        .collect();
        let value = value.into_ephemeral();
        let text = codec.to_guest(&value);
        let echo = codec.accept(&text, &[&Value::NULL, &value], Unknowns::Allowed).unwrap();
        let read = codec.accept(&format!("{text} "), &[&value], Unknowns::Allowed).unwrap();
        assert!(codec.echo(&text, &[&value]).is_some() && codec.echo(&format!("{text} "), &[&value]).is_none());
        assert_eq!(echo, read);
        assert_eq!(echo.member("token").map(|token| token.marks.sensitive), Some(true));
        let sizes = [&echo, &read].map(|value| third(value.member("size").unwrap()));
        assert_eq!(sizes[0], sizes[1]);
        assert!(is_of(&echo, &form.ty) && is_of(&read, &form.ty));
        assert_ne!(third(value.member("size").unwrap()), sizes[0], "what was counted has fewer digits");
    }
}
