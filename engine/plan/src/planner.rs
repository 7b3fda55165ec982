//! The walk over the configuration: each node in its turn, with what is known by then.

mod claims;
mod data_source;
mod degraded;
mod exclude;
mod finish;
mod first;
mod import;
mod lend;
mod object;
mod pool;
mod removal;
mod repetition;
mod replicas;
mod select;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bimetal_config::{Desired, Node};
use bimetal_model::diagnostic::has_errors;
use bimetal_model::image::{ImageIndex, ImageSource};
use bimetal_model::port::Predict;
use bimetal_model::question::{Answers, Observed, Question};
use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, ProviderKey, Value};
use indexmap::{IndexMap, IndexSet};

use self::claims::Claims;
use self::import::Imported;
use self::object::Prepared;
use crate::data::{Action, Budget, Change, Early, Planning};
use crate::evaluator;
use crate::needs::Behind;
use crate::options::{Mode, Options};
use crate::selection::Extent;
use crate::values::Values;

/// All that planning knows and has decided by now.
pub(crate) struct Planner<'a> {
    options: &'a Options,
    extent: Extent,
    desired: &'a Desired,
    observed: &'a Observed,
    answers: &'a Answers,
    predict: &'a dyn Predict,
    values: Values,
    behind: Behind,
    /// Blocks whose objects are made before what they replace is removed.
    first: BTreeSet<Address>,
    changes: BTreeMap<Address, Box<Change>>,
    providers: BTreeMap<ProviderKey, Value>,
    facts: BTreeMap<Address, Value>,
    images: BTreeMap<ImageSource, ImageIndex>,
    questions: Vec<Question>,
    /// Machines that do not answer, and may, with the reason.
    degraded: BTreeMap<Address, String>,
    /// Whether anything is deferred, so that what needs it is, too.
    defers: bool,
    budgets: BTreeMap<Address, Budget>,
    imported: Imported,
    /// What can't be planned now, as it has errors or lacks answers, and all that depends on it.
    stuck: HashSet<Node>,
    /// What was visited, or is being visited.
    visited: HashSet<Node>,
    /// What is being visited.
    open: HashSet<Node>,
    /// Machines and resources wait for one another, so that their providers are asked about them together.
    prepared: IndexMap<Address, Prepared<'a>>,
    /// Services wait for one another, so that they are placed together.
    waiting: IndexSet<Address>,
    /// What replicas of services that were placed before take, by machine.
    claims: BTreeMap<Address, Claims>,
    /// The machines of each service's pool.
    pools: BTreeMap<Address, BTreeSet<Address>>,
    /// What is left out, before it is planned, and what rests on it: blocks, and what exists of them.
    excluded: BTreeSet<Address>,
    /// The same is said once, though many instances say it.
    diagnostics: IndexSet<Diagnostic>,
}

impl<'a> Planner<'a> {
    pub(crate) fn new(
        desired: &'a Desired,
        observed: &'a Observed,
        answers: &'a Answers,
        options: &'a Options,
        predict: &'a dyn Predict,
    ) -> Self {
        let (values, diagnostics) = Values::new(desired, predict);
        let extent = Extent::new(desired, &observed.objects, options, &values.catalogue);
        Planner {
            options,
            extent,
            desired,
            observed,
            answers,
            predict,
            values,
            behind: Behind::default(),
            first: first::blocks(desired),
            changes: BTreeMap::new(),
            providers: BTreeMap::new(),
            facts: BTreeMap::new(),
            images: BTreeMap::new(),
            questions: Vec::new(),
            degraded: BTreeMap::new(),
            defers: false,
            budgets: BTreeMap::new(),
            imported: Imported::default(),
            stuck: HashSet::new(),
            visited: HashSet::new(),
            open: HashSet::new(),
            prepared: IndexMap::new(),
            waiting: IndexSet::new(),
            claims: BTreeMap::new(),
            pools: BTreeMap::new(),
            excluded: BTreeSet::new(),
            diagnostics: diagnostics.into_iter().collect(),
        }
    }

    pub(crate) fn run(mut self) -> (Option<Planning>, Diagnostics) {
        let refused = self.refused_at_once();
        if !refused.is_empty() {
            return (None, refused);
        }
        self.refuse_unknown_names();
        match self.options.mode {
            Mode::Apply => {
                self.claim_what_stays();
                self.walk();
                self.remove_orphans();
            }
            Mode::Destroy => self.remove_everything(),
            Mode::RefreshOnly => self.keep_everything(),
        }
        if has_errors(&self.diagnostics) || self.questions.is_empty() {
            let refused = self.refused();
            if !refused.is_empty() {
                return (None, refused.into_iter().chain(self.diagnostics).collect());
            }
        }
        if !has_errors(&self.diagnostics) && self.questions.is_empty() {
            return self.finish();
        }
        match has_errors(&self.diagnostics) {
            true => (None, self.diagnostics.into_iter().collect()),
            false => (Some(Planning::Ask(self.questions)), self.diagnostics.into_iter().collect()),
        }
    }

