//! Lines, and the cells that they are divided into.

use std::ops::Range;

use super::piece::{Piece, opened};
use crate::lexer::Kind;

/// A line's cells; they follow each other without a gap. What stands in heredocs and in comments over several lines is part of the line
/// where it begins.
#[derive(Debug)]
pub(super) struct Line {
    /// What it begins with; never empty.
    pub(super) lead: Range<usize>,
    /// From the first `=` on, where all that it opens is closed on this line.
    pub(super) assign: Range<usize>,
    /// A comment behind something.
    pub(super) comment: Option<usize>,
}

impl Line {
    /// Cells between whose pieces there may be a space.
    pub(super) fn cells(&self) -> [Range<usize>; 2] {
        [self.lead.clone(), self.assign.clone()]
    }
}

pub(super) fn lines(pieces: &[Piece]) -> Vec<Line> {
    let mut start = 0;
    let lengths = pieces.split_inclusive(Piece::ends_line).map(<[Piece]>::len);
    let ranges = lengths.map(|length| {
        start += length;
        start - length..start
    });
    ranges.map(|range| line(pieces, range)).collect()
}

fn line(pieces: &[Piece], range: Range<usize>) -> Line {
    let last = range.end - 1;
    let comment = (range.len() > 1 && pieces[last].kind == Kind::Comment).then_some(last);
    let end = comment.unwrap_or(range.end);
    let equal = (range.start + 1..end).find(|at| pieces[*at].kind == Kind::Equal);
    let assign = equal.filter(|at| opened(&pieces[*at..end]) == 0).unwrap_or(end);
    Line { lead: range.start..assign, assign: assign..end, comment }
}
