//! What is said of tests: line by line while they are played, or as one document at the end.

use bimetal_config::suite::{Phase, Suite};
use serde_json::{Value as Json, json};

use super::result::{RunResult, Shown, Status, SuiteResult, Tally};
use crate::arguments::Detail;
use crate::command::inspect::{object_text, outputs_text, state_document};
use crate::output::{complain, located, print, print_json, width};
use crate::plan_document::plan_document;
use crate::render;
use crate::render::style::{ADD, FAINT, REMOVE, paint};

/// For whom, and how much.
pub(super) struct Report {
    pub(super) json: bool,
    pub(super) verbose: bool,
}

impl Report {
    pub(super) fn begun(&self, suite: &Suite) {
        self.line(&format!("{}... {}\n", suite.file.name, paint(FAINT, "in progress")));
    }

    pub(super) fn tearing_down(&self, suite: &Suite) {
        self.line(&format!("{}... {}\n", suite.file.name, paint(FAINT, "tearing down")));
    }

    pub(super) fn ran(&self, run: &RunResult) {
        self.line(&format!("  run \"{}\"... {}\n", run.name, painted(run.status)));
        if self.json {
            return;
        }
        if let Some(shown) = run.shown.as_ref().filter(|_| self.verbose) {
            print(&format!("\n{}\n\n", text(shown).trim()));
        }
        complain(&run.said, &run.files);
    }

    pub(super) fn ended(&self, result: &SuiteResult) {
        self.line(&format!("{}... {}\n", result.path, painted(result.status())));
        if !self.json {
            complain(&result.said, &result.files);
        }
    }

    pub(super) fn end(&self, results: &[SuiteResult]) {
        let tally = Tally::of(results);
        let is_well = tally.failed == 0 && results.iter().all(|result| result.left.is_empty());
        if self.json {
            return print_json(&self.document(results, tally, is_well));
        }
        let word = if is_well { paint(ADD, "Success!") } else { paint(REMOVE, "Failure!") };
        let skipped = if tally.skipped > 0 { format!(", {} skipped", tally.skipped) } else { String::new() };
        print(&format!("\n{word} {} passed, {} failed{skipped}.\n", tally.passed, tally.failed));
    }

    fn line(&self, text: &str) {
        if !self.json {
            print(text);
        }
    }

    fn document(&self, results: &[SuiteResult], tally: Tally, is_well: bool) -> Json {
        json!({
            "format": 1,
            "status": if is_well { "pass" } else { "fail" },
            "passed": tally.passed,
            "failed": tally.failed,
            "skipped": tally.skipped,
            "files": results.iter().map(|result| self.file_document(result)).collect::<Vec<_>>(),
        })
    }

    fn file_document(&self, result: &SuiteResult) -> Json {
        json!({
            "path": result.path,
            "status": result.status().exact_word(),
            "runs": result.runs.iter().map(|run| self.run_document(run)).collect::<Vec<_>>(),
            "left": result.left,
            "diagnostics": located(&result.said, &result.files),
        })
    }

    fn run_document(&self, run: &RunResult) -> Json {
        let mut document = json!({
            "name": run.name,
            "command": match run.command {
                Phase::Plan => "plan",
                Phase::Apply => "apply",
            },
            "status": run.status.exact_word(),
            "milliseconds": run.took.as_millis() as u64,
            "diagnostics": located(&run.said, &run.files),
        });
        match run.shown.as_ref().filter(|_| self.verbose) {
            Some(Shown::Plan(plan)) => document["plan"] = plan_document(plan),
            Some(Shown::State(snapshot)) => document["state"] = state_document(snapshot),
            None => {}
        }
        document
    }
}

fn painted(status: Status) -> String {
    let style = match status {
        Status::Pass => ADD,
        Status::Fail | Status::Error => REMOVE,
        Status::Skip => FAINT,
    };
    paint(style, status.word())
}

fn text(shown: &Shown) -> String {
    match shown {
        Shown::Plan(plan) => render::plan::render(plan, Detail::Grouped, width()),
        Shown::State(snapshot) => {
            let objects = snapshot.objects.iter().map(|(address, stored)| object_text(address, stored));
            objects.collect::<String>() + &outputs_text(&snapshot.outputs)
        }
    }
}
