//! Lines from a terminal: edited, completed and remembered.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use bimetal_model::Diagnostic;
use rustyline::completion::{Completer, Pair};
use rustyline::config::{CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Editor, Helper};

use super::names::candidates;
use super::statements::{Statement, statement};
use super::{Console, Next};
use crate::failure::Failure;
use crate::output::say;
use crate::session::directory;

const PROMPT: &str = "> ";
/// Lines that are remembered.
const MOST_LINES: usize = 1_000;

/// Asks for lines until there are no more.
pub(super) fn run(console: &Console) -> Result<ExitCode, Failure> {
    let mut editor = editor(console).map_err(|error| Failure::from(terminal(error)))?;
    let history = history();
    if let Some(path) = &history {
        // The first time there is none.
        let _ = editor.load_history(path);
    }
    loop {
        let line = match editor.readline(PROMPT) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(terminal(error).into()),
        };
        let _ = editor.add_history_entry(&line);
        match console.answer(&format!("{line}\n")) {
            Next::Line { .. } => {}
            Next::Exit => break,
        }
    }
    if let Some(Err(error)) = history.map(|path| editor.save_history(&path)) {
        say(&format!("warning: what was typed is not remembered: {error}\n"));
    }
    Ok(ExitCode::SUCCESS)
}

fn terminal(error: ReadlineError) -> Diagnostic {
    let error = Diagnostic::error(format!("the terminal can't be read: {error}"));
    error.hint("expressions can come from standard input: `echo 'var.name' | bimetal console`")
}

fn editor(console: &Console) -> rustyline::Result<Editor<Lines<'_>, DefaultHistory>> {
    let config = Config::builder()
        .max_history_size(MOST_LINES)?
        .history_ignore_dups(true)?
        // What nobody should remember begins with a space.
        .history_ignore_space(true)
        .completion_type(CompletionType::List)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Lines { console }));
    Ok(editor)
}

/// Where what was typed is remembered; nowhere, if its folder can't be made.
fn history() -> Option<PathBuf> {
    let folder = directory("XDG_STATE_HOME", ".local/state").ok()?;
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join("console_history"))
}

struct Lines<'c> {
    console: &'c Console,
}

impl Helper for Lines<'_> {}

impl Highlighter for Lines<'_> {}

impl Hinter for Lines<'_> {
    type Hint = String;
}

impl Validator for Lines<'_> {
    fn validate(&self, ctx: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match statement(&format!("{}\n", ctx.input())) {
            Statement::Open => ValidationResult::Incomplete,
            Statement::Empty | Statement::Whole => ValidationResult::Valid(None),
        })
    }
}

impl Completer for Lines<'_> {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let (start, names) = candidates(line, at, &self.console.scope);
        let pair = |name: String| Pair { display: name.clone(), replacement: name };
        Ok((start, names.into_iter().map(pair).collect()))
    }
}
