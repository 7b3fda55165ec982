//! `history`: who changed the state, when, from what.

use std::collections::BTreeMap;

use bimetal_model::json::{Marks, encode};
use bimetal_model::port::Remember as _;
use bimetal_model::snapshot::{Revision, RevisionOutcome, Source, short_commit};
use bimetal_state::State;
use serde_json::{Value as Json, json};

use super::inspect::outputs_text;
use crate::arguments::{self, OneRevision};
use crate::edge::{minute, moment};
use crate::failure::Failure;
use crate::output::{print, print_json, say, width};
use crate::plan_document::moved_in;
use crate::render::style::{BOLD, paint};
use crate::render::table::{natural_width, table};
use crate::render::wrap::wrap;
use crate::session::Session;

/// All revisions, or one.
pub(crate) async fn history(session: &Session, arguments: &arguments::History) -> Result<(), Failure> {
    let store = session.store(&session.configuration_for_state()?).await?;
    match &arguments.command {
        None => list(session, &store).await,
        Some(OneRevision::Show { number }) => show(session, &store, *number).await,
    }
}

async fn list(session: &Session, store: &State) -> Result<(), Failure> {
    let revisions = store.revisions().await?;
    if session.json {
        let revisions: Vec<Json> = revisions.iter().map(document).collect();
        print_json(&json!({ "format": 1, "revisions": revisions }));
        return Ok(());
    }
    if revisions.is_empty() {
        say("Nothing was applied yet.\n");
        return Ok(());
    }
    let row = |revision: &Revision| {
        [
            revision.number.to_string(),
            minute(revision.started_ms),
            revision.who.clone(),
            revision.command.clone(),
            outcome(revision).to_owned(),
            counts(revision),
        ]
    };
    let rows: Vec<_> = revisions.iter().map(row).collect();
    let commits: Vec<_> = revisions.iter().map(commit).collect();
    print(&listed(&rows, &commits, width()));
    Ok(())
}

/// As short as it is known by, and `+` where there was more.
fn commit(revision: &Revision) -> Option<String> {
    let origin = revision.origin.as_ref()?;
    let commit = short_commit(&origin.commit);
    Some(format!("{commit}{}", if origin.dirty { "+" } else { "" }))
}

/// A line for each revision, or, where lines are too short for that, a paragraph.
fn listed(rows: &[[String; 6]], commits: &[Option<String>], width: usize) -> String {
    let headings = ["REVISION", "WHEN (UTC)", "WHO", "COMMAND", "OUTCOME", "PLANNED"];
    if commits.iter().all(Option::is_none) && natural_width(headings, rows) <= width {
        return table(headings, rows, usize::MAX);
    }
    let headings = ["REVISION", "WHEN (UTC)", "WHO", "COMMAND", "COMMIT", "OUTCOME", "PLANNED"];
    let with_commit = |([number, when, who, command, outcome, planned], commit): (&[String; 6], &Option<String>)| {
        let commit = commit.as_deref().unwrap_or("-").to_owned();
        [number, when, who, command, &commit, outcome, planned].map(String::clone)
    };
    let wide: Vec<_> = rows.iter().zip(commits).map(with_commit).collect();
    if natural_width(headings, &wide) <= width {
        return table(headings, &wide, usize::MAX);
    }
    let paragraph = |([number, when, who, command, outcome, planned], commit): (&[String; 6], &Option<String>)| {
        let planned = if planned.is_empty() { String::new() } else { format!("; planned {planned}") };
        let commit = commit.as_ref().map(|commit| format!("; commit {commit}")).unwrap_or_default();
        let text = format!("{number}: {when} UTC, {who}\n  `{command}`, {outcome}{planned}{commit}");
        format!("{}\n", wrap(&text, width))
    };
    rows.iter().zip(commits).map(paragraph).collect()
}

