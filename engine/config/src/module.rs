//! A parsed configuration: blocks with their expressions, nothing evaluated.

use std::collections::BTreeMap;

use bimetal_model::{Address, Path, ProviderKey, Span, Type};

pub use bimetal_syntax::SourceFile;

use crate::expression::Expression;

/// A parsed configuration.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// What it was parsed from.
    pub files: Vec<SourceFile>,
    /// The `bimetal` blocks.
    pub settings: Settings,
    /// By name.
    pub variables: BTreeMap<String, Variable>,
    /// By name.
    pub locals: BTreeMap<String, Expression>,
    /// By name.
    pub outputs: BTreeMap<String, Output>,
    /// By provider and alias.
    pub providers: BTreeMap<ProviderKey, ProviderBlock>,
    /// Machines, pools, services, resources and data sources, by the address of the whole block.
    pub objects: BTreeMap<Address, ObjectBlock>,
}

/// The `bimetal` blocks, merged.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `required_version`
    pub required_version: Option<(String, Span)>,
    /// `required_providers { name = { source, version, path } }`
    pub required_providers: BTreeMap<String, RequiredProvider>,
    /// `state "<kind>" { … }`
    pub state: Option<StateBlock>,
    /// `registry "<host[:port]>" { … }`
    pub registries: BTreeMap<String, Registry>,
}

/// One of `required_providers`.
#[derive(Clone, Debug)]
pub struct RequiredProvider {
    /// `source = "host/namespace/name"`
    pub source: Option<String>,
    /// `version = "~> 1.2"`
    pub version: Option<String>,
    /// `path = "./provider.wasm"`
    pub path: Option<String>,
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
    /// As it was written: defaults of `optional` attributes are in it.
    pub type_expression: Option<Expression>,
    /// Used where no value is given.
    pub default: Option<Expression>,
    /// For people.
    pub description: Option<String>,
    /// Never shown.
    pub sensitive: bool,
    /// Whether `null` is a value.
    pub nullable: bool,
    /// `validation { condition, error_message }`
    pub validations: Vec<Validation>,
    /// Of the block's header.
    pub span: Span,
}

/// A condition and what to say where it does not hold.
#[derive(Clone, Debug)]
pub struct Validation {
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
    /// Beyond what the expression names.
    pub depends_on: Vec<Address>,
    /// Of the block's header.
    pub span: Span,
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
    /// How many instances.
    pub repetition: Repetition,
    /// `depends_on`: whole blocks.
    pub depends_on: Vec<Address>,
    /// `lifecycle { … }`
    pub lifecycle: Lifecycle,
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
    /// Differences that don't count.
    pub ignore_changes: Vec<Path>,
}

/// Arguments and nested blocks.
#[derive(Clone, Debug)]
pub struct Body {
    /// By name.
    pub attributes: BTreeMap<String, BodyAttribute>,
    /// In their order.
    pub blocks: Vec<NestedBody>,
    /// Of the whole body, for what is missing in it.
    pub span: Span,
}

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
