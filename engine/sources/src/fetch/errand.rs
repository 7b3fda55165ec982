//! One repository, and all that is wanted of it: first what the cache has.

use std::collections::HashMap;
use std::sync::Arc;

use bimetal_model::Diagnostic;

use super::{Done, Item, Shared};
use crate::cache::{Cache, Entry, Key, cannot_keep};
use crate::git::{Scratch, Signed, verify};
use crate::source::{GitUrl, Source};
use crate::trust::{Signatures, Signers};
use crate::want::{Ask, Locked, Package, Wanted};

/// What is done of it, and what is still to do.
pub(super) struct Errand {
    pub(super) shared: Arc<Shared>,
    pub(super) url: GitUrl,
    pub(super) done: Done,
    /// What a server has to be asked for.
    pub(super) open: Vec<Item>,
    found: HashMap<String, Entry>,
    verified: HashMap<(String, Option<String>, Signatures), Result<(), Diagnostic>>,
}

/// Which commit one thing that is wanted is.
#[derive(Clone, Debug)]
pub(super) struct Choice {
    pub(super) commit: String,
    /// The short name of the tag, where it is known to be one.
    pub(super) tag: Option<String>,
    pub(super) locked: Option<Locked>,
}

impl Choice {
    /// What the lock file says, if it says which commit.
    fn of_lock(item: &Item) -> Option<Choice> {
        let locked = item.locked.clone()?;
        let tag = locked.reference.as_deref().map(|name| short_tag(name).to_owned());
        Some(Choice { commit: locked.commit.clone()?, tag, locked: Some(locked) })
    }
}

/// Takes what is locked from the cache.
pub(super) fn begin(shared: Arc<Shared>, url: GitUrl, items: Vec<Item>) -> Errand {
    let (found, verified) = (HashMap::new(), HashMap::new());
    let mut errand = Errand { shared, url, done: Done::new(), open: Vec::new(), found, verified };
    for item in items {
        match errand.cached(&item) {
            Ok(Some(package)) => errand.done.push((item.index, Ok(package))),
            Ok(None) => errand.open.push(item),
            Err(error) => errand.done.push((item.index, Err(error))),
        }
    }
    errand
}

