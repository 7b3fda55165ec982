//! What is written in an old way, in the present one: labels without quotes, types of the days before there were types, quotes around what
//! is no text.

use std::ops::Range;

use super::label::label;
use super::piece::Piece;
use super::unwrap::unwrap;
use crate::lexer::{Kind, Token};
use crate::source::Place;
use crate::tree::{Attribute, Block, Body, Item};

/// All tokens, those replaced that are written otherwise today. How far they are apart is left open.
pub(super) fn rewrite<'t>(text: &'t str, tokens: &[Token], body: &Body) -> Vec<Piece<'t>> {
    let source = Source { text, tokens };
    let mut pieces = Vec::with_capacity(tokens.len());
    let mut done = 0;
    for edit in source.edits(body) {
        pieces.extend(source.pieces(done..edit.tokens.start));
        pieces.extend(edit.pieces);
        done = edit.tokens.end;
    }
    pieces.extend(source.pieces(done..tokens.len()));
    pieces
}

/// Tokens that are replaced.
struct Edit<'t> {
    tokens: Range<usize>,
    pieces: Vec<Piece<'t>>,
}

/// Where a body stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    File,
    Variable,
    Block,
}

struct Source<'s, 't> {
    text: &'t str,
    tokens: &'s [Token],
}

impl<'t> Source<'_, 't> {
    /// In the order of the text.
    fn edits(&self, body: &Body) -> Vec<Edit<'t>> {
        let mut edits = Vec::new();
        let mut bodies = vec![(Within::File, body)];
        while let Some((within, body)) = bodies.pop() {
            for item in &body.items {
                match item {
                    Item::Attribute(attribute) => edits.extend(self.attribute(within, attribute)),
                    Item::Block(block) => {
                        edits.extend(self.labels(block));
                        let is_variable = within == Within::File && &*block.word.text == "variable";
                        bodies.push((if is_variable { Within::Variable } else { Within::Block }, &block.body));
                    }
                }
            }
        }
        edits.sort_by_key(|edit| edit.tokens.start);
        edits
    }

    /// Comments among labels are lost.
    fn labels(&self, block: &Block) -> Option<Edit<'t>> {
        let last = block.labels.last()?;
        let place = Place { start: block.word.place.end, end: last.place.end };
        let pieces = block.labels.iter().flat_map(|name| label(&name.text)).collect();
        Some(Edit { tokens: self.within(place), pieces })
    }

    fn attribute(&self, within: Within, attribute: &Attribute) -> Option<Edit<'t>> {
        let tokens = self.within(attribute.value.place);
        let is_type = within == Within::Variable && &*attribute.name.text == "type";
        let pieces = match is_type {
            true => self.type_of(tokens.clone()),
            false => unwrap(self.pieces(tokens.clone()), self.behind(tokens.end)),
        };
        pieces.map(|pieces| Edit { tokens, pieces })
    }

    /// A type that does not say of what it is a collection, or that stands in quotes.
    fn type_of(&self, tokens: Range<usize>) -> Option<Vec<Piece<'t>>> {
        let pieces: Vec<_> = self.pieces(tokens).take(4).collect();
        let kinds: Vec<_> = pieces.iter().map(|piece| piece.kind).collect();
        let of = |collection: &str, item: &'static str| {
            vec![
                Piece::new(Kind::Identifier, collection.to_owned()),
                Piece::new(Kind::OpenParenthesis, "("),
                Piece::new(Kind::Identifier, item),
                Piece::new(Kind::CloseParenthesis, ")"),
            ]
        };
        match (&kinds[..], pieces.get(kinds.len() / 2).map_or("", |piece| &piece.text)) {
            ([Kind::Identifier], name @ ("list" | "map" | "set")) => Some(of(name, "any")),
            ([Kind::OpenQuote, Kind::QuotedText, Kind::CloseQuote], name @ ("list" | "map")) => {
                Some(of(name, "string"))
            }
            ([Kind::OpenQuote, Kind::QuotedText, Kind::CloseQuote], "string") => {
                Some(vec![Piece::new(Kind::Identifier, "string")])
            }
            (_, _) => None,
        }
    }

    /// The tokens that begin there.
    fn within(&self, place: Place) -> Range<usize> {
        let first = |offset: u32| self.tokens.partition_point(|token| token.place.start < offset);
        first(place.start)..first(place.end)
    }

    /// What comes next on the line, but for comments.
    fn behind(&self, at: usize) -> Option<Kind> {
        let mut pieces = self.pieces(at..self.tokens.len());
        pieces.find(|piece| piece.kind != Kind::Comment || piece.ends_line()).map(|piece| piece.kind)
    }

    fn pieces(&self, range: Range<usize>) -> impl Iterator<Item = Piece<'t>> {
        let (text, tokens) = (self.text, self.tokens);
        tokens[range].iter().map(|token| Piece::new(token.kind, &text[Range::from(token.place)]))
    }
}
