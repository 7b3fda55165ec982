//! A step made ready: its arguments with real values, and the provider's plan for them.

use std::collections::BTreeMap;

use bimetal_config::Desired;
use bimetal_config::module::Ignored;
use bimetal_model::placement::Placement;
use bimetal_model::port::{PlanRequest, Planned, Refusal};
use bimetal_model::schema::TypeSchema;
use bimetal_model::snapshot::{Effect, Intent, IntentId, Object};
use bimetal_model::{Address, Diagnostic, Diagnostics, ProviderKey, Value};
use bimetal_plan::{Action, Change, Plan, Values};

use crate::Ports;
use crate::graph::{Part, Step};
use crate::job::{Job, Work};
use crate::verdict;

/// What a step is made ready with.
pub(crate) struct Prepare<'r, 'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) desired: &'a Desired,
    pub(crate) ports: &'a Ports<'a>,
    /// As planned, and real where it is done.
    pub(crate) values: &'r Values,
    /// As it is.
    pub(crate) existing: &'r Values,
    /// Of replicas whose images nobody knew when they were placed.
    pub(crate) placements: &'r BTreeMap<Address, Placement>,
    /// Promises that are made once more.
    pub(crate) again: &'r BTreeMap<Address, IntentId>,
}

impl<'a> Prepare<'_, 'a> {
    /// The job of a step.
    pub(crate) fn job(&self, step: Step) -> Result<Job<'a>, Refusal> {
        let change = &self.plan.changes[step.change];
        let work = match step.part {
            Part::Remove => self.remove(change)?,
            Part::Make => self.make(change)?,
        };
        let placement = self.placement(change).cloned().map(Box::new);
        let mut job = Job { step, change, intent: None, work, placement, deadline: None };
        job.intent = self.intent(&job);
        Ok(job)
    }

    /// What is removed is reached as it was: what its provider's block refers to goes later.
    fn remove(&self, change: &Change) -> Result<Work, Diagnostics> {
        let maker = change.before.as_ref().map_or(&change.provider, |before| &before.provider);
        self.configure(maker, self.existing)?;
        Ok(Work::Delete { object: existing(change)? })
    }

    fn make(&self, change: &Change) -> Result<Work, Refusal> {
        self.configure(&change.provider, self.values)?;
        match change.action {
            Action::Read => Ok(Work::Read { config: self.config(change)? }),
            Action::Update => {
                let prior = existing(change)?;
                let schema = verdict::managed(self.ports.predict, change);
                let ignored = self.ignored(change);
                let config = bimetal_plan::ignore(&schema.block, self.config(change)?, &prior.value, ignored);
                let planned = self.plan_again(change, Some(prior.clone()), &config)?;
                Ok(Work::Update { prior, config, planned })
            }
            Action::Create | Action::Replace => {
                let config = self.config(change)?;
                let begun = change.before.as_ref().filter(|_| change.resume.is_some());
                let so_far = begun.map(|before| before.object.clone());
                let planned = self.plan_again(change, None, &config)?;
                Ok(Work::Create { config, planned, so_far })
            }
            Action::Delete | Action::Keep | Action::Leave => unreachable!("the graph has no making of these"),
        }
    }

    /// A provider whose block refers to objects is told what they are by now; the caller has told all others.
    pub(crate) fn configure(&self, provider: &ProviderKey, values: &Values) -> Result<(), Diagnostics> {
        if bimetal_plan::is_independent(self.desired, provider) {
            return Ok(());
        }
        let config = bimetal_plan::provider_config(self.desired, provider, values)?;
        if !config.is_wholly_known() {
            let error = Diagnostic::error(format!("the configuration of provider `{provider}` is not known"));
            return Err(vec![error.because("what it refers to does not exist")]);
        }
        self.ports.operate.configure(provider, &config);
        Ok(())
    }

    /// Its arguments, with nothing unknown left in them.
    fn config(&self, change: &Change) -> Result<Value, Diagnostics> {
        if let Some(config) = change.config.as_ref().filter(|config| config.is_wholly_known()) {
            return Ok(config.clone());
        }
        let (address, placement) = (&change.address, self.placement(change));
        let config = bimetal_plan::instance_config(self.desired, address, placement, self.values)?;
        let config = bimetal_plan::named(&verdict::managed(self.ports.predict, change).block, config, change);
        match config.is_wholly_known() {
            true => Ok(config),
            false => Err(vec![Diagnostic::error("some of its arguments are still unknown").of(address)]),
        }
    }

    fn placement<'c>(&'c self, change: &'c Change) -> Option<&'c Placement> {
        self.placements.get(&change.address).or(change.placement.as_deref())
    }

    fn ignored(&self, change: &Change) -> &'a [Ignored] {
        let block = self.desired.module.objects.get(&change.address.whole());
        block.map_or(&[], |block| &block.lifecycle.ignore_changes)
    }

    /// Asked again with everything known, a provider must say what it said before.
    fn plan_again(&self, change: &Change, prior: Option<Object>, config: &Value) -> Result<Planned, Refusal> {
        let schema = verdict::managed(self.ports.predict, change);
        let proposed = bimetal_plan::propose(&schema.block, config, prior.as_ref().map(|prior| &prior.value));
        let (address, ty) = (change.address.clone(), change.ty.clone());
        let request = PlanRequest { address, ty, prior: prior.clone(), config: config.clone(), proposed };
        let mut answers = self.ports.predict.plan(&change.provider.name, &[request]);
        let Some(answer) = answers.pop() else {
            let error = Diagnostic::error(format!("provider `{}` did not answer", change.provider));
            return Err(vec![error.of(&change.address)].into());
        };
        Ok(approved(change, &schema, prior.as_ref(), config, answer?)?)
    }

    fn intent(&self, job: &Job<'_>) -> Option<Intent> {
        let change = job.change;
        let kept =
            |config: &Value| verdict::managed(self.ports.predict, change).block.without_write_only(config.clone());
        let (effect, config) = match &job.work {
            Work::Create { config, .. } => (Effect::Create, kept(config)),
            Work::Update { config, .. } => (Effect::Update, kept(config)),
            Work::Delete { object } => (Effect::Delete, object.value.clone()),
            Work::Read { .. } => return None,
        };
        let (provider, ty) = job.owner();
        let before = change.resume.as_ref().map(|intent| &intent.id).or_else(|| self.again.get(&change.address));
        let known = before.filter(|_| effect == Effect::Create).cloned();
        Some(Intent {
            id: known.unwrap_or_else(|| IntentId(self.ports.edge.new_id())),
            address: job.address().clone(),
            provider: provider.clone(),
            ty: ty.to_owned(),
            effect,
            config,
            depends_on: change.outlived().cloned().collect(),
            placement: job.placement.clone(),
        })
    }
}

