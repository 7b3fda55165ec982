//! `lock`: what is locked, chosen anew, with the difference to review.

use bimetal_config::lock::{Lock, changes};
use bimetal_config::nearest_or_all;
use bimetal_model::Diagnostic;
use bimetal_sources::want::Ask;
use serde_json::json;

use crate::arguments::{self, LockKind, LockUpdate};
use crate::configuration::{read_lock, write_lock};
use crate::failure::Failure;
use crate::output::{print, print_json, say};
use crate::relock::{Anew, Relocked, Renewal, relock};
use crate::render;
use crate::session::Session;

/// One of its commands.
pub(crate) async fn lock(session: &Session, command: &arguments::Lock) -> Result<(), Failure> {
    match command {
        arguments::Lock::Update(arguments) => update(session, arguments).await,
    }
}

async fn update(session: &Session, arguments: &LockUpdate) -> Result<(), Failure> {
    let LockUpdate { kind, name, consent, variables } = arguments;
    if let Some((kind, name)) = kind.zip(name.as_deref()) {
        check_known(&read_lock(&session.root)?, kind, name)?;
    }
    let anew = name.as_deref().map_or(Anew::All, Anew::One);
    let nothing = Renewal::of_all(Anew::Nothing, Ask::WhereMissing);
    let renewal = match kind {
        None => Renewal::of_all(Anew::All, Ask::WhereMissing),
        Some(LockKind::Modules) => Renewal { modules: anew, ..nothing },
        Some(LockKind::Providers) => Renewal { providers: anew, ..nothing },
        Some(LockKind::Images) => Renewal { images: anew, ..nothing },
    };
    let Relocked { old, new, .. } = relock(session, variables, consent, renewal).await?;
    write_lock(&session.root, &new)?;
    session.progress.clear();
    show_difference(session, &old, &new);
    Ok(())
}

/// Says what is locked otherwise than before, and that it was written.
pub(crate) fn show_difference(session: &Session, old: &Lock, new: &Lock) {
    let changes = changes(old, new);
    if session.json {
        return print_json(&json!({ "format": 1, "changes": changes }));
    }
    match changes.is_empty() {
        true => say("Nothing has changed: `bimetal.lock.hcl` stays as it is.\n"),
        false => {
            print(&render::lock::difference(&changes));
            say("\nWritten to `bimetal.lock.hcl`.\n");
        }
    }
}

fn check_known(lock: &Lock, kind: LockKind, name: &str) -> Result<(), Failure> {
    let (what, known): (_, Vec<String>) = match kind {
        LockKind::Modules => ("module", lock.modules.keys().map(|(source, _)| source.clone()).collect()),
        LockKind::Providers => ("provider", lock.providers.keys().map(ToString::to_string).collect()),
        LockKind::Images => ("image", lock.images.keys().map(ToString::to_string).collect()),
    };
    if known.iter().any(|known| known == name) {
        return Ok(());
    }
    let hint = nearest_or_all(name, known.iter().map(String::as_str), &format!("{what} in `bimetal.lock.hcl`"));
    Err(Diagnostic::error(format!("no {what} `{name}` is locked")).hint(hint).into())
}
