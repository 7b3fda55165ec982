//! Expressions, by precedence.

use bimetal_model::{Diagnostic, Number};

use super::{DEEPEST, Parsed, Parser};
use crate::lexer::{Kind as TokenKind, Token};
use crate::source::Place;
use crate::tree::*;

impl Parser<'_> {
    pub(crate) fn expression(&mut self) -> Parsed<Node> {
        self.deeper(Self::conditional)
    }

    /// With new lines that mean nothing, as within brackets.
    pub(crate) fn within<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let outer = self.cursor.newlines(false);
        let parsed = parse(self);
        self.cursor.newlines(outer);
        parsed
    }

    fn conditional(&mut self) -> Parsed<Node> {
        let condition = self.binary(0)?;
        if self.cursor.peek().kind != TokenKind::Question {
            return Ok(condition);
        }
        self.cursor.next();
        let yes = self.expression()?;
        self.take(TokenKind::Colon, "`:` and what is taken otherwise")?;
        let no = self.expression()?;
        let place = condition.place.to(no.place);
        Ok(Node { place, kind: Kind::Conditional(Box::new(Conditional { condition, yes, no })) })
    }

    /// Operators of this precedence and of those that bind more tightly; equal ones go together from the left.
    fn binary(&mut self, precedence: usize) -> Parsed<Node> {
        let mut left = self.unary()?;
        let mut chained = 0;
        while let Some((operator, binds)) = binary_operator(self.cursor.peek().kind)
            && binds >= precedence
        {
            self.cursor.next();
            let right = self.deeper(|this| this.binary(binds + 1))?;
            // Each one makes the tree a level deeper.
            chained += 1;
            if chained > DEEPEST {
                let error = Diagnostic::error(format!("more than {DEEPEST} operators in a row can't be read"));
                return self.fail(error.hint("`join`, `sum`, `alltrue` and `anytrue` take lists"), right.place);
            }
            let place = left.place.to(right.place);
            left = Node { place, kind: Kind::Binary(Box::new(Binary { operator, left, right })) };
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parsed<Node> {
        let operator = match self.cursor.peek().kind {
            TokenKind::Minus => UnaryOperator::Negate,
            TokenKind::Not => UnaryOperator::Not,
            _ => {
                let root = self.term()?;
                return self.steps(root);
            }
        };
        let sign = self.cursor.next();
        let operand = self.deeper(Self::unary)?;
        let place = sign.place.to(operand.place);
        Ok(Node { place, kind: Kind::Unary(Box::new(Unary { operator, operand })) })
    }

    fn term(&mut self) -> Parsed<Node> {
        let token = self.cursor.peek();
        match token.kind {
            TokenKind::Number => {
                self.cursor.next();
                Ok(Node { place: token.place, kind: Kind::Number(self.number(token)?) })
            }
            TokenKind::Identifier => {
                self.cursor.next();
                self.named(token)
            }
            TokenKind::OpenQuote => self.quoted(),
            TokenKind::OpenHeredoc => self.heredoc(),
            TokenKind::OpenParenthesis => self.parentheses(),
            TokenKind::OpenBracket => self.tuple(),
            TokenKind::OpenBrace => self.object(),
            _ => self.expected("an expression"),
        }
    }

    fn number(&mut self, token: Token) -> Parsed<Box<Number>> {
        match self.cursor.text(token).parse() {
            Ok(number) => Ok(Box::new(number)),
            Err(reason) => self.fail(Diagnostic::error(reason), token.place),
        }
    }

    fn named(&mut self, token: Token) -> Parsed<Node> {
        if matches!(self.cursor.peek().kind, TokenKind::OpenParenthesis | TokenKind::DoubleColon) {
            return self.call(token);
        }
        let kind = match self.cursor.text(token) {
            "null" => Kind::Null,
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            name => Kind::Name(name.into()),
        };
        Ok(Node { place: token.place, kind })
    }

    fn parentheses(&mut self) -> Parsed<Node> {
        let open = self.cursor.next();
        self.within(|this| {
            let inner = this.expression()?;
            let close = match this.cursor.peek().kind {
                TokenKind::CloseParenthesis => this.cursor.next(),
                _ => return this.unbalanced(open, "`)`"),
            };
            Ok(Node { place: open.place.to(close.place), kind: Kind::Parentheses(Box::new(inner)) })
        })
    }

    pub(super) fn quoted(&mut self) -> Parsed<Node> {
        let open = self.cursor.next();
        let node = self.template(TokenKind::CloseQuote, false)?;
        Ok(Node { place: open.place.to(self.cursor.last()), ..node })
    }

    fn heredoc(&mut self) -> Parsed<Node> {
        let open = self.cursor.next();
        let is_indented = self.cursor.text(open).starts_with("<<-");
        let node = self.template(TokenKind::CloseHeredoc, is_indented)?;
        Ok(Node { place: open.place.to(self.cursor.last()), ..node })
    }

    /// The steps behind a term, if there are any.
    fn steps(&mut self, root: Node) -> Parsed<Node> {
        let mut steps = Vec::new();
        loop {
            match self.cursor.peek().kind {
                TokenKind::Dot => steps.push(self.dotted(&steps)?),
                TokenKind::OpenBracket => steps.push(self.bracketed()?),
                _ => break,
            }
        }
        let Some(last) = steps.last() else { return Ok(root) };
        Ok(Node { place: root.place.to(last.place), kind: Kind::Traversal(Box::new(Traversal { root, steps })) })
    }

    fn dotted(&mut self, before: &[Step]) -> Parsed<Step> {
        let dot = self.cursor.next();
        let token = self.cursor.peek();
        let kind = match token.kind {
            TokenKind::Identifier => StepKind::Attribute(self.cursor.text(token).into()),
            TokenKind::Star if belongs_to_splat(before) => {
                let error = Diagnostic::error("a splat can't stand within another one so");
                return self.fail(error.hint("write `[*]` for both"), token.place);
            }
            TokenKind::Star => StepKind::AttributeSplat,
            TokenKind::Number => match self.cursor.text(token).split_once('.') {
                None => StepKind::LegacyIndex(self.number(token)?),
                Some((first, second)) => {
                    let error = Diagnostic::error("two indices can't follow each other so");
                    let hint = format!("write them in brackets: `[{first}][{second}]`");
                    return self.fail(error.hint(hint), token.place);
                }
            },
            _ => return self.expected("the name of an attribute"),
        };
        self.cursor.next();
        Ok(Step { place: dot.place.to(token.place), kind })
    }

    fn bracketed(&mut self) -> Parsed<Step> {
        let open = self.cursor.next();
        self.within(|this| {
            let kind = match this.cursor.peek().kind {
                TokenKind::Star => {
                    this.cursor.next();
                    StepKind::FullSplat
                }
                _ => StepKind::Index(Box::new(this.expression()?)),
            };
            let close = match this.cursor.peek().kind {
                TokenKind::CloseBracket => this.cursor.next(),
                _ => return this.unbalanced(open, "`]`"),
            };
            Ok(Step { place: open.place.to(close.place), kind })
        })
    }

    /// A call whose name, or the first part of it, was read already.
    fn call(&mut self, first: Token) -> Parsed<Node> {
        let mut name = self.cursor.name(first);
        while self.cursor.peek().kind == TokenKind::DoubleColon {
            self.cursor.next();
            let part = self.take(TokenKind::Identifier, "the name of a function")?;
            name.text = format!("{}::{}", name.text, self.cursor.text(part)).into();
            name.place = name.place.to(part.place);
        }
        let open = self.take(TokenKind::OpenParenthesis, "`(` and the function's arguments")?;
        self.within(|this| {
            let (arguments, expands) = this.arguments(name.place.to(open.place))?;
            let parentheses = open.place.to(this.cursor.last());
            let place = name.place.to(parentheses);
            Ok(Node { place, kind: Kind::Call(Box::new(Call { name, arguments, expands, parentheses })) })
        })
    }

    /// Up to the closing parenthesis of what was opened there.
    fn arguments(&mut self, opened: Place) -> Parsed<(Vec<Node>, bool)> {
        let mut arguments = Vec::new();
        loop {
            if self.cursor.peek().kind == TokenKind::CloseParenthesis {
                self.cursor.next();
                return Ok((arguments, false));
            }
            arguments.push(self.expression()?);
            match self.cursor.peek().kind {
                TokenKind::Comma => self.cursor.skip(),
                TokenKind::CloseParenthesis => {}
                TokenKind::Ellipsis => {
                    let ellipsis = self.cursor.next();
                    if self.cursor.peek().kind != TokenKind::CloseParenthesis {
                        let error = Diagnostic::error("`)` is wanted behind `...`");
                        return self
                            .fail(error.because("what is spread over arguments is the last one"), ellipsis.place);
                    }
                    self.cursor.next();
                    return Ok((arguments, true));
                }
                TokenKind::End => return self.unclosed(opened),
                _ => return self.expected("`,` or `)`"),
            }
        }
    }

    /// `key, value in collection`, the word `for` read already.
    pub(crate) fn intro(&mut self) -> Parsed<Intro> {
        let first = self.take(TokenKind::Identifier, "a name for what is gone through")?;
        let first = self.cursor.name(first);
        let (key, value) = match self.cursor.peek().kind {
            TokenKind::Comma => {
                self.cursor.next();
                let second = self.take(TokenKind::Identifier, "a name for the values")?;
                (Some(first), self.cursor.name(second))
            }
            _ => (None, first),
        };
        if !self.cursor.is_word("in") {
            return self.expected("`in`");
        }
        self.cursor.next();
        Ok(Intro { key, value, collection: self.expression()? })
    }
}

/// Whether a splat that takes attributes is still open behind these.
fn belongs_to_splat(steps: &[Step]) -> bool {
    let is_taken = |step: &&Step| matches!(step.kind, StepKind::Attribute(_) | StepKind::LegacyIndex(_));
    matches!(steps.iter().rev().find(|step| !is_taken(step)), Some(Step { kind: StepKind::AttributeSplat, .. }))
}

fn binary_operator(kind: TokenKind) -> Option<(BinaryOperator, usize)> {
    Some(match kind {
        TokenKind::Or => (BinaryOperator::Or, 0),
        TokenKind::And => (BinaryOperator::And, 1),
        TokenKind::EqualTo => (BinaryOperator::Equal, 2),
        TokenKind::NotEqualTo => (BinaryOperator::NotEqual, 2),
        TokenKind::Greater => (BinaryOperator::Greater, 3),
        TokenKind::GreaterOrEqual => (BinaryOperator::GreaterOrEqual, 3),
        TokenKind::Less => (BinaryOperator::Less, 3),
        TokenKind::LessOrEqual => (BinaryOperator::LessOrEqual, 3),
        TokenKind::Plus => (BinaryOperator::Add, 4),
        TokenKind::Minus => (BinaryOperator::Subtract, 4),
        TokenKind::Star => (BinaryOperator::Multiply, 5),
        TokenKind::Slash => (BinaryOperator::Divide, 5),
        TokenKind::Percent => (BinaryOperator::Remainder, 5),
        _ => return None,
    })
}