impl Errand {
    /// Whether nobody has to be asked.
    pub(super) fn is_done(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn cache(&self) -> &Cache {
        &self.shared.cache
    }

    /// The tree of a commit, if it is there.
    pub(super) fn entry(&mut self, commit: &str) -> Result<Option<Entry>, Diagnostic> {
        if let Some(entry) = self.found.get(commit) {
            return Ok(Some(entry.clone()));
        }
        let entry = self.shared.cache.find(&Key::Commit(commit.to_owned()))?;
        self.found.extend(entry.clone().map(|entry| (commit.to_owned(), entry)));
        Ok(entry)
    }

    /// Whether all that is needed of a choice is there: the tree, and a tag if its signature counts.
    pub(super) fn has(&mut self, wanted: &Wanted, choice: &Choice) -> Result<bool, Diagnostic> {
        let Some(entry) = self.entry(&choice.commit)? else { return Ok(false) };
        Ok(match (self.shared.trust.signatures(&wanted.source), &choice.tag) {
            (Signatures::Tags(_), Some(tag)) => entry.tag(tag).is_some(),
            (Signatures::Tags(_) | Signatures::Commits(_) | Signatures::None, _) => true,
        })
    }

    /// Whether a tag that is there will do: it may have been signed anew since it was fetched. Anything else is what it was.
    pub(super) fn is_settled(&mut self, wanted: &Wanted, choice: &Choice) -> bool {
        let Signatures::Tags(_) = self.shared.trust.signatures(&wanted.source) else { return true };
        let Ok(Some(entry)) = self.entry(&choice.commit) else { return false };
        let is_signed = self.verify(wanted, choice, &entry).is_ok();
        if !is_signed {
            self.verified.clear();
        }
        is_signed
    }

    fn cached(&mut self, item: &Item) -> Result<Option<Package>, Diagnostic> {
        let Some(choice) = Choice::of_lock(item) else { return Ok(None) };
        let is_asked = self.shared.ask == Ask::WhetherMoved && item.wanted.may_move();
        match self.has(&item.wanted, &choice)? {
            true if is_asked => Ok(None),
            true => self.package(&item.wanted, &choice).map(Some),
            false if self.shared.ask == Ask::Nobody => {
                Err(Diagnostic::error(format!("`{}` is not on this machine", item.wanted.source))
                    .because(format!("commit {} is locked, and not in the cache", choice.commit))
                    .hint("`bimetal init` fetches it"))
            }
            false => Ok(None),
        }
    }

    /// What is locked, if it is in the cache, where nobody answers who could tell whether it has moved.
    pub(super) fn unasked(&mut self, item: &Item, why: &Diagnostic) -> Result<Package, Diagnostic> {
        let Some(choice) = Choice::of_lock(item) else { return Err(why.clone()) };
        if !self.has(&item.wanted, &choice)? {
            return Err(why.clone());
        }
        let package = self.package(&item.wanted, &choice)?;
        let warning = Diagnostic::warning(why.summary.clone()).because(why.detail.clone());
        let warning = warning
            .hint("what is locked was fetched before, and is taken: nobody could say whether its tag has moved since");
        Ok(Package { unasked: Some(warning), ..package })
    }

    /// What is in the cache, if it is what is locked, signed as it must be, and has the folder.
    pub(super) fn package(&mut self, wanted: &Wanted, choice: &Choice) -> Result<Package, Diagnostic> {
        let entry =
            self.entry(&choice.commit)?.ok_or_else(|| Diagnostic::error(format!("`{}` is gone", wanted.source)))?;
        self.verify(wanted, choice, &entry)?;
        let version = wanted.version.as_ref().and(choice.tag.as_deref()).and_then(crate::version::of_tag);
        let reference = match &wanted.source {
            Source::Git { reference: Some(reference), .. } => Some(reference.as_str().to_owned()),
            Source::Git { .. } | Source::Archive { .. } | Source::Artifact { .. } => {
                wanted.version.as_ref().and(choice.tag.clone())
            }
        };
        let found = Locked {
            version: version.map(|version| version.to_string()),
            commit: Some(choice.commit.clone()),
            reference,
            hash: entry.hash.clone(),
        };
        take(wanted, &entry, choice.locked.as_ref(), found)
    }

    fn verify(&mut self, wanted: &Wanted, choice: &Choice, entry: &Entry) -> Result<(), Diagnostic> {
        let needed = self.shared.trust.signatures(&wanted.source).clone();
        let key = (choice.commit.clone(), choice.tag.clone(), needed.clone());
        if let Some(verified) = self.verified.get(&key) {
            return verified.clone();
        }
        let verified = match &needed {
            Signatures::None => Ok(()),
            Signatures::Commits(signers) => self.verify_commit(wanted, choice, entry, signers),
            Signatures::Tags(signers) => self.verify_tag(wanted, choice, entry, signers),
        };
        self.verified.insert(key, verified.clone());
        verified
    }

    fn verify_commit(
        &self,
        wanted: &Wanted,
        choice: &Choice,
        entry: &Entry,
        signers: &Signers,
    ) -> Result<(), Diagnostic> {
        let content = entry.commit().unwrap_or_default();
        let signed = Signed { kind: "commit", content: &content };
        let scratch = self.scratch(&choice.commit)?;
        let what = format!("commit {} of `{}`", choice.commit, wanted.source);
        verify(&self.shared.git, &scratch, &signed, signers, &what)
    }

    fn verify_tag(&self, wanted: &Wanted, choice: &Choice, entry: &Entry, signers: &Signers) -> Result<(), Diagnostic> {
        let refused = |why: String| {
            Err(Diagnostic::error(format!("`{}` has no tag that is signed", wanted.source))
                .because(why)
                .hint("name a signed tag in `ref` or `version`"))
        };
        let Some(name) = &choice.tag else { return refused("what is wanted is no tag".to_owned()) };
        let Some(content) = entry.tag(name) else {
            return refused(format!("`{name}` is no tag with a signature, only a name"));
        };
        // A signed tag can be given another name, and stand elsewhere in a server's list: what was signed counts.
        let head = format!("object {}\ntype commit\ntag {name}\n", choice.commit);
        if !content.starts_with(head.as_bytes()) {
            return refused(format!("what is signed there is not tag `{name}` of commit {}", choice.commit));
        }
        let signed = Signed { kind: "tag", content: &content };
        let scratch = self.scratch(&choice.commit)?;
        let what = format!("tag `{name}` of `{}`", wanted.source);
        verify(&self.shared.git, &scratch, &signed, signers, &what)
    }

    /// A repository of our own for objects with ids like this one.
    pub(super) fn scratch(&self, id: &str) -> Result<Scratch, Diagnostic> {
        let failed = |error: std::io::Error| cannot_keep(self.cache().folder(), &error);
        Scratch::create(self.shared.cache.aside().map_err(failed)?, id).map_err(failed)
    }

    /// Takes in what was just written.
    pub(super) fn found(&mut self, commit: &str, entry: Entry) {
        self.found.insert(commit.to_owned(), entry);
    }
}

/// What is in the cache, unless something else is locked, or the folder is not there.
pub(super) fn take(
    wanted: &Wanted,
    entry: &Entry,
    locked: Option<&Locked>,
    found: Locked,
) -> Result<Package, Diagnostic> {
    let source = &wanted.source;
    if let Some(locked) = locked.filter(|locked| locked.hash != entry.hash) {
        return Err(Diagnostic::error(format!("`{source}` holds something else than what is locked"))
            .because(format!("the lock file says {}, and what is there has {}", locked.hash, entry.hash))
            .hint("ask who keeps it what happened; `bimetal init --upgrade` takes what is there now"));
    }
    let tree = entry.tree();
    let folder = tree.join(source.folder().as_str());
    match folder.is_dir() {
        true => Ok(Package { folder, tree, locked: found, unasked: None }),
        false => Err(Diagnostic::error(format!("there is no folder `{}` in `{source}`", source.folder()))
            .because(format!("at its root there are {}", listing(&tree)))
            .hint("see what stands behind `//`")),
    }
}

fn listing(folder: &std::path::Path) -> String {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let shown = |entry: std::fs::DirEntry| {
        let slash = if entry.path().is_dir() { "/" } else { "" };
        format!("`{}{slash}`", entry.file_name().to_string_lossy().escape_debug())
    };
    let mut names: Vec<String> = entries.map(shown).collect();
    names.sort();
    let more = if names.len() > 10 { ", …" } else { "" };
    names.truncate(10);
    if names.is_empty() { "no files".to_owned() } else { format!("{}{more}", names.join(", ")) }
}

/// A tag without `refs/tags/`.
pub(super) fn short_tag(name: &str) -> &str {
    name.strip_prefix("refs/tags/").or_else(|| name.strip_prefix("tags/")).unwrap_or(name)
}
