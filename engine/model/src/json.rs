//! Values as JSON text, in the form that crosses every border: to guests, to state, to a saved plan.
//!
//! Unknown is `{"$unknown": {"type": …}}`, where it is ours with what is promised of it (`not-null`, `prefix`, `least`, `most`), a handle `{"$handle": …}`, what is sensitive `{"$sensitive": …}`;
//! what is ephemeral is written as `null`; a key of the user's own that begins with `$` is doubled. Lists, sets and tuples become arrays, maps and
//! objects become objects; who knows the type converts back.

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
    match (value.marks, marks) {
        (ValueMarks { ephemeral: true, .. }, Marks::Keep) => Json::Null,
        (ValueMarks { ephemeral: true, .. }, Marks::Redact) => json!("(ephemeral)"),
        (ValueMarks { sensitive: true, .. }, Marks::Keep) => json!({ "$sensitive": encode_data(&value.data, marks) }),
        (ValueMarks { sensitive: true, .. }, Marks::Redact) => json!("(sensitive)"),
        _ => encode_data(&value.data, marks),
    }
}

fn encode_data(data: &Data, marks: Marks) -> Json {
    match data {
        Data::Null(_) => Json::Null,
        Data::Unknown(ty, refinement) => json!({ "$unknown": unknown_to_json(ty, refinement, marks) }),
        Data::Bool(value) => Json::Bool(*value),
        Data::Number(number) => number_to_json(number),
        Data::String(text) => Json::String(text.to_string()),
        Data::Handle(text) => json!({ "$handle": serde_json::from_str::<Json>(text).unwrap_or(Json::Null) }),
        Data::List(items) | Data::Set(items) | Data::Tuple(items) => {
            Json::Array(items.iter().map(|item| encode(item, marks)).collect())
        }
        Data::Map(members) | Data::Object(members) => {
            Json::Object(members.iter().map(|(name, value)| (escape(name), encode(value, marks))).collect())
        }
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

fn escape(name: &str) -> String {
    match name.starts_with('$') {
        true => format!("${name}"),
        false => name.to_owned(),
    }
}

/// The value that `json` stands for; arrays become tuples, objects objects.
pub fn decode(json: &Json) -> Result<Value, String> {
    Ok(match json {
        Json::Null => Value::NULL,
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => number.to_string().parse::<Number>()?.into(),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Data::Tuple(items.iter().map(decode).collect::<Result<_, _>>()?).into(),
        Json::Object(members) => decode_object(members)?,
    })
}

fn decode_object(members: &Map<String, Json>) -> Result<Value, String> {
    let mut entries = members.iter();
    if let (Some((name, inner)), None) = (entries.next(), entries.next()) {
        match name.as_str() {
            "$unknown" => return Ok(unknown_from_json(inner)),
            "$handle" => return Ok(Data::Handle(inner.to_string().into()).into()),
            "$sensitive" => return Ok(decode(inner)?.into_sensitive()),
            _ => {}
        }
    }
    let member = |(name, value): (&String, &Json)| Ok((unescape(name)?, decode(value)?));
    Ok(Data::Object(members.iter().map(member).collect::<Result<_, String>>()?).into())
}

fn unescape(name: &str) -> Result<String, String> {
    match name.strip_prefix('$') {
        None => Ok(name.to_owned()),
        Some(rest) if rest.starts_with('$') => Ok(rest.to_owned()),
        Some(_) => Err(format!("`{name}` is no key of the contract's")),
    }
}

impl serde::Serialize for Value {
    /// With marks kept: whoever writes it down must seal what is sensitive.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        encode(self, Marks::Keep).serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Value {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        decode(&Json::deserialize(deserializer)?).map_err(serde::de::Error::custom)
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
        assert_eq!(decode(&encode(&value, Marks::Keep)).unwrap(), value);
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
        assert!(decode(&json!({ "$bogus": 1, "b": 2 })).is_err());
    }
}
