//! The repository that a configuration lies in: which commit it is, whether it is clean, and what other commits hold.
//!
//! Nothing here writes to the repository or its working tree, and nothing of its hooks runs.

mod extracting;
mod revision;
mod status;

use std::path::{Component, Path, PathBuf};

use bimetal_model::Diagnostic;

pub use extracting::Extracted;
pub use revision::{Commit, Distance};
pub use status::{Changed, Scope};

use crate::git::{Answer, Git, told};

/// A repository, seen from a folder in it. Worktrees, bare and shallow repositories are some, too.
#[derive(Clone, Debug)]
pub struct Repository {
    git: Git,
    /// What `--git-dir` is given.
    folder: PathBuf,
    /// Bare ones have none.
    work_tree: Option<PathBuf>,
    prefix: String,
}

impl Repository {
    /// The one that a folder lies in, if it lies in any. Git is only run where it seems so.
    pub fn of(git: &Git, folder: &Path) -> Result<Option<Repository>, Diagnostic> {
        if !seems_inside(folder) {
            return Ok(None);
        }
        if is_bare(folder) {
            return Ok(Some(Repository {
                git: git.clone(),
                folder: absolute(folder)?,
                work_tree: None,
                prefix: String::new(),
            }));
        }
        let mut command = git.command();
        // A repository that lies among the files of another one might be anybody's, and its settings name programs.
        command.args(["-c", "safe.bareRepository=explicit"]).arg("-C").arg(folder);
        command.args(["rev-parse", "--is-inside-work-tree", "--absolute-git-dir", "--show-prefix"]);
        let answer = git.ask(command)?;
        match answer.worked {
            true => Repository::told_by(git, folder, &answer).map(Some),
            false if answer.complaint.contains("not a git repository") => Ok(None),
            false => Err(told(format!("git can't read the repository of `{}`", folder.display()), &answer)),
        }
    }

    /// Reads what `rev-parse` says, a line for each question.
    fn told_by(git: &Git, folder: &Path, answer: &Answer) -> Result<Repository, Diagnostic> {
        let text = String::from_utf8_lossy(&answer.output);
        let mut lines = text.split('\n');
        let is_inside = lines.next() == Some("true");
        let place = PathBuf::from(lines.next().unwrap_or_default());
        if !is_inside {
            return Ok(Repository { git: git.clone(), folder: place, work_tree: None, prefix: String::new() });
        }
        let prefix = lines.next().unwrap_or_default().trim_end_matches('/').to_owned();
        let work_tree = Some(root_of(folder, &prefix)?);
        Ok(Repository { git: git.clone(), folder: place, work_tree, prefix })
    }

    /// The folder that it was seen from, below its root: `env/prod`; empty for the root and in bare ones.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Where its files are; a bare one has none.
    pub fn root(&self) -> Option<&Path> {
        self.work_tree.as_deref()
    }

    /// Where it comes from, without what might be a password: `origin`, or the only remote that there is.
    pub fn origin(&self) -> Result<Option<String>, Diagnostic> {
        let answer = self.ask(&["config", "--get-regexp", "^remote\\..*\\.url$"])?;
        let text = answer.text();
        let remotes: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once(' ')).collect();
        let origin = remotes.iter().find(|(name, _)| *name == "remote.origin.url");
        let found = origin.or(remotes.first().filter(|_| remotes.len() == 1));
        let base = self.work_tree.as_deref().unwrap_or(&self.folder);
        Ok(found.map(|(_, url)| without_credentials(&from_anywhere(base, url))))
    }

    fn ask(&self, words: &[&str]) -> Result<Answer, Diagnostic> {
        let mut command = self.git.in_repository(&self.folder);
        match &self.work_tree {
            Some(root) => command.arg("-C").arg(root).arg("--work-tree").arg(root),
            None => &mut command,
        };
        command.args(words);
        self.git.ask(command)
    }

    /// The output of a command that has to work.
    fn text(&self, words: &[&str]) -> Result<String, Diagnostic> {
        let answer = self.ask(words)?;
        match answer.worked {
            true => Ok(answer.text()),
            false => Err(told(format!("git can't read the repository `{}`", self.folder.display()), &answer)),
        }
    }
}

fn root_of(folder: &Path, prefix: &str) -> Result<PathBuf, Diagnostic> {
    let folder = absolute(folder)?;
    let depth = prefix.split('/').filter(|name| !name.is_empty()).count();
    Ok(folder.ancestors().nth(depth).unwrap_or(&folder).to_owned())
}

/// Whether there is a `.git` above, or this is one itself.
fn seems_inside(folder: &Path) -> bool {
    let Ok(folder) = folder.canonicalize() else { return false };
    folder.ancestors().any(|above| above.join(".git").exists() || is_bare(above))
}

/// Whether a folder is a repository itself, and not a checkout of one.
fn is_bare(folder: &Path) -> bool {
    folder.join("HEAD").is_file() && folder.join("objects").is_dir() && folder.join("refs").is_dir()
}

fn absolute(folder: &Path) -> Result<PathBuf, Diagnostic> {
    folder.canonicalize().map_err(|error| Diagnostic::error(format!("`{}` can't be read: {error}", folder.display())))
}

/// A path that leads on from the repository, as one that does not: seen from elsewhere, it would lead elsewhere.
fn from_anywhere(base: &Path, url: &str) -> String {
    if !url.starts_with("./") && !url.starts_with("../") {
        return url.to_owned();
    }
    resolved(base, Path::new(url)).display().to_string()
}

/// A path seen from a base, without `.` and `..`: what stands before a `..` is gone, even if it is a link.
pub fn resolved(base: &Path, path: &Path) -> PathBuf {
    let mut place = base.to_owned();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(place.pop()),
            Component::Normal(name) => place.push(name),
            Component::RootDir => place = PathBuf::from("/"),
            Component::CurDir | Component::Prefix(_) => {}
        }
    }
    place
}

/// A remote's URL as it may be shown and stored: what stands before an `@` may be a token, but not in SSH's.
fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
    match (scheme, user.split(':').next().unwrap_or_default()) {
        ("ssh", user) if !user.is_empty() => format!("{scheme}://{user}@{host}{path}"),
        _ => format!("{scheme}://{host}{path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remote_is_shown_without_credentials() {
        for (url, shown) in [
            ("https://alice:secret@a.b/c.git", "https://a.b/c.git"),
            ("https://ghp_token@a.b/c.git", "https://a.b/c.git"),
            ("https://x:p@ss@a.b/c@d.git", "https://a.b/c@d.git"),
            ("ssh://git:secret@a.b:22/c.git", "ssh://git@a.b:22/c.git"),
            ("git@a.b:c.git", "git@a.b:c.git"),
            ("/srv/c.git", "/srv/c.git"),
        ] {
            assert_eq!(without_credentials(url), shown);
        }
    }

    #[test]
    fn a_remote_beside_is_the_same_one_from_everywhere() {
        for (url, shown) in [
            ("../c.git", "/srv/team/c.git"),
            ("./c.git", "/srv/team/infra/c.git"),
            ("../../c.git/", "/srv/c.git"),
            ("/srv/../c.git", "/srv/../c.git"),
            ("https://a.b/../c.git", "https://a.b/../c.git"),
            ("git@a.b:../c.git", "git@a.b:../c.git"),
        ] {
            assert_eq!(from_anywhere(Path::new("/srv/team/infra"), url), shown);
        }
    }
}
