//! Text in JSON's quotes: what it stands for, and where each part of that is written.

use std::str::Chars;

use bimetal_model::Diagnostic;

use crate::source::Place;

/// Text without its quotes and escapes.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) value: String,
    /// With its quotes.
    pub(super) place: Place,
    /// Offsets in the value and in the file from which on both go in step. Never empty, the first is the beginning.
    steps: Vec<(u32, u32)>,
}

impl Text {
    /// A name that lacks its quotes.
    pub(super) fn bare(value: &str, place: Place) -> Text {
        Text { value: value.to_owned(), place, steps: vec![(0, place.start)] }
    }

    /// Where something is written that is there in the value.
    pub(super) fn locate(&self, place: Place) -> Place {
        Place { start: self.offset(place.start), end: self.offset(place.end) }
    }

    fn offset(&self, within: u32) -> u32 {
        let behind = self.steps.partition_point(|(start, _)| *start <= within);
        let (start, source) = self.steps[behind.saturating_sub(1)];
        source + (within - start)
    }
}

/// What is wrong in a text, and where.
pub(super) type Mistake = (Diagnostic, Place);

/// Reads text that begins with its quote, which stands at `start`; says what is wrong in it. It ends with its quote or its line.
pub(super) fn read(rest: &str, start: u32) -> (Text, Vec<Mistake>) {
    let steps = vec![(0, start + 1)];
    let text = Text { value: String::new(), place: Place { start, end: start }, steps };
    let mut reader = Reader { rest: rest[1..].chars(), length: rest.len(), text, mistakes: Vec::new() };
    reader.all();
    reader.text.place.end = reader.offset();
    (reader.text, reader.mistakes)
}

struct Reader<'t> {
    rest: Chars<'t>,
    length: usize,
    text: Text,
    mistakes: Vec<Mistake>,
}

impl<'t> Reader<'t> {
    fn all(&mut self) {
        loop {
            let before = self.offset();
            let behind = self.rest.as_str();
            match self.rest.next() {
                Some('"') => return,
                Some('\n' | '\r') | None => return self.never_closed(behind),
                Some('\\') => self.escape(before),
                Some(c) if c < ' ' => self.control(c, before),
                Some(c) => self.text.value.push(c),
            }
        }
    }

    /// In the file.
    fn offset(&self) -> u32 {
        self.text.place.start + u32::try_from(self.length - self.rest.as_str().len()).unwrap_or(u32::MAX)
    }

    fn mistake(&mut self, error: Diagnostic, before: u32) {
        let place = Place { start: before, end: self.offset() };
        self.mistakes.push((error, place));
    }

    fn never_closed(&mut self, behind: &'t str) {
        let ends = if behind.is_empty() { "the text ends before" } else { "its line ends before" };
        self.rest = behind.chars();
        let error = Diagnostic::error("this text is never closed").because(ends);
        self.mistake(error.hint("end it with `\"`; `\\n` in it is a new line"), self.text.place.start);
    }

    fn control(&mut self, c: char, before: u32) {
        let written = if c == '\t' { "\\t".to_owned() } else { format!("\\u{:04x}", u32::from(c)) };
        let error = Diagnostic::error("this character can't stand in JSON as it is");
        self.mistake(error.hint(format!("write `{written}`")), before);
    }

    fn escape(&mut self, before: u32) {
        let found = match self.rest.clone().next() {
            Some(c @ ('"' | '\\' | '/')) => Ok((c, 1)),
            Some('b') => Ok(('\x08', 1)),
            Some('f') => Ok(('\x0c', 1)),
            Some('n') => Ok(('\n', 1)),
            Some('r') => Ok(('\r', 1)),
            Some('t') => Ok(('\t', 1)),
            Some('u') => code(self.rest.as_str()),
            Some('\n' | '\r') | None => return,
            Some(other) => Err((format!("`\\{other}` means nothing"), other.len_utf8())),
        };
        let length = found.as_ref().map_or_else(|(_, length)| *length, |(_, length)| *length);
        self.rest = self.rest.as_str()[length..].chars();
        match found {
            Ok((c, _)) => self.text.value.push(c),
            Err((reason, _)) => self.mistake(Diagnostic::error(reason).hint("`\\\\` is a backslash"), before),
        }
        let behind = u32::try_from(self.text.value.len()).unwrap_or(u32::MAX);
        let source = self.offset();
        self.text.steps.push((behind, source));
    }
}

/// The character of `uXXXX`, or of two that are one character in UTF-16; how long it is written.
fn code(rest: &str) -> Result<(char, usize), (String, usize)> {
    let Some(first) = digits(rest) else { return Err(("`\\u` takes 4 hexadecimal digits".to_owned(), 1)) };
    let second = rest[5..].strip_prefix('\\').and_then(digits);
    let units = [first].into_iter().chain(second);
    match char::decode_utf16(units).next() {
        Some(Ok(c)) if c.len_utf16() == 2 => Ok((c, 11)),
        Some(Ok(c)) => Ok((c, 5)),
        Some(Err(_)) | None => Err((format!("`\\{}` is half a character", &rest[..5]), 5)),
    }
}

fn digits(rest: &str) -> Option<u16> {
    let digits = rest.strip_prefix('u')?.get(..4)?;
    let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    all.then(|| u16::from_str_radix(digits, 16).ok())?
}
