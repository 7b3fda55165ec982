//! JSON's grammar. After a mistake, reading goes on with the next member or item.

use bimetal_model::{Diagnostic, Diagnostics, Number};

use super::text::{self, Text};
use crate::source::{Place, SourceFile};

/// A JSON value and its place.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number(Box<Number>),
    Text(Text),
    Array(Vec<Value>),
    Object(Vec<Member>),
    /// It could not be read, and that was said.
    Broken,
}

/// `"key": value`
#[derive(Debug)]
pub(super) struct Member {
    pub(super) key: Text,
    pub(super) value: Value,
}

/// Nesting beyond this is a mistake, or an attack.
const DEEPEST: u32 = 1_000;

/// The one value of a file, and all that is wrong with it. Files are smaller than 4 GiB.
pub(super) fn read(file: &SourceFile) -> (Value, Diagnostics) {
    let text = &*file.text;
    let at = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
    let mut reader = Reader { file, text, at, depth: 0, commented: false, diagnostics: Vec::new() };
    reader.space();
    let value = reader.value();
    reader.space();
    if reader.at < text.len() && reader.diagnostics.is_empty() {
        let error = Diagnostic::error("the file goes on behind its value");
        let _ = reader.fail(error.hint("a JSON file is one value: `{ … }`"), reader.next_place());
    }
    (value, reader.diagnostics)
}

struct Reader<'f> {
    file: &'f SourceFile,
    text: &'f str,
    at: usize,
    depth: u32,
    /// Whether it was said that there are no comments.
    commented: bool,
    diagnostics: Diagnostics,
}

