//! Machines and resources: their instances, and the facts of machines.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use bimetal_config::module::ObjectBlock;
use bimetal_config::{Instance, Node, Trigger};
use bimetal_model::diagnostic::has_errors;
use bimetal_model::port::ValidateRequest;
use bimetal_model::question::{Inquiry, Question};
use bimetal_model::{Address, BlockKind, Diagnostic, Diagnostics, ProviderName, Value};
use indexmap::IndexSet;

use super::Planner;
use crate::catalogue::{Owner, is_machine};
use crate::data::{Action, Change};
use crate::forecast::{self, Owned, Wanted};
use crate::place::placed;
use crate::proposed::misnamed;
use crate::reason::Reason;
use crate::{evaluator, honesty, machine, needs};

/// So many blocks wait for one another.
const MOST_PREPARED: usize = 100;

/// A block, and the objects that it asks for.
pub(super) struct Prepared<'a> {
    block: &'a ObjectBlock,
    owner: Owner,
    wanted: Vec<Wanted>,
}

impl Planner<'_> {
    /// Works out the arguments of all instances of a machine or resource. They wait for one another, so that providers are asked about
    /// many at once.
    pub(super) fn prepare_objects(&mut self, address: &Address) -> Option<()> {
        let block = self.desired.module.objects.get(address)?;
        let owner = self.owner_of(block)?;
        let configs = self.configs(block, &owner)?;
        let mut wanted = Vec::with_capacity(configs.len());
        for (instance, config) in configs {
            let address = block.address.instance(instance.key.clone());
            let depends_on = self.depends_on(block, &instance, &owner);
            let triggered = self.triggered(block, &instance, &address)?;
            // What others made may have to be removed by them: what their blocks refer to is planned before.
            if let Some(stored) = self.observed.objects.get(&address).filter(|stored| stored.provider != owner.provider)
            {
                self.use_provider(&stored.provider);
            }
            wanted.push(Wanted { address, config, depends_on, placement: None, triggered });
        }
        self.prepared.insert(address.clone(), Prepared { block, owner, wanted });
        if self.prepared.len() >= MOST_PREPARED {
            self.plan_prepared();
        }
        Some(())
    }

    /// Plans all objects that wait.
    pub(super) fn plan_prepared(&mut self) {
        let prepared: Vec<Prepared<'_>> = std::mem::take(&mut self.prepared).into_values().collect();
        self.validate(&prepared);
        let (mut planned, mut open) = (Vec::new(), Vec::new());
        for Prepared { block, owner, wanted } in prepared {
            match self.import(block, &owner, &wanted) {
                Some(()) => {
                    planned.push((block, owner, wanted.len()));
                    open.push(wanted);
                }
                None => drop(self.stuck.insert(Node::Object(block.address.clone()))),
            }
        }
        let blocks = planned.iter().map(|(block, owner, _)| {
            let is_first = self.first.contains(&block.address);
            Owned { owner, block, is_first }
        });
        let mut changes = self.forecast(blocks.zip(open).collect());
        for (block, owner, count) in &planned {
            let own = changes.remove(&block.address).unwrap_or_default();
            if self.take(block, owner, own, *count).is_none() {
                self.stuck.insert(Node::Object(block.address.clone()));
            }
        }
    }

    fn validate(&mut self, prepared: &[Prepared<'_>]) {
        let mut by_provider: BTreeMap<&ProviderName, Vec<(&ObjectBlock, ValidateRequest)>> = BTreeMap::new();
        for Prepared { block, owner, wanted } in prepared {
            let request = |Wanted { address, config, .. }: &Wanted| ValidateRequest {
                address: address.clone(),
                ty: owner.ty.clone(),
                config: config.clone(),
            };
            let requests = wanted.iter().map(|wanted| (*block, request(wanted)));
            by_provider.entry(&owner.provider.name).or_default().extend(requests);
        }
        for (provider, requests) in by_provider {
            let (blocks, requests): (Vec<&ObjectBlock>, Vec<ValidateRequest>) = requests.into_iter().unzip();
            let answers = self.predict.validate(provider, &requests).into_iter().zip(&requests).zip(blocks);
            for ((said, request), block) in answers {
                self.note(said.into_iter().map(|diagnostic| placed(diagnostic.of(&request.address), block)));
            }
        }
    }

    /// What is planned of a block's objects; `None` where that is not all of them.
    fn take(&mut self, block: &ObjectBlock, owner: &Owner, changes: Vec<Change>, count: usize) -> Option<()> {
        let changes = self.complete(changes, count)?;
        let changes = if is_machine(&block.address) { self.with_facts(changes, owner, block)? } else { changes };
        let addresses = changes.iter().map(|change| change.address.clone());
        self.behind.is(Node::Object(block.address.clone()), addresses);
        for change in changes {
            self.values.put(&change.address, change.after.clone().unwrap_or(Value::NULL));
            if let Some(after) = &change.after {
                self.check_after(&change.address, after);
            }
            self.changes.insert(change.address.clone(), Box::new(change));
        }
        Some(())
    }

    /// Says where what is planned, or was read, is not as its block wants it.
    pub(super) fn check_after(&mut self, address: &Address, value: &Value) {
        let said = evaluator::after(self.desired, address, value, &self.values).err().unwrap_or_default();
        self.note(said.into_iter().map(|diagnostic| diagnostic.of(address)));
    }

    pub(super) fn owner_of(&mut self, block: &ObjectBlock) -> Option<Owner> {
        let owner = self.values.catalogue.owner(block).map_err(|diagnostic| vec![diagnostic]);
        let owner = self.noted(owner)?;
        let configured = self.use_provider(&owner.provider);
        configured.then_some(owner)
    }

    /// The arguments of all instances; `None` where one has errors.
    pub(super) fn configs(&mut self, block: &ObjectBlock, owner: &Owner) -> Option<Vec<(Instance, Value)>> {
        let mut said: IndexSet<Diagnostic> =
            misnamed(&block.lifecycle.ignore_changes, &owner.schema.block).into_iter().collect();
        let mut places = HashSet::new();
        let instances = self.instances(block)?;
        let mut configs = Vec::with_capacity(instances.len());
        for instance in instances {
            let decode = |values: &crate::Values| match block.address.block == BlockKind::Ephemeral {
                true => bimetal_config::decode(&block.body, &owner.schema.block, &values.scope),
                false => bimetal_config::decode_stored(&block.body, &owner.schema.block, &values.scope),
            };
            let unmet = self.values.within(instance.clone(), |values| evaluator::before(block, values));
            said.extend(unmet.err().unwrap_or_default());
            let (config, diagnostics) = self.values.within(instance.clone(), decode);
            said.extend(diagnostics.into_iter().filter(|diagnostic| match &diagnostic.span {
                Some(span) => places.insert((span.clone(), diagnostic.summary.clone())),
                None => true,
            }));
            configs.push((instance, config));
        }
        let failed = has_errors(&said);
        self.note(said.into_iter().map(|diagnostic| diagnostic.of(&block.address)));
        (!failed).then_some(configs)
    }

    /// Why an object is to be made anew, whatever its arguments say: somebody asks for it, or what its block looks at changes.
    pub(super) fn triggered(
        &mut self,
        block: &ObjectBlock,
        instance: &Instance,
        of: &Address,
    ) -> Option<Option<Reason>> {
        if self.options.replace.iter().any(|selector| selector.holds(of)) {
            return Some(Some(Reason::Requested));
        }
        for expression in &block.lifecycle.replace_triggered_by {
            let read = |values: &crate::Values| bimetal_config::trigger(expression, &values.scope);
            let trigger = self.values.within(instance.clone(), read);
            let trigger = self.noted(trigger)?;
            if self.changes.values().any(|change| change.pulls(&trigger)) {
                let Trigger { address, path } = trigger;
                let attribute = if path.0.is_empty() { String::new() } else { format!(".{path}") };
                return Some(Some(Reason::Triggered { by: format!("{address}{attribute}") }));
            }
        }
        Some(None)
    }

    /// What must be there before an instance.
    pub(super) fn depends_on(&self, block: &ObjectBlock, instance: &Instance, owner: &Owner) -> BTreeSet<Address> {
        let mut addresses = self.behind.of(&needs::of_arguments(&self.desired.module, block));
        addresses.extend(self.behind.of([&Node::Provider(owner.provider.clone())]));
        let repeated = self.behind.of(&needs::of_repetition(&self.desired.module, &block.repetition));
        // `for_each` over machines: each instance waits for its own machine alone.
        let own = instance.each.as_ref().and_then(|(_, value)| machine::machines_inside(value)).unwrap_or_default();
        let is_needed = |address: &Address| own.is_empty() || !is_machine(address) || own.contains(address);
        addresses.extend(repeated.into_iter().filter(is_needed));
        addresses
    }

    /// The changes that the objects of some blocks need, by block.
    pub(super) fn forecast(&mut self, blocks: Vec<(Owned<'_>, Vec<Wanted>)>) -> BTreeMap<Address, Vec<Change>> {
        let wanted = blocks.into_iter().flat_map(|(of, wanted)| wanted.into_iter().map(move |wanted| (of, wanted)));
        let stored = wanted.map(|(of, wanted)| {
            let stored = self.imported.objects.get(&wanted.address);
            let stored = stored.or_else(|| self.observed.objects.get(&wanted.address));
            (of, wanted, stored)
        });
        let mut said = Diagnostics::new();
        let changes = forecast::changes(self.predict, stored.collect(), &mut said);
        self.note(said);
        let mut by_block: BTreeMap<Address, Vec<Change>> = BTreeMap::new();
        for change in changes {
            // Most blocks have one object.
            by_block.entry(change.address.whole()).or_insert_with(|| Vec::with_capacity(1)).push(change);
        }
        by_block
    }

    /// What is done of the changes of one block's objects, if it is said of all of them.
    pub(super) fn complete(&mut self, changes: Vec<Change>, count: usize) -> Option<Vec<Change>> {
        let mut changes: Vec<Change> = changes.into_iter().map(|change| self.leave(change)).collect();
        self.defers |= changes.iter().any(Change::is_deferred);
        for change in
            changes.iter_mut().filter(|change| change.action == Action::Create && self.is_lost(&change.address))
        {
            change.reason.get_or_insert(Reason::RemovedOutside);
        }
        let replaced = changes.iter().filter(|change| change.action == Action::Replace);
        let replaced = replaced.filter_map(|change| Some((&change.address, change.before.as_ref()?)));
        let can_go = replaced.fold(true, |all, (address, before)| self.use_maker(address, before) && all);
        (can_go && changes.len() == count).then_some(changes)
    }

    /// Whether state knew it, and it does not exist any more.
    fn is_lost(&self, address: &Address) -> bool {
        self.observed.drift.iter().any(|drift| drift.after.is_none() && drift.address == *address)
    }

    /// Machines with what the world says of them where the plan has to know it. `None`: not all is said.
    fn with_facts(&mut self, changes: Vec<Change>, owner: &Owner, block: &ObjectBlock) -> Option<Vec<Change>> {
        let count = changes.len();
        let known: Vec<Change> =
            changes.into_iter().filter_map(|change| self.with_facts_of_one(change, owner, block)).collect();
        (known.len() == count).then_some(known)
    }

    fn with_facts_of_one(&mut self, change: Change, owner: &Owner, block: &ObjectBlock) -> Option<Change> {
        // What is left as it is gets no replica.
        let planned = change.after.clone().filter(|after| !after.is_wholly_known() && !change.is_deferred());
        let Some(planned) = planned else { return Some(change) };
        let facts = match self.answers.facts.get(&change.address) {
            Some(facts) => facts.clone(),
            None if machine::lacks_platform(&planned) => return self.ask_facts(&change),
            None => return Some(change),
        };
        let facts =
            self.noted(facts.map_err(|said| said.into_iter().map(|d| placed(d.of(&change.address), block)).collect()))?;
        let after = machine::with_facts(planned, &facts, &owner.schema.block).map_err(|reason| {
            vec![
                Diagnostic::error(format!("provider `{}` has a bug: its facts can't be used", owner.provider))
                    .because(reason)
                    .of(&change.address),
            ]
        });
        let after = self.noted(after)?;
        if machine::lacks_platform(&after) {
            let path = bimetal_model::Path::attribute("platform");
            self.note([honesty::provider_bug(&owner.provider, &owner.ty, &change.address, &[path])]);
            return None;
        }
        self.facts.insert(change.address.clone(), facts);
        Some(Change { after: Some(after), ..change })
    }

    /// `None`, as the answer is not there.
    pub(super) fn ask_facts(&mut self, change: &Change) -> Option<Change> {
        let is_asked =
            |question: &Question| matches!(question, Question::Facts(inquiry) if inquiry.address == change.address);
        if self.questions.iter().any(is_asked) {
            return None;
        }
        let schema = self.values.catalogue.managed(&change.provider, &change.ty);
        let told = |config: Value| schema.map_or(config.clone(), |schema| schema.block.without_write_only(config));
        let config = change.config.clone().map(told).filter(Value::is_wholly_known);
        match config.filter(|_| self.is_configured(&change.provider)) {
            Some(config) => self.questions.push(Question::Facts(Inquiry {
                address: change.address.clone(),
                provider: change.provider.clone(),
                ty: change.ty.clone(),
                config,
            })),
            None => self.note([Diagnostic::error(format!("the platform of `{}` is not known", change.address))
                .because("it can't be asked for either, as some of its arguments, or of its provider's, are known only after apply")
                .hint("set `platform`, as `platform = \"linux/arm64\"`")
                .of(&change.address)]),
        }
        None
    }
}
