//! Text to tokens.
//!
//! Every byte of the text is in a token or is white space between two of them, so that the style can be changed and nothing else.

use crate::source::Place;

/// The smallest part of a text that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What.
    pub kind: Kind,
    /// Where.
    pub place: Place,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named after what it is")]
pub enum Kind {
    Identifier,
    Number,
    /// The quotation mark that begins quoted text.
    OpenQuote,
    /// The quotation mark that ends it.
    CloseQuote,
    /// What stands in quoted text, its escapes as they were written.
    QuotedText,
    /// The end of a line where quoted text should go on.
    QuotedNewline,
    /// `<<WORD` or `<<-WORD` with its end of line.
    OpenHeredoc,
    /// `WORD` with the white space before it.
    CloseHeredoc,
    /// What stands in a heredoc or a template file: at most a line, with its end.
    Text,
    /// `${` or `${~`
    OpenValue,
    /// `%{` or `%{~`
    OpenDirective,
    /// `}` or `~}` that ends one of these
    CloseSequence,
    Newline,
    /// To the end of its line, with that, or between `/*` and `*/`.
    Comment,
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    OpenParenthesis,
    CloseParenthesis,
    Dot,
    Comma,
    Ellipsis,
    Colon,
    DoubleColon,
    Question,
    Equal,
    Arrow,
    EqualTo,
    NotEqualTo,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    And,
    Or,
    Not,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    /// A character that means nothing here.
    Invalid,
    /// Behind the last one.
    End,
}

/// What a text begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A body or an expression.
    Normal,
    /// A template without quotes around it.
    Template,
}

/// The tokens of a text; the last one is [`Kind::End`].
pub fn tokens(text: &str, start: Start) -> Vec<Token> {
    let state = match start {
        Start::Normal => State::Normal { braces: 0, within: false },
        Start::Template => State::Template,
    };
    // A mark of the encoding is no part of the text.
    let at = text.len() - text.strip_prefix('\u{feff}').unwrap_or(text).len();
    let (last_comment_end, tokens) = (text.rfind("*/"), Vec::with_capacity(text.len() / 5));
    let mut lexer = Lexer { text, at, last_comment_end, states: vec![state], tokens };
    while lexer.at < text.len() {
        lexer.next();
    }
    lexer.push(Kind::End, text.len());
    lexer.tokens
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    /// Where the last `*/` is.
    last_comment_end: Option<usize>,
    /// The innermost last; never empty.
    states: Vec<State<'t>>,
    tokens: Vec<Token>,
}

#[derive(Clone, Copy)]
enum State<'t> {
    /// Braces that are open; whether the one that closes none ends a sequence in a template.
    Normal {
        braces: usize,
        within: bool,
    },
    Quoted,
    Heredoc {
        word: &'t str,
        line_start: bool,
    },
    Template,
}

