//! `test`: runs of configurations, with what must hold of them.

mod files;
pub(crate) mod junit;
mod play;
mod report;
mod result;
mod scene;
mod state;
mod values;
mod verdict;

use std::process::ExitCode;

use bimetal_apply::Stop;
use bimetal_config::lock::Lock;

use crate::arguments;
use crate::command::signals::{TESTING, listen};
use crate::configuration::read_lock;
use crate::failure::Failure;
use crate::session::Session;
use report::Report;
use result::{SuiteResult, Tally};
use values::Outside;

pub(crate) use files::check;

/// What all files of tests have in common.
struct Stage<'s> {
    session: &'s Session,
    /// Beside those of the root.
    test_folder: String,
    lock: Lock,
    outside: Outside,
    stop: Stop,
}

/// Plays all files of tests, one after the other.
pub(crate) async fn test(session: &Session, arguments: &arguments::Test) -> Result<ExitCode, Failure> {
    let suites = files::read(session, arguments)?;
    let stage = Stage {
        session,
        test_folder: files::folder(arguments),
        lock: read_lock(&session.root)?,
        outside: Outside::read(session, arguments, &suites)?,
        stop: Stop::default(),
    };
    // What can't be written should not be found out at the end.
    let junit = arguments.junit_xml.as_ref().map(|path| junit::File::create(&session.root.join(path))).transpose()?;
    session.lent.leaves_signals();
    let listening = tokio::spawn(listen(stage.stop.clone(), TESTING, session.progress.clone()));
    let report = Report { json: session.json, verbose: arguments.verbose };
    let mut results: Vec<SuiteResult> = Vec::new();
    for suite in &suites {
        results.push(play::play(&stage, suite, &report).await?);
    }
    listening.abort();
    if let Some(junit) = junit {
        junit.write(junit::document(&results))?;
    }
    report.end(&results);
    let all_passed = Tally::of(&results).failed == 0 && results.iter().all(|result| result.left.is_empty());
    Ok(if all_passed && !stage.stop.is_stopped() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
