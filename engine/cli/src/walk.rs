//! The walk: configuration and state to a plan, a plan to effects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bimetal_config::Desired;
use bimetal_config::lock::Lock;
use bimetal_host::Host;
use bimetal_model::event::Notify;
use bimetal_model::port::{Lend as _, Operate, Predict, Refusal, Remember as _};
use bimetal_model::question::{Answers, Inquiry, Observed, Question};
use bimetal_model::snapshot::{Objects, Snapshot};
use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, Value, diagnostic::has_errors};
use bimetal_plan::{Early, Mode, Options, Plan, Planning};
use bimetal_refresh::Calls;
use bimetal_state::State;
use tracing::Instrument as _;

use crate::arguments::{self, Wishes};
use crate::configuration::{read_lock, write_lock};
use crate::failure::Failure;
use crate::lending::Lending;
use crate::session::{Configuration, InState, Session};

/// A plan can ask again with what it learnt; a configuration whose questions never end is broken.
const MOST_ROUNDS: usize = 32;

/// Everything that a command works with once the state is open.
pub(crate) struct World<P = Host> {
    pub(crate) configuration: Configuration,
    pub(crate) store: Arc<State>,
    pub(crate) snapshot: Snapshot,
    pub(crate) host: Arc<P>,
    /// What is ephemeral and open.
    pub(crate) lending: Arc<Lending>,
    pub(crate) lock: Lock,
}

impl World {
    /// Opens state and host for a configuration.
    pub(crate) async fn open(session: &Session, configuration: Configuration) -> Result<World, Failure> {
        let store = session.store(&configuration).await?;
        World::over(session, configuration, store).await
    }

    /// As [`World::open`], over the state of the configuration.
    pub(crate) async fn over(session: &Session, configuration: Configuration, store: State) -> Result<World, Failure> {
        let lock = read_lock(&session.root)?;
        let store = Arc::new(store);
        let snapshot = idle(&store).await?;
        let host = session.host(&configuration, &lock, Arc::new(InState(store.clone())), &snapshot)?;
        let lending = session.lent.lending(host.clone());
        Ok(World { configuration, store, snapshot, host, lending, lock })
    }

    /// The state as it is by now.
    pub(crate) async fn look_again(&mut self) -> Result<(), Failure> {
        self.snapshot = idle(&self.store).await?;
        self.host.learn(&self.snapshot);
        Ok(())
    }

    /// For commands that reach through the fleet: only what the state knows counts, so that no variable needs a value.
    pub(crate) async fn for_reach(session: &Session) -> Result<World, Failure> {
        let world = World::open(session, session.configuration_for_state()?).await?;
        // A provider block that can't be worked out without variables is no reason not to look: machines say what they miss.
        let early = ask_early(&world, &world.calls(&*session.progress, Calls::PARALLELISM)).await.unwrap_or_default();
        configure(&world, &world.snapshot.objects, &world.snapshot.objects, &early);
        Ok(world)
    }
}

impl<P: Predict + Operate> World<P> {
    fn calls<'w>(&'w self, notify: &'w dyn Notify, parallelism: usize) -> Calls<'w> {
        Calls { predict: &*self.host, operate: &*self.host, lend: &*self.lending, notify, parallelism }
    }
}

/// The state, without the promises that somebody is just about to keep: these are not left over.
pub(crate) async fn idle(store: &State) -> Result<Snapshot, Failure> {
    let leases = store.leases().await?;
    let mut snapshot = store.load().await?;
    snapshot.intents.retain(|intent| !leases.iter().any(|held| held.scope.may_write(&intent.address)));
    Ok(snapshot)
}

/// A plan, and what it was made from.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) observed: Observed,
    /// With the modules of which only what was looked up told how many there are.
    pub(crate) desired: Desired,
}

/// Who is asked what exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    /// Providers.
    Refresh,
    /// The state is believed; what it does not know is looked up.
    Believe,
    /// Nobody: what the state and the lock file don't know is an error.
    Offline,
    /// Nobody, by who only compares: what data sources say stays unknown.
    Compare,
}

/// What is planned, and how what that needs is found out.
pub(crate) struct Course<'a> {
    pub(crate) options: Options,
    pub(crate) look: Look,
    /// How many calls of providers may run at once.
    pub(crate) parallelism: usize,
    /// Whether the state may have belonged to another configuration.
    pub(crate) moves_state: bool,
    pub(crate) notify: &'a dyn Notify,
}

