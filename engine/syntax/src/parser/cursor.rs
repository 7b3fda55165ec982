//! A place among the tokens.

use crate::lexer::{Kind, Token};
use crate::source::Place;
use crate::tree::Name;

pub(crate) struct Cursor<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    /// Whether new lines mean something.
    newlines: bool,
    last: Place,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str, tokens: Vec<Token>) -> Self {
        Cursor { text, tokens, at: 0, newlines: true, last: Place::default() }
    }

    /// From here on they count, or don't; gives what it was before.
    pub(crate) fn newlines(&mut self, count: bool) -> bool {
        std::mem::replace(&mut self.newlines, count)
    }

    /// The next token that means something. A comment to the end of its line is that end.
    pub(crate) fn peek(&self) -> Token {
        self.find().1
    }

    fn find(&self) -> (usize, Token) {
        let mut at = self.at;
        loop {
            let token = self.tokens[at.min(self.tokens.len() - 1)];
            match token.kind {
                Kind::Newline if !self.newlines => at += 1,
                Kind::Comment if self.newlines && self.text(token).ends_with('\n') => {
                    return (at, Token { kind: Kind::Newline, ..token });
                }
                Kind::Comment => at += 1,
                _ => return (at, token),
            }
        }
    }

    /// Takes the next token.
    pub(crate) fn next(&mut self) -> Token {
        let (at, token) = self.find();
        self.at = (at + 1).min(self.tokens.len());
        self.last = token.place;
        token
    }

    /// Takes the next token, whatever it is.
    pub(crate) fn skip(&mut self) {
        self.next();
    }

    /// Where the token is that was taken last.
    pub(crate) fn last(&self) -> Place {
        self.last
    }

    pub(crate) fn text(&self, token: Token) -> &'t str {
        self.text_at(token.place)
    }

    pub(crate) fn text_at(&self, place: Place) -> &'t str {
        self.text.get(std::ops::Range::from(place)).unwrap_or_default()
    }

    pub(crate) fn name(&self, token: Token) -> Name {
        Name { text: self.text(token).into(), place: token.place }
    }

    /// Whether this word comes next.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        let token = self.peek();
        token.kind == Kind::Identifier && self.text(token) == word
    }

    /// A token in words.
    pub(crate) fn described(&self, token: Token) -> String {
        let text = self.text(token).trim();
        match token.kind {
            Kind::End => "here the text ends".to_owned(),
            Kind::Newline => "here the line ends".to_owned(),
            Kind::CloseHeredoc => format!("this is the end of the heredoc, `{text}`"),
            _ if text.chars().count() > 40 => "this is something else".to_owned(),
            _ => format!("this is `{text}`"),
        }
    }

    /// Goes on to the line behind what could not be read, all brackets closed that open on the way. Stops before a brace at the
    /// beginning of a line: it closes what is around.
    pub(super) fn skip_item(&mut self) {
        self.newlines = true;
        let mut open: Vec<Kind> = Vec::new();
        loop {
            let token = self.peek();
            if let Some(closing) = closing(token.kind) {
                open.push(closing);
            } else if open.contains(&token.kind) {
                while open.pop().is_some_and(|kind| kind != token.kind) {}
            } else {
                match token.kind {
                    Kind::End => return,
                    Kind::CloseBrace if open.is_empty() && self.is_first_of_line(token) => return,
                    Kind::Newline if open.is_empty() => return self.skip(),
                    _ => {}
                }
            }
            self.next();
        }
    }

    fn is_first_of_line(&self, token: Token) -> bool {
        let before = self.text.get(..token.place.start as usize).unwrap_or_default();
        before.rsplit('\n').next().unwrap_or_default().trim().is_empty()
    }
}

fn closing(kind: Kind) -> Option<Kind> {
    Some(match kind {
        Kind::OpenBrace => Kind::CloseBrace,
        Kind::OpenBracket => Kind::CloseBracket,
        Kind::OpenParenthesis => Kind::CloseParenthesis,
        Kind::OpenQuote => Kind::CloseQuote,
        Kind::OpenHeredoc => Kind::CloseHeredoc,
        Kind::OpenValue | Kind::OpenDirective => Kind::CloseSequence,
        _ => return None,
    })
}
