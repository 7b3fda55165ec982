//! What must be known before there is a plan: how many instances a module has.

use std::collections::BTreeSet;

use bimetal_model::{Address, Diagnostic, Diagnostics};

use super::Flattener;
use crate::derive::{derive, is_derived};
use crate::desired::Node;
use crate::expression::{Expression, Reference, Target};

/// Why it is not known how many instances there are.
pub(super) enum Later {
    /// There are errors.
    Wrong(Diagnostics),
    /// These blocks have no values yet.
    Waits(BTreeSet<Address>),
}

impl From<Diagnostics> for Later {
    fn from(errors: Diagnostics) -> Self {
        Later::Wrong(errors)
    }
}

impl From<Diagnostic> for Later {
    fn from(error: Diagnostic) -> Self {
        Later::Wrong(vec![error])
    }
}

impl Flattener {
    /// Works out all that an expression refers to.
    pub(super) fn prepare(&mut self, expression: &Expression) -> Result<(), Later> {
        for reference in expression.references() {
            bimetal_syntax::deeply(|| self.reference(&reference))?;
        }
        Ok(())
    }

    fn reference(&mut self, reference: &Reference) -> Result<(), Later> {
        match &reference.target {
            Target::Variable(name) => self.node(Node::Variable(name.clone()), reference),
            Target::Local(name) => self.node(Node::Local(name.clone()), reference),
            Target::Module(name, output) => {
                self.call(name);
                let waits_for = self.module.calls.get(name).map(|call| call.waits_for.clone()).unwrap_or_default();
                if !waits_for.is_empty() {
                    return Err(Later::Waits(waits_for));
                }
                for node in self.module.outputs_of(name, output.as_deref()) {
                    self.node(node, reference)?;
                }
                Ok(())
            }
            Target::Object(address) => {
                let block = address.whole();
                let is_open = self.module.objects.contains_key(&block) && !self.scope.objects.contains_key(&block);
                // What is not declared is said where all names are resolved.
                if is_open { Err(Later::Waits([block].into())) } else { Ok(()) }
            }
            Target::Each | Target::Count | Target::Path | Target::Workspace | Target::This => Ok(()),
        }
    }

    fn node(&mut self, node: Node, reference: &Reference) -> Result<(), Later> {
        if !is_derived(&node) || self.derived.contains(&node) {
            return Ok(());
        }
        if !self.open.insert(node.clone()) {
            let error = Diagnostic::error(format!("`{node}` depends on itself")).at(&reference.span);
            return Err(error.into());
        }
        let expressions: Vec<Expression> = self.module.expressions_of(&node).into_iter().cloned().collect();
        let prepared = expressions.iter().try_for_each(|expression| self.prepare(expression));
        self.open.remove(&node);
        prepared?;
        derive(&self.module, &node, &mut self.scope)?;
        self.derived.insert(node);
        Ok(())
    }
}
