//! `state …`: what is remembered, looked at and mended.
//!
//! Every change is a revision, under a lease on everything.

mod moves;

use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use bimetal_model::lease::{Held, Lease, Scope};
use bimetal_model::port::{Record, Remember as _};
use bimetal_model::snapshot::{Revision, RevisionOutcome};
use bimetal_model::{Address, Diagnostic};
use bimetal_state::{Document, Finding, Push, State, StateName};
use serde_json::{Value as Json, json};

use super::apply::{ask, bare_revision};
use super::inspect::{find, object_document, object_text, snapshot, state_document};
use super::plan::show_state;
use crate::arguments;
use crate::edge::moment;
use crate::failure::{Failure, io};
use crate::lease::holding;
use crate::location;
use crate::output::{print, print_json, say};
use crate::plan_document::moved_document;
use crate::render::table::table;
use crate::session::Session;
use moves::{named, records_of_move};

/// One of them.
pub(crate) async fn state(session: &Session, command: &arguments::State) -> Result<(), Failure> {
    match command {
        arguments::State::List => list(session).await,
        arguments::State::Names => names(session).await,
        arguments::State::Show { address } => show(session, address).await,
        arguments::State::Rm { address } => remove(session, address).await,
        arguments::State::Mv { from, to } => rename(session, from, to).await,
        arguments::State::At { number } => at(session, *number).await,
        arguments::State::Pull => pull(session).await,
        arguments::State::Push { file, force } => {
            push(session, file, if *force { Push::Forced } else { Push::Checked }).await
        }
        arguments::State::Doctor => doctor(session).await,
        arguments::State::Migrate { from } => migrate(session, from).await,
        arguments::State::ForceUnlock { force } => force_unlock(session, *force).await,
        arguments::State::NewKey { file } => super::mend::new_key(session, file.as_deref()),
        arguments::State::Rekey(arguments) => super::mend::rekey(session, arguments).await,
        arguments::State::Restore { backup } => super::mend::restore(session, backup.as_deref()),
    }
}

async fn open(session: &Session) -> Result<State, Failure> {
    session.store(&session.configuration_for_state()?).await
}

/// Changes the state as a revision of its own.
async fn change(
    store: &State,
    command: &str,
    summary: Json,
    work: impl AsyncFnOnce(&Lease) -> Result<(), Failure>,
) -> Result<(), Failure> {
    holding(store, command, &Scope::Everything, Duration::ZERO, async |lease: &Lease| {
        store.back_up().await?;
        let revision = Revision { summary, ..bare_revision(command) };
        let number = store.begin(lease, revision, None).await?;
        let done = work(lease).await;
        let outcome = if done.is_ok() { RevisionOutcome::Done } else { RevisionOutcome::Failed };
        store.finish(lease, number, outcome).await?;
        done
    })
    .await
}

async fn list(session: &Session) -> Result<(), Failure> {
    let snapshot = snapshot(session).await?;
    match session.json {
        true => print_json(&json!(snapshot.objects.keys().collect::<Vec<_>>())),
        false if snapshot.objects.is_empty() => say("The state is empty.\n"),
        false => print(&snapshot.objects.keys().map(|address| format!("{address}\n")).collect::<String>()),
    }
    Ok(())
}

/// Those that were made, and the one that is worked on.
async fn names(session: &Session) -> Result<(), Failure> {
    let configuration = session.configuration_for_state()?;
    let mut names = bimetal_state::names(&location::of_default(&session.home, &configuration)?).await?;
    names.push(session.state.clone());
    names.sort();
    names.dedup();
    let names: Vec<_> = names.iter().map(StateName::as_str).collect();
    let current = session.state.as_str();
    if session.json {
        print_json(&json!({ "format": 1, "names": names, "current": current }));
        return Ok(());
    }
    let line = |name: &&str| format!("{} {name}\n", if *name == current { "*" } else { " " });
    print(&names.iter().map(line).collect::<String>());
    Ok(())
}

async fn show(session: &Session, address: &Address) -> Result<(), Failure> {
    let snapshot = snapshot(session).await?;
    let stored = find(&snapshot, address)?;
    match session.json {
        true => print_json(&object_document(address, stored)),
        false => print(&object_text(address, stored)),
    }
    Ok(())
}

async fn remove(session: &Session, address: &Address) -> Result<(), Failure> {
    let store = open(session).await?;
    let count = named(&store.load().await?, address)?.len();
    let work = async |lease: &Lease| {
        let addresses = named(&store.load().await?, address)?.into_iter();
        let records = addresses.map(|address| Record::Remove { address, closes: None }).collect();
        Ok(store.record(lease, records).await?)
    };
    change(&store, &format!("state rm {address}"), Json::Null, work).await?;
    say(&match count {
        1 => format!("{address} is forgotten; it goes on existing.\n"),
        many => format!("{address} is forgotten, with its {many} instances; they go on existing.\n"),
    });
    Ok(())
}

async fn rename(session: &Session, from: &Address, to: &Address) -> Result<(), Failure> {
    let store = open(session).await?;
    let moved = json!({ "moved": moved_document(&moves::of(&store.load().await?, from, to)?) });
    let work = async |lease: &Lease| {
        let records = records_of_move(&store.load().await?, from, to)?;
        Ok(store.record(lease, records).await?)
    };
    change(&store, &format!("state mv {from} {to}"), moved, work).await?;
    say(&format!("{from} is {to} now. Change the configuration, too, or it is planned to be destroyed.\n"));
    Ok(())
}

