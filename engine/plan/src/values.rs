//! The values of all objects by now, predicted or real, and what follows from them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bimetal_config::module::{ObjectBlock, Repetition};
use bimetal_config::{Desired, Instance, Node, Scope};
use bimetal_model::placement::Placement;
use bimetal_model::port::Predict;
use bimetal_model::snapshot::Objects;
use bimetal_model::{Address, BlockKind, Data, Diagnostics, Items, Key, Members, Type, Value};

use crate::catalogue::Catalogue;
use crate::data::Plan;
use crate::ephemeral::unopened;
use crate::evaluator::is_provided;
use crate::prior::current;
use crate::{machine, needs, pool, service};

/// The values of all objects by now: as planned at first, real ones as they become known.
///
/// Locals, pools and services are never kept: they follow from the rest each time that they are needed.
#[derive(Clone)]
pub struct Values {
    pub(crate) scope: Scope,
    pub(crate) catalogue: Arc<Catalogue>,
    /// By the service's instance, in the order of replicas.
    placements: Arc<BTreeMap<Address, Vec<Placement>>>,
}

impl Values {
    /// No object has a value yet.
    pub fn new(desired: &Desired, predict: &dyn Predict) -> (Values, Diagnostics) {
        let (catalogue, diagnostics) = Catalogue::new(predict);
        let mut scope = desired.scope();
        let empties = desired.module.objects.values();
        let empties = empties.filter_map(|block| Some((block.address.clone(), without_instances(block)?)));
        Arc::make_mut(&mut scope.objects).extend(empties);
        let ephemeral = desired.module.objects.keys().filter(|address| address.block == BlockKind::Ephemeral);
        Arc::make_mut(&mut scope.objects).extend(ephemeral.map(|address| (address.clone(), unopened())));
        let mut values = Values { scope, catalogue: Arc::new(catalogue), placements: Arc::default() };
        desired.circular.iter().for_each(|node| values.put_unknown(node));
        (values, diagnostics)
    }

    /// What a plan says that all objects will be, unknowns included.
    pub fn of_plan(desired: &Desired, plan: &Plan, predict: &dyn Predict) -> (Values, Diagnostics) {
        let (mut values, diagnostics) = Values::new(desired, predict);
        let left_out = plan.left_out().iter().cloned().map(Node::Object);
        left_out.for_each(|node| values.put_unknown(&node));
        values.put_data(desired, plan);
        for change in &plan.changes {
            if let Some(after) = &change.after {
                let value = values.catalogue.shaped(desired, &change.address, after.clone());
                values.put(&change.address, value);
            }
            if let (Some(placement), Some(_)) = (&change.placement, &change.after) {
                values.place(placement);
            }
        }
        (values, diagnostics)
    }

    /// What state remembers, or what was read; what does not exist is unknown.
    pub fn of_existing(desired: &Desired, objects: &Objects, predict: &dyn Predict) -> (Values, Diagnostics) {
        let (mut values, diagnostics) = Values::new(desired, predict);
        let blocks = desired.module.objects.values().filter(|block| is_provided(block.address.block));
        let blocks = blocks.filter(|block| block.address.block != BlockKind::Ephemeral);
        for block in blocks.filter(|block| matches!(block.repetition, Repetition::Once)) {
            values.put(&block.address, Value::unknown(Type::Any));
        }
        for (address, stored) in objects {
            let schema = values.catalogue.managed(&stored.provider, &stored.ty);
            let current = schema.and_then(|schema| current(address, stored, schema, predict).ok());
            let current = current.unwrap_or_else(|| stored.clone());
            values.put(address, current.object.value.clone());
        }
        (values, diagnostics)
    }

    /// What is there as a plan's steps begin: unlike `of_plan`, what is to be changed or removed is still as it was.
    pub fn before_plan(desired: &Desired, plan: &Plan, predict: &dyn Predict) -> Values {
        let existing = plan.changes.iter().filter_map(|change| Some((change.address.clone(), change.before.clone()?)));
        // What is wrong with a schema was said when the plan was made.
        let (mut values, _) = Values::of_existing(desired, &existing.collect(), predict);
        values.put_data(desired, plan);
        values
    }

