//! What stands in quotes, heredocs and template files: text with something to put into it.

use bimetal_model::Diagnostic;

use crate::lexer::{Kind as TokenKind, Token};
use crate::parser::{Failed, Parsed, Parser};
use crate::source::Place;
use crate::tree::*;

/// A template before its directives are matched.
struct Piece {
    place: Place,
    kind: PieceKind,
}

enum PieceKind {
    Literal(String),
    Value(Node),
    If(Node),
    Else,
    EndIf,
    For(Intro),
    EndFor,
}

impl Parser<'_> {
    /// Up to and with the token that ends it. Where the white space that all lines begin with does not count, it is removed.
    pub(crate) fn template(&mut self, end: TokenKind, is_indented: bool) -> Parsed<Node> {
        let (start, opening) = (self.cursor.peek().place, self.cursor.last());
        let outer = self.cursor.newlines(true);
        let pieces = self.pieces(end, opening, start);
        self.cursor.newlines(outer);
        let mut pieces = pieces?;
        if is_indented {
            unindent(&mut pieces);
        }
        let place = start.to(self.cursor.last());
        let mut pieces = pieces.into_iter().peekable();
        let mut parts = self.parts(&mut pieces, None)?;
        let kind = match &mut parts[..] {
            [] => Kind::Text("".into()),
            [Part::Literal(text)] => Kind::Text(std::mem::take(text)),
            _ => Kind::Template(parts),
        };
        Ok(Node { place, kind })
    }

    fn pieces(&mut self, end: TokenKind, opening: Place, start: Place) -> Parsed<Vec<Piece>> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut strips_next = false;
        let mut result = Ok(());
        loop {
            let token = self.cursor.next();
            let strips = std::mem::take(&mut strips_next);
            match token.kind {
                kind if kind == end => break,
                TokenKind::Text | TokenKind::QuotedText => match self.literal(token) {
                    Ok(text) => {
                        let text = if strips { text.trim_start().to_owned() } else { text };
                        pieces.push(Piece { place: token.place, kind: PieceKind::Literal(text) });
                    }
                    Err(Failed) => result = Err(Failed),
                },
                TokenKind::OpenValue | TokenKind::OpenDirective => {
                    if self.cursor.text(token).ends_with('~') {
                        strip_end(&mut pieces);
                    }
                    let kind = self.sequence(token, end, start)?;
                    strips_next = self.cursor.text_at(self.cursor.last()).starts_with('~');
                    pieces.push(Piece { place: token.place.to(self.cursor.last()), kind });
                }
                _ => return self.unended(token, end, opening),
            }
        }
        result.map(|()| pieces)
    }

    /// What is said where a text can't go on like this.
    pub(crate) fn unended<T>(&mut self, token: Token, end: TokenKind, opening: Place) -> Parsed<T> {
        if token.kind == TokenKind::QuotedNewline {
            let error = Diagnostic::error("quoted text can't go over several lines");
            return self.fail(error.hint("write `\\n` for a new line, or a heredoc: `<<EOT`"), token.place);
        }
        let error = Diagnostic::error(match end {
            TokenKind::CloseHeredoc => "this heredoc is never closed",
            _ => "this text is never closed",
        });
        let line = self.line_of(opening);
        self.fail(error.because(format!("it begins in line {line}")), token.place)
    }

    /// What stands in `${ … }` or `%{ … }`, with its end. One that is never closed is said from the template's start on.
    fn sequence(&mut self, open: Token, end: TokenKind, start: Place) -> Parsed<PieceKind> {
        self.within(|this| {
            let kind = match open.kind {
                TokenKind::OpenValue => PieceKind::Value(this.expression()?),
                _ => this.directive()?,
            };
            let close = this.cursor.peek();
            match close.kind {
                TokenKind::CloseSequence => {
                    this.cursor.next();
                    Ok(kind)
                }
                TokenKind::End | TokenKind::OpenQuote | TokenKind::CloseQuote
                    if open.kind == TokenKind::OpenValue
                        && (close.kind == TokenKind::End || end == TokenKind::CloseQuote) =>
                {
                    let error = Diagnostic::error(format!("this `{}` is never closed", this.cursor.text(open)));
                    this.fail(error.because("the text around it ends first"), start.to(open.place))
                }
                _ => {
                    let error = Diagnostic::error("`}` is wanted here").because(this.cursor.described(close));
                    let hint = "what belongs to another language is written with a second sign: `$${`, `%%{`";
                    this.fail(error.hint(hint), close.place)
                }
            }
        })
    }

    fn directive(&mut self) -> Parsed<PieceKind> {
        let token = self.take(TokenKind::Identifier, "`if`, `else`, `endif`, `for` or `endfor`")?;
        match self.cursor.text(token) {
            "if" => Ok(PieceKind::If(self.expression()?)),
            "else" => Ok(PieceKind::Else),
            "endif" => Ok(PieceKind::EndIf),
            "for" => Ok(PieceKind::For(self.intro()?)),
            "endfor" => Ok(PieceKind::EndFor),
            other => {
                let error = Diagnostic::error(format!("no directive is called `{other}`"));
                self.fail(error.hint("there are `if`, `else`, `endif`, `for` and `endfor`"), token.place)
            }
        }
    }

    /// Pieces up to one that ends what is around them, which stays.
    fn parts(&mut self, pieces: &mut Pieces, around: Option<(&str, Place)>) -> Parsed<Vec<Part>> {
        let mut parts: Vec<Part> = Vec::new();
        while let Some(piece) = pieces.peek() {
            let (place, ends) = (piece.place, piece.kind.ends());
            if let Some(word) = ends {
                return match around {
                    Some(_) => Ok(parts),
                    None => self.unmatched(word, place),
                };
            }
            let Some(piece) = pieces.next() else { break };
            match piece.kind {
                PieceKind::Literal(text) => match parts.last_mut() {
                    Some(Part::Literal(before)) => *before = format!("{before}{text}").into(),
                    _ => parts.push(Part::Literal(text.into())),
                },
                PieceKind::Value(node) => parts.push(Part::Value(node)),
                PieceKind::If(condition) => {
                    let directive = self.deeper(|this| this.choice(condition, place, pieces))?;
                    parts.push(Part::If(Box::new(directive)));
                }
                PieceKind::For(intro) => {
                    let directive = self.deeper(|this| this.repeat(intro, place, pieces))?;
                    parts.push(Part::For(Box::new(directive)));
                }
                PieceKind::Else | PieceKind::EndIf | PieceKind::EndFor => unreachable!("these end what is around them"),
            }
        }
        match around {
            None => Ok(parts),
            Some((word, place)) => {
                let error = Diagnostic::error(format!("`%{{ end{word} }}` is missing before this"));
                let error = error.because(format!("the `{word}` that it ends is in line {}", self.line_of(place)));
                self.fail(error, self.cursor.last())
            }
        }
    }

    fn choice(&mut self, condition: Node, place: Place, pieces: &mut Pieces) -> Parsed<IfDirective> {
        let yes = self.parts(pieces, Some(("if", place)))?;
        let no = match pieces.next_if(|piece| matches!(piece.kind, PieceKind::Else)) {
            Some(_) => self.parts(pieces, Some(("if", place)))?,
            None => Vec::new(),
        };
        match pieces.next() {
            Some(Piece { kind: PieceKind::EndIf, .. }) => Ok(IfDirective { condition, yes, no }),
            other => self.unmatched("endif", other.map_or(place, |piece| piece.place)),
        }
    }

    fn repeat(&mut self, intro: Intro, place: Place, pieces: &mut Pieces) -> Parsed<ForDirective> {
        let parts = self.parts(pieces, Some(("for", place)))?;
        match pieces.next() {
            Some(Piece { kind: PieceKind::EndFor, .. }) => Ok(ForDirective { intro, parts }),
            other => self.unmatched("endfor", other.map_or(place, |piece| piece.place)),
        }
    }

    fn unmatched<T>(&mut self, word: &str, place: Place) -> Parsed<T> {
        let error = Diagnostic::error("the directives of this template don't match");
        self.fail(error.because(format!("`{word}` and this don't belong together")), place)
    }

    /// The text that a token stands for.
    pub(crate) fn literal(&mut self, token: Token) -> Parsed<String> {
        let written = self.cursor.text(token);
        let is_quoted = token.kind == TokenKind::QuotedText;
        let mut text = String::with_capacity(written.len());
        let mut rest = written;
        while let Some(at) = rest.find(['$', '%', '\\']) {
            text.push_str(&rest[..at]);
            rest = &rest[at..];
            let taken = match rest.as_bytes() {
                [b'$', b'$', b'{', ..] | [b'%', b'%', b'{', ..] => {
                    text.push_str(&rest[1..3]);
                    3
                }
                [b'\\', ..] if is_quoted => match escape(rest) {
                    Ok((c, length)) => {
                        text.push(c);
                        length
                    }
                    Err((reason, length)) => {
                        let start = token.place.start + u32::try_from(written.len() - rest.len()).unwrap_or(0);
                        let place = Place { start, end: start + length };
                        return self.fail(Diagnostic::error(reason).hint("`\\\\` is a backslash"), place);
                    }
                },
                _ => {
                    text.push_str(&rest[..1]);
                    1
                }
            };
            rest = &rest[taken..];
        }
        text.push_str(rest);
        Ok(text)
    }
}

