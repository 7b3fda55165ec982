//! Text in other encodings than UTF-8, and compressed text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::Type;
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use super::deflate::gzip;
use super::encoding::from_base64;
use super::{Arguments, Error, Function, Result, deep, text};

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("textencodebase64", [text(), text()], Type::String, |a| {
            let bytes = charset(&a)?.encode(a.text(0));
            let bytes = bytes.ok_or_else(|| Error::argument(0, "the encoding lacks a character of this text"))?;
            Ok(STANDARD.encode(bytes).into())
        }),
        deep("textdecodebase64", [text(), text()], Type::String, |a| {
            let charset = charset(&a)?;
            let text = charset.decode(&from_base64(a.text(0)).map_err(|error| error.of(0))?);
            Ok(text.ok_or_else(|| Error::argument(0, "these bytes are no text of that encoding"))?.into())
        }),
        deep("base64gzip", [text()], Type::String, |a| Ok(STANDARD.encode(gzip(a.text(0).as_bytes())).into())),
    ]
}

enum Charset {
    /// Each byte is the character of that number.
    Latin1,
    Utf16 {
        is_little: bool,
    },
    Other(&'static Encoding),
}

/// By a name or an alias of the IANA registry.
fn charset(arguments: &Arguments<'_>) -> Result<Charset> {
    let name = arguments.text(1);
    if matches!(name.to_ascii_lowercase().as_str(), "iso-8859-1" | "iso_8859-1" | "latin1" | "l1") {
        return Ok(Charset::Latin1);
    }
    match Encoding::for_label(name.as_bytes()) {
        Some(found) if found == UTF_16LE => Ok(Charset::Utf16 { is_little: true }),
        Some(found) if found == UTF_16BE => Ok(Charset::Utf16 { is_little: false }),
        Some(found) => Ok(Charset::Other(found)),
        None => Err(Error::argument(1, format!("no encoding is called `{name}`"))),
    }
}

impl Charset {
    /// `None` where a character is not in it.
    fn encode(&self, text: &str) -> Option<Vec<u8>> {
        match self {
            Charset::Latin1 => text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect(),
            Charset::Utf16 { is_little } => {
                let bytes = |unit: u16| if *is_little { unit.to_le_bytes() } else { unit.to_be_bytes() };
                Some(text.encode_utf16().flat_map(bytes).collect())
            }
            Charset::Other(encoding) => {
                let (bytes, _, is_lossy) = encoding.encode(text);
                (!is_lossy).then(|| bytes.into_owned())
            }
        }
    }

    /// `None` where these are no characters of it.
    fn decode(&self, bytes: &[u8]) -> Option<String> {
        match self {
            Charset::Latin1 => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
            Charset::Utf16 { is_little } => {
                let encoding = if *is_little { UTF_16LE } else { UTF_16BE };
                Some(encoding.decode_without_bom_handling_and_without_replacement(bytes)?.into_owned())
            }
            Charset::Other(encoding) => {
                Some(encoding.decode_without_bom_handling_and_without_replacement(bytes)?.into_owned())
            }
        }
    }
}
