//! JSON, base64, digests.

use std::borrow::Cow;

use base64::engine::general_purpose::STANDARD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine as _, alphabet};
use bimetal_model::json::{Marks, encode};
use bimetal_model::{Data, Number, Type, Value};
use rsa::pkcs1::DecodeRsaPrivateKey as _;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey};
use serde_json::Value as Json;
use sha2::Digest as _;

use super::{Arguments, Error, Function, Result, any, deep, foretold, text};

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("jsonencode", [any().or_null().or_anything()], Type::String, |a| {
            Ok(json_text(a.value(0)).map_err(Error::new)?.into())
        })
        .foretelling(foretold::json),
        deep("jsondecode", [text()], Type::Any, |a| {
            from_json_text(a.text(0)).map_err(|reason| Error::new(format!("this is no JSON: {reason}")))
        })
        .or_null(),
        deep("base64encode", [text()], Type::String, |a| Ok(STANDARD.encode(a.text(0)).into())),
        deep("base64decode", [text()], Type::String, |a| {
            let text = String::from_utf8(from_base64(a.text(0))?);
            text.map(Value::from).map_err(|_| Error::new("what it holds is no UTF-8 text"))
        }),
        deep("urlencode", [text()], Type::String, |a| Ok(url_text(a.text(0)).into())),
        deep("sha256", [text()], Type::String, |a| Ok(hexadecimal(&sha2::Sha256::digest(a.text(0))).into())),
        deep("sha512", [text()], Type::String, |a| Ok(hexadecimal(&sha2::Sha512::digest(a.text(0))).into())),
        deep("sha1", [text()], Type::String, |a| Ok(hexadecimal(&sha1::Sha1::digest(a.text(0))).into())),
        deep("md5", [text()], Type::String, |a| Ok(hexadecimal(&md5::Md5::digest(a.text(0))).into())),
        deep("base64sha256", [text()], Type::String, |a| Ok(STANDARD.encode(sha2::Sha256::digest(a.text(0))).into())),
        deep("base64sha512", [text()], Type::String, |a| Ok(STANDARD.encode(sha2::Sha512::digest(a.text(0))).into())),
        deep("uuidv5", [text(), text()], Type::String, uuid_of_name),
        deep("rsadecrypt", [text(), text()], Type::String, rsa_decrypt),
        deep("csvdecode", [text()], Type::Any, csv_decode),
    ]
}

/// The bytes that a text stands for. Ends of lines in it count for nothing, and the last bits of its last letter.
pub(super) fn from_base64(text: &str) -> Result<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
    let engine = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
    let broken = |error: DecodeError| {
        let reason = match error {
            DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => format!("character {}", at + 1),
            DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => "characters or `=` are missing".to_owned(),
        };
        Error::new(format!("this is no base64: {reason}"))
    };
    match text.contains(['\n', '\r']) {
        true => engine.decode(text.replace(['\n', '\r'], "")).map_err(broken),
        false => engine.decode(text).map_err(broken),
    }
}