type Pieces = std::iter::Peekable<std::vec::IntoIter<Piece>>;

impl PieceKind {
    /// The word of a directive that ends another one.
    fn ends(&self) -> Option<&'static str> {
        match self {
            PieceKind::Else => Some("else"),
            PieceKind::EndIf => Some("endif"),
            PieceKind::EndFor => Some("endfor"),
            PieceKind::Literal(_) | PieceKind::Value(_) | PieceKind::If(_) | PieceKind::For(_) => None,
        }
    }
}

/// The character that an escape stands for, and how long that is written; or what is wrong with how many bytes.
fn escape(rest: &str) -> Result<(char, usize), (String, u32)> {
    let digits = |count: usize| {
        let code = rest.get(2..2 + count).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = code.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match code.map(char::from_u32) {
            Some(Some(c)) => Ok((c, 2 + count)),
            Some(None) => Err(("no character has this number".to_owned(), 2 + count as u32)),
            None => Err((format!("`{}` takes {count} hexadecimal digits", &rest[..2]), 2)),
        }
    };
    match rest[1..].chars().next() {
        Some('n') => Ok(('\n', 2)),
        Some('r') => Ok(('\r', 2)),
        Some('t') => Ok(('\t', 2)),
        Some('"') => Ok(('"', 2)),
        Some('\\') => Ok(('\\', 2)),
        Some('u') => digits(4),
        Some('U') => digits(8),
        Some(other) => Err((format!("`\\{other}` means nothing"), 1 + other.len_utf8() as u32)),
        None => Err(("a `\\` can't stand alone".to_owned(), 1)),
    }
}

