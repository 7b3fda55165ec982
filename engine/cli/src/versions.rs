//! Versions of a configuration that are compared: which they are, read and planned each by itself, and what is wrong in which.

use std::sync::Arc;

use bimetal_config::SourceFile;
use bimetal_config::lock::Lock;
use bimetal_model::snapshot::{Origin, Snapshot, short_commit};
use bimetal_model::{Diagnostic, Diagnostics};
use bimetal_plan::{Mode, Version as Wanted};
use bimetal_refresh::Calls;
use bimetal_sources::want::Ask;
use bimetal_sources::{Git, Repository, Source};
use bimetal_state::State;

use crate::arguments::Variables;
use crate::configuration::read_lock;
use crate::exported::Nowhere;
use crate::failure::Failure;
use crate::session::{Configuration, Session};
use crate::view::{of_revision, of_source};
use crate::walk::{Course, Look, Planned, World, look_and_plan};

/// What is compared where nobody says it.
const HEAD: &str = "HEAD";

/// One version, and what it is called.
pub(crate) struct Version {
    /// As it was asked for; `None`: what is here.
    name: Option<String>,
    session: Session,
}

/// A version whose configuration was read.
pub(crate) struct Read {
    pub(crate) version: Version,
    pub(crate) configuration: Configuration,
    pub(crate) lock: Lock,
    origin: Option<Box<Origin>>,
    said: Diagnostics,
}

/// A version that was planned.
pub(crate) struct Foreseen {
    pub(crate) version: Version,
    pub(crate) world: World,
    pub(crate) origin: Option<Box<Origin>>,
    pub(crate) said: Diagnostics,
    planned: Planned,
    /// Its own.
    lock: Lock,
}

/// The two versions that words name.
pub(crate) async fn chosen(session: &Session, words: &[String]) -> Result<(Version, Version), Failure> {
    let or_head = |word: &str| if word.is_empty() { HEAD.to_owned() } else { word.to_owned() };
    let (before, after) = match words {
        [] => (HEAD.to_owned(), None),
        [word] => match (is_source(word), word.split_once("..."), word.split_once("..")) {
            (false, Some((one, other)), _) => {
                let (one, other) = (or_head(one), or_head(other));
                (parting(session, &one, &other)?, Some(other))
            }
            (false, None, Some((one, other))) => (or_head(one), Some(or_head(other))),
            _ => (word.clone(), None),
        },
        [before, after, ..] => (before.clone(), Some(after.clone())),
    };
    let before = Version::named(session, before).await;
    let after = match after {
        Some(after) => Version::named(session, after).await,
        None => Ok(Version { name: None, session: session.clone() }),
    };
    both(before, after)
}

fn is_source(word: &str) -> bool {
    matches!(Source::parse(word), Ok(Some(_)))
}

/// The commit from which `after` went its own way.
fn parting(session: &Session, before: &str, after: &str) -> Result<String, Failure> {
    let Some(repository) = Repository::of(&Git::default(), &session.root)? else {
        let error = Diagnostic::error(format!("`{}` lies in no repository", session.root.display()));
        return Err(error.because(format!("`{before}...{after}` names commits of one")).into());
    };
    Ok(repository.merge_base(before, after)?)
}

/// Both, or what is wrong with either.
pub(crate) fn both<T>(before: Result<T, Failure>, after: Result<T, Failure>) -> Result<(T, T), Failure> {
    match (before, after) {
        (Ok(before), Ok(after)) => Ok((before, after)),
        (Ok(_), Err(failure)) | (Err(failure), Ok(_)) => Err(failure),
        (Err(mut failure), Err(other)) => {
            failure.diagnostics.extend(other.diagnostics);
            failure.files.extend(other.files);
            Err(failure)
        }
    }
}

/// Nobody types all of a commit's digits.
fn as_shown(name: &str) -> String {
    let is_commit = name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_commit { short_commit(name).to_owned() } else { name.to_owned() }
}

impl Version {
    async fn named(session: &Session, name: String) -> Result<Version, Failure> {
        let there = match Source::parse(&name) {
            Ok(Some(source)) => of_source(session, source, Ask::ForNewer).await?,
            // `.` names no commit either, and that is what is said of it.
            Ok(None) | Err(_) => of_revision(session, &name)?,
        };
        Ok(Version { name: Some(as_shown(&name)), session: there })
    }

    /// Reads its configuration, with its own files of variables and its own lock file.
    pub(crate) async fn read(self, variables: &Variables, planned_ms: u64) -> Result<Read, Failure> {
        match self.read_all(variables, planned_ms).await {
            Ok((configuration, lock, origin, said)) => Ok(Read { version: self, configuration, lock, origin, said }),
            Err(failure) => Err(self.told(failure)),
        }
    }