/// A provider's second answer, if it honours its schema and what was approved.
fn approved(
    change: &Change,
    schema: &TypeSchema,
    prior: Option<&Object>,
    config: &Value,
    planned: Planned,
) -> Result<Planned, Diagnostics> {
    let value = bimetal_plan::finished(planned.value, &schema.block, config)
        .map_err(|reason| vec![verdict::bug(change, &format!("its plan does not fit its schema: {reason}"))])?;
    let breaches = bimetal_plan::breaches(&schema.block, config, prior.map(|prior| &prior.value), &value);
    if !breaches.is_empty() {
        return Err(vec![bimetal_plan::provider_bug(&change.provider, &change.ty, &change.address, &breaches)]);
    }
    let mut broken = change.after.as_ref().map(|after| verdict::differences(after, &value)).unwrap_or_default();
    // What is changed in place must not turn out to be something that has to be made anew.
    broken.extend(planned.replace.iter().filter(|_| prior.is_some()).cloned());
    if !broken.is_empty() {
        let error = Diagnostic::error(format!("{} is not what was approved any more", verdict::places(&broken)));
        return Err(vec![error.hint("plan again").of(&change.address)]);
    }
    Ok(Planned { value, ..planned })
}

fn existing(change: &Change) -> Result<Object, Diagnostics> {
    let before = change.before.as_ref().map(|before| before.object.clone());
    before.ok_or_else(|| vec![Diagnostic::error("the plan does not say what exists; make it anew").of(&change.address)])
}