/// The literal that stands last, if one does, loses its white space at the end.
fn strip_end(pieces: &mut [Piece]) {
    if let Some(Piece { kind: PieceKind::Literal(text), .. }) = pieces.last_mut() {
        text.truncate(text.trim_end().len());
    }
}

/// The white space that all lines begin with is removed. Lines of nothing else don't count.
fn unindent(pieces: &mut [Piece]) {
    let mut least = usize::MAX;
    let mut begins = Vec::new();
    let mut is_new_line = true;
    for (at, piece) in pieces.iter().enumerate() {
        let literal = match &piece.kind {
            PieceKind::Literal(text) => Some(text),
            _ => None,
        };
        if std::mem::take(&mut is_new_line) {
            let spaces = literal.map_or("", |text| &text[..text.len() - text.trim_start().len()]);
            let is_blank = literal.is_some_and(|text| text.trim().is_empty() && text.ends_with('\n'));
            if !is_blank {
                least = least.min(spaces.chars().count());
                begins.push(at);
            }
        }
        is_new_line = literal.is_some_and(|text| text.ends_with('\n'));
    }
    for at in begins {
        if let Some(Piece { kind: PieceKind::Literal(text), .. }) = pieces.get_mut(at) {
            let cut = text.char_indices().nth(least).map_or(text.len(), |(at, _)| at);
            text.drain(..cut);
        }
    }
}
