//! The text of a value: text quoted, or block text where it has lines; everything else plain.
//!
//! Source: how libyaml's emitter lays out what go-cty-yaml hands to it, to the letter.

use bimetal_model::{Data, Value};

/// Columns of one level of depth.
const STEP: usize = 2;
/// Text is broken at the first space behind this column.
const WIDTH: usize = 80;
/// A longer key, in bytes, is introduced by `?`.
const LONGEST_KEY: usize = 128;

pub(super) fn text(value: &Value) -> String {
    let mut writer = Writer { text: String::new(), indent: None, column: 0, after_space: true, at_indent: true };
    writer.node(value, Place::Root);
    writer.new_line();
    if !matches!(value.data, Data::String(_)) && is_scalar(value) {
        writer.text.push_str("...\n");
    }
    writer.text
}

fn is_scalar(value: &Value) -> bool {
    value.as_items().is_none() && value.as_members().is_none()
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    Item,
    Key,
    Member,
}

struct Writer {
    text: String,
    /// `None`: not in anything yet.
    indent: Option<usize>,
    column: usize,
    /// Whether no space is needed before the next word.
    after_space: bool,
    /// Whether the line has nothing but spaces, `-`, `?` and `:` so far.
    at_indent: bool,
}

impl Writer {
    fn node(&mut self, value: &Value, place: Place) {
        bimetal_syntax::deeply(|| match (value.as_items(), value.as_members()) {
            (Some([]), _) => self.word("[]"),
            (Some(items), _) => self.items(items, place),
            (_, Some(members)) if members.is_empty() => self.word("{}"),
            (_, Some(members)) => self.deeper(STEP, |this| {
                members.iter().for_each(|(name, value)| this.member(name, value));
            }),
            (None, None) => self.scalar(value, place),
        });
    }

    /// What is in a block this much further to the right; the outermost block is at the margin.
    fn deeper(&mut self, step: usize, write: impl FnOnce(&mut Self)) {
        let outer = self.indent;
        self.indent = Some(outer.map_or(0, |indent| indent + step));
        write(self);
        self.indent = outer;
    }

    fn items(&mut self, items: &[Value], place: Place) {
        let step = if place == Place::Member && !self.at_indent { 0 } else { STEP };
        self.deeper(step, |this| {
            for item in items {
                this.new_line();
                this.mark("-");
                this.node(item, Place::Item);
            }
        });
    }

    fn member(&mut self, name: &str, value: &Value) {
        self.new_line();
        if name.len() <= LONGEST_KEY && !name.contains(is_break) {
            self.quoted(name, Place::Key);
            self.put(':');
            (self.after_space, self.at_indent) = (false, false);
        } else {
            self.mark("?");
            self.scalar_text(name, Place::Member);
            self.new_line();
            self.mark(":");
        }
        self.node(value, Place::Member);
    }

    fn scalar(&mut self, value: &Value, place: Place) {
        match &value.data {
            Data::String(text) => self.scalar_text(text, place),
            Data::Bool(value) => self.word(&value.to_string()),
            Data::Number(number) => self.word(&number.to_string()),
            _ => self.word("null"),
        }
    }

    fn scalar_text(&mut self, text: &str, place: Place) {
        let outer = self.indent;
        self.indent = Some(outer.map_or(STEP, |indent| indent + STEP));
        match text.contains('\n') && fits_block(text) {
            true => self.block(text),
            false => self.quoted(text, place),
        }
        self.indent = outer;
    }

    /// `|`, and below it the lines as they are.
    fn block(&mut self, text: &str) {
        let hint = if text.starts_with(|c| c == ' ' || is_break(c)) { "2" } else { "" };
        let mut last = text.chars().rev().take(2).map(is_break);
        let end = match (last.next(), last.next()) {
            (Some(true), Some(false)) => "",
            (Some(true), _) => "+",
            _ => "-",
        };
        self.word(&format!("|{hint}{end}"));
        self.break_line('\n');
        (self.after_space, self.at_indent) = (true, true);
        let mut at_start = true;
        for c in text.chars() {
            if is_break(c) {
                self.break_line(c);
                (self.at_indent, at_start) = (true, true);
                continue;
            }
            if std::mem::take(&mut at_start) {
                self.new_line();
            }
            self.put(c);
            self.at_indent = false;
        }
    }

    fn quoted(&mut self, text: &str, place: Place) {
        self.word("\"");
        // Text that begins with a byte order mark is escaped throughout.
        let is_marked = text.starts_with('\u{feff}');
        let mut after_blank = false;
        let mut rest = text.chars();
        let mut at_start = true;
        while let Some(c) = rest.next() {
            let is_inside = !std::mem::take(&mut at_start) && !rest.as_str().is_empty();
            if is_marked || !is_printable(c) || is_break(c) || matches!(c, '"' | '\\') {
                self.put_all(&escaped(c));
            } else if c == ' ' && place != Place::Key && !after_blank && self.column > WIDTH && is_inside {
                self.new_line();
                if rest.as_str().starts_with(' ') {
                    self.put('\\');
                }
            } else {
                self.put(c);
            }
            after_blank = c == ' ' && !is_marked;
        }
        self.put('"');
        (self.after_space, self.at_indent) = (false, false);
    }

    fn word(&mut self, word: &str) {
        if !self.after_space {
            self.put(' ');
        }
        self.put_all(word);
        (self.after_space, self.at_indent) = (false, false);
    }

    /// What a block may begin behind.
    fn mark(&mut self, mark: &str) {
        let at_indent = self.at_indent;
        self.word(mark);
        self.at_indent = at_indent;
    }

    /// To the place where the block's next line begins.
    fn new_line(&mut self) {
        let indent = self.indent.unwrap_or(0);
        if !self.at_indent || self.column > indent || (self.column == indent && !self.after_space) {
            self.break_line('\n');
        }
        while self.column < indent {
            self.put(' ');
        }
        (self.after_space, self.at_indent) = (true, true);
    }

    fn break_line(&mut self, c: char) {
        self.text.push(c);
        self.column = 0;
    }

    fn put(&mut self, c: char) {
        self.text.push(c);
        self.column += 1;
    }

    fn put_all(&mut self, text: &str) {
        text.chars().for_each(|c| self.put(c));
    }
}

/// Whether text may stand as it is, line by line.
fn fits_block(text: &str) -> bool {
    let before_break = |(c, next): (char, char)| c == ' ' && is_break(next);
    text.chars().all(is_printable) && !text.ends_with(' ') && !text.chars().zip(text.chars().skip(1)).any(before_break)
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Nothing beyond the first plane, as in libyaml's first version.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

fn escaped(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '\x1b' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c => {
            return match u32::from(c) {
                code @ ..=0xff => format!("\\x{code:02X}"),
                code @ ..=0xffff => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}