impl<'a> Course<'a> {
    /// As the words of a command say.
    pub(crate) fn of(session: &'a Session, planning: &arguments::Planning, wishes: &Wishes, mode: Mode) -> Course<'a> {
        let options = Options {
            mode: if wishes.refresh_only { Mode::RefreshOnly } else { mode },
            targets: planning.target.clone(),
            excludes: planning.exclude.clone(),
            replace: wishes.replace.clone(),
            imports: Vec::new(),
        };
        let look = match (wishes.offline, planning.looks()) {
            (true, _) => Look::Offline,
            (false, true) => Look::Refresh,
            (false, false) => Look::Believe,
        };
        let parallelism = planning.at_once(Calls::PARALLELISM);
        Course { options, look, parallelism, moves_state: planning.move_state, notify: &*session.progress }
    }

    fn calls<'c, P: Predict + Operate>(&'c self, world: &'c World<P>) -> Calls<'c> {
        world.calls(self.notify, self.parallelism)
    }
}

/// What becomes of what images were resolved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Images {
    /// The lock file has it.
    Lock,
    /// They are those of an earlier revision, and the lock file stays as it is.
    AsTheyWere,
}

/// Looks at what exists and plans; what images were resolved to stays so, until `init --upgrade`.
pub(crate) async fn plan(
    session: &Session,
    world: &World,
    course: &Course<'_>,
    images: Images,
) -> Result<Planned, Failure> {
    // What an earlier revision was made from is planned whatever is checked out.
    let require_clean = world.configuration.desired.module.settings.require_clean && images == Images::Lock;
    let origin = crate::origin::of(session, require_clean)?;
    if let Some(origin) = origin.as_ref().filter(|_| !course.moves_state) {
        crate::origin::check_belongs(&world.store, &session.state, origin).await?;
    }
    let planned = look_and_plan(world, course).await;
    session.progress.clear();
    let files = &world.configuration.files;
    let (mut planned, said) = planned.map_err(|diagnostics| Failure::new(diagnostics, files))?;
    planned.plan.origin = origin;
    session.warn(&said, files);
    match images {
        Images::Lock => remember_images(session, world, &planned.plan)?,
        Images::AsTheyWere => {}
    }
    Ok(planned)
}

/// Looks at what exists and plans; what was said on the way comes with it.
pub(crate) async fn look_and_plan<P: Predict + Operate>(
    world: &World<P>,
    course: &Course<'_>,
) -> Result<(Planned, Diagnostics), Diagnostics> {
    let desired = &world.configuration.desired;
    let only = bimetal_plan::looked_at(desired, &world.snapshot.objects, &course.options, &*world.host);
    // What is not looked at needs no provider.
    let mut looked_at = world.snapshot.objects.clone();
    looked_at.retain(|address, _| only.contains(address));
    let calls = course.calls(world);
    let early = match course.look {
        Look::Offline | Look::Compare => BTreeMap::new(),
        Look::Believe | Look::Refresh => ask_early(world, &calls).await?,
    };
    let diagnostics = configure(world, &world.snapshot.objects, &looked_at, &early);
    if has_errors(&diagnostics) {
        return Err(diagnostics);
    }
    let looking = async {
        match course.look {
            Look::Offline | Look::Compare => bimetal_refresh::remember(&world.snapshot, &*world.host),
            Look::Believe => bimetal_refresh::believe(&world.snapshot, Some(&only), &calls).await,
            Look::Refresh => bimetal_refresh::refresh(&world.snapshot, Some(&only), &calls).await,
        }
    };
    let span = tracing::info_span!("refresh", objects = only.len());
    let (observed, mut said) = looking.instrument(span).await;
    if has_errors(&said) {
        said.extend(observed.silent.into_values().flatten());
        return Err(said);
    }
    // What a provider block refers to may be something else by now; what went is the plan's business.
    configure(world, &observed.objects, &observed.objects, &early);
    let planning = ask_and_plan(world, &observed, course, early);
    let (planned, more) = planning.instrument(tracing::info_span!("plan")).await;
    said.extend(more);
    match planned {
        Some((mut plan, desired)) => {
            bimetal_plan::bind(&mut plan, &world.snapshot);
            Ok((Planned { plan, observed, desired }, said))
        }
        None => {
            let options = &course.options;
            if options.mode == Mode::Apply && options.targets.is_empty() && options.excludes.is_empty() {
                // What is wrong with one part kept others from being looked at.
                bimetal_plan::add_new(&mut said, bimetal_plan::standing(desired, &*world.host));
            }
            Err(said)
        }
    }
}

/// Tells the host the provider blocks as a saved plan has them, and those that it must not keep as they are now.
pub(crate) fn configure_from(world: &World, plan: &Plan) {
    configure(world, &world.snapshot.objects, &world.snapshot.objects, &BTreeMap::new());
    for (provider, config) in &plan.providers {
        if config.is_wholly_known() {
            world.host.configure(provider, config);
        }
    }
    let sources: Vec<_> = plan.images.keys().cloned().collect();
    world.host.allow_images(&sources);
}

