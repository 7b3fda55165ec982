//! Columns that run through lines which follow each other.

use super::line::Line;
use super::piece::Piece;

/// Assignments first: they move the comments behind them.
pub(super) fn align(pieces: &mut [Piece], lines: &[Line]) {
    align_cell(pieces, lines, |line| Some(line.assign.start).filter(|_| !line.assign.is_empty()));
    align_cell(pieces, lines, |line| line.comment);
}

/// Lines that follow each other and all have the cell have it in the same column, a space behind the widest.
fn align_cell(pieces: &mut [Piece], lines: &[Line], cell: impl Fn(&Line) -> Option<usize>) {
    for group in lines.chunk_by(|line, next| cell(line).is_some() && cell(next).is_some()) {
        let before = |line: &Line, at: usize| pieces[line.lead.start..at].iter().map(Piece::width).sum::<usize>();
        let cells: Vec<_> = group.iter().filter_map(|line| cell(line).map(|at| (at, before(line, at)))).collect();
        let widest = cells.iter().map(|(_, width)| *width).max().unwrap_or(0);
        for (at, width) in cells {
            pieces[at].spaces = widest - width + 1;
        }
    }
}
