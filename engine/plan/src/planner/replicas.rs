//! Services: all that wait are placed together, and each replica becomes a container.

use std::collections::{BTreeMap, BTreeSet};

use bimetal_config::module::ObjectBlock;
use bimetal_config::{Instance, Node};
use bimetal_fleet::{Offer, ServiceSpec};
use bimetal_model::diagnostic::has_errors;
use bimetal_model::placement::Placement;
use bimetal_model::port::ValidateRequest;
use bimetal_model::question::Question;
use bimetal_model::{Address, Diagnostic, Diagnostics, Value};

use super::Planner;
use super::data_source::Later;
use super::first::has_its_port;
use crate::catalogue::Owner;
use crate::data::{Action, Change};
use crate::forecast::{Owned, Wanted};
use crate::image::{Images, open_offers};
use crate::place::placed;
use crate::reason::Reason;
use crate::{evaluator, lower, machine, pool, service};

/// One instance of a service, ready to be placed.
struct Ready<'a> {
    block: &'a ObjectBlock,
    instance: Instance,
    arguments: Value,
    members: BTreeMap<Address, Value>,
    spec: ServiceSpec,
}

impl Planner<'_> {
    /// Places the services that wait, and plans their replicas.
    pub(super) fn place_waiting(&mut self) {
        let desired = self.desired;
        let (mut ready, mut blocks) = (Vec::new(), Vec::new());
        for address in std::mem::take(&mut self.waiting) {
            let Some(block) = desired.module.objects.get(&address) else {
                continue;
            };
            if let Some(machine) = self.waits_for(block) {
                self.put_off_service(block, machine);
                continue;
            }
            match self.ready(block) {
                Some(instances) => {
                    ready.extend(instances);
                    blocks.push(address);
                }
                None => drop(self.stuck.insert(Node::Object(address))),
            }
        }
        if self.place(&ready).is_none() {
            return self.stuck.extend(blocks.into_iter().map(Node::Object));
        }
        for address in blocks {
            let planned = self.plan_replicas(&address, &ready);
            let derived = planned.and_then(|()| self.derive(&Node::Object(address.clone())));
            if derived.is_none() {
                self.stuck.insert(Node::Object(address));
            }
        }
    }

    /// A machine that is deferred and not there yet, where a service's pool has no other place.
    fn waits_for(&self, block: &ObjectBlock) -> Option<Address> {
        let pool = service::pool(block, &self.values.scope).ok().filter(|_| self.defers)?;
        let members = pool::members(&pool);
        let is_deferred = |machine: &&Address| self.changes.get(*machine).is_some_and(|change| change.is_deferred());
        let none_is_there = members.keys().all(|machine| self.is_no_place(machine));
        members.keys().find(is_deferred).filter(|_| none_is_there).cloned()
    }

    /// Nobody can say where its replicas will be: what there is of it stays, and the rest is for the next apply.
    fn put_off_service(&mut self, block: &ObjectBlock, machine: Address) {
        let runtime = self.values.catalogue.runtime().map_err(|diagnostic| vec![diagnostic.of(&block.address)]);
        let Some(runtime) = self.noted(runtime) else { return };
        self.leave_out(&block.address);
        let address = block.address.clone();
        let (needed, depends_on) = (machine.clone(), [machine].into());
        self.put_off(address, &runtime, Value::NULL, Later { depends_on, reason: Reason::NeedsDeferred { needed } });
    }

    fn ready<'b>(&mut self, block: &'b ObjectBlock) -> Option<Vec<Ready<'b>>> {
        let instances = self.instances(block)?;
        let count = instances.len();
        let ready: Vec<_> = instances.into_iter().filter_map(|instance| self.ready_one(block, instance)).collect();
        (ready.len() == count).then_some(ready)
    }

    fn ready_one<'b>(&mut self, block: &'b ObjectBlock, instance: Instance) -> Option<Ready<'b>> {
        let address = block.address.instance(instance.key.clone());
        let evaluated = self.values.within(instance.clone(), |values| {
            evaluator::before(block, values)?;
            Ok((service::arguments(block, &values.scope)?, service::pool(block, &values.scope)?))
        });
        let of = |said: Diagnostics| said.into_iter().map(|diagnostic| diagnostic.of(&address)).collect();
        let (arguments, pool) = self.noted(evaluated.map_err(of))?;
        self.refuse_unknown_numbers(block, &arguments)?;
        let image = arguments.member("image").filter(|image| !image.is_wholly_known());
        let offers = match image {
            Some(image) => open_offers(image, machine::platforms(pool::members(&pool).values())),
            None => self.offers(&address, &arguments)?,
        };
        let prior = self.prior_placements(&address);
        let spec = service::spec(&address, &arguments, &pool, offers, prior)
            .map_err(|said| said.into_iter().map(|diagnostic| diagnostic.at(&block.span)).collect());
        let spec = self.noted(spec)?;
        let mut members = pool::members(&pool);
        members.retain(|machine, _| !self.is_no_place(machine));
        self.pools.insert(address, members.keys().cloned().collect());
        let spec = ServiceSpec { pool: members.keys().cloned().collect(), ..spec };
        Some(Ready { block, instance, arguments, members, spec })
    }

    /// What says how many replicas there are must be known, as `count` must.
    fn refuse_unknown_numbers(&mut self, block: &ObjectBlock, arguments: &Value) -> Option<()> {
        for name in ["replicas", "mode", "placement"] {
            let attribute = block.body.attributes.get(name);
            let is_open = arguments.member(name).is_some_and(|value| !value.is_wholly_known());
            if let (Some(attribute), true) = (attribute, is_open) {
                let expression = &attribute.expression;
                let error = Diagnostic::error(format!("`{name}` depends on what is known only after apply"));
                let error = error.because("replicas can't be placed then").at(expression.span()).of(&block.address);
                let said = self.blamed(vec![error], expression);
                self.note(said);
                return None;
            }
        }
        Some(())
    }

    fn prior_placements(&self, service: &Address) -> Vec<Placement> {
        let replicas = self
            .observed
            .objects
            .iter()
            .filter(|(address, _)| address.replica.is_some() && address.service() == *service);
        let known = replicas.filter_map(|(address, stored)| {
            Some(Placement { replica: address.clone(), ..stored.placement.as_deref()?.clone() })
        });
        // What a silent machine may have is not made elsewhere.
        let open = self.observed.open.iter().filter_map(|intent| intent.placement.as_deref().cloned());
        let open = open.filter(|placement| {
            let is_known = self.observed.objects.contains_key(&placement.replica);
            !is_known && placement.replica.service() == *service
        });
        known.chain(open).collect()
    }

    /// What a service's images offer; asks for those that are not known yet.
    fn offers(&mut self, address: &Address, arguments: &Value) -> Option<Vec<Offer>> {
        let images = Images::of(arguments.member("image").unwrap_or(&Value::NULL));
        let images = self.noted(images.map_err(|diagnostic| vec![diagnostic.of(address)]))?;
        let of = |said: Diagnostics| said.into_iter().map(|diagnostic| diagnostic.of(address)).collect();
        let mut indexes = BTreeMap::new();
        let mut is_complete = true;
        for source in images.sources() {
            match self.answers.images.get(source) {
                Some(answer) => match self.noted(answer.clone().map_err(of)) {
                    Some(index) => drop(indexes.insert(source.clone(), index)),
                    None => is_complete = false,
                },
                None => {
                    is_complete = false;
                    let question = Question::Image(source.clone());
                    if !self.questions.contains(&question) {
                        self.questions.push(question);
                    }
                }
            }
        }
        let offers = images.offers(&indexes).map_err(|diagnostic| vec![diagnostic.of(address)]);
        self.images.extend(indexes);
        self.noted(offers).filter(|_| is_complete)
    }

    /// Asks for the images of a service that can't be placed yet, so that all questions come at once.
    pub(super) fn ask_images_early(&mut self, address: &Address) {
        let Some(block) = self.desired.module.objects.get(address) else {
            return;
        };
        // What is wrong with it is told when it can be placed.
        let said = self.diagnostics.len();
        for instance in bimetal_config::expand(&block.repetition, &self.values.scope).unwrap_or_default() {
            let arguments = self.values.within(instance, |values| service::arguments(block, &values.scope));
            if let Some(arguments) =
                arguments.ok().filter(|arguments| arguments.member("image").is_some_and(Value::is_wholly_known))
            {
                self.offers(address, &arguments);
            }
        }
        self.diagnostics.truncate(said);
    }

    fn place(&mut self, ready: &[Ready<'_>]) -> Option<()> {
        let members: BTreeMap<&Address, &Value> = ready.iter().flat_map(|ready| &ready.members).collect();
        let containers = self.ports_of_containers(&members);
        let mut nodes = Vec::new();
        for (address, value) in members {
            let node = self.noted(machine::node(address, value).map_err(|diagnostic| vec![diagnostic]))?;
            let silent = self.observed.silent.contains_key(address);
            nodes.push(self.without_claims(bimetal_fleet::Node { silent, ..node }, &containers));
        }
        let specs: Vec<ServiceSpec> = ready.iter().map(|ready| ready.spec.clone()).collect();
        let (placements, said) = bimetal_fleet::place(&nodes, &specs);
        let failed = has_errors(&said);
        let span = |address: &Address| Some(&ready.iter().find(|r| r.block.address == address.whole())?.block.span);
        let at = |diagnostic: Diagnostic| match diagnostic.address.as_ref().and_then(span) {
            Some(span) => diagnostic.at(span),
            None => diagnostic,
        };
        self.note(said.into_iter().map(at));
        self.claim(&specs, &placements);
        for placement in placements {
            let prior = self.observed.objects.get(&placement.replica).and_then(|stored| stored.placement.as_ref());
            let generation = prior.map_or(0, |prior| prior.generation);
            self.values.place(&Placement { generation, ..placement });
        }
        (!failed).then_some(())
    }

    fn plan_replicas(&mut self, service: &Address, ready: &[Ready<'_>]) -> Option<()> {
        let runtime = self.values.catalogue.runtime().map_err(|diagnostic| vec![diagnostic.of(service)]);
        let mut runtime = self.noted(runtime)?;
        runtime.provider = self.desired.module.objects.get(service)?.in_root(runtime.provider);
        if !self.use_provider(&runtime.provider) {
            return None;
        }
        let mut replicas = BTreeSet::new();
        for ready in ready.iter().filter(|ready| ready.block.address == *service) {
            let wanted = self.wanted(ready, &runtime)?;
            self.validate_first(ready.block, &wanted, &runtime);
            let changes = self.forecast_replicas(ready.block, &runtime, wanted)?;
            for change in self.renamed(ready, &runtime, changes)? {
                replicas.insert(change.address.clone());
                self.changes.insert(change.address.clone(), change.into());
            }
        }
        self.behind.is(Node::Object(service.clone()), replicas);
        Some(())
    }

    fn forecast_replicas(&mut self, block: &ObjectBlock, owner: &Owner, wanted: Vec<Wanted>) -> Option<Vec<Change>> {
        let count = wanted.len();
        let is_first = self.first.contains(&block.address);
        let changes = self.forecast(vec![(Owned { owner, block, is_first }, wanted)]).into_values().flatten().collect();
        self.complete(changes, count)
    }

    /// Replicas that are made before what they replace is removed have another name.
    fn renamed(&mut self, ready: &Ready<'_>, runtime: &Owner, changes: Vec<Change>) -> Option<Vec<Change>> {
        if !self.first.contains(&ready.block.address) {
            return Some(changes);
        }
        let is_first = |change: &Change| change.action == Action::Replace && !has_its_port(change);
        let (first, mut others): (Vec<_>, Vec<_>) = changes.into_iter().partition(is_first);
        if first.is_empty() {
            return Some(others);
        }
        let addresses: BTreeSet<Address> = first.into_iter().map(|change| change.address).collect();
        self.values.next_generation(&ready.spec.address, &addresses);
        let mut wanted = self.wanted(ready, runtime)?;
        wanted.retain(|wanted| addresses.contains(&wanted.address));
        others.extend(self.forecast_replicas(ready.block, runtime, wanted)?);
        Some(others)
    }

    fn wanted(&mut self, ready: &Ready<'_>, runtime: &Owner) -> Option<Vec<Wanted>> {
        let depends_on = self.depends_on(ready.block, &ready.instance, runtime);
        let placements = self.values.placements(&ready.spec.address).to_vec();
        let mut triggered = Vec::new();
        for placement in &placements {
            triggered.push(self.triggered(ready.block, &ready.instance, &placement.replica)?);
        }
        let wanted = |(placement, triggered): (Placement, Option<Reason>)| {
            let machine = ready.members.get(&placement.machine).unwrap_or(&Value::NULL);
            let config = lower::lower_replica(&ready.arguments, &placement, machine, &runtime.schema.block)?;
            let mut depends_on = depends_on.clone();
            depends_on.insert(placement.machine.clone());
            let address = placement.replica.clone();
            Ok(Wanted { address, config, depends_on, placement: Some(placement.into()), triggered })
        };
        let wanted: Result<Vec<Wanted>, Diagnostics> = placements.into_iter().zip(triggered).map(wanted).collect();
        self.noted(wanted)
    }

    /// Replicas differ in names and nodes only: what is wrong with one is wrong with all.
    fn validate_first(&mut self, block: &ObjectBlock, wanted: &[Wanted], runtime: &Owner) {
        if let Some(Wanted { address, config, .. }) = wanted.first() {
            let (address, ty, config) = (address.clone(), runtime.ty.clone(), config.clone());
            let request = [ValidateRequest { address, ty, config }];
            let invalid = self.predict.validate(&runtime.provider.name, &request);
            let address = &request[0].address;
            self.note(invalid.into_iter().flatten().map(|diagnostic| placed(diagnostic.of(address), block)));
        }
    }
}
