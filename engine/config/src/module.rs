//! A parsed configuration: blocks with their expressions, nothing evaluated.

use std::collections::{BTreeMap, BTreeSet};

use std::fmt;
use std::sync::Arc;

use bimetal_model::address::ModuleStep;
use bimetal_model::{Address, Diagnostic, Key, ModulePath, Path, ProviderKey, Span, Type, Value, ValueMarks};
use litemap::LiteMap;

pub use bimetal_syntax::SourceFile;

use crate::desired::Node;
use crate::expand::Instance;
use crate::expression::{Expression, Reference, Target};
use crate::types::Defaults;

/// The module that something was written in.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Home {
    /// Which of its instances.
    pub path: ModulePath,
    /// Where its files are, relative to the configuration's root; empty for the root itself.
    pub folder: Arc<str>,
}

/// A name and the module that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scoped {
    /// Where the name means something.
    pub module: ModulePath,
    /// The name.
    pub name: String,
}

impl Scoped {
    /// A name of the root module.
    pub fn root(name: impl Into<String>) -> Self {
        Scoped { module: ModulePath::ROOT, name: name.into() }
    }

    /// The same name in another module.
    #[must_use]
    pub fn within(&self, module: &ModulePath) -> Self {
        Scoped { module: module.clone(), name: self.name.clone() }
    }
}

/// A parsed configuration: the root module, and all instances of the modules that it calls.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// Whether something is missing that couldn't be read: a local that is not declared may stand there.
    pub has_gaps: bool,
    /// Where the root module's files are; empty for the configuration's own root.
    pub folder: Arc<str>,
    /// What it was parsed from.
    pub files: Vec<SourceFile>,
    /// The `bimetal` blocks.
    pub settings: Settings,
    /// Of the root module, by name.
    pub variables: BTreeMap<String, Variable>,
    /// By name.
    pub locals: BTreeMap<Scoped, Expression>,
    /// Of the root module, by name.
    pub outputs: BTreeMap<String, Output>,
    /// The `module` blocks.
    pub calls: BTreeMap<Scoped, Call>,
    /// The variables of modules that are called.
    pub inputs: BTreeMap<Scoped, Input>,
    /// The outputs of modules that are called.
    pub results: BTreeMap<Scoped, Output>,
    /// The `check` blocks.
    pub checks: BTreeMap<Scoped, Vec<Condition>>,
    /// The `moved` blocks.
    pub moved: Vec<Moved>,
    /// The `removed` blocks.
    pub removed: Vec<Removed>,
    /// The `import` blocks, which are of the root module.
    pub imports: Vec<Import>,
    /// By provider and alias.
    pub providers: BTreeMap<ProviderKey, ProviderBlock>,
    /// Machines, pools, services, resources and data sources, by the address of the whole block.
    pub objects: BTreeMap<Address, Box<ObjectBlock>>,
}

/// The `bimetal` blocks, merged.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `required_version`
    pub required_version: Option<(String, Span)>,
    /// `required_providers { name = { source, version, path, signed_by } }`
    pub required_providers: BTreeMap<String, RequiredProvider>,
    /// `state "<kind>" { … }`
    pub state: Option<StateBlock>,
    /// `encryption "<kind>" { … }`
    pub encryption: Vec<Encryption>,
    /// `registry "<host[:port]>" { … }`
    pub registries: BTreeMap<String, Registry>,
    /// `allowed_sources`: patterns; modules and configurations from elsewhere come from nowhere else.
    pub allowed_sources: Option<Vec<String>>,
    /// `require_clean`: what is not committed is not planned.
    pub require_clean: bool,
    /// `signed "<pattern>" { … }`
    pub signed: Vec<Signed>,
}

/// What must be signed of some sources.
#[derive(Clone, Debug)]
pub struct Signed {
    /// A pattern.
    pub sources: String,
    /// Tags, and not commits.
    pub of_tags: bool,
    /// The file with the keys, as SSH has it; whom the user's own git trusts where there is none.
    pub allowed_signers: Option<String>,
    /// Of the block.
    pub span: Span,
}

/// One of `required_providers`.
#[derive(Clone, Debug)]
pub struct RequiredProvider {
    /// `source = "registry.example.org/team/name"`
    pub source: Option<String>,
    /// `version = "~> 1.2"`
    pub version: Option<String>,
    /// `path = "./provider.wasm"`
    pub path: Option<String>,
    /// `signed_by = ["RW…"]`: public keys, as they are written.
    pub signed_by: Vec<String>,
    /// Of the entry.
    pub span: Span,
}

