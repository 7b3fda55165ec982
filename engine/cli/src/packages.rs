//! Modules from elsewhere: fetched, and put where the configuration looks for them.

mod artifacts;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bimetal_config::lock::LockedModule;
use bimetal_config::module::{PACKAGES, Settings};
use bimetal_config::{Given, Scope, SourceFile, Wanted, package_of};
use bimetal_host::registry::Registries;
use bimetal_model::Diagnostic;
use bimetal_model::diagnostic::has_errors;
use bimetal_sources::trust::{Pattern, Signatures, Signers};
use bimetal_sources::want::Ask;
use bimetal_sources::{Git, Locked, Options, Source, Trust, fetch};

use crate::configuration::{read_lock, read_sources_from};
use crate::failure::{Failure, io};
use crate::providers;
use crate::session::{Session, directory};
pub(crate) use artifacts::OfRegistries;

/// What is locked, by source and wanted version.
pub(crate) type LockedModules = BTreeMap<(String, Option<String>), LockedModule>;

/// A package, and what is locked of it.
type Asked = (bimetal_sources::Wanted, Option<Locked>);

/// A configuration's files, with those of modules from elsewhere, and what the lock file should have of these.
pub(crate) struct Brought {
    pub(crate) sources: Vec<SourceFile>,
    pub(crate) modules: LockedModules,
}

/// Whom to ask for packages.
#[derive(Clone, Copy)]
pub(crate) struct Asking<'a> {
    pub(crate) ask: Ask,
    /// The source of a package whose lock does not count.
    pub(crate) anew: Option<&'a str>,
}

impl From<Ask> for Asking<'_> {
    fn from(ask: Ask) -> Self {
        Asking { ask, anew: None }
    }
}

/// A folder with a configuration, and what is said of its variables.
pub(crate) struct Wanting<'a> {
    pub(crate) session: &'a Session,
    /// Below the root; empty for that.
    pub(crate) folder: &'a str,
    pub(crate) given: &'a Given,
    pub(crate) asking: Asking<'a>,
}

impl Wanting<'_> {
    /// Reads what is there, brings what it calls, and reads that, until nothing is missing.
    pub(crate) async fn bring(&self) -> Result<Brought, Failure> {
        let root = &self.session.root;
        let (mut ready, mut modules) = (BTreeSet::new(), LockedModules::new());
        loop {
            let sources = read_sources_from(root, self.folder, &ready)?;
            let open = self.open(&sources, &ready)?;
            if open.is_empty() {
                return Ok(Brought { sources, modules });
            }
            self.place(&sources, &open, &mut modules).await?;
            ready.extend(open.into_keys());
        }
    }

    /// As [`Wanting::bring`], where the files themselves are known.
    pub(crate) async fn bring_for(&self, sources: &[SourceFile]) -> Result<(), Failure> {
        let open = self.open(sources, &BTreeSet::new())?;
        self.place(sources, &open, &mut LockedModules::new()).await
    }

    /// The packages that are called for and not there yet.
    fn open(&self, sources: &[SourceFile], ready: &BTreeSet<String>) -> Result<BTreeMap<String, Wanted>, Failure> {
        // Most configurations call for none: nothing has to be evaluated to see that.
        let (modules, _) = match bimetal_config::calls(sources) {
            true => bimetal_config::modules(sources, self.folder),
            false => return Ok(BTreeMap::new()),
        };
        let calls = modules.values().flat_map(|module| module.calls.values());
        if !calls.into_iter().any(|call| package_of(&call.folder).is_some()) {
            return Ok(BTreeMap::new());
        }
        let Some(root) = modules.get(self.folder) else { return Ok(BTreeMap::new()) };
        let outside = self.session.outside(sources.to_vec(), self.folder);
        let (mut variables, _) = bimetal_config::values(root, self.given.clone(), &outside);
        variables.retain(|_, value| value.is_wholly_known());
        let scope = Scope { variables: Arc::new(variables), ..Scope::new(outside) };
        let (wanted, diagnostics) = bimetal_config::packages(&modules, &scope);
        if has_errors(&diagnostics) {
            return Err(Failure::new(diagnostics, sources));
        }
        Ok(wanted.into_iter().filter(|(key, _)| !ready.contains(key)).collect())
    }

    /// How registries are reached, if one may be asked. Modules are missing here: what follows from variables and locals counts, as
    /// it does anywhere.
    fn registries(&self, sources: &[SourceFile], asked: &[Asked]) -> Result<Registries, Failure> {
        let is_artifact = |(wanted, _): &Asked| matches!(wanted.source, Source::Artifact { .. });
        if self.asking.ask == Ask::Nobody || !asked.iter().any(is_artifact) {
            return Ok(Registries::of_docker());
        }
        let outside = self.session.outside(sources.to_vec(), self.folder);
        let (desired, _) = bimetal_config::desired(sources.to_vec(), self.given.clone(), outside);
        providers::registries_of(&desired, sources)
    }

    /// Fetches packages, and links them into their places.
    async fn place(
        &self,
        sources: &[SourceFile],
        open: &BTreeMap<String, Wanted>,
        modules: &mut LockedModules,
    ) -> Result<(), Failure> {
        if open.is_empty() {
            return Ok(());
        }
        let lock = read_lock(&self.session.root)?;
        let (root, _) = bimetal_config::parse(sources, self.folder);
        let mut asked = Vec::new();
        for wanted in open.values() {
            let source = source(wanted).map_err(|error| Failure::new(vec![error.at(&wanted.span)], sources))?;
            let key = (source.to_string(), wanted.version.clone());
            let counts = self.asking.anew != Some(&*key.0);
            let locked = lock.modules.get(&key).filter(|_| counts).map(locked);
            asked.push((bimetal_sources::Wanted { source, version: wanted.version.clone() }, locked));
        }
        let git = Git::default();
        let artifacts = OfRegistries::new(self.registries(sources, &asked)?);
        let options = Options {
            cache: directory("XDG_CACHE_HOME", ".cache")?,
            ask: self.asking.ask,
            trust: trust(&self.session.root, &root.settings)?,
            git,
            http: &bimetal_host::client::builder,
            artifacts: &artifacts,
            notify: &*self.session.progress,
        };
        let fetched = fetch(&asked, &options).await;
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        for (((key, wanted), (asked, _)), fetched) in open.iter().zip(&asked).zip(fetched) {
            match fetched {
                Ok(package) => {
                    link(&self.session.root, key, &package.folder)?;
                    let name = (asked.source.to_string(), wanted.version.clone());
                    modules.insert(name, to_lock(package.locked));
                    warnings.extend(package.unasked);
                }
                Err(error) => errors.push(error.at(&wanted.span)),
            }
        }
        self.session.warn(&warnings, sources);
        if errors.is_empty() { Ok(()) } else { Err(Failure::new(errors, sources)) }
    }
}

