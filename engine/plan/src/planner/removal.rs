//! What exists and is not wanted.

use bimetal_config::module::ObjectBlock;
use bimetal_model::snapshot::Stored;
use bimetal_model::{Address, Diagnostic, Value};

use super::Planner;
use crate::Values;
use crate::data::{Action, Change};
use crate::forecast::protected;
use crate::prior::current;

impl Planner<'_> {
    /// Plans to remove what the configuration does not ask for.
    pub(super) fn remove_orphans(&mut self) {
        if !self.stuck.is_empty() {
            return;
        }
        let observed = self.observed;
        for (address, stored) in &observed.objects {
            if !self.changes.contains_key(address) {
                let reason = self.why_gone(address);
                self.remove(address, stored, reason);
            }
        }
    }

    /// Plans to remove all that exists.
    pub(super) fn remove_everything(&mut self) {
        let observed = self.observed;
        // Provider blocks are worked out with what exists; what is wrong with a schema was said already.
        (self.values, _) = Values::of_existing(self.desired, &observed.objects, self.predict);
        for (address, stored) in &observed.objects {
            self.remove(address, stored, None);
        }
    }

    fn remove(&mut self, address: &Address, stored: &Stored, reason: Option<String>) {
        let block = self.desired.module.objects.get(&address.whole());
        // What protects an object has let another one take its place.
        if address.deposed.is_none() && block.is_some_and(|block| block.lifecycle.prevent_destroy) {
            self.note([protected(address, "destroyed")]);
        }
        if !self.use_maker(address, stored) {
            return;
        }
        let before = self.present(address, stored);
        let change = Change {
            address: address.clone(),
            provider: stored.provider.clone(),
            ty: stored.ty.clone(),
            action: Action::Delete,
            before: Some(before),
            after: None,
            config: None,
            private: Vec::new(),
            replace_because: Vec::new(),
            reason,
            resume: None,
            depends_on: stored.depends_on.clone(),
            after_removal_of: Vec::new(),
            placement: stored.placement.clone(),
            deposed: None,
        };
        let change = self.leave(change);
        self.changes.insert(address.clone(), change);
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
    fn present(&self, address: &Address, stored: &Stored) -> Stored {
        let schema = self.values.catalogue.managed(&stored.provider, &stored.ty);
        let current = schema.and_then(|schema| current(address, stored, schema, self.predict).ok());
        current.unwrap_or_else(|| stored.clone())
    }

    fn why_gone(&self, address: &Address) -> Option<String> {
        if address.deposed.is_some() {
            return Some(format!("another `{}` has taken its place", address.present()));
        }
        let reason = match (self.desired.module.objects.get(&address.whole()), &address.key, &address.replica) {
            (None, _, _) => format!("`{}` is not in the configuration any more", address.whole()),
            (Some(block), Some(_), _) if !self.has_instance(block, address) => {
                format!("`{}` has no such instance any more", address.whole())
            }
            (Some(_), _, Some(_)) => {
                let service = Address { replica: None, ..address.clone() };
                match self.values.placements(&service).len() {
                    1 => format!("`{service}` has 1 replica now"),
                    count => format!("`{service}` has {count} replicas now"),
                }
            }
            (Some(_), _, None) => format!("`{}` has other instances now", address.whole()),
        };
        Some(reason)
    }

    fn has_instance(&self, block: &ObjectBlock, address: &Address) -> bool {
        self.values.get(&block.address.instance(address.key.clone())).is_some_and(|value| *value != Value::NULL)
    }
}