/// Where state is kept.
#[derive(Clone, Debug)]
pub struct StateBlock {
    /// `sqlite`
    pub kind: String,
    /// Its arguments; only variables and locals may be used.
    pub body: Body,
}

/// What state and saved plans are sealed with.
#[derive(Clone, Debug)]
pub struct Encryption {
    /// `passphrase`, `key_file`, `age`, `command`
    pub kind: String,
    /// Its arguments; only variables and locals may be used.
    pub body: Body,
}

/// How to reach an image registry.
#[derive(Clone, Debug)]
pub struct Registry {
    /// `plain_http`, `username`, `password`; only variables and locals may be used.
    pub body: Body,
}

/// `variable "<name>" { … }`
#[derive(Clone, Debug)]
pub struct Variable {
    /// `any` unless said.
    pub ty: Type,
    /// What its optional attributes have that are left out.
    pub defaults: Defaults,
    /// Whether text from outside is its value, and no expression.
    pub takes_text: bool,
    /// Used where no value is given.
    pub default: Option<Value>,
    /// For people.
    pub description: Option<String>,
    /// Never shown.
    pub sensitive: bool,
    /// Never stored.
    pub ephemeral: bool,
    /// Whether `null` is a value.
    pub nullable: bool,
    /// `validation { condition, error_message }`
    pub validations: Vec<Condition>,
    /// Of the block's header.
    pub span: Span,
}

/// A condition and what to say where it does not hold.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Must be true.
    pub condition: Expression,
    /// Text.
    pub message: Expression,
}

/// `output "<name>" { … }`
#[derive(Clone, Debug)]
pub struct Output {
    /// Its value.
    pub value: Expression,
    /// For people.
    pub description: Option<String>,
    /// Never shown.
    pub sensitive: bool,
    /// Never stored: only modules have such outputs.
    pub ephemeral: bool,
    /// Must hold before the output has its value.
    pub preconditions: Vec<Condition>,
    /// Beyond what the expression names.
    pub depends_on: Dependencies,
    /// Of the block's header.
    pub span: Span,
}

/// Below the configuration's root: where fetched packages are looked for, each in a folder of its own.
pub const PACKAGES: &str = ".bimetal/modules";

/// What a module's `source` names that is no folder of the configuration's.
#[derive(Clone, Debug)]
pub struct Package {
    /// The module's folder in it; empty for its top.
    pub below: String,
    /// `source`, which may use variables of the root module.
    pub source: Expression,
    /// `version`, which may do so, too.
    pub version: Option<Expression>,
}

/// `module "<name>" { … }`
#[derive(Clone, Debug)]
pub struct Call {
    /// Where its files are, relative to the configuration's root.
    pub folder: Arc<str>,
    /// What has to be fetched first, if the module lies elsewhere.
    pub package: Option<Package>,
    /// Of `source`.
    pub source_span: Span,
    /// How many instances.
    pub repetition: Repetition,
    /// These, once they are worked out.
    pub keys: Vec<Option<Key>>,
    /// The blocks whose values it waits for to know how many; none once that is known.
    pub waits_for: BTreeSet<Address>,
    /// `depends_on`: whole blocks, and modules.
    pub depends_on: Dependencies,
    /// `providers`: the module's own names, and what they stand for out here.
    pub providers: Providers,
    /// The values of its variables.
    pub arguments: Attributes,
    /// Of the block's header.
    pub span: Span,
}

impl Call {
    /// What is said where there is no file of it.
    pub fn absent(&self) -> Diagnostic {
        let place = match &self.package {
            None => format!("`{}`", self.folder),
            Some(Package { below, .. }) if below.is_empty() => "what `source` names".to_owned(),
            Some(Package { below, .. }) => format!("the folder `{below}` of what `source` names"),
        };
        let error = Diagnostic::error(format!("there is no module in {place}")).at(&self.source_span);
        error.hint("a module is a folder with files that end with `.bm.hcl`")
    }
}

/// `moved { from, to }`
#[derive(Clone, Debug)]
pub struct Moved {
    /// What it was called.
    pub from: Point,
    /// What it is called now.
    pub to: Point,
    /// Of the block's header.
    pub span: Span,
}

/// `removed { from }`
#[derive(Clone, Debug)]
pub struct Removed {
    /// What is not declared any more.
    pub from: Point,
    /// Whether it is destroyed, and not only forgotten.
    pub destroy: bool,
    /// Of the block's header.
    pub span: Span,
}