async fn at(session: &Session, number: u64) -> Result<(), Failure> {
    let snapshot = open(session).await?.at(number).await?;
    match session.json {
        true => print_json(&state_document(&snapshot)),
        false => show_state(session, &snapshot),
    }
    Ok(())
}

async fn pull(session: &Session) -> Result<(), Failure> {
    match open(session).await?.pull().await? {
        Some(document) => print_json(&json!(document)),
        None => return Err(Diagnostic::error("there is no state yet").hint("`bimetal apply` makes it").into()),
    }
    Ok(())
}

async fn push(session: &Session, file: &Path, how: Push) -> Result<(), Failure> {
    let doing = format!("reading `{}`", file.display());
    let text = match file.to_str() {
        Some("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        _ => std::fs::read_to_string(session.root.join(file)),
    };
    let document = Document::parse(&text.map_err(io(&doing))?)?;
    let store = open(session).await?;
    store.adopt(&document).await?;
    let work = async |lease: &Lease| Ok(store.push(lease, &document, how).await?);
    change(&store, "state push", Json::Null, work).await?;
    say("The state is what the document says.\n");
    Ok(())
}

async fn doctor(session: &Session) -> Result<(), Failure> {
    let findings = open(session).await?.examine().await?;
    if session.json {
        let one =
            |finding: &Finding| json!({ "what": finding.what, "hint": finding.hint, "broken": finding.is_broken });
        print_json(&json!({ "format": 1, "findings": findings.iter().map(one).collect::<Vec<_>>() }));
    } else {
        print(&findings_text(&findings));
    }
    match findings.iter().filter(|finding| finding.is_broken).count() {
        0 if findings.is_empty() => say("The state is sound.\n"),
        0 => say("Nothing is broken.\n"),
        1 => return Err(Diagnostic::error("the state is broken in 1 place").into()),
        broken => return Err(Diagnostic::error(format!("the state is broken in {broken} places")).into()),
    }
    Ok(())
}

/// What is done about several at once is said once.
fn findings_text(findings: &[Finding]) -> String {
    let is_alike = |one: &Finding, other: &Finding| (one.is_broken, &one.hint) == (other.is_broken, &other.hint);
    let line = |finding: &Finding| {
        let word = if finding.is_broken { "broken" } else { "left over" };
        format!("{word}: {}\n", finding.what)
    };
    let alike = |all: &[Finding]| all.iter().map(line).collect::<String>() + &format!("  {}\n", all[0].hint);
    findings.chunk_by(is_alike).map(alike).collect()
}

/// The configuration names the new place already.
async fn migrate(session: &Session, from: &str) -> Result<(), Failure> {
    let configuration = session.configuration_for_state()?;
    let new = session.open(&configuration, location::of(session, &configuration)?, Vec::new()).await?;
    let old = location::parse(&session.root, from)?.named(&session.state);
    let old = session.open(&configuration, old, Vec::new()).await?;
    if old.place() == new.place() {
        let error = Diagnostic::error("the state is there already, where the configuration wants it");
        return Err(error.hint("change the `state` block first; `--from` says where the state was").into());
    }
    if old.pull().await?.is_none() {
        let error = Diagnostic::error(format!("there is no state in {}", old.place()));
        return Err(error.hint("`--from` says where it was").into());
    }
    let move_it = async |lease: &Lease| Ok(old.move_to(lease, &new).await?);
    holding(&old, "state migrate", &Scope::Everything, Duration::ZERO, move_it).await?;
    say(&format!("The state of {} is in {} now.\n", old.place(), new.place()));
    Ok(())
}

async fn force_unlock(session: &Session, force: bool) -> Result<(), Failure> {
    let store = open(session).await?;
    let held = store.leases().await?;
    if held.is_empty() {
        say("Nobody holds a lock.\n");
        return Ok(());
    }
    say(&leases_text(&held));
    if !force {
        let question = "Break these locks? What their holders write from then on is refused.";
        ask(session, question, "nobody is there to be asked", "use `--force`").await?;
    }
    let leases: Vec<Lease> = held.into_iter().map(|held| held.lease).collect();
    store.force_unlock(&leases).await?;
    say("The locks are broken.\n");
    Ok(())
}

fn leases_text(held: &[Held]) -> String {
    let row = |held: &Held| {
        let on = match &held.scope {
            Scope::Everything => "everything".to_owned(),
            Scope::Objects { writes, .. } => match writes.len() {
                0..=3 => writes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
                many => format!("{many} objects"),
            },
        };
        let holder = &held.holder;
        [holder.who.clone(), holder.process.to_string(), moment(holder.since_ms), holder.command.clone(), on]
    };
    let rows: Vec<_> = held.iter().map(row).collect();
    table(["WHO", "PROCESS", "SINCE", "COMMAND", "ON"], &rows, usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_one_remedy_is_told_together() {
        let finding = |what: &str, hint: &str| Finding { what: what.into(), hint: hint.into(), is_broken: false };
        let findings = [finding("a", "apply"), finding("b", "apply"), finding("c", "wait")];
        assert_eq!(findings_text(&findings), "left over: a\nleft over: b\n  apply\nleft over: c\n  wait\n");
        assert_eq!(findings_text(&[]), "");
    }
}
