//! Text in other encodings than UTF-8, and compressed text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bimetal_model::Type;
use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use flate2::{Compress, Compression, FlushCompress};

use super::{Arguments, Error, Function, Result, deep};

pub(super) fn functions() -> Vec<Function> {
    vec![
        deep("textencodebase64", 2, 2, Type::String, |a| {
            let (text, charset) = (a.text(0)?, charset(&a)?);
            let bytes = charset.encode(&text);
            let bytes = bytes.ok_or_else(|| Error::argument(0, "the encoding lacks a character of this text"))?;
            Ok(STANDARD.encode(bytes).into())
        }),
        deep("textdecodebase64", 2, 2, Type::String, |a| {
            let bytes = STANDARD.decode(a.text(0)?);
            let bytes = bytes.map_err(|error| Error::argument(0, format!("this is no base64: {error}")))?;
            let text = charset(&a)?.decode(&bytes);
            Ok(text.ok_or_else(|| Error::argument(0, "these bytes are no text of that encoding"))?.into())
        }),
        deep("base64gzip", 1, 1, Type::String, |a| Ok(STANDARD.encode(gzip(a.text(0)?.as_bytes())).into())),
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
    let name = arguments.text(1)?;
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

/// A gzip file without name and time, flushed before its end.
///
/// Source: how Go's `compress/gzip` writes what is flushed and closed.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    const LAST_BLOCK: [u8; 5] = [1, 0, 0, 0xff, 0xff];
    let mut body = Vec::with_capacity(bytes.len() + 1024);
    let mut compress = Compress::new(Compression::default(), false);
    loop {
        let done = usize::try_from(compress.total_in()).unwrap_or(usize::MAX);
        let before = body.len();
        let rest = bytes.get(done..).unwrap_or_default();
        // Memory is all that it needs, and there is always some left.
        let _ = compress.compress_vec(rest, &mut body, FlushCompress::Sync);
        if body.len() < body.capacity() || body.len() == before {
            break;
        }
        body.reserve(bytes.len() + 1024);
    }
    let mut checksum = flate2::Crc::new();
    checksum.update(bytes);
    let length = u32::try_from(bytes.len() % (1 << 32)).unwrap_or_default();
    [&HEADER[..], &body, &LAST_BLOCK, &checksum.sum().to_le_bytes(), &length.to_le_bytes()].concat()
}