/// `import { to, id }`
#[derive(Clone, Debug)]
pub struct Import {
    /// The address that an instance of this leads to.
    pub to: Expression,
    /// What its provider knows it by.
    pub id: Expression,
    /// `for_each`
    pub repetition: Repetition,
    /// Of the block's header.
    pub span: Span,
}

/// An object, a whole block, or everything in a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Point {
    /// `module.net`, with all of its instances, or `module.net["a"]`
    Module(ModulePath),
    /// A block with all of its instances, or one of them.
    Object(Address),
}

/// A variable of a module that is called.
#[derive(Clone, Debug)]
pub struct Input {
    /// As the module declares it.
    pub variable: Variable,
    /// What the caller gives.
    pub given: Option<Expression>,
    /// How many instances the module has.
    pub repetition: Repetition,
    /// What `each` and `count` are where the value is given.
    pub instance: Instance,
    /// Of the call's header.
    pub call_span: Span,
}

/// What a module's own names of providers stand for in the root.
pub type Providers = Arc<BTreeMap<ProviderKey, ProviderKey>>;

/// What `depends_on` names.
#[derive(Clone, Debug, Default)]
pub struct Dependencies {
    /// As it is written: blocks and modules.
    pub written: Vec<Reference>,
    /// The whole blocks that are meant, those that lie in the modules too.
    pub objects: Vec<Address>,
}

impl Dependencies {
    /// The modules that are named.
    pub(crate) fn modules(&self) -> impl Iterator<Item = &Scoped> {
        self.written.iter().filter_map(|written| match &written.target {
            Target::Module(name, _) => Some(name),
            Target::Object(_)
            | Target::Variable(_)
            | Target::Local(_)
            | Target::Each
            | Target::Count
            | Target::Path
            | Target::Workspace
            | Target::This => None,
        })
    }
}

/// `provider "<name>" { … }`
#[derive(Clone, Debug)]
pub struct ProviderBlock {
    /// Name and alias.
    pub key: ProviderKey,
    /// Its arguments, without `alias`.
    pub body: Body,
    /// Of the block's header.
    pub span: Span,
}

/// A machine, pool, service, resource or data source.
#[derive(Clone, Debug)]
pub struct ObjectBlock {
    /// Of the whole block.
    pub address: Address,
    /// `provider = name.alias`, where written.
    pub provider: Option<ProviderKey>,
    /// What the names of providers stand for where the block stands.
    pub providers: Providers,
    /// How many instances.
    pub repetition: Repetition,
    /// `depends_on`
    pub depends_on: Dependencies,
    /// `lifecycle { … }`
    pub lifecycle: Lifecycle,
    /// The `check` that it is written in: only that one may name it, and nothing waits for it.
    pub check: Option<Scoped>,
    /// Its arguments, without the meta-arguments.
    pub body: Body,
    /// Of the block's header.
    pub span: Span,
}

/// How many instances a block has.
#[derive(Clone, Debug)]
pub enum Repetition {
    /// One, without a key.
    Once,
    /// `enabled = …`: one without a key, or none.
    Enabled(Expression),
    /// `count = …`
    Count(Expression),
    /// `for_each = …`
    ForEach(Expression),
}

/// `lifecycle { … }`
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    /// A plan that would remove it is an error.
    pub prevent_destroy: bool,
    /// Where it must be made anew, that comes before the removal of what is there.
    pub create_before_destroy: bool,
    /// Differences that don't count.
    pub ignore_changes: Vec<Ignored>,
    /// What makes it anew by changing.
    pub replace_triggered_by: Vec<Expression>,
    /// Must hold before an instance is made, changed or read.
    pub preconditions: Vec<Condition>,
    /// Must hold of what was made, changed or read; `self` is that.
    pub postconditions: Vec<Condition>,
}

/// One of `ignore_changes`: a place in an object, its root where it is `all`.
#[derive(Clone)]
pub struct Ignored {
    /// What is ignored.
    pub path: Path,
    /// Where that is said.
    pub span: Span,
}

impl fmt::Debug for Ignored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

/// Attributes and nested blocks.
#[derive(Clone, Debug)]
pub struct Body {
    /// By name.
    pub attributes: Attributes,
    /// In their order.
    pub blocks: Vec<NestedBody>,
    /// Of the whole body, for what is missing in it.
    pub span: Span,
}

/// Attributes in the order of their names. Most are few: side by side they take a third of what a tree takes.
pub type Attributes = LiteMap<String, BodyAttribute>;

