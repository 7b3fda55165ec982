//! A commit as a configuration to work with: its tree in a folder of its own, beside what is checked out.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bimetal_host::registry::Registries;
use bimetal_model::Diagnostic;
use bimetal_model::snapshot::{Origin, short_commit};
use bimetal_sources::want::Ask;
use bimetal_sources::{Git, Options, Repository, Source, Trust, Wanted, fetch};

use crate::failure::{Failure, io};
use crate::packages::OfRegistries;
use crate::providers::Places;
use crate::session::{Session, directory};

/// Bimetal's own folder in a configuration's.
const OWN: &str = ".bimetal";

/// Where providers lie in it that somebody put there.
const PLUGINS: &str = "plugins";

/// The session itself, or one over the revision or the source that somebody names.
pub(crate) async fn chosen(
    session: &Session,
    revision: Option<&str>,
    source: Option<&str>,
) -> Result<Session, Failure> {
    match (revision, source) {
        (Some(revision), _) => of_revision(session, revision),
        (None, Some(source)) => {
            let no_source = |why: String| Diagnostic::error(format!("`{source}` is no source")).because(why);
            match Source::parse(source).map_err(no_source)? {
                Some(source) => of_source(session, source, Ask::ForNewer).await,
                None => Err(no_source("it is a path: `--chdir` names a folder".to_owned()).into()),
            }
        }
        (None, None) => Ok(session.clone()),
    }
}

/// As [`chosen`], for a plan that was made so: of a source, or of a commit, where that is at hand.
pub(crate) async fn as_planned(
    session: &Session,
    commit: Option<&str>,
    source: Option<&str>,
) -> Result<Session, Failure> {
    if let Some(source) = source {
        return chosen(session, None, Some(source)).await;
    }
    let Some(commit) = commit else { return Ok(session.clone()) };
    let here = Repository::of(&Git::default(), &session.root)?;
    match here.is_some_and(|repository| repository.resolve(commit).is_ok()) {
        true => of_revision(session, commit),
        false => Ok(session.clone()),
    }
}

/// As a revision was made, where its commit is at hand or can be fetched: the files that functions read are those of then.
pub(crate) async fn as_then(session: &Session, origin: Option<&Origin>) -> Result<Session, Failure> {
    let Some(origin) = origin.filter(|origin| !origin.dirty) else { return Ok(session.clone()) };
    let here = Repository::of(&Git::default(), &session.root)?;
    if here.is_some_and(|repository| repository.resolve(&origin.commit).is_ok()) {
        return of_revision(session, &origin.commit);
    }
    match again(origin).and_then(|source| Source::parse(&source).ok().flatten()) {
        Some(source) => Ok(of_source(session, source, Ask::WhereMissing).await.unwrap_or_else(|_| session.clone())),
        None => Ok(session.clone()),
    }
}

/// A revision of the repository that the session's folder lies in, as a session over its tree.
pub(crate) fn of_revision(session: &Session, revision: &str) -> Result<Session, Failure> {
    let Some(repository) = Repository::of(&Git::default(), &session.root)? else {
        let error = Diagnostic::error(format!("`{}` lies in no repository", session.root.display()));
        return Err(error.because(format!("`{revision}` names a commit of one")).into());
    };
    let commit = repository.resolve(revision)?;
    let folder = new_folder(session)?;
    let tree = folder.path().join("tree");
    repository.extract(&commit, &tree)?;
    let named = |kind: &str| {
        let is_one = repository.resolve(&format!("refs/{kind}/{revision}")).is_ok_and(|found| found == commit);
        is_one.then(|| revision.to_owned())
    };
    let (branch, tag) = (named("heads"), named("tags"));
    let origin = Origin {
        repository: repository.origin()?,
        folder: repository.prefix().to_owned(),
        commit,
        branch,
        tag,
        dirty: false,
    };
    over(session, folder, &tree.join(repository.prefix()), origin)
}