    fn put_data(&mut self, desired: &Desired, plan: &Plan) {
        for (address, fact) in plan.facts.iter().filter(|(address, _)| address.block == BlockKind::Data) {
            let value = self.catalogue.shaped(desired, address, fact.clone());
            self.put(address, value);
        }
    }

    /// The value of a machine, resource or data source from now on. Nobody needs the value of a replica, or of
    /// what another object has taken the place of.
    pub fn put(&mut self, address: &Address, value: Value) {
        if address.replica.is_some() || address.deposed.is_some() {
            return;
        }
        let value = if address.block == BlockKind::Machine { machine::with_node(address, value) } else { value };
        let whole = Arc::make_mut(&mut self.scope.objects).entry(address.whole()).or_insert(Value::NULL);
        put_instance(whole, address.key.as_ref(), value);
    }

    /// Nothing is known of it.
    pub(crate) fn put_unknown(&mut self, node: &Node) {
        let (unknown, scope) = (Value::unknown(Type::Any), &mut self.scope);
        match node {
            Node::Local(name) => drop(Arc::make_mut(&mut scope.locals).insert(name.clone(), unknown)),
            Node::Variable(name) => drop(Arc::make_mut(&mut scope.inputs).insert(name.clone(), unknown)),
            Node::Output(name) => drop(Arc::make_mut(&mut scope.results).insert(name.clone(), unknown)),
            Node::Object(address) => drop(Arc::make_mut(&mut scope.objects).insert(address.whole(), unknown)),
            Node::Provider(_) => {}
        }
    }

    /// What a whole block stands for.
    pub(crate) fn put_whole(&mut self, block: &Address, value: Value) {
        Arc::make_mut(&mut self.scope.objects).insert(block.clone(), value);
    }

    /// The instances of something ephemeral, which replace what was said of it before.
    pub fn put_opened(&mut self, desired: &Desired, block: &Address, opened: Vec<(Address, Value)>) {
        if let Some(block) = desired.module.objects.get(block) {
            self.put_nothing(block);
        }
        opened.into_iter().for_each(|(address, value)| self.put(&address, value));
    }

    /// A block that is repeated has no instances by now.
    pub(crate) fn put_nothing(&mut self, block: &ObjectBlock) {
        let nothing = without_instances(block).map(|nothing| (block.address.clone(), nothing));
        Arc::make_mut(&mut self.scope.objects).extend(nothing);
    }

    /// The value of an instance by now.
    pub fn get(&self, address: &Address) -> Option<&Value> {
        let whole = self.scope.objects.get(&address.whole())?;
        match &address.key {
            None => Some(whole),
            Some(Key::Index(index)) => whole.as_items()?.get(usize::try_from(*index).ok()?),
            Some(Key::Name(name)) => whole.as_members()?.get(name),
        }
    }

    /// A replica is here from now on.
    pub(crate) fn place(&mut self, placement: &Placement) {
        let service = placement.replica.service();
        let placements = Arc::make_mut(&mut self.placements).entry(service).or_default();
        placements.push(placement.clone());
        placements.sort_by(|one, other| one.replica.cmp(&other.replica));
    }

    /// What is said of a replica now, in place of what was said before.
    pub fn replace(&mut self, placement: Placement) {
        let service = placement.replica.service();
        let placements = Arc::make_mut(&mut self.placements).get_mut(&service).into_iter().flatten();
        for before in placements.filter(|before| before.replica == placement.replica) {
            *before = placement.clone();
        }
    }

    /// These replicas of a service's instance get names that they did not have before.
    pub(crate) fn next_generation(&mut self, service: &Address, replicas: &BTreeSet<Address>) {
        let placements = Arc::make_mut(&mut self.placements).get_mut(service).into_iter().flatten();
        for placement in placements.filter(|placement| replicas.contains(&placement.replica)) {
            placement.generation += 1;
        }
    }

