//! How encodings are called.
//!
//! Source: the IANA's registry of character sets.

use encoding_rs::{
    BIG5, EUC_JP, EUC_KR, Encoding, GB18030, GBK, IBM866, ISO_2022_JP, ISO_8859_2, ISO_8859_3, ISO_8859_4, ISO_8859_5,
    ISO_8859_6, ISO_8859_7, ISO_8859_8, ISO_8859_10, ISO_8859_13, ISO_8859_14, ISO_8859_15, ISO_8859_16, KOI8_R,
    KOI8_U, MACINTOSH, SHIFT_JIS, WINDOWS_874, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252, WINDOWS_1253, WINDOWS_1254,
    WINDOWS_1255, WINDOWS_1256, WINDOWS_1257, WINDOWS_1258,
};

use super::pages::{
    ASCII, IBM037, IBM437, IBM850, IBM852, IBM855, IBM858, IBM860, IBM862, IBM863, IBM865, IBM1047, IBM1140, LATIN1,
    LATIN5,
};
use super::{Charset, Order};
use crate::functions::{Error, Result, quoted};

/// By its name or an alias, in upper or lower case.
pub(super) fn charset(name: &str) -> Result<Charset> {
    let wanted = name.trim().to_lowercase();
    unicode(&wanted).or_else(|| page(&wanted)).or_else(|| web(&wanted)).or_else(|| wide(&wanted)).ok_or_else(|| {
        Error::new(format!("no encoding is called {}", quoted(name)))
            .hint("the IANA has their names, as `UTF-16LE` and `ISO-8859-1`")
    })
}

fn unicode(name: &str) -> Option<Charset> {
    match name {
        "utf-8" | "csutf8" => Some(Charset::Utf8),
        "utf-16" | "csutf16" => Some(Charset::Utf16(Order::Marked)),
        "utf-16be" | "csutf16be" => Some(Charset::Utf16(Order::Big)),
        "utf-16le" | "csutf16le" => Some(Charset::Utf16(Order::Little)),
        _ => None,
    }
}

#[rustfmt::skip]
fn page(name: &str) -> Option<Charset> {
    let page = match name {
        "us-ascii" | "iso-ir-6" | "ansi_x3.4-1968" | "ansi_x3.4-1986" | "iso_646.irv:1991" | "iso646-us" | "us"
        | "ibm367" | "cp367" | "csascii" => ASCII,
        "ibm037" | "cp037" | "ebcdic-cp-us" | "ebcdic-cp-ca" | "ebcdic-cp-wt" | "ebcdic-cp-nl" | "csibm037" => IBM037,
        "ibm437" | "cp437" | "437" | "cspc8codepage437" => IBM437,
        "ibm850" | "cp850" | "850" | "cspc850multilingual" => IBM850,
        "ibm852" | "cp852" | "852" | "cspcp852" => IBM852,
        "ibm855" | "cp855" | "855" | "csibm855" => IBM855,
        "ibm00858" | "ccsid00858" | "cp00858" | "pc-multilingual-850+euro" | "csibm00858" => IBM858,
        "ibm860" | "cp860" | "860" | "csibm860" => IBM860,
        "ibm862" | "cp862" | "862" | "cspc862latinhebrew" => IBM862,
        "ibm863" | "cp863" | "863" | "csibm863" => IBM863,
        "ibm865" | "cp865" | "865" | "csibm865" => IBM865,
        "ibm1047" | "ibm-1047" | "csibm1047" => IBM1047,
        "ibm01140" | "ccsid01140" | "cp01140" | "ebcdic-us-37+euro" | "csibm01140" => IBM1140,
        "iso_8859-1:1987" | "iso-ir-100" | "iso_8859-1" | "iso-8859-1" | "latin1" | "l1" | "ibm819" | "cp819"
        | "csisolatin1" => LATIN1,
        "iso_8859-9:1989" | "iso-ir-148" | "iso_8859-9" | "iso-8859-9" | "latin5" | "l5" | "csisolatin5" => LATIN5,
        _ => return None,
    };
    Some(Charset::Page(page))
}

