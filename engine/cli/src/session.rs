//! What a command works with: the folder, the screen, and, where it needs them, configuration, state and host.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bimetal_config::lock::Lock;
use bimetal_config::module::Call;
use bimetal_config::{Argument, Desired, Given, Outside, SourceFile};
use bimetal_host::certificates::Keep;
use bimetal_host::fault::{Code, Fault};
use bimetal_host::{Host, HostOptions};
use bimetal_model::diagnostic::has_errors;
use bimetal_model::port::{Edge as _, Remember as _};
use bimetal_model::snapshot::{Origin, Snapshot};
use bimetal_model::version::fits;
use bimetal_model::{Diagnostic, Diagnostics, Severity, Value};
use bimetal_plan::Plan;
use bimetal_sources::want::Ask;
use bimetal_state::{Key, Location, Standing, State, StateName};

use crate::arguments::Variables;
use crate::configuration::{self, Disk, there_is};
use crate::edge::System;
use crate::events::Events;
use crate::exported::Exported;
use crate::failure::Failure;
use crate::lending::AllLent;
use crate::location;
use crate::output;
use crate::packages::{Asking, LockedModules, Wanting};
use crate::providers::{Modules, Places};
use crate::render::progress::Progress;

/// The folder and the screen.
#[derive(Clone)]
pub(crate) struct Session {
    /// Of the configuration.
    pub(crate) root: PathBuf,
    /// Where the person is, and the state: paths are from there. Another one only where the configuration is that of a commit.
    pub(crate) home: PathBuf,
    /// Which of the states of the configuration is worked on.
    pub(crate) state: StateName,
    /// For programs.
    pub(crate) json: bool,
    /// Whether somebody is there to be asked.
    pub(crate) asks: bool,
    /// What moves on the screen.
    pub(crate) progress: Arc<Progress>,
    /// Where components lie.
    pub(crate) places: Arc<Places>,
    /// What is ephemeral and open, to be closed at the end.
    pub(crate) lent: Arc<AllLent>,
    /// Where the configuration was fetched from, with the commit that it was: the same can be fetched again.
    pub(crate) source: Option<String>,
    /// Which commit the configuration is, where it was taken from one.
    pub(crate) origin: Option<Box<Origin>>,
    /// What is removed with it.
    pub(crate) _kept: Option<Arc<tempfile::TempDir>>,
}

/// The name that was given, or that of the environment.
pub(crate) fn state_name(given: Option<StateName>) -> Result<StateName, Failure> {
    let in_environment = || std::env::var("BIMETAL_STATE").ok().filter(|name| !name.is_empty());
    match (given, in_environment()) {
        (Some(name), _) => Ok(name),
        (None, None) => Ok(StateName::default()),
        (None, Some(name)) => name.parse().map_err(|why: String| {
            let error = Diagnostic::error(format!("`BIMETAL_STATE` is `{name}`, which is no name of a state"));
            error.because(why).into()
        }),
    }
}

/// A configuration that was read without an error.
pub(crate) struct Configuration {
    /// What is wanted.
    pub(crate) desired: Desired,
    /// What it was read from, variable files too: diagnostics point there.
    pub(crate) files: Vec<SourceFile>,
}

impl Session {
    /// `into`: a file that what happens is written into.
    pub(crate) fn new(
        chdir: Option<&Path>,
        json: bool,
        into: Option<&Path>,
        state: StateName,
    ) -> Result<Self, Failure> {
        let root = chdir.unwrap_or(Path::new("."));
        let root = root.canonicalize().map_err(|error| {
            let error = Diagnostic::error(format!("the folder `{}` can't be entered: {error}", root.display()));
            error.hint("`--chdir` names the folder of the configuration")
        })?;
        let events = Arc::new(Events::new(json, into.map(|path| root.join(path)).as_deref())?);
        let places = Arc::new(Places::read(&root)?);
        let (home, progress) = (root.clone(), Arc::new(Progress::new(json, events)));
        let lent = Arc::new(AllLent::new(progress.clone()));
        let asks = !json && std::io::stdin().is_terminal();
        Ok(Session { root, home, state, json, asks, progress, places, lent, source: None, origin: None, _kept: None })
    }

