//! A world of its own for each test: a home, a cache, a folder of repositories. Nobody's settings but its own count.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use async_trait::async_trait;
use bimetal_model::Diagnostic;
use bimetal_model::event::{Event, Notify};
use bimetal_sources::{Ask, FetchArtifact, Git, Layer, Locked, Options, Package, Source, Trust, Wanted, fetch};
use tempfile::TempDir;

use crate::history::History;

/// What one fetch brought.
pub(crate) type Fetched = Result<Package, Diagnostic>;

pub(crate) struct World {
    folder: TempDir,
    pub(crate) trust: Trust,
    git: Git,
    /// Addresses that differ from run to run, and what they are shown as.
    shown: Mutex<Vec<(String, &'static str)>>,
    pub(crate) busy: Busy,
    pub(crate) artifacts: Artifacts,
    pub(crate) authority: Option<reqwest::Certificate>,
}

/// What was told to be fetched.
#[derive(Default)]
pub(crate) struct Busy(pub(crate) Mutex<Vec<String>>);

impl Notify for Busy {
    fn notify(&self, event: Event) {
        if let Event::Busy { message } = event {
            self.0.lock().unwrap().push(message);
        }
    }
}

/// A registry that has one artifact at most.
#[derive(Default)]
pub(crate) struct Artifacts(pub(crate) Mutex<Option<(String, Layer)>>);

#[async_trait]
impl FetchArtifact for Artifacts {
    async fn tags(&self, repository: &str) -> Result<Vec<String>, Diagnostic> {
        let kept = self.0.lock().unwrap();
        let tag = |(name, _): &(String, Layer)| Some(name.strip_prefix(repository)?.strip_prefix(':')?.to_owned());
        Ok(kept.as_ref().and_then(tag).into_iter().collect())
    }

    async fn layer(&self, reference: &str, _: u64) -> Result<Layer, Diagnostic> {
        let kept = self.0.lock().unwrap();
        let found = kept.as_ref().filter(|(name, _)| name == reference).map(|(_, layer)| layer.clone());
        found.ok_or_else(|| Diagnostic::error(format!("`{reference}` is not in the registry")))
    }
}

impl World {
    pub(crate) fn new() -> World {
        World::at(tempfile::tempdir().unwrap())
    }

    fn at(folder: TempDir) -> World {
        let home = folder.path().join("home");
        for name in ["home", "served", "cache"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let git = settings(&home).into_iter().fold(Git::default(), |git, (name, value)| git.with(name, value));
        let shown = Mutex::new(vec![(folder.path().display().to_string(), "WORLD")]);
        let (busy, artifacts) = (Busy::default(), Artifacts::default());
        World { folder, trust: Trust::default(), git, shown, busy, artifacts, authority: None }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new repository that servers have.
    pub(crate) fn history(&self, name: &str) -> History {
        History::begin(&self.path("served").join(name), settings(&self.path("home")))
    }

    pub(crate) fn git(&self) -> &Git {
        &self.git
    }

    /// Runs git as the user would.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.git = self.git.clone().with(name, value);
    }

    /// In the user's own settings.
    pub(crate) fn configure(&self, text: &str) {
        std::fs::write(self.path("home/.gitconfig"), text).unwrap();
    }

    /// An address that differs from run to run.
    pub(crate) fn show(&self, address: &str, shown: &'static str) {
        self.shown.lock().unwrap().push((address.to_owned(), shown));
    }

    /// Another user's machine: an empty cache.
    pub(crate) fn forget(&self) {
        std::fs::remove_dir_all(self.path("cache")).unwrap();
    }

    pub(crate) fn fetch_all(&self, wanted: &[(Wanted, Option<Locked>)], ask: Ask) -> Vec<Fetched> {
        self.run(ask, async |options| fetch(wanted, options).await)
    }

    /// Begins to fetch, and goes when this is over. Whatever goes on aside is waited for.
    pub(crate) fn give_up(&self, source: &str, until: impl FnOnce() + Send) {
        let wanted = [(wanted(source, None), None)];
        std::thread::scope(|scope| {
            let (over, is_over) = tokio::sync::oneshot::channel();
            scope.spawn(move || {
                until();
                over.send(())
            });
            self.run(Ask::WhereMissing, async |options| {
                tokio::select! {
                    _ = fetch(&wanted, options) => panic!("nobody answers"),
                    over = is_over => over.unwrap(),
                }
            });
        });
    }

    fn run<T>(&self, ask: Ask, work: impl AsyncFnOnce(&Options<'_>) -> T) -> T {
        let http = || match &self.authority {
            Some(authority) => reqwest::Client::builder().tls_certs_only([authority.clone()]),
            None => panic!("no test fetches archives without an authority"),
        };
        let options = Options {
            cache: self.path("cache"),
            ask,
            trust: self.trust.clone(),
            git: self.git.clone(),
            http: &http,
            artifacts: &self.artifacts,
            notify: &self.busy,
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(work(&options))
    }

    pub(crate) fn fetch(&self, source: &str, version: Option<&str>, locked: Option<&Locked>, ask: Ask) -> Fetched {
        self.fetch_all(&[(wanted(source, version), locked.cloned())], ask).remove(0)
    }

    /// Without a lock.
    pub(crate) fn get(&self, source: &str) -> Fetched {
        self.fetch(source, None, None, Ask::WhereMissing)
    }

    /// What a user would read.
    pub(crate) fn said(&self, fetched: &Fetched) -> String {
        let text = match fetched {
            Ok(package) => format!("{} {:?}", package.folder.display(), package.locked),
            Err(error) => told(error),
        };
        self.shown.lock().unwrap().iter().fold(text, |text, (address, shown)| text.replace(address, shown))
    }
}

pub(crate) fn told(error: &Diagnostic) -> String {
    let hint = error.hint.as_ref().map(|hint| format!("hint: {hint}"));
    let lines = [Some(error.summary.clone()), Some(error.detail.clone()), hint];
    lines.into_iter().flatten().filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

pub(crate) fn wanted(source: &str, version: Option<&str>) -> Wanted {
    Wanted { source: Source::parse(source).unwrap().unwrap(), version: version.map(str::to_owned) }
}

/// The environment of each git that runs here.
pub(crate) fn settings(home: &Path) -> Vec<(String, String)> {
    let home = home.display().to_string();
    [
        ("HOME", home.as_str()),
        ("XDG_CONFIG_HOME", &home),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "Alice"),
        ("GIT_AUTHOR_EMAIL", "alice@example.org"),
        ("GIT_COMMITTER_NAME", "Alice"),
        ("GIT_COMMITTER_EMAIL", "alice@example.org"),
        ("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z"),
        ("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// A program that has to succeed.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}
