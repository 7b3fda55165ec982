//! Quotes around what is no text: `"${a.b}"` is `a.b`.

use super::piece::{Piece, opened};
use crate::lexer::Kind;

/// What stands in the quotes, if that is nothing but one value. `behind` is what follows on the line, comments left out.
pub(super) fn unwrap<'t>(pieces: impl Iterator<Item = Piece<'t>>, behind: Option<Kind>) -> Option<Vec<Piece<'t>>> {
    let mut pieces = pieces.peekable();
    pieces.next_if(|piece| piece.kind == Kind::OpenQuote)?;
    pieces.next_if(|piece| piece.kind == Kind::OpenValue)?;
    let mut inside: Vec<_> = pieces.collect();
    inside.pop_if(|piece| piece.kind == Kind::CloseQuote)?;
    inside.pop_if(|piece| piece.kind == Kind::CloseSequence)?;
    (!inside.is_empty() && is_one_value(&inside)).then(|| on_its_own(trimmed(inside), behind))
}

/// Whether no other part of the text begins or ends between these. What stands in quotes among them is a text of its own.
fn is_one_value(inside: &[Piece]) -> bool {
    let mut quotes = 0_usize;
    inside.iter().all(|piece| {
        match piece.kind {
            Kind::OpenQuote => quotes += 1,
            Kind::CloseQuote => quotes = quotes.saturating_sub(1),
            Kind::OpenValue | Kind::CloseSequence | Kind::QuotedText => return quotes > 0,
            _ => {}
        }
        true
    })
}

fn trimmed(mut inside: Vec<Piece>) -> Vec<Piece> {
    let is_newline = |piece: &Piece| piece.kind == Kind::Newline;
    while inside.pop_if(|piece| is_newline(piece)).is_some() {}
    let start = inside.iter().take_while(|piece| is_newline(piece)).count();
    inside.split_off(start)
}

/// In parentheses, where it stands on several lines and has none. They are not always needed.
fn on_its_own(mut value: Vec<Piece>, behind: Option<Kind>) -> Vec<Piece> {
    let is_multiline = value.iter().any(|piece| piece.kind == Kind::Newline);
    let has_parentheses = matches!(&value[..], [first, .., last]
        if first.kind == Kind::OpenParenthesis && last.kind == Kind::CloseParenthesis);
    if is_multiline && !has_parentheses || is_broken(&value, behind) {
        value.insert(0, Piece::new(Kind::OpenParenthesis, "("));
        value.push(Piece::new(Kind::CloseParenthesis, ")"));
    }
    value
}

/// Whether a line ends outside of all brackets before the value does, or before the block that it ends: the argument would end there.
fn is_broken(value: &[Piece], behind: Option<Kind>) -> bool {
    let ends_block = behind == Some(Kind::CloseBrace);
    let last = value.len().saturating_sub(usize::from(!ends_block));
    let mut depth = 0;
    value[..last].iter().any(|piece| {
        depth += opened(std::slice::from_ref(piece));
        depth == 0 && piece.ends_line()
    })
}
