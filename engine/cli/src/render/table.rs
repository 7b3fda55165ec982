//! Columns.

use super::wrap::wrap;

/// The last column is not made narrower than this.
const NARROWEST: usize = 8;

/// Rows under their headings, each column as wide as its widest cell. What is in the last one goes on below where a line has
/// no more than `width` characters.
pub(crate) fn table<const N: usize>(headings: [&str; N], rows: &[[String; N]], width: usize) -> String {
    let before: usize = widths(headings, rows)[..N - 1].iter().map(|width| width + GAP.len()).sum();
    let room = width.saturating_sub(before).max(NARROWEST);
    let lines = rows.iter().flat_map(|row| wrapped(row, room)).collect::<Vec<_>>();
    aligned(headings, &lines)
}

/// How wide it would be without breaking a line.
pub(crate) fn natural_width<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> usize {
    widths(headings, rows).iter().sum::<usize>() + GAP.len() * (N - 1)
}

/// A row as several, where its last cell needs that.
fn wrapped<const N: usize>(row: &[String; N], room: usize) -> Vec<[String; N]> {
    let last = wrap(&row[N - 1], room);
    let mut lines = last.split('\n');
    let first = std::array::from_fn(|column| match column {
        _ if column == N - 1 => lines.next().unwrap_or_default().to_owned(),
        _ => row[column].clone(),
    });
    let further =
        lines.map(|line| std::array::from_fn(|column| if column == N - 1 { line.to_owned() } else { String::new() }));
    std::iter::once(first).chain(further).collect()
}

fn widths<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> [usize; N] {
    std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([headings[column].chars().count()]).max().unwrap_or(0)
    })
}

const GAP: &str = "  ";

fn aligned<const N: usize>(headings: [&str; N], rows: &[[String; N]]) -> String {
    let widths = widths(headings, rows);
    let line = |cells: [&str; N]| {
        let padded: Vec<_> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", padded.join(GAP).trim_end())
    };
    let rows = rows.iter().map(|row| line(std::array::from_fn(|column| row[column].as_str())));
    std::iter::once(line(headings)).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_line_up() {
        let rows = [["a".to_owned(), "1".to_owned()], ["longer".to_owned(), String::new()]];
        assert_eq!(super::table(["NAME", "N"], &rows, 80), "NAME    N\na       1\nlonger\n");
    }

    #[test]
    fn the_last_column_goes_on_below() {
        let rows = [["a".to_owned(), "running 20.10, 3 containers".to_owned()]];
        let text = super::table(["NAME", "ENGINE"], &rows, 24);
        assert_eq!(text, "NAME  ENGINE\na     running 20.10, 3\n      containers\n");
    }
}
