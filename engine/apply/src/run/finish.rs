//! What is left to say once nothing runs any more: outputs, counts and the outcome.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_model::diagnostic::has_errors;
use bimetal_model::port::Record;
use bimetal_model::snapshot::RevisionOutcome;
use bimetal_model::{Address, Diagnostic, Value};
use bimetal_plan::{Mode, OutputChange, Values};

use super::Run;
use crate::Applied;
use crate::ledger::Counts;

impl Run<'_> {
    /// A plan has no circles, unless somebody made one.
    fn tell_circle(&mut self) {
        let circle: BTreeSet<&Address> =
            self.graph.stuck().map(|step| &self.plan.changes[step.change].address).collect();
        let may_begin = self.may_begin();
        if let Some(first) = circle.first().filter(|_| may_begin) {
            let names: Vec<String> = circle.iter().map(|address| format!("`{address}`")).collect();
            let error = Diagnostic::error(format!("these wait for each other: {}", names.join(", ")));
            self.diagnostics.push(error.hint("this is a bug of Bimetal's: report it, with the plan").of(first));
        }
    }

    pub(super) async fn finish(mut self) -> (Applied, Values) {
        self.tell_circle();
        let mut is_refused = false;
        if self.plan.mode == Mode::Apply {
            let refused = bimetal_plan::refused_values(self.desired, &self.values, self.plan.left_out());
            is_refused = has_errors(&refused);
            self.diagnostics.extend(refused);
            self.diagnostics.extend(bimetal_plan::checks(self.desired, &self.values, self.plan.left_out()));
        }
        let Counts { done, failed, skipped, deferred } = self.ledger.counts(self.plan);
        let is_whole = failed + skipped + deferred == 0 && !self.broken && !is_refused;
        let outputs = if is_whole { self.all_outputs() } else { self.some_outputs() };
        if !self.broken {
            self.record(self.changed_outputs(&outputs)).await;
        }
        let outcome = self.outcome(is_whole);
        let tally = self.ledger.tally(self.plan);
        let diagnostics = self.diagnostics;
        let applied = Applied { outcome, diagnostics, done, failed, skipped, deferred, tally, outputs };
        (applied, self.values)
    }

    fn outcome(&self, is_whole: bool) -> RevisionOutcome {
        let has_errors = self.broken || has_errors(&self.diagnostics);
        match (is_whole && !has_errors, self.stop.is_stopped()) {
            (true, _) => RevisionOutcome::Done,
            (false, true) => RevisionOutcome::Interrupted,
            // What failed was allowed to.
            (false, false) if !has_errors || self.ledger.has_done() => RevisionOutcome::Partial,
            (false, false) => RevisionOutcome::Failed,
        }
    }

    /// Those that stay as they are may be somebody else's business by now.
    fn changed_outputs(&self, outputs: &BTreeMap<String, Value>) -> Vec<Record> {
        let before = |name: &String| self.plan.outputs.get(name).and_then(|output| output.before.as_ref());
        let names: BTreeSet<&String> = self.plan.outputs.keys().chain(outputs.keys()).collect();
        let changed = names.into_iter().filter(|name| before(name) != outputs.get(*name));
        changed.map(|name| Record::Output { name: name.clone(), value: outputs.get(name).cloned() }).collect()
    }

    fn all_outputs(&mut self) -> BTreeMap<String, Value> {
        match self.plan.mode {
            Mode::Apply => {
                let (outputs, diagnostics) = bimetal_plan::outputs(self.desired, &self.values, self.plan.left_out());
                self.diagnostics.extend(diagnostics);
                let kept = self.plan.partial.iter().flat_map(|partial| &partial.outputs);
                let kept = kept.filter_map(|name| Some((name.clone(), self.plan.outputs.get(name)?.after.clone()?)));
                kept.chain(outputs).collect()
            }
            Mode::Destroy | Mode::RefreshOnly => self.planned_outputs(),
        }
    }

    fn planned_outputs(&self) -> BTreeMap<String, Value> {
        let outputs = self.plan.outputs.iter();
        outputs.filter_map(|(name, output)| Some((name.clone(), output.after.clone()?))).collect()
    }

    /// What is known in spite of what was not done; the rest is as it was.
    fn some_outputs(&self) -> BTreeMap<String, Value> {
        let before = |(name, output): (&String, &OutputChange)| {
            let is_wanted = output.after.is_some() || self.plan.mode == Mode::Destroy;
            output.before.clone().filter(|_| is_wanted).map(|value| (name.clone(), value))
        };
        let mut outputs: BTreeMap<String, Value> = self.plan.outputs.iter().filter_map(before).collect();
        if self.plan.mode == Mode::Apply {
            let (undone, left_out) = (self.ledger.undone(self.plan), self.plan.left_out());
            outputs.extend(bimetal_plan::outputs_without(self.desired, &self.values, &undone, left_out));
        }
        outputs
    }
}