/// What a text names; local paths have been told apart before.
fn source(wanted: &Wanted) -> Result<Source, Diagnostic> {
    let no_source = |why: String| {
        Diagnostic::error(format!("`{}` is no source of a module", wanted.source))
            .because(why)
            .hint("a repository is `git::https://…/name.git//folder?ref=v1.2.0`, a folder beside is `./name`")
    };
    let local = || no_source("it is a path on this machine".to_owned());
    Source::parse(&wanted.source).map_err(no_source)?.ok_or_else(local)
}

fn locked(module: &LockedModule) -> Locked {
    let LockedModule { version, reference, commit, hash } = module.clone();
    Locked { version, commit, reference, hash }
}

fn to_lock(locked: Locked) -> LockedModule {
    let Locked { version, commit, reference, hash } = locked;
    LockedModule { version, reference, commit, hash }
}

/// What the `bimetal` blocks trust.
pub(crate) fn trust(root: &Path, settings: &Settings) -> Result<Trust, Failure> {
    let allowed_sources = settings.allowed_sources.as_ref();
    let mut signatures = Vec::new();
    for signed in &settings.signed {
        let signers = match &signed.allowed_signers {
            Some(path) => {
                Signers::Ssh(std::fs::read_to_string(root.join(path)).map_err(io(&format!("reading `{path}`")))?)
            }
            None => Signers::OfGit,
        };
        let needed = if signed.of_tags { Signatures::Tags(signers) } else { Signatures::Commits(signers) };
        signatures.push((Pattern::new(&*signed.sources), needed));
    }
    Ok(Trust { allowed_sources: allowed_sources.map(|all| all.iter().map(Pattern::new).collect()), signatures })
}

/// Puts a package where modules are looked for. Whoever looks meanwhile finds the old one or the new one.
fn link(root: &Path, key: &str, folder: &Path) -> Result<(), Failure> {
    let place = root.join(PACKAGES).join(key);
    if std::fs::read_link(&place).is_ok_and(|there| there == folder) {
        return Ok(());
    }
    let doing = format!("putting a module into `{PACKAGES}/{key}`");
    std::fs::create_dir_all(root.join(PACKAGES)).map_err(io(&doing))?;
    let aside = root.join(PACKAGES).join(format!(".{key}.{}", std::process::id()));
    let _ = std::fs::remove_file(&aside);
    std::os::unix::fs::symlink(folder, &aside).map_err(io(&doing))?;
    std::fs::rename(&aside, &place).map_err(io(&doing))
}