/// Opens and reads what provider blocks rest on: nobody could be asked anything without it.
async fn ask_early<P: Predict + Operate>(
    world: &World<P>,
    calls: &Calls<'_>,
) -> Result<BTreeMap<Address, Value>, Diagnostics> {
    let (desired, objects) = (&world.configuration.desired, &world.snapshot.objects);
    let (mut known, mut put_off) = (BTreeMap::new(), BTreeSet::new());
    loop {
        let mut inquiries = bimetal_plan::early_inquiries(desired, objects, &known, &*world.host);
        inquiries.retain(|inquiry| !put_off.contains(&inquiry.address));
        if inquiries.is_empty() {
            return Ok(known);
        }
        configure(world, objects, &Objects::new(), &known);
        for inquiry in inquiries {
            let Inquiry { address, provider, ty, config } = &inquiry;
            let told = match address.block {
                BlockKind::Data => read_early(calls, &inquiry).await,
                _ => world.lending.open(provider, ty, address, config).await.map(|one| one.value),
            };
            match told {
                Ok(value) => drop(known.insert(inquiry.address, value)),
                Err(Refusal::Failed(said)) => return Err(said),
                Err(Refusal::Deferred(_)) => drop(put_off.insert(inquiry.address)),
            }
        }
    }
}

async fn read_early(calls: &Calls<'_>, inquiry: &Inquiry) -> Result<Value, Refusal> {
    let mut answers = Answers::default();
    bimetal_refresh::answer(vec![Question::Data(inquiry.clone())], &mut answers, calls).await;
    let Some(told) = answers.data.remove(&inquiry.address) else { unreachable!("each question has its answer") };
    let schema = calls.predict.schema(&inquiry.provider.name)?;
    match schema.data.get(&inquiry.ty) {
        Some(ty) => Ok(bimetal_plan::read_value(inquiry, &ty.block, told?)?),
        None => told,
    }
}

/// Tells the host the provider blocks as far as what exists, and what is known of others, decides them. Says which of those are missing that
/// made `needed`.
fn configure<P: Predict + Operate>(
    world: &World<P>,
    objects: &Objects,
    needed: &Objects,
    known: &BTreeMap<Address, Value>,
) -> Diagnostics {
    let desired = &world.configuration.desired;
    let (configs, diagnostics) = bimetal_plan::provider_configs(desired, objects, needed, known, &*world.host);
    for (provider, config) in configs {
        world.host.configure(&provider, &config);
    }
    diagnostics
}

/// `None` where there are errors.
async fn ask_and_plan<P: Predict + Operate>(
    world: &World<P>,
    observed: &Observed,
    course: &Course<'_>,
    known: BTreeMap<Address, Value>,
) -> (Option<(Plan, Desired)>, Diagnostics) {
    let locked = world.lock.images.iter().map(|(source, index)| (source.clone(), Ok(index.clone())));
    let known = known.into_iter().map(|(address, value)| (address, Ok(value)));
    let (data, opened) = known.partition(|(address, _)| address.block == BlockKind::Data);
    let mut answers = Answers { images: locked.collect(), data, opened, ..Answers::default() };
    let sources: Vec<_> = world.lock.images.keys().cloned().collect();
    world.host.allow_images(&sources);
    let (mut desired, mut known) = (world.configuration.desired.clone(), BTreeMap::new());
    for _ in 0..MOST_ROUNDS {
        let waits_for = desired.waits_for();
        let questions = if waits_for.is_empty() || course.options.mode == Mode::Destroy {
            let (planning, diagnostics) =
                bimetal_plan::plan(&desired, observed, &answers, &course.options, &*world.host);
            match planning.filter(|_| !has_errors(&diagnostics)) {
                Some(Planning::Ready(plan)) => return (Some((Plan { known, ..*plan }, desired)), diagnostics),
                Some(Planning::Ask(questions)) => questions,
                None => return (None, diagnostics),
            }
        } else {
            let (early, diagnostics) = bimetal_plan::early(&desired, observed, &answers, &waits_for, &*world.host);
            match early.filter(|_| !has_errors(&diagnostics)) {
                Some(Early::Known(values)) => match desired.knowing(values.clone()) {
                    (more, said) if !has_errors(&said) => {
                        known.extend(values);
                        desired = more;
                        continue;
                    }
                    (_, said) => return (None, said),
                },
                Some(Early::Ask(questions)) => questions,
                None => return (None, diagnostics),
            }
        };
        match course.look {
            Look::Offline => bimetal_refresh::answer_offline(questions, &mut answers, &world.snapshot),
            Look::Compare => bimetal_refresh::answer_open(questions, &mut answers, &world.snapshot),
            Look::Refresh | Look::Believe => {
                bimetal_refresh::answer(questions, &mut answers, &course.calls(world)).await;
            }
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
