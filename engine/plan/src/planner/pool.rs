//! Pools: which machines are in one may depend on facts that only the machines can tell.

use bimetal_config::Node;
use bimetal_model::{Address, Value};

use super::Planner;
use crate::catalogue::is_machine;
use crate::pool;

impl Planner<'_> {
    /// Works a pool out; asks its machines about themselves where their attributes decide who is in.
    pub(super) fn plan_pool(&mut self, address: &Address) -> Option<()> {
        let block = self.desired.module.objects.get(address)?;
        let node = Node::Object(address.clone());
        if pool::is_open(block, &self.values) && self.ask_behind(&node) {
            return None;
        }
        self.derive(&node)
    }

    /// Whether there was something to ask.
    fn ask_behind(&mut self, node: &Node) -> bool {
        let mut any = false;
        let behind = self.behind.of(self.desired.dependencies.get(node).into_iter().flatten());
        for machine in behind.iter().filter(|address| is_machine(address)) {
            let Some(change) = self.changes.get(machine).cloned() else { continue };
            let is_open = change.after.as_ref().is_some_and(|after| !after.is_wholly_known());
            let is_known = change.config.as_ref().is_some_and(Value::is_wholly_known);
            if is_open && is_known && self.is_configured(&change.provider) && !self.answers.facts.contains_key(machine)
            {
                self.ask_facts(&change);
                any = true;
            }
        }
        any
    }
}