impl<'f> Reader<'f> {
    fn rest(&self) -> &'f str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn place(&self, start: usize) -> Place {
        let offset = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Place { start: offset(start), end: offset(self.at) }
    }

    /// Of the word or the character that comes next.
    fn next_place(&self) -> Place {
        let rest = self.rest();
        let word = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
        let length = word.max(rest.chars().next().map_or(0, char::len_utf8));
        let here = self.place(self.at);
        Place { end: here.end + u32::try_from(length).unwrap_or(0), ..here }
    }

    fn fail(&mut self, error: Diagnostic, place: Place) -> Value {
        self.diagnostics.push(error.at(&self.file.span(place)));
        Value { place, kind: Kind::Broken }
    }

    /// Something else stands where this was wanted.
    fn expected(&mut self, what: &str) -> Value {
        let place = self.next_place();
        let found = &self.text[std::ops::Range::from(place)];
        let found = if found.is_empty() { "here the file ends".to_owned() } else { format!("this is `{found}`") };
        let error = Diagnostic::error(format!("{what} is wanted here")).because(found);
        let error = match self.peek() {
            Some(b'\'' | b'`') => error.hint("text stands between straight double quotes: `\"text\"`"),
            Some(b':') => error.hint("names belong into an object: `{ \"name\": … }`"),
            _ => error,
        };
        self.fail(error, place)
    }

    /// To where something means something. Comments are a mistake, once.
    fn space(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches([' ', '\t', '\r', '\n']);
            self.at = self.text.len() - trimmed.len();
            let Some(length) = comment(trimmed) else { return };
            let start = self.at;
            self.at += length;
            if !std::mem::replace(&mut self.commented, true) {
                let error = Diagnostic::error("JSON has no comments");
                let place = self.place(start);
                self.fail(error.hint("write `\"//\": \"…\"`, as an argument of its own"), place);
            }
        }
    }

    fn value(&mut self) -> Value {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'{') => return self.deeper(|this| Kind::Object(this.list(b'}', Self::member))),
            Some(b'[') => return self.deeper(|this| Kind::Array(this.list(b']', |this| Some(this.value())))),
            Some(b'"') => match self.quoted() {
                (text, true) => Kind::Text(text),
                (_, false) => Kind::Broken,
            },
            Some(b'-' | b'+' | b'.' | b'0'..=b'9') => self.number(),
            Some(byte) if byte.is_ascii_alphabetic() => self.word(),
            Some(b',' | b'}' | b']') | None => return self.expected("a value"),
            Some(_) => {
                let broken = self.expected("a value");
                self.skip_item();
                return broken;
            }
        };
        Value { place: self.place(start), kind }
    }

    /// One level further in. What is too deep is passed over.
    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Kind) -> Value {
        let start = self.at;
        if self.depth >= DEEPEST {
            let error = Diagnostic::error(format!("more than {DEEPEST} levels within each other can't be read"));
            let broken = self.fail(error, self.next_place());
            self.skip_item();
            return broken;
        }
        self.depth += 1;
        let kind = crate::stack::deeply(|| read(self));
        self.depth -= 1;
        Value { place: self.place(start), kind }
    }

    /// What stands between two brackets, commas between.
    fn list<T>(&mut self, close: u8, mut item: impl FnMut(&mut Self) -> Option<T>) -> Vec<T> {
        let (open, mut items) = (self.at, Vec::new());
        self.at += 1;
        loop {
            self.space();
            match self.peek() {
                None => {
                    self.unclosed(open);
                    return items;
                }
                Some(byte) if byte == close => {
                    self.at += 1;
                    return items;
                }
                Some(b'}' | b']') => {
                    self.mismatched(open);
                    self.at += 1;
                    return items;
                }
                Some(b',') => {
                    let error = Diagnostic::error("nothing stands before this comma").hint("remove it");
                    self.fail(error, self.next_place());
                    self.at += 1;
                }
                Some(_) => {
                    items.extend(item(self));
                    self.separator(close);
                }
            }
        }
    }

    fn unclosed(&mut self, open: usize) {
        let place = Place { end: self.place(open).start + 1, ..self.place(open) };
        // A text that never ends takes all brackets with it.
        if self.diagnostics.last().is_none_or(|last| !last.summary.contains("never closed")) {
            let error = Diagnostic::error(format!("this `{}` is never closed", &self.text[open..=open]));
            self.fail(error.because("the file ends before"), place);
        }
    }

    fn mismatched(&mut self, open: usize) {
        let place = self.next_place();
        let [opening, closing] = [open, self.at].map(|at| &self.text[at..=at]);
        let error = Diagnostic::error(format!("`{closing}` closes `{opening}`"));
        let line = self.text[..open].matches('\n').count() + 1;
        let wanted = if opening == "{" { "}" } else { "]" };
        self.fail(error.because(format!("that is in line {line}")).hint(format!("write `{wanted}`")), place);
    }

    fn separator(&mut self, close: u8) {
        self.space();
        let comma = self.next_place();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.space();
                if self.peek() == Some(close) {
                    let error = Diagnostic::error("nothing follows this comma").hint("remove it");
                    self.fail(error, comma);
                }
            }
            Some(b'}' | b']') | None => {}
            Some(byte) if b"\"{[-".contains(&byte) || byte.is_ascii_alphanumeric() => {
                self.fail(Diagnostic::error("a comma is missing before this"), comma);
            }
            Some(_) => {
                let end = char::from(close);
                self.expected(&format!("`,` or `{end}`"));
                self.skip_item();
            }
        }
    }

    fn member(&mut self) -> Option<Member> {
        let Some(key) = self.key() else {
            self.expected("a name in quotes");
            self.skip_item();
            return None;
        };
        self.space();
        match self.peek() {
            Some(b':') => self.at += 1,
            Some(b'=') => {
                let error = Diagnostic::error("JSON has no `=`").hint("write `:` between a name and its value");
                self.fail(error, self.next_place());
                self.at += 1;
            }
            _ => {
                self.expected("`:`");
                self.skip_item();
                return None;
            }
        }
        self.space();
        Some(Member { key, value: self.value() })
    }

    /// A name; one without quotes is a mistake, and a name all the same.
    fn key(&mut self) -> Option<Text> {
        let place = self.next_place();
        match self.peek() {
            Some(b'"') => Some(self.quoted().0),
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                let word = &self.text[std::ops::Range::from(place)];
                let error = Diagnostic::error("in JSON a name stands in quotes");
                self.fail(error.hint(format!("write `\"{word}\"`")), place);
                self.at += word.len();
                Some(Text::bare(word, place))
            }
            _ => None,
        }
    }

    /// Text, and whether nothing is wrong with it.
    fn quoted(&mut self) -> (Text, bool) {
        let (text, mistakes) = text::read(self.rest(), self.place(self.at).start);
        self.at = text.place.end as usize;
        let is_right = mistakes.is_empty();
        for (error, place) in mistakes {
            self.fail(error, place);
        }
        (text, is_right)
    }

    fn number(&mut self) -> Kind {
        let rest = self.rest();
        let sign = usize::from(rest.starts_with(['-', '+']));
        let length = rest[sign..].find(|c: char| !c.is_ascii_alphanumeric() && !"+-._".contains(c));
        let written = &rest[..length.map_or(rest.len(), |length| sign + length)];
        let place = self.next_place();
        self.at += written.len();
        let number = if is_number(written) { written.parse().ok() } else { None };
        match number {
            Some(number) => Kind::Number(Box::new(number)),
            None => {
                let place = Place { end: self.place(self.at).end, ..place };
                let error = Diagnostic::error(format!("`{written}` is no JSON number"));
                self.fail(error.hint("numbers are written as `12`, `-0.5` or `1e9`"), place).kind
            }
        }
    }

    fn word(&mut self) -> Kind {
        let place = self.next_place();
        let word = &self.text[std::ops::Range::from(place)];
        self.at += word.len();
        match word {
            "null" => Kind::Null,
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            _ => {
                let meant = match &*word.to_ascii_lowercase() {
                    meant @ ("true" | "false" | "null") => meant.to_owned(),
                    "none" | "nil" | "undefined" => "null".to_owned(),
                    _ => format!("\"{word}\""),
                };
                let error = Diagnostic::error(format!("`{word}` means nothing in JSON"));
                self.fail(error.hint(format!("write `{meant}`")), place).kind
            }
        }
    }

    /// Goes on to the comma or the bracket behind what could not be read, all brackets closed that open on the way.
    fn skip_item(&mut self) {
        let mut open = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'{' | b'[' => open += 1,
                b'}' | b']' | b',' if open == 0 => return,
                b'}' | b']' => open -= 1,
                b'"' => {
                    let (text, _) = text::read(self.rest(), self.place(self.at).start);
                    self.at = text.place.end as usize;
                    continue;
                }
                _ => {}
            }
            self.at += self.rest().chars().next().map_or(1, char::len_utf8);
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// The length of what other languages take for a comment.
fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") || rest.starts_with('#') {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    let inner = rest.strip_prefix("/*")?;
    Some(inner.find("*/").map_or(rest.len(), |end| end + 4))
}

/// `-12.5e+3`
fn is_number(written: &str) -> bool {
    let text = written.strip_prefix('-').unwrap_or(written);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(is_digits)
}
