//! All instances of the modules that a configuration calls, as if they had been written out.

mod early;
use early::Later;
mod rehome;

use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::sync::Arc;

use bimetal_model::{Address, Diagnostic, Diagnostics, ModulePath, Value};
use indexmap::IndexSet;

use crate::desired::Node;
use crate::evaluate::{Outside, Scope};
use crate::expand::{Instance, expand};
use crate::module::*;
use crate::parse::parse;
use crate::suggest::nearest_or_all;

/// Modules within each other beyond this are a mistake.
const DEEPEST: usize = 32;
/// More instances of modules than this are a mistake.
const MOST_INSTANCES: usize = 100_000;

/// The root module, with everything in the modules that it calls, directly or not.
///
/// `objects`: the values of blocks, as far as they are known. A call whose number of instances rests on others waits for them.
pub(crate) fn flatten(
    root: Module,
    files: Vec<SourceFile>,
    variables: &BTreeMap<String, Value>,
    objects: BTreeMap<Address, Value>,
    outside: &Outside,
) -> (Module, Diagnostics) {
    if root.calls.is_empty() {
        return (root, Vec::new());
    }
    let (variables, objects) = (Arc::new(variables.clone()), Arc::new(objects));
    let scope = Scope { variables, objects, ..Scope::new(outside.clone()) };
    let (providers, parsed) = (BTreeMap::new(), BTreeMap::new());
    let module = Module { files, ..root };
    let waiting = module.calls.keys().rev().cloned().collect();
    let mut flattener = Flattener {
        module,
        waiting,
        parsed,
        scope,
        providers,
        called: BTreeSet::new(),
        open: BTreeSet::new(),
        derived: BTreeSet::new(),
        instances: 0,
        diagnostics: IndexSet::new(),
    };
    flattener.all();
    let Flattener { mut module, diagnostics, .. } = flattener;
    name_dependencies(&mut module);
    (module, diagnostics.into_iter().collect())
}

/// The module in a folder and all that are called from there, as they are written, by their folders.
pub fn modules(files: &[SourceFile], root: &str) -> (BTreeMap<Arc<str>, Module>, Diagnostics) {
    let (mut modules, mut diagnostics, mut open) = (BTreeMap::new(), Vec::new(), vec![Arc::from(root)]);
    while let Some(folder) = open.pop() {
        if let Entry::Vacant(place) = modules.entry(folder) {
            let (module, errors) = parse(files, place.key());
            open.extend(module.calls.values().map(|call| call.folder.clone()));
            diagnostics.extend(errors);
            place.insert(module);
        }
    }
    (modules, diagnostics)
}

/// Whether any of these files may call a module: nothing is parsed to see that.
pub fn calls(files: &[SourceFile]) -> bool {
    // JSON may write any letter as `\u`.
    files.iter().any(|file| file.text.contains("module") || file.text.contains("\\u"))
}

/// Where modules lie that are called, from a folder on, and of which no file is there.
pub fn missing_modules(files: &[SourceFile], root: &str) -> Vec<Arc<str>> {
    if !calls(files) {
        return Vec::new();
    }
    let is_missing = |folder: &Arc<str>, module: &Module| module.files.is_empty() && **folder != *root;
    let (modules, _) = modules(files, root);
    modules.into_iter().filter(|(folder, module)| is_missing(folder, module)).map(|(folder, _)| folder).collect()
}

struct Flattener {
    module: Module,
    /// As they were written, by folder.
    parsed: BTreeMap<Arc<str>, Module>,
    /// What was worked out to know how many instances there are.
    scope: Scope,
    /// What the names of providers stand for in each module.
    providers: BTreeMap<ModulePath, Providers>,
    /// Calls whose instances may still be missing.
    waiting: Vec<Scoped>,
    /// Calls whose instances are there.
    called: BTreeSet<Scoped>,
    /// What is being worked out.
    open: BTreeSet<Node>,
    derived: BTreeSet<Node>,
    instances: usize,
    /// The same is said once, though many instances say it.
    diagnostics: IndexSet<Diagnostic>,
}

impl Flattener {
    fn all(&mut self) {
        while let Some(name) = self.waiting.pop() {
            self.call(&name);
        }
    }

