//! Tokens to a tree. What can't be read is said, and reading goes on with the next argument or block.

mod cursor;
mod expression;
mod list;

use bimetal_model::{Diagnostic, Diagnostics};

use crate::lexer::{Kind as TokenKind, Start, Token, tokens};
use crate::source::{Place, SourceFile};
use crate::tree::*;
use cursor::Cursor;

/// What was read up to a mistake is thrown away; the mistake is among the diagnostics.
pub(crate) struct Failed;

pub(crate) type Parsed<T> = Result<T, Failed>;

/// Nesting beyond this is a mistake, or an attack.
const DEEPEST: u32 = 1_000;

/// A file's body. What could not be read is left out and reported.
pub fn parse_body(file: &SourceFile) -> (Body, Diagnostics) {
    let mut parser = match Parser::new(file, Start::Normal) {
        Ok(parser) => parser,
        Err(diagnostic) => return (Body::default(), vec![diagnostic]),
    };
    let body = parser.body(None);
    (body, parser.diagnostics)
}

/// What the ends of lines mean to an expression, where no brackets are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// They end it, as that of an argument.
    EndIt,
    /// Nothing.
    DontCount,
}

/// The one expression that a text holds.
pub fn parse_expression(file: &SourceFile, lines: Lines) -> Result<Node, Diagnostics> {
    let mut parser = Parser::new(file, Start::Normal).map_err(|diagnostic| vec![diagnostic])?;
    let node = parser.only_expression(lines);
    node.map_err(|Failed| parser.diagnostics)
}

/// A text that is a template without quotes around it.
pub fn parse_template(file: &SourceFile) -> Result<Node, Diagnostics> {
    let mut parser = Parser::new(file, Start::Template).map_err(|diagnostic| vec![diagnostic])?;
    let node = parser.template(TokenKind::End, false);
    match (node, parser.diagnostics.is_empty()) {
        (Ok(node), true) => Ok(node),
        _ => Err(parser.diagnostics),
    }
}

pub(crate) struct Parser<'f> {
    pub(crate) file: &'f SourceFile,
    pub(crate) cursor: Cursor<'f>,
    pub(crate) diagnostics: Diagnostics,
    depth: u32,
}

impl<'f> Parser<'f> {
    fn new(file: &'f SourceFile, start: Start) -> Result<Self, Diagnostic> {
        if u32::try_from(file.text.len()).is_err() {
            let error = Diagnostic::error(format!("`{}` is larger than 4 GiB", file.name));
            return Err(error.hint("is it a configuration?"));
        }
        let cursor = Cursor::new(&file.text, tokens(&file.text, start));
        Ok(Parser { file, cursor, diagnostics: Vec::new(), depth: 0 })
    }

    pub(crate) fn fail<T>(&mut self, error: Diagnostic, place: Place) -> Parsed<T> {
        self.diagnostics.push(error.at(&self.file.span(place)));
        Err(Failed)
    }

    /// Something else stands where this was wanted.
    pub(crate) fn expected<T>(&mut self, what: &str) -> Parsed<T> {
        let found = self.cursor.peek();
        let error = Diagnostic::error(format!("{what} is wanted here")).because(self.cursor.described(found));
        let error = match hint(self.cursor.text(found)) {
            Some(hint) => error.hint(hint),
            None => error,
        };
        self.fail(error, found.place)
    }

    /// An opening bracket whose closing one does not come.
    pub(crate) fn unclosed<T>(&mut self, open: Place) -> Parsed<T> {
        let bracket = self.cursor.text_at(open).trim();
        let error = Diagnostic::error(format!("this `{bracket}` is never closed"));
        self.fail(error.because("the text ends before"), open)
    }

    /// Something else stands where a bracket should be closed.
    pub(crate) fn unbalanced<T>(&mut self, open: Token, what: &str) -> Parsed<T> {
        let found = self.cursor.peek();
        let line = self.line_of(open.place);
        let error = Diagnostic::error(format!("{what} is wanted here")).because(self.cursor.described(found));
        self.fail(error.hint(format!("it closes the `{}` in line {line}", self.cursor.text(open))), found.place)
    }

