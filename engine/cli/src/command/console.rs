//! `console`: expressions, one a line, in the scope of the configuration and of what state remembers.

mod editor;
mod names;
mod statements;

use std::io::{BufRead, IsTerminal as _};
use std::process::ExitCode;

use bimetal_config::{Acting, Expression, Moment, Scope, SourceFile, parse_expression};
use bimetal_model::Diagnostics;
use bimetal_model::json::{Marks, encode};
use bimetal_model::port::Edge as _;
use serde_json::json;

use crate::arguments::Variables;
use crate::edge::System;
use crate::failure::{Failure, io};
use crate::output::{print, print_json, report, say};
use crate::session::Session;
use crate::walk::World;
use statements::{Statement, statement};

const HELP: &str = "\
An expression on a line of its own is evaluated, and its value is printed: `1 + 1`, `var.name`, `upper(local.a)`.
A line goes on as long as brackets are open. `exit`, or Ctrl-D, ends the console.
";

/// Evaluates what is typed, or what comes from standard input.
pub(crate) async fn console(session: &Session, variables: &Variables) -> Result<ExitCode, Failure> {
    let configuration = session.configuration_if_any(variables).await?;
    let world = World::open(session, configuration).await?;
    let desired = world.configuration.desired.acting(acting());
    let (scope, diagnostics) = bimetal_plan::existing(&desired, &world.snapshot.objects, &*world.host);
    session.progress.clear();
    // What could not be worked out is unknown, and no reason not to evaluate the rest.
    crate::output::complain(&diagnostics, &world.configuration.files);
    let console = Console { scope, files: world.configuration.files, json: session.json };
    match std::io::stdin().is_terminal() {
        true => editor::run(&console),
        false => console.batch(std::io::stdin().lock()),
    }
}

/// Whether to go on.
enum Next {
    Line { failed: bool },
    Exit,
}

struct Console {
    scope: Scope,
    files: Vec<SourceFile>,
    json: bool,
}

fn acting() -> Acting {
    Acting { now_ms: System.now_ms(), seed: System.new_id().into() }
}

impl Console {
    /// All lines to the end, whatever is wrong with some.
    fn batch(&self, input: impl BufRead) -> Result<ExitCode, Failure> {
        let (mut open, mut code) = (String::new(), ExitCode::SUCCESS);
        let mut lines = input.lines();
        loop {
            let line = lines.next().transpose().map_err(io("reading standard input"))?;
            let is_last = line.is_none();
            open.extend(line.map(|line| line + "\n"));
            if !is_last && statement(&open) == Statement::Open {
                continue;
            }
            match self.answer(&std::mem::take(&mut open)) {
                Next::Exit => return Ok(code),
                Next::Line { failed: true } => code = ExitCode::FAILURE,
                Next::Line { failed: false } => {}
            }
            if is_last {
                return Ok(code);
            }
        }
    }

    /// Prints what a statement comes to, or what is wrong with it.
    fn answer(&self, text: &str) -> Next {
        match (statement(text), text.trim()) {
            (Statement::Empty, _) => return Next::Line { failed: false },
            (_, "exit" | "quit") => return Next::Exit,
            (_, "help") => say(HELP),
            (Statement::Open | Statement::Whole, text) => match self.show(text) {
                Ok(()) => {}
                Err(failure) => {
                    report(&failure, self.json);
                    return Next::Line { failed: true };
                }
            },
        }
        Next::Line { failed: false }
    }

    fn show(&self, text: &str) -> Result<(), Failure> {
        let file = SourceFile { name: "<console>".into(), text: text.into() };
        let result = parse_expression(&file).and_then(|expression| self.evaluate(&expression));
        result.map_err(|diagnostics| {
            let files: Vec<_> = self.files.iter().cloned().chain([file]).collect();
            Failure::new(diagnostics, &files)
        })
    }

    fn evaluate(&self, expression: &Expression) -> Result<(), Diagnostics> {
        // Each line has its own time and chance.
        let moment = Moment { acting: Some(acting()), ..self.scope.moment.clone() };
        let scope = Scope { moment, ..self.scope.clone() };
        if self.json {
            let value = bimetal_config::console::value(expression, &scope)?;
            print_json(&json!({ "format": 1, "value": encode(&value, Marks::Redact), "type": value.ty() }));
        } else {
            print(&format!("{}\n", bimetal_config::console::run(expression, &scope)?));
        }
        Ok(())
    }
}