    /// Reads the configuration; warnings are said, an error ends the command.
    pub(crate) async fn configuration(&self, variables: &Variables) -> Result<Configuration, Failure> {
        let given = self.given(variables)?;
        let (configuration, said) = self.read(there_is(self.sources(&given).await?, &self.root)?, given)?;
        self.warn(&said, &configuration.files);
        Ok(configuration)
    }

    /// As [`Session::configuration`], planned at this moment; what is said of it comes with it.
    pub(crate) async fn configuration_at(
        &self,
        variables: &Variables,
        planned_ms: u64,
    ) -> Result<(Configuration, Diagnostics), Failure> {
        let given = Given { planned_ms: Some(planned_ms), ..self.given(variables)? };
        self.read(there_is(self.sources(&given).await?, &self.root)?, given)
    }

    /// As [`Session::configuration`]; a folder without one is as good as one with an empty one.
    pub(crate) async fn configuration_if_any(&self, variables: &Variables) -> Result<Configuration, Failure> {
        let given = self.given(variables)?;
        let (configuration, said) = self.read(self.sources(&given).await?, given)?;
        self.warn(&said, &configuration.files);
        Ok(configuration)
    }

    /// The configuration's files, with those of modules from elsewhere, which must have been fetched.
    pub(crate) async fn sources(&self, given: &Given) -> Result<Vec<SourceFile>, Failure> {
        Ok(Wanting { session: self, folder: "", given, asking: Ask::Nobody.into() }.bring().await?.sources)
    }

    fn read(&self, sources: Vec<SourceFile>, given: Given) -> Result<(Configuration, Diagnostics), Failure> {
        let files: Vec<_> = sources.iter().cloned().chain(given.texts()).collect();
        let (desired, diagnostics) = bimetal_config::desired(sources.clone(), given, self.outside(sources, ""));
        if has_errors(&diagnostics) {
            return Err(Failure::new(diagnostics, &files));
        }
        check_version(&desired, &files)?;
        Ok((Configuration { desired, files }, diagnostics))
    }

    /// To be looked at as it stands: variables without a value are unknown, and what is wrong is no reason not to look further.
    pub(crate) async fn configuration_to_check(
        &self,
        variables: &Variables,
    ) -> Result<(Configuration, Diagnostics), Failure> {
        let given = Given { open: true, ..self.given(variables)? };
        let sources = there_is(self.sources(&given).await?, &self.root)?;
        let files: Vec<_> = sources.iter().cloned().chain(given.texts()).collect();
        let (desired, diagnostics) = bimetal_config::desired(sources.clone(), given, self.outside(sources, ""));
        check_version(&desired, &files)?;
        Ok((Configuration { desired, files }, diagnostics))
    }

    /// What is said of variables outside of the configuration, and when that was.
    pub(crate) fn given(&self, variables: &Variables) -> Result<Given, Failure> {
        Ok(Given {
            environment: configuration::environment_variables(),
            files: configuration::read_variable_files(&self.root, &self.state)?,
            arguments: configuration::read_assignments(&self.home, variables)?,
            planned_ms: Some(System.now_ms()),
            ..Given::default()
        })
    }

    /// As far as it is known which providers it needs: no variable must have a value, and what is wrong with values is said
    /// when they are needed.
    pub(crate) async fn configuration_to_lock(
        &self,
        variables: &Variables,
        asking: impl Into<Asking<'_>>,
    ) -> Result<(Configuration, Modules, LockedModules), Failure> {
        let given = self.given(variables)?;
        let brought = Wanting { session: self, folder: "", given: &given, asking: asking.into() }.bring().await?;
        let files = there_is(brought.sources, &self.root)?;
        let (modules, mut diagnostics) = bimetal_config::modules(&files, "");
        let is_absent = |call: &&Call| modules.get(&call.folder).is_none_or(|module| module.files.is_empty());
        diagnostics
            .extend(modules.values().flat_map(|module| module.calls.values()).filter(is_absent).map(Call::absent));
        if has_errors(&diagnostics) {
            return Err(Failure::new(diagnostics, &files));
        }
        let (desired, _) = bimetal_config::desired(files.clone(), given, self.outside(files.clone(), ""));
        self.warn(&diagnostics, &files);
        check_version(&desired, &files)?;
        Ok((Configuration { desired, files }, modules, brought.modules))
    }

