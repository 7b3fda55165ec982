//! JSON, base64, digests.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::json::{Marks, encode};
use bimetal_model::{Data, Number, Value};
use serde_json::Value as Json;
use sha2::Digest as _;

use super::{Error, Function, Result, deep};

pub(super) const FUNCTIONS: &[Function] = &[
    deep("jsonencode", 1, 1, |a| Ok(json_text(&a.value(0)).into())),
    deep("jsondecode", 1, 1, |a| {
        let parsed = serde_json::from_str::<Json>(&a.text(0)?);
        let json = parsed.map_err(|error| Error::argument(0, format!("this is no JSON: {error}")))?;
        from_json(&json)
    }),
    deep("base64encode", 1, 1, |a| Ok(STANDARD.encode(a.text(0)?).into())),
    deep("base64decode", 1, 1, |a| {
        let bytes =
            STANDARD.decode(a.text(0)?).map_err(|error| Error::argument(0, format!("this is no base64: {error}")))?;
        String::from_utf8(bytes).map(Value::from).map_err(|_| Error::argument(0, "what it holds is no UTF-8 text"))
    }),
    deep("urlencode", 1, 1, |a| Ok(url_text(&a.text(0)?).into())),
    deep("sha256", 1, 1, |a| Ok(hexadecimal(&sha2::Sha256::digest(a.text(0)?)).into())),
    deep("sha512", 1, 1, |a| Ok(hexadecimal(&sha2::Sha512::digest(a.text(0)?)).into())),
    deep("sha1", 1, 1, |a| Ok(hexadecimal(&sha1::Sha1::digest(a.text(0)?)).into())),
    deep("md5", 1, 1, |a| Ok(hexadecimal(&md5::Md5::digest(a.text(0)?)).into())),
    deep("base64sha256", 1, 1, |a| Ok(STANDARD.encode(sha2::Sha256::digest(a.text(0)?)).into())),
];

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As Terraform writes it: `<`, `>` and `&` escaped.
fn json_text(value: &Value) -> String {
    let text = plain(value).to_string();
    text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// The user's own JSON: keys as they are.
fn plain(value: &Value) -> Json {
    match &value.data {
        Data::List(items) | Data::Set(items) | Data::Tuple(items) => Json::Array(items.iter().map(plain).collect()),
        Data::Map(members) | Data::Object(members) => {
            Json::Object(members.iter().map(|(name, value)| (name.clone(), plain(value))).collect())
        }
        _ => encode(value, Marks::Drop),
    }
}

fn from_json(json: &Json) -> Result {
    Ok(match json {
        Json::Null => Value::NULL,
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => Value::from(number.to_string().parse::<Number>().map_err(Error::new)?),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => Value::tuple(items.iter().map(from_json).collect::<Result<Vec<_>>>()?),
        Json::Object(members) => {
            let member = |(name, value): (&String, &Json)| Ok((name.clone(), from_json(value)?));
            members.iter().map(member).collect::<Result<Vec<_>>>()?.into_iter().collect()
        }
    })
}

fn url_text(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => (byte as char).to_string(),
        b' ' => "+".to_owned(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}
