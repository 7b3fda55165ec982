//! What encodings of one byte mean that `encoding_rs` lacks: IBM's code pages, and Latin 5, which the web takes for another.

/// An encoding of one byte a character.
pub(super) struct Page {
    /// Those of the last bytes: of half of them, or of all. The others are ASCII.
    characters: &'static str,
    /// Where it differs from these.
    changes: &'static [(u8, char)],
}

impl Page {
    /// The character of each byte.
    pub(super) fn table(&self) -> Vec<char> {
        let ascii = (0..=0x7fu8).map(char::from);
        let missing = 256usize.saturating_sub(self.characters.chars().count());
        let mut table: Vec<char> = ascii.take(missing).chain(self.characters.chars()).collect();
        for (byte, character) in self.changes {
            if let Some(place) = table.get_mut(usize::from(*byte)) {
                *place = *character;
            }
        }
        table
    }
}

pub(super) const IBM037: Page = Page { characters: EBCDIC, changes: &[] };
pub(super) const IBM437: Page = Page { characters: AMERICAN, changes: &[] };
pub(super) const IBM850: Page = Page { characters: WESTERN, changes: &[] };
pub(super) const IBM852: Page = Page { characters: CENTRAL, changes: &[] };
pub(super) const IBM855: Page = Page { characters: CYRILLIC, changes: &[] };
pub(super) const IBM858: Page = Page { characters: WESTERN, changes: &[(0xd5, '€')] };
pub(super) const IBM860: Page = Page { characters: PORTUGUESE, changes: &[] };
pub(super) const IBM862: Page = Page { characters: HEBREW, changes: &[] };
pub(super) const IBM863: Page = Page { characters: CANADIAN, changes: &[] };
pub(super) const IBM865: Page = Page { characters: AMERICAN, changes: &[(0x9b, 'ø'), (0x9d, 'Ø'), (0xaf, '¤')] };
pub(super) const IBM1047: Page = Page {
    characters: EBCDIC,
    changes: &[(0x5f, '^'), (0xad, '['), (0xb0, '¬'), (0xba, 'Ý'), (0xbb, '¨'), (0xbd, ']')],
};
pub(super) const IBM1140: Page = Page { characters: EBCDIC, changes: &[(0x9f, '€')] };
pub(super) const LATIN1: Page = Page { characters: LATIN, changes: &[] };
pub(super) const LATIN5: Page = Page {
    characters: LATIN,
    changes: &[(0xd0, 'Ğ'), (0xdd, 'İ'), (0xde, 'Ş'), (0xf0, 'ğ'), (0xfd, 'ı'), (0xfe, 'ş')],
};
pub(super) const ASCII: Page = Page { characters: "", changes: &[] };

const AMERICAN: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ\
    áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

const WESTERN: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ\
    áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
    └┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀\
    ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

const CENTRAL: &str = "\
    ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×č\
    áíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐\
    └┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀\
    ÓßÔŃńňŠšŔÚŕŰýÝţ´\u{ad}˝˛ˇ˘§÷¸°¨˙űŘř■\u{a0}";

const CYRILLIC: &str = "\
    ђЂѓЃёЁєЄѕЅіІїЇјЈљЉњЊћЋќЌўЎџЏюЮъЪ\
    аАбБцЦдДеЕфФгГ«»░▒▓│┤хХиИ╣║╗╝йЙ┐\
    └┴┬├─┼кК╚╔╩╦╠═╬¤лЛмМнНоОп┘┌█▄Пя▀\
    ЯрРсСтТуУжЖвВьЬ№\u{ad}ыЫзЗшШэЭщЩчЧ§■\u{a0}";

const PORTUGUESE: &str = "\
    ÇüéâãàÁçêÊèÍÔìÃÂÉÀÈôõòÚùÌÕÜ¢£Ù₧Ó\
    áíóúñÑªº¿Ò¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

const HEBREW: &str = "\
    אבגדהוזחטיךכלםמןנסעףפץצקרשת¢£¥₧ƒ\
    áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

const CANADIAN: &str = "\
    ÇüéâÂà¶çêëèïî‗À§ÉÈÊôËÏûù¤ÔÜ¢£ÙÛƒ\
    ¦´óú¨¸³¯Î⌐¬½¼¾«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

const EBCDIC: &str = "\
    \0\x01\x02\x03\u{9c}\t\u{86}\x7f\u{97}\u{8d}\u{8e}\x0b\x0c\r\x0e\x0f\x10\x11\x12\x13\u{9d}\u{85}\x08\u{87}\x18\x19\u{92}\u{8f}\x1c\x1d\x1e\x1f\
    \u{80}\u{81}\u{82}\u{83}\u{84}\n\x17\x1b\u{88}\u{89}\u{8a}\u{8b}\u{8c}\x05\x06\x07\u{90}\u{91}\x16\u{93}\u{94}\u{95}\u{96}\x04\u{98}\u{99}\u{9a}\u{9b}\x14\x15\u{9e}\x1a\
    \x20\u{a0}âäàáãåçñ¢.<(+|&éêëèíîïìß!$*);¬\
    -/ÂÄÀÁÃÅÇÑ¦,%_>?øÉÊËÈÍÎÏÌ`:#@'=\"\
    Øabcdefghi«»ðýþ±°jklmnopqrªºæ¸Æ¤\
    µ~stuvwxyz¡¿ÐÝÞ®^£¥·©§¶¼½¾[]¯¨´×\
    {ABCDEFGHI\u{ad}ôöòóõ}JKLMNOPQR¹ûüùúÿ\
    \\÷STUVWXYZ²ÔÖÒÓÕ0123456789³ÛÜÙÚ\u{9f}";

const LATIN: &str = "\
    \u{80}\u{81}\u{82}\u{83}\u{84}\u{85}\u{86}\u{87}\u{88}\u{89}\u{8a}\u{8b}\u{8c}\u{8d}\u{8e}\u{8f}\
    \u{90}\u{91}\u{92}\u{93}\u{94}\u{95}\u{96}\u{97}\u{98}\u{99}\u{9a}\u{9b}\u{9c}\u{9d}\u{9e}\u{9f}\
    \u{a0}¡¢£¤¥¦§¨©ª«¬\u{ad}®¯\
    °±²³´µ¶·¸¹º»¼½¾¿\
    ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏ\
    ÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞß\
    àáâãäåæçèéêëìíîï\
    ðñòóôõö÷øùúûüýþÿ";
