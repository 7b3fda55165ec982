//! The table.

use std::fmt;
use std::time::Duration;

use super::measure::Spread;

/// All figures of one run.
#[derive(Default)]
pub(crate) struct Report {
    lines: Vec<Line>,
    notes: Vec<String>,
}

/// One figure.
pub(crate) struct Line {
    /// What was measured.
    pub(crate) what: String,
    /// With its unit.
    pub(crate) figure: String,
    /// What it should be, with its unit.
    pub(crate) target: String,
    /// Whether it is that.
    pub(crate) is_met: bool,
    /// Somebody else who does the same.
    pub(crate) peer: Option<Peer>,
}

/// Somebody else's figure.
pub(crate) struct Peer {
    /// With its version.
    pub(crate) name: String,
    /// With its unit.
    pub(crate) figure: String,
    /// Ours divided by theirs: below one is better.
    pub(crate) ratio: f64,
}

impl Report {
    pub(crate) fn add(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Something that one must know to understand the figures.
    pub(crate) fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads = ["MEASURED", "FIGURE", "TARGET", "", "PEER", "RATIO"].map(str::to_owned);
        let rows: Vec<_> = std::iter::once(heads).chain(self.lines.iter().map(Line::row)).collect();
        let widths: Vec<usize> =
            (0..6).map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0)).collect();
        for row in &rows {
            let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
            writeln!(formatter, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
        }
        writeln!(formatter, "\n{}", machine())?;
        self.notes.iter().try_for_each(|note| writeln!(formatter, "{note}"))
    }
}

impl Line {
    fn row(&self) -> [String; 6] {
        let mark = if self.is_met { "met" } else { "MISSED" };
        let (peer, ratio) = match &self.peer {
            Some(peer) => (format!("{}: {}", peer.name, peer.figure), format!("{:.2}", peer.ratio)),
            None => ("-".to_owned(), "-".to_owned()),
        };
        [self.what.clone(), self.figure.clone(), self.target.clone(), mark.to_owned(), peer, ratio]
    }
}

/// What it ran on.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let information = read("/proc/cpuinfo");
    let model =
        information.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    format!(
        "{processors} processors ({}), Linux {}, load average now {}",
        model.unwrap_or("of an unknown kind"),
        kernel.trim(),
        load.split(' ').next().unwrap_or("unknown")
    )
}

/// `61 ms (least 58, 21 runs)`
pub(crate) fn milliseconds(spread: Spread<Duration>) -> String {
    format!("{} ms (least {}, {} runs)", spread.median.as_millis(), spread.least.as_millis(), spread.runs)
}

/// `1.23 s (least 1.20, 5 runs)`
pub(crate) fn seconds(spread: Spread<Duration>) -> String {
    let (median, least) = (spread.median.as_secs_f64(), spread.least.as_secs_f64());
    format!("{median:.2} s (least {least:.2}, {} runs)", spread.runs)
}

/// `95 MB`, of bytes.
pub(crate) fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

/// Ours divided by theirs.
pub(crate) fn ratio(ours: Duration, theirs: Duration) -> f64 {
    ours.as_secs_f64() / theirs.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_target_is_marked() {
        let mut report = Report::default();
        for is_met in [true, false] {
            let peer = Peer { name: "other 1".to_owned(), figure: "2 s".to_owned(), ratio: 0.5 };
            let (figure, target) = ("1 s".to_owned(), "< 1 s".to_owned());
            report.add(Line { what: "plan".to_owned(), figure, target, is_met, peer: Some(peer) });
        }
        let text = report.to_string();
        let marks: Vec<_> = text.lines().skip(1).take(2).map(|line| line.contains("MISSED")).collect();
        assert_eq!(marks, [false, true], "{text}");
        assert!(text.contains("other 1: 2 s  0.50"), "{text}");
    }
}