    /// The values of these blocks, as far as they are known before anything is done.
    pub(crate) fn early(mut self, blocks: &BTreeSet<Address>) -> (Option<Early>, Diagnostics) {
        self.walk();
        if has_errors(&self.diagnostics) {
            return (None, self.diagnostics.into_iter().collect());
        }
        if !self.questions.is_empty() {
            return (Some(Early::Ask(self.questions)), self.diagnostics.into_iter().collect());
        }
        let objects = &self.values.scope.objects;
        let values = blocks.iter().filter_map(|block| Some((block.clone(), objects.get(block)?.clone())));
        (Some(Early::Known(values.collect())), self.diagnostics.into_iter().collect())
    }

    fn walk(&mut self) {
        for node in self.desired.order.iter() {
            if self.extent.plans(node) {
                self.visit(node);
            }
        }
        self.plan_prepared();
        self.place_waiting();
    }

    /// Visits a node, unless it was: the default provider of a type may have to come before its turn.
    fn visit(&mut self, node: &Node) {
        if !self.visited.insert(node.clone()) {
            return;
        }
        self.open.insert(node.clone());
        let direct: Vec<&Node> = self.desired.dependencies.get(node).into_iter().flatten().collect();
        for dependency in direct.iter().copied() {
            if self.open.contains(dependency) {
                self.note([configured_by_itself(dependency)]);
                self.stuck.insert(dependency.clone());
            }
            self.visit(dependency);
        }
        self.visit_next(node, direct);
        self.open.remove(node);
    }

    /// Visits a node whose dependencies were.
    fn visit_next(&mut self, node: &Node, direct: Vec<&Node>) {
        let is_prepared = |node: &&Node| matches!(node, Node::Object(address) if self.prepared.contains_key(address));
        if direct.iter().any(is_prepared) {
            self.plan_prepared();
        }
        if let Node::Object(address) = node
            && self.is_left_out(address)
        {
            return self.leave_out(address);
        }
        let waits = |node: &&Node| matches!(node, Node::Object(address) if self.waiting.contains(address));
        if direct.iter().any(waits) {
            self.place_waiting();
        }
        let is_stuck = direct.iter().any(|node| self.stuck.contains(*node));
        let visited = match node {
            Node::Object(address) if is_stuck && address.block == BlockKind::Service => {
                self.ask_images_early(address);
                None
            }
            _ if is_stuck => None,
            _ => self.visit_free(node),
        };
        match visited {
            Some(()) if !matches!(node, Node::Object(address) if evaluator::is_provided(address.block)) => {
                self.behind.follows(node.clone(), direct);
            }
            Some(()) => {}
            None => drop(self.stuck.insert(node.clone())),
        }
    }

    /// `None`: it can't be planned now.
    fn visit_free(&mut self, node: &Node) -> Option<()> {
        match node {
            Node::Local(_) | Node::Variable(_) | Node::Output(_) => self.derive(node),
            Node::Provider(key) => self.configure(key),
            Node::Object(address) => match address.block {
                BlockKind::Machine | BlockKind::Resource => self.prepare_objects(address),
                BlockKind::Data => self.plan_data(address),
                BlockKind::Ephemeral => self.open_all(address),
                BlockKind::Pool => self.plan_pool(address),
                BlockKind::Service => {
                    self.waiting.insert(address.clone());
                    Some(())
                }
            },
        }
    }

    fn derive(&mut self, node: &Node) -> Option<()> {
        let derived = self.values.derive(self.desired, node);
        self.noted(derived)
    }

    /// Whether the provider is there and its block was evaluated.
    fn use_provider(&mut self, key: &ProviderKey) -> bool {
        let node = Node::Provider(key.clone());
        // To destroy, nothing is planned that a provider block could refer to: it takes what exists.
        if self.options.mode == Mode::Apply && self.desired.module.providers.contains_key(key) {
            self.visit(&node);
        } else if !self.providers.contains_key(key) {
            self.configure(key);
        }
        self.providers.contains_key(key)
    }

    fn configure(&mut self, key: &ProviderKey) -> Option<()> {
        let config = evaluator::provider_config(self.desired, key, &self.values);
        let config = self.noted(config)?;
        self.providers.insert(key.clone(), config);
        Some(())
    }

    /// Whether the provider can be asked about the world while planning: what its block refers to stays as it is.
    fn is_configured(&self, key: &ProviderKey) -> bool {
        let stays = |address| {
            self.changes.get(address).is_some_and(|change| matches!(change.action, Action::Keep | Action::Leave))
        };
        let behind = self.behind.of([&Node::Provider(key.clone())]);
        behind.iter().all(stays) && self.providers.get(key).is_some_and(Value::is_wholly_known)
    }

    fn noted<T>(&mut self, result: Result<T, Diagnostics>) -> Option<T> {
        result.map_err(|more| self.note(more)).ok()
    }

    fn note(&mut self, more: impl IntoIterator<Item = Diagnostic>) {
        self.diagnostics.extend(more);
    }
}

/// The only circle that the configuration's own order can't have: a provider's block refers to what that provider makes.
fn configured_by_itself(node: &Node) -> Diagnostic {
    Diagnostic::error(format!("the provider of `{node}` is configured with `{node}` itself"))
        .hint("give one of them another configuration of the provider with `alias`")
}
