//! Values as JSON text, in the form that crosses every border: to guests, to state, to a saved plan.
//!
//! Unknown is `{"$unknown": {"type": …}}`, where it is ours with what is promised of it (`not-null`, `prefix`, `least`, `most`), a handle `{"$handle": …}`, what is sensitive `{"$sensitive": …}`;
//! what is ephemeral is written as `null`; a key of the user's own that begins with `$` is doubled. Lists, sets and tuples become arrays, maps and
//! objects become objects; who knows the type converts back.

use std::borrow::Cow;
use std::io;

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::{Map, Value as Json, json};

use crate::number::Number;
use crate::ty::Type;
use crate::value::{Bounds, Data, Refinement, Value, ValueMarks};

/// What to do with marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marks {
    /// Wrap what is sensitive: `{"$sensitive": …}`. Whoever writes it down must seal it. What is ephemeral becomes `null`.
    Keep,
    /// Write everything as it is. For guests, and for no one else.
    Drop,
    /// Put `"(sensitive)"` or `"(ephemeral)"` in its place. For people.
    Redact,
}

/// The value as JSON.
pub fn encode(value: &Value, marks: Marks) -> Json {
    match serde_json::to_value(Encoded { value, marks }) {
        Ok(json) => json,
        Err(error) => unreachable!("all keys are text: {error}"),
    }
}

/// The value as JSON text.
pub fn to_text(value: &Value, marks: Marks) -> String {
    match serde_json::to_string(&Encoded { value, marks }) {
        Ok(text) => text,
        Err(error) => unreachable!("all keys are text, and memory takes it: {error}"),
    }
}

/// Whether [`to_text`] would write this very text.
pub fn is_text_of(text: &str, value: &Value, marks: Marks) -> bool {
    let mut rest = Rest(text.as_bytes());
    serde_json::to_writer(&mut rest, &Encoded { value, marks }).is_ok() && rest.0.is_empty()
}

/// The value as it comes back from what [`to_text`] writes without marks: its numbers have as many digits as written ones.
pub fn as_written(value: &Value) -> Value {
    let written = |part: Value| match part.data {
        Data::Number(number) => number.as_written().map_or(Value::NULL, Value::from),
        data => data.into(),
    };
    match value.all_marks() == ValueMarks::NONE && is_written(value) {
        true => value.clone(),
        false => value.clone().map_parts(&mut { written }),
    }
}

/// Whether all its numbers are as written ones.
fn is_written(value: &Value) -> bool {
    match &value.data {
        Data::Number(number) => number.is_written(),
        _ => {
            value.as_items().into_iter().flatten().all(is_written)
                && value.as_members().is_none_or(|members| members.values().all(is_written))
        }
    }
}

/// Takes what begins as it does itself, and nothing else.
struct Rest<'t>(&'t [u8]);

impl io::Write for Rest<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.strip_prefix(bytes).ok_or(io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A value on its way to text.
struct Encoded<'v> {
    value: &'v Value,
    marks: Marks,
}

impl Serialize for Encoded<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let data = EncodedData { data: &self.value.data, marks: self.marks };
        match (self.value.marks, self.marks) {
            (ValueMarks { ephemeral: true, .. }, Marks::Keep) => serializer.serialize_unit(),
            (ValueMarks { ephemeral: true, .. }, Marks::Redact) => serializer.serialize_str("(ephemeral)"),
            (ValueMarks { sensitive: true, .. }, Marks::Keep) => sole(serializer, "$sensitive", &data),
            (ValueMarks { sensitive: true, .. }, Marks::Redact) => serializer.serialize_str("(sensitive)"),
            _ => data.serialize(serializer),
        }
    }
}

struct EncodedData<'v> {
    data: &'v Data,
    marks: Marks,
}

impl Serialize for EncodedData<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let part = |value| Encoded { value, marks: self.marks };
        match self.data {
            Data::Null(_) => serializer.serialize_unit(),
            Data::Unknown(ty, refinement) => sole(serializer, "$unknown", &unknown_to_json(ty, refinement, self.marks)),
            Data::Bool(value) => serializer.serialize_bool(*value),
            Data::Number(number) => serialize_number(number, serializer),
            Data::String(text) => serializer.serialize_str(text),
            Data::Handle(text) => {
                let inner = serde_json::from_str(text).unwrap_or(Json::Null);
                sole(serializer, "$handle", &inner)
            }
            Data::List(items) | Data::Set(items) | Data::Tuple(items) => serializer.collect_seq(items.iter().map(part)),
            Data::Map(members) | Data::Object(members) => {
                serializer.collect_map(members.iter().map(|(name, value)| (escape(name), part(value))))
            }
        }
    }
}

/// `{"<name>": …}`
fn sole<S: Serializer>(serializer: S, name: &str, value: &impl Serialize) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(name, value)?;
    map.end()
}

fn serialize_number<S: Serializer>(number: &Number, serializer: S) -> Result<S::Ok, S::Error> {
    match number.to_i64() {
        // A zero may have a sign.
        Some(whole) if whole != 0 => serializer.serialize_i64(whole),
        _ => number_to_json(number).serialize(serializer),
    }
}