    /// Where the replicas of a service's instance are.
    pub(crate) fn placements(&self, service: &Address) -> &[Placement] {
        self.placements.get(service).map_or(&[], Vec::as_slice)
    }

    /// Only what these nodes follow from, with the locals, pools and services among them worked out anew.
    pub(crate) fn narrowed(&self, desired: &Desired, start: BTreeSet<Node>) -> Result<Values, Diagnostics> {
        let mut objects = BTreeMap::new();
        let mut derived = Vec::new();
        for node in needs::closure(desired, start) {
            match node {
                node if needs::is_derived(&node) => derived.push(node),
                Node::Object(address) => {
                    objects.extend(self.scope.objects.get(&address).map(|value| (address, value.clone())));
                }
                Node::Variable(_) | Node::Local(_) | Node::Provider(_) | Node::Output(_) => {}
            }
        }
        let (locals, inputs, results) = (Arc::default(), Arc::default(), Arc::default());
        let scope = Scope { objects: Arc::new(objects), locals, inputs, results, ..self.scope.clone() };
        let mut values = Values { scope, catalogue: self.catalogue.clone(), placements: self.placements.clone() };
        derived.iter().try_for_each(|node| values.derive(desired, node))?;
        Ok(values)
    }

    /// Works out a local, a pool or a service.
    pub(crate) fn derive(&mut self, desired: &Desired, node: &Node) -> Result<(), Diagnostics> {
        match node {
            Node::Object(address) => match desired.module.objects.get(address) {
                Some(block) if address.block == BlockKind::Pool => self.each(block, pool::value),
                Some(block) if address.block == BlockKind::Service => self.each(block, service::value),
                _ => Ok(()),
            },
            Node::Local(_) | Node::Variable(_) | Node::Output(_) => {
                bimetal_config::derive(&desired.module, node, &mut self.scope)
            }
            Node::Provider(_) => Ok(()),
        }
    }

    fn each(
        &mut self,
        block: &ObjectBlock,
        value: impl Fn(&ObjectBlock, &Address, &Values) -> Result<Value, Diagnostics>,
    ) -> Result<(), Diagnostics> {
        for instance in bimetal_config::expand(&block.repetition, &self.scope)? {
            let address = block.address.instance(instance.key.clone());
            let value = self.within(instance, |values| value(block, &address, values))?;
            self.put(&address, value);
        }
        Ok(())
    }

    /// Does something where `each` and `count` are those of an instance.
    pub(crate) fn within<T>(&mut self, instance: Instance, act: impl FnOnce(&Values) -> T) -> T {
        (self.scope.each, self.scope.count_index) = (instance.each, instance.count_index);
        let result = act(self);
        (self.scope.each, self.scope.count_index) = (None, None);
        result
    }
}

fn without_instances(block: &ObjectBlock) -> Option<Value> {
    match block.repetition {
        Repetition::Once => None,
        Repetition::Enabled(_) => Some(Value::NULL),
        Repetition::Count(_) => Some(Value::tuple([])),
        Repetition::ForEach(_) => Some(Data::Object(Members::default()).into()),
    }
}

fn put_instance(whole: &mut Value, key: Option<&Key>, value: Value) {
    match (key, &mut whole.data) {
        (None, _) => *whole = value,
        (Some(Key::Name(name)), Data::Object(members)) => drop(members.insert(name.clone(), value)),
        (Some(Key::Name(name)), _) => *whole = [(name.clone(), value)].into_iter().collect(),
        (Some(Key::Index(index)), data) => {
            let mut items = match std::mem::replace(data, Value::NULL.data) {
                Data::Tuple(items) => items,
                _ => Items::default(),
            };
            let index = usize::try_from(*index).unwrap_or(usize::MAX);
            // Instances come in any order while they are made: those before are known later.
            if items.len() <= index {
                items.resize(index + 1, Value::unknown(Type::Any));
            }
            items[index] = value;
            *data = Data::Tuple(items);
        }
    }
}
