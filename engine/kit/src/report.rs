//! What was found.

use std::time::{Duration, Instant};

use bimetal_model::Diagnostic;

/// So many findings of one check are kept: more of the same tell nobody anything.
const MOST_FINDINGS: usize = 5;

/// One thing that the contract says, and whether it is so.
#[derive(Clone, Debug)]
pub struct Check {
    /// A type, a function, a block of the cases, or the provider.
    pub about: String,
    /// What should be so.
    pub name: &'static str,
    /// Whether it is.
    pub verdict: Verdict,
    /// How long it took to find out.
    pub took: Duration,
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is so.
    Pass,
    /// It is not, and this shows it.
    Fail(Vec<String>),
    /// It could not be looked at, for this reason.
    Skip(String),
}

/// All checks, in the order in which they ended.
pub struct Report<'r> {
    /// What was found.
    pub checks: Vec<Check>,
    since: Instant,
    told: Box<dyn FnMut(&Check) + 'r>,
}

impl<'r> Report<'r> {
    /// Empty; each check is told as it ends.
    pub fn new(told: impl FnMut(&Check) + 'r) -> Report<'r> {
        Report { checks: Vec::new(), since: Instant::now(), told: Box::new(told) }
    }

    /// Whether nothing failed.
    pub fn passed(&self) -> bool {
        !self.checks.iter().any(|check| matches!(check.verdict, Verdict::Fail(_)))
    }

    pub(crate) fn ended(&mut self, about: &str, name: &'static str, verdict: Verdict) {
        let took = self.since.elapsed();
        self.since = Instant::now();
        let check = Check { about: about.to_owned(), name, verdict, took };
        (self.told)(&check);
        self.checks.push(check);
    }
}

impl Verdict {
    /// It holds where nothing was found that speaks against it.
    pub(crate) fn of(mut findings: Vec<String>) -> Verdict {
        findings.dedup();
        let more = findings.len().saturating_sub(MOST_FINDINGS);
        findings.truncate(MOST_FINDINGS);
        if more > 0 {
            findings.push(format!("and {more} more"));
        }
        if findings.is_empty() { Verdict::Pass } else { Verdict::Fail(findings) }
    }

    pub(crate) fn failed(said: &[Diagnostic]) -> Verdict {
        Verdict::Fail(vec![in_words(said)])
    }
}

/// What was said, in one line.
pub(crate) fn in_words(said: &[Diagnostic]) -> String {
    let one = |one: &Diagnostic| match one.detail.is_empty() {
        true => one.summary.clone(),
        false => format!("{}: {}", one.summary, one.detail),
    };
    said.iter().map(one).collect::<Vec<_>>().join("; ")
}
