//! `import`: what exists already is taken into the state, and nothing else is done.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use bimetal_config::Claim;
use bimetal_model::lease::{Lease, Scope};
use bimetal_model::port::{Record, Remember as _};
use bimetal_model::snapshot::{RevisionOutcome, Stored};
use bimetal_model::{Address, BlockKind, Diagnostic, Selector};
use bimetal_plan::{Action, Change, Mode, Options, Plan};
use bimetal_state::StateName;
use serde_json::json;

use super::apply::revision;
use super::inspect::object_text;
use crate::arguments;
use crate::failure::Failure;
use crate::lease::holding;
use crate::output::{print, print_json, say};
use crate::plan_document::plan_document;
use crate::session::Session;
use crate::storable;
use crate::walk::{self, Course, Look, World};

/// Takes one object over, as an `import` block and an apply would, and shows what it took.
pub(crate) async fn import(session: &Session, arguments: &arguments::Import) -> Result<ExitCode, Failure> {
    let configuration = session.configuration(&arguments.variables).await?;
    refuse(&arguments.address)?;
    let declared = configuration.desired.module.objects.contains_key(&arguments.address.whole());
    if !declared {
        return Err(undeclared(&arguments.address));
    }
    let world = World::open(session, configuration).await?;
    take(session, &world, arguments).await?;
    Ok(ExitCode::SUCCESS)
}

async fn take(session: &Session, world: &World, words: &arguments::Import) -> Result<(), Failure> {
    let arguments::Import { address, id, .. } = words;
    if world.snapshot.objects.contains_key(address) {
        let error = Diagnostic::error(format!("the state knows `{address}` already"));
        return Err(error.hint(format!("`bimetal state rm '{address}'` forgets it, and destroys nothing")).into());
    }
    let options = Options {
        mode: Mode::Apply,
        targets: vec![Selector::Object(address.clone())],
        imports: vec![Claim { address: address.clone(), id: id.clone() }],
        ..Options::default()
    };
    // What else exists is not the question.
    let course =
        Course { options, look: Look::Believe, parallelism: 1, moves_state: false, notify: &*session.progress };
    let planned = walk::look_and_plan(world, &course).await;
    session.progress.clear();
    let (planned, _) = planned.map_err(|said| Failure::new(said, &world.configuration.files))?;
    let change = planned.plan.changes.iter().find(|change| change.address == *address);
    let found = change.and_then(|change| Some((change, change.before.clone()?)));
    let Some((change, stored)) = found.filter(|_| planned.plan.imported.contains_key(address)) else {
        let error = Diagnostic::error(format!("`{address}` has no such instance"));
        return Err(error.hint("write its key as `count` or `for_each` has it").into());
    };
    storable::check_doing(&world.store, &planned.plan, &*world.host).await?;
    let scope = Scope::of([address.clone()].into(), planned.plan.reads.keys().cloned().collect());
    let write = async |lease: &Lease| record(world, &session.state, &planned.plan, address, &stored, lease).await;
    holding(&world.store, "import", &scope, Duration::ZERO, write).await?;
    show(session, change, &stored, &planned.plan);
    Ok(())
}

/// Written down as a revision of its own, if what it rests on is what it was.
async fn record(
    world: &World,
    state: &StateName,
    plan: &Plan,
    address: &Address,
    stored: &Arc<Stored>,
    lease: &Lease,
) -> Result<(), Failure> {
    if !bimetal_plan::outdated(plan, &world.store.load().await?).is_empty() {
        let error = Diagnostic::error("the state has changed meanwhile");
        return Err(error.hint("import it again").into());
    }
    world.store.back_up().await?;
    let number = world.store.begin(lease, revision(state, "import", plan), None).await?;
    let put = Record::Put { address: address.clone(), stored: stored.clone(), closes: None };
    let recorded = world.store.record(lease, vec![put]).await;
    let outcome = if recorded.is_ok() { RevisionOutcome::Done } else { RevisionOutcome::Failed };
    world.store.finish(lease, number, outcome).await?;
    Ok(recorded?)
}

fn show(session: &Session, change: &Change, stored: &Stored, plan: &Plan) {
    if session.json {
        return print_json(&json!({ "format": 1, "address": change.address, "plan": plan_document(plan) }));
    }
    print(object_text(&change.address, stored).trim_end_matches('\n'));
    print("\n");
    say(&format!("\n{} is in the state now. {}\n", change.address, next(change.action)));
}

/// What the next apply does to it.
fn next(action: Action) -> &'static str {
    match action {
        Action::Keep => "It is what the configuration says.",
        Action::Update => "It is not yet what the configuration says: the next apply changes it in place.",
        Action::Replace => {
            "It is not what the configuration says: the next apply would replace it. Look at `bimetal plan` first."
        }
        Action::Create | Action::Read | Action::Delete | Action::Leave => "Look at `bimetal plan` next.",
    }
}

fn refuse(address: &Address) -> Result<(), Failure> {
    let can_be = matches!(address.block, BlockKind::Machine | BlockKind::Resource) && address.deposed.is_none();
    let error = || Diagnostic::error(format!("`{address}` can't be imported"));
    match can_be {
        true => Ok(()),
        false => Err(error()
            .hint("machines and resources can, as `docker_volume.data` or `docker_volume.data[\"a\"]`")
            .into()),
    }
}

fn undeclared(address: &Address) -> Failure {
    let ty = &address.ty;
    let block = match address.block {
        BlockKind::Machine => format!("machine \"{ty}\" \"{}\" {{ … }}", address.name),
        BlockKind::Pool | BlockKind::Service | BlockKind::Resource | BlockKind::Data | BlockKind::Ephemeral => {
            format!("resource \"{ty}\" \"{}\" {{ … }}", address.name)
        }
    };
    Diagnostic::error(format!("the configuration has no `{}`", address.whole()))
        .hint(format!("write its block first: `{block}`"))
        .into()
}
