//! Values of variables: from outside, from the file of tests, from the run; a later one wins.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bimetal_config::module::{BodyAttribute, Module};
use bimetal_config::suite::{Run, Suite};
use bimetal_config::{Argument, Expression, Given, Scope, SourceFile, checked};
use bimetal_model::diagnostic::has_errors;
use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, Span, Value};

use crate::arguments::Test;
use crate::configuration::{read_sources_from, read_variable_files_in};
use crate::failure::Failure;
use crate::session::Session;

/// Values that are not written in the files of tests.
pub(super) struct Outside {
    pub(super) root: Given,
    /// What the folder of tests adds for the files in it.
    of_tests: Vec<SourceFile>,
}

impl Outside {
    pub(super) fn read(session: &Session, arguments: &Test, suites: &[Suite]) -> Result<Outside, Failure> {
        let folder = super::files::folder(arguments);
        let has_tests = !folder.is_empty() && session.root.join(&folder).is_dir();
        let root = session.given(&arguments.variables)?;
        let of_tests = if has_tests { read_variable_files_in(&session.root, &folder)? } else { Vec::new() };
        let outside = Outside { root, of_tests };
        outside.check(session, suites)?;
        Ok(outside)
    }

    /// Whether somebody declares what the command line gives a value.
    fn check(&self, session: &Session, suites: &[Suite]) -> Result<(), Failure> {
        let runs = suites.iter().flat_map(|suite| &suite.runs);
        let folders = runs.filter_map(|run| run.module.as_ref()).map(|source| &*source.folder).chain([""]);
        let read = |folder| read_sources_from(&session.root, folder, &BTreeSet::new()).unwrap_or_default();
        let modules: Vec<Module> = folders.map(|folder| bimetal_config::parse(&read(folder), folder).0).collect();
        let unknown = self.root.arguments.iter().filter_map(|argument| match argument {
            Argument::Value { name, .. } if modules.iter().any(|module| module.variables.contains_key(name)) => None,
            Argument::Value { name, .. } => {
                let known = modules.iter().flat_map(|module| module.variables.keys()).map(String::as_str);
                let hint = bimetal_config::nearest_or_all(name, known.collect::<Vec<_>>(), "variable");
                let error = Diagnostic::error(format!("no variable `{name}` is declared")).hint(hint);
                Some(error.because("`--var` gives it a value"))
            }
            Argument::File(_) => None,
        });
        let unknown: Diagnostics = unknown.collect();
        if unknown.is_empty() { Ok(()) } else { Err(Failure::new(unknown, &[])) }
    }

    /// For a module: what it does not declare is for others.
    pub(super) fn given(&self, suite: &Suite, test_folder: &str, module: &Module) -> Given {
        let is_inside = suite.file.name.rsplit_once('/').is_some_and(|(folder, _)| folder == test_folder);
        let more = self.of_tests.iter().filter(|_| is_inside).cloned();
        let is_declared = |argument: &&Argument| match argument {
            Argument::Value { name, .. } => module.variables.contains_key(name),
            Argument::File(_) => true,
        };
        Given {
            files: self.root.files.iter().cloned().chain(more).collect(),
            arguments: self.root.arguments.iter().filter(is_declared).cloned().collect(),
            ..self.root.clone()
        }
    }
}

/// What a file of tests says of a run's variables.
pub(super) struct Written {
    /// All of them, also those that nobody declares.
    pub(super) values: BTreeMap<String, Value>,
    /// Where each is written.
    pub(super) places: BTreeMap<String, Span>,
    /// What names stand for in `values`, `outputs` and `defaults`.
    pub(super) scope: Scope,
}

/// Evaluates what stands in `variables` of the file and of the run, with what earlier runs came to.
pub(super) fn written(
    suite: &Suite,
    run: &Run,
    outside: Scope,
    runs: &BTreeMap<String, Value>,
) -> Result<Written, Diagnostics> {
    let mut scope = with_outputs("run", runs, outside);
    let (mut values, mut places, mut said) = (BTreeMap::new(), BTreeMap::new(), Diagnostics::new());
    for variables in [&suite.variables, &run.variables] {
        let evaluated: Vec<_> = variables.iter().map(|(name, one)| (name, evaluate(name, one, &scope))).collect();
        for (name, value) in evaluated {
            match value {
                Ok(value) => drop(values.insert(name.clone(), value)),
                Err(errors) => said.extend(errors),
            }
        }
        places.extend(variables.iter().map(|(name, one)| (name.clone(), one.expression.span().clone())));
        Arc::make_mut(&mut scope.variables).extend(values.clone());
    }
    if said.is_empty() { Ok(Written { values, places, scope }) } else { Err(said) }
}

fn evaluate(name: &str, written: &BodyAttribute, scope: &Scope) -> Result<Value, Diagnostics> {
    known(&written.expression, scope, || format!("the value of `{name}` is known only after apply"))
}

/// The value of an expression that nothing may be left open in.
pub(super) fn known(
    expression: &Expression,
    scope: &Scope,
    summary: impl Fn() -> String,
) -> Result<Value, Diagnostics> {
    let value = checked(expression, scope)?;
    match value.is_wholly_known() {
        true => Ok(value),
        false => {
            let error = Diagnostic::error(summary()).at(expression.span());
            Err(vec![error.hint("the run that it comes from must apply: `command = apply`")])
        }
    }
}

/// Outputs, as if they were blocks: `run.name.output`, `output.name`.
pub(super) fn with_outputs(word: &str, outputs: &BTreeMap<String, Value>, mut scope: Scope) -> Scope {
    let named = outputs.iter().map(|(name, value)| (Address::new(BlockKind::Resource, word, name), value.clone()));
    Arc::make_mut(&mut scope.objects).extend(named);
    scope
}

/// What variables are from outside. What is wrong with them is said when they are read with all values.
pub(super) fn from_outside(module: &Module, given: &Given, outside: bimetal_config::Outside) -> Scope {
    let (mut variables, _) = bimetal_config::values(module, given.clone(), &outside);
    variables.retain(|_, value| value.is_wholly_known());
    Scope { variables: Arc::new(variables), ..Scope::new(outside) }
}

/// Those that a run gives a value and nobody declares.
pub(super) fn undeclared(run: &Run, module: &Module) -> Diagnostics {
    let unknown = run.variables.iter().filter(|(name, _)| !module.variables.contains_key(*name));
    let warning = |(name, written): (&String, &BodyAttribute)| {
        let hint = bimetal_config::nearest_or_all(name, module.variables.keys().map(String::as_str), "variable");
        Diagnostic::warning(format!("no variable `{name}` is declared")).at(&written.name_span).hint(hint)
    };
    unknown.map(warning).collect()
}

/// What is said of files that other modules have variables in, too, is nobody's fault.
pub(super) fn without_foreign(said: Diagnostics, given: &Given, folder: &str) -> Diagnostics {
    let is_foreign = |diagnostic: &Diagnostic| {
        let is_warning = !has_errors(std::slice::from_ref(diagnostic));
        let span = diagnostic.span.as_ref();
        is_warning
            && !folder.is_empty()
            && span.is_some_and(|span| given.texts().iter().any(|file| file.name == span.file))
    };
    said.into_iter().filter(|diagnostic| !is_foreign(diagnostic)).collect()
}