    /// Puts the instances of a module where they belong.
    fn call(&mut self, name: &Scoped) {
        let Some(call) = self.module.calls.get(name).cloned() else { return };
        if !self.called.insert(name.clone()) {
            return;
        }
        match self.instances(name, &call) {
            Ok(()) => {}
            Err(Later::Wrong(errors)) => self.diagnostics.extend(errors),
            Err(Later::Waits(blocks)) => {
                if let Some(call) = self.module.calls.get_mut(name) {
                    call.waits_for = blocks;
                }
            }
        }
    }

    fn instances(&mut self, name: &Scoped, call: &Call) -> Result<(), Later> {
        self.check(name, call)?;
        if let Some(expression) = call.repetition.expression() {
            self.prepare(expression)?;
        }
        let instances = expand(&call.repetition, &self.scope)?;
        self.instances += instances.len();
        if self.instances > MOST_INSTANCES {
            let error = Diagnostic::error(format!("{} modules are too many", self.instances));
            return Err(error.at(&call.span).into());
        }
        let keys: Vec<_> = instances.iter().map(|instance| instance.key.clone()).collect();
        if let Some(call) = self.module.calls.get_mut(name) {
            call.keys = keys;
        }
        Arc::make_mut(&mut self.scope.calls).insert(name.clone(), self.module.calls[name].clone());
        let providers = self.providers_of(name, call);
        for instance in instances {
            let path = name.module.then(&name.name, instance.key.clone());
            self.providers.insert(path.clone(), providers.clone());
            self.instance(Home { path, folder: call.folder.clone() }, call, &instance, &providers);
        }
        Ok(())
    }

    /// Whether there is such a module, and it does not call itself.
    fn check(&mut self, name: &Scoped, call: &Call) -> Result<(), Diagnostic> {
        if !self.parsed.contains_key(&call.folder) {
            let (module, errors) = parse(&self.module.files, &call.folder);
            self.diagnostics.extend(errors);
            self.parsed.insert(call.folder.clone(), module);
        }
        let module = &self.parsed[&call.folder];
        if module.files.is_empty() {
            return Err(call.absent());
        }
        let around = name.module.steps().len();
        let is_itself = call.folder == self.module.folder || self.folders_around(&name.module).contains(&call.folder);
        match (is_itself, around >= DEEPEST) {
            (true, _) => Err(Diagnostic::error("this module calls itself").at(&call.source_span)),
            (false, true) => {
                Err(Diagnostic::error(format!("more than {DEEPEST} modules within each other")).at(&call.source_span))
            }
            (false, false) => Ok(()),
        }
    }

    /// The folders of a module and of those around it.
    fn folders_around(&self, path: &ModulePath) -> Vec<Arc<str>> {
        let (mut folders, mut outer) = (Vec::new(), ModulePath::ROOT);
        for step in path.steps() {
            let call = Scoped { module: outer.clone(), name: step.name.clone() };
            folders.extend(self.module.calls.get(&call).map(|call| call.folder.clone()));
            outer = outer.then(&step.name, step.key.clone());
        }
        folders
    }

    /// Those that are named, and those without an alias of the module around it.
    fn providers_of(&self, name: &Scoped, call: &Call) -> Providers {
        let outer = self.providers.get(&name.module).cloned().unwrap_or_default();
        let inherited = outer.iter().filter(|(inside, _)| inside.alias.is_none());
        let inherited = inherited.map(|(inside, outside)| (inside.clone(), outside.clone()));
        let given = call.providers.iter().map(|(inside, outside)| {
            let outside = outer.get(outside).unwrap_or(outside);
            (inside.clone(), outside.clone())
        });
        Arc::new(inherited.chain(given).collect())
    }