    /// The line that a place begins in; the first is 1.
    pub(crate) fn line_of(&self, place: Place) -> usize {
        self.file.text.get(..place.start as usize).unwrap_or_default().matches('\n').count() + 1
    }

    /// One level further in; an error where that is too deep.
    pub(crate) fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEEPEST {
            let error = Diagnostic::error(format!("more than {DEEPEST} levels within each other can't be read"));
            return self.fail(error, self.cursor.peek().place);
        }
        self.depth += 1;
        let parsed = crate::stack::deeply(|| parse(self));
        self.depth -= 1;
        parsed
    }

    /// Takes this token, or says that it is missing.
    pub(crate) fn take(&mut self, kind: TokenKind, what: &str) -> Parsed<Token> {
        match self.cursor.peek() {
            token if token.kind == kind => Ok(self.cursor.next()),
            _ => self.expected(what),
        }
    }

    fn only_expression(&mut self, lines: Lines) -> Parsed<Node> {
        self.cursor.newlines(lines == Lines::EndIt);
        let node = self.expression()?;
        self.cursor.newlines(false);
        match self.cursor.peek().kind {
            TokenKind::End => Ok(node),
            _ => self.expected("the end of the expression"),
        }
    }

    /// Arguments and blocks up to a closing brace or, without an opening one, the end of the file.
    fn body(&mut self, open: Option<Token>) -> Body {
        let mut body = Body::default();
        loop {
            let token = self.cursor.peek();
            let before = self.diagnostics.len();
            let item = match (token.kind, open) {
                (TokenKind::End, None) => return body,
                (TokenKind::End, Some(open)) => {
                    if !self.ended_within_item() {
                        let _ = self.unclosed::<()>(open.place);
                    }
                    return body;
                }
                (TokenKind::CloseBrace, Some(_)) => return body,
                (TokenKind::Newline, _) => {
                    self.cursor.next();
                    continue;
                }
                (TokenKind::Identifier, _) => self.deeper(Self::item),
                (TokenKind::OpenQuote, _) => {
                    let error = Diagnostic::error("the name of an argument stands without quotes");
                    self.fail(error.hint("write `name = value`"), token.place)
                }
                _ => self.expected("an argument or a block"),
            };
            match item {
                Ok(item) => body.items.push(item),
                Err(Failed) => {
                    debug_assert!(self.diagnostics.len() > before, "a failure is said");
                    self.cursor.skip_item();
                    // A brace that closes nothing.
                    if self.cursor.peek() == token {
                        self.cursor.skip();
                    }
                }
            }
        }
    }

    /// Whether it was said already that something lacks its end.
    fn ended_within_item(&self) -> bool {
        let last = self.diagnostics.last().and_then(|diagnostic| diagnostic.span.as_ref());
        last.is_some_and(|span| span.range.end == self.file.text.len())
    }

    fn item(&mut self) -> Parsed<Item> {
        let word = self.cursor.next();
        let name = self.cursor.name(word);
        match self.cursor.peek().kind {
            TokenKind::Equal => {
                let attribute = self.attribute(name)?;
                match self.cursor.peek().kind {
                    TokenKind::Newline | TokenKind::End => self.cursor.skip(),
                    TokenKind::Comma => {
                        let error = Diagnostic::error("arguments are separated by new lines, not by commas");
                        return self.fail(error.hint("remove the comma"), self.cursor.peek().place);
                    }
                    _ => return self.expected("the end of the line"),
                }
                Ok(Item::Attribute(attribute))
            }
            TokenKind::OpenQuote | TokenKind::OpenBrace | TokenKind::Identifier => Ok(Item::Block(self.block(name)?)),
            _ => {
                let error = Diagnostic::error(format!("`{}` is neither an argument nor a block", name.text));
                let hint = format!("write `{0} = value` or `{0} {{ … }}`", name.text);
                self.fail(error.hint(hint), name.place)
            }
        }
    }

    fn attribute(&mut self, name: Name) -> Parsed<Attribute> {
        self.cursor.next();
        Ok(Attribute { name, value: self.expression()? })
    }

    fn block(&mut self, word: Name) -> Parsed<Block> {
        let mut labels = Vec::new();
        let open = loop {
            let token = self.cursor.peek();
            match token.kind {
                TokenKind::OpenBrace => break self.cursor.next(),
                TokenKind::Identifier => {
                    self.cursor.next();
                    labels.push(self.cursor.name(token));
                }
                TokenKind::OpenQuote => labels.push(self.label()?),
                TokenKind::Newline => {
                    let error = Diagnostic::error("`{` is wanted on the line of the block's name");
                    return self.fail(error, token.place);
                }
                _ => return self.expected("a label or `{`"),
            }
        };
        let body = self.block_body(open)?;
        self.cursor.next();
        match self.cursor.peek().kind {
            TokenKind::Newline | TokenKind::End => self.cursor.skip(),
            _ => return self.expected("the end of the line behind a block"),
        }
        Ok(Block { word, labels, body })
    }

    /// Up to the closing brace. What stands on the line of the opening one is one argument at most.
    fn block_body(&mut self, open: Token) -> Parsed<Body> {
        if self.cursor.peek().kind != TokenKind::Identifier {
            let body = self.body(Some(open));
            return match self.cursor.peek().kind {
                TokenKind::CloseBrace => Ok(body),
                _ => Err(Failed),
            };
        }
        let word = self.cursor.next();
        let name = self.cursor.name(word);
        let next = self.cursor.peek();
        if next.kind != TokenKind::Equal {
            let error = Diagnostic::error("`=` is wanted here: a block on one line holds one argument");
            let place = match next.kind {
                TokenKind::OpenQuote | TokenKind::OpenBrace | TokenKind::Identifier => word.place.to(next.place),
                _ => word.place,
            };
            return self.fail(error.because(self.cursor.described(next)), place);
        }
        let attribute = self.attribute(name)?;
        match self.cursor.peek().kind {
            TokenKind::CloseBrace => Ok(Body { items: vec![Item::Attribute(attribute)] }),
            TokenKind::End => self.unclosed(open.place),
            _ => {
                let error = Diagnostic::error("a block on one line holds one argument");
                let error = error.hint("put each argument, and the closing brace, on a line of its own");
                self.fail(error, self.cursor.peek().place)
            }
        }
    }

    /// A label in quotes.
    fn label(&mut self) -> Parsed<Name> {
        let open = self.cursor.next();
        let mut text = String::new();
        loop {
            let token = self.cursor.next();
            match token.kind {
                TokenKind::CloseQuote => return Ok(Name { text: text.into(), place: open.place.to(token.place) }),
                TokenKind::QuotedText => text.push_str(&self.literal(token)?),
                TokenKind::OpenValue | TokenKind::OpenDirective => {
                    let error = Diagnostic::error("a label is plain text");
                    let hint = "it is read before anything is evaluated: write `$${` for `${`";
                    return self.fail(error.hint(hint), token.place);
                }
                _ => return self.unended(token, TokenKind::CloseQuote, open.place),
            }
        }
    }
}

/// What was probably meant by something that means nothing.
fn hint(text: &str) -> Option<&'static str> {
    Some(match text {
        "'" | "“" | "”" | "‘" | "’" | "„" => "text stands between straight double quotes: `\"text\"`",
        "`" => "text over several lines is a heredoc: `<<EOT`",
        ";" => "new lines separate arguments, commas separate items",
        "&" => "`&&` is `and`",
        "|" => "`||` is `or`",
        "^" => "powers are `pow(a, b)`",
        "$" | "@" => "references stand without a sign: `var.name`",
        "=" => "`==` compares",
        "/*" | "/" => "a comment that begins with `/*` ends with `*/`",
        _ => return None,
    })
}
