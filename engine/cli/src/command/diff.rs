//! `diff`: where two versions of the configuration differ in what they want of the same state.

use std::process::ExitCode;
use std::sync::Arc;

use bimetal_model::port::Edge as _;
use bimetal_plan::{Comparison, compare};

use crate::arguments::{self, Format};
use crate::comparison_document::{Origins, comparison_document};
use crate::configuration::read_lock;
use crate::edge::System;
use crate::failure::Failure;
use crate::output::{print, print_json, width};
use crate::render::plan::{Names, comparison as render, comparison_markdown};
use crate::session::Session;
use crate::versions::{Foreseen, both, chosen, unprotected};
use crate::walk::idle;

/// Plans both against the same state at the same moment, and asks nobody; changes nothing.
pub(crate) async fn diff(session: &Session, arguments: &arguments::Diff) -> Result<ExitCode, Failure> {
    let (before, after) = chosen(session, &arguments.versions).await?;
    let now = System.now_ms();
    let before = before.read(&arguments.variables, now).await;
    let (before, after) = both(before, after.read(&arguments.variables, now).await)?;
    let store = session.store(&after.configuration).await.map_err(|failure| after.version.told(failure))?;
    let store = Arc::new(store);
    let snapshot = unprotected(idle(&store).await?);
    let here = read_lock(&session.root)?;
    let beside_before = vec![here.clone(), after.lock.clone()];
    let beside_after = vec![here, before.lock.clone()];
    let (before, after) = tokio::join!(
        before.foresee(store.clone(), snapshot.clone(), beside_before),
        after.foresee(store.clone(), snapshot, beside_after)
    );
    session.progress.clear();
    let (before, after) = both(before, after)?;
    let said = after.version.told(Failure::new(after.said.clone(), &after.world.configuration.files));
    session.warn(&said.diagnostics, &said.files);
    let comparison = compare(&before.as_version(), &after.as_version());
    show(session, arguments, &comparison, (&before, &after));
    let differs = arguments.detailed_exitcode && !comparison.is_empty();
    Ok(if differs { ExitCode::from(2) } else { ExitCode::SUCCESS })
}

fn show(session: &Session, arguments: &arguments::Diff, comparison: &Comparison, of: (&Foreseen, &Foreseen)) {
    let names = Names { before: of.0.in_words(), after: of.1.in_words() };
    match (session.json, arguments.format) {
        (true, _) | (false, Format::Json) => {
            let origins = Origins { before: of.0.origin.as_deref(), after: of.1.origin.as_deref() };
            print_json(&comparison_document(comparison, &origins));
        }
        (false, Format::Text) => print(&render(comparison, &names, arguments.detail, width())),
        (false, Format::Markdown) => print(&comparison_markdown(comparison, &names, arguments.detail)),
    }
}
