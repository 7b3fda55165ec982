//! What becomes of each wanted object of one type: the provider is asked, its answer checked and compared.

use std::collections::BTreeSet;

use bimetal_config::module::Lifecycle;
use bimetal_model::placement::Placement;
use bimetal_model::port::{PlanRequest, Planned, Predict};
use bimetal_model::snapshot::{Intent, Stored};
use bimetal_model::{Address, Diagnostic, Diagnostics, Path, Span, Value};

use crate::catalogue::Owner;
use crate::compare::same;
use crate::data::{Action, Change};
use crate::marks::remark;
use crate::prior::{current, shape};
use crate::proposed::{ignore, propose};
use crate::{force, honesty};

/// An object that the configuration asks for.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) address: Address,
    pub(crate) config: Value,
    pub(crate) depends_on: BTreeSet<Address>,
    pub(crate) placement: Option<Placement>,
}

/// What is asked of one provider for one block.
pub(crate) struct Forecast<'a> {
    pub(crate) predict: &'a dyn Predict,
    pub(crate) owner: &'a Owner,
    pub(crate) lifecycle: &'a Lifecycle,
    pub(crate) span: &'a Span,
}

/// One object, its configuration with what is ignored, and what it begins with.
struct Case {
    wanted: Wanted,
    config: Value,
    before: Option<Stored>,
    start: Start,
}

enum Start {
    /// Nothing is there.
    Fresh,
    /// What is there can't be gone on from.
    Anew(String),
    /// It is there.
    Existing,
    /// An interrupted run began it.
    Unfinished(Intent),
}

/// What is decided once a provider has seen what exists.
enum Verdict {
    Done(Box<Change>),
    /// Made anew: the provider is asked again as if nothing were there.
    Again {
        case: Case,
        action: Action,
        because: Vec<Path>,
    },
}