/// Guests and people are told the type alone.
fn unknown_to_json(ty: &Type, refinement: &Refinement, marks: Marks) -> Json {
    let mut members = Map::from_iter([("type".to_owned(), json!(ty))]);
    let mut put = |name: &str, value: Option<Json>| {
        members.extend(value.filter(|_| marks == Marks::Keep).map(|value| (name.to_owned(), value)));
    };
    let (lengths, numbers) = (refinement.lengths(), refinement.numbers());
    put("not-null", refinement.is_not_null().then_some(Json::Bool(true)));
    put("prefix", Some(refinement.prefix()).filter(|prefix| !prefix.is_empty()).map(Json::from));
    put("least", lengths.least.map(Json::from).or(numbers.least.as_ref().map(number_to_json)));
    put("most", lengths.most.map(Json::from).or(numbers.most.as_ref().map(number_to_json)));
    Json::Object(members)
}

/// What is not understood promises nothing.
fn unknown_from_json(json: &Json) -> Value {
    let ty = json.get("type").and_then(|ty| serde_json::from_value(ty.clone()).ok()).unwrap_or(Type::Any);
    let length = |name: &str| json.get(name).and_then(Json::as_u64);
    let number = |name: &str| json.get(name).and_then(|number| number.to_string().parse::<Number>().ok());
    let refinement = match (&ty, json.get("prefix").and_then(Json::as_str)) {
        (Type::String, Some(prefix)) => Refinement::beginning_exactly(prefix),
        (Type::Number, _) => Refinement::of_numbers(Bounds { least: number("least"), most: number("most") }),
        _ => Refinement::of_lengths(Bounds { least: length("least"), most: length("most") }),
    };
    match json.get("not-null").and_then(Json::as_bool) {
        Some(true) => Value::refined(ty, refinement),
        Some(false) | None => Value::refined(ty, refinement.or_null()),
    }
}

fn number_to_json(number: &Number) -> Json {
    serde_json::from_str(&number.to_string()).unwrap_or(Json::Null)
}

fn escape(name: &str) -> Cow<'_, str> {
    match name.starts_with('$') {
        true => format!("${name}").into(),
        false => name.into(),
    }
}

/// The value that `json` stands for; arrays become tuples, objects objects.
pub fn decode(json: Json) -> Result<Value, String> {
    Ok(match json {
        Json::Null => Value::NULL,
        Json::Bool(value) => Value::from(value),
        Json::Number(number) => number.as_str().parse::<Number>()?.into(),
        Json::String(text) => Value::from(text),
        Json::Array(items) => Data::Tuple(items.into_iter().map(decode).collect::<Result<_, _>>()?).into(),
        Json::Object(members) => decode_object(members)?,
    })
}

fn decode_object(mut members: Map<String, Json>) -> Result<Value, String> {
    if members.len() == 1 {
        if let Some(inner) = members.remove("$unknown") {
            return Ok(unknown_from_json(&inner));
        }
        if let Some(inner) = members.remove("$handle") {
            return Ok(Data::Handle(inner.to_string().into()).into());
        }
        if let Some(inner) = members.remove("$sensitive") {
            return Ok(decode(inner)?.into_sensitive());
        }
    }
    let member = |(name, json): (String, Json)| Ok((unescape(name)?, decode(json)?));
    let members: Vec<_> = members.into_iter().map(member).collect::<Result<_, String>>()?;
    Ok(Data::Object(members.into()).into())
}

fn unescape(name: String) -> Result<String, String> {
    match name.strip_prefix('$') {
        None => Ok(name),
        Some(rest) if rest.starts_with('$') => Ok(rest.to_owned()),
        Some(_) => Err(format!("`{name}` is no key of the contract's")),
    }
}

impl Serialize for Value {
    /// With marks kept: whoever writes it down must seal what is sensitive.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Encoded { value: self, marks: Marks::Keep }.serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode(Json::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_the_journey() {
        let value: Value = [
            ("$odd", Value::from("x")),
            ("handle", Data::Handle(r#"{"a":1}"#.into()).into()),
            ("n", "123456789012345678901234567890.5".parse::<Number>().unwrap().into()),
            ("secret", Value::from("s").into_sensitive()),
            ("later", Value::unknown(Type::list(Type::String))),
            ("surely", Value::unknown(Type::Bool).not_null()),
            ("url", Value::refined(Type::String, Refinement::beginning_with("http://").or_null())),
            ("some", Value::refined(Type::set(Type::Any), Refinement::of_lengths(Bounds::between(1, 3)))),
            ("size", Value::refined(Type::Number, Refinement::of_numbers(Bounds::between(1.into(), 3.into())))),
        ]
        .into_iter()
        .collect();
        let text = to_text(&value, Marks::Keep);
        assert_eq!(decode(encode(&value, Marks::Keep)).unwrap(), value);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(is_text_of(&text, &value, Marks::Keep) && !is_text_of(&text, &value, Marks::Drop));
        assert!(!is_text_of(&format!("{text} "), &value, Marks::Keep) && !is_text_of(&text[1..], &value, Marks::Keep));
    }

    #[test]
    fn a_redacted_secret_is_not_there() {
        let secret = Value::tuple([Value::from("hunter2").into_sensitive()]);
        assert_eq!(encode(&secret, Marks::Redact).to_string(), r#"["(sensitive)"]"#);
    }

    #[test]
    fn what_is_promised_is_told_to_nobody_else() {
        let url = Value::refined(Type::String, Refinement::beginning_with("http://"));
        assert_eq!(encode(&url, Marks::Keep)["$unknown"]["prefix"], "http://");
        for marks in [Marks::Drop, Marks::Redact] {
            assert_eq!(encode(&url, marks), json!({ "$unknown": { "type": "string" } }));
        }
    }

    #[test]
    fn a_guest_cannot_smuggle_a_key_of_the_contract() {
        assert!(decode(json!({ "$bogus": 1, "b": 2 })).is_err());
    }
}