    async fn read_all(
        &self,
        variables: &Variables,
        planned_ms: u64,
    ) -> Result<(Configuration, Lock, Option<Box<Origin>>, Diagnostics), Failure> {
        let lock = read_lock(&self.session.root)?;
        let (mut configuration, said) = self.session.configuration_at(variables, planned_ms).await?;
        let module = Arc::make_mut(&mut configuration.desired.module);
        // What is taken over would have to be looked at: here it is as good as new.
        module.imports.clear();
        // What is protected may differ, too: nothing is done here.
        module.objects.values_mut().for_each(|block| block.lifecycle.prevent_destroy = false);
        Ok((configuration, lock, crate::origin::of(&self.session, false)?, said))
    }

    /// What is said of this version, with its name.
    pub(crate) fn told(&self, failure: Failure) -> Failure {
        let Failure { diagnostics, files, code } = failure;
        let place = |file: &str| match &self.name {
            Some(name) => Arc::from(format!("{name}:{file}")),
            None => Arc::from(file),
        };
        let files =
            files.into_iter().map(|SourceFile { name, text }| SourceFile { name: place(&name), text }).collect();
        let told = |mut diagnostic: Diagnostic| {
            match &mut diagnostic.span {
                Some(span) => span.file = place(&span.file),
                None => diagnostic.summary = format!("in {}: {}", self.called(), diagnostic.summary),
            }
            diagnostic
        };
        Failure { diagnostics: diagnostics.into_iter().map(told).collect(), files, code }
    }

    fn called(&self) -> String {
        self.name.as_ref().map_or_else(|| "the working tree".to_owned(), |name| format!("`{name}`"))
    }
}

impl Read {
    /// Plans it against a state, on a thread of its own. An image that its own lock file does not have is as one of these has it.
    pub(crate) async fn foresee(
        self,
        store: Arc<State>,
        snapshot: Snapshot,
        others: Vec<Lock>,
    ) -> Result<Foreseen, Failure> {
        let runtime = tokio::runtime::Handle::current();
        let planning = move || {
            let Read { version, configuration, mut lock, origin, said } = self;
            let own = lock.clone();
            for (image, index) in others.into_iter().flat_map(|other| other.images) {
                lock.images.entry(image).or_insert(index);
            }
            let planned = runtime.block_on(version.planned(configuration, lock, store, snapshot));
            match planned {
                Ok((world, planned, more)) => {
                    let said = said.into_iter().chain(more).collect();
                    Ok(Foreseen { version, world, lock: own, origin, said, planned })
                }
                Err(failure) => Err(version.told(failure)),
            }
        };
        let planned = tokio::task::spawn_blocking(planning).await;
        planned.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => unreachable!("nobody stops it: {error}"),
        })
    }
}

impl Version {
    async fn planned(
        &self,
        configuration: Configuration,
        lock: Lock,
        store: Arc<State>,
        snapshot: Snapshot,
    ) -> Result<(World, Planned, Diagnostics), Failure> {
        let host = self.session.host(&configuration, &lock, Arc::new(Nowhere), &snapshot)?;
        let lending = self.session.lent.lending(host.clone());
        let world = World { configuration, store, snapshot, host, lending, lock };
        let course = Course {
            options: Mode::Apply.into(),
            look: Look::Compare,
            parallelism: Calls::PARALLELISM,
            moves_state: false,
            notify: &*self.session.progress,
        };
        let planned = look_and_plan(&world, &course).await;
        let (planned, said) = planned.map_err(|said| Failure::new(said, &world.configuration.files))?;
        Ok((world, planned, said))
    }
}

impl Foreseen {
    /// For comparison.
    pub(crate) fn as_version(&self) -> Wanted<'_> {
        Wanted {
            desired: &self.planned.desired,
            plan: &self.planned.plan,
            lock: &self.lock,
            predict: &*self.world.host,
        }
    }

    /// The commit, as people say it.
    pub(crate) fn in_words(&self) -> String {
        self.origin.as_ref().map_or_else(|| "what is here".to_owned(), |origin| format!("commit {}", origin.in_words()))
    }
}

/// Without what protects objects whose blocks are gone: see [`Version::read`].
pub(crate) fn unprotected(mut snapshot: Snapshot) -> Snapshot {
    for stored in snapshot.objects.values_mut().filter(|stored| stored.prevent_destroy) {
        Arc::make_mut(stored).prevent_destroy = false;
    }
    snapshot
}