fn document(revision: &Revision) -> Json {
    json!({
        "number": revision.number,
        "who": revision.who,
        "started_ms": revision.started_ms,
        "origin": revision.origin,
        "command": revision.command,
        "outcome": revision.outcome,
        "planned": tally(revision),
    })
}

pub(super) fn outcome<S>(revision: &Revision<S>) -> &'static str {
    match revision.outcome {
        Some(RevisionOutcome::Done) => "done",
        Some(RevisionOutcome::Failed) => "failed",
        Some(RevisionOutcome::Partial) => "partly done",
        Some(RevisionOutcome::Interrupted) => "interrupted",
        None => "not ended",
    }
}

/// How many changes of each kind it planned.
fn tally(revision: &Revision) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    for (_, action) in actions(revision) {
        *tally.entry(action.to_owned()).or_default() += 1;
    }
    let beside = IN_STATE_ALONE.map(|action| (action, in_state_alone(revision, action).count()));
    let moved = ("move", moved_in(&revision.summary).count());
    let outputs = ("output", outputs(revision).count());
    let beside = beside.into_iter().chain([moved, outputs]).filter(|(_, count)| *count > 0);
    tally.extend(beside.map(|(action, count)| (action.to_owned(), count)));
    tally
}

fn counts(revision: &Revision) -> String {
    let counts: Vec<String> = tally(revision).into_iter().map(|(action, count)| format!("{count} {action}")).collect();
    counts.join(", ")
}

/// What is done to objects that does nothing to what exists.
const IN_STATE_ALONE: [&str; 3] = ["forget", "import", "refresh"];

/// What it planned to forget, or to take into the state.
fn in_state_alone<'r>(revision: &'r Revision, action: &str) -> impl Iterator<Item = &'r str> {
    let is_refresh = revision.summary.get("mode").and_then(Json::as_str) == Some("refresh-only");
    let list = match action {
        "forget" => "forgotten",
        "import" => "imported",
        // Any other apply takes it along with what it changes.
        _ if is_refresh => "drift",
        _ => "",
    };
    let all = revision.summary.get(list).and_then(Json::as_array).into_iter().flatten();
    all.filter_map(|one| one.as_str().or_else(|| one.get("address")?.as_str()))
}

/// Outputs that were to become something else.
fn outputs(revision: &Revision) -> impl Iterator<Item = &str> {
    let all = revision.summary.get("outputs").and_then(Json::as_object).into_iter().flatten();
    all.filter(|(_, output)| output.get("action").and_then(Json::as_str) != Some("keep")).map(|(name, _)| &**name)
}

/// What it planned to do, but for what was to stay.
fn actions(revision: &Revision) -> impl Iterator<Item = (&str, &str)> {
    let changes = revision.summary.get("changes").and_then(Json::as_array).into_iter().flatten();
    fn named(change: &Json) -> Option<(&str, &str)> {
        Some((change.get("address")?.as_str()?, change.get("action")?.as_str()?))
    }
    changes.filter_map(named).filter(|(_, action)| *action != "keep")
}

async fn show(session: &Session, store: &State, number: u64) -> Result<(), Failure> {
    let revision = store.revision(number).await?;
    let source = store.source(number).await?;
    match session.json {
        true => print_json(&json!({
            "format": 1,
            "revision": document(&revision),
            "plan": revision.summary,
            "source": source.as_ref().map(source_document),
        })),
        false => print(&text(&revision, source.as_ref())),
    }
    Ok(())
}

fn source_document(source: &Source) -> Json {
    let variables = source.variables.iter().map(|(name, value)| (name.clone(), encode(value, Marks::Redact)));
    json!({
        "files": source.files,
        "variables": variables.collect::<serde_json::Map<_, _>>(),
        "images": source.images.iter().map(|(image, index)| (image.to_string(), json!(index))).collect::<serde_json::Map<_, _>>(),
        "providers": source.providers,
    })
}

