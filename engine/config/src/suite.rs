//! A file of tests: what is run one after the other, with which values, and what must hold then.
//!
//! Nothing is evaluated here, and what is under test is not known.

mod in_force;

use std::collections::BTreeMap;
use std::sync::Arc;

use bimetal_model::{Address, ProviderKey, Selector, Span};

use crate::expression::Expression;
use crate::module::{Attributes, Condition, Point, ProviderBlock, SourceFile};

pub use in_force::InForce;

/// A file of tests.
#[derive(Clone, Debug)]
pub struct Suite {
    /// What it was parsed from.
    pub file: SourceFile,
    /// What its mocks were read from.
    pub mock_files: Vec<SourceFile>,
    /// `variables { … }`: for each run that does not say otherwise.
    pub variables: Attributes,
    /// `provider` blocks: they take the place of those under test.
    pub providers: BTreeMap<ProviderKey, ProviderBlock>,
    /// `mock_provider` blocks.
    pub mocks: BTreeMap<ProviderKey, Mock>,
    /// Of each run.
    pub overrides: Vec<Override>,
    /// In their order.
    pub runs: Vec<Run>,
}

/// `run "<name>" { … }`
#[derive(Clone, Debug)]
pub struct Run {
    /// Its own in the file.
    pub name: String,
    /// How far it goes.
    pub command: Phase,
    /// `variables { … }`
    pub variables: Attributes,
    /// What is under test, where it is not the configuration itself.
    pub module: Option<Source>,
    /// Runs with the same one go on from each other's state. Otherwise those of one module do.
    pub state_key: Option<String>,
    /// `providers`: what the names of providers under test stand for in the file.
    pub providers: Option<BTreeMap<ProviderKey, ProviderKey>>,
    /// `plan_options`
    pub options: PlanOptions,
    /// `assert` blocks.
    pub asserts: Vec<Condition>,
    /// `expect_failures`
    pub expected: Vec<Expected>,
    /// Of this run.
    pub overrides: Vec<Override>,
    /// Of the block's header.
    pub span: Span,
}

/// `plan_options { … }`: how a run plans.
#[derive(Clone, Debug)]
pub struct PlanOptions {
    /// Whether what exists is looked at before planning.
    pub refresh: bool,
    /// What is planned.
    pub mode: PlanMode,
    /// Only these and what they need; everything, where there are none.
    pub targets: Vec<Selector>,
    /// To be made anew, whatever their arguments say.
    pub replace: Vec<Selector>,
}

impl Default for PlanOptions {
    fn default() -> Self {
        PlanOptions { refresh: true, mode: PlanMode::Normal, targets: Vec::new(), replace: Vec::new() }
    }
}

/// What a run plans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlanMode {
    /// What the configuration asks for.
    #[default]
    Normal,
    /// Nothing is done: state becomes what exists.
    RefreshOnly,
}

/// How far something goes, or from when on it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A plan.
    Plan,
    /// What is planned is done.
    Apply,
}

/// `source` in `module` and in `mock_provider`.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where its files are, relative to the configuration's root.
    pub folder: Arc<str>,
    /// Of `source`.
    pub span: Span,
}

/// One of `expect_failures`.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Whose conditions must not hold.
    pub what: Checkable,
    /// Where it is written.
    pub span: Span,
}

/// Something that conditions are written for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checkable {
    /// `var.name`
    Variable(String),
    /// `output.name`
    Output(String),
    /// `check.name`
    Check(String),
    /// A block, or one of its instances.
    Object(Address),
}

/// `mock_provider "<name>" { … }`
#[derive(Clone, Debug)]
pub struct Mock {
    /// Where files say more of it, which [`Mock::read`] takes in.
    pub source: Option<Source>,
    /// When values are known of which nothing else says it.
    pub during: Phase,
    /// `mock_machine`, where the provider makes machines.
    pub machine: Option<Defaults>,
    /// `mock_resource`, by type.
    pub resources: BTreeMap<String, Defaults>,
    /// `mock_data`, by type.
    pub data: BTreeMap<String, Defaults>,
    /// What stands for single objects.
    pub overrides: Vec<Override>,
    /// Of the block's header.
    pub span: Span,
}

/// What the objects of a type have where nobody says otherwise.
#[derive(Clone, Debug)]
pub struct Defaults {
    /// `defaults = { … }`
    pub values: Option<Expression>,
    /// When they are known.
    pub during: Phase,
    /// Of the block's header.
    pub span: Span,
}

/// `override_resource`, `override_data`, `override_module`: who has these values, whoever its provider is.
#[derive(Clone, Debug)]
pub struct Override {
    /// Objects, or a module.
    pub target: Point,
    /// `values = { … }`, `outputs = { … }`
    pub values: Option<Expression>,
    /// When they are known.
    pub during: Phase,
    /// Of the block's header.
    pub span: Span,
}

impl Mock {
    /// All of its types' defaults.
    pub fn defaults(&self) -> impl Iterator<Item = &Defaults> {
        self.machine.iter().chain(self.resources.values()).chain(self.data.values())
    }
}

impl std::fmt::Display for Checkable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Checkable::Variable(name) => write!(f, "var.{name}"),
            Checkable::Output(name) => write!(f, "output.{name}"),
            Checkable::Check(name) => write!(f, "check.{name}"),
            Checkable::Object(address) => address.fmt(f),
        }
    }
}
