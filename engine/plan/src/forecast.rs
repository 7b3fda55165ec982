//! What becomes of each wanted object: its provider is asked, the answer checked and compared.

mod case;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bimetal_config::module::ObjectBlock;
use bimetal_model::port::{PlanRequest, Planned, Predict, Refusal};
use bimetal_model::snapshot::Stored;
use bimetal_model::{Address, Diagnostic, Diagnostics, Path, ProviderName, Value};

pub(crate) use case::Wanted;

use self::case::{Case, Start};
use crate::catalogue::Owner;
use crate::compare::same;
use crate::data::{Action, Change};
use crate::place::placed;
use crate::prior::finished;
use crate::proposed::propose;
use crate::{force, honesty};

/// A block, and whose it is.
#[derive(Clone, Copy)]
pub(crate) struct Owned<'a> {
    pub(crate) owner: &'a Owner,
    pub(crate) block: &'a ObjectBlock,
    /// What replaces its objects is made before they are removed.
    pub(crate) is_first: bool,
}

/// What is decided once a provider has seen what exists.
enum Verdict<'a> {
    Done(Box<Change>),
    Again(Box<Again<'a>>),
}

/// An object that is made anew: its provider is asked again as if nothing were there.
struct Again<'a> {
    case: Case<'a>,
    action: Action,
    because: Vec<Path>,
}

/// The changes of objects of several blocks, in their order; what fails has none. Each provider is asked about all of its objects at once.
pub(crate) fn changes<'a>(
    predict: &dyn Predict,
    wanted: Vec<(Owned<'a>, Wanted, Option<&Arc<Stored>>)>,
    said: &mut Diagnostics,
) -> Vec<Change> {
    let mut cases = Vec::with_capacity(wanted.len());
    for (of, wanted, stored) in wanted {
        let case = Case::new(wanted, stored, of, predict);
        cases.extend(of.heard(case, None, said));
    }
    let answers = ask(predict, &cases, Case::prior);
    let (mut changes, mut again) = (Vec::with_capacity(cases.len()), Vec::new());
    for (case, answer) in cases.into_iter().zip(answers) {
        let (of, address) = (case.of, case.wanted.address.clone());
        let verdict = match answer {
            Ok(planned) => of.decide(case, planned),
            Err(Refusal::Failed(said)) => Err(said),
            Err(Refusal::Deferred(why)) => Ok(Verdict::Done(Box::new(case.put_off(why)))),
        };
        match of.heard(verdict, Some(&address), said) {
            Some(Verdict::Done(change)) => changes.push(*change),
            Some(Verdict::Again(one)) => again.push(*one),
            None => {}
        }
    }
    changes.extend(anew(predict, again, said));
    changes
}

