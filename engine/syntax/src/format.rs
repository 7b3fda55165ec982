//! The canonical style, byte for byte that of `terraform fmt`.
//!
//! First, what is written in an old way is written in the present one. From then on only the white space changes between what stands on the
//! same line: how far lines are indented, what is apart from its neighbour, and the columns that run through several lines.

mod align;
mod indent;
mod label;
mod line;
mod piece;
mod rewrite;
mod space;
mod unwrap;

use std::collections::HashSet;

use bimetal_model::{Diagnostic, Diagnostics};

use crate::lexer::{Kind, Start, tokens};
use crate::parser::parse_body;
use crate::source::SourceFile;
use crate::tree::{Body, Item};
use piece::Piece;

/// The text in canonical style, or why it can't be read.
///
/// What is in this style stays as it is. One thing takes a run for each level, as with Terraform: `"${"${a}"}"` loses one pair of quotes.
pub fn format(file: &SourceFile) -> Result<String, Diagnostics> {
    let (body, mut diagnostics) = parse_body(file);
    diagnostics.extend(repeated(file, &body));
    diagnostics.sort_by_key(|error| error.span.as_ref().map(|span| span.range.start));
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let mut tokens = tokens(&file.text, Start::Normal);
    tokens.pop_if(|token| token.kind == Kind::End);
    if let Some(heredoc) = tokens.last().filter(|last| last.kind == Kind::CloseHeredoc) {
        let error = Diagnostic::error("the line that ends this heredoc has no end itself");
        return Err(vec![error.at(&file.span(heredoc.place)).hint("put a new line behind it")]);
    }
    let mut pieces = rewrite::rewrite(&file.text, &tokens, &body);
    let lines = line::lines(&pieces);
    indent::indent(&mut pieces, &lines);
    space::space(&mut pieces, &lines);
    align::align(&mut pieces, &lines);
    let end = tokens.last().map_or(0, |last| last.place.end as usize);
    let tail = file.text[end..].matches([' ', '\t']).count();
    Ok(print(&pieces, tail))
}

/// White space behind the last line is kept: no piece stands behind it.
fn print(pieces: &[Piece], tail: usize) -> String {
    let length = pieces.iter().map(|piece| piece.spaces + piece.text.len()).sum::<usize>();
    let mut text = String::with_capacity(length + tail);
    for piece in pieces {
        text.extend(std::iter::repeat_n(' ', piece.spaces));
        text.push_str(&piece.text);
    }
    text.extend(std::iter::repeat_n(' ', tail));
    text
}

/// Arguments that a body has already. Which of them is meant can't be known.
fn repeated(file: &SourceFile, body: &Body) -> Diagnostics {
    let mut diagnostics = Vec::new();
    let mut bodies = vec![body];
    while let Some(body) = bodies.pop() {
        let mut names = HashSet::new();
        for item in &body.items {
            match item {
                Item::Attribute(attribute) if !names.insert(&attribute.name.text) => {
                    let error = Diagnostic::error(format!("`{}` is set twice", attribute.name.text));
                    diagnostics.push(error.at(&file.span(attribute.name.place)));
                }
                Item::Attribute(_) => {}
                Item::Block(block) => bodies.push(&block.body),
            }
        }
    }
    diagnostics
}
