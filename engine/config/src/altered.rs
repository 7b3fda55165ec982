//! What tests change in what is under test, before anything follows from it.

use std::collections::BTreeMap;
use std::sync::Arc;

use bimetal_model::address::ModuleStep;
use bimetal_model::{Diagnostic, Diagnostics, ModulePath, ProviderKey, Span};
use bimetal_syntax::{Kind, Node, Place};

use crate::expression::Expression;
use crate::module::{Home, Module, Point, ProviderBlock, SourceFile};
use crate::suite::Override;
use crate::types::plain;

/// What is other than written.
#[derive(Clone, Debug, Default)]
pub struct Alterations {
    /// Where the root module's files are; empty for the configuration's own.
    pub folder: Arc<str>,
    /// These take the place of those that are there.
    pub providers: BTreeMap<ProviderKey, ProviderBlock>,
    /// Modules that are not there, and have these outputs all the same.
    pub modules: Vec<Override>,
}

impl Alterations {
    /// The root module as it was parsed, in its place and with other providers.
    pub(crate) fn root(&self, mut module: Module) -> Module {
        if !self.folder.is_empty() {
            let home = Home { path: ModulePath::ROOT, folder: self.folder.clone() };
            let (files, imports) = (module.files.clone(), module.imports.clone());
            module = Module { files, imports, ..module.at_home(&home) };
        }
        module.providers.extend(self.providers.iter().map(|(key, block)| (key.clone(), block.clone())));
        module
    }

    /// Takes out what is in modules that have their outputs from here.
    pub(crate) fn empty_modules(&self, module: &mut Module) -> Diagnostics {
        self.modules.iter().filter_map(|by| empty(module, by).err()).collect()
    }
}

fn empty(module: &mut Module, by: &Override) -> Result<(), Diagnostic> {
    let outputs = outputs(by)?;
    let Point::Module(target) = &by.target else { return Ok(()) };
    let is_itself = |path: &ModulePath| path.steps().len() == target.steps().len() && is_within(path, target);
    let instances = module.calls.iter().flat_map(|(name, call)| {
        call.keys.iter().map(|key| name.module.then(&name.name, key.clone())).collect::<Vec<_>>()
    });
    if !instances.into_iter().any(|path| is_itself(&path)) {
        return Err(Diagnostic::error(format!("`{}` is not declared", by.target)).at(&by.span));
    }
    let stays = |path: &ModulePath| !is_within(path, target);
    module.objects.retain(|address, _| stays(&address.module));
    module.checks.retain(|name, _| stays(&name.module));
    module.locals.retain(|name, _| stays(&name.module));
    module.calls.retain(|name, _| stays(&name.module));
    module.inputs.retain(|name, _| stays(&name.module) || is_itself(&name.module));
    module.results.retain(|name, _| stays(&name.module) || is_itself(&name.module));
    for (name, result) in &mut module.results {
        if is_itself(&name.module) {
            result.value = outputs.get(&name.name).cloned().unwrap_or_else(|| nothing(by));
            result.preconditions.clear();
        }
    }
    let of_objects = module.objects.values_mut().map(|block| &mut block.depends_on);
    let of_outputs =
        module.outputs.values_mut().chain(module.results.values_mut()).map(|output| &mut output.depends_on);
    for depends_on in of_objects.chain(of_outputs) {
        depends_on.objects.retain(|address| stays(&address.module));
        depends_on.written.retain(|written| stays(written.target.module()));
    }
    unknown_output(module, by, &outputs, &is_itself)
}

/// Whether a path leads to a module or on from there. Where no instance is named, all are meant.
fn is_within(path: &ModulePath, target: &ModulePath) -> bool {
    let (steps, wanted) = (path.steps(), target.steps());
    let is_on_the_way = |(step, wanted): (&ModuleStep, &ModuleStep)| {
        step.name == wanted.name && (wanted.key.is_none() || step.key == wanted.key)
    };
    steps.len() >= wanted.len() && steps.iter().zip(wanted).all(is_on_the_way)
}

fn unknown_output(
    module: &Module,
    by: &Override,
    outputs: &BTreeMap<String, Expression>,
    is_itself: &dyn Fn(&ModulePath) -> bool,
) -> Result<(), Diagnostic> {
    let known = || module.results.keys().filter(|name| is_itself(&name.module)).map(|name| name.name.as_str());
    match outputs.iter().find(|(name, _)| !known().any(|known| known == **name)) {
        None => Ok(()),
        Some((name, value)) => {
            let hint = crate::nearest_or_all(name, known().collect::<Vec<_>>(), "output");
            Err(Diagnostic::error(format!("`{}` has no output `{name}`", by.target)).at(value.span()).hint(hint))
        }
    }
}

/// `{ name = value }`, written out: which outputs there are is known before anything is evaluated.
fn outputs(by: &Override) -> Result<BTreeMap<String, Expression>, Diagnostic> {
    let Some(written) = &by.values else { return Ok(BTreeMap::new()) };
    let error = |span: &Span| {
        let error = Diagnostic::error("`outputs` says which there are").at(span);
        error.hint("write `outputs = { name = … }`")
    };
    let Kind::Object(members) = &written.node.kind else { return Err(error(written.span())) };
    let member = |member: &bimetal_syntax::Member| match plain(&member.key) {
        Some(name) => Ok((name.to_owned(), Expression::new(&written.file, member.value.clone()))),
        None => Err(error(&written.file.span(member.key.place))),
    };
    members.iter().map(member).collect()
}

/// What an output is that nobody gave a value.
fn nothing(by: &Override) -> Expression {
    let file = SourceFile { name: by.span.file.clone(), text: "".into() };
    Expression::new(&file, Node { place: Place::default(), kind: Kind::Null })
}