impl Forecast<'_> {
    /// The changes, in the order of what is wanted; what fails has none.
    pub(crate) fn changes(
        &self,
        wanted: Vec<(Wanted, Option<&Stored>)>,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Change> {
        let cases: Vec<Case> = wanted
            .into_iter()
            .filter_map(|(wanted, stored)| keep(self.case(wanted, stored), diagnostics))
            .collect();
        let answers = self.ask(&cases, |case| case.prior());
        let verdicts = cases.into_iter().zip(answers).filter_map(|(case, answer)| {
            let address = case.wanted.address.clone();
            keep(
                answer
                    .and_then(|planned| self.decide(case, planned))
                    .map_err(|d| self.placed(d, &address)),
                diagnostics,
            )
        });
        let (mut done, mut again) = (Vec::new(), Vec::new());
        for verdict in verdicts.collect::<Vec<_>>() {
            match verdict {
                Verdict::Done(change) => done.push(*change),
                Verdict::Again {
                    case,
                    action,
                    because,
                } => again.push((case, (action, because))),
            }
        }
        done.extend(self.anew(again, diagnostics));
        done
    }

    fn anew(
        &self,
        again: Vec<(Case, (Action, Vec<Path>))>,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Change> {
        let (cases, decided): (Vec<Case>, Vec<_>) = again.into_iter().unzip();
        let answers = self.ask(&cases, |_| None);
        let change = |((case, (action, because)), answer): (
            (Case, (Action, Vec<Path>)),
            Result<Planned, Diagnostics>,
        )| {
            let address = case.wanted.address.clone();
            let planned = answer.and_then(|planned| self.checked(&case, planned, None));
            let change = planned.map(|planned| self.change(case, action, planned, because));
            keep(change.map_err(|d| self.placed(d, &address)), diagnostics)
        };
        cases
            .into_iter()
            .zip(decided)
            .zip(answers)
            .filter_map(change)
            .collect()
    }

    fn placed(&self, diagnostics: Diagnostics, address: &Address) -> Diagnostics {
        let at = |d: Diagnostic| Diagnostic {
            span: d.span.clone().or_else(|| Some(self.span.clone())),
            ..d
        };
        diagnostics
            .into_iter()
            .map(|diagnostic| at(diagnostic.of(address)))
            .collect()
    }

    fn case(&self, wanted: Wanted, stored: Option<&Stored>) -> Result<Case, Diagnostics> {
        let Some(stored) = stored else {
            return Ok(Case {
                config: wanted.config.clone(),
                wanted,
                before: None,
                start: Start::Fresh,
            });
        };
        if (&stored.provider.name, &stored.ty) != (&self.owner.provider.name, &self.owner.ty) {
            let why = format!(
                "it was a `{}` of the provider `{}`",
                stored.ty, stored.provider
            );
            return Ok(Case {
                config: wanted.config.clone(),
                wanted,
                before: Some(stored.clone()),
                start: Start::Anew(why),
            });
        }
        let mut before = current(&wanted.address, stored, &self.owner.schema, self.predict)?;
        before.object.value = remark(
            before.object.value,
            &self.owner.schema.block,
            Some(&wanted.config),
        );
        let config = ignore(
            wanted.config.clone(),
            &before.object.value,
            &self.lifecycle.ignore_changes,
        );
        let start = match (&before.unfinished, before.tainted) {
            (Some(intent), _) => Start::Unfinished(intent.clone()),
            (None, true) => Start::Anew("the last run left it half made".to_owned()),
            (None, false) => Start::Existing,
        };
        Ok(Case {
            wanted,
            config,
            before: Some(before),
            start,
        })
    }

    /// All of them in one call, with what exists as `prior` says.
    fn ask(
        &self,
        cases: &[Case],
        prior: impl Fn(&Case) -> Option<&Stored>,
    ) -> Vec<Result<Planned, Diagnostics>> {
        let request = |case: &Case| {
            let prior = prior(case).map(|stored| stored.object.clone());
            let value = prior.as_ref().map(|object| &object.value);
            let config = if prior.is_some() {
                &case.config
            } else {
                &case.wanted.config
            };
            let proposed = propose(&self.owner.schema.block, config, value);
            let (address, config) = (case.wanted.address.clone(), config.clone());
            PlanRequest {
                address,
                ty: self.owner.ty.clone(),
                prior,
                config,
                proposed,
            }
        };
        let requests: Vec<PlanRequest> = cases.iter().map(request).collect();
        if requests.is_empty() {
            return Vec::new();
        }
        let mut answers = self.predict.plan(&self.owner.provider.name, &requests);
        answers.resize_with(requests.len(), || {
            Err(vec![self.bug("it did not answer for each object")])
        });
        answers
    }

    fn bug(&self, what: &str) -> Diagnostic {
        let Owner { provider, ty, .. } = self.owner;
        Diagnostic::error(format!(
            "provider `{provider}` has a bug: its plan for `{ty}` can't be used"
        ))
        .because(what)
        .hint("report this to the provider's authors; nothing was changed")
    }

    /// The answer in the schema's type, marked, if it keeps the schema's promises.
    fn checked(
        &self,
        case: &Case,
        planned: Planned,
        prior: Option<&Value>,
    ) -> Result<Planned, Diagnostics> {
        let block = &self.owner.schema.block;
        let config = if prior.is_some() {
            &case.config
        } else {
            &case.wanted.config
        };
        let value = shape(planned.value, block).map_err(|reason| vec![self.bug(&reason)])?;
        let breaches = honesty::breaches(block, config, prior, &value);
        if !breaches.is_empty() {
            let Owner { provider, ty, .. } = self.owner;
            return Err(vec![honesty::provider_bug(
                provider,
                ty,
                &case.wanted.address,
                &breaches,
            )]);
        }
        Ok(Planned {
            value: remark(value, block, Some(config)),
            ..planned
        })
    }

    fn decide(&self, case: Case, planned: Planned) -> Result<Verdict, Diagnostics> {
        let prior = case.prior().map(|stored| stored.object.value.clone());
        let planned = self.checked(&case, planned, prior.as_ref())?;
        let (action, because) = match (&case.start, &prior) {
            (Start::Fresh, _) | (_, None) => {
                let action = if case.before.is_some() {
                    Action::Replace
                } else {
                    Action::Create
                };
                self.allow(&case, action)?;
                return Ok(Verdict::Done(Box::new(self.change(
                    case,
                    action,
                    planned,
                    Vec::new(),
                ))));
            }
            (Start::Unfinished(_), Some(prior)) => {
                match self.forced(&case, prior, &planned, force::Nulls::Unknown) {
                    because if because.is_empty() => (Action::Create, because),
                    because => (Action::Replace, because),
                }
            }
            (Start::Existing | Start::Anew(_), Some(prior)) if same(prior, &planned.value) => {
                return Ok(Verdict::Done(Box::new(self.change(
                    case,
                    Action::Keep,
                    planned,
                    Vec::new(),
                ))));
            }
            (Start::Existing | Start::Anew(_), Some(prior)) => {
                match self.forced(&case, prior, &planned, force::Nulls::Known) {
                    because if because.is_empty() => {
                        return Ok(Verdict::Done(Box::new(self.change(
                            case,
                            Action::Update,
                            planned,
                            because,
                        ))));
                    }
                    because => (Action::Replace, because),
                }
            }
        };
        self.allow(&case, action)?;
        Ok(Verdict::Again {
            case,
            action,
            because,
        })
    }

    /// What can't be changed in place: as the provider says, as the schema says, and the node of a replica.
    fn forced(
        &self,
        case: &Case,
        prior: &Value,
        planned: &Planned,
        nulls: force::Nulls,
    ) -> Vec<Path> {
        let by_schema = force::forced(
            &self.owner.schema.block,
            &case.config,
            prior,
            &planned.value,
            nulls,
        );
        let moved = case.moved().map(|_| Path::attribute("engine"));
        let all: BTreeSet<Path> = planned
            .replace
            .iter()
            .cloned()
            .chain(by_schema)
            .chain(moved)
            .collect();
        all.into_iter().collect()
    }

    fn allow(&self, case: &Case, action: Action) -> Result<(), Diagnostics> {
        match (action, self.lifecycle.prevent_destroy) {
            (Action::Replace, true) => Err(vec![protected(&case.wanted.address, "replaced")]),
            _ => Ok(()),
        }
    }

    fn change(
        &self,
        case: Case,
        action: Action,
        planned: Planned,
        replace_because: Vec<Path>,
    ) -> Change {
        let moved = case.moved();
        let Case {
            wanted,
            config,
            before,
            start,
        } = case;
        let (reason, resume) = match start {
            Start::Fresh | Start::Existing => (moved, None),
            Start::Anew(why) => (Some(why), None),
            Start::Unfinished(intent) if action == Action::Create => (None, Some(intent)),
            Start::Unfinished(_) => (
                Some("an interrupted run began it with other arguments".to_owned()),
                None,
            ),
        };
        let after = match (&before, action) {
            // What state says is kept as it is, marks and all.
            (Some(before), Action::Keep) => before.object.value.clone(),
            _ => planned.value,
        };
        Change {
            address: wanted.address,
            provider: self.owner.provider.clone(),
            ty: self.owner.ty.clone(),
            action,
            before,
            after: Some(after),
            config: Some(if action == Action::Update || action == Action::Keep {
                config
            } else {
                wanted.config
            }),
            private: planned.private,
            replace_because,
            reason,
            resume,
            depends_on: wanted.depends_on.into_iter().collect(),
            after_removal_of: Vec::new(),
            placement: wanted.placement,
        }
    }
}

impl Case {
    /// What a provider may go on from.
    fn prior(&self) -> Option<&Stored> {
        match self.start {
            Start::Fresh | Start::Anew(_) => None,
            Start::Existing | Start::Unfinished(_) => self.before.as_ref(),
        }
    }

    /// Why a replica is elsewhere than before, if it is.
    fn moved(&self) -> Option<String> {
        let before = self.before.as_ref()?.placement.as_ref()?;
        let now = self.wanted.placement.as_ref()?;
        (before.machine != now.machine).then(|| now.reason.clone())
    }
}

/// Something that `prevent_destroy` protects would go.
pub(crate) fn protected(address: &Address, what: &str) -> Diagnostic {
    Diagnostic::error(format!(
        "`{address}` would be {what}, but `prevent_destroy` protects it"
    ))
    .hint("remove `prevent_destroy` from its `lifecycle` block if that is meant")
    .of(address)
}

fn keep<T>(result: Result<T, Diagnostics>, diagnostics: &mut Diagnostics) -> Option<T> {
    result.map_err(|more| diagnostics.extend(more)).ok()
}