fn text(revision: &Revision, source: Option<&Source>) -> String {
    let Revision { number, who, command, .. } = revision;
    let mut text = format!("{}\n", paint(BOLD, format!("Revision {number}")));
    text += &format!("  {} by {who}: `{command}`, {}\n", moment(revision.started_ms), outcome(revision));
    if let Some(origin) = &revision.origin {
        let of = origin.repository.as_ref().map(|repository| format!(" of {repository}")).unwrap_or_default();
        text += &format!("  commit {}{of}\n", origin.in_words());
    }
    let moved = moved_in(&revision.summary).map(|(old, new)| format!("  {:8}{old} to {new}\n", "move"));
    let changes = actions(revision).map(|(address, action)| format!("  {action:8}{address}\n"));
    let beside = IN_STATE_ALONE
        .into_iter()
        .flat_map(|action| in_state_alone(revision, action).map(move |address| format!("  {action:8}{address}\n")));
    let outputs = outputs(revision).map(|name| format!("  {:8}{name}\n", "output"));
    let changes: String = moved.chain(beside).chain(changes).chain(outputs).collect();
    if !changes.is_empty() {
        text += &format!("\nPlanned:\n{changes}");
    }
    let Some(source) = source else { return text };
    text += "\nMade from:\n";
    text += &source.files.keys().map(|file| format!("  {file}\n")).collect::<String>();
    text += &source.images.iter().map(|(image, index)| format!("  {image} ({})\n", index.digest)).collect::<String>();
    if !source.variables.is_empty() {
        let variables = outputs_text(&source.variables);
        text += "\nVariables:\n";
        text += &variables.lines().map(|line| format!("  {line}\n")).collect::<String>();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_fit_into_short_lines() {
        let row = ["2", "2026-11-29 09:12", "somebody@a-long-name", "bimetal apply", "done", "98 create, 1 update"];
        let rows = [row.map(str::to_owned)];
        assert!(
            listed(&rows, &[None], 200)
                .starts_with("REVISION  WHEN (UTC)        WHO                   COMMAND        OUTCOME")
        );
        insta::assert_snapshot!(listed(&rows, &[None], 80), @r"
        2: 2026-11-29 09:12 UTC, somebody@a-long-name
          `bimetal apply`, done; planned 98 create, 1 update
        ");
        let commits = [Some("0123456789ab+".to_owned())];
        assert!(listed(&rows, &commits, 200).contains("COMMIT         OUTCOME"));
        insta::assert_snapshot!(listed(&rows, &commits, 80), @r"
        2: 2026-11-29 09:12 UTC, somebody@a-long-name
          `bimetal apply`, done; planned 98 create, 1 update; commit 0123456789ab+
        ");
    }

    #[test]
    fn what_only_the_state_knows_of_is_told_too() {
        let summary = serde_json::json!({
            "mode": "refresh-only",
            "drift": [{ "address": "docker_volume.f" }],
            "changes": [{ "address": "docker_volume.c", "action": "keep" }],
            "outputs": { "url": { "action": "update" }, "port": { "action": "keep" } },
            "forgotten": ["docker_volume.a", "docker_volume.b"],
            "imported": [{ "address": "docker_volume.c", "id": "c" }],
            "moved": [{ "address": "docker_volume.e", "before": "docker_volume.d" }],
        });
        let revision = Revision {
            number: 2,
            who: "me@here".to_owned(),
            started_ms: 0,
            origin: None,
            command: "bimetal apply".to_owned(),
            summary,
            plan: None,
            outcome: Some(RevisionOutcome::Done),
        };
        assert_eq!(counts(&revision), "2 forget, 1 import, 1 move, 1 output, 1 refresh");
        let planned = text(&revision, None).split_once("Planned:\n").map(|(_, planned)| planned.to_owned());
        insta::assert_snapshot!(planned.unwrap_or_default(), @"
          move    docker_volume.d to docker_volume.e
          forget  docker_volume.a
          forget  docker_volume.b
          import  docker_volume.c
          refresh docker_volume.f
          output  url
        ");
    }
}
