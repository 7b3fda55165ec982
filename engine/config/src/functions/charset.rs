//! Text in other encodings than UTF-8, and compressed text.

mod names;
mod pages;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::Type;
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};

use self::names::charset;
use self::pages::Page;
use super::deflate::gzip;
use super::encoding::from_base64;
use super::{Error, Function, deep, text};

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("textencodebase64", [text(), text()], Type::String, |a| {
            let bytes = charset(a.text(1)).map_err(|error| error.of(1))?.encode(a.text(0));
            let bytes = bytes.ok_or_else(|| Error::argument(0, "the encoding lacks a character of this text"))?;
            Ok(STANDARD.encode(bytes).into())
        }),
        deep("textdecodebase64", [text(), text()], Type::String, |a| {
            let charset = charset(a.text(1)).map_err(|error| error.of(1))?;
            let text = charset.decode(&from_base64(a.text(0)).map_err(|error| error.of(0))?);
            Ok(text.ok_or_else(|| Error::argument(0, "these bytes are no text of that encoding"))?.into())
        }),
        deep("base64gzip", [text()], Type::String, |a| Ok(STANDARD.encode(gzip(a.text(0).as_bytes())).into())),
    ]
}

enum Charset {
    Utf8,
    Utf16(Order),
    /// One byte a character.
    Page(Page),
    /// The web's, in which no control character is left.
    Web(&'static Encoding),
    /// East Asian.
    Wide(&'static Encoding),
}

/// Of the two bytes of a unit.
enum Order {
    Little,
    Big,
    /// As a mark at the beginning says: the larger one first, unless it says something else.
    Marked,
}

/// Where another encoding has a character that the web gave the byte.
fn is_control(c: char) -> bool {
    matches!(c, '\u{80}'..='\u{9f}')
}

impl Charset {
    /// `None` where a character is not in it.
    fn encode(&self, text: &str) -> Option<Vec<u8>> {
        let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
        match self {
            Charset::Utf8 => Some(text.as_bytes().to_vec()),
            Charset::Utf16(Order::Little) => Some(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
            Charset::Utf16(Order::Big) => Some(big(text)),
            Charset::Utf16(Order::Marked) => Some([big("\u{feff}"), big(text)].concat()),
            Charset::Page(page) => {
                let table = page.table();
                let byte = |c: char| u8::try_from(table.iter().position(|known| *known == c)?).ok();
                text.chars().map(byte).collect()
            }
            Charset::Web(_) if text.contains(is_control) => None,
            Charset::Web(encoding) | Charset::Wide(encoding) => {
                let (bytes, _, is_lossy) = encoding.encode(text);
                (!is_lossy).then(|| bytes.into_owned())
            }
        }
    }

    /// `None` where these are no characters of it.
    fn decode(&self, bytes: &[u8]) -> Option<String> {
        let text = match self {
            Charset::Utf8 => String::from_utf8(bytes.to_vec()).ok()?,
            Charset::Utf16(Order::Little) => plain(UTF_16LE, bytes)?,
            Charset::Utf16(Order::Big) => plain(UTF_16BE, bytes)?,
            Charset::Utf16(Order::Marked) => match bytes {
                [0xff, 0xfe, rest @ ..] => plain(UTF_16LE, rest)?,
                [0xfe, 0xff, rest @ ..] => plain(UTF_16BE, rest)?,
                bytes => plain(UTF_16BE, bytes)?,
            },
            Charset::Page(page) => {
                let table = page.table();
                bytes.iter().map(|byte| table.get(usize::from(*byte))).collect::<Option<String>>()?
            }
            Charset::Web(encoding) => plain(encoding, bytes).filter(|text| !text.contains(is_control))?,
            Charset::Wide(encoding) => plain(encoding, bytes)?,
        };
        Some(text).filter(|text| !text.contains('\u{fffd}'))
    }
}

fn plain(encoding: &'static Encoding, bytes: &[u8]) -> Option<String> {
    Some(encoding.decode_without_bom_handling_and_without_replacement(bytes)?.into_owned())
}