#[rustfmt::skip]
fn web(name: &str) -> Option<Charset> {
    let encoding: &'static Encoding = match name {
        "ibm866" | "cp866" | "866" | "csibm866" => IBM866,
        "iso_8859-2:1987" | "iso-ir-101" | "iso_8859-2" | "iso-8859-2" | "latin2" | "l2" | "csisolatin2" => ISO_8859_2,
        "iso_8859-3:1988" | "iso-ir-109" | "iso_8859-3" | "iso-8859-3" | "latin3" | "l3" | "csisolatin3" => ISO_8859_3,
        "iso_8859-4:1988" | "iso-ir-110" | "iso_8859-4" | "iso-8859-4" | "latin4" | "l4" | "csisolatin4" => ISO_8859_4,
        "iso_8859-5:1988" | "iso-ir-144" | "iso_8859-5" | "iso-8859-5" | "cyrillic" | "csisolatincyrillic" => ISO_8859_5,
        "iso_8859-6:1987" | "iso-ir-127" | "iso_8859-6" | "iso-8859-6" | "ecma-114" | "asmo-708" | "arabic"
        | "csisolatinarabic" | "iso_8859-6-e" | "iso-8859-6-e" | "csiso88596e" | "iso_8859-6-i" | "iso-8859-6-i"
        | "csiso88596i" => ISO_8859_6,
        "iso_8859-7:1987" | "iso-ir-126" | "iso_8859-7" | "iso-8859-7" | "elot_928" | "ecma-118" | "greek" | "greek8"
        | "csisolatingreek" => ISO_8859_7,
        "iso_8859-8:1988" | "iso-ir-138" | "iso_8859-8" | "iso-8859-8" | "hebrew" | "csisolatinhebrew"
        | "iso_8859-8-e" | "iso-8859-8-e" | "csiso88598e" | "iso_8859-8-i" | "iso-8859-8-i" | "csiso88598i" => ISO_8859_8,
        "iso-8859-10" | "iso-ir-157" | "l6" | "iso_8859-10:1992" | "csisolatin6" | "latin6" => ISO_8859_10,
        "iso-8859-13" | "csiso885913" => ISO_8859_13,
        "iso-8859-14" | "iso-ir-199" | "iso_8859-14:1998" | "iso_8859-14" | "latin8" | "iso-celtic" | "l8"
        | "csiso885914" => ISO_8859_14,
        "iso-8859-15" | "iso_8859-15" | "latin-9" | "csiso885915" => ISO_8859_15,
        "iso-8859-16" | "iso-ir-226" | "iso_8859-16:2001" | "iso_8859-16" | "latin10" | "l10" | "csiso885916" => ISO_8859_16,
        "koi8-r" | "cskoi8r" => KOI8_R,
        "koi8-u" | "cskoi8u" => KOI8_U,
        "macintosh" | "mac" | "csmacintosh" => MACINTOSH,
        "windows-874" | "cswindows874" => WINDOWS_874,
        "windows-1250" | "cswindows1250" => WINDOWS_1250,
        "windows-1251" | "cswindows1251" => WINDOWS_1251,
        "windows-1252" | "cswindows1252" => WINDOWS_1252,
        "windows-1253" | "cswindows1253" => WINDOWS_1253,
        "windows-1254" | "cswindows1254" => WINDOWS_1254,
        "windows-1255" | "cswindows1255" => WINDOWS_1255,
        "windows-1256" | "cswindows1256" => WINDOWS_1256,
        "windows-1257" | "cswindows1257" => WINDOWS_1257,
        "windows-1258" | "cswindows1258" => WINDOWS_1258,
        _ => return None,
    };
    Some(Charset::Web(encoding))
}

fn wide(name: &str) -> Option<Charset> {
    let encoding: &'static Encoding = match name {
        "extended_unix_code_packed_format_for_japanese" | "cseucpkdfmtjapanese" | "euc-jp" => EUC_JP,
        "iso-2022-jp" | "csiso2022jp" => ISO_2022_JP,
        "shift_jis" | "ms_kanji" | "csshiftjis" => SHIFT_JIS,
        "euc-kr" | "cseuckr" => EUC_KR,
        "gb18030" | "csgb18030" => GB18030,
        "gbk" | "cp936" | "ms936" | "windows-936" | "csgbk" => GBK,
        "big5" | "csbig5" => BIG5,
        _ => return None,
    };
    Some(Charset::Wide(encoding))
}
