//! Commits from a server, without their history where the server lets us.

use std::collections::BTreeSet;

use bimetal_model::Diagnostic;

use super::{Answer, Git, LATE, Running, SHORT, Scratch, told};
use crate::source::GitUrl;
use crate::tree::{PACKED_BYTES, human};

/// Fetches objects. All of them at once, and where the server refuses that, what its refs stand at and the rest one by one: a
/// single one that is gone should not be in the others' way. Gives those that the server does not have.
pub(crate) fn fetch(
    git: &Git,
    url: &GitUrl,
    scratch: &Scratch,
    tips: &BTreeSet<String>,
    others: &BTreeSet<String>,
) -> Result<BTreeSet<String>, Diagnostic> {
    let all: Vec<&str> = tips.iter().chain(others).map(String::as_str).collect();
    let answer = shallow(git, url, scratch, &all)?;
    if answer.worked {
        return Ok(BTreeSet::new());
    }
    if !is_refusal(&answer) {
        return Err(told(format!("`git::{url}` can't be fetched"), &answer));
    }
    let has_tips = !others.is_empty() && !tips.is_empty();
    let tips: Vec<&str> = tips.iter().map(String::as_str).collect();
    let are_refused = !has_tips || !shallow(git, url, scratch, &tips)?.worked;
    let mut refused = if are_refused { tips } else { Vec::new() };
    let mut gone = BTreeSet::new();
    for other in others {
        let answer = shallow(git, url, scratch, &[other])?;
        match answer.worked {
            true => {}
            // The server was asked whether it has this one, and has not.
            false if answer.complaint.contains("not our ref") => drop(gone.insert(other.clone())),
            false => refused.push(other),
        }
    }
    if !refused.is_empty() {
        everything(git, url, scratch)?;
        gone.extend(missing(git, scratch, &refused)?);
    }
    Ok(gone)
}

fn shallow(git: &Git, url: &GitUrl, scratch: &Scratch, objects: &[&str]) -> Result<Answer, Diagnostic> {
    let mut command = git.in_repository(scratch.path());
    command.args(["fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"]);
    command.args(["--no-recurse-submodules", "--", url.as_str()]).args(objects);
    run(git, url, command, scratch)
}

/// All branches and tags with their history: for servers that neither give single commits nor cut history off.
fn everything(git: &Git, url: &GitUrl, scratch: &Scratch) -> Result<(), Diagnostic> {
    let mut command = git.in_repository(scratch.path());
    command.args(["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"]);
    command.arg("--no-recurse-submodules");
    // Where something came without its history before, that counts as all of it otherwise.
    if scratch.path().join("shallow").exists() {
        command.arg("--unshallow");
    }
    command.args(["--", url.as_str()]);
    command.args(["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]);
    let answer = run(git, url, command, scratch)?;
    match answer.worked {
        true => Ok(()),
        false => Err(told(format!("`git::{url}` can't be fetched"), &answer)),
    }
}

fn run(git: &Git, url: &GitUrl, command: std::process::Command, scratch: &Scratch) -> Result<Answer, Diagnostic> {
    let running = Running::start(git, command, LATE)?.watch(scratch.path(), PACKED_BYTES);
    let named = |error: Diagnostic| {
        let hint =
            format!("what is fetched at once may be {} and take {} minutes", human(PACKED_BYTES), LATE.as_secs() / 60);
        Diagnostic::error(format!("`git::{url}` can't be fetched")).because(error.summary).hint(hint)
    };
    running.answer(SHORT).map_err(named)
}

/// Whether it was refused for the way it was asked, and not for who asks.
fn is_refusal(answer: &Answer) -> bool {
    let ways = [
        "not our ref",
        "unadvertised object",
        "dumb http transport",
        "does not support shallow",
        "couldn't find remote ref",
    ];
    ways.iter().any(|way| answer.complaint.contains(way))
}

fn missing(git: &Git, scratch: &Scratch, objects: &[&str]) -> Result<BTreeSet<String>, Diagnostic> {
    let mut command = git.in_repository(scratch.path());
    command.args(["cat-file", "--batch-check=%(objectname) %(objecttype)"]);
    let asked = objects.iter().map(|object| format!("{object}\n")).collect::<String>();
    let answer = Running::start_with(git, command, asked.into_bytes(), LATE)?.answer(SHORT)?;
    let text = answer.text();
    Ok(text.lines().filter_map(|line| line.strip_suffix(" missing")).map(str::to_owned).collect())
}
