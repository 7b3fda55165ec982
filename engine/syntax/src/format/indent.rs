//! How far lines are indented.

use super::line::Line;
use super::piece::{Piece, opened};
use crate::lexer::Kind;

/// Two spaces for each line that opened more than it closed. Brackets that open on one line are one level, however many they are, and it
/// ends with the last of them.
pub(super) fn indent(pieces: &mut [Piece], lines: &[Line]) {
    let mut levels = Vec::new();
    for line in lines {
        if pieces[line.lead.start].kind == Kind::Newline {
            pieces[line.lead.start].spaces = 0;
            continue;
        }
        let change = opened(until_heredoc(&pieces[line.lead.clone()])) + opened(&pieces[line.assign.clone()]);
        close(&mut levels, change.min(0).unsigned_abs());
        pieces[line.lead.start].spaces = 2 * levels.len();
        if change > 0 {
            levels.push(change.unsigned_abs());
        }
    }
}

/// What a heredoc and the rest of its line open or close does not count.
fn until_heredoc<'p, 't>(pieces: &'p [Piece<'t>]) -> &'p [Piece<'t>] {
    let heredoc = pieces.iter().position(|piece| piece.kind == Kind::OpenHeredoc);
    &pieces[..heredoc.unwrap_or(pieces.len())]
}

fn close(levels: &mut Vec<usize>, mut brackets: usize) {
    while brackets > 0
        && let Some(level) = levels.last_mut()
    {
        let closed = brackets.min(*level);
        brackets -= closed;
        *level -= closed;
        if *level == 0 {
            levels.pop();
        }
    }
}
