//! Desired and observed to a plan, which is data.
//!
//! Pure: what it needs from the world it returns as questions. Must not know how a plan is shown or done, and names
//! no provider: it knows the roles machine and container runtime.

// Diagnostics are big, and rare.
#![allow(clippy::result_large_err)]

mod compare;
mod comparison;
mod data;
mod options;
mod reason;
mod summary;

mod ephemeral;
mod evaluator;
mod existing;
mod lower;
mod standing;
mod values;

mod force;
mod forecast;
mod honesty;
mod marks;
mod naming;
mod place;
mod planner;
mod prior;
mod promises;
mod proposed;
mod reads;
mod secrets;
mod selection;
mod untold;

mod adopt;
mod catalogue;
mod image;
mod machine;
mod moves;
mod needs;
mod owners;
mod pool;
mod service;
mod size;

pub use compare::{Difference, contradictions, diff, unknown};
pub use comparison::{
    Compared, Comparison, Differences, Differing, Image, ImageChange, Kind, LockChange, LockedName, LockedVersion,
    Version, compare, differences,
};
pub use data::{Action, Budget, Change, Early, OutputChange, Plan, Planning};
pub use ephemeral::{early_inquiries, ephemerals_of, read_value, to_open};
pub use evaluator::{
    after, checks, instance_config, is_independent, outputs, outputs_without, provider_config, provider_configs,
    refused_values,
};
pub use existing::{everything, existing};
pub use honesty::{breaches, provider_bug};
pub use image::{late_image, pin};
pub use lower::{SERVICE_LABEL, container_name, lower_replica};
pub use naming::named;
pub use options::{Mode, Options, Partial};
pub use owners::owners;
pub use prior::finished;
pub use proposed::{ignore, propose};
pub use reads::{bind, outdated};
pub use reason::{Reason, Shared};
pub use secrets::{saved_secrets, stored_secrets};
pub use selection::looked_at;
pub use standing::{add_new, standing};
pub use summary::{Sort, Summary, Tally, summary};
pub use values::Values;

use std::collections::BTreeSet;

use bimetal_config::Desired;
use bimetal_model::diagnostic::has_errors;
use bimetal_model::port::Predict;
use bimetal_model::question::{Answers, Observed};
use bimetal_model::{Address, Diagnostics, Selector};

/// What has to be done so that what is observed becomes what is desired, or what has to be asked first.
///
/// Deterministic: the same arguments give the same plan. `None` where there are errors.
pub fn plan(
    desired: &Desired,
    observed: &Observed,
    answers: &Answers,
    options: &Options,
    predict: &dyn Predict,
) -> (Option<Planning>, Diagnostics) {
    let moves = match options.mode {
        Mode::Apply | Mode::Destroy => adopt::adopt(desired, moves::moves(desired, observed, options), predict),
        Mode::RefreshOnly => moves::Moves::none(observed),
    };
    let moves::Moves { observed, moved, forgotten, said } = moves;
    if has_errors(&said) {
        return (None, said);
    }
    let (planning, mut diagnostics) = planner::Planner::new(desired, &observed, answers, options, predict).run();
    diagnostics.extend(said);
    let planning = planning.map(|planning| match planning {
        Planning::Ready(plan) => Planning::Ready(Box::new(Plan { moved, forgotten, ..*plan })),
        Planning::Ask(questions) => Planning::Ask(questions),
    });
    (planning, diagnostics)
}

/// The values of some blocks and of nothing else: modules can't be planned before it is known how many there are.
pub fn early(
    desired: &Desired,
    observed: &Observed,
    answers: &Answers,
    blocks: &BTreeSet<Address>,
    predict: &dyn Predict,
) -> (Option<Early>, Diagnostics) {
    let targets = blocks.iter().cloned().map(Selector::Object).collect();
    let options = Options { targets, ..Options::default() };
    let moves::Moves { observed, said, .. } = adopt::adopt(desired, moves::moves(desired, observed, &options), predict);
    if has_errors(&said) {
        return (None, said);
    }
    planner::Planner::new(desired, &observed, answers, &options, predict).early(blocks)
}
