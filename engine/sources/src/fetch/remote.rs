//! One repository, and what the cache does not have of it: its refs are listed once, and what is missing is fetched at once.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_model::Diagnostic;

use super::choosing::{Chosen, choose, needs_refs};
use super::errand::Errand;
use super::{Done, Item};
use crate::cache::{Entry, Key, cannot_keep};
use crate::git::{Objects, Refs, Scratch, fetch, list, write_tree};
use crate::tree::{Refusal, Tree, Written};

/// Fetches what is open.
pub(super) fn finish(mut errand: Errand) -> Done {
    let open = std::mem::take(&mut errand.open);
    let chosen = match choices(&errand, &open) {
        Ok(chosen) => chosen,
        Err(error) => {
            for item in open {
                let package = errand.unasked(&item, &error);
                errand.done.push((item.index, package));
            }
            return errand.done;
        }
    };
    let failed = bring(&mut errand, &open, &chosen);
    for (item, chosen) in open.into_iter().zip(chosen) {
        let package = chosen.and_then(|chosen| match failed.get(&chosen.object) {
            Some(error) => Err(error.clone()),
            None => errand.package(&item.wanted, &chosen.choice),
        });
        errand.done.push((item.index, package));
    }
    errand.done
}

fn choices(errand: &Errand, open: &[Item]) -> Result<Vec<Result<Chosen, Diagnostic>>, Diagnostic> {
    let refs = match open.iter().any(needs_refs) {
        true => list(&errand.shared.git, &errand.url)?,
        false => Refs::default(),
    };
    Ok(open.iter().map(|item| choose(item, &refs)).collect())
}

/// Brings what is missing into the cache. What could not be brought is in the answer, by its object.
fn bring(errand: &mut Errand, open: &[Item], chosen: &[Result<Chosen, Diagnostic>]) -> BTreeMap<String, Diagnostic> {
    let mut failed = BTreeMap::new();
    let mut missing = BTreeMap::new();
    for (item, chosen) in open.iter().zip(chosen) {
        let Ok(chosen) = chosen else { continue };
        match errand.has(&item.wanted, &chosen.choice) {
            Ok(true) if errand.is_settled(&item.wanted, &chosen.choice) => {}
            Ok(_) => drop(missing.insert(chosen.object.clone(), chosen)),
            Err(error) => drop(failed.insert(chosen.object.clone(), error)),
        }
    }
    let Some(any) = missing.keys().next() else { return failed };
    let fetched = errand.scratch(any).and_then(|scratch| Ok((objects(errand, &scratch, &missing)?, scratch)));
    match fetched {
        Ok((gone, scratch)) => {
            for (object, chosen) in missing {
                let kept =
                    if gone.contains(&object) { Err(lost(errand, chosen)) } else { keep(errand, &scratch, chosen) };
                failed.extend(kept.err().map(|error| (object, error)));
            }
        }
        Err(error) => failed.extend(missing.into_keys().map(|object| (object, error.clone()))),
    }
    failed
}

fn objects(
    errand: &Errand,
    scratch: &Scratch,
    missing: &BTreeMap<String, &Chosen>,
) -> Result<BTreeSet<String>, Diagnostic> {
    let (tips, others): (Vec<_>, Vec<_>) = missing.iter().partition(|(_, chosen)| chosen.is_tip);
    let names = |of: Vec<(&String, &&Chosen)>| of.into_iter().map(|(object, _)| object.clone()).collect();
    fetch(&errand.shared.git, &errand.url, scratch, &names(tips), &names(others))
}

fn lost(errand: &Errand, chosen: &Chosen) -> Diagnostic {
    let commit = &chosen.choice.commit;
    let error = Diagnostic::error(format!("`git::{}` has no commit {commit}", errand.url));
    match chosen.choice.locked {
        Some(_) => error
            .because("it is locked, and no branch or tag of the repository has it any more")
            .hint("ask who keeps the repository what happened; `bimetal init --upgrade` takes what is there now"),
        None => error.hint("see that it was pushed, and that all its digits are right"),
    }
}

/// Writes a commit's tree, with what signatures are verified by.
fn keep(errand: &mut Errand, scratch: &Scratch, chosen: &Chosen) -> Result<(), Diagnostic> {
    let commit = &chosen.choice.commit;
    let entry = match errand.entry(commit)? {
        Some(entry) => entry,
        None => extract(errand, scratch, commit)?,
    };
    if let Some(tag) = chosen.choice.tag.as_ref().filter(|_| chosen.object != *commit) {
        let content = object(errand, scratch, "tag", &chosen.object)?;
        entry.keep_tag(tag, &content).map_err(|error| cannot_keep(&entry.tree(), &error))?;
    }
    errand.found(commit, entry);
    Ok(())
}

fn extract(errand: &Errand, scratch: &Scratch, commit: &str) -> Result<Entry, Diagnostic> {
    let content = object(errand, scratch, "commit", commit)?;
    let write = || -> Result<_, Refusal> {
        let aside = errand.cache().aside()?;
        let mut tree = Tree::create(&aside.path().join("tree"))?;
        write_tree(&Objects { git: &errand.shared.git, folder: scratch.path() }, commit, &mut tree)?;
        std::fs::write(aside.path().join("commit"), &content)?;
        Ok((aside, tree.finish()?))
    };
    let (aside, written): (_, Written) =
        write().map_err(|refusal| refused(&format!("git::{}", errand.url), Some(commit), refusal))?;
    errand.cache().keep(aside, &Key::Commit(commit.to_owned()), &written)
}

fn object(errand: &Errand, scratch: &Scratch, kind: &str, id: &str) -> Result<Vec<u8>, Diagnostic> {
    let mut command = errand.shared.git.in_repository(scratch.path());
    command.args(["cat-file", kind, id]);
    let answer = errand.shared.git.ask(command)?;
    match answer.worked {
        true => Ok(answer.output),
        false => Err(Diagnostic::error(format!("`git::{}` has no {kind} {id}", errand.url)).because(answer.complaint)),
    }
}

/// A tree that is not taken, for people.
pub(crate) fn refused(place: &str, commit: Option<&str>, refusal: Refusal) -> Diagnostic {
    let of = commit.map(|commit| format!(" at commit {commit}")).unwrap_or_default();
    match refusal {
        Refusal::Bad(why) => Diagnostic::error(format!("`{place}`{of} holds what no module may hold"))
            .because(why)
            .hint("if it is yours, take that out of it; if not, tell who keeps it"),
        Refusal::Failed(error) => Diagnostic::error(format!("`{place}`{of} can't be unpacked: {error}")),
    }
}