    /// As far as the state needs it: no variable must have a value, and there may be no configuration at all.
    pub(crate) fn configuration_for_state(&self) -> Result<Configuration, Failure> {
        self.configuration_for_state_with(&Variables::default())
    }

    /// As [`Session::configuration_for_state`], with values of the command line.
    pub(crate) fn configuration_for_state_with(&self, variables: &Variables) -> Result<Configuration, Failure> {
        // What a state is in is said by the configuration itself, and by no module.
        let files = configuration::read_sources_from(&self.root, "", &BTreeSet::new()).unwrap_or_default();
        let given = Given { planned_ms: None, ..self.given(variables)? };
        let (desired, _) = bimetal_config::desired(files.clone(), given, self.outside(files.clone(), ""));
        Ok(Configuration { desired, files })
    }

    /// The configuration that a saved plan was made from; variables that are ephemeral get their values again.
    pub(crate) async fn configuration_of(&self, plan: &Plan, variables: &Variables) -> Result<Configuration, Failure> {
        self.configuration_with(plan.files.clone(), &plan.variables, plan.planned_ms, variables).await
    }

    /// A configuration as it was; variables that have no value of then get one now.
    pub(crate) async fn configuration_with(
        &self,
        sources: Vec<SourceFile>,
        values: &BTreeMap<String, Value>,
        planned_ms: Option<u64>,
        variables: &Variables,
    ) -> Result<Configuration, Failure> {
        let given = Given { values: values.clone(), planned_ms, ..self.given(variables)? };
        let settled = given.arguments.iter().find_map(|argument| match argument {
            Argument::Value { name, .. } => values.contains_key(name).then_some(name),
            Argument::File(_) => None,
        });
        if let Some(name) = settled {
            let error =
                Diagnostic::error(format!("`{name}` got its value when this was planned, and can't get another"));
            return Err(error.hint("leave `--var` out, or plan anew").into());
        }
        // Functions may read what lies in packages.
        Wanting { session: self, folder: "", given: &given, asking: Ask::Nobody.into() }.bring_for(&sources).await?;
        let files: Vec<_> = sources.iter().cloned().chain(given.texts()).collect();
        let (desired, diagnostics) = bimetal_config::desired(sources.clone(), given, self.outside(sources, ""));
        if has_errors(&diagnostics) {
            Err(Failure::new(diagnostics, &files))
        } else {
            Ok(Configuration { desired, files })
        }
    }

    /// What functions reach in the configuration whose root module is in this folder.
    pub(crate) fn outside(&self, sources: Vec<SourceFile>, folder: &str) -> Outside {
        let functions = Exported::new(self.places.clone(), sources, folder, self.progress.clone());
        let read = Arc::new(Disk { root: self.root.clone() });
        Outside { read, functions: Arc::new(functions), state: self.state.as_str().into() }
    }

    /// Says the warnings among the diagnostics.
    pub(crate) fn warn(&self, diagnostics: &[Diagnostic], files: &[SourceFile]) {
        let warnings: Vec<_> = diagnostics.iter().filter(|d| d.severity == Severity::Warning).cloned().collect();
        self.progress.events.diagnostics(&warnings, files);
        if !warnings.is_empty() && !self.json {
            output::complain(&warnings, files);
        }
    }

    /// Opens the state that the configuration names.
    pub(crate) async fn store(&self, configuration: &Configuration) -> Result<State, Failure> {
        self.store_with(configuration, Vec::new()).await
    }

    /// As [`Session::store`]; these keys open it, too.
    pub(crate) async fn store_with(&self, configuration: &Configuration, old: Vec<Key>) -> Result<State, Failure> {
        let location = location::of(self, configuration)?;
        let usual = location::usual(self, &location);
        let store = self.open(configuration, location, old).await?;
        if let Some(usual) = usual {
            self.check_left_behind(configuration, usual, &store).await?;
        }
        Ok(store)
    }

