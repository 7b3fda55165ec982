//! `logs`, `exec` and `ssh`: through the fleet to one container or machine.

use std::process::ExitCode;

use bimetal_host::console::Console;
use bimetal_host::docker::{Log, LogOptions};
use bimetal_host::fault::Fault;
use bimetal_model::Diagnostic;
use futures::StreamExt as _;
use serde_json::Value as Json;

use super::fleet::{Container, containers, nodes};
use crate::arguments;
use crate::failure::Failure;
use crate::output::{print_bytes, say};
use crate::session::Session;
use crate::walk::World;

/// The container of that name or address.
async fn find(world: &World, wanted: &str) -> Result<Container, Failure> {
    let (all, silent) = containers(world).await;
    let fits = |one: &Container| {
        one.name() == wanted
            || one.address.as_ref().is_some_and(|address| address.to_string() == wanted)
            || (wanted.len() >= 6 && one.id().starts_with(wanted))
    };
    let mut fitting: Vec<Container> = all.into_iter().filter(fits).collect();
    match (fitting.pop(), fitting.pop()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => {
            let error = Diagnostic::error(format!("several containers are called `{wanted}`"));
            Err(error.hint("use the address that `bimetal ps` shows").into())
        }
        (None, _) => {
            silent.iter().for_each(|line| say(&format!("unreachable: {line}\n")));
            let error = Diagnostic::error(format!("no container is called `{wanted}`"));
            Err(error.hint("`bimetal ps --all` lists them").into())
        }
    }
}

fn failure(fault: Fault) -> Failure {
    fault.diagnostic().into()
}

/// Prints what a container printed.
pub(crate) async fn logs(session: &Session, arguments: &arguments::Logs) -> Result<(), Failure> {
    let world = World::for_reach(session).await?;
    let container = find(&world, &arguments.container).await?;
    session.progress.clear();
    let engine = world.host.engines().engine(&container.engine).await.map_err(failure)?;
    let options = LogOptions { follow: arguments.follow, tail: arguments.tail.map(u64::from), ..LogOptions::default() };
    let mut lines = engine.logs(container.id(), &options).map_err(failure)?;
    while let Some(piece) = lines.next().await {
        match piece.map_err(failure)? {
            Log::Output(bytes) => print_bytes(&bytes, std::io::stdout()),
            Log::Error(bytes) => print_bytes(&bytes, std::io::stderr()),
        }
    }
    Ok(())
}

/// Runs a command in a container; its exit code is ours.
pub(crate) async fn exec(session: &Session, arguments: &arguments::Exec) -> Result<ExitCode, Failure> {
    let world = World::for_reach(session).await?;
    let container = find(&world, &arguments.container).await?;
    session.progress.clear();
    let engine = world.host.engines().engine(&container.engine).await.map_err(failure)?;
    let status = engine.exec(container.id(), &arguments.command, None, Console::terminal()).await.map_err(failure)?;
    Ok(exit_code(status))
}

/// A shell on a machine, or a command there; its exit code is ours.
pub(crate) async fn ssh(session: &Session, arguments: &arguments::Ssh) -> Result<ExitCode, Failure> {
    let world = World::for_reach(session).await?;
    session.progress.clear();
    let found = nodes(&world.snapshot).into_iter().find(|node| node.address == arguments.machine);
    let Some(node) = found else {
        let error = Diagnostic::error(format!("the state does not know `{}`", arguments.machine));
        return Err(error.hint("`bimetal machines` lists them").into());
    };
    let handle: Json = serde_json::from_str(node.engine().unwrap_or("null")).unwrap_or(Json::Null);
    let Some(endpoint) = handle.get("endpoint").or(handle.get("ssh")) else {
        let error = Diagnostic::error(format!("`{}` is not reached over SSH", arguments.machine));
        return Err(error.hint("its `host` begins with `ssh://` where it is").into());
    };
    let command = match arguments.command.is_empty() {
        true => None,
        false => Some(bimetal_host::ssh::quote_all(arguments.command.iter().map(String::as_str)).map_err(failure)?),
    };
    let console = if command.is_some() { Console::pipes() } else { Console::terminal() };
    let status =
        world.host.sessions().shell(&endpoint.to_string(), command.as_deref(), console).await.map_err(failure)?;
    Ok(exit_code(status))
}

fn exit_code(status: i32) -> ExitCode {
    ExitCode::from(u8::try_from(status).unwrap_or(255))
}
