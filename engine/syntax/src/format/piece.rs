//! What the style is made of: tokens with their text, and how far each is from the one before.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;

use crate::lexer::Kind;

/// A token, its text, and the spaces before it.
#[derive(Debug)]
pub(super) struct Piece<'t> {
    pub(super) kind: Kind,
    pub(super) text: Cow<'t, str>,
    pub(super) spaces: usize,
}

impl<'t> Piece<'t> {
    pub(super) fn new(kind: Kind, text: impl Into<Cow<'t, str>>) -> Self {
        Piece { kind, text: text.into(), spaces: 0 }
    }

    /// Columns that it takes with the spaces before it: what people see as one character is one.
    pub(super) fn width(&self) -> usize {
        let columns = if self.text.is_ascii() { self.text.len() } else { self.text.graphemes(true).count() };
        self.spaces + columns
    }

    /// Whether the next piece begins a line.
    pub(super) fn ends_line(&self) -> bool {
        match self.kind {
            Kind::Newline => true,
            Kind::Comment => self.text.ends_with('\n'),
            _ => false,
        }
    }

    pub(super) fn opens(&self) -> bool {
        use Kind::{OpenBrace, OpenBracket, OpenDirective, OpenParenthesis, OpenValue};
        matches!(self.kind, OpenBrace | OpenBracket | OpenParenthesis | OpenValue | OpenDirective)
    }

    pub(super) fn closes(&self) -> bool {
        use Kind::{CloseBrace, CloseBracket, CloseParenthesis, CloseSequence};
        matches!(self.kind, CloseBrace | CloseBracket | CloseParenthesis | CloseSequence)
    }
}

/// Brackets that these open and don't close; below zero where they close more.
pub(super) fn opened(pieces: &[Piece]) -> isize {
    let one = |piece: &Piece| isize::from(piece.opens()) - isize::from(piece.closes());
    pieces.iter().map(one).sum()
}
