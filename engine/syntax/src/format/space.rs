//! What stands apart from its neighbour, and what does not.

use super::line::Line;
use super::piece::Piece;
use crate::lexer::Kind;

/// One space or none between any two pieces of a cell. Where a cell begins is not decided here, but an assignment is one space away.
pub(super) fn space(pieces: &mut [Piece], lines: &[Line]) {
    for line in lines {
        for cell in line.cells() {
            for at in cell.clone().skip(1) {
                let before = if at - cell.start > 1 { pieces.get(at - 2) } else { None };
                let is_apart = is_apart(before, &pieces[at - 1], &pieces[at]);
                pieces[at].spaces = usize::from(is_apart);
            }
        }
        if let Some(assign) = pieces[line.assign.clone()].first_mut() {
            assign.spaces = 1;
        }
    }
}

/// Whether a space stands between left and right. `before` stands before the left one in the same cell.
fn is_apart(before: Option<&Piece>, left: &Piece, right: &Piece) -> bool {
    use Kind::*;
    match (left.kind, right.kind) {
        // Without a space this would be read as one number.
        (Dot, Identifier) if right.text.starts_with(['e', 'E']) => before.is_some_and(|before| before.kind == Number),
        (Dot, Number) if before.is_some_and(|before| before.kind == Number) => true,
        (_, Newline | Comma | Ellipsis) | (_, Dot) | (Dot, _) => false,
        (Identifier, OpenParenthesis | DoubleColon) | (DoubleColon, Identifier) => false,
        (Comma, _) => true,
        (QuotedText | Text | OpenQuote | OpenHeredoc, _) => false,
        (_, QuotedText | Text | CloseQuote | CloseHeredoc) => false,
        // `for x in [a]`, where `in[a]` would look like an index.
        (Identifier, _) if left.text == "in" && before.is_some_and(|before| before.kind == Identifier) => true,
        (Identifier | Number, OpenBracket) => false,
        (_, OpenBracket) if left.closes() => false,
        (Not, _) => false,
        (Minus, _) => before.is_some_and(|before| !is_sign_behind(before.kind)),
        (OpenBrace, CloseBrace) => false,
        (OpenBrace, _) | (_, CloseBrace) | (OpenValue | OpenDirective, OpenBrace) | (CloseBrace, CloseSequence) => true,
        (CloseSequence, OpenValue | OpenDirective) => false,
        (_, _) => !left.opens() && !right.closes(),
    }
}

/// Whether a `-` behind this is the sign of what follows. A guess, and the same as Terraform's.
fn is_sign_behind(before: Kind) -> bool {
    use Kind::*;
    let opens = matches!(before, OpenParenthesis | OpenBrace | OpenBracket);
    let separates = matches!(before, Equal | Colon | Comma | Question);
    let calculates = matches!(before, Plus | Minus | Star | Slash | Percent);
    let compares = matches!(before, EqualTo | NotEqualTo | Greater | GreaterOrEqual | Less | LessOrEqual);
    opens || separates || calculates || compares || matches!(before, And | Or | Not)
}
