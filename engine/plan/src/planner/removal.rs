//! What exists and is not wanted.

use std::sync::Arc;

use bimetal_config::module::{ObjectBlock, Repetition, Scoped};
use bimetal_model::snapshot::Stored;
use bimetal_model::{Address, Diagnostic, Key, ModulePath, Selector, Value};

use super::Planner;
use crate::Values;
use crate::data::Change;
use crate::forecast::{Protector, protected};
use crate::prior::current;
use crate::reason::Reason;

impl Planner<'_> {
    /// Plans to remove what the configuration does not ask for.
    pub(super) fn remove_orphans(&mut self) {
        if !self.stuck.is_empty() {
            return;
        }
        let observed = self.observed;
        for (address, stored) in &observed.objects {
            if !self.changes.contains_key(address)
                && self.extent.objects.contains(address)
                && !self.excluded.contains(address)
            {
                let reason = self.why_gone(address);
                self.remove(address, stored, Some(reason));
            }
        }
    }

    /// Plans to remove all that exists.
    pub(super) fn remove_everything(&mut self) {
        self.take_existing();
        let observed = self.observed;
        for (address, stored) in &observed.objects {
            if self.extent.objects.contains(address) {
                self.remove(address, stored, None);
            }
        }
    }

    /// Plans to do nothing: all that exists is as it is.
    pub(super) fn keep_everything(&mut self) {
        self.take_existing();
        let observed = self.observed;
        for (address, stored) in &observed.objects {
            self.changes.insert(address.clone(), Change::keep(address, stored).into());
        }
    }

    /// Names stand for what exists, what is open, and what was read for provider blocks; what is wrong with a schema was said already.
    fn take_existing(&mut self) {
        let observed = self.observed;
        (self.values, _) = Values::of_existing(self.desired, &observed.objects, self.predict);
        for (_, stored) in observed.objects.iter().filter(|(address, _)| address.deposed.is_none()) {
            stored.placement.iter().for_each(|placement| self.values.place(placement));
        }
        for (address, opened) in &self.answers.opened {
            opened.iter().for_each(|value| self.values.put(address, value.clone()));
        }
        let read = self.answers.data.iter().filter_map(|(address, read)| Some((address, read.as_ref().ok()?)));
        for (address, value) in read {
            self.values.put(address, value.clone());
            self.facts.insert(address.clone(), value.clone());
        }
    }

    fn remove(&mut self, address: &Address, stored: &Arc<Stored>, reason: Option<Reason>) {
        if let Some(by) = self.protector(address, stored) {
            self.note([protected(address, "destroyed", by)]);
        }
        if !self.use_maker(address, stored) {
            return;
        }
        let change = self.leave(Change::delete(address, &self.present(address, stored), reason));
        self.changes.insert(address.clone(), change.into());
    }

    /// Who protects something that exists. What protects an object has let another one take its place.
    fn protector(&self, address: &Address, stored: &Stored) -> Option<Protector> {
        let block = self.desired.module.objects.get(&address.whole());
        match block {
            _ if address.deposed.is_some() => None,
            Some(block) => block.lifecycle.prevent_destroy.then_some(Protector::Block),
            None => stored.prevent_destroy.then_some(Protector::State),
        }
    }

    /// Whether the provider is there that made something: it is the one to remove it.
    pub(super) fn use_maker(&mut self, address: &Address, stored: &Stored) -> bool {
        let is_there = self.use_provider(&stored.provider);
        if !is_there {
            let why = format!("`{address}` can't be removed without its provider `{}`", stored.provider);
            self.note([Diagnostic::error(why).of(address)]);
        }
        is_there
    }

    /// As the present schema has it; what does not fit it any more can still be removed.
    fn present(&self, address: &Address, stored: &Arc<Stored>) -> Arc<Stored> {
        let schema = self.values.catalogue.managed(&stored.provider, &stored.ty);
        let current = schema.and_then(|schema| current(address, stored, schema, self.predict).ok());
        current.unwrap_or_else(|| stored.clone())
    }

    fn why_gone(&self, address: &Address) -> Reason {
        let block = address.whole();
        if address.deposed.is_some() {
            return Reason::Succeeded { by: address.present() };
        }
        let Some(declared) = self.desired.module.objects.get(&block) else { return self.why_block_gone(address) };
        match (&address.replica, &declared.repetition, &address.key) {
            (Some(replica), _, _) if self.has_instance(declared, address) => self.why_replica_gone(address, replica),
            (_, Repetition::Enabled(_), None) => Reason::Disabled { block },
            (_, Repetition::Count(_), Some(Key::Index(_))) => {
                let count = self.values.get(&block).and_then(Value::as_items).map_or(0, <[_]>::len);
                Reason::CountDown { block, count }
            }
            (_, Repetition::ForEach(_), Some(Key::Name(_))) => Reason::KeyGone { block },
            (_, Repetition::Once | Repetition::Enabled(_) | Repetition::Count(_) | Repetition::ForEach(_), _) => {
                Reason::OtherInstances { block }
            }
        }
    }

    /// Its module is gone with it, or not.
    fn why_block_gone(&self, address: &Address) -> Reason {
        let mut path = ModulePath::ROOT;
        for step in address.module.steps() {
            let call = self.desired.module.calls.get(&Scoped { module: path.clone(), name: step.name.clone() });
            path = path.then(&step.name, step.key.clone());
            if call.is_none_or(|call| !call.keys.contains(&step.key)) {
                return Reason::ModuleGone { module: Selector::Module(path).to_string() };
            }
        }
        Reason::BlockGone { block: address.whole() }
    }

    fn why_replica_gone(&self, address: &Address, replica: &Key) -> Reason {
        let service = address.service();
        let placements = self.values.placements(&service);
        let is_global = placements.iter().any(|placement| matches!(placement.replica.replica, Some(Key::Name(_))));
        match replica {
            Key::Name(_) if is_global || placements.is_empty() => Reason::OffMachine { service },
            Key::Name(_) | Key::Index(_) => Reason::FewerReplicas { replicas: placements.len(), service },
        }
    }

    fn has_instance(&self, block: &ObjectBlock, address: &Address) -> bool {
        self.values.get(&block.address.instance(address.key.clone())).is_some_and(|value| *value != Value::NULL)
    }
}