    fn instance(&mut self, home: Home, call: &Call, instance: &Instance, providers: &Providers) {
        let parsed = self.parsed[&call.folder].at_home(&home);
        self.check_arguments(call, &parsed);
        for block in parsed.providers.values() {
            let error = Diagnostic::error("provider blocks belong into the root module").at(&block.span);
            self.say(error.hint("hand providers on: `providers = { docker = docker.west }` in the `module` block"));
        }
        for (name, variable) in parsed.variables {
            let given = call.arguments.get(&name).map(|attribute| attribute.expression.clone());
            let (repetition, instance, call_span) = (call.repetition.clone(), instance.clone(), call.span.clone());
            let name = Scoped { module: home.path.clone(), name };
            self.module.inputs.insert(name, Input { variable, given, repetition, instance, call_span });
        }
        for (name, output) in parsed.outputs {
            self.module.results.insert(Scoped { module: home.path.clone(), name }, output);
        }
        self.module.locals.extend(parsed.locals);
        self.module.checks.extend(parsed.checks);
        self.module.has_gaps |= parsed.has_gaps;
        self.module.moved.extend(parsed.moved);
        self.module.removed.extend(parsed.removed);
        for (name, mut inner) in parsed.calls {
            inner.depends_on.extend(&call.depends_on);
            self.waiting.push(name.clone());
            self.module.calls.insert(name, inner);
        }
        for (address, mut block) in parsed.objects {
            block.depends_on.extend(&call.depends_on);
            block.providers = providers.clone();
            self.check_provider(&block);
            self.module.objects.insert(address, block);
        }
        for (name, required) in parsed.settings.required_providers {
            self.module.settings.required_providers.entry(name).or_insert(required);
        }
    }

    fn check_provider(&mut self, block: &ObjectBlock) {
        let Some(key) = block.provider.as_ref().filter(|key| key.alias.is_some()) else { return };
        if !block.providers.contains_key(key) {
            let error = Diagnostic::error(format!("this module was given no provider `{key}`")).at(&block.span);
            self.say(error.hint(format!("write `providers = {{ {key} = … }}` in the `module` block")));
        }
    }

    /// Whether all that the module needs is given, and nothing else.
    fn check_arguments(&mut self, call: &Call, parsed: &Module) {
        for (name, variable) in &parsed.variables {
            if variable.default.is_none() && !call.arguments.contains_key(name) {
                let described = variable.description.as_ref().map_or(String::new(), |text| format!(" ({text})"));
                let error = Diagnostic::error(format!("the module needs `{name}`{described}")).at(&call.span);
                self.say(error.hint(format!("add `{name} = …`")));
            }
        }
        for (name, attribute) in &call.arguments {
            if !parsed.variables.contains_key(name) {
                let hint = nearest_or_all(name, parsed.variables.keys().map(String::as_str), "variable");
                let error = Diagnostic::error(format!("the module has no variable `{name}`"));
                self.say(error.at(&attribute.name_span).hint(hint));
            }
        }
    }

    fn say(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.insert(diagnostic);
    }
}

/// Who waits for a module waits for all that is in it.
fn name_dependencies(module: &mut Module) {
    let waiting = module.objects.values().map(|block| &block.depends_on);
    let waiting =
        waiting.chain(module.outputs.values().chain(module.results.values()).map(|output| &output.depends_on));
    let names: BTreeSet<Scoped> = waiting.flat_map(Dependencies::modules).cloned().collect();
    let inside = names.into_iter().map(|name| {
        let objects = objects_in(module, &name);
        (name, objects)
    });
    let inside: BTreeMap<Scoped, Vec<Address>> = inside.collect();
    let named = |dependencies: &mut Dependencies| {
        let inside = dependencies.modules().filter_map(|name| inside.get(name));
        let inside: Vec<Address> = inside.flatten().cloned().collect();
        dependencies.objects.extend(inside);
    };
    module.objects.values_mut().for_each(|block| named(&mut block.depends_on));
    module.outputs.values_mut().chain(module.results.values_mut()).for_each(|output| named(&mut output.depends_on));
}

/// The blocks in all instances of a module, and in the modules that are called there.
fn objects_in(module: &Module, name: &Scoped) -> Vec<Address> {
    let keys = module.calls.get(name).map(|call| &call.keys[..]).unwrap_or_default();
    let paths: Vec<ModulePath> = keys.iter().map(|key| name.module.then(&name.name, key.clone())).collect();
    let is_inside = |address: &&Address| paths.iter().any(|path| address.module.is_within(path));
    module.objects.keys().filter(is_inside).cloned().collect()
}
