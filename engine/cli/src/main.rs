//! `bimetal`: words in, words out. Joins host and state to the walk; the only room that prints.

mod arguments;
mod command;
mod comparison_document;
mod configuration;
mod crash;
mod edge;
mod events;
mod exported;
mod failure;
mod keys;
mod lease;
mod lending;
mod location;
mod origin;
mod output;
mod packages;
mod plan_document;
mod plan_file;
mod providers;
mod relock;
mod render;
mod session;
mod storable;
mod traces;
mod versions;
mod view;
mod walk;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use failure::Failure;
use session::Session;

#[global_allocator]
static ALLOCATOR: bimetal_allocator::Allocator = bimetal_allocator::Allocator;

fn main() -> ExitCode {
    bimetal_allocator::give_back_soon();
    let arguments = Arguments::of_process();
    let json = arguments.json;
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            output::say(&format!("error: the runtime can't start: {error}\n"));
            return ExitCode::FAILURE;
        }
    };
    let result = runtime.block_on(traced(arguments));
    // Reads of the terminal can't be interrupted: don't wait for them.
    runtime.shutdown_background();
    result.unwrap_or_else(|failure| {
        output::report(&failure, json);
        ExitCode::from(failure.code)
    })
}

/// One span a command.
async fn traced(arguments: Arguments) -> Result<ExitCode, Failure> {
    use tracing::Instrument as _;
    let traces = traces::Traces::begin();
    let span = tracing::info_span!("command", name = arguments.command.name());
    let result = run(arguments).instrument(span).await;
    traces.end().await;
    result
}

async fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    if let Command::Completions { shell } = arguments.command {
        command::init::completions(shell);
        return Ok(ExitCode::SUCCESS);
    }
    let state = session::state_name(arguments.state)?;
    let mut session = Session::new(arguments.chdir.as_deref(), arguments.json, arguments.command.events_into(), state)?;
    session.asks &= arguments.input;
    let result = tokio::select! {
        result = command(&session, &arguments.command) => result,
        () = session.lent.interrupted() => Err(given_up(&session)),
    };
    session.warn(&session.lent.close().await, &[]);
    if let Err(failure) = &result {
        session.progress.events.document("failure", || output::failure_document(failure));
    }
    result
}

/// On a line of its own: the terminal has just shown `^C`, perhaps behind a question.
fn given_up(session: &Session) -> Failure {
    if !session.json {
        output::say("\n");
    }
    lending::given_up()
}

async fn command(session: &Session, command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Plan(arguments) => return command::plan::plan(session, arguments).await,
        Command::Apply(arguments) => return command::apply::apply(session, arguments).await,
        Command::Destroy(arguments) => return command::apply::destroy(session, arguments).await,
        Command::Diff(arguments) => return command::diff::diff(session, arguments).await,
        Command::Import(arguments) => return command::import::import(session, arguments).await,
        Command::Fmt(arguments) => return command::fmt::fmt(session, arguments),
        Command::Rollback(arguments) => return command::rollback::rollback(session, arguments).await,
        Command::Test(arguments) => return command::test::test(session, arguments).await,
        Command::Plugin(command) => return command::plugin::plugin(session, command).await,
        Command::Console(variables) => return command::console::console(session, variables).await,
        Command::Exec(arguments) => return command::reach::exec(session, arguments).await,
        Command::Ssh(arguments) => return command::reach::ssh(session, arguments).await,
        Command::Providers(command) => command::providers::providers(session, command).await?,
        Command::Lock(command) => command::lock::lock(session, command).await?,
        Command::Init(arguments) => command::init::init(session, arguments).await?,
        Command::Validate(variables) => command::init::validate(session, variables).await?,
        Command::Show(arguments) => command::plan::show(session, arguments).await?,
        Command::Output(arguments) => command::inspect::output(session, arguments).await?,
        Command::State(arguments) => command::state::state(session, arguments).await?,
        Command::Status(arguments) => command::status::status(session, arguments).await?,
        Command::History(arguments) => command::history::history(session, arguments).await?,
        Command::Machines => command::fleet::machines(session).await?,
        Command::Ps(arguments) => command::fleet::ps(session, arguments).await?,
        Command::Logs(arguments) => command::reach::logs(session, arguments).await?,
        Command::Version => command::init::version(session)?,
        Command::Completions { .. } => unreachable!("handled above: needs no folder"),
    }
    Ok(ExitCode::SUCCESS)
}
