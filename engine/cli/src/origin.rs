//! Which commit a configuration is.

use bimetal_model::Diagnostic;
use bimetal_model::snapshot::Origin;
use bimetal_sources::checkout::{Changed, Scope};
use bimetal_sources::{Git, Repository};
use bimetal_state::{State, StateName};
use serde::Deserialize;

use crate::failure::Failure;
use crate::session::Session;

/// What a revision's summary says that the state was called.
pub(crate) const STATE: &str = "state";

/// That of a revision's summary: under [`STATE`].
#[derive(Default, Deserialize)]
struct Called {
    state: Option<String>,
}

/// Files that a message names one by one.
const MOST_NAMED: usize = 5;

/// The commit that is checked out, if the session's folder lies in a repository; with `require_clean` nothing else will do.
pub(crate) fn of(session: &Session, require_clean: bool) -> Result<Option<Box<Origin>>, Failure> {
    if let Some(origin) = &session.origin {
        return Ok(Some(origin.clone()));
    }
    let found = look(session, require_clean);
    match found {
        Ok(None) if require_clean => Err(unclean("this configuration lies in no repository").into()),
        Ok(found) => Ok(found),
        Err(error) if require_clean => Err(error.into()),
        // Who has no git, or may not use this repository, can plan all the same.
        Err(error) => {
            tracing::debug!(error = error.summary, "the configuration's repository can't be asked");
            Ok(None)
        }
    }
}

fn look(session: &Session, require_clean: bool) -> Result<Option<Box<Origin>>, Diagnostic> {
    let Some(repository) = Repository::of(&Git::default(), &session.root)? else { return Ok(None) };
    let Some(head) = repository.head()? else {
        return if require_clean { Err(unclean("nothing is committed here yet")) } else { Ok(None) };
    };
    let mut changed = repository.changed(Scope::Folder)?;
    changed.retain(counts);
    if require_clean && !changed.is_empty() {
        let named: Vec<_> =
            changed.iter().take(MOST_NAMED).map(|file| format!("`{}` is {}", file.path, file.how)).collect();
        let more = changed.len() - named.len();
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        return Err(unclean("what is here is not what is committed").because(format!("{}{more}", named.join(", "))));
    }
    Ok(Some(Box::new(Origin {
        repository: repository.origin()?,
        folder: repository.prefix().to_owned(),
        commit: head.id,
        branch: head.branch,
        tag: head.tag,
        dirty: !changed.is_empty(),
    })))
}

/// Whether it may be part of the configuration. New files count as far as their names say so: what a command wrote here does not.
fn counts(file: &Changed) -> bool {
    let is_folder = file.path.ends_with('/');
    let name = file.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let is_configuration = [".bm.hcl", ".bm.json", ".bmvars.hcl", ".bmvars.json", ".lock.hcl"];
    let is_meant = is_folder || is_configuration.iter().any(|ending| name.ends_with(ending));
    file.how != "new" || (is_meant && !name.starts_with('.'))
}

fn unclean(what: &str) -> Diagnostic {
    Diagnostic::error(format!("{what}, and `require_clean` wants a commit"))
        .hint("commit first, or plan a commit with `--ref REVISION`")
}

/// Whether the state was made from this configuration, and not from that of another environment: the last revision that knows where it
/// came from counts.
pub(crate) async fn check_belongs(store: &State, name: &StateName, origin: &Origin) -> Result<(), Failure> {
    let Some((last, revision)) = store.last_with_origin().await? else { return Ok(()) };
    let Called { state } = revision.summary.unwrap_or_default();
    // Who knew of one state only wrote no name.
    let called = state.as_deref().unwrap_or(StateName::DEFAULT);
    if called != name.as_str() {
        let error = Diagnostic::error(format!("this is the state `{called}`, and not `{name}`"));
        let error = error.because("that is what it was called when something was last applied");
        let hint = format!("name it with `--state {called}`; if it has got another name, `--move-state` says so");
        return Err(error.hint(hint).into());
    }
    let is_other = |(last, now): (&String, &String)| self::name(last) != self::name(now);
    let other_repository = last.repository.as_ref().zip(origin.repository.as_ref()).is_some_and(is_other);
    if !other_repository && last.folder == origin.folder {
        return Ok(());
    }
    let place = |origin: &Origin| {
        let folder = if origin.folder.is_empty() { "the top" } else { &*origin.folder };
        let repository = origin.repository.as_ref().map(|repository| format!(" of `{repository}`")).unwrap_or_default();
        format!("`{folder}`{repository}").replace("`the top`", "the top")
    };
    let error = Diagnostic::error("this state belongs to another configuration")
        .because(format!("it was made from {}, and this is {}", place(&last), place(origin)))
        .hint("name another state in the `state` block; if the configuration has moved, `--move-state` says so");
    Err(error.into())
}

/// What a repository is called, wherever it is reached: its last two names.
fn name(url: &str) -> Vec<&str> {
    let path = url.trim_end_matches('/').trim_end_matches(".git");
    path.rsplit(['/', ':']).take(2).collect()
}

#[cfg(test)]
mod tests {
    use super::name;

    #[test]
    fn a_repository_is_one_wherever_it_is_reached() {
        for other in ["git@example.org:team/infra.git", "ssh://git@example.org:22/team/infra", "/srv/team/infra.git/"] {
            assert_eq!(name(other), name("https://example.org/team/infra.git"));
        }
        assert_ne!(name("https://example.org/team/infra.git"), name("https://example.org/other/infra.git"));
    }
}