    /// Who names a new place for the state and leaves it in the usual one would get everything a second time.
    async fn check_left_behind(
        &self,
        configuration: &Configuration,
        usual: PathBuf,
        store: &State,
    ) -> Result<(), Failure> {
        if !usual.is_file() || store.lineage().await?.is_some() {
            return Ok(());
        }
        let left = self.open(configuration, Location::Sqlite(usual.clone()), Vec::new()).await?.standing().await?;
        let file = usual.strip_prefix(&self.home).unwrap_or(&usual).display().to_string();
        let (place, from) = match left {
            Standing::Unused => return Ok(()),
            Standing::InUse => (format!("one in `{file}`"), String::new()),
            Standing::MovedTo(place) => {
                // Of a database it is a description.
                let from = if place.contains("://") { place.as_str() } else { "PLACE" };
                (format!("the one of `{file}` went to {place}"), format!(" --from {from}"))
            }
        };
        let named = if self.state.is_default() { String::new() } else { format!(" --state {}", self.state) };
        let error = Diagnostic::error(format!("there is no state in {}, but {place}", store.place()))
            .because("what that one knows of would be made a second time")
            .hint(format!(
                "`bimetal state migrate{from}{named}` brings it to where the configuration wants it; if it is not wanted any \
                 more, move `{file}` away"
            ));
        let block = configuration.desired.module.settings.state.as_ref();
        let error = block.map_or(error.clone(), |block| error.at(&block.body.span));
        Err(Failure::new(vec![error], &configuration.files))
    }

    /// Opens the state at a place with the configuration's keys, and these.
    pub(crate) async fn open(
        &self,
        configuration: &Configuration,
        location: Location,
        old: Vec<Key>,
    ) -> Result<State, Failure> {
        let mut keys = crate::keys::keys(&self.home, configuration)?;
        keys.open.extend(old);
        Ok(bimetal_state::open(location, keys, Arc::new(System)).await?)
    }

    /// The host with every provider that the configuration may use, and what it must know of the state.
    pub(crate) fn host(
        &self,
        configuration: &Configuration,
        lock: &Lock,
        keep: Arc<dyn Keep>,
        snapshot: &Snapshot,
    ) -> Result<Arc<Host>, Failure> {
        let host = Host::new(HostOptions {
            cache_dir: directory("XDG_CACHE_HOME", ".cache")?,
            root: self.root.clone(),
            notify: self.progress.clone(),
            keep,
            registries: crate::providers::registries(configuration)?,
            recording: None,
        })?;
        crate::providers::add(&host, configuration, snapshot, lock, &self.places)?;
        let used = crate::providers::used([&*configuration.desired.module]);
        self.warn(&self.places.warnings(&used), &configuration.files);
        host.learn(snapshot);
        Ok(Arc::new(host))
    }
}

/// The engine's own secrets are kept in the state.
pub(crate) struct InState(pub(crate) Arc<State>);

#[async_trait::async_trait]
impl Keep for InState {
    async fn secret(&self, name: &str) -> Result<Option<Vec<u8>>, Fault> {
        self.0.secret(name).await.map_err(|error| Fault::new(Code::Invalid, error.to_string()))
    }

    async fn keep_secret(&self, name: &str, secret: &[u8]) -> Result<Vec<u8>, Fault> {
        self.0.keep_secret(name, secret).await.map_err(|error| Fault::new(Code::Invalid, error.to_string()))
    }
}

/// Whether this is a Bimetal that the configuration wants.
pub(crate) fn check_version(desired: &Desired, files: &[SourceFile]) -> Result<(), Failure> {
    let Some((wanted, span)) = &desired.module.settings.required_version else { return Ok(()) };
    let here = env!("CARGO_PKG_VERSION");
    let error = match fits(wanted, here) {
        Ok(true) => return Ok(()),
        Ok(false) => Diagnostic::error(format!("this is Bimetal {here}, and the configuration wants `{wanted}`"))
            .hint("use a version that fits, or widen `required_version`"),
        Err(error) => error,
    };
    Err(Failure::new(vec![error.at(span)], files))
}

/// Bimetal's folder below the one that the variable names, or below the home.
pub(crate) fn directory(variable: &str, below_home: &str) -> Result<PathBuf, Failure> {
    if let Some(base) = std::env::var_os(variable).filter(|base| !base.is_empty()) {
        return Ok(PathBuf::from(base).join("bimetal"));
    }
    match std::env::home_dir() {
        Some(home) => Ok(home.join(below_home).join("bimetal")),
        None => Err(Diagnostic::error("there is no home folder").hint(format!("set `HOME` or `{variable}`")).into()),
    }
}
