//! Commits: the one that is checked out, those that have a name, and how far they lie apart.

use bimetal_model::Diagnostic;

use super::Repository;
use crate::source::is_id;
use crate::version;

/// A commit, with the names that it has at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// All of its digits.
    pub id: String,
    /// None where a commit is checked out, and no branch.
    pub branch: Option<String>,
    /// The one with the highest version, of several.
    pub tag: Option<String>,
}

/// How far one commit is from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Distance {
    /// Commits that the first one has alone.
    pub ahead: usize,
    /// Commits that the second one has alone.
    pub behind: usize,
}

impl Repository {
    /// What is checked out. Nothing, where nothing was committed yet.
    pub fn head(&self) -> Result<Option<Commit>, Diagnostic> {
        let answer = self.ask(&["rev-parse", "--verify", "--quiet", "HEAD^{commit}"])?;
        let id = answer.text();
        if !answer.worked || !is_id(&id) {
            return Ok(None);
        }
        let branch = self.ask(&["symbolic-ref", "--quiet", "--short", "HEAD"])?;
        let branch = Some(branch.text()).filter(|name| branch.worked && !name.is_empty());
        let tags =
            self.text(&["for-each-ref", "--format=%(refname:lstrip=2)", &format!("--points-at={id}"), "refs/tags"])?;
        let tag = tags.lines().max_by_key(|tag| (version::of_tag(tag), *tag)).map(str::to_owned);
        Ok(Some(Commit { id, branch, tag }))
    }

    /// The commit that a revision names: a branch, a tag, an id or its beginning, `main~2`.
    pub fn resolve(&self, revision: &str) -> Result<String, Diagnostic> {
        let is_odd = revision.is_empty() || revision.starts_with(['-', ':']) || revision.contains("..");
        if is_odd || revision.chars().any(|c| c.is_control()) {
            return Err(Diagnostic::error(format!("`{}` names no commit", revision.escape_debug()))
                .hint("a revision is a branch, a tag or a commit"));
        }
        let wanted = format!("{revision}^{{commit}}");
        let answer = self.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])?;
        let id = answer.text();
        if answer.worked && is_id(&id) {
            return Ok(id);
        }
        let error = Diagnostic::error(format!("there is no commit `{revision}` in this repository"));
        Err(match self.is_shallow()? {
            true => error.hint("it is a shallow clone: `git fetch --unshallow` brings the rest"),
            false => error.hint("`git fetch --tags` may bring it"),
        })
    }

    /// How far `from` is from `to`. Nothing, where no history that is here joins them: in a shallow clone, or with unrelated
    /// histories.
    pub fn distance(&self, from: &str, to: &str) -> Result<Option<Distance>, Diagnostic> {
        let (from, to) = (self.resolve(from)?, self.resolve(to)?);
        if !self.ask(&["merge-base", &from, &to])?.worked {
            return Ok(None);
        }
        let counts = self.text(&["rev-list", "--left-right", "--count", &format!("{from}...{to}"), "--"])?;
        let counts =
            counts.split_once('\t').and_then(|(ahead, behind)| Some((ahead.parse().ok()?, behind.parse().ok()?)));
        Ok(counts.map(|(ahead, behind)| Distance { ahead, behind }))
    }

    /// The last commit that two have in common.
    pub fn merge_base(&self, one: &str, other: &str) -> Result<String, Diagnostic> {
        let (first, second) = (self.resolve(one)?, self.resolve(other)?);
        let answer = self.ask(&["merge-base", &first, &second])?;
        let base = answer.text();
        if answer.worked && is_id(&base) {
            return Ok(base);
        }
        let error = Diagnostic::error(format!("`{one}` and `{other}` have no commit in common"));
        Err(match self.is_shallow()? {
            true => error.hint("it is a shallow clone: `git fetch --unshallow` brings the rest"),
            false => error.hint(format!("`{one}..{other}` compares them as they are")),
        })
    }

    /// Whether its history is cut off.
    pub fn is_shallow(&self) -> Result<bool, Diagnostic> {
        Ok(self.text(&["rev-parse", "--is-shallow-repository"])? == "true")
    }
}
