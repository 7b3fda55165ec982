//! Tuples, objects, and the `for` expressions that make them.

use bimetal_model::Diagnostic;

use super::{Parsed, Parser};
use crate::lexer::{Kind as TokenKind, Token};
use crate::tree::*;

impl Parser<'_> {
    pub(super) fn tuple(&mut self) -> Parsed<Node> {
        let open = self.cursor.next();
        self.within(|this| {
            if this.cursor.is_word("for") {
                return this.comprehension(open);
            }
            let items = this.items(open)?;
            Ok(Node { place: open.place.to(this.cursor.last()), kind: Kind::Tuple(items) })
        })
    }

    fn items(&mut self, open: Token) -> Parsed<Vec<Node>> {
        let mut items = Vec::new();
        loop {
            if self.cursor.peek().kind == TokenKind::CloseBracket {
                self.cursor.next();
                return Ok(items);
            }
            items.push(self.expression()?);
            match self.cursor.peek().kind {
                TokenKind::Comma => self.cursor.skip(),
                TokenKind::CloseBracket => {}
                TokenKind::End => return self.unclosed(open.place),
                _ => return self.expected("`,` or `]`"),
            }
        }
    }

    pub(super) fn object(&mut self) -> Parsed<Node> {
        let open = self.cursor.next();
        // A loop may begin on a line of its own.
        let is_loop = self.within(|this| Ok(this.cursor.is_word("for")))?;
        if is_loop {
            return self.within(|this| this.comprehension(open));
        }
        let outer = self.cursor.newlines(true);
        let members = self.members(open);
        self.cursor.newlines(outer);
        Ok(Node { kind: Kind::Object(members?), place: open.place.to(self.cursor.last()) })
    }

    fn members(&mut self, open: Token) -> Parsed<Vec<Member>> {
        let mut members = Vec::new();
        loop {
            match self.cursor.peek().kind {
                TokenKind::Newline => {
                    self.cursor.next();
                    continue;
                }
                TokenKind::CloseBrace => {
                    self.cursor.next();
                    return Ok(members);
                }
                _ => members.push(self.member(open)?),
            }
            match self.cursor.peek().kind {
                TokenKind::Comma | TokenKind::Newline => self.cursor.skip(),
                TokenKind::CloseBrace => {}
                TokenKind::End => return self.unclosed(open.place),
                _ => return self.expected("`,`, a new line or `}`"),
            }
        }
    }

    fn member(&mut self, open: Token) -> Parsed<Member> {
        let key = self.expression()?;
        match self.cursor.peek().kind {
            TokenKind::Equal | TokenKind::Colon => self.cursor.skip(),
            TokenKind::End => return self.unclosed(open.place),
            _ => return self.expected("`=` and a value"),
        }
        Ok(Member { key, value: self.expression()? })
    }

    /// What stands between the brackets of a `for` expression.
    fn comprehension(&mut self, open: Token) -> Parsed<Node> {
        self.cursor.next();
        let intro = self.intro()?;
        self.take(TokenKind::Colon, "`:`")?;
        let first = self.expression()?;
        let (key, value) = match self.cursor.peek().kind {
            TokenKind::Arrow => {
                self.cursor.next();
                (Some(first), self.expression()?)
            }
            _ => (None, first),
        };
        let ellipsis = (self.cursor.peek().kind == TokenKind::Ellipsis).then(|| self.cursor.next());
        let mut condition = None;
        if self.cursor.is_word("if") {
            self.cursor.next();
            condition = Some(self.expression()?);
        }
        let makes_object = open.kind == TokenKind::OpenBrace;
        let (closing, what) =
            if makes_object { (TokenKind::CloseBrace, "`}`") } else { (TokenKind::CloseBracket, "`]`") };
        let close = match self.cursor.peek().kind {
            kind if kind == closing => self.cursor.next(),
            _ => return self.unbalanced(open, what),
        };
        let misplaced = match (makes_object, &key, ellipsis) {
            (true, None, _) => Some(("an object needs keys", "write `key => value`", value.place)),
            (false, Some(key), _) => Some(("a list has no keys", "write `{for … : key => value}`", key.place)),
            (false, None, Some(ellipsis)) => Some(("a list groups nothing", "remove `...`", ellipsis.place)),
            (true, Some(_), _) | (false, None, None) => None,
        };
        if let Some((summary, hint, place)) = misplaced {
            return self.fail(Diagnostic::error(summary).hint(hint), place);
        }
        let kind = For { intro, key, value, groups: ellipsis.is_some(), condition };
        Ok(Node { place: open.place.to(close.place), kind: Kind::For(Box::new(kind)) })
    }
}
