//! The walk: configuration and state to a plan, a plan to effects.

use std::collections::BTreeMap;
use std::sync::Arc;

use bimetal_config::lock::Lock;
use bimetal_host::Host;
use bimetal_model::event::Notify;
use bimetal_model::port::{Operate, Predict, Remember as _};
use bimetal_model::question::{Answers, Observed};
use bimetal_model::snapshot::{Snapshot, Stored};
use bimetal_model::{Address, Diagnostic, Diagnostics, diagnostic::has_errors};
use bimetal_plan::{Mode, Plan, Planning};
use bimetal_state::SqliteStore;
use tracing::Instrument as _;

use crate::arguments;
use crate::configuration::{read_lock, write_lock};
use crate::failure::Failure;
use crate::providers::Unlocked;
use crate::session::{Configuration, InState, Session};

/// A plan can ask again with what it learnt; a configuration whose questions never end is broken.
const MOST_ROUNDS: usize = 32;

/// Everything that a command works with once the state is open.
pub(crate) struct World<P = Host> {
    pub(crate) configuration: Configuration,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) snapshot: Snapshot,
    pub(crate) host: Arc<P>,
    pub(crate) lock: Lock,
}

impl World {
    /// Opens state and host for a configuration.
    pub(crate) async fn open(session: &Session, configuration: Configuration) -> Result<World, Failure> {
        let lock = read_lock(&session.root)?;
        let store = Arc::new(session.store(&configuration).await?);
        let snapshot = store.load().await?;
        let host =
            session.host(&configuration, &lock, Unlocked::Refused, Arc::new(InState(store.clone())), &snapshot)?;
        Ok(World { configuration, store, snapshot, host, lock })
    }

    /// For commands that reach through the fleet: only what the state knows counts, so that no variable needs a value.
    pub(crate) async fn for_reach(session: &Session) -> Result<World, Failure> {
        let world = World::open(session, session.configuration_for_state()?).await?;
        // A provider block that can't be worked out without variables is no reason not to look: machines say what they miss.
        configure(&world, &world.snapshot.objects);
        Ok(world)
    }
}

/// A plan, and what it was made from.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) observed: Observed,
}

/// Whether providers are asked what exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// They are.
    Refresh,
    /// The state is believed.
    Believe,
}

/// Looks at what exists and plans; what images were resolved to stays so, until `init --upgrade`.
pub(crate) async fn plan(
    session: &Session,
    world: &World,
    planning: &arguments::Planning,
    mode: Mode,
) -> Result<Planned, Failure> {
    let look = if planning.no_refresh { Look::Believe } else { Look::Refresh };
    let planned = look_and_plan(world, look, mode, &*session.progress).await;
    session.progress.clear();
    let files = &world.configuration.files;
    let (planned, said) = planned.map_err(|diagnostics| Failure::new(diagnostics, files))?;
    session.warn(&said, files);
    remember_images(session, world, &planned.plan)?;
    Ok(planned)
}

/// Looks at what exists and plans; what was said on the way comes with it.
pub(crate) async fn look_and_plan<P: Predict + Operate>(
    world: &World<P>,
    look: Look,
    mode: Mode,
    notify: &dyn Notify,
) -> Result<(Planned, Diagnostics), Diagnostics> {
    let diagnostics = configure(world, &world.snapshot.objects);
    if has_errors(&diagnostics) {
        return Err(diagnostics);
    }
    let host = &*world.host;
    let looking = async {
        match look {
            Look::Believe => bimetal_refresh::believe(&world.snapshot, host, host).await,
            Look::Refresh => bimetal_refresh::refresh(&world.snapshot, host, host, notify).await,
        }
    };
    let span = tracing::info_span!("refresh", objects = world.snapshot.objects.len());
    let (observed, mut said) = looking.instrument(span).await;
    if has_errors(&said) {
        said.extend(observed.silent.into_values().flatten());
        return Err(said);
    }
    // What a provider block refers to may be something else by now; what went is the plan's business.
    configure(world, &observed.objects);
    let planning = ask_and_plan(world, &observed, mode, notify);
    let (plan, more) = planning.instrument(tracing::info_span!("plan")).await;
    said.extend(more);
    match plan {
        Some(plan) => Ok((Planned { plan, observed }, said)),
        None => Err(said),
    }
}

/// Tells the host the provider blocks as a saved plan has them, and those that it must not keep as they are now.
pub(crate) fn configure_from(world: &World, plan: &Plan) {
    configure(world, &world.snapshot.objects);
    for (provider, config) in &plan.providers {
        if config.is_wholly_known() {
            world.host.configure(provider, config);
        }
    }
    let sources: Vec<_> = plan.images.keys().cloned().collect();
    world.host.allow_images(&sources);
}

/// Tells the host the provider blocks as far as what exists decides them.
fn configure<P: Predict + Operate>(world: &World<P>, objects: &BTreeMap<Address, Stored>) -> Diagnostics {
    let (configs, diagnostics) = bimetal_plan::provider_configs(&world.configuration.desired, objects, &*world.host);
    for (provider, config) in configs {
        world.host.configure(&provider, &config);
    }
    diagnostics
}

/// `None` where there are errors.
async fn ask_and_plan<P: Predict + Operate>(
    world: &World<P>,
    observed: &Observed,
    mode: Mode,
    notify: &dyn Notify,
) -> (Option<Plan>, Diagnostics) {
    let locked = world.lock.images.iter().map(|(source, index)| (source.clone(), Ok(index.clone())));
    let mut answers = Answers { images: locked.collect(), ..Answers::default() };
    let sources: Vec<_> = world.lock.images.keys().cloned().collect();
    world.host.allow_images(&sources);
    for _ in 0..MOST_ROUNDS {
        let (planning, diagnostics) =
            bimetal_plan::plan(&world.configuration.desired, observed, &answers, mode, &*world.host);
        match planning {
            Some(Planning::Ready(plan)) if !has_errors(&diagnostics) => return (Some(*plan), diagnostics),
            Some(Planning::Ask(questions)) if !has_errors(&diagnostics) => {
                bimetal_refresh::answer(questions, &mut answers, &*world.host, notify).await;
            }
            _ => return (None, diagnostics),
        }
    }
    (None, vec![Diagnostic::error("the plan has no end of questions to the world")])
}

/// What was resolved stays so, until `init --upgrade`.
fn remember_images(session: &Session, world: &World, plan: &Plan) -> Result<(), Failure> {
    let mut lock = world.lock.clone();
    lock.images.extend(plan.images.iter().map(|(source, index)| (source.clone(), index.clone())));
    write_lock(&session.root, &lock)
}
