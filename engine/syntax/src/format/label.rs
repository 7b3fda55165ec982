//! The labels of blocks, as they are written today.

use crate::lexer::Kind;

use super::piece::Piece;

/// A label in quotes.
pub(super) fn label(text: &str) -> [Piece<'static>; 3] {
    [Piece::new(Kind::OpenQuote, "\""), Piece::new(Kind::QuotedText, escaped(text)), Piece::new(Kind::CloseQuote, "\"")]
}

/// As it stands between quotes, so that everything can be seen.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '"' | '\\' => escaped.extend(['\\', c]),
            '$' | '%' if characters.peek() == Some(&'{') => escaped.extend([c, c]),
            c if is_printable(c) => escaped.push(c),
            c if u32::from(c) < 0x1_0000 => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => escaped.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    escaped
}

/// Letters, marks, numbers, punctuation, symbols and the plain space.
fn is_printable(c: char) -> bool {
    match c.is_ascii() {
        true => !c.is_ascii_control(),
        // Marks are escaped at the beginning of a text only.
        false => format!("x{c}").escape_debug().nth(1) == Some(c),
    }
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn what_can_not_be_seen_is_escaped() {
        assert_eq!(escaped("a'b \"c\\d\n\r\t"), "a'b \\\"c\\\\d\\n\\r\\t");
        assert_eq!(escaped("${a} %{b} $ %"), "$${a} %%{b} $ %");
        assert_eq!(escaped("é e\u{301} 日 😀"), "é e\u{301} 日 😀");
        assert_eq!(escaped("\0\u{a0}\u{200d}\u{e0001}"), "\\u0000\\u00a0\\u200d\\U000e0001");
    }
}