/// One argument.
#[derive(Clone, Debug)]
pub struct BodyAttribute {
    /// Of its name.
    pub name_span: Span,
    /// Its value.
    pub expression: Expression,
}

/// One nested block.
#[derive(Clone, Debug)]
pub struct NestedBody {
    /// The word that begins it.
    pub name: String,
    /// What follows that word.
    pub labels: Vec<String>,
    /// What is inside.
    pub body: Body,
    /// Of the block's header.
    pub span: Span,
}

impl Module {
    /// The outputs of all instances of a module, or one of them in each. Root names are none.
    pub fn outputs_of(&self, name: &Scoped, output: Option<&str>) -> Vec<Node> {
        let keys = self.calls.get(name).map(|call| &call.keys[..]).unwrap_or_default();
        let mut nodes = Vec::new();
        for key in keys {
            let path = name.module.then(&name.name, key.clone());
            let from = Scoped { module: path.clone(), name: output.unwrap_or_default().to_owned() };
            let found = self.results.range(from..).map(|(name, _)| name).take_while(|name| name.module == path);
            let found = found.filter(|name| output.is_none_or(|wanted| name.name == wanted));
            nodes.extend(found.cloned().map(Node::Output));
        }
        nodes
    }

    /// The conditions of the root's variables that look at more than variables, with the variables' names.
    pub fn far_conditions(&self) -> impl Iterator<Item = (&str, &Condition)> {
        let all = self
            .variables
            .iter()
            .flat_map(|(name, variable)| variable.validations.iter().map(move |condition| (name.as_str(), condition)));
        all.filter(|(_, condition)| !condition.is_of_variables())
    }

    /// What a local, a variable or an output follows from.
    pub fn expressions_of(&self, node: &Node) -> Vec<&Expression> {
        match node {
            Node::Local(name) => self.locals.get(name).into_iter().collect(),
            Node::Variable(name) => match self.inputs.get(name) {
                Some(input) => {
                    let conditions = input.variable.validations.iter().flat_map(Condition::expressions);
                    input.given.iter().chain(conditions).collect()
                }
                None => Vec::new(),
            },
            Node::Output(name) => {
                let is_root = name.module.is_root();
                let output = if is_root { self.outputs.get(&name.name) } else { self.results.get(name) };
                output.into_iter().flat_map(Output::expressions).collect()
            }
            Node::Provider(_) | Node::Object(_) => Vec::new(),
        }
    }

    /// Where something is written, in words.
    pub(crate) fn place(&self, span: &Span) -> String {
        let file = self.files.iter().find(|file| file.name == span.file);
        let before = file.and_then(|file| file.text.get(..span.range.start)).unwrap_or_default();
        format!("`{}`, line {}", span.file, before.matches('\n').count() + 1)
    }

    /// What a reference leads to; nothing where it is `each`, `count` or `path`. Whether it is there is another question.
    pub fn nodes_of(&self, target: &Target) -> Vec<Node> {
        match target {
            Target::Variable(name) => vec![Node::Variable(name.clone())],
            Target::Local(name) => vec![Node::Local(name.clone())],
            Target::Module(name, output) => self.outputs_of(name, output.as_deref()),
            Target::Object(address) => vec![Node::Object(address.clone())],
            Target::Each | Target::Count | Target::Path | Target::Workspace | Target::This => Vec::new(),
        }
    }
}

impl Point {
    /// The point that a text names.
    pub(crate) fn parse(text: &str) -> Option<Point> {
        let module = || Some(Point::Module(format!("{text}.a.b").parse::<Address>().ok()?.module.clone()));
        text.parse().map(Point::Object).ok().or_else(module)
    }

    /// The same within a module.
    #[must_use]
    pub(crate) fn within(&self, outer: &ModulePath) -> Point {
        match self {
            Point::Module(path) => Point::Module(path.within(outer)),
            Point::Object(address) => Point::Object(address.within(&address.module.within(outer))),
        }
    }