/// What a source names, as a session over its tree: the state and all else is that of the session's folder.
pub(crate) async fn of_source(session: &Session, source: Source, ask: Ask) -> Result<Session, Failure> {
    let artifacts = OfRegistries::new(Registries::of_docker());
    let options = Options {
        cache: directory("XDG_CACHE_HOME", ".cache")?,
        ask,
        trust: Trust::default(),
        git: Git::default(),
        http: &bimetal_host::client::builder,
        artifacts: &artifacts,
        notify: &*session.progress,
    };
    let wanted = Wanted { source: source.clone(), version: None };
    let package = fetch(&[(wanted, None)], &options).await.pop();
    session.progress.clear();
    let package = package.unwrap_or_else(|| Err(Diagnostic::error(format!("`{source}` was not fetched"))))?;
    let folder = new_folder(session)?;
    let tree = folder.path().join("tree");
    copy(&package.tree, &tree).map_err(io(&format!("copying `{source}`")))?;
    let below = source.folder().as_str().to_owned();
    let locked = package.locked;
    let origin = Origin {
        repository: Some(match &source {
            Source::Git { url, .. } => url.to_string(),
            Source::Archive { url, .. } => url.to_string(),
            Source::Artifact { reference, .. } => format!("oci://{reference}"),
        }),
        folder: below.clone(),
        commit: locked.commit.unwrap_or(locked.hash),
        branch: None,
        tag: locked.reference,
        dirty: false,
    };
    let there = over(session, folder, &tree.join(below), origin)?;
    let pinned = there.origin.as_deref().and_then(again).unwrap_or_else(|| source.to_string());
    Ok(Session { source: Some(pinned), ..there })
}

/// The commit as a source that can be fetched again. What is no repository's has a hash in its place.
fn again(origin: &Origin) -> Option<String> {
    let url = origin.repository.as_ref().filter(|_| !origin.commit.contains(':'))?;
    let below = if origin.folder.is_empty() { String::new() } else { format!("//{}", origin.folder) };
    Some(format!("git::{url}{below}?ref={}", origin.commit))
}

fn new_folder(session: &Session) -> Result<tempfile::TempDir, Failure> {
    let own = session.root.join(OWN);
    let make = || {
        std::fs::create_dir_all(&own)?;
        tempfile::Builder::new().prefix("commit-").tempdir_in(&own)
    };
    make().map_err(io(&format!("making a folder in `{}`", own.display())))
}

/// The state is that of the session's own folder.
fn over(session: &Session, folder: tempfile::TempDir, root: &Path, origin: Origin) -> Result<Session, Failure> {
    if !root.is_dir() {
        let commit = short_commit(&origin.commit);
        let error = Diagnostic::error(format!("there is no folder `{}` in commit {commit}", origin.folder));
        return Err(error.hint("name one that was there then").into());
    }
    let doing = format!("making a place for commit {}", origin.commit);
    let own = root.join(OWN);
    if own.symlink_metadata().is_ok() {
        let error = Diagnostic::error(format!("commit {} has a folder `{OWN}`", origin.commit));
        return Err(error.hint("that is Bimetal's own: it does not belong into a repository").into());
    }
    make_own(&own, &session.root.join(OWN)).map_err(io(&doing))?;
    let root = root.canonicalize().map_err(io(&doing))?;
    Ok(Session {
        home: session.home.clone(),
        state: session.state.clone(),
        json: session.json,
        asks: session.asks,
        progress: session.progress.clone(),
        lent: session.lent.clone(),
        places: Arc::new(Places::read(&root)?),
        source: None,
        origin: Some(Box::new(origin)),
        _kept: Some(Arc::new(folder)),
        root,
    })
}

/// A commit has a place for its own modules, which may be others than those of what is checked out. Plugins are in no commit.
fn make_own(own: &Path, here: &Path) -> std::io::Result<()> {
    std::fs::create_dir(own)?;
    let plugins = here.join(PLUGINS);
    if plugins.is_dir() { std::os::unix::fs::symlink(plugins, own.join(PLUGINS)) } else { Ok(()) }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (kind, there): (_, PathBuf) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &there)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(std::fs::read_link(entry.path())?, there)?;
        } else {
            std::fs::copy(entry.path(), there)?;
        }
    }
    Ok(())
}
