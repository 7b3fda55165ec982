//! A name for a commit: a branch, a tag, or the commit's own id.

use std::fmt;

/// What stands in `?ref=`. By its form git can take it neither for an option, nor for a pattern, nor for an expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference(String);

impl Reference {
    /// Reads one, by the rules of `git check-ref-format`. The error says why it is none.
    pub fn parse(text: &str) -> Result<Reference, String> {
        match fault(text) {
            None => Ok(Reference(text.to_owned())),
            Some(fault) => Err(format!("`ref={}` is no branch, tag or commit: it {fault}", text.escape_debug())),
        }
    }

    /// Reads it as it stands in a URL.
    pub(super) fn unescape(text: &str) -> Result<Reference, String> {
        let bytes = unescaped(text).ok_or_else(|| format!("`ref={text}` has a `%` that no two digits follow"))?;
        let text = String::from_utf8(bytes).map_err(|_| format!("`ref={text}` is no UTF-8"))?;
        Reference::parse(&text)
    }

    /// As it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the id of a commit, and so the same for ever.
    pub fn is_commit(&self) -> bool {
        is_id(&self.0)
    }

    pub(super) fn escaped(&self) -> String {
        self.0.replace('%', "%25").replace('&', "%26").replace('#', "%23")
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether this is a whole object id, of SHA-1 or SHA-256.
pub(crate) fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn fault(text: &str) -> Option<&'static str> {
    let is_odd = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    let is_bad_part = |part: &str| part.is_empty() || part.starts_with('.') || part.ends_with(".lock");
    Some(match text {
        "" => "is empty",
        _ if text.len() > 255 => "is longer than 255 bytes",
        _ if text.starts_with('-') => "looks like an option",
        "@" => "is `@`",
        _ if text.contains("..") => "has `..` in it, which is for ranges",
        _ if text.contains("@{") => "has `@{` in it, which is an expression",
        _ if text.contains(is_odd) => "has a blank, or one of `~^:?*[\\`, in it",
        _ if text.ends_with('.') => "ends with a dot",
        _ if text.split('/').any(is_bad_part) => "has a part that is empty, begins with a dot or ends with `.lock`",
        _ => return None,
    })
}

fn unescaped(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, behind) = rest.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = behind;
    }
    Some(bytes)
}
