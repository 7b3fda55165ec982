//! What runs made, remembered as long as their file is played.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bimetal_apply::{Applied, Ports, Stop};
use bimetal_config::suite::Run;
use bimetal_host::Host;
use bimetal_mock::Mocked;
use bimetal_model::event::{Event, Notify};
use bimetal_model::lease::{Lease, Scope};
use bimetal_model::port::Remember as _;
use bimetal_model::snapshot::RevisionOutcome;
use bimetal_model::{Address, Diagnostic, Diagnostics};
use bimetal_plan::{Mode, Options, Values};
use bimetal_refresh::Calls;
use bimetal_state::{Key, Keys, Location, State as Store, StateName};
use tempfile::TempDir;

use super::scene::folder;
use crate::command::apply::revision;
use crate::edge::System;
use crate::failure::{Failure, io};
use crate::lease::holding;
use crate::session::Configuration;
use crate::walk::{Course, Look, Planned, World, look_and_plan};

/// What the file with the key of all of them is called.
const KEY: &str = "state.key";

/// The states of a file of tests, in the order in which something was last made in them.
pub(super) struct States {
    folder: TempDir,
    states: Vec<State>,
    opened: usize,
}

struct State {
    key: String,
    path: PathBuf,
    store: Arc<Store>,
    /// With what it was last changed.
    last: Option<World<Mocked<Host>>>,
}

/// What is there when all should be gone.
#[derive(Default)]
pub(super) struct Left {
    pub(super) addresses: Vec<Address>,
    pub(super) said: Diagnostics,
    pub(super) files: Vec<bimetal_config::SourceFile>,
}

/// Says nothing: what a test makes is nobody's business.
pub(super) struct Silent;

impl Notify for Silent {
    fn notify(&self, _: Event) {}
}

/// How runs plan.
pub(super) fn course(options: Options, look: Look) -> Course<'static> {
    Course { options, look, parallelism: Calls::PARALLELISM, moves_state: false, notify: &Silent }
}

impl States {
    pub(super) fn new() -> Result<States, Failure> {
        let folder = tempfile::Builder::new().prefix("bimetal-test-").tempdir().map_err(io("making a folder"))?;
        Ok(States { folder, states: Vec::new(), opened: 0 })
    }

    /// The one that a run goes on from: that of its key, or of its module.
    pub(super) async fn of(&mut self, run: &Run) -> Result<Arc<Store>, Failure> {
        let key = key(run);
        if let Some(state) = self.states.iter().find(|state| state.key == key) {
            return Ok(state.store.clone());
        }
        let path = self.folder.path().join(format!("{}.db", self.opened));
        let location = Location::Sqlite(path.clone());
        let store = Arc::new(bimetal_state::open(location, self.keys()?, Arc::new(System)).await?);
        self.opened += 1;
        self.states.push(State { key, path, store: store.clone(), last: None });
        Ok(store)
    }

    /// Those of the state that is tested are nobody's business here. A key of its own is kept with what is left, and goes with
    /// what is not.
    fn keys(&self) -> Result<Keys, Failure> {
        let path = self.folder.path().join(KEY);
        if !path.exists() {
            bimetal_state::make_key_file(&path)?;
        }
        Ok(Keys::new(vec![Key::File(path)]))
    }

    /// Does what a run planned.
    pub(super) async fn apply(
        &mut self,
        run: &Run,
        world: World<Mocked<Host>>,
        planned: &Planned,
        stop: &Stop,
    ) -> Result<(Applied, Values), Failure> {
        let key = key(run);
        let result = act(&world, planned, stop).await;
        if let Some(place) = self.states.iter().position(|state| state.key == key) {
            let state = self.states.remove(place);
            self.states.push(State { last: Some(world), ..state });
        }
        result
    }

    /// Destroys all that is there, what was made last first.
    pub(super) async fn tear_down(self) -> Left {
        let mut left = Left::default();
        for state in self.states.into_iter().rev() {
            let Some(last) = state.last else { continue };
            left.files.extend(last.configuration.files.iter().cloned());
            let destroyed = destroy(&state.store, last).await;
            left.said.extend(destroyed.err().map(|failure| failure.diagnostics).unwrap_or_default());
            let addresses: Vec<Address> = match state.store.load().await {
                Ok(snapshot) => snapshot.objects.into_keys().collect(),
                Err(error) => {
                    left.said.extend(Failure::from(error).diagnostics);
                    continue;
                }
            };
            if !addresses.is_empty() {
                left.said.push(not_destroyed(&addresses, &state.path));
                left.addresses.extend(addresses);
            }
        }
        if !left.addresses.is_empty() {
            let _ = self.folder.keep();
        }
        left
    }
}

/// Which state a run goes on from.
fn key(run: &Run) -> String {
    run.state_key.clone().unwrap_or_else(|| format!("./{}", folder(run)))
}

fn not_destroyed(addresses: &[Address], path: &std::path::Path) -> Diagnostic {
    let names: Vec<String> = addresses.iter().map(|address| format!("`{address}`")).collect();
    Diagnostic::error(format!("not destroyed: {}", names.join(", ")))
        .because(format!(
            "what is there is remembered in `{}`, sealed with `{}`",
            path.display(),
            path.with_file_name(KEY).display()
        ))
        .hint(
            "`state \"sqlite\" { path = … }` and `encryption \"key_file\" { path = … }` in the `bimetal` block make that the \
             state of `bimetal destroy`",
        )
}

async fn destroy(store: &Arc<Store>, last: World<Mocked<Host>>) -> Result<(), Failure> {
    let snapshot = store.load().await?;
    if snapshot.objects.is_empty() && snapshot.intents.is_empty() {
        return Ok(());
    }
    let world = World { snapshot, ..last };
    let Configuration { files, .. } = &world.configuration;
    let planned = look_and_plan(&world, &course(Mode::Destroy.into(), Look::Refresh)).await;
    let (planned, _) = planned.map_err(|said| Failure::new(said, files))?;
    let (applied, _) = act(&world, &planned, &Stop::default()).await?;
    match applied.outcome {
        RevisionOutcome::Done => Ok(()),
        RevisionOutcome::Failed | RevisionOutcome::Partial | RevisionOutcome::Interrupted => {
            Err(Failure::new(applied.diagnostics, files))
        }
    }
}

async fn act(world: &World<Mocked<Host>>, planned: &Planned, stop: &Stop) -> Result<(Applied, Values), Failure> {
    let act = async |lease: &Lease| act_with(world, planned, lease, stop).await;
    holding(&world.store, "test", &Scope::Everything, Duration::ZERO, act).await
}

async fn act_with(
    world: &World<Mocked<Host>>,
    planned: &Planned,
    lease: &Lease,
    stop: &Stop,
) -> Result<(Applied, Values), Failure> {
    let Planned { plan, observed, desired } = planned;
    let number = world.store.begin(lease, revision(&StateName::default(), "test", plan), None).await?;
    let ports = Ports {
        predict: &*world.host,
        operate: &*world.host,
        lend: &*world.lending,
        remember: &*world.store,
        edge: &System,
        notify: &Silent,
        parallelism: Ports::PARALLELISM,
        crash: None,
    };
    let (applied, values) =
        bimetal_apply::apply_with_values(plan, desired, &observed.resolved, &ports, lease, stop).await;
    world.store.finish(lease, number, applied.outcome).await?;
    Ok((applied, values))
}
