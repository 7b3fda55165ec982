//! `rollback`: what an earlier revision was made from, planned and done again.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use bimetal_config::SourceFile;
use bimetal_model::port::Remember as _;
use bimetal_model::snapshot::{Revision, Snapshot, Source, short_commit};
use bimetal_model::{Address, Diagnostic};
use bimetal_plan::{Action, Mode, Plan, Reason};

use super::apply::{Wish, plan_and_do};
use crate::arguments::{self, Wishes};
use crate::failure::Failure;
use crate::plan_document::moved_in;
use crate::plan_file::digests;
use crate::session::Session;
use crate::view;
use crate::walk::{Course, Images, World};

/// Brings the world to the configuration of a revision, with its images.
pub(crate) async fn rollback(session: &Session, arguments: &arguments::Rollback) -> Result<ExitCode, Failure> {
    let arguments::Rollback { number, planning, doing } = arguments;
    let store = session.store(&session.configuration_for_state()?).await?;
    let revision = store.revision(*number).await?;
    let Some(source) = store.source(*number).await? else { return Err(without_source(&revision)) };
    if revision.summary.get("mode").and_then(|mode| mode.as_str()) == Some("destroy") {
        let error = Diagnostic::error(format!("revision {number} destroyed everything"));
        return Err(error.hint("`bimetal destroy` does so again").into());
    }
    let then = store.at(*number).await?;
    let names = names_of_then(&store.revisions().await?, *number, &then, &store.load().await?);
    drop(store);
    let files = source.files.iter().map(|(name, text)| SourceFile { name: (**name).into(), text: (**text).into() });
    let (variables, planned_ms) = (&source.variables, source.planned_ms);
    let there = view::as_then(session, revision.origin.as_deref()).await?;
    let mut configuration =
        there.configuration_with(files.collect(), variables, planned_ms, &planning.variables).await?;
    configuration.desired.renamed = Arc::new(names);
    let mut world = World::open(session, configuration).await?;
    session.warn(&other_providers(*number, &source, &world), &[]);
    world.lock.images = source.images;
    let command = format!("rollback {number}");
    let course = Course::of(session, planning, &Wishes::default(), Mode::Apply);
    let wish = Wish { command: &command, course, planning, doing, images: Images::AsTheyWere };
    plan_and_do(session, world, &wish, |plan| {
        mark(plan, *number, &then);
        plan.origin = revision.origin.clone();
    })
    .await
}

fn without_source(revision: &Revision) -> Failure {
    let Revision { number, command, origin, .. } = revision;
    let error = Diagnostic::error(format!("what revision {number} (`{command}`) was made from is not known"));
    let error = error.because("it had no configuration, or the state had no key then to seal it with");
    let hint = match origin.as_deref() {
        Some(origin) if !origin.dirty => {
            format!("it was commit {0}: `bimetal apply --ref {0}` plans that", short_commit(&origin.commit))
        }
        Some(_) | None => "go back to another one: `bimetal history` lists them".to_owned(),
    };
    error.hint(hint).into()
}

/// What `moved` blocks gave other names since: what it is called now, and what it was called then.
fn names_of_then(revisions: &[Revision], number: u64, then: &Snapshot, now: &Snapshot) -> BTreeMap<Address, Address> {
    let mut names: BTreeMap<Address, Address> = BTreeMap::new();
    let mut since: Vec<&Revision> = revisions.iter().filter(|revision| revision.number > number).collect();
    since.sort_by_key(|revision| revision.number);
    for revision in since {
        // All of one revision are moved at once.
        let moved: Vec<_> =
            moved_in(&revision.summary).map(|(old, new)| (new, names.remove(&old).unwrap_or(old))).collect();
        names.extend(moved);
    }
    let is_now = |address: &Address| now.objects.contains_key(address);
    let was_then = |address: &Address| then.objects.contains_key(address);
    names.retain(|new, old| is_now(new) && was_then(old) && !is_now(old) && !was_then(new));
    names
}

fn other_providers(number: u64, source: &Source, world: &World) -> Vec<Diagnostic> {
    let present = digests(&world.lock);
    let changed = source.providers.iter().filter(|(name, digest)| present.get(*name).is_some_and(|now| now != *digest));
    let warning = |(name, _)| {
        Diagnostic::warning(format!("revision {number} was made with another provider `{name}`"))
            .because("what it does now is what the one does that is locked")
    };
    changed.map(warning).collect()
}

/// Says what can't be brought back: what is made anew has nothing of what was in it.
fn mark(plan: &mut Plan, number: u64, then: &Snapshot) {
    for change in plan.changes.iter_mut().filter(|change| then.objects.contains_key(&change.address)) {
        let is_there = match change.action {
            Action::Create => false,
            Action::Replace => true,
            Action::Read | Action::Update | Action::Delete | Action::Keep | Action::Leave => continue,
        };
        let because = change.reason.take().map(Box::new);
        change.reason = Some(Reason::LikeRevision { revision: number, is_there, because });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bimetal_model::snapshot::Stored;
    use bimetal_model::{ProviderKey, Value};
    use serde_json::json;

    use super::super::apply::bare_revision;
    use super::*;

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    fn with(addresses: &[&str]) -> Snapshot {
        let stored = Arc::new(Stored {
            provider: ProviderKey::default_of("docker"),
            ty: "docker_volume".to_owned(),
            schema_version: 0,
            object: bimetal_model::snapshot::Object { value: Value::NULL, private: Vec::new() },
            depends_on: Vec::new(),
            placement: None,
            tainted: false,
            unfinished: None,
            prevent_destroy: false,
        });
        let objects = addresses.iter().map(|text| (address(text), stored.clone())).collect();
        Snapshot { objects, ..Snapshot::default() }
    }

    fn moving(number: u64, moved: &[(&str, &str)]) -> Revision {
        let moved: Vec<_> = moved.iter().map(|(old, new)| json!({ "address": new, "before": old })).collect();
        Revision { number, summary: json!({ "moved": moved }), ..bare_revision("apply") }
    }

    fn names(moved: &[Revision], then: &[&str], now: &[&str]) -> Vec<String> {
        let names = names_of_then(moved, 1, &with(then), &with(now));
        names.iter().map(|(now, then)| format!("{now} was {then}")).collect()
    }

    #[test]
    fn moves_are_followed_back() {
        let first = moving(2, &[("docker_volume.a", "docker_volume.b"), ("docker_volume.x", "docker_volume.y")]);
        let second = moving(3, &[("docker_volume.b", "docker_volume.c[\"k\"]")]);
        let before = moving(1, &[("docker_volume.z", "docker_volume.a")]);
        let revisions = [second, first, before];
        let (then, now) = (["docker_volume.a", "docker_volume.x"], ["docker_volume.c[\"k\"]", "docker_volume.y"]);
        let all = ["docker_volume.c[\"k\"] was docker_volume.a", "docker_volume.y was docker_volume.x"];
        assert_eq!(names(&revisions, &then, &now), all);
        // What has gone meanwhile, and what took the old name, is left as it is.
        assert_eq!(names(&revisions, &then, &now[1..]), all[1..]);
        assert_eq!(names(&revisions, &then, &[now[0], now[1], "docker_volume.x"]), all[..1]);
    }

    #[test]
    fn names_that_were_exchanged_are_left_alone() {
        let there = moving(2, &[("docker_volume.a", "docker_volume.c")]);
        let back = moving(3, &[("docker_volume.c", "docker_volume.a")]);
        assert_eq!(names(&[there, back], &["docker_volume.a"], &["docker_volume.a"]), [""; 0]);
    }
}