/// What was encrypted with a public key by PKCS #1 v1.5, as clouds encrypt first passwords.
fn rsa_decrypt(arguments: Arguments<'_>) -> Result {
    let sealed = from_base64(arguments.text(0)).map_err(|error| error.of(0))?;
    let pem = arguments.text(1);
    let key = RsaPrivateKey::from_pkcs1_pem(pem).ok().or_else(|| RsaPrivateKey::from_pkcs8_pem(pem).ok());
    let key = key.ok_or_else(|| Error::argument(1, "this is no RSA private key in PEM, of PKCS #1 or PKCS #8"))?;
    let open = key.decrypt(Pkcs1v15Encrypt, &sealed);
    let open = open.map_err(|_| Error::new("this was not encrypted for that key"))?;
    String::from_utf8(open).map(Value::from).map_err(|_| Error::new("what was encrypted is no UTF-8 text"))
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As Terraform writes it: `<`, `>` and `&` escaped. Otherwise what has no JSON.
pub(super) fn json_text(value: &Value) -> std::result::Result<String, String> {
    let text = plain(value)?.to_string();
    if !text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']) {
        return Ok(text);
    }
    let escaped = text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    Ok(escaped.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029"))
}

/// The user's own JSON: keys as they are.
fn plain(value: &Value) -> std::result::Result<Json, String> {
    bimetal_syntax::deeply(|| match &value.data {
        Data::List(items) | Data::Set(items) | Data::Tuple(items) => {
            items.iter().map(plain).collect::<std::result::Result<_, _>>().map(Json::Array)
        }
        Data::Map(members) | Data::Object(members) => {
            let member = |(name, value): (&String, &Value)| Ok((name.clone(), plain(value)?));
            members.iter().map(member).collect::<std::result::Result<_, _>>().map(Json::Object)
        }
        Data::Number(number) if number.is_infinite() => Err("what is infinite has no JSON".to_owned()),
        _ => Ok(encode(value, Marks::Drop)),
    })
}

/// The value that a JSON text stands for.
pub(crate) fn from_json_text(text: &str) -> std::result::Result<Value, String> {
    let json = serde_json::from_str::<Json>(&without_lone_surrogates(text)).map_err(|error| error.to_string())?;
    from_json(&json).map_err(|error| error.reason)
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

/// A name's UUID in a namespace: `dns`, `url`, `oid`, `x500` or a UUID.
fn uuid_of_name(arguments: Arguments<'_>) -> Result {
    let space = match arguments.text(0) {
        "dns" => Some(0x6ba7_b810_9dad_11d1_80b4_00c0_4fd4_30c8),
        "url" => Some(0x6ba7_b811_9dad_11d1_80b4_00c0_4fd4_30c8),
        "oid" => Some(0x6ba7_b812_9dad_11d1_80b4_00c0_4fd4_30c8),
        "x500" => Some(0x6ba7_b814_9dad_11d1_80b4_00c0_4fd4_30c8),
        other => uuid(other),
    };
    let space: u128 = space.ok_or_else(|| Error::new("a namespace is `dns`, `url`, `oid`, `x500` or a UUID"))?;
    let digest = sha1::Sha1::new().chain_update(space.to_be_bytes()).chain_update(arguments.text(1)).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hexadecimal(&bytes);
    let parts = [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]];
    Ok(parts.join("-").into())
}

/// With its dashes or without, in braces, or behind `urn:uuid:`.
fn uuid(text: &str) -> Option<u128> {
    let inner = match text.len() {
        45 => text.get(..9).filter(|urn| urn.eq_ignore_ascii_case("urn:uuid:")).and_then(|_| text.get(9..))?,
        38 => text.get(1..37)?,
        _ => text,
    };
    let has_dashes = |at: &usize| inner.as_bytes().get(*at) == Some(&b'-');
    let digits = match inner.len() {
        36 if [8, 13, 18, 23].iter().all(has_dashes) => inner.replace('-', ""),
        32 => inner.to_owned(),
        _ => return None,
    };
    let is_whole = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u128::from_str_radix(&digits, 16).ok().filter(|_| is_whole)
}

/// A list of objects, one a line; the first line names the attributes.
fn csv_decode(arguments: Arguments<'_>) -> Result {
    let mut rows = csv_rows(arguments.text(0))?.into_iter();
    let names = rows.next().ok_or_else(|| Error::new("there is no header line"))?;
    if let Some(name) = names.iter().enumerate().find_map(|(place, name)| names[..place].contains(name).then_some(name))
    {
        return Err(Error::new(format!("two columns are called `{name}`")));
    }
    let row = |(place, row): (usize, Vec<String>)| match row.len() == names.len() {
        true => Ok(names.iter().cloned().zip(row.into_iter().map(Value::from)).collect()),
        false => Err(Error::new(format!("row {} has {} fields, not {}", place + 2, row.len(), names.len()))),
    };
    let rows = rows.enumerate().map(row).collect::<Result<Vec<Value>>>()?;
    Ok(Value::list(Type::object(names.iter().map(|name| (name.clone(), Type::String))), rows))
}

fn csv_rows(text: &str) -> Result<Vec<Vec<String>>> {
    let (mut rows, mut chars) = (Vec::new(), text.chars().peekable());
    while chars.peek().is_some() {
        let mut row = vec![csv_field(&mut chars)?];
        while chars.next_if_eq(&',').is_some() {
            row.push(csv_field(&mut chars)?);
        }
        chars.next_if_eq(&'\r');
        if chars.peek().is_some() && chars.next_if_eq(&'\n').is_none() {
            return Err(Error::new("a quote stands inside of a field"));
        }
        if row.len() > 1 || !row[0].is_empty() {
            rows.push(row);
        }
    }
    Ok(rows)
}

fn csv_field(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String> {
    let mut field = String::new();
    if chars.next_if_eq(&'"').is_none() {
        while let Some(c) = chars.next_if(|c| !matches!(c, ',' | '\n' | '\r' | '"')) {
            field.push(c);
        }
        return Ok(field);
    }
    loop {
        match chars.next() {
            Some('"') if chars.next_if_eq(&'"').is_some() => field.push('"'),
            Some('"') => return Ok(field),
            Some(c) => field.push(c),
            None => return Err(Error::new("a quote is not closed")),
        }
    }
}

/// Half of a character is the replacement character, as in Go's JSON; here it would be an error.
fn without_lone_surrogates(text: &str) -> Cow<'_, str> {
    if !text.contains("\\u") {
        return text.into();
    }
    let (mut made, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(place) = rest.find('\\') {
        let (before, escape) = rest.split_at(place);
        made.push_str(before);
        let (kept, length) = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (&escape[..12], 12),
            (Some(_), _) => ("\\ufffd", 6),
            (None, _) => {
                let length = 1 + escape.chars().nth(1).map_or(0, char::len_utf8);
                (&escape[..length], length)
            }
        };
        made.push_str(kept);
        rest = &escape[length..];
    }
    made.push_str(rest);
    made.into()
}

/// Of an escape that stands for half of a character.
fn surrogate(escape: &str) -> Option<u32> {
    let code = u32::from_str_radix(escape.strip_prefix("\\u")?.get(..4)?, 16).ok()?;
    (0xd800..=0xdfff).contains(&code).then_some(code)
}
