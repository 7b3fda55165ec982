//! Which commit is meant: what is locked, unless its tag stands elsewhere by now; else what the server's refs say.

use bimetal_model::Diagnostic;
use bimetal_model::version::{self, Constraint, Version};

use super::Item;
use super::errand::{Choice, short_tag};
use crate::git::{Refs, Target};
use crate::source::Source;
use crate::version::of_tag;
use crate::want::{Locked, Wanted};

/// What is to be fetched for it.
pub(super) struct Chosen {
    pub(super) choice: Choice,
    /// The commit, or the tag that it comes with.
    pub(super) object: String,
    /// Whether the server's refs stand at it.
    pub(super) is_tip: bool,
}

/// Whether the server's refs have to be known.
pub(super) fn needs_refs(item: &Item) -> bool {
    let is_commit = |source: &Source| match source {
        Source::Git { reference, .. } => reference.as_ref().is_some_and(|reference| reference.is_commit()),
        Source::Archive { .. } | Source::Artifact { .. } => false,
    };
    match &item.locked {
        Some(locked) => locked.reference.is_some() && !is_commit(&item.wanted.source),
        None => !is_commit(&item.wanted.source),
    }
}

/// Decides; `refs` is empty where they need not be known.
pub(super) fn choose(item: &Item, refs: &Refs) -> Result<Chosen, Diagnostic> {
    if let Some((locked, commit)) = item.locked.as_ref().and_then(|locked| Some((locked, locked.commit.clone()?))) {
        return still(item, locked, commit, refs);
    }
    let Source::Git { reference, .. } = &item.wanted.source else {
        unreachable!("only repositories come here: `Place` is made from the source");
    };
    if let Some(reference) = reference.as_ref().filter(|reference| reference.is_commit()) {
        let choice = Choice { commit: reference.as_str().to_owned(), tag: None, locked: None };
        return Ok(Chosen { object: choice.commit.clone(), choice, is_tip: false });
    }
    let target = match &item.wanted.version {
        Some(constraint) => newest(&item.wanted, constraint, refs)?,
        None => refs
            .find(reference.as_ref().map(|reference| reference.as_str()))
            .ok_or_else(|| unknown(&item.wanted, refs))?,
    };
    Ok(chosen(target, None))
}

/// What is locked. A branch may have moved on; a tag must not have.
fn still(item: &Item, locked: &Locked, commit: String, refs: &Refs) -> Result<Chosen, Diagnostic> {
    let target = locked.reference.as_deref().and_then(|reference| refs.find(Some(reference)));
    match target {
        Some(target) if target.commit == commit => Ok(chosen(target, Some(locked))),
        Some(Target { commit: now, tag: Some(tag) }) => {
            let source = &item.wanted.source;
            let error = Diagnostic::error(format!(
                "tag `{}` of `{source}` is not where it is locked any more",
                short_tag(&tag.name)
            ));
            Err(error.because(format!("the lock file says {commit}, and it stands at {now} now")).hint(
                "a tag should never move: ask who keeps the repository; `bimetal init --upgrade` takes the new commit",
            ))
        }
        Some(Target { tag: None, .. }) | None => {
            let choice = Choice { commit: commit.clone(), tag: None, locked: Some(locked.clone()) };
            Ok(Chosen { choice, object: commit, is_tip: false })
        }
    }
}

fn chosen(target: Target, locked: Option<&Locked>) -> Chosen {
    let tag = target.tag.as_ref().map(|tag| short_tag(&tag.name).to_owned());
    let object = target.tag.map_or_else(|| target.commit.clone(), |tag| tag.object);
    Chosen { choice: Choice { commit: target.commit, tag, locked: locked.cloned() }, object, is_tip: true }
}

fn newest(wanted: &Wanted, constraint: &str, refs: &Refs) -> Result<Target, Diagnostic> {
    let tags: Vec<&str> = refs.tags().collect();
    let tag = newest_tag(wanted, constraint, tags.iter().copied())?;
    refs.find(Some(&format!("refs/tags/{tag}"))).ok_or_else(|| unfit(wanted, constraint, tags.into_iter()))
}

/// The tag with the newest version that fits.
pub(super) fn newest_tag<'t>(
    wanted: &Wanted,
    constraint: &str,
    tags: impl Iterator<Item = &'t str> + Clone,
) -> Result<&'t str, Diagnostic> {
    let chosen = version::newest(versions(tags.clone()), Some(&Constraint::parse(constraint)?));
    chosen.map(|(_, tag)| tag).ok_or_else(|| unfit(wanted, constraint, tags))
}

/// Of `v1.2.3` and `1.2.3` the former is the greater.
fn versions<'t>(tags: impl Iterator<Item = &'t str>) -> impl Iterator<Item = (Version, &'t str)> {
    tags.filter_map(|tag| Some((of_tag(tag)?, tag)))
}

fn unfit<'t>(wanted: &Wanted, constraint: &str, tags: impl Iterator<Item = &'t str>) -> Diagnostic {
    let there = match version::newest(versions(tags), None) {
        Some((newest, _)) => format!("the newest that there is is {newest}"),
        None => "none of its tags is a version".to_owned(),
    };
    Diagnostic::error(format!("`{}` has no version that fits `{constraint}`", wanted.source))
        .because(there)
        .hint("see that `source` is right, or widen `version`")
}

fn unknown(wanted: &Wanted, refs: &Refs) -> Diagnostic {
    let source = &wanted.source;
    let Source::Git { reference: Some(reference), .. } = source else {
        return Diagnostic::error(format!("`{source}` is empty"))
            .because("no branch is checked out there")
            .hint("name one in `ref`");
    };
    let name = reference.as_str();
    let error = Diagnostic::error(format!("there is no branch or tag `{name}` in `{source}`"));
    let is_short = name.len() >= 7 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    match (is_short, refs.some().as_str()) {
        (true, _) => error.hint("servers know commits by their whole ids only: write all 40 digits"),
        (false, "") => error.because("it has none at all"),
        (false, some) => error.because(format!("it has {some}")),
    }
}