impl<'t> Lexer<'t> {
    fn next(&mut self) {
        match self.states.last().copied() {
            Some(State::Quoted) => self.quoted(),
            Some(State::Heredoc { word, line_start }) => self.heredoc(word, line_start),
            Some(State::Template) => self.line(),
            Some(State::Normal { .. }) | None => self.normal(),
        }
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// A token from here to there.
    fn push(&mut self, kind: Kind, end: usize) {
        let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        self.tokens.push(Token { kind, place: Place { start: offset(self.at), end: offset(end) } });
        self.at = end;
    }

    fn take(&mut self, kind: Kind, length: usize) {
        self.push(kind, self.at + length);
    }

    fn normal(&mut self) {
        let rest = self.rest();
        let spaces = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        if spaces > 0 {
            self.at += spaces;
            return;
        }
        let first = rest.chars().next().unwrap_or_default();
        if first.is_ascii_digit() {
            return self.take(Kind::Number, number(rest));
        }
        if is_name_start(first) {
            return self.take(Kind::Identifier, name(rest));
        }
        if first == '#' || rest.starts_with("//") {
            return self.take(Kind::Comment, rest.find('\n').map_or(rest.len(), |end| end + 1));
        }
        if let Some(end) = self.comment(rest) {
            return self.take(Kind::Comment, end);
        }
        if let Some(length) = heredoc_start(rest) {
            let word = rest[2..length].trim_start_matches('-').trim_end();
            self.states.push(State::Heredoc { word, line_start: true });
            return self.take(Kind::OpenHeredoc, length);
        }
        self.symbol(rest);
    }

    /// The length of a comment that goes on to its end, over lines. What opens behind the last end is none.
    fn comment(&self, rest: &str) -> Option<usize> {
        let inner = rest.strip_prefix("/*").filter(|_| self.last_comment_end >= Some(self.at + 2))?;
        inner.find("*/").map(|end| end + 4)
    }

    fn symbol(&mut self, rest: &str) {
        if let Some((kind, length)) = symbol(rest.as_bytes()) {
            return self.take(kind, length);
        }
        match rest.as_bytes().first() {
            Some(b'"') => {
                self.states.push(State::Quoted);
                self.take(Kind::OpenQuote, 1);
            }
            Some(b'{') => {
                if let Some(State::Normal { braces, .. }) = self.states.last_mut() {
                    *braces += 1;
                }
                self.take(Kind::OpenBrace, 1);
            }
            Some(b'}') => self.close(1),
            Some(b'~') if rest.starts_with("~}") => self.close(2),
            _ => self.take(Kind::Invalid, rest.chars().next().map_or(1, char::len_utf8)),
        }
    }

    fn close(&mut self, length: usize) {
        match self.states.last_mut() {
            Some(State::Normal { braces: 0, within: true }) => {
                self.states.pop();
                self.take(Kind::CloseSequence, length);
            }
            Some(State::Normal { braces, .. }) => {
                *braces = braces.saturating_sub(1);
                self.take(if length == 1 { Kind::CloseBrace } else { Kind::CloseSequence }, length);
            }
            _ => self.take(Kind::CloseBrace, length),
        }
    }

    /// `${` and `%{`; whether there was one.
    fn sequence(&mut self) -> bool {
        let kind = match self.rest().as_bytes() {
            [b'$', b'{', ..] => Kind::OpenValue,
            [b'%', b'{', ..] => Kind::OpenDirective,
            _ => return false,
        };
        if let Some(State::Heredoc { line_start, .. }) = self.states.last_mut() {
            *line_start = false;
        }
        self.states.push(State::Normal { braces: 0, within: true });
        self.take(kind, if self.rest()[2..].starts_with('~') { 3 } else { 2 });
        true
    }

    fn quoted(&mut self) {
        if self.sequence() {
            return;
        }
        match self.rest().as_bytes() {
            [b'"', ..] => {
                self.states.pop();
                self.take(Kind::CloseQuote, 1);
            }
            [b'\r' | b'\n', ..] => {
                let rest = self.rest();
                self.take(Kind::QuotedNewline, rest.len() - rest.trim_start_matches(['\r', '\n']).len());
            }
            _ => self.take(Kind::QuotedText, literal(self.rest(), true)),
        }
    }

    fn heredoc(&mut self, word: &str, line_start: bool) {
        let line = self.rest().split_inclusive('\n').next().unwrap_or_default();
        if line_start && line.trim() == word {
            self.states.pop();
            let end = line.trim_end_matches(['\r', '\n']).len();
            return self.take(Kind::CloseHeredoc, end);
        }
        self.line();
        let ended = self.text[..self.at].ends_with('\n');
        if let Some(State::Heredoc { line_start, .. }) = self.states.last_mut() {
            *line_start = ended;
        }
    }

    /// Text outside of quotes, to the end of its line at most.
    fn line(&mut self) {
        if !self.sequence() {
            self.take(Kind::Text, literal(self.rest(), false));
        }
    }
}

/// What means something by itself, and its length.
fn symbol(text: &[u8]) -> Option<(Kind, usize)> {
    let found = match text {
        [b'.', b'.', b'.', ..] => (Kind::Ellipsis, 3),
        [b'\r', b'\n', ..] => (Kind::Newline, 2),
        [b'=', b'=', ..] => (Kind::EqualTo, 2),
        [b'=', b'>', ..] => (Kind::Arrow, 2),
        [b'!', b'=', ..] => (Kind::NotEqualTo, 2),
        [b'>', b'=', ..] => (Kind::GreaterOrEqual, 2),
        [b'<', b'=', ..] => (Kind::LessOrEqual, 2),
        [b'&', b'&', ..] => (Kind::And, 2),
        [b'|', b'|', ..] => (Kind::Or, 2),
        [b':', b':', ..] => (Kind::DoubleColon, 2),
        [b'\n', ..] => (Kind::Newline, 1),
        [b'=', ..] => (Kind::Equal, 1),
        [b'[', ..] => (Kind::OpenBracket, 1),
        [b']', ..] => (Kind::CloseBracket, 1),
        [b'(', ..] => (Kind::OpenParenthesis, 1),
        [b')', ..] => (Kind::CloseParenthesis, 1),
        [b'.', ..] => (Kind::Dot, 1),
        [b',', ..] => (Kind::Comma, 1),
        [b':', ..] => (Kind::Colon, 1),
        [b'?', ..] => (Kind::Question, 1),
        [b'>', ..] => (Kind::Greater, 1),
        [b'<', ..] => (Kind::Less, 1),
        [b'!', ..] => (Kind::Not, 1),
        [b'+', ..] => (Kind::Plus, 1),
        [b'-', ..] => (Kind::Minus, 1),
        [b'*', ..] => (Kind::Star, 1),
        [b'/', ..] => (Kind::Slash, 1),
        [b'%', ..] => (Kind::Percent, 1),
        [b'&' | b'|' | b'^' | b';' | b'`' | b'\'', ..] => (Kind::Invalid, 1),
        _ => return None,
    };
    Some(found)
}

pub(crate) fn is_name_start(c: char) -> bool {
    c == '_' || unicode_ident::is_xid_start(c)
}

pub(crate) fn is_name_part(c: char) -> bool {
    c == '-' || unicode_ident::is_xid_continue(c)
}

fn name(rest: &str) -> usize {
    rest.find(|c| !is_name_part(c)).unwrap_or(rest.len())
}

/// Digits, dots and exponents; a dot at the end belongs to what follows.
fn number(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let (mut at, mut end) = (0, 0);
    loop {
        match bytes.get(at) {
            Some(b'0'..=b'9') => {
                at += 1;
                end = at;
            }
            Some(b'.') => at += 1,
            Some(b'e' | b'E') if digit(at + 1) => at += 1,
            Some(b'e' | b'E') if matches!(bytes.get(at + 1), Some(b'+' | b'-')) && digit(at + 2) => at += 2,
            _ => return end,
        }
    }
}

/// The length of `<<WORD` with its end of line.
fn heredoc_start(rest: &str) -> Option<usize> {
    let word = rest.strip_prefix("<<")?;
    let word = word.strip_prefix('-').unwrap_or(word);
    let behind = match word.chars().next() {
        Some(first) if is_name_start(first) => &word[name(word)..],
        _ => return None,
    };
    let newline = if behind.starts_with("\r\n") { 2 } else { usize::from(behind.starts_with('\n')) };
    (newline > 0).then(|| rest.len() - behind.len() + newline)
}

/// The length of text up to what is no text: a sequence, the end of quoted text, the end of the line.
fn literal(rest: &str, quoted: bool) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let behind = bytes.get(at + 1..).unwrap_or_default();
        match (byte, behind) {
            (b'$' | b'%', [second, b'{', ..]) if *second == byte => at += 3,
            (b'$' | b'%', [b'{', ..]) => return at,
            (b'"' | b'\r' | b'\n', _) if quoted => return at,
            (b'\n', _) => return at + 1,
            (b'\\', [b'\r' | b'\n', ..]) if quoted => return at + 1,
            (b'\\', [_, ..]) if quoted => {
                let escaped = rest.get(at + 1..).and_then(|rest| rest.chars().next());
                at += 1 + escaped.map_or(1, char::len_utf8);
            }
            _ => at += 1,
        }
    }
    at
}