    /// What an address becomes whose point is moved to another one; nothing where it does not lie here.
    pub fn moved_to(&self, to: &Point, address: &Address) -> Option<Address> {
        match (self, to) {
            (Point::Module(from), Point::Module(to)) => {
                let (outer, last) = to.split_last()?;
                let (inner, key) = inside(from, &address.module)?;
                // Onto one instance goes the one without a key, and not all.
                if key.is_some() && last.key.is_some() {
                    return None;
                }
                let path = outer.then(&last.name, last.key.clone().or(key));
                let path = inner.iter().fold(path, |path, step| path.then(&step.name, step.key.clone()));
                Some(address.within(&path))
            }
            (Point::Object(from), Point::Object(to)) => {
                let are_all = from.key.is_none() && to.key.is_none();
                let is_here = from.whole() == address.whole() && (are_all || from.key == address.key);
                let key = to.key.clone().or_else(|| address.key.clone().filter(|_| are_all));
                is_here.then(|| {
                    to.with(|parts| {
                        (parts.key, parts.replica) = (key, address.replica.clone());
                        parts.deposed = address.deposed;
                    })
                })
            }
            (Point::Module(_), Point::Object(_)) | (Point::Object(_), Point::Module(_)) => None,
        }
    }

    /// Whether this is a whole block, and the other one of its instances.
    pub(crate) fn is_block_of(&self, other: &Point) -> bool {
        match (self, other) {
            (Point::Object(block), Point::Object(instance)) => instance.key.is_some() && *block == instance.whole(),
            (Point::Module(module), Point::Module(instance)) => {
                let (Some((outer, one)), Some((around, other))) = (module.split_last(), instance.split_last()) else {
                    return false;
                };
                outer == around && one.name == other.name && one.key.is_none() && other.key.is_some()
            }
            (Point::Module(_), Point::Object(_)) | (Point::Object(_), Point::Module(_)) => false,
        }
    }

    /// Whether a key is named anywhere in it.
    pub(crate) fn is_of_instance(&self) -> bool {
        let (module, key) = match self {
            Point::Module(path) => (path, None),
            Point::Object(address) => (&address.module, address.key.as_ref()),
        };
        key.is_some() || module.steps().iter().any(|step| step.key.is_some())
    }

    /// Whether an address lies here.
    pub fn holds(&self, address: &Address) -> bool {
        self.moved_to(self, address).is_some()
    }
}

/// The steps within a module that lead on to another one, and the key of the first where none is asked for.
fn inside<'p>(outer: &ModulePath, path: &'p ModulePath) -> Option<(&'p [ModuleStep], Option<Key>)> {
    let (last, before) = outer.steps().split_last()?;
    let (first, inner) = path.steps().strip_prefix(before)?.split_first()?;
    let is_here = first.name == last.name && (last.key.is_none() || last.key == first.key);
    is_here.then(|| (inner, first.key.clone().filter(|_| last.key.is_none())))
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Point::Module(path) => f.write_str(path.to_string().trim_end_matches('.')),
            Point::Object(address) => address.fmt(f),
        }
    }
}

impl Condition {
    /// Whether it looks at variables and at nothing else that is declared.
    pub fn is_of_variables(&self) -> bool {
        let mut references = self.expressions().into_iter().flat_map(Expression::references);
        references.all(|reference| matches!(reference.target, Target::Variable(_) | Target::Path | Target::Workspace))
    }

    /// Both of them.
    pub fn expressions(&self) -> [&Expression; 2] {
        [&self.condition, &self.message]
    }
}

impl Variable {
    /// Of its values.
    pub fn marks(&self) -> ValueMarks {
        ValueMarks { sensitive: self.sensitive, ephemeral: self.ephemeral }
    }
}

impl Output {
    /// Of its value.
    pub fn marks(&self) -> ValueMarks {
        ValueMarks { sensitive: self.sensitive, ephemeral: self.ephemeral }
    }

    /// Its value and its conditions.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let conditions = self.preconditions.iter().flat_map(Condition::expressions);
        std::iter::once(&self.value).chain(conditions)
    }
}

impl Lifecycle {
    /// Of its conditions and triggers.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let conditions = self.preconditions.iter().chain(&self.postconditions).flat_map(Condition::expressions);
        conditions.chain(&self.replace_triggered_by)
    }
}

impl Repetition {
    /// What the number of instances follows from.
    pub fn expression(&self) -> Option<&Expression> {
        match self {
            Repetition::Once => None,
            Repetition::Enabled(expression) | Repetition::Count(expression) | Repetition::ForEach(expression) => {
                Some(expression)
            }
        }
    }
}

impl ObjectBlock {
    /// What a provider that is named where the block stands is called in the root.
    pub fn in_root(&self, provider: ProviderKey) -> ProviderKey {
        self.providers.get(&provider).cloned().unwrap_or(provider)
    }
}

impl fmt::Display for Scoped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.module, self.name)
    }
}