fn anew(predict: &dyn Predict, again: Vec<Again<'_>>, said: &mut Diagnostics) -> Vec<Change> {
    let (cases, decided): (Vec<Case<'_>>, Vec<_>) =
        again.into_iter().map(|Again { case, action, because }| (case, (action, because))).unzip();
    let answers = ask(predict, &cases, |_| None);
    let mut changes = Vec::new();
    for ((case, (action, because)), answer) in cases.into_iter().zip(decided).zip(answers) {
        let (of, address) = (case.of, case.wanted.address.clone());
        let planned = match answer {
            Ok(planned) => of.checked(&case, planned, None),
            Err(Refusal::Failed(said)) => Err(said),
            Err(Refusal::Deferred(why)) => {
                changes.push(case.put_off(why));
                continue;
            }
        };
        if let Some(planned) = of.heard(planned, Some(&address), said) {
            changes.push(case.into_change(action, planned, because));
        }
    }
    changes
}

/// Each provider in one call, with what exists as `prior` says.
fn ask<'a>(
    predict: &dyn Predict,
    cases: &[Case<'a>],
    prior: impl for<'c> Fn(&'c Case<'a>) -> Option<&'c Stored>,
) -> Vec<Result<Planned, Refusal>> {
    let mut by_provider: BTreeMap<&ProviderName, Vec<usize>> = BTreeMap::new();
    for (place, case) in cases.iter().enumerate() {
        by_provider.entry(&case.of.owner.provider.name).or_default().push(place);
    }
    let mut answers: Vec<_> = cases.iter().map(|_| None).collect();
    for (provider, places) in by_provider {
        let requests: Vec<PlanRequest> =
            places.iter().map(|place| request(&cases[*place], prior(&cases[*place]))).collect();
        for (place, answer) in places.into_iter().zip(predict.plan(provider, &requests)) {
            answers[place] = Some(answer);
        }
    }
    let silent = |case: &Case<'_>| Err(vec![case.of.bug("it did not answer for each object")].into());
    answers.into_iter().zip(cases).map(|(answer, case)| answer.unwrap_or_else(|| silent(case))).collect()
}

fn request(case: &Case<'_>, prior: Option<&Stored>) -> PlanRequest {
    let (config, owner) = (case.config_for(prior), case.of.owner);
    PlanRequest {
        address: case.wanted.address.clone(),
        ty: owner.ty.clone(),
        prior: prior.map(|stored| stored.object.clone()),
        config: config.clone(),
        proposed: propose(&owner.schema.block, config, prior.map(|stored| &stored.object.value)),
    }
}

impl<'a> Owned<'a> {
    fn heard<T>(self, result: Result<T, Diagnostics>, address: Option<&Address>, said: &mut Diagnostics) -> Option<T> {
        let of = |diagnostic: Diagnostic| match address {
            Some(address) => diagnostic.of(address),
            None => diagnostic,
        };
        let placed = |diagnostic| placed(of(diagnostic), self.block);
        result.map_err(|more| said.extend(more.into_iter().map(placed))).ok()
    }

    fn bug(self, what: &str) -> Diagnostic {
        let Owner { provider, ty, .. } = self.owner;
        Diagnostic::error(format!("provider `{provider}` has a bug: its plan for `{ty}` can't be used"))
            .because(what)
            .hint("report this to the provider's authors; nothing was changed")
    }

    /// The answer in the schema's type, marked, if it keeps the schema's promises.
    fn checked(self, case: &Case<'a>, planned: Planned, prior: Option<&Stored>) -> Result<Planned, Diagnostics> {
        let block = &self.owner.schema.block;
        let config = case.config_for(prior);
        let value = finished(planned.value, block, config).map_err(|reason| vec![self.bug(&reason)])?;
        let breaches = honesty::breaches(block, config, prior.map(|stored| &stored.object.value), &value);
        match breaches.is_empty() {
            true => Ok(Planned { value, ..planned }),
            false => {
                let Owner { provider, ty, .. } = self.owner;
                Err(vec![honesty::provider_bug(provider, ty, &case.wanted.address, &breaches)])
            }
        }
    }

    fn decide(self, case: Case<'a>, planned: Planned) -> Result<Verdict<'a>, Diagnostics> {
        let planned = self.checked(&case, planned, case.prior())?;
        let Some(prior) = case.prior().map(|stored| stored.object.value.clone()) else {
            let action = if case.before.is_some() { Action::Replace } else { Action::Create };
            self.allow(&case, action)?;
            return Ok(done(case, action, planned));
        };
        let is_unfinished = case.start == Start::Unfinished;
        let is_triggered = !is_unfinished && case.wanted.triggered.is_some();
        if !is_unfinished && !is_triggered && same(&prior, &planned.value) {
            return Ok(done(case, Action::Keep, planned));
        }
        let because = self.forced(&case, &prior, &planned);
        match (because.is_empty() && !is_triggered, is_unfinished) {
            (true, false) => Ok(done(case, Action::Update, planned)),
            (true, true) => Ok(again(case, &prior, Action::Create, because)),
            (false, _) => {
                self.allow(&case, Action::Replace)?;
                Ok(again(case, &prior, Action::Replace, because))
            }
        }
    }

    /// What can't be changed in place: as the provider says, as the schema says, and the node of a replica.
    fn forced(self, case: &Case<'a>, prior: &Value, planned: &Planned) -> Vec<Path> {
        let nulls = if case.start == Start::Unfinished { force::Nulls::Unknown } else { force::Nulls::Known };
        let by_schema = force::forced(&self.owner.schema.block, &case.config, prior, &planned.value, nulls);
        let moved = case.moved().map(|_| Path::attribute("engine"));
        let all: BTreeSet<Path> = planned.replace.iter().cloned().chain(by_schema).chain(moved).collect();
        all.into_iter().collect()
    }

    fn allow(self, case: &Case<'a>, action: Action) -> Result<(), Diagnostics> {
        match (action, self.block.lifecycle.prevent_destroy) {
            (Action::Replace, true) => Err(vec![protected(&case.wanted.address, "replaced", Protector::Block)]),
            _ => Ok(()),
        }
    }
}

fn done(case: Case<'_>, action: Action, planned: Planned) -> Verdict<'_> {
    Verdict::Done(Box::new(case.into_change(action, planned, Vec::new())))
}

fn again<'a>(case: Case<'a>, existing: &Value, action: Action, because: Vec<Path>) -> Verdict<'a> {
    Verdict::Again(Box::new(Again { case: case.anew(existing, action), action, because }))
}

/// Who says that something is protected.
#[derive(Clone, Copy)]
pub(crate) enum Protector {
    /// Its block.
    Block,
    /// State, as its block is gone.
    State,
}

/// Something that `prevent_destroy` protects would go.
pub(crate) fn protected(address: &Address, what: &str, by: Protector) -> Diagnostic {
    let error = Diagnostic::error(format!("`{address}` would be {what}, but `prevent_destroy` protects it"));
    let error = match by {
        Protector::Block => error.hint("remove `prevent_destroy` from its `lifecycle` block if that is meant"),
        Protector::State => error
            .because("its block is gone, and said so when it was last applied: that still holds")
            .hint(format!(
                "put its block back with `prevent_destroy = false` and apply that first; or write this, then it is \
                 forgotten, and goes on existing:\nremoved {{\n  from = {}\n  lifecycle {{\n    destroy = false\n  }}\n}}",
                address.whole()
            )),
    };
    error.of(address)
}
