//! `status`: which commit runs, and how far it is from another one.

use bimetal_model::Diagnostic;
use bimetal_model::snapshot::{Origin, Revision, short_commit};
use bimetal_sources::checkout::Distance;
use bimetal_sources::{Git, Repository};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::history::outcome;
use crate::arguments;
use crate::edge::moment;
use crate::failure::Failure;
use crate::output::{print, print_json, say};
use crate::render::style::{BOLD, paint};
use crate::session::Session;

/// What runs, beside a revision of the repository here.
pub(crate) async fn status(session: &Session, arguments: &arguments::Status) -> Result<(), Failure> {
    let store = session.store(&session.configuration_for_state()?).await?;
    let Some((origin, revision)) = store.last_with_origin().await? else {
        if session.json {
            print_json(&json!({ "format": 1, "revision": null }));
        } else {
            say("Nothing was applied from a repository yet.\n");
        }
        return Ok(());
    };
    let beside = Beside::of(session, &origin, &arguments.revision)?;
    let drift = revision.summary.as_ref().map_or(0, |Drifted { drift }| drift.len());
    if session.json {
        print_json(&json!({
            "format": 1,
            "revision": revision.number,
            "outcome": revision.outcome,
            "origin": origin,
            "beside": { "ref": arguments.revision, "commit": beside.commit, "behind": beside.behind(), "ahead": beside.ahead() },
            "drift": drift,
        }));
    } else {
        print(&text(&revision, &origin, &beside, drift));
    }
    Ok(())
}

/// What a revision's summary says had changed outside.
#[derive(Default, Deserialize)]
struct Drifted {
    #[serde(default)]
    drift: Vec<IgnoredAny>,
}

/// Another commit, and how far what runs is from it.
struct Beside {
    name: String,
    commit: String,
    /// Nothing where no history that is here joins them.
    distance: Option<Distance>,
}

impl Beside {
    fn of(session: &Session, origin: &Origin, name: &str) -> Result<Beside, Failure> {
        let Some(repository) = Repository::of(&Git::default(), &session.root)? else {
            let error = Diagnostic::error(format!("`{}` lies in no repository", session.root.display()));
            return Err(error.hint(format!("what runs is commit {}", origin.in_words())).into());
        };
        let commit = repository.resolve(name)?;
        let is_here = repository.resolve(&origin.commit).is_ok();
        let distance = if is_here { repository.distance(&origin.commit, &commit)? } else { None };
        Ok(Beside { name: name.to_owned(), commit, distance })
    }

    fn behind(&self) -> Option<usize> {
        self.distance.map(|distance| distance.behind)
    }

    fn ahead(&self) -> Option<usize> {
        self.distance.map(|distance| distance.ahead)
    }

    fn in_words(&self) -> String {
        let commits = |count: usize| format!("{count} commit{}", if count == 1 { "" } else { "s" });
        match self.distance {
            None => "no history that is here joins them: `git fetch` may bring it".to_owned(),
            Some(Distance { ahead: 0, behind: 0 }) => "that is what runs".to_owned(),
            Some(Distance { ahead: 0, behind }) => format!("what runs is {} behind", commits(behind)),
            Some(Distance { ahead, behind: 0 }) => format!("what runs is {} ahead", commits(ahead)),
            Some(Distance { ahead, behind }) => {
                format!("what runs is {} behind, and {} ahead", commits(behind), commits(ahead))
            }
        }
    }
}

fn text<S>(revision: &Revision<S>, origin: &Origin, beside: &Beside, drift: usize) -> String {
    let of = origin.repository.as_ref().map(|repository| format!(" of {repository}")).unwrap_or_default();
    let folder = if origin.folder.is_empty() { String::new() } else { format!(", `{}`", origin.folder) };
    let Revision { number, who, command, started_ms, .. } = revision;
    let short = short_commit(&beside.commit);
    let drift = match drift {
        0 => "nothing had changed outside of Bimetal when that was planned".to_owned(),
        1 => "1 object had changed outside of Bimetal when that was planned".to_owned(),
        count => format!("{count} objects had changed outside of Bimetal when that was planned"),
    };
    let width = beside.name.len().max("Drift   ".len());
    let head = |name: &str| paint(BOLD, format!("{name:width$}"));
    format!(
        "{}  commit {}{of}{folder}\n{:width$}  revision {number}: {} by {who}, `{command}`, {}\n{}  {short}: {}\n{}  {drift}\n",
        head("Runs"),
        origin.in_words(),
        "",
        moment(*started_ms),
        outcome(revision),
        head(&beside.name),
        beside.in_words(),
        head("Drift"),
    )
}
