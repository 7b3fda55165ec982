//! A step made ready: its arguments with real values, and the provider's plan for them.

use bimetal_config::Desired;
use bimetal_model::port::{PlanRequest, Planned};
use bimetal_model::snapshot::{Effect, Intent, IntentId, Object};
use bimetal_model::{Diagnostic, Diagnostics, Value};
use bimetal_plan::{Action, Change, Plan, Values};

use crate::Ports;
use crate::graph::{Part, Step};
use crate::job::{Job, Work};
use crate::verdict;

/// The job of a step.
pub(crate) fn job<'a>(
    plan: &'a Plan,
    desired: &Desired,
    ports: &Ports<'_>,
    values: &Values,
    step: Step,
) -> Result<Job<'a>, Diagnostics> {
    let change = &plan.changes[step.change];
    let work = match step.part {
        Part::Remove => Work::Delete { object: existing(change)? },
        Part::Make => make(plan, desired, ports, values, change)?,
    };
    let intent = intent(ports, change, &work);
    Ok(Job { step, change, intent, work, deadline: None })
}

fn existing(change: &Change) -> Result<Object, Diagnostics> {
    let before = change.before.as_ref().map(|before| before.object.clone());
    before.ok_or_else(|| vec![Diagnostic::error("the plan does not say what exists; make it anew").of(&change.address)])
}

fn make(
    plan: &Plan,
    desired: &Desired,
    ports: &Ports<'_>,
    values: &Values,
    change: &Change,
) -> Result<Work, Diagnostics> {
    configure(plan, desired, ports, values, change)?;
    let ready = change.config.as_ref().filter(|config| config.is_wholly_known()).cloned();
    let config = match ready {
        Some(config) => config,
        None => bimetal_plan::instance_config(desired, &change.address, change.placement.as_ref(), values)?,
    };
    match change.action {
        Action::Read => Ok(Work::Read { config }),
        Action::Update => {
            let prior = existing(change)?;
            let planned = again(ports, change, Some(prior.clone()), &config)?;
            Ok(Work::Update { prior, config, planned })
        }
        Action::Create | Action::Replace => {
            let begun = change.before.as_ref().filter(|_| change.resume.is_some());
            let so_far = begun.map(|before| before.object.clone());
            let planned = again(ports, change, None, &config)?;
            Ok(Work::Create { config, planned, so_far })
        }
        Action::Delete | Action::Keep => unreachable!("the graph has no making of these"),
    }
}

/// A provider whose block rests on something that was made meanwhile.
fn configure(
    plan: &Plan,
    desired: &Desired,
    ports: &Ports<'_>,
    values: &Values,
    change: &Change,
) -> Result<(), Diagnostics> {
    if plan.providers.get(&change.provider).is_some_and(|config| !config.is_wholly_known()) {
        let config = bimetal_plan::provider_config(desired, &change.provider, values)?;
        ports.operate.configure(&change.provider, &config);
    }
    Ok(())
}

/// Asked again with everything known, a provider must say what it said before.
fn again(ports: &Ports<'_>, change: &Change, prior: Option<Object>, config: &Value) -> Result<Planned, Diagnostics> {
    let schema = verdict::managed(ports.predict, change);
    let proposed = proposed(&schema.block, prior.as_ref(), config);
    let request =
        PlanRequest { address: change.address.clone(), ty: change.ty.clone(), prior, config: config.clone(), proposed };
    let mut answers = ports.predict.plan(&change.provider.name, &[request]);
    let Some(answer) = answers.pop() else {
        return Err(vec![
            Diagnostic::error(format!("provider `{}` did not answer", change.provider)).of(&change.address),
        ]);
    };
    let planned = answer?;
    let broken = change.after.as_ref().map(|after| verdict::differences(after, &planned.value)).unwrap_or_default();
    if !broken.is_empty() {
        let error = Diagnostic::error(format!("{} is not what was approved any more", verdict::places(&broken)));
        return Err(vec![error.hint("plan again").of(&change.address)]);
    }
    Ok(planned)
}

fn proposed(block: &bimetal_model::schema::Block, prior: Option<&Object>, config: &Value) -> Value {
    let Some(members) = config.as_members() else { return config.clone() };
    let fill = |(name, value): (&String, &Value)| {
        let computed = block.attributes.get(name).is_some_and(|attribute| attribute.computed);
        let before = prior.and_then(|prior| prior.value.member(name)).filter(|_| computed && value.is_null());
        (name.clone(), before.unwrap_or(value).clone())
    };
    members.iter().map(fill).collect()
}

fn intent(ports: &Ports<'_>, change: &Change, work: &Work) -> Option<Intent> {
    let (effect, config) = match work {
        Work::Create { config, .. } => (Effect::Create, config.clone()),
        Work::Update { config, .. } => (Effect::Update, config.clone()),
        Work::Delete { object } => (Effect::Delete, object.value.clone()),
        Work::Read { .. } => return None,
    };
    // What is removed belongs to who made it.
    let owner = change.before.as_ref().filter(|_| effect == Effect::Delete);
    let (provider, ty) = owner.map_or((&change.provider, &change.ty), |before| (&before.provider, &before.ty));
    let resumed = change.resume.as_ref().filter(|_| effect == Effect::Create).map(|intent| intent.id.clone());
    Some(Intent {
        id: resumed.unwrap_or_else(|| IntentId(ports.edge.new_id())),
        address: change.address.clone(),
        provider: provider.clone(),
        ty: ty.clone(),
        effect,
        config,
        depends_on: change.depends_on.clone(),
        placement: change.placement.clone(),
    })
}
